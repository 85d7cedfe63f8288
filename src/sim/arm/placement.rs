//! Where subscriptions stand in the tree of management groups: `{group}/subscriptions`.

use http::Method;
use serde_json::{Value, json};

use super::fail::{fail, verb};
use super::management_groups::{KIND, display, missing};
use super::paging::page;
use super::route::{Result, Turn};
use super::versions;
use crate::sim::Answer;
use crate::sim::rights::last;
use crate::sim::world::World;
use crate::types::ResourceId;

/// The type of a place.
const PLACE: &str = "Microsoft.Management/managementGroups/subscriptions";

/// The place as it is shown, whatever little is stored of it.
fn shown(world: &World, group: &ResourceId, document: &Value) -> Value {
    let id = document["id"].as_str().unwrap_or_default();
    let name = last(id);
    let own = |name: &str| {
        document["properties"]
            .get(name)
            .filter(|value| !value.is_null())
            .cloned()
    };
    let subscription = world
        .store
        .get(&format!("/subscriptions/{}", name.to_ascii_lowercase()));
    let display = subscription
        .and_then(|s| s.get("displayName").cloned())
        .unwrap_or_else(|| display(document));
    json!({
        "properties": {
            "tenant": own("tenant").unwrap_or_else(|| json!(world.tenant)),
            "displayName": own("displayName").unwrap_or(display),
            "parent": own("parent").unwrap_or_else(|| json!({"id": group.as_str()})),
            "state": own("state").unwrap_or_else(|| json!("Active")),
        },
        "id": id,
        "type": PLACE,
        "name": name,
    })
}

/// `{group}/subscriptions/{subscription}`: the place of a subscription in the tree.
pub fn one(turn: &mut Turn<'_>, asked: &ResourceId) -> Result {
    versions::of_type(turn.world, turn.ask, PLACE, None)?;
    let method = turn.ask.method.clone();
    let verb = verb(&method)?;
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
            Ok(Answer::json(200, shown(turn.world, &group, &document)))
        }
        Method::DELETE => {
            let Some(mut document) = stored else {
                return Ok(Answer::empty(204));
            };
            turn.world.store.remove(asked.key(), turn.ask.now);
            // What is taken out of a group falls back to the root of the tenant.
            let root = format!("/providers/{KIND}/{}", turn.world.tenant);
            if let Ok(root) = ResourceId::parse(&root).and_then(|root| root.child("subscriptions", asked.name()))
                && root != *asked
            {
                document["id"] = json!(root.as_str());
                document["properties"]["parent"] = json!({"id": format!("/providers/{KIND}/{}", turn.world.tenant)});
                let (now, by) = (turn.ask.now, turn.ask.caller.principal.clone());
                turn.world.store.put(&root, document, now, &by);
            }
            turn.world.writes += 1;
            Ok(Answer::empty(200))
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
            let named = turn
                .world
                .store
                .get(&suffix)
                .and_then(|s| s.get("displayName").cloned());
            let document = json!({
                "id": asked.as_str(),
                "name": asked.name(),
                "type": PLACE,
                "properties": {
                    "tenant": turn.world.tenant,
                    "displayName": named.unwrap_or_else(|| json!(asked.name())),
                    "parent": {"id": group.as_str()},
                    "state": "Active",
                },
            });
            let (now, by) = (turn.ask.now, turn.ask.caller.principal.clone());
            turn.world.store.put(asked, document.clone(), now, &by);
            turn.world.writes += 1;
            Ok(Answer::json(200, shown(turn.world, &group, &document)))
        }
    }
}

/// `{group}/subscriptions`.
pub fn list(turn: &mut Turn<'_>, parent: &str) -> Result {
    versions::of_type(turn.world, turn.ask, PLACE, None)?;
    turn.need(&format!("{KIND}/subscriptions/read"), parent)?;
    let group = ResourceId::parse(parent).map_err(|_| missing(last(parent)))?;
    if !turn.world.store.has(group.key()) {
        return Err(missing(group.name()));
    }
    let start = format!("{}/subscriptions/", group.key());
    let rows = turn
        .world
        .store
        .of_type("microsoft.management/managementgroups/subscriptions")
        .filter(|(key, _)| key.starts_with(&start))
        .map(|(_, document)| shown(turn.world, &group, document))
        .collect();
    Ok(page(turn.ask, rows, turn.world.page))
}
