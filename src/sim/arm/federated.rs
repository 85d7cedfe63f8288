//! Federated identity credentials: their rules, and the messages of those who break them.

use serde_json::{Value, json};

use super::fail::fail;
use super::resource::Work;
use super::route::{Result, Turn};
use super::show::{complete, lower_group, ordered};
use crate::sim::{Answer, regions};
use crate::types::ResourceId;

/// Whether the id is one of a federated credential.
pub fn is(id: &ResourceId) -> bool {
    id.is_type("Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials")
}

fn bad(message: impl Into<String>) -> Answer {
    fail(400, "BadRequest", message)
}

/// Checks a PUT: name, body, the pair of issuer and subject, the limit, the region.
pub fn check_put(turn: &Turn<'_>, work: &Work, body: &Value) -> Result<()> {
    let name = work.id.name();
    let good = (3..=120).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        && name.starts_with(|c: char| c.is_ascii_alphanumeric());
    // An estate in which some credential has this name tells of an Azure that took it.
    if work.stored.is_none() && !good && !is_taken_somewhere(turn, name) {
        return Err(bad(format!("Federated Identity Credential name '{name}' is invalid.")));
    }
    let properties = body["properties"]
        .as_object()
        .filter(|properties| !properties.is_empty());
    let Some(properties) = properties else {
        return Err(bad("Federated Identity Credential from HTTP body has empty properties"));
    };
    let text = |name: &str| {
        properties
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let flexible = properties.get("claimsMatchingExpression").is_some_and(Value::is_object)
        && ["2025-01-31-preview", "2025-05-31-preview"].contains(&work.version.as_str());
    let Some(issuer) = text("issuer") else {
        return Err(bad("Federated Identity Credential from HTTP body has an empty issuer"));
    };
    let subject = text("subject");
    if subject.is_none() && !flexible {
        return Err(bad("Federated Identity Credential from HTTP body has an empty subject"));
    }
    if properties
        .get("audiences")
        .and_then(Value::as_array)
        .is_none_or(|audiences| audiences.len() != 1)
    {
        return Err(bad("Federated identity credentials must have exactly one audience."));
    }
    let Some(parent) = work.id.parent() else { return Ok(()) };
    let place = turn
        .world
        .store
        .get(parent.key())
        .and_then(|parent| parent["location"].as_str())
        .and_then(regions::find);
    if place.is_some_and(|place| !place.federated) {
        return Err(fail(
            405,
            "MethodNotAllowed",
            "The request format was unexpected: Support for federated identity credentials not enabled.",
        ));
    }
    let siblings: Vec<(&str, &Value)> = turn
        .world
        .store
        .below(parent.key())
        .filter(|(key, _)| key.contains("/federatedidentitycredentials/"))
        .collect();
    let same = |value: &Value| {
        subject.is_some()
            && value.pointer("/properties/issuer").and_then(Value::as_str) == Some(issuer)
            && value.pointer("/properties/subject").and_then(Value::as_str) == subject
    };
    if siblings.iter().any(|(key, value)| *key != work.id.key() && same(value)) {
        return Err(bad(
            "Issuer and subject combination already exists for this Managed Identity.",
        ));
    }
    if work.stored.is_none() && siblings.len() >= work.kind.limit {
        return Err(bad(format!(
            "Too many federated identity credentials have been configured on the managed identity. The limit is {}.",
            work.kind.limit
        )));
    }
    Ok(())
}

/// Whether a credential of any identity has this name.
fn is_taken_somewhere(turn: &Turn<'_>, name: &str) -> bool {
    let end = format!("/{}", name.to_lowercase());
    let mut all = turn
        .world
        .store
        .of_type("microsoft.managedidentity/userassignedidentities/federatedidentitycredentials");
    all.any(|(key, _)| key.ends_with(&end))
}

/// A credential as its provider shows it.
pub fn show(id: &ResourceId, document: &Value) -> Value {
    let mut shown = document.clone();
    complete(&mut shown, id);
    shown["id"] = json!(lower_group(id.as_str()));
    match shown.as_object() {
        Some(map) => Value::Object(ordered(map, &["id", "name", "type", "properties"])),
        None => shown,
    }
}

/// 409 for a write while another of the same identity is under way.
pub fn concurrent(parent: &str) -> Answer {
    fail(
        409,
        "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
        format!(
            "Too many Federated Identity Credentials are written concurrently for the managed identity '{parent}'. \
             Concurrent Federated Identity Credentials writes under the same managed identity are not supported."
        ),
    )
}
