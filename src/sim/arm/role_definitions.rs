//! Role definitions: the built-in ones, and the custom ones of the estate.

use http::Method;
use serde_json::{Value, json};

use super::fail::{bad_content, fail, verb};
use super::filters::{self, Clause};
use super::paging::page;
use super::route::{Result, Turn};
use super::{show, versions};
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

fn shown(world: &World, document: &Value, scope: &str) -> Value {
    let mut shown = document.clone();
    let guid = document["name"]
        .as_str()
        .unwrap_or_else(|| last(document["id"].as_str().unwrap_or_default()))
        .to_owned();
    if shown["properties"].is_object() {
        if shown["properties"].get("type").is_none() {
            shown["properties"]["type"] = json!("CustomRole");
        }
        let note = world
            .store
            .note(&crate::sim::store::key_of(document["id"].as_str().unwrap_or_default()));
        let time = |at: Option<time::OffsetDateTime>| json!(show::time(at.unwrap_or(world.started)));
        for (name, value) in [
            ("createdOn", time(note.created)),
            ("updatedOn", time(note.changed)),
            ("createdBy", json!(note.created_by)),
            ("updatedBy", json!(note.changed_by)),
        ] {
            if shown["properties"].get(name).is_none() {
                shown["properties"][name] = value;
            }
        }
        for row in shown["properties"]["permissions"].as_array_mut().into_iter().flatten() {
            for name in ["actions", "notActions", "dataActions", "notDataActions"] {
                if row.get(name).is_none_or(Value::is_null) {
                    row[name] = json!([]);
                }
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
    let verb = verb(&method)?;
    let guid = id.name();
    // Everyone in the tenant may look up what a role means.
    if !(method == Method::GET && form(id.as_str()).is_empty() && builtin_roles::by_guid(guid).is_some()) {
        turn.need(&format!("{KIND}/{verb}"), id.as_str())?;
    }
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
            .map(|document| Answer::json(200, shown(turn.world, &document, id.as_str())))
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
    let body = shown(turn.world, &document, id.as_str());
    turn.world.store.remove(&key, turn.ask.now);
    turn.world.writes += 1;
    Ok(Answer::json(200, body))
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
    let Some(name) = properties["roleName"].as_str().filter(|name| !name.is_empty()) else {
        return Err(bad_content("properties.roleName is required"));
    };
    places(turn, &properties)?;
    let named = |document: &Value| {
        let own = document.pointer("/properties/roleName").and_then(Value::as_str);
        let guid = document["name"]
            .as_str()
            .unwrap_or_else(|| last(document["id"].as_str().unwrap_or_default()));
        own.is_some_and(|own| own.eq_ignore_ascii_case(name)) && !guid.eq_ignore_ascii_case(id.name())
    };
    let custom = || turn.world.store.of_type("microsoft.authorization/roledefinitions");
    if custom().any(|(_, document)| named(document)) || builtin_roles::all().iter().any(named) {
        return Err(fail(
            409,
            "RoleDefinitionWithSameNameExists",
            format!(
                "A custom role with the same name already exists in this directory. Use a different name: '{name}'."
            ),
        ));
    }
    if found.is_none() && custom().count() >= MOST {
        return Err(fail(
            400,
            "RoleDefinitionLimitExceeded",
            "The role definition limit for the directory has been exceeded. No more role definitions can be created.",
        ));
    }
    let own = found
        .as_ref()
        .and_then(|document| ResourceId::parse(document["id"].as_str()?).ok())
        .unwrap_or_else(|| id.clone());
    let mut document =
        found.unwrap_or_else(|| json!({"id": id.as_str(), "name": id.name(), "type": KIND, "properties": {}}));
    crate::types::json::merge(&mut document["properties"], &properties);
    document["properties"]["type"] = json!("CustomRole");
    let (now, by) = (turn.ask.now, turn.ask.caller.principal.clone());
    turn.world.store.put(&own, document.clone(), now, &by);
    turn.world.writes += 1;
    Ok(Answer::json(201, shown(turn.world, &document, id.as_str())))
}

/// How many custom roles a tenant has at most.
const MOST: usize = 5000;

/// The scopes where the role can be assigned must be given, and the caller must be allowed to write roles in each.
fn places(turn: &Turn<'_>, properties: &Value) -> Result<()> {
    let places = properties["assignableScopes"]
        .as_array()
        .filter(|places| !places.is_empty());
    let Some(places) = places else {
        return Err(fail(
            400,
            "MissingAssignableScopes",
            "The role definition must have at least one assignable scope.",
        ));
    };
    for place in places {
        let Some(place) = place.as_str() else {
            return Err(bad_content("properties.assignableScopes must be an array of texts"));
        };
        turn.need(&format!("{KIND}/write"), place.trim_end_matches('/'))?;
    }
    Ok(())
}

/// The role definitions that can be assigned at a scope.
pub fn list(turn: &mut Turn<'_>, parent: &str) -> Result {
    versions::of_type(turn.world, turn.ask, KIND, None)?;
    if !parent.is_empty() {
        turn.need("Microsoft.Authorization/roleDefinitions/read", parent)?;
    }
    let clauses = filters::of(turn, |clause| match clause {
        Clause::Equal(name, _) => name == "rolename" || name == "type",
        Clause::Call(name, value) => ["atscope", "atscopeandbelow"].contains(&name.as_str()) && value.is_empty(),
    })?;
    let below = filters::calls(&clauses, "atscopeandbelow");
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
        .map(|document| shown(turn.world, document, parent))
        .filter(|row| {
            let is = |filter: &str, name: &str| {
                let own = row["properties"][name].as_str().unwrap_or_default();
                filters::value_of(&clauses, filter).is_none_or(|value| own.eq_ignore_ascii_case(&value))
            };
            is("rolename", "roleName") && is("type", "type")
        })
        .collect();
    Ok(page(turn.ask, rows, 1000))
}
