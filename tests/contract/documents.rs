//! Estates compared value by value.

use std::collections::BTreeMap;

use ferry::run::edit::find_words;
use serde_json::Value;

/// The ids that name an identity.
const IDS: [&str; 3] = ["id", "clientId", "principalId"];

/// What differs between two estates: documents by id, in lower case, and lists of the directory by their path.
pub fn differing(before: &Value, after: &Value) -> Vec<String> {
    let (before, after) = (parts(before), parts(after));
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .cloned()
        .collect()
}

/// In words, what is not as it was in two estates; empty where all is.
pub fn told(before: &Value, after: &Value) -> String {
    let (old, new) = (parts(before), parts(after));
    let mut places = Vec::new();
    for name in differing(before, after) {
        let of = |parts: &BTreeMap<String, &Value>| parts.get(&name).map_or(Value::Null, |value| (*value).clone());
        unlike(&of(&old), &of(&new), &format!("{name}#"), &mut places);
    }
    places.concat()
}

/// The places at which two documents differ, each with what was there and what is.
pub fn unlike(before: &Value, after: &Value, at: &str, places: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            let mut keys: Vec<&String> = old
                .keys()
                .chain(new.keys().filter(|key| !old.contains_key(*key)))
                .collect();
            keys.sort();
            for key in keys {
                let of = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or_default();
                unlike(&of(old), &of(new), &format!("{at}/{}", key.replace('/', "~1")), places);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                unlike(old, new, &format!("{at}/{index}"), places);
            }
        }
        _ if before != after => places.push(format!("\n      {at}\n        was {before}\n        is  {after}")),
        _ => {}
    }
}

/// The document with this id, in any case; of a data plane, the one at this address, or the row of a list there.
pub fn document<'a>(estate: &'a Value, id: &str) -> Option<&'a Value> {
    if id.starts_with("https://") {
        return estate["data"].get(id).or_else(|| {
            let (list, name) = id.rsplit_once('/')?;
            let rows = estate["data"].get(list)?["value"].as_array()?;
            rows.iter()
                .find(|row| ["id", "name", "testId"].iter().any(|member| row[*member] == *name))
        });
    }
    let documents = estate["arm"]["resources"].as_array()?;
    documents.iter().find(|document| {
        document["id"]
            .as_str()
            .is_some_and(|found| found.eq_ignore_ascii_case(id))
    })
}

/// Everything of an estate by a name, so that the order of documents says nothing, and that of members does.
fn parts(estate: &Value) -> BTreeMap<String, &Value> {
    let mut parts = BTreeMap::new();
    for document in estate["arm"]["resources"].as_array().into_iter().flatten() {
        let id = document["id"].as_str().unwrap_or_default().to_lowercase();
        // Requests for role schedules are history: Azure keeps them, and nobody can delete one.
        if !id.contains("schedulerequests/") {
            parts.insert(id, document);
        }
    }
    for (kind, entries) in estate["graph"].as_object().into_iter().flatten() {
        for entry in entries.as_array().into_iter().flatten() {
            let key = entry["id"].as_str().map_or_else(|| entry.to_string(), str::to_owned);
            parts.insert(format!("graph/{kind}/{key}"), entry);
        }
    }
    for (address, document) in estate["data"].as_object().into_iter().flatten() {
        parts.insert(address.clone(), document);
    }
    parts
}

/// A document with one identity named wherever the other one was, and ids of either in one spelling.
pub fn renamed(value: &Value, from: &Value, to: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(renamed_text(text, from, to)),
        Value::Array(items) => items.iter().map(|item| renamed(item, from, to)).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, item)| (renamed_text(key, from, to), renamed(item, from, to)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        plain => plain.clone(),
    }
}

fn renamed_text(text: &str, from: &Value, to: &Value) -> String {
    let mut text = text.to_owned();
    for name in IDS {
        let (from, to) = (from[name].as_str().unwrap(), to[name].as_str().unwrap());
        let mut places = find_words(&text, from);
        places.reverse();
        for place in places {
            text.replace_range(place, to);
        }
    }
    text
}

/// A document without an identity's entry in its identity block.
pub fn unattached(document: &Value, identity: &Value) -> Value {
    let mut document = document.clone();
    let id = identity["id"].as_str().unwrap();
    if let Some(map) = document
        .pointer_mut("/identity/userAssignedIdentities")
        .and_then(Value::as_object_mut)
    {
        map.retain(|key, _| !key.eq_ignore_ascii_case(id));
    }
    document
}
