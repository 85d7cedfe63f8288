//! Management groups: the tree above subscriptions.

use std::collections::HashSet;

use http::Method;
use serde_json::{Value, json};

use super::fail::{bad_content, fail, no_method};
use super::paging::page;
use super::route::{Result, Turn};
use super::{locks, show, versions};
use crate::sim::Answer;
use crate::sim::rights::last;
use crate::sim::world::World;
use crate::types::ResourceId;

/// The type of a group.
pub const KIND: &str = "Microsoft.Management/managementGroups";
/// What the id of a group begins with.
pub const PREFIX: &str = "/providers/Microsoft.Management/managementGroups";

/// A group's name: the last segment of its id.
pub fn name_of(document: &Value) -> String {
    let own = document["name"].as_str().map(str::to_owned);
    own.unwrap_or_else(|| last(document["id"].as_str().unwrap_or_default()).to_owned())
}

/// A group's display name.
pub fn display(document: &Value) -> Value {
    document
        .pointer("/properties/displayName")
        .cloned()
        .unwrap_or_else(|| json!(name_of(document)))
}

fn parent_of(world: &World, document: &Value) -> Value {
    let id = document
        .pointer("/properties/details/parent/id")
        .and_then(Value::as_str);
    let Some(id) = id else { return Value::Null };
    match world.store.get(&id.to_ascii_lowercase()) {
        Some(parent) => {
            json!({"id": format!("{PREFIX}/{}", name_of(parent)), "name": name_of(parent), "displayName": display(parent)})
        }
        None => json!({"id": id, "name": last(id), "displayName": last(id)}),
    }
}

/// The type as an api-version spells it: older ones begin with `/providers/`.
fn kind_at(version: &str) -> String {
    if version < "2020-05-01" {
        format!("/providers/{KIND}")
    } else {
        KIND.to_owned()
    }
}

fn shown(world: &World, document: &Value, version: &str) -> Value {
    let details = &document["properties"]["details"];
    let or = |value: &Value, other: Value| if value.is_null() { other } else { value.clone() };
    let name = name_of(document);
    let mut shown = document.clone();
    shown["id"] = json!(format!("{PREFIX}/{name}"));
    shown["type"] = json!(kind_at(version));
    shown["name"] = json!(name);
    if !shown["properties"].is_object() {
        shown["properties"] = json!({});
    }
    shown["properties"]["tenantId"] = or(&document["properties"]["tenantId"], json!(world.tenant));
    shown["properties"]["displayName"] = display(document);
    shown["properties"]["details"] = json!({
        "version": or(&details["version"], json!(1)),
        "updatedTime": or(&details["updatedTime"], json!(show::time(world.started))),
        "updatedBy": or(&details["updatedBy"], json!(world.caller())),
        "parent": parent_of(world, document),
    });
    shown
}

/// The children of a group: groups, then subscriptions.
pub fn children(world: &World, key: &str, deep: bool) -> Vec<Value> {
    children_to(world, key, if deep { DEEPEST } else { 1 })
}

/// How deep a tree is followed: Azure has six levels below the root, and an estate may have a circle.
const DEEPEST: usize = 12;

fn children_to(world: &World, key: &str, levels: usize) -> Vec<Value> {
    let mut rows = Vec::new();
    for (child, document) in world.store.of_type("microsoft.management/managementgroups") {
        let parent = document
            .pointer("/properties/details/parent/id")
            .and_then(Value::as_str);
        if !parent.is_some_and(|parent| parent.eq_ignore_ascii_case(key)) {
            continue;
        }
        let mut row = json!({
            "type": KIND,
            "id": format!("{PREFIX}/{}", name_of(document)),
            "name": name_of(document),
            "displayName": display(document),
        });
        if levels > 1 && child != key {
            let below = children_to(world, child, levels - 1);
            if !below.is_empty() {
                row["children"] = json!(below);
            }
        }
        rows.push(row);
    }
    for (id, name, shown) in subscriptions_of(world, key) {
        rows.push(json!({"type": "/subscriptions", "id": id, "name": name, "displayName": shown}));
    }
    rows
}

fn subscriptions_of(world: &World, key: &str) -> Vec<(String, String, Value)> {
    let start = format!("{key}/subscriptions/");
    let named = world
        .store
        .of_type("microsoft.management/managementgroups/subscriptions")
        .filter(|(own, _)| own.starts_with(&start))
        .map(|(own, document)| {
            let id = last(document["id"].as_str().unwrap_or(own)).to_owned();
            let subscription = world.store.get(&format!("/subscriptions/{}", id.to_ascii_lowercase()));
            let shown = subscription
                .and_then(|s| s.get("displayName").cloned())
                .unwrap_or_else(|| display(document));
            (format!("/subscriptions/{id}"), id, shown)
        });
    let root = last(key).eq_ignore_ascii_case(&world.tenant);
    if !root {
        return named.collect();
    }
    // A subscription that no group names stands right below the root.
    let placed: HashSet<&str> = world
        .store
        .of_type("microsoft.management/managementgroups/subscriptions")
        .map(|(own, _)| last(own))
        .collect();
    let others = world
        .store
        .of_type("microsoft.resources/subscriptions")
        .filter(|(own, _)| !placed.contains(last(own)))
        .map(|(own, document)| {
            let id = last(document["id"].as_str().unwrap_or(own)).to_owned();
            let shown = document.get("displayName").cloned().unwrap_or_else(|| json!(id));
            (format!("/subscriptions/{id}"), id, shown)
        });
    named.chain(others).collect()
}

fn ancestors(turn: &mut Turn<'_>, key: &str) -> Vec<Value> {
    let tree = turn.world.tree();
    tree.above(key)
        .iter()
        .filter(|above| *above != key)
        .filter_map(|above| turn.world.store.get(above))
        .map(|document| json!({"name": name_of(document), "displayName": display(document)}))
        .collect()
}

/// `GET /providers/Microsoft.Management/managementGroups`.
pub fn list(turn: &mut Turn<'_>) -> Result {
    let version = versions::of_type(turn.world, turn.ask, KIND, None)?;
    let kind = kind_at(&version);
    let rows = turn
        .world
        .store
        .of_type("microsoft.management/managementgroups")
        .filter(|(key, _)| turn.sees(KIND, key))
        .map(|(_, document)| {
            json!({
                "id": format!("{PREFIX}/{}", name_of(document)),
                "type": kind,
                "name": name_of(document),
                "properties": {"tenantId": turn.world.tenant, "displayName": display(document)},
            })
        })
        .collect();
    Ok(page(turn.ask, rows, turn.world.page))
}

/// 404 for a group that is not there.
pub fn missing(name: &str) -> Answer {
    fail(
        404,
        "NotFound",
        format!("The management group '{name}' cannot be found."),
    )
}

/// One management group.
pub fn one(turn: &mut Turn<'_>, asked: &ResourceId) -> Result {
    let version = versions::of_type(turn.world, turn.ask, KIND, None)?;
    let method = turn.ask.method.clone();
    let verb = match method {
        Method::GET => "read",
        Method::PUT | Method::PATCH => "write",
        Method::DELETE => "delete",
        _ => return Err(no_method(&method)),
    };
    turn.need(&format!("{KIND}/{verb}"), asked.as_str())?;
    let stored = turn.world.read(asked.key()).cloned();
    match method {
        Method::GET => {
            let document = stored.ok_or_else(|| missing(asked.name()))?;
            settled(turn, asked)?;
            let mut body = shown(turn.world, &document, &version);
            let expand = turn.ask.parameter("$expand").unwrap_or_default().to_ascii_lowercase();
            let deep = turn
                .ask
                .parameter("$recurse")
                .is_some_and(|text| text.eq_ignore_ascii_case("true"));
            if expand.contains("children") {
                let below = children(turn.world, asked.key(), deep);
                body["properties"]["children"] = if below.is_empty() { Value::Null } else { json!(below) };
            }
            if expand.contains("path") || expand.contains("ancestors") {
                let chain = ancestors(turn, asked.key());
                if expand.contains("ancestors") {
                    let names: Vec<Value> = chain.iter().map(|row| row["name"].clone()).collect();
                    body["properties"]["details"]["managementGroupAncestors"] = json!(names);
                    body["properties"]["details"]["managementGroupAncestorsChain"] = json!(chain);
                }
                if expand.contains("path") {
                    let path: Vec<Value> = chain.into_iter().rev().collect();
                    body["properties"]["details"]["path"] = json!(path);
                }
            }
            Ok(Answer::json(200, body))
        }
        Method::DELETE => {
            if stored.is_none() {
                return Ok(Answer::empty(204));
            }
            locks::guard(turn, asked, true)?;
            if !children(turn.world, asked.key(), false).is_empty() {
                return Err(fail(
                    400,
                    "BadRequest",
                    "The management group has children: move or delete them first.",
                ));
            }
            super::resource::remove_tree(turn, asked);
            Ok(accepted(turn, asked, "delete"))
        }
        _ => put(turn, asked, stored, &method, &version),
    }
}

/// A new group cannot be read until its rights have reached everyone.
fn settled(turn: &Turn<'_>, asked: &ResourceId) -> Result<()> {
    let created = turn.world.store.note(asked.key()).created;
    if created.is_none_or(|created| created + turn.world.lag <= turn.ask.now) {
        return Ok(());
    }
    Err(fail(
        400,
        "BadRequest",
        "Reader level access is required on the management group or group ancestors.",
    ))
}

fn put(turn: &mut Turn<'_>, asked: &ResourceId, stored: Option<Value>, method: &Method, version: &str) -> Result {
    let body = turn.body()?.clone();
    let first = stored.is_none();
    if first && method == Method::PATCH {
        return Err(missing(asked.name()));
    }
    let root = format!("{PREFIX}/{}", turn.world.tenant);
    let mut document = stored.unwrap_or_else(|| {
        json!({
            "id": asked.as_str(),
            "type": KIND,
            "name": asked.name(),
            "properties": {"displayName": asked.name(), "details": {"parent": {"id": root}}},
        })
    });
    if let Some(name) = body
        .pointer("/properties/displayName")
        .or_else(|| body.get("displayName"))
    {
        document["properties"]["displayName"] = name.clone();
    }
    let parent = body
        .pointer("/properties/details/parent/id")
        .or_else(|| body.get("parentId"))
        .or_else(|| body.get("parentGroupId"));
    if let Some(parent) = parent.and_then(Value::as_str) {
        if !turn.world.store.has(&parent.to_ascii_lowercase()) {
            return Err(bad_content(&format!("the parent '{parent}' cannot be found")));
        }
        document["properties"]["details"]["parent"] = json!({ "id": parent });
    }
    let (now, by) = (turn.ask.now, turn.ask.caller.principal.clone());
    turn.world.store.put(asked, document.clone(), now, &by);
    turn.world.writes += 1;
    if first {
        return Ok(accepted(turn, asked, "create"));
    }
    Ok(Answer::json(200, shown(turn.world, &document, version)))
}

/// What `operationResults/{verb}/managementGroups/{id}` tells: 202 while it runs, then the end.
pub fn result(turn: &Turn<'_>, id: &ResourceId, verb: &str, done: bool) -> Answer {
    let body = |status: &str| json!({"id": id.as_str(), "type": KIND, "name": id.name(), "status": status});
    if !done {
        return Answer::json(202, body("Running")).with("retry-after", "1");
    }
    let mut body = body("Succeeded");
    let stored = turn.world.store.get(id.key()).filter(|_| verb != "delete");
    if let Some(document) = stored {
        body["properties"] = shown(turn.world, document, "2020-05-01")["properties"].clone();
    }
    Answer::json(200, body)
}

fn accepted(turn: &Turn<'_>, id: &ResourceId, verb: &str) -> Answer {
    let version = turn.ask.parameter("api-version").unwrap_or_default();
    let ready = (turn.ask.now + turn.world.slow).unix_timestamp_nanos() / 1_000_000;
    let start = turn.ask.now.unix_timestamp_nanos() / 1_000_000;
    let method = if verb == "delete" { "DELETE" } else { "PUT" };
    let url = format!(
        "{}/providers/Microsoft.Management/operationResults/{verb}/managementGroups/{}?api-version={version}&t={ready}&s={start}&m={method}&i={}",
        turn.ask.base,
        id.name(),
        super::paging::encode(id.as_str())
    );
    let body = json!({"id": id.as_str(), "type": KIND, "name": id.name(), "status": "NotStarted"});
    Answer::json(202, body).with("location", url).with("retry-after", "1")
}
