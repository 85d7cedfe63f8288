//! `PUT {vault}/accessPolicies/{add|replace|remove}`: entries of a vault's access policies, merged.

use http::Method;
use serde_json::{Value, json};

use super::fail::{bad_content, fail, no_method, resource_missing};
use super::route::{Result, Turn};
use super::{locks, versions};
use crate::sim::Answer;
use crate::types::ResourceId;

/// Answers the three operations on access policies.
pub fn access_policies(turn: &mut Turn<'_>, id: &ResourceId) -> Result {
    if !turn.is(&Method::PUT) {
        return Err(no_method(&turn.ask.method));
    }
    let vault = id.parent().ok_or_else(|| resource_missing(id))?;
    versions::of_type(turn.world, turn.ask, "Microsoft.KeyVault/vaults", None)?;
    turn.need("Microsoft.KeyVault/vaults/accessPolicies/write", id.as_str())?;
    locks::guard(turn, &vault, false)?;
    let mut document = turn
        .world
        .store
        .get(vault.key())
        .cloned()
        .ok_or_else(|| resource_missing(&vault))?;
    let operation = id.name().to_ascii_lowercase();
    let sent = turn
        .body()?
        .pointer("/properties/accessPolicies")
        .and_then(Value::as_array)
        .cloned()
        .ok_or_else(|| bad_content("properties.accessPolicies must be an array"))?;
    let mut policies = document
        .pointer("/properties/accessPolicies")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    for entry in sent {
        if entry["objectId"].as_str().is_none_or(str::is_empty) {
            return Err(fail(
                400,
                "BadRequest",
                "An invalid value was provided for 'accessPolicies': objectId is required.",
            ));
        }
        let at = policies.iter().position(|own| same(own, &entry));
        match (operation.as_str(), at) {
            ("add", Some(at)) => add(&mut policies[at], &entry),
            ("replace", Some(at)) => policies[at] = entry,
            ("add" | "replace", None) => policies.push(entry),
            ("remove", Some(at)) => {
                if take(&mut policies[at], &entry) {
                    policies.remove(at);
                }
            }
            ("remove", None) => {}
            _ => return Err(no_method(&turn.ask.method)),
        }
    }
    if !document["properties"].is_object() {
        document["properties"] = json!({});
    }
    document["properties"]["accessPolicies"] = json!(policies);
    let location = document["location"].clone();
    let (now, by) = (turn.ask.now, turn.ask.caller.principal.clone());
    turn.world.store.put(&vault, document, now, &by);
    turn.world.writes += 1;
    Ok(Answer::json(
        200,
        json!({
            "id": format!("{vault}/accessPolicies/"),
            "type": "Microsoft.KeyVault/vaults/accessPolicies",
            "location": location,
            "properties": {"accessPolicies": policies},
        }),
    ))
}

/// Whether two entries are for one principal and one application.
fn same(one: &Value, other: &Value) -> bool {
    ["objectId", "applicationId"].iter().all(|name| {
        let text = |value: &Value| value[*name].as_str().unwrap_or_default().to_ascii_lowercase();
        text(one) == text(other)
    })
}

const KINDS: [&str; 4] = ["keys", "secrets", "certificates", "storage"];

fn texts(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

fn holds(list: &[Value], item: &Value) -> bool {
    let text = item.as_str().unwrap_or_default();
    list.iter()
        .any(|own| own.as_str().is_some_and(|own| own.eq_ignore_ascii_case(text)))
}

fn add(own: &mut Value, entry: &Value) {
    for kind in KINDS {
        let sent = texts(&entry["permissions"][kind]);
        if sent.is_empty() {
            continue;
        }
        let mut list = texts(&own["permissions"][kind]);
        for item in sent {
            if !holds(&list, &item) {
                list.push(item);
            }
        }
        own["permissions"][kind] = json!(list);
    }
}

/// Takes permissions away, all where none are named; true where nothing is left.
fn take(own: &mut Value, entry: &Value) -> bool {
    let named = KINDS.iter().any(|kind| !texts(&entry["permissions"][*kind]).is_empty());
    if !named {
        return true;
    }
    let mut left = false;
    for kind in KINDS {
        let sent = texts(&entry["permissions"][kind]);
        let list: Vec<Value> = texts(&own["permissions"][kind])
            .into_iter()
            .filter(|item| !holds(&sent, item))
            .collect();
        left |= !list.is_empty();
        if own["permissions"].get(kind).is_some() {
            own["permissions"][kind] = json!(list);
        }
    }
    !left
}
