//! The dependency map of a plan, compared with that of a run: which items have come, gone, or changed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::drift::Drift;
use super::image::Images;
use super::path::{item_key, printed};

/// Members of an item that a choice of the operator sets, or that only the order of work needs.
const CHOSEN: &[&str] = &["skip", "lane"];

/// The parts of the trust in a map.
const TRUST: &[&str] = &["federated", "assignments", "exemptions", "locks"];

/// The dependency map in what a phase returned: its member `map`, or the whole of it where it has a map's lists.
pub fn map_in(result: &Value) -> Option<&Value> {
    match result.get("map") {
        Some(map) if map.is_object() => Some(map),
        _ => (result.get("grants").is_some() && result.get("bindings").is_some()).then_some(result),
    }
}

/// What of a map is otherwise than in the plan's, item by item.
pub(super) fn drifts(planned: &Value, now: &Value) -> Vec<Drift> {
    let mut found = Vec::new();
    for part in ["identity", "target"] {
        let (planned, now) = (member(planned, part), member(now, part));
        if let Some(drift) = changed(part, planned, now) {
            found.push(drift);
        }
    }
    let (mut before, after) = (items(planned), items(now));
    for (name, now) in &after {
        match before.remove(name) {
            None => found.push(drift(name, now, "it has come since the plan was made")),
            Some(planned) => found.extend(changed(name, planned, now)),
        }
    }
    let gone = before
        .iter()
        .map(|(name, planned)| drift(name, planned, "it was planned, and is not there any more"));
    found.extend(gone);
    found
}

fn member<'a>(map: &'a Value, name: &str) -> &'a Value {
    map.get(name).unwrap_or(&Value::Null)
}

/// Every grant, binding and piece of trust of a map by its name.
fn items(map: &Value) -> BTreeMap<String, &Value> {
    let mut all = BTreeMap::new();
    let list = |value: &'_ Value| value.as_array().cloned().unwrap_or_default().len();
    for kind in ["grants", "bindings"] {
        for item in member(map, kind).as_array().into_iter().flatten() {
            let file = text(item, "file").to_owned();
            all.insert(printed(&[kind.to_owned(), file, item_key(text(item, "id"))]), item);
        }
    }
    let trust = member(map, "trust");
    for part in TRUST.iter().filter(|part| list(member(trust, part)) > 0) {
        for item in member(trust, part).as_array().into_iter().flatten() {
            let id = item_key(text(item, "id"));
            all.insert(printed(&["trust".to_owned(), (*part).to_owned(), id]), item);
        }
    }
    all
}

fn text<'a>(item: &'a Value, name: &str) -> &'a str {
    item.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The drift of an item of which both are there, if they differ.
fn changed(name: &str, planned: &Value, now: &Value) -> Option<Drift> {
    // Both maps were printed in the open, so both may be shown.
    let images = Images::in_the_open();
    let differences: Vec<_> = images
        .differences(&without_choices(planned), &without_choices(now))
        .into_iter()
        .collect();
    (!differences.is_empty()).then(|| Drift {
        differences,
        ..drift(name, now, "it has changed since the plan was made")
    })
}

fn without_choices(item: &Value) -> Value {
    let mut item = item.clone();
    if let Value::Object(map) = &mut item {
        map.retain(|key, _| !CHOSEN.contains(&key.as_str()));
    }
    item
}

fn drift(name: &str, item: &Value, how: &str) -> Drift {
    let place = ["resource", "scope", "id"]
        .iter()
        .map(|member| text(item, member))
        .find(|place| !place.is_empty())
        .unwrap_or(name);
    let what = text(item, "what");
    Drift {
        item: name.to_owned(),
        target: place.to_owned(),
        what: if what.is_empty() {
            how.to_owned()
        } else {
            format!("{what}: {how}")
        },
        differences: Vec::new(),
        standing: false,
        aliases: [text(item, "id")]
            .into_iter()
            .filter(|id| !id.is_empty())
            .map(str::to_owned)
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_came_what_went_and_what_changed_is_named() {
        let planned = json!({
            "identity": {"id": "/I", "principalId": "p"},
            "grants": [{"file": "role_assignments", "id": "/A", "scope": "/s", "what": "Reader"}, {"file": "group_membership", "id": "g", "what": "member of g"}],
            "bindings": [{"file": "identity_blocks", "id": "/VM", "resource": "/VM", "modes": ["overlap"], "skip": false}],
            "trust": {"locks": [{"id": "/I/l", "name": "l", "level": "ReadOnly"}]},
        });
        assert_eq!(drifts(&planned, &planned), []);
        let now = json!({
            "identity": {"id": "/i", "principalId": "p"},
            "grants": [{"file": "role_assignments", "id": "/a", "scope": "/S", "what": "Reader"}, {"file": "role_assignments", "id": "/B", "scope": "/t", "what": "Owner"}],
            "bindings": [{"file": "identity_blocks", "id": "/vm", "resource": "/VM", "modes": ["swap"], "skip": true}],
            "trust": {"locks": [{"id": "/I/l", "name": "l", "level": "CanNotDelete"}]},
        });
        let told: Vec<String> = drifts(&planned, &now).iter().map(Drift::text).collect();
        assert_eq!(
            told,
            [
                "bindings/identity_blocks/~1vm: it has changed since the plan was made\n    /modes: planned a list of 1, now a list of 1",
                "grants/role_assignments/~1b: Owner: it has come since the plan was made",
                "trust/locks/~1i~1l: it has changed since the plan was made\n    /level: planned \"ReadOnly\", now \"CanNotDelete\"",
                "grants/group_membership/g: member of g: it was planned, and is not there any more",
            ]
        );
    }
}
