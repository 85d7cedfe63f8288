//! Documents that are there without having been written: the default blob service of a storage account, the built-in data
//! roles of a Cosmos DB account, the machines of a scale set, the pools that a cluster lists itself.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::words::Words;
use crate::sim::catalog::{self, Implied};
use crate::sim::world::World;
use crate::types::ResourceId;

/// The document of an id that nobody wrote, where its type and its parent imply one.
pub fn document(world: &World, id: &ResourceId) -> Option<Value> {
    let kind = catalog::kind(&id.resource_type()).filter(|kind| !kind.implied.is_empty())?;
    let parent_id = id.parent()?;
    let implied = document_or(world, &parent_id)?;
    let (name, content) = all(world, &parent_id, &implied, &kind.implied)
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(id.name()))?;
    Some(complete(&parent_id, kind, &name, content))
}

/// All that a parent implies of a full type.
pub fn below(world: &World, parent: &ResourceId, full: &str) -> Vec<(ResourceId, Value)> {
    let Some(kind) = catalog::kind(full).filter(|kind| !kind.implied.is_empty()) else {
        return Vec::new();
    };
    let Some(document) = document_or(world, parent) else {
        return Vec::new();
    };
    all(world, parent, &document, &kind.implied)
        .into_iter()
        .filter_map(|(name, content)| {
            let document = complete(parent, kind, &name, content);
            let id = ResourceId::parse(document["id"].as_str()?).ok()?;
            Some((id, document))
        })
        .collect()
}

fn document_or(world: &World, id: &ResourceId) -> Option<Value> {
    world.read(id.key()).cloned().or_else(|| document(world, id))
}

/// Names and contents that a parent's document implies.
fn all(world: &World, parent: &ResourceId, document: &Value, implied: &Implied) -> Vec<(String, Value)> {
    let words = Words::of(world, parent, document);
    let named = implied
        .named
        .iter()
        .map(|(name, content)| (name.clone(), words.filled(content)));
    let items = implied
        .within
        .iter()
        .filter_map(|pointer| document.pointer(pointer)?.as_array());
    let items = items.flatten().filter_map(|item| {
        let mut item = item.as_object()?.clone();
        let name = item.shift_remove("name")?.as_str()?.to_owned();
        Some((name, json!({ "properties": item })))
    });
    let count = implied
        .count
        .as_ref()
        .and_then(|pointer| document.pointer(pointer)?.as_u64());
    let counted = (0..count.unwrap_or(0).min(1000)).map(|n| {
        let words = words.and("{n}", n.to_string());
        (n.to_string(), words.filled(&implied.document))
    });
    named.chain(items).chain(counted).collect()
}

fn complete(parent: &ResourceId, kind: &catalog::Kind, name: &str, content: Value) -> Value {
    let word = kind.name.rsplit('/').next().unwrap_or_default();
    let mut document = json!({"id": format!("{parent}/{word}/{name}"), "name": name, "type": kind.full()});
    if let (Some(map), Value::Object(content)) = (document.as_object_mut(), content) {
        map.extend(content.into_iter().filter(|(_, value)| !value.is_null()));
    }
    document
}

/// The children of a full type as their parent shows them inside itself: whole, or, where it lists them itself, as its items.
pub fn nested(world: &World, parent: &ResourceId, full: &str, show: impl Fn(&str, &Value) -> Value) -> Vec<Value> {
    let implied = below(world, parent, full);
    let mut rows: BTreeMap<&str, &Value> = implied.iter().map(|(id, document)| (id.key(), document)).collect();
    rows.extend(world.store.of_type_below(&full.to_ascii_lowercase(), parent.key(), ""));
    let items = catalog::kind(full).is_some_and(|kind| kind.implied.within.is_some());
    let shown = |(key, document): (&str, &Value)| {
        let row = show(key, document);
        if !items {
            return row;
        }
        let mut item = Map::from_iter([("name".to_owned(), row["name"].clone())]);
        item.extend(row["properties"].as_object().cloned().unwrap_or_default());
        Value::Object(item)
    };
    rows.into_iter().map(shown).collect()
}

/// After a write or a delete of a child that its parent lists: the parent's item follows.
pub fn follow(world: &mut World, id: &ResourceId, document: Option<&Value>, now: time::OffsetDateTime, by: &str) {
    let within = catalog::kind(&id.resource_type()).and_then(|kind| kind.implied.within.as_ref());
    let (Some(pointer), Some(parent)) = (within, id.parent()) else {
        return;
    };
    let Some(mut above) = world.read(parent.key()).cloned() else {
        return;
    };
    if above.pointer(pointer).is_none() {
        super::added::set_at(&mut above, &crate::types::json::pointer_segments(pointer), json!([]));
    }
    let Some(items) = above.pointer_mut(pointer).and_then(Value::as_array_mut) else {
        return;
    };
    let at = items.iter().position(|item| {
        item["name"]
            .as_str()
            .is_some_and(|name| name.eq_ignore_ascii_case(id.name()))
    });
    match (document, at) {
        (Some(document), at) => {
            let mut item = Map::from_iter([("name".to_owned(), json!(id.name()))]);
            item.extend(document["properties"].as_object().cloned().unwrap_or_default());
            match at {
                Some(at) => items[at] = Value::Object(item),
                None => items.push(Value::Object(item)),
            }
        }
        (None, Some(at)) => {
            items.remove(at);
        }
        (None, None) => return,
    }
    world.store.put(&parent, above, now, by);
}
