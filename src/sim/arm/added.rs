//! What a service adds to the documents of a type: values that it computes, and values that hold where none was given.
//! Both are data of the catalog, and neither is stored.

use serde_json::{Map, Value, json};

use super::show::{drop_at, values_at};
use super::words::Words;
use crate::sim::catalog::Kind;
use crate::sim::world::World;
use crate::types::ResourceId;
use crate::types::json::{merge, pointer_segments};

/// Adds to a shown document what it has no value of its own for.
pub fn add(world: &World, id: &ResourceId, kind: &Kind, shown: &mut Value) {
    if kind.computed.is_empty() && kind.defaults.is_empty() {
        return;
    }
    let words = Words::of(world, id, shown);
    // What is computed may lie inside of what is a default.
    for (pointer, template) in kind.defaults.iter().chain(&kind.computed) {
        if pointer == "/identity/type" {
            let block = shown.as_object_mut().map(|map| map.entry("identity"));
            block.map(|block| block.or_insert_with(|| json!({ "type": template })));
            continue;
        }
        if pointer.starts_with("/properties/")
            && let Some(map) = shown.as_object_mut()
        {
            map.entry("properties").or_insert_with(|| Value::Object(Map::new()));
        }
        put_at(shown, &pointer_segments(pointer), template, &words);
    }
}

/// What was sent, without what the service adds itself: what it computes is read-only, and a default that is sent back
/// says nothing. What the document has of its own stays a matter of the document.
pub fn dropped(kind: &Kind, stored: Option<&Value>, mut body: Value) -> Value {
    let said = |body: &Value| {
        body["properties"]
            .as_object()
            .is_some_and(|properties| !properties.is_empty())
    };
    let something = said(&body);
    let own = |pointer: &str| stored.is_some_and(|stored| !values_at(stored, pointer).is_empty());
    if kind.state == Some(true) && !own("/properties/provisioningState") {
        drop_at(&mut body, &["properties", "provisioningState"]);
    }
    for (pointer, _) in &kind.computed {
        if !own(pointer) && !pointer.starts_with("/identity/") {
            let segments = pointer_segments(pointer);
            drop_at(&mut body, &segments.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }
    for (pointer, default) in &kind.defaults {
        if !own(pointer) {
            drop_equal(&mut body, &pointer_segments(pointer), default);
        }
    }
    // Where nothing else was sent, no properties were.
    if something && !said(&body) {
        drop_at(&mut body, &["properties"]);
    }
    body
}

/// What was sent, without what is only sent back as it was shown and is not stored: it says nothing either.
pub fn unechoed(stored: &Value, shown: &Value, body: Value) -> Value {
    match body {
        Value::Object(map) => map
            .into_iter()
            .filter_map(|(key, value)| match (stored.get(&key), shown.get(&key)) {
                (None, Some(theirs)) if *theirs == value => None,
                (own, Some(theirs)) => {
                    let value = unechoed(own.unwrap_or(&Value::Null), theirs, value);
                    Some((key, value))
                }
                _ => Some((key, value)),
            })
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => {
            let same = |other: &Value| other.as_array().is_some_and(|others| others.len() == items.len());
            if !same(stored) || !same(shown) {
                return items.into();
            }
            let items = items.into_iter().enumerate();
            items
                .map(|(at, item)| unechoed(&stored[at], &shown[at], item))
                .collect::<Vec<_>>()
                .into()
        }
        other => other,
    }
}

/// Lists whose items a PATCH merges by name, laid over those that stand.
pub fn keyed(kind: &Kind, stored: &Value, mut body: Value) -> Value {
    for pointer in &kind.keyed {
        let old = stored.pointer(pointer).and_then(Value::as_array);
        let sent = body.pointer_mut(pointer).and_then(Value::as_array_mut);
        for item in sent.into_iter().flatten() {
            let same = |own: &&Value| own["name"].is_string() && own["name"] == item["name"];
            if let Some(mut own) = old.into_iter().flatten().find(same).cloned() {
                merge(&mut own, item);
                *item = own;
            }
        }
    }
    body
}

/// Removes what a path leads to where it equals a value; `*` is every item of an array or member of an object.
fn drop_equal(value: &mut Value, path: &[String], gone: &Value) {
    match (path, value) {
        ([last], Value::Object(map)) if map.get(last) == Some(gone) => {
            map.shift_remove(last);
        }
        ([star, rest @ ..], Value::Array(items)) if star == "*" => {
            for item in items {
                drop_equal(item, rest, gone);
            }
        }
        ([star, rest @ ..], Value::Object(map)) if star == "*" => {
            for item in map.values_mut() {
                drop_equal(item, rest, gone);
            }
        }
        ([first, rest @ ..], Value::Object(map)) => {
            if let Some(inner) = map.get_mut(first) {
                drop_equal(inner, rest, gone);
            }
        }
        _ => {}
    }
}

/// Puts a filled template where a path leads to, if there is nothing yet; `*` is every item or member on the way.
fn put_at(target: &mut Value, path: &[String], template: &Value, words: &Words) {
    match (path, target) {
        ([last], Value::Object(map)) => {
            map.entry(last.clone()).or_insert_with(|| words.filled(template));
        }
        ([star, rest @ ..], Value::Array(items)) if star == "*" => {
            for item in items {
                let words = words.inside(item);
                put_at(item, rest, template, &words);
            }
        }
        ([star, rest @ ..], Value::Object(map)) if star == "*" => {
            for item in map.values_mut() {
                put_at(item, rest, template, words);
            }
        }
        ([first, rest @ ..], Value::Object(map)) => {
            if let Some(inner) = map.get_mut(first) {
                put_at(inner, rest, template, words);
            }
        }
        _ => {}
    }
}

/// Sets a value where a path leads to, making the objects on the way; not through what is no object.
pub fn set_at(target: &mut Value, path: &[String], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        *target = value;
        return;
    };
    if let Some(map) = target.as_object_mut() {
        let nothing = || if rest.is_empty() { Value::Null } else { json!({}) };
        set_at(map.entry(first.clone()).or_insert_with(nothing), rest, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_back_as_it_was_shown_is_not_stored() {
        let stored = json!({ "pools": [{ "name": "a" }], "own": 1 });
        let shown =
            json!({ "pools": [{ "name": "a", "power": { "code": "Running" } }], "own": 1, "net": { "cidr": "10" } });
        assert_eq!(unechoed(&stored, &shown, shown.clone()), stored);
        let mut changed = shown.clone();
        changed["pools"][0]["power"]["code"] = json!("Stopped");
        changed["net"]["cidr"] = json!("11");
        let kept = unechoed(&stored, &shown, changed);
        assert_eq!(kept["pools"][0]["power"]["code"], "Stopped");
        assert_eq!(kept["net"]["cidr"], "11");
    }
}
