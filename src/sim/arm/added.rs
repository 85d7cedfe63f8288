//! What a service adds to the documents of a type: values that it computes, and values that hold where none was given.
//! Both are data of the catalog, and neither is stored.

use serde_json::{Map, Value, json};

use super::show::{drop_at, time};
use crate::sim::catalog::Kind;
use crate::sim::regions;
use crate::sim::world::World;
use crate::types::ResourceId;
use crate::types::json::pointer_segments;

/// Adds to a shown document what it has no value of its own for.
pub fn add(world: &World, key: &str, id: &ResourceId, kind: &Kind, shown: &mut Value) {
    if kind.computed.is_empty() && kind.defaults.is_empty() {
        return;
    }
    let location = shown["location"].as_str().unwrap_or_default().to_owned();
    let display = regions::find(&location).map_or(location.as_str(), |place| place.display.as_str());
    let guid = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, key.as_bytes());
    let words = [
        ("{name}", id.name().to_owned()),
        ("{id}", id.as_str().to_owned()),
        ("{subscription}", id.subscription().unwrap_or_default().to_owned()),
        ("{group}", id.resource_group().unwrap_or_default().to_owned()),
        ("{tenant}", world.tenant.clone()),
        ("{location}", regions::normal(&location)),
        ("{region}", display.to_owned()),
        ("{guid}", guid.to_string()),
        (
            "{created}",
            time(world.store.note(key).created.unwrap_or(world.started)),
        ),
    ];
    for (pointer, template) in kind.computed.iter().chain(&kind.defaults) {
        if shown.pointer(pointer).is_none() {
            put_at(shown, &pointer_segments(pointer), filled(template, &words));
        }
    }
}

/// What was sent, without what the service adds itself: computed values are read-only, and a default that is sent back
/// says nothing.
pub fn dropped(kind: &Kind, stored: Option<&Value>, mut body: Value) -> Value {
    let path = |pointer: &str| pointer_segments(pointer);
    for (pointer, _) in &kind.computed {
        let segments = path(pointer);
        drop_at(&mut body, &segments.iter().map(String::as_str).collect::<Vec<_>>());
    }
    for (pointer, default) in &kind.defaults {
        let own = stored.and_then(|stored| stored.pointer(pointer));
        if own.is_none() && body.pointer(pointer) == Some(default) {
            let segments = path(pointer);
            drop_at(&mut body, &segments.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }
    body
}

/// A template with its words filled in.
fn filled(template: &Value, words: &[(&str, String)]) -> Value {
    match template {
        Value::String(text) if text.contains('{') => {
            json!(
                words
                    .iter()
                    .fold(text.clone(), |text, (word, value)| text.replace(word, value))
            )
        }
        Value::Array(items) => items.iter().map(|item| filled(item, words)).collect(),
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(name, value)| (name.clone(), filled(value, words)))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// Puts a value where a path leads to, making the objects on the way; not through what is no object.
fn put_at(target: &mut Value, path: &[String], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        *target = value;
        return;
    };
    if let Some(map) = target.as_object_mut() {
        put_at(
            map.entry(first.clone()).or_insert_with(|| {
                if rest.is_empty() {
                    Value::Null
                } else {
                    Value::Object(Map::new())
                }
            }),
            rest,
            value,
        );
    }
}
