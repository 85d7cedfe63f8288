//! POST actions: Resource Graph, registration, secrets that only an action shows, and what has no result to speak of.

use serde_json::{Value, json};

use super::fail::{fail, resource_missing, unsimulated};
use super::route::{Result, Turn};
use super::{
    acts, associated, hierarchy, implied, lists, locks, managed_identity, names, operations, policy, registration,
    versions,
};
use crate::sim::catalog::{self, Slow};
use crate::sim::{Answer, replication};
use crate::types::ResourceId;

/// Actions that change how a resource runs, and not what it is.
const RUNNING: [&str; 14] = [
    "restart",
    "start",
    "stop",
    "poweroff",
    "deallocate",
    "redeploy",
    "reimage",
    "manualupgrade",
    "upgradenodeimageversion",
    "sync",
    "refresh",
    "revoketokens",
    "resume",
    "suspend",
];

/// Answers `POST {on}/{action}`, or `POST …/providers/{namespace}/{action}`.
pub fn answer(turn: &mut Turn<'_>, on: Option<&ResourceId>, namespace: &str, action: &str) -> Result {
    let lower = action.to_ascii_lowercase();
    let own = on.is_some_and(|on| on.namespace().eq_ignore_ascii_case(namespace));
    match (namespace.to_ascii_lowercase().as_str(), lower.as_str()) {
        ("microsoft.resourcegraph", "resources") => {
            versions::of_type(turn.world, turn.ask, "Microsoft.ResourceGraph/resources", None)?;
            return Ok(replication::query(turn.world, &turn.rights, turn.ask));
        }
        ("microsoft.policyinsights", "checkpolicyrestrictions") => {
            let scope = on.ok_or_else(|| fail(404, "NotFound", "A subscription or a group is expected."))?;
            return policy::check(turn, scope);
        }
        ("microsoft.management", "getentities") => return hierarchy::entities(turn),
        (_, "checknameavailability") if !own => return names::available(turn, on, namespace),
        (_, "register" | "unregister")
            if !own || on.is_some_and(|on| on.is_type("Microsoft.Resources/subscriptions")) =>
        {
            let subscription = on.and_then(ResourceId::subscription).unwrap_or_default();
            return registration::change(turn, subscription, namespace, lower == "register");
        }
        _ => {}
    }
    let Some(on) = on else {
        return Err(unsimulated(&format!("POST to '{}'", turn.ask.path)));
    };
    if managed_identity::is(on) && lower == "listassociatedresources" {
        let answer = associated::list(turn, on)?;
        // A lock that lets nothing be written lets nothing be posted either, not even to read.
        locks::guard(turn, on, false)?;
        return Ok(answer);
    }
    let full = on.resource_type();
    let location = turn
        .world
        .read(on.key())
        .and_then(|document| document["location"].as_str())
        .map(str::to_owned);
    let version = versions::of_type(turn.world, turn.ask, &full, location.as_deref())?;
    turn.need(
        &format!(
            "{}/{action}/action",
            catalog::kind(&full).map_or(full.clone(), catalog::Kind::full)
        ),
        on.as_str(),
    )?;
    lists::exists(turn, on)?;
    locks::guard(turn, on, false)?;
    let implied = implied::document(turn.world, on);
    if let Some(document) = turn.world.read(on.key()).cloned().or_else(|| implied.clone())
        && let Some(answer) = acts::post(turn, on, &document, &lower, &version)
    {
        return Ok(answer);
    }
    if let Some(answer) = shown(turn, on, &lower) {
        return Ok(answer);
    }
    if !turn.world.store.has(on.key()) && implied.is_none() {
        return Err(resource_missing(on));
    }
    if managed_identity::is(on) && lower == "revoketokens" && version != "2023-07-31-preview" {
        return Err(versions::no_action("revokeTokens", &version, &["2023-07-31-preview"]));
    }
    if RUNNING.contains(&lower.as_str()) {
        let slow = catalog::kind(&full).is_some_and(|kind| kind.slow.put == Slow::AzureAsync);
        if slow {
            return Ok(operations::accepted(
                turn,
                on,
                &version,
                Slow::AzureAsync,
                &http::Method::POST,
            ));
        }
        return Ok(operations::action_done(None));
    }
    Err(unsimulated(&format!(
        "the action '{action}' of the resource type '{full}'"
    )))
}

/// What an action shows of what is stored: the document itself, a child so named, or the secrets in it.
fn shown(turn: &Turn<'_>, on: &ResourceId, action: &str) -> Option<Answer> {
    let kind = catalog::kind(&on.resource_type());
    let document = turn.world.read(on.key());
    if action == "list" {
        if let Some(document) = document {
            return Some(Answer::json(200, document.clone()));
        }
        let hidden = kind.is_some_and(|kind| kind.hides(on.name()));
        let parent = on.parent().filter(|parent| turn.world.store.has(parent.key()));
        if hidden && parent.is_some() {
            let empty = json!({"id": on.as_str(), "name": on.name(), "type": on.resource_type(), "properties": {}});
            return Some(Answer::json(200, empty));
        }
        return None;
    }
    let document = document?;
    let prefix = format!("{}/{action}", on.key());
    if let Some((_, child)) = turn.world.store.below(&prefix).next() {
        return Some(Answer::json(200, child.clone()));
    }
    let named = format!("{}/", on.key());
    let child = turn
        .world
        .store
        .below(on.key())
        .find(|(key, _)| key[named.len()..].split('/').count() == 2 && crate::sim::rights::last(key) == action);
    if let Some((_, child)) = child {
        return Some(Answer::json(200, child.clone()));
    }
    if let Some(settings) = settings(turn, on, action) {
        return Some(settings);
    }
    let stands_for = kind.is_some_and(|kind| kind.lists.iter().any(|name| name.eq_ignore_ascii_case(action)));
    match action {
        "listsecrets" if stands_for => {
            let secrets = ["/properties/configuration/secrets", "/properties/secrets"]
                .iter()
                .find_map(|place| document.pointer(place))
                .cloned()
                .unwrap_or_else(|| json!([]));
            Some(Answer::json(200, json!({ "value": secrets })))
        }
        "listvalue" if stands_for => {
            let value = document.pointer("/properties/value").cloned().unwrap_or(Value::Null);
            Some(Answer::json(200, json!({ "value": value })))
        }
        _ if stands_for => Some(Answer::json(200, document.clone())),
        _ => None,
    }
}

/// The settings that an action of their owner shows, as `listAppSettings` of a static web app shows `config/appsettings`;
/// none have been written where no document stands.
fn settings(turn: &Turn<'_>, on: &ResourceId, action: &str) -> Option<Answer> {
    let name = action.strip_prefix("list")?;
    let full = format!("{}/config", on.resource_type());
    let kind = catalog::kind(&full)?;
    if !kind.hides(name) || !kind.lists.is_empty() {
        return None;
    }
    let stored = turn.world.read(&format!("{}/config/{name}", on.key())).cloned();
    let id = format!("{}/config/{name}", on.as_str());
    let empty = || json!({ "id": id, "name": name, "type": full, "properties": {} });
    Some(Answer::json(200, stored.unwrap_or_else(empty)))
}
