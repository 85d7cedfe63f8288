//! What an `identity` block may not ask for, and what may not be taken from it.

use serde_json::{Map, Value};

use super::fail::{bad_content, fail};
use super::identity_block::Parts;
use super::managed_identity;
use super::resource::Work;
use super::route::{Result, Turn};
use super::show::values_at;
use crate::sim::catalog::By;
use crate::sim::store::key_of;
use crate::sim::{Answer, regions};
use crate::types::ResourceId;

const ASSIGN: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action";

/// 400 for a block that contradicts itself or its type.
pub fn invalid(message: impl Into<String>) -> Answer {
    fail(400, "InvalidIdentityValues", message)
}

fn no_id(text: &str, path: &str) -> Answer {
    fail(
        400,
        "LinkedInvalidPropertyId",
        format!(
            "Property id '{text}' at path '{path}' is invalid. Expect fully qualified resource Id that start with \
             '/subscriptions/{{subscriptionId}}' or '/providers/{{resourceProviderNamespace}}/'."
        ),
    )
}

/// Values of the map are objects. Read-only parts that are sent back are ignored, or refused by services that do.
pub fn read_only(work: &Work, sent: &Value, named: Option<&Map<String, Value>>) -> Result<()> {
    let strict = work.kind.identity.as_ref().is_some_and(|identity| identity.strict);
    let filled = |value: &Value| value.as_object().is_none_or(|parts| strict && !parts.is_empty());
    for (key, value) in named.into_iter().flatten() {
        if !value.is_null() && filled(value) {
            return Err(bad_content(&format!(
                "The value of '{key}' in 'userAssignedIdentities' must be an empty object"
            )));
        }
    }
    let parts = ["principalId", "tenantId", "clientId"];
    match parts
        .iter()
        .find(|part| sent.get(part).is_some_and(|value| !value.is_null()))
    {
        Some(part) if strict => Err(bad_content(&format!("The property 'identity.{part}' is read-only"))),
        _ => Ok(()),
    }
}

/// What the type takes.
pub fn limits(work: &Work, now: Parts, map: &Map<String, Value>) -> Result<()> {
    let Some(identity) = &work.kind.identity else {
        return Ok(());
    };
    if identity.required && !now.system && !now.user {
        return Err(invalid(format!(
            "The resource type '{}' must have an identity.",
            work.kind.full()
        )));
    }
    for (wanted, taken, word) in [
        (now.system, identity.system, "system"),
        (now.user, identity.user, "user"),
    ] {
        if wanted && !taken {
            return Err(invalid(format!(
                "The resource type '{}' does not support {word} assigned identities.",
                work.kind.full()
            )));
        }
    }
    if identity.combined.is_empty() && now.system && now.user {
        return Err(invalid(format!(
            "The resource type '{}' takes a system assigned or a user assigned identity, not both.",
            work.kind.full()
        )));
    }
    if identity.max > 0 && map.len() > identity.max {
        return Err(invalid(format!(
            "The resource type '{}' takes at most {} user assigned identity, but {} were given.",
            work.kind.full(),
            identity.max,
            map.len()
        )));
    }
    Ok(())
}

/// Every identity that was sent must be there, and the caller must be allowed to assign it.
pub fn linked(turn: &Turn<'_>, work: &Work, keys: &[&str], here: Option<&str>) -> Result<()> {
    let mut refused = Vec::new();
    for key in keys {
        let Ok(id) = ResourceId::parse(key) else {
            return Err(no_id(key, "identity.userAssignedIdentities"));
        };
        let Some(identity) = turn.world.store.get(id.key()).filter(|_| managed_identity::is(&id)) else {
            refused.push((*key).to_owned());
            continue;
        };
        if !turn.rights.allow(ASSIGN, id.key()) {
            refused.push((*key).to_owned());
            continue;
        }
        restrictions(work, identity, here)?;
    }
    if refused.is_empty() {
        return Ok(());
    }
    let principal = &turn.ask.caller.principal;
    Err(fail(
        403,
        "LinkedAuthorizationFailed",
        format!(
            "The client '{principal}' with object id '{principal}' has permission to perform action '{}/write' on scope \
             '{}'; however, it does not have permission to perform action '{ASSIGN}' on the linked scope(s) '{}' or the \
             linked scope(s) are invalid.",
            work.kind.full(),
            work.id,
            refused.join(",")
        ),
    ))
}

/// What the identity itself says of where it may be used.
fn restrictions(work: &Work, identity: &Value, here: Option<&str>) -> Result<()> {
    let name = identity["name"].as_str().unwrap_or_default();
    let own = regions::normal(identity["location"].as_str().unwrap_or_default());
    let regional = identity
        .pointer("/properties/isolationScope")
        .and_then(Value::as_str)
        .is_some_and(|s| s.eq_ignore_ascii_case("Regional"));
    if let (true, Some(here)) = (regional, here)
        && here != own
    {
        return Err(fail(
            400,
            "IdentityIsolationScopeViolation",
            format!(
                "The user assigned identity '{name}' has the isolation scope 'Regional' and lies in '{own}': it cannot be \
                     assigned to a resource in '{here}'."
            ),
        ));
    }
    let allowed = identity
        .pointer("/properties/assignmentRestrictions/providers")
        .and_then(Value::as_array);
    if let Some(allowed) = allowed.filter(|allowed| !allowed.is_empty()) {
        let full = work.kind.full().to_ascii_lowercase();
        let fits = allowed
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_ascii_lowercase)
            .any(|provider| full == provider || full.starts_with(&format!("{provider}/")));
        if !fits {
            return Err(fail(
                400,
                "IdentityAssignmentRestricted",
                format!(
                    "The user assigned identity '{name}' cannot be assigned to resources of type '{}'.",
                    work.kind.full()
                ),
            ));
        }
    }
    Ok(())
}

/// A resource that names an identity which is no more cannot be written until it is taken off.
pub fn dangling(turn: &Turn<'_>, work: &Work, block: &Value, sent: &[&str]) -> Result<()> {
    for (key, _) in block["userAssignedIdentities"].as_object().into_iter().flatten() {
        let lower = key_of(key);
        if sent.iter().any(|sent| key_of(sent) == lower) || turn.world.store.has(&lower) {
            continue;
        }
        return Err(fail(
            400,
            "FailedIdentityOperation",
            format!(
                "Identity operation for resource '{}' failed with error 'Failed to perform resource identity operation. \
                 Status: 'BadRequest'. Response: '{{\"error\":{{\"code\":\"BadRequest\",\"message\":\"Resource '{key}' was not \
                 found.\"}}}}'.",
                work.id
            ),
        ));
    }
    Ok(())
}

/// What the document says of identities outside the block: only such as are on the resource where its service holds them
/// to that, and none of those can go.
pub fn uses(work: &Work, old: &Map<String, Value>, document: &Value) -> Result<()> {
    let block = |document: &Value| {
        let map = document.pointer("/identity/userAssignedIdentities");
        map.and_then(Value::as_object).cloned().unwrap_or_default()
    };
    let now = block(document);
    let stays = |key: &str| now.keys().any(|own| own.eq_ignore_ascii_case(key));
    for named in &work.kind.uses {
        let dotted = named.at.trim_start_matches('/').replace('/', ".");
        let stored = work
            .stored
            .as_ref()
            .map(|stored| values_at(stored, &named.at))
            .unwrap_or_default();
        for text in values_at(document, &named.at).into_iter().filter_map(Value::as_str) {
            let gone = old
                .iter()
                .find(|(key, value)| !stays(key) && names(text, named.by, key, value));
            if let (true, Some((key, _))) = (named.held, gone) {
                return Err(fail(
                    400,
                    "UserAssignedIdentityInUse",
                    format!(
                        "The user assigned identity '{key}' cannot be removed from '{}', because '{dotted}' uses it.",
                        work.id
                    ),
                ));
            }
            let new = !stored.iter().any(|value| value.as_str() == Some(text));
            let id = text.rsplit('=').next().unwrap_or_default();
            let points = named.by == By::Id && id.to_ascii_lowercase().contains("/userassignedidentities");
            if !new || !points {
                continue;
            }
            if !ResourceId::parse(id).is_ok_and(|id| managed_identity::is(&id)) {
                return Err(no_id(text, &dotted));
            }
            if named.held && !stays(id) {
                return Err(fail(
                    400,
                    "UserAssignedIdentityNotAssigned",
                    format!(
                        "The user assigned identity '{id}' at '{dotted}' is not assigned to '{}'.",
                        work.id
                    ),
                ));
            }
        }
    }
    Ok(())
}

/// Whether a text names the identity under this key of a block.
fn names(text: &str, by: By, key: &str, value: &Value) -> bool {
    let part = |name: &str| value[name].as_str().is_some_and(|id| id.eq_ignore_ascii_case(text));
    match by {
        // Cosmos DB writes `UserAssignedIdentity={id}`.
        By::Id => text.rsplit('=').next().is_some_and(|id| id.eq_ignore_ascii_case(key)),
        By::Client => part("clientId"),
        By::Principal => part("principalId"),
    }
}
