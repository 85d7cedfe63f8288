//! The `identity` block of any resource: who may be put on it, what is filled in, what is refused.

use serde_json::{Map, Value, json};

use super::fail::{bad_content, fail};
use super::resource::Work;
use super::route::{Result, Turn};
use crate::sim::{Answer, regions};
use crate::types::ResourceId;

/// How a sent map meets the stored one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// PUT: the sent map is the whole.
    Put,
    /// PATCH that replaces: the sent map is the whole.
    Replace,
    /// PATCH that merges: `{}` adds, `null` removes, absent keys stay.
    Merge,
}

const ASSIGN: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Parts {
    system: bool,
    user: bool,
}

fn parts(text: &str) -> Result<Parts> {
    let mut parts = Parts::default();
    for word in text.split(',').map(|word| word.trim().to_ascii_lowercase()) {
        match word.as_str() {
            "systemassigned" => parts.system = true,
            "userassigned" => parts.user = true,
            "none" => {}
            _ => {
                return Err(bad_content(&format!(
                    "Error converting value \"{text}\" to type 'ResourceIdentityType'"
                )));
            }
        }
    }
    Ok(parts)
}

/// Brings the identity block of `document` to what was sent (none: as it stands) and checks what stays.
pub fn settle(turn: &Turn<'_>, work: &Work, document: &mut Value, sent: Option<&Value>, mode: Mode) -> Result<()> {
    let before = work
        .stored
        .as_ref()
        .map_or(Value::Null, |stored| stored["identity"].clone());
    let Some(sent) = sent else {
        return dangling(turn, work, &before, &[]);
    };
    let old: Map<String, Value> = before["userAssignedIdentities"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    let named = match sent.get("userAssignedIdentities") {
        None | Some(Value::Null) => None,
        Some(Value::Object(map)) => Some(map),
        Some(_) => return Err(bad_content("userAssignedIdentities must be an object")),
    };
    let map = meet(&old, named, mode, sent);
    let old_parts = parts(before["type"].as_str().unwrap_or("None"))?;
    let wanted = match sent.get("type").and_then(Value::as_str) {
        Some(text) => Some(parts(text)?),
        None if sent.is_null() => Some(Parts::default()),
        None => None,
    };
    let mut now = wanted.unwrap_or(Parts {
        user: !map.is_empty(),
        ..old_parts
    });
    let adds = named.is_some_and(|named| named.values().any(|value| !value.is_null()));
    if wanted.is_some_and(|wanted| !wanted.user) && adds {
        return Err(invalid(
            "The property 'userAssignedIdentities' is only allowed where the identity type has 'UserAssigned'.",
        ));
    }
    let map = if now.user { map } else { Map::new() };
    if now.user && map.is_empty() {
        if wanted.is_some() {
            return Err(invalid(
                "The identity type 'UserAssigned' requires at least one user assigned identity: to remove the last one, \
                 set the type to 'None' or 'SystemAssigned' in the same request.",
            ));
        }
        now.user = false;
    }
    limits(work, now, &map)?;
    let sent_keys: Vec<String> = named
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, _)| key.to_ascii_lowercase())
        .collect();
    let here = document["location"].as_str().map(regions::normal);
    linked(turn, work, &sent_keys, named, here.as_deref())?;
    let mut block = json!({});
    let mut filled = Map::new();
    for (key, value) in &map {
        filled.insert(key.clone(), identity_values(turn, key, value));
    }
    spell(&mut block, work, now);
    system(turn, &before, &mut block, now);
    if !filled.is_empty() {
        block["userAssignedIdentities"] = Value::Object(filled);
    }
    let Some(target) = document.as_object_mut() else {
        return Ok(());
    };
    if now.system || now.user {
        target.insert("identity".into(), block.clone());
    } else {
        target.shift_remove("identity");
    }
    dangling(turn, work, &block, &sent_keys)?;
    in_use(work, &old, document)
}

fn invalid(message: impl Into<String>) -> Answer {
    fail(400, "InvalidIdentityValues", message)
}

/// The map that comes of the stored and the sent one; stored keys keep their spelling.
fn meet(old: &Map<String, Value>, sent: Option<&Map<String, Value>>, mode: Mode, block: &Value) -> Map<String, Value> {
    let spelled = |key: &str| {
        old.keys()
            .find(|own| own.eq_ignore_ascii_case(key))
            .cloned()
            .unwrap_or_else(|| key.to_owned())
    };
    let Some(sent) = sent else {
        let cleared = block.get("userAssignedIdentities").is_some_and(Value::is_null) && mode != Mode::Merge;
        return if cleared || block.is_null() {
            Map::new()
        } else {
            old.clone()
        };
    };
    let mut map = if mode == Mode::Merge { old.clone() } else { Map::new() };
    for (key, value) in sent {
        let key = spelled(key);
        if value.is_null() {
            map.shift_remove(&key);
        } else {
            let kept = old.get(&key).cloned().unwrap_or_else(|| json!({}));
            map.insert(key, kept);
        }
    }
    map
}

fn limits(work: &Work, now: Parts, map: &Map<String, Value>) -> Result<()> {
    let Some(identity) = &work.kind.identity else {
        return Ok(());
    };
    if identity.required && !now.system && !now.user {
        return Err(invalid(format!(
            "The resource type '{}' must have an identity.",
            work.kind.full()
        )));
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
fn linked(
    turn: &Turn<'_>,
    work: &Work,
    keys: &[String],
    sent: Option<&Map<String, Value>>,
    here: Option<&str>,
) -> Result<()> {
    let mut refused = Vec::new();
    for key in keys {
        let spelled = sent
            .into_iter()
            .flatten()
            .map(|(k, _)| k)
            .find(|k| k.eq_ignore_ascii_case(key))
            .unwrap_or(key);
        let Ok(id) = ResourceId::parse(spelled) else {
            return Err(fail(
                400,
                "LinkedInvalidPropertyId",
                format!(
                    "Property id '{spelled}' at path 'identity.userAssignedIdentities' is invalid. Expect fully qualified \
                     resource Id that start with '/subscriptions/{{subscriptionId}}' or '/providers/{{resourceProviderNamespace}}/'."
                ),
            ));
        };
        let Some(identity) = turn
            .world
            .store
            .get(id.key())
            .filter(|_| super::managed_identity::is(&id))
        else {
            refused.push(spelled.clone());
            continue;
        };
        if !turn.rights.allow(ASSIGN, id.key()) {
            refused.push(spelled.clone());
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

fn identity_values(turn: &Turn<'_>, key: &str, stored: &Value) -> Value {
    let found = turn
        .world
        .store
        .get(&crate::sim::store::key_of(key))
        .map(|identity| &identity["properties"]);
    match found {
        Some(properties) => json!({"principalId": properties["principalId"], "clientId": properties["clientId"]}),
        None => stored.clone(),
    }
}

fn spell(block: &mut Value, work: &Work, now: Parts) {
    let combined = work
        .kind
        .identity
        .as_ref()
        .map_or("SystemAssigned, UserAssigned", |identity| identity.combined.as_str());
    block["type"] = json!(match (now.system, now.user) {
        (true, true) => combined,
        (true, false) => "SystemAssigned",
        (false, true) => "UserAssigned",
        (false, false) => "None",
    });
}

/// The system-assigned part: kept where it stands, made where it is new.
fn system(turn: &Turn<'_>, before: &Value, block: &mut Value, now: Parts) {
    if !now.system {
        return;
    }
    let own = before.get("principalId").filter(|id| id.is_string()).cloned();
    let tenant = before.get("tenantId").filter(|id| id.is_string()).cloned();
    block["principalId"] = own.unwrap_or_else(|| json!(uuid::Uuid::new_v4().to_string()));
    block["tenantId"] = tenant.unwrap_or_else(|| json!(turn.world.tenant));
}

/// Tells the directory of the principals that came and went with a write.
pub fn tell(turn: &mut Turn<'_>, work: &Work, document: &Value) {
    let pointer = if super::managed_identity::is(&work.id) {
        "/properties/principalId"
    } else {
        "/identity/principalId"
    };
    let principal = |document: &Value| document.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let (old, new) = (work.stored.as_ref().and_then(principal), principal(document));
    if old == new {
        return;
    }
    if let Some(old) = old {
        turn.world.directory.identity_deleted(&old);
    }
    if let Some(new) = new {
        let client = document
            .pointer("/properties/clientId")
            .and_then(Value::as_str)
            .map(str::to_owned);
        let client = client.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
        let from = turn.ask.now + turn.world.lag;
        turn.world
            .directory
            .identity_created(work.id.name(), &new, &client, work.id.as_str(), Some(from));
    }
}

/// A resource that names an identity which is no more cannot be written until it is taken off.
fn dangling(turn: &Turn<'_>, work: &Work, block: &Value, sent: &[String]) -> Result<()> {
    for (key, _) in block["userAssignedIdentities"].as_object().into_iter().flatten() {
        let lower = crate::sim::store::key_of(key);
        if sent.contains(&lower) || turn.world.store.has(&lower) {
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

/// An identity that a property of the resource still names cannot leave the block.
fn in_use(work: &Work, old: &Map<String, Value>, document: &Value) -> Result<()> {
    let stays = |key: &str| {
        document
            .pointer("/identity/userAssignedIdentities")
            .and_then(Value::as_object)
            .is_some_and(|map| map.keys().any(|own| own.eq_ignore_ascii_case(key)))
    };
    for gone in old.keys().filter(|key| !stays(key)) {
        let lower = gone.to_ascii_lowercase();
        for pointer in &work.kind.uses {
            let named = document
                .pointer(pointer)
                .and_then(Value::as_str)
                .map(str::to_ascii_lowercase);
            if named.is_some_and(|named| named == lower || named.ends_with(&format!("={lower}"))) {
                return Err(fail(
                    400,
                    "UserAssignedIdentityInUse",
                    format!(
                        "The user assigned identity '{gone}' cannot be removed from '{}', because '{}' uses it.",
                        work.id,
                        pointer.trim_start_matches('/').replace('/', ".")
                    ),
                ));
            }
        }
    }
    Ok(())
}
