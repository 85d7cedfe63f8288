//! What Azure adds to a stored document when it answers: computed names, times, defaults, states; what is hidden is
//! left out. Nothing of this is stored.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::sim::catalog;
use crate::sim::world::World;
use crate::types::ResourceId;

/// A time as ARM writes it: UTC, seven digits of a second, `Z`.
pub fn time(at: OffsetDateTime) -> String {
    at.to_offset(time::UtcOffset::UTC)
        .format(format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:7]Z"
        ))
        .unwrap_or_default()
}

/// A stored document as a PUT or a list with this api-version shows it.
pub fn resource(world: &World, key: &str, document: &Value, version: &str, now: OffsetDateTime) -> Value {
    let mut shown = whole(world, key, document, version, now);
    if let Some(kind) = shown["type"].as_str().and_then(catalog::kind) {
        fold(&mut shown, kind, "");
    }
    shown
}

/// Leaves out what is shown only to who asks for it by its last segment in `$expand`.
pub fn fold(shown: &mut Value, kind: &catalog::Kind, expanded: &str) {
    for pointer in &kind.expand {
        let segments: Vec<&str> = pointer.split('/').skip(1).collect();
        let asked = segments
            .last()
            .is_some_and(|last| expanded.split(',').any(|name| name.trim().eq_ignore_ascii_case(last)));
        if !asked {
            drop_at(shown, &segments);
        }
    }
}

/// A stored document with all that Azure adds to it.
pub fn whole(world: &World, key: &str, document: &Value, version: &str, now: OffsetDateTime) -> Value {
    let Some(id) = document["id"].as_str().and_then(|id| ResourceId::parse(id).ok()) else {
        return document.clone();
    };
    if id.is_type("Microsoft.ManagedIdentity/userAssignedIdentities") {
        return super::managed_identity::show(world, &id, document, version);
    }
    if id.is_type("Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials") {
        return super::federated::show(&id, document);
    }
    let mut shown = document.clone();
    let kind = catalog::kind(&id.resource_type());
    complete(&mut shown, &id);
    let Some(map) = shown.as_object_mut() else { return shown };
    let pending = world.state_of(key, now);
    if let Some(kind) = kind {
        if kind.state == Some(true) || pending.is_some() {
            let properties = map.entry("properties").or_insert_with(|| json!({}));
            if let Some(properties) = properties.as_object_mut() {
                match pending {
                    Some(state) => {
                        properties.insert("provisioningState".into(), json!(state));
                    }
                    None if !properties.contains_key("provisioningState") => {
                        properties.insert("provisioningState".into(), json!("Succeeded"));
                    }
                    None => {}
                }
            }
        }
        if kind.etag && !map.contains_key("etag") {
            map.insert("etag".into(), json!(etag(world, key)));
        }
        super::added::add(world, &id, kind, &mut shown);
        for (pointer, child) in &kind.nests {
            let full = format!("{}/{child}", kind.full());
            let rows = super::implied::nested(world, &id, &full, |key, child| {
                resource(world, key, child, version, now)
            });
            if !rows.is_empty() {
                super::added::set_at(&mut shown, &crate::types::json::pointer_segments(pointer), json!(rows));
            }
        }
        if let (Some(title), Some(map)) = (&kind.title, shown.as_object_mut()) {
            let parent = id.parent().map_or_else(String::new, |parent| parent.name().to_owned());
            let title = title.replace("{parent}", &parent).replace("{name}", id.name());
            map.insert("name".into(), json!(title));
        }
        let is_open = |at: &String| shown.pointer(at) == Some(&Value::Bool(false));
        let hides = !kind.secret_if.as_ref().is_some_and(is_open);
        for pointer in kind.secrets.iter().filter(|_| hides) {
            drop_at(&mut shown, &pointer.split('/').skip(1).collect::<Vec<_>>());
        }
    }
    shown
}

/// The etag of a stored document: it changes with every write.
pub fn etag(world: &World, key: &str) -> String {
    let name = format!(
        "{key}\n{}\n{}",
        world.store.note(key).version,
        crate::types::json::digest(world.store.get(key).unwrap_or(&Value::Null))
    );
    format!(
        "\"{}\"",
        uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, name.as_bytes())
    )
}

/// Adds name and type where the document lacks them.
pub fn complete(shown: &mut Value, id: &ResourceId) {
    let Some(map) = shown.as_object_mut() else { return };
    if !map.contains_key("name") {
        map.insert("name".into(), json!(id.name()));
    }
    if !map.contains_key("type") {
        map.insert("type".into(), json!(id.resource_type()));
    }
}

/// Removes what a path of segments leads to; `*` is every item of an array or member of an object.
pub fn drop_at(value: &mut Value, path: &[&str]) {
    match (path, value) {
        (["*"], Value::Array(items)) => items.clear(),
        (["*"], Value::Object(map)) => map.clear(),
        ([last], Value::Object(map)) => {
            map.shift_remove(*last);
        }
        (["*", rest @ ..], Value::Array(items)) => items.iter_mut().for_each(|item| drop_at(item, rest)),
        (["*", rest @ ..], Value::Object(map)) => map.values_mut().for_each(|item| drop_at(item, rest)),
        ([first, rest @ ..], Value::Object(map)) => {
            if let Some(next) = map.get_mut(*first) {
                drop_at(next, rest);
            }
        }
        _ => {}
    }
}

/// The values that a pointer leads to; `*` in it is every item of an array or member of an object.
pub fn values_at<'a>(value: &'a Value, pointer: &str) -> Vec<&'a Value> {
    let mut found = vec![value];
    for segment in crate::types::json::pointer_segments(pointer) {
        found = found
            .into_iter()
            .flat_map(|value| match (value, segment.as_str()) {
                (Value::Array(items), "*") => items.iter().collect(),
                (Value::Object(map), "*") => map.values().collect(),
                _ => value.get(&segment).into_iter().collect::<Vec<_>>(),
            })
            .collect();
    }
    found
}

/// The members of an object in this order, those that are there; then the rest.
pub fn ordered(map: &Map<String, Value>, order: &[&str]) -> Map<String, Value> {
    let mut sorted = Map::new();
    for name in order {
        if let Some(value) = map.get(*name) {
            sorted.insert((*name).to_owned(), value.clone());
        }
    }
    for (name, value) in map {
        sorted.entry(name.clone()).or_insert_with(|| value.clone());
    }
    sorted
}

/// An id with `/resourcegroups/` in lower case, as some providers write it.
pub fn lower_group(id: &str) -> String {
    let at = id.to_ascii_lowercase().find("/resourcegroups/");
    match at {
        Some(at) => format!("{}/resourcegroups/{}", &id[..at], &id[at + "/resourcegroups/".len()..]),
        None => id.to_owned(),
    }
}
