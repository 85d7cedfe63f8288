//! Role definitions: the built-in ones, and the custom ones of the estate.

use http::Method;
use serde_json::{Value, json};

use super::fail::{bad_content, fail, no_method};
use super::paging::page;
use super::route::{Result, Turn};
use super::versions;
use crate::sim::rights::last;
use crate::sim::world::World;
use crate::sim::{Answer, builtin_roles};
use crate::types::ResourceId;

const KIND: &str = "Microsoft.Authorization/roleDefinitions";

/// The subscription part of a scope, for the form that ids take there; empty above subscriptions.
pub fn form(scope: &str) -> String {
    let segments: Vec<&str> = scope.split('/').filter(|segment| !segment.is_empty()).collect();
    match segments.as_slice() {
        [word, id, ..] if word.eq_ignore_ascii_case("subscriptions") => format!("/subscriptions/{id}"),
        _ => String::new(),
    }
}

/// A custom role definition of the estate by its GUID.
pub fn custom<'a>(world: &'a World, guid: &str) -> Option<&'a Value> {
    world
        .store
        .of_type("microsoft.authorization/roledefinitions")
        .find(|(key, _)| last(key).eq_ignore_ascii_case(guid))
        .map(|(_, document)| document)
}

/// Whether a role definition can be assigned at a scope: none where there is no such definition.
pub fn assignable(world: &World, guid: &str, scope: &str) -> Option<bool> {
    if builtin_roles::by_guid(guid).is_some() {
        return Some(true);
    }
    let places = custom(world, guid)?
        .pointer("/properties/assignableScopes")
        .and_then(Value::as_array);
    let Some(places) = places else { return Some(true) };
    let scope = crate::sim::store::key_of(scope);
    let tree = crate::sim::rights::Tree::of(&world.store, &world.tenant);
    Some(places.iter().filter_map(Value::as_str).any(|place| {
        let place = crate::sim::store::key_of(place);
        tree.is_within(&scope, if place.is_empty() { "/" } else { &place })
    }))
}

fn shown(document: &Value, scope: &str) -> Value {
    let mut shown = document.clone();
    let guid = document["name"]
        .as_str()
        .unwrap_or_else(|| last(document["id"].as_str().unwrap_or_default()))
        .to_owned();
    if shown["properties"].is_object() {
        if shown["properties"].get("type").is_none() {
            shown["properties"]["type"] = json!("CustomRole");
        }
        for name in ["createdOn", "updatedOn", "createdBy", "updatedBy"] {
            if shown["properties"].get(name).is_none() {
                shown["properties"][name] = Value::Null;
            }
        }
    }
    shown["id"] = json!(format!("{}/providers/{KIND}/{guid}", form(scope)));
    shown["type"] = json!(KIND);
    shown["name"] = json!(guid);
    shown
}

/// Answers a request for one role definition.
pub fn one(turn: &mut Turn<'_>, id: &ResourceId) -> Result {
    versions::of_type(turn.world, turn.ask, KIND, None)?;
    let method = turn.ask.method.clone();
    let verb = match method {
        Method::GET => "read",
        Method::PUT => "write",
        Method::DELETE => "delete",
        _ => return Err(no_method(&method)),
    };
    turn.need(&format!("{KIND}/{verb}"), id.as_str())?;
    let guid = id.name();
    let missing = || {
        let short = guid.replace('-', "");
        fail(
            404,
            "RoleDefinitionDoesNotExist",
            format!("The specified role definition with ID '{short}' does not exist."),
        )
    };
    let found = builtin_roles::by_guid(guid)
        .or_else(|| custom(turn.world, guid))
        .cloned();
    match method {
        Method::GET => found
            .map(|document| Answer::json(200, shown(&document, id.as_str())))
            .ok_or_else(missing),
        Method::DELETE => delete(turn, id, found),
        _ => put(turn, id, found),
    }
}

fn delete(turn: &mut Turn<'_>, id: &ResourceId, found: Option<Value>) -> Result {
    let guid = id.name();
    let Some(document) = found else {
        return Ok(Answer::empty(204));
    };
    if builtin_roles::by_guid(guid).is_some() {
        return Err(fail(
            400,
            "RoleDefinitionCannotBeDeleted",
            "A built-in role definition cannot be deleted.",
        ));
    }
    let used = turn
        .world
        .store
        .of_type("microsoft.authorization/roleassignments")
        .any(|(_, assignment)| {
            assignment
                .pointer("/properties/roleDefinitionId")
                .and_then(Value::as_str)
                .is_some_and(|role| last(role).eq_ignore_ascii_case(guid))
        });
    if used {
        return Err(fail(
            400,
            "RoleDefinitionHasAssignments",
            format!(
                "There are existing role assignments referencing role (code: RoleDefinitionHasAssignments): '{guid}'."
            ),
        ));
    }
    let key = crate::sim::store::key_of(document["id"].as_str().unwrap_or_default());
    turn.world.store.remove(&key, turn.ask.now);
    turn.world.writes += 1;
    Ok(Answer::json(200, shown(&document, id.as_str())))
}

fn put(turn: &mut Turn<'_>, id: &ResourceId, found: Option<Value>) -> Result {
    if builtin_roles::by_guid(id.name()).is_some() {
        return Err(fail(
            400,
            "RoleDefinitionCannotBeUpdated",
            "A built-in role definition cannot be changed.",
        ));
    }
    let properties = turn.body()?["properties"].clone();
    if properties["roleName"].as_str().is_none_or(str::is_empty) {
        return Err(bad_content("properties.roleName is required"));
    }
    let own = found
        .as_ref()
        .and_then(|document| ResourceId::parse(document["id"].as_str()?).ok())
        .unwrap_or_else(|| id.clone());
    let mut document =
        found.unwrap_or_else(|| json!({"id": id.as_str(), "name": id.name(), "type": KIND, "properties": {}}));
    crate::types::json::merge(&mut document["properties"], &properties);
    document["properties"]["type"] = json!("CustomRole");
    let answer = shown(&document, id.as_str());
    let (now, by) = (turn.ask.now, turn.ask.caller.principal.clone());
    turn.world.store.put(&own, document, now, &by);
    turn.world.writes += 1;
    Ok(Answer::json(201, answer))
}

/// The role definitions that can be assigned at a scope.
pub fn list(turn: &mut Turn<'_>, parent: &str) -> Result {
    versions::of_type(turn.world, turn.ask, KIND, None)?;
    turn.need("Microsoft.Authorization/roleDefinitions/read", parent)?;
    let filter = turn.ask.parameter("$filter").unwrap_or_default().to_owned();
    let lower = filter.to_ascii_lowercase();
    let quoted = filter.split('\'').nth(1).map(str::to_ascii_lowercase);
    let below = lower.contains("atscopeandbelow()");
    let key = crate::sim::store::key_of(parent);
    let at = if key.is_empty() { "/".to_owned() } else { key };
    let tree = turn.world.tree();
    let custom = turn
        .world
        .store
        .of_type("microsoft.authorization/roledefinitions")
        .map(|(_, document)| document)
        .filter(|document| {
            let places = document
                .pointer("/properties/assignableScopes")
                .and_then(Value::as_array);
            places.is_none_or(|places| {
                places.iter().filter_map(Value::as_str).any(|place| {
                    let place = crate::sim::store::key_of(place);
                    let place = if place.is_empty() { "/" } else { &place };
                    tree.is_within(&at, place) || (below && tree.is_within(place, &at))
                })
            })
        });
    let rows = builtin_roles::all()
        .iter()
        .chain(custom)
        .map(|document| shown(document, parent))
        .filter(|row| {
            let own = |name: &str| {
                row["properties"][name]
                    .as_str()
                    .unwrap_or_default()
                    .to_ascii_lowercase()
            };
            match &quoted {
                Some(value) if lower.contains("rolename eq") => own("roleName") == *value,
                Some(value) if lower.contains("type eq") => own("type") == *value,
                _ => true,
            }
        })
        .collect();
    Ok(page(turn.ask, rows, 1000))
}
