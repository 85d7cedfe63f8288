//! Management groups: the tree above subscriptions.

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

const KIND: &str = "Microsoft.Management/managementGroups";
/// More than Azure allows below each other.
const LEVELS: usize = 16;
const PREFIX: &str = "/providers/Microsoft.Management/managementGroups";

fn name_of(document: &Value) -> String {
    let own = document["name"].as_str().map(str::to_owned);
    own.unwrap_or_else(|| last(document["id"].as_str().unwrap_or_default()).to_owned())
}

fn display(document: &Value) -> Value {
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

fn shown(world: &World, document: &Value) -> Value {
    let details = &document["properties"]["details"];
    let or = |value: &Value, other: Value| if value.is_null() { other } else { value.clone() };
    let name = name_of(document);
    let mut shown = document.clone();
    shown["id"] = json!(format!("{PREFIX}/{name}"));
    shown["type"] = json!(KIND);
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

/// The children of a group: groups, then subscriptions; with theirs, so many levels down.
fn children(world: &World, key: &str, levels: usize) -> Vec<Value> {
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
        if levels > 0 && child != key {
            row["children"] = json!(children(world, child, levels - 1));
        }
        rows.push(row);
    }
    for (id, name, shown) in subscriptions_of(world, key) {
        rows.push(json!({"type": "/subscriptions", "id": id, "name": name, "displayName": shown}));
    }
    rows
}

/// How many groups and subscriptions a tree of children has.
fn count_below(children: &[Value]) -> usize {
    let inner = |child: &Value| child["children"].as_array().map_or(0, |inner| count_below(inner));
    children.iter().map(|child| 1 + inner(child)).sum()
}

fn subscriptions_of(world: &World, key: &str) -> Vec<(String, String, Value)> {
    let start = format!("{key}/subscriptions/");
    world
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
        })
        .collect()
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
    versions::of_type(turn.world, turn.ask, KIND, None)?;
    let rows = turn
        .world
        .store
        .of_type("microsoft.management/managementgroups")
        .filter(|(key, _)| turn.sees(KIND, key))
        .map(|(_, document)| {
            json!({
                "id": format!("{PREFIX}/{}", name_of(document)),
                "type": KIND,
                "name": name_of(document),
                "properties": {"tenantId": turn.world.tenant, "displayName": display(document)},
            })
        })
        .collect();
    Ok(page(turn.ask, rows, turn.world.page))
}

fn missing(name: &str) -> Answer {
    fail(
        404,
        "NotFound",
        format!("The management group '{name}' cannot be found."),
    )
}

/// One management group.
pub fn one(turn: &mut Turn<'_>, asked: &ResourceId) -> Result {
    versions::of_type(turn.world, turn.ask, KIND, None)?;
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
            let mut body = shown(turn.world, &document);
            let expand = turn.ask.parameter("$expand").unwrap_or_default().to_ascii_lowercase();
            let deep = turn
                .ask
                .parameter("$recurse")
                .is_some_and(|text| text.eq_ignore_ascii_case("true"));
            if expand.contains("children") {
                body["properties"]["children"] =
                    json!(children(turn.world, asked.key(), if deep { LEVELS } else { 0 }));
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
                    body["properties"]["path"] = json!(path);
                }
            }
            Ok(Answer::json(200, body))
        }
        Method::DELETE => {
            if stored.is_none() {
                return Ok(Answer::empty(204));
            }
            locks::guard(turn, asked, true)?;
            if !children(turn.world, asked.key(), 0).is_empty() {
                return Err(fail(
                    400,
                    "BadRequest",
                    "The management group has children: move or delete them first.",
                ));
            }
            super::resource::remove_tree(turn, asked);
            Ok(accepted(turn, asked, "delete"))
        }
        _ => put(turn, asked, stored, &method),
    }
}

fn put(turn: &mut Turn<'_>, asked: &ResourceId, stored: Option<Value>, method: &Method) -> Result {
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
    Ok(Answer::json(200, shown(turn.world, &document)))
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

/// `{group}/subscriptions/{subscription}`: the place of a subscription in the tree.
pub fn child(turn: &mut Turn<'_>, asked: &ResourceId) -> Result {
    versions::of_type(
        turn.world,
        turn.ask,
        "Microsoft.Management/managementGroups/subscriptions",
        None,
    )?;
    let method = turn.ask.method.clone();
    let verb = match method {
        Method::GET => "read",
        Method::PUT => "write",
        Method::DELETE => "delete",
        _ => return Err(no_method(&method)),
    };
    turn.need(&format!("{KIND}/subscriptions/{verb}"), asked.as_str())?;
    let group = asked.parent().ok_or_else(|| missing(asked.name()))?;
    if !turn.world.store.has(group.key()) {
        return Err(missing(group.name()));
    }
    let stored = turn.world.read(asked.key()).cloned();
    match method {
        Method::GET => {
            let document = stored.ok_or_else(|| {
                fail(
                    404,
                    "NotFound",
                    format!(
                        "The subscription '{}' is not in the management group '{}'.",
                        asked.name(),
                        group.name()
                    ),
                )
            })?;
            Ok(Answer::json(200, link(turn.world, &document)))
        }
        Method::DELETE => {
            turn.world.store.remove(asked.key(), turn.ask.now);
            turn.world.writes += 1;
            Ok(Answer::empty(if stored.is_some() { 200 } else { 204 }))
        }
        _ => {
            let suffix = format!("/subscriptions/{}", asked.name().to_ascii_lowercase());
            let old: Vec<String> = turn
                .world
                .store
                .of_type("microsoft.management/managementgroups/subscriptions")
                .filter(|(key, _)| key.ends_with(&suffix) && *key != asked.key())
                .map(|(key, _)| key.to_owned())
                .collect();
            for key in old {
                turn.world.store.remove(&key, turn.ask.now);
            }
            let shown = turn
                .world
                .store
                .get(&suffix)
                .and_then(|s| s.get("displayName").cloned());
            let document = json!({
                "id": asked.as_str(),
                "name": asked.name(),
                "type": "Microsoft.Management/managementGroups/subscriptions",
                "properties": {
                    "tenant": turn.world.tenant,
                    "displayName": shown.unwrap_or_else(|| json!(asked.name())),
                    "parent": {"id": group.as_str()},
                    "state": "Active",
                },
            });
            let (now, by) = (turn.ask.now, turn.ask.caller.principal.clone());
            turn.world.store.put(asked, document.clone(), now, &by);
            turn.world.writes += 1;
            Ok(Answer::json(200, document))
        }
    }
}

/// `{group}/subscriptions`.
pub fn subscriptions(turn: &mut Turn<'_>, parent: &str) -> Result {
    versions::of_type(
        turn.world,
        turn.ask,
        "Microsoft.Management/managementGroups/subscriptions",
        None,
    )?;
    turn.need(&format!("{KIND}/subscriptions/read"), parent)?;
    let start = format!("{}/subscriptions/", crate::sim::store::key_of(parent));
    let rows = turn
        .world
        .store
        .of_type("microsoft.management/managementgroups/subscriptions")
        .filter(|(key, _)| key.starts_with(&start))
        .map(|(_, document)| link(turn.world, document))
        .collect();
    Ok(page(turn.ask, rows, turn.world.page))
}

/// The place of a subscription below a group, as it is shown.
fn link(world: &World, document: &Value) -> Value {
    let mut shown = document.clone();
    let id = document["id"].as_str().unwrap_or_default();
    let (group, name) = id.rsplit_once("/subscriptions/").unwrap_or((id, ""));
    let subscription = world
        .store
        .get(&format!("/subscriptions/{}", name.to_ascii_lowercase()));
    let mut properties = json!({
        "displayName": subscription.and_then(|own| own.get("displayName")).cloned().unwrap_or_else(|| json!(name)),
        "parent": {"id": group},
        "state": "Active",
        "tenant": world.tenant,
    });
    if let Some(own) = document.get("properties").filter(|own| own.is_object()) {
        crate::types::json::merge(&mut properties, own);
    }
    shown["name"] = json!(name);
    shown["properties"] = properties;
    shown
}

/// `{group}/descendants`: all groups and subscriptions below.
pub fn descendants(turn: &mut Turn<'_>, parent: &str) -> Result {
    versions::of_type(turn.world, turn.ask, KIND, None)?;
    turn.need(&format!("{KIND}/read"), parent)?;
    let key = crate::sim::store::key_of(parent);
    if !turn.world.store.has(&key) {
        return Err(missing(last(parent)));
    }
    let mut rows = Vec::new();
    let mut open = vec![key];
    let mut seen = Vec::new();
    while let Some(group) = open.pop() {
        if seen.contains(&group) {
            continue;
        }
        let id = turn
            .world
            .store
            .get(&group)
            .map(|document| format!("{PREFIX}/{}", name_of(document)));
        for child in children(turn.world, &group, 0) {
            let subscription = child["type"] == "/subscriptions";
            if !subscription {
                open.push(child["id"].as_str().unwrap_or_default().to_ascii_lowercase());
            }
            rows.push(json!({
                "id": child["id"],
                "type": if subscription { "/subscriptions" } else { KIND },
                "name": child["name"],
                "properties": {"displayName": child["displayName"], "parent": {"id": id}},
            }));
        }
        seen.push(group);
    }
    Ok(page(turn.ask, rows, turn.world.page))
}

/// `POST /providers/Microsoft.Management/getEntities`: every group and subscription that the caller sees.
pub fn entities(turn: &mut Turn<'_>) -> Result {
    versions::of_type(turn.world, turn.ask, KIND, None)?;
    let tree = turn.world.tree();
    let mut rows = Vec::new();
    let kinds = [
        "microsoft.management/managementgroups",
        "microsoft.resources/subscriptions",
    ];
    for kind in kinds {
        for (key, document) in turn.world.store.of_type(kind) {
            let group = kind.starts_with("microsoft.management");
            let visible = if group {
                turn.sees(KIND, key)
            } else {
                turn.rights.is_owner() || turn.rights.allow_near("Microsoft.Resources/subscriptions/read", key)
            };
            if !visible {
                continue;
            }
            let above: Vec<&Value> = tree
                .above(key)
                .iter()
                .filter(|above| *above != key)
                .rev()
                .filter_map(|above| turn.world.store.get(above))
                .collect();
            let below = if group {
                children(turn.world, key, LEVELS)
            } else {
                Vec::new()
            };
            let groups = below.iter().filter(|child| child["type"] == KIND).count();
            let parent = tree.parent(key).and_then(|parent| turn.world.store.get(parent));
            rows.push(json!({
                "id": if group { format!("{PREFIX}/{}", name_of(document)) } else { format!("/subscriptions/{}", last(key)) },
                "type": if group { KIND } else { "/subscriptions" },
                "name": if group { name_of(document) } else { last(key).to_owned() },
                "properties": {
                    "tenantId": turn.world.tenant,
                    "displayName": if group { display(document) } else { document.get("displayName").cloned().unwrap_or_default() },
                    "parent": parent.map(|p| json!({"id": format!("{PREFIX}/{}", name_of(p))})),
                    "permissions": "view",
                    "inheritedPermissions": "view",
                    "parentDisplayNameChain": above.iter().map(|group| display(group)).collect::<Vec<_>>(),
                    "parentNameChain": above.iter().map(|group| name_of(group)).collect::<Vec<_>>(),
                    "numberOfDescendants": count_below(&below),
                    "numberOfChildren": below.len(),
                    "numberOfChildGroups": groups,
                },
            }));
        }
    }
    let count = rows.len();
    let mut answer = page(turn.ask, rows, 1000);
    if let Some(body) = &mut answer.body {
        body["count"] = json!(count);
    }
    Ok(answer)
}
