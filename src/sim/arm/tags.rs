//! `{scope}/providers/Microsoft.Resources/tags/default`: the tags of a thing as a resource of their own.

use http::Method;
use serde_json::{Map, Value, json};

use super::fail::{bad_content, no_method, resource_missing};
use super::route::{Result, Turn};
use super::{locks, versions};
use crate::sim::Answer;
use crate::types::ResourceId;

/// Answers a request for the tags of what the id extends.
pub fn answer(turn: &mut Turn<'_>, id: &ResourceId) -> Result {
    versions::own(turn.ask, "tags")?;
    let owner = id
        .extended()
        .or_else(|| id.parent())
        .ok_or_else(|| resource_missing(id))?;
    let method = turn.ask.method.clone();
    let verb = if method == Method::GET {
        "read"
    } else if method == Method::DELETE {
        "delete"
    } else {
        "write"
    };
    turn.need(&format!("Microsoft.Resources/tags/{verb}"), id.as_str())?;
    super::lists::container(turn, &owner)?;
    let mut document = turn
        .world
        .read(owner.key())
        .cloned()
        .ok_or_else(|| resource_missing(&owner))?;
    let old = document["tags"].as_object().cloned().unwrap_or_default();
    let had = !old.is_empty();
    let sent = |turn: &Turn<'_>| -> Result<Map<String, Value>> {
        turn.body()?
            .pointer("/properties/tags")
            .and_then(Value::as_object)
            .cloned()
            .ok_or_else(|| bad_content("properties.tags must be an object of texts"))
    };
    let tags = match method {
        Method::GET => return Ok(Answer::json(200, shown(id, &old))),
        Method::PUT => sent(turn)?,
        Method::DELETE => Map::new(),
        Method::PATCH => {
            let operation = turn.body()?["operation"]
                .as_str()
                .unwrap_or_default()
                .to_ascii_lowercase();
            if !["merge", "replace", "delete"].contains(&operation.as_str()) {
                return Err(bad_content(&format!(
                    "'{operation}' is no operation: Merge, Replace or Delete"
                )));
            }
            let sent = sent(turn)?;
            let mut tags = if operation == "replace" { Map::new() } else { old };
            for (name, value) in sent {
                let own = tags.keys().find(|key| key.eq_ignore_ascii_case(&name)).cloned();
                match operation.as_str() {
                    "delete" => {
                        let same = own
                            .as_ref()
                            .is_some_and(|own| tags[own] == value || value.is_null() || value == "");
                        if let (Some(own), true) = (own, same) {
                            tags.shift_remove(&own);
                        }
                    }
                    _ => {
                        tags.insert(own.unwrap_or(name), value);
                    }
                }
            }
            tags
        }
        _ => return Err(no_method(&method)),
    };
    locks::guard(turn, &owner, false)?;
    super::preconditions::tags(&owner, &Value::Object(tags.clone()))?;
    document["tags"] = Value::Object(tags.clone());
    let (now, by) = (turn.ask.now, turn.ask.caller.principal.clone());
    turn.world.store.put(&owner, document, now, &by);
    turn.world.writes += 1;
    Ok(if method == Method::DELETE {
        Answer::empty(if had { 200 } else { 204 })
    } else {
        Answer::json(200, shown(id, &tags))
    })
}

fn shown(id: &ResourceId, tags: &Map<String, Value>) -> Value {
    json!({"id": id.as_str(), "name": "default", "type": "Microsoft.Resources/tags", "properties": {"tags": tags}})
}
