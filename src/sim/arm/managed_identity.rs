//! Microsoft.ManagedIdentity/userAssignedIdentities, and the system-assigned identity of any resource.

use http::Method;
use serde_json::{Map, Value, json};

use super::fail::{bad_content, fail, no_method, resource_missing};
use super::resource::Work;
use super::route::{Result, Turn};
use super::show::{lower_group, ordered};
use super::versions;
use crate::sim::Answer;
use crate::sim::world::{World, system_client};
use crate::types::ResourceId;

/// The first api-version that knows `isolationScope`.
const ISOLATION: &str = "2024-11-30";
/// The first api-version that knows `assignmentRestrictions`.
const RESTRICTIONS: &str = "2025-05-31-preview";

/// Whether the id is one of a user-assigned identity.
pub fn is(id: &ResourceId) -> bool {
    id.is_type("Microsoft.ManagedIdentity/userAssignedIdentities")
}

/// Checks the name and the body of a PUT.
pub fn check_put(_turn: &Turn<'_>, work: &Work, body: &Value) -> Result<()> {
    let name = work.id.name();
    let good = (3..=128).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        && name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if work.stored.is_none() && !good {
        return Err(fail(
            400,
            "InvalidResourceName",
            format!(
                "Resource name '{name}' is invalid. It must be 3 to 128 characters long, of letters, digits, '-' and '_', and \
                 begin with a letter or a digit."
            ),
        ));
    }
    check_patch(work, body)
}

/// Checks what a body may set.
pub fn check_patch(work: &Work, body: &Value) -> Result<()> {
    let scope = body.pointer("/properties/isolationScope");
    match scope.filter(|_| work.version.as_str() >= ISOLATION) {
        None | Some(Value::Null) => {}
        Some(Value::String(scope)) if scope == "None" || scope == "Regional" => {}
        Some(other) => {
            return Err(bad_content(&format!(
                "Error converting value {other} to type 'IsolationScope'"
            )));
        }
    }
    let restricted = body.pointer("/properties/assignmentRestrictions");
    let providers = restricted.map(|restricted| &restricted["providers"]);
    let texts = |list: &Value| list.as_array().is_some_and(|list| list.iter().all(Value::is_string));
    if providers.is_some_and(|list| work.version.as_str() >= RESTRICTIONS && !list.is_null() && !texts(list)) {
        return Err(bad_content(
            "assignmentRestrictions.providers must be an array of texts",
        ));
    }
    tags(body)
}

/// Tags of identities are texts, where others take numbers too.
fn tags(body: &Value) -> Result<()> {
    let Some(tags) = body.get("tags").filter(|tags| !tags.is_null()) else {
        return Ok(());
    };
    if !tags.as_object().is_some_and(|map| map.values().all(Value::is_string)) {
        return Err(bad_content("tags must be an object of texts"));
    }
    Ok(())
}

/// What a request of this api-version can set: a body without what came later.
pub fn known(version: &str, mut body: Value) -> Value {
    for (since, name) in [(ISOLATION, "isolationScope"), (RESTRICTIONS, "assignmentRestrictions")] {
        if version < since {
            super::show::drop_at(&mut body, &["properties", name]);
        }
    }
    for name in ["tenantId", "principalId", "clientId"] {
        super::show::drop_at(&mut body, &["properties", name]);
    }
    body
}

/// Gives a new identity its principal and client; those of one that stands are not changed by any request.
pub fn fill(turn: &Turn<'_>, id: &ResourceId, document: &mut Value) {
    let stored = turn
        .world
        .store
        .get(id.key())
        .map(|stored| stored["properties"].clone());
    let fresh = || uuid::Uuid::new_v4().to_string();
    let given = |name: &str| {
        stored
            .as_ref()
            .and_then(|stored| stored[name].as_str())
            .map(str::to_owned)
    };
    let tenant = given("tenantId").unwrap_or_else(|| turn.world.tenant.clone());
    let (principal, client) = (
        given("principalId").unwrap_or_else(fresh),
        given("clientId").unwrap_or_else(fresh),
    );
    let Some(map) = document.as_object_mut() else { return };
    let properties = map.entry("properties").or_insert_with(|| json!({}));
    if !properties.is_object() {
        *properties = json!({});
    }
    properties["tenantId"] = json!(tenant);
    properties["principalId"] = json!(principal);
    properties["clientId"] = json!(client);
}

/// An identity as its provider shows it at an api-version.
pub fn show(world: &World, id: &ResourceId, document: &Value, version: &str) -> Value {
    let mut map = document.as_object().cloned().unwrap_or_default();
    map.insert("id".into(), json!(lower_group(id.as_str())));
    map.insert(
        "name".into(),
        json!(document["name"].as_str().unwrap_or_else(|| id.name())),
    );
    map.insert("type".into(), json!("Microsoft.ManagedIdentity/userAssignedIdentities"));
    map.entry("tags").or_insert_with(|| json!({}));
    if map["tags"].is_null() {
        map.insert("tags".into(), json!({}));
    }
    let mut properties = Map::new();
    let stored = document["properties"].as_object().cloned().unwrap_or_default();
    if version.is_empty() || version >= ISOLATION {
        properties.insert(
            "isolationScope".into(),
            stored.get("isolationScope").cloned().unwrap_or_else(|| json!("None")),
        );
    }
    properties.insert(
        "tenantId".into(),
        stored.get("tenantId").cloned().unwrap_or_else(|| json!(world.tenant)),
    );
    for name in ["principalId", "clientId"] {
        if let Some(value) = stored.get(name) {
            properties.insert(name.into(), value.clone());
        }
    }
    for (name, value) in stored {
        let late = name == "assignmentRestrictions" && !version.is_empty() && version < RESTRICTIONS;
        if name != "isolationScope" && !late {
            properties.entry(name).or_insert(value);
        }
    }
    map.insert("properties".into(), Value::Object(properties));
    let order: &[&str] = if version >= "2023-01-31" {
        &["location", "tags", "id", "name", "type", "properties"]
    } else {
        &["id", "name", "type", "location", "tags", "properties"]
    };
    Value::Object(ordered(&map, order))
}

/// `GET {resource}/providers/Microsoft.ManagedIdentity/identities/default`.
pub fn system_assigned(turn: &mut Turn<'_>, id: &ResourceId) -> Result {
    if turn.ask.method != Method::GET {
        return Err(no_method(&turn.ask.method));
    }
    versions::of_type(turn.world, turn.ask, &id.resource_type(), None)?;
    turn.need("Microsoft.ManagedIdentity/identities/read", id.as_str())?;
    let owner = id.extended().ok_or_else(|| resource_missing(id))?;
    let document = turn.world.read(owner.key()).ok_or_else(|| resource_missing(&owner))?;
    let principal = document
        .pointer("/identity/principalId")
        .and_then(Value::as_str)
        .ok_or_else(|| resource_missing(id))?;
    let client = document.pointer("/identity/clientId").and_then(Value::as_str);
    let client = client.map_or_else(|| system_client(principal), str::to_owned);
    Ok(Answer::json(
        200,
        json!({
            "id": id.as_str(),
            "name": "default",
            "type": "Microsoft.ManagedIdentity/identities",
            "location": document["location"],
            "tags": document.get("tags").cloned().unwrap_or_else(|| json!({})),
            "properties": {
                "tenantId": turn.world.tenant,
                "principalId": principal,
                "clientId": client,
                "clientSecretUrl": format!("{}{}/credentials", turn.ask.base, id),
            },
        }),
    ))
}
