//! Estates: read from a JSON object, and given back in the same form.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::store::Store;
use crate::types::ResourceId;

/// Why an estate cannot be loaded: which document, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {why}")]
pub struct EstateError {
    /// Where in the estate: a JSON pointer, with the document's id where it has one.
    pub place: String,
    /// What is wrong.
    pub why: String,
}

/// An estate read into its parts.
#[derive(Debug)]
pub struct Parts {
    /// The tenant's id.
    pub tenant: String,
    /// The ARM documents.
    pub store: Store,
    /// `data`: documents of data planes by URL.
    pub data: Map<String, Value>,
    /// The estate without what is held elsewhere: every member keeps its place.
    pub shell: Map<String, Value>,
}

fn wrong(place: impl Into<String>, why: impl Into<String>) -> EstateError {
    EstateError {
        place: place.into(),
        why: why.into(),
    }
}

impl Parts {
    /// Reads an estate.
    ///
    /// # Errors
    /// When it is no object, has no `tenantId`, or a document in it has no id, an id that cannot be parsed, or the id of
    /// another.
    pub fn load(estate: Value) -> Result<Self, EstateError> {
        let Value::Object(mut shell) = estate else {
            return Err(wrong("the estate", "it must be a JSON object"));
        };
        let tenant = match shell.get("tenantId") {
            Some(Value::String(tenant)) if !tenant.is_empty() => tenant.clone(),
            _ => return Err(wrong("/tenantId", "it must be the tenant's id, a text")),
        };
        if shell
            .get("operator")
            .is_some_and(|operator| !operator.is_string() && !operator.is_null())
        {
            return Err(wrong("/operator", "it must be the principal id of the caller, a text"));
        }
        let mut store = Store::default();
        if let Some(arm) = shell.get_mut("arm") {
            let Value::Object(arm) = arm else {
                return Err(wrong("/arm", "it must be an object"));
            };
            if let Some(resources) = arm.get_mut("resources") {
                let Value::Array(documents) = resources else {
                    return Err(wrong("/arm/resources", "it must be an array of documents"));
                };
                for (index, document) in std::mem::take(documents).into_iter().enumerate() {
                    let id = document_id(index, &document)?;
                    if store.has(id.key()) {
                        return Err(wrong(
                            format!("/arm/resources/{index} ({id})"),
                            "another document before it has the same id",
                        ));
                    }
                    store.set(&id, document);
                }
            }
        }
        let data = match shell.get_mut("data") {
            Some(Value::Object(data)) => std::mem::take(data),
            Some(Value::Null) | None => Map::new(),
            Some(_) => return Err(wrong("/data", "it must be an object of documents by URL")),
        };
        if shell
            .get("graph")
            .is_some_and(|graph| !graph.is_object() && !graph.is_null())
        {
            return Err(wrong("/graph", "it must be an object"));
        }
        Ok(Self {
            tenant,
            store,
            data,
            shell,
        })
    }

    /// The estate in the form in which it is loaded.
    pub fn save(
        shell: &Map<String, Value>,
        documents: Vec<Arc<Value>>,
        data: &Map<String, Value>,
        graph: Value,
    ) -> Value {
        let mut estate = shell.clone();
        let documents: Vec<Value> = documents.iter().map(|document| (**document).clone()).collect();
        let had_resources = estate.get("arm").is_some_and(|arm| arm.get("resources").is_some());
        if had_resources || !documents.is_empty() {
            let arm = estate.entry("arm").or_insert_with(|| json!({}));
            arm["resources"] = Value::Array(documents);
        }
        if estate.get("data").is_some_and(Value::is_object) || !data.is_empty() {
            estate.insert("data".to_owned(), Value::Object(data.clone()));
        }
        if estate.contains_key("graph") || !graph.is_null() {
            estate.insert("graph".to_owned(), graph);
        }
        Value::Object(estate)
    }
}

fn document_id(index: usize, document: &Value) -> Result<ResourceId, EstateError> {
    let place = format!("/arm/resources/{index}");
    let Some(object) = document.as_object() else {
        return Err(wrong(place, "a document must be a JSON object"));
    };
    let Some(id) = object.get("id").and_then(Value::as_str) else {
        return Err(wrong(place, "a document must have an \"id\", a text"));
    };
    let place = format!("{place} ({id})");
    let id = ResourceId::parse(id).map_err(|error| wrong(place.clone(), error.to_string()))?;
    if object.get("type").is_some_and(|kind| !kind.is_string()) {
        return Err(wrong(place, "its \"type\" must be a text"));
    }
    Ok(id)
}
