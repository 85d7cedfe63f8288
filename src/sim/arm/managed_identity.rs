//! Microsoft.ManagedIdentity/userAssignedIdentities, and the system-assigned identity of any resource.

use http::Method;
use serde_json::{Map, Value, json};

use super::fail::{bad_content, fail, no_method, resource_missing};
use super::resource::Work;
use super::route::{Result, Turn};
use super::show::{lower_group, ordered};
use super::versions;
use crate::sim::Answer;
use crate::sim::world::World;
use crate::types::ResourceId;

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
    check_patch(body)
}

/// Checks what a body may set.
pub fn check_patch(body: &Value) -> Result<()> {
    match body.pointer("/properties/isolationScope") {
        None | Some(Value::Null) => {}
        Some(Value::String(scope)) if scope == "None" || scope == "Regional" => {}
        Some(other) => {
            return Err(bad_content(&format!(
                "Error converting value {other} to type 'IsolationScope'"
            )));
        }
    }
    if body
        .get("tags")
        .is_some_and(|tags| !tags.is_object() && !tags.is_null())
    {
        return Err(bad_content("tags must be an object of texts"));
    }
    Ok(())
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
    if version.is_empty() || version >= "2024-11-30" {
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
        let late = name == "assignmentRestrictions" && !version.is_empty() && version < "2025-05-31-preview";
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

/// `POST {identity}/listAssociatedResources`: top-level resources whose block names the identity.
pub fn associated(turn: &mut Turn<'_>, id: &ResourceId) -> Result {
    let version = versions::given(turn.ask)?;
    if version != "2022-01-31-preview" && version != "2021-09-30-preview" {
        return Err(fail(
            404,
            "InvalidResourceType",
            format!(
                "The resource type 'listAssociatedResources' could not be found in the namespace \
                 'Microsoft.ManagedIdentity' for api version '{version}'. The supported api-versions are \
                 '2022-01-31-preview, 2021-09-30-preview'."
            ),
        ));
    }
    turn.need(
        "Microsoft.ManagedIdentity/userAssignedIdentities/listAssociatedResources/action",
        id.as_str(),
    )?;
    if !turn.world.store.has(id.key()) {
        return Err(resource_missing(id));
    }
    let mut rows = Vec::new();
    for (_, document) in turn.world.store.all() {
        let names = document
            .pointer("/identity/userAssignedIdentities")
            .and_then(Value::as_object);
        if !names.is_some_and(|names| names.keys().any(|key| crate::sim::store::key_of(key) == id.key())) {
            continue;
        }
        let Some(user) = document["id"].as_str().and_then(|id| ResourceId::parse(id).ok()) else {
            continue;
        };
        if user.top_level() != user {
            continue;
        }
        let subscription = user.subscription().unwrap_or_default().to_owned();
        let shown = turn
            .world
            .store
            .get(&format!("/subscriptions/{}", subscription.to_ascii_lowercase()));
        rows.push(json!({
            "id": user.as_str(),
            "name": user.name(),
            "type": user.resource_type().to_ascii_lowercase(),
            "resourceGroup": user.resource_group().unwrap_or_default(),
            "subscriptionId": subscription,
            "subscriptionDisplayName": shown.map(|s| s["displayName"].clone()).unwrap_or_default(),
        }));
    }
    let total = rows.len();
    let skip = turn
        .ask
        .parameter("$skip")
        .and_then(|n| n.parse().ok())
        .unwrap_or(0usize);
    let rows = rows.into_iter().skip(skip).collect();
    let mut answer = super::paging::page(turn.ask, rows, turn.world.page);
    if let Some(body) = &mut answer.body {
        body["totalCount"] = json!(total);
    }
    Ok(answer)
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
    let client = document.pointer("/identity/clientId").cloned().unwrap_or(Value::Null);
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
