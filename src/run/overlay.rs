//! The overlay of a plan: it answers reads as if the planned writes had been sent.
//!
//! It knows PUT, PATCH (RFC 7396) and DELETE of a path, the list of its collection, and what operations
//! declare. Queries and other POSTs see the cloud as it is.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::change::Write;
use super::placeholder;
use crate::types::json as documents;

/// Documents as they would be: by lower-cased path, none where deleted.
#[derive(Debug, Default)]
pub struct Overlay {
    documents: BTreeMap<String, Option<Value>>,
    created: Vec<String>,
    /// Tags that were changed as a resource of their own, by the lower-cased path of what has them.
    tags: BTreeMap<String, Value>,
}

/// Where the tags of a resource are a resource of their own.
const TAGS: &str = "/providers/microsoft.resources/tags/default";

/// What the overlay says of a read.
#[derive(Debug, PartialEq)]
pub enum Seen {
    /// It knows nothing: ask the cloud.
    Cloud,
    /// The document is this.
    Document(Value),
    /// There is none.
    Gone,
}

impl Overlay {
    /// What a GET of `path` would answer.
    pub fn get(&self, path: &str) -> Seen {
        match self.documents.get(&path.to_lowercase()) {
            Some(Some(document)) => Seen::Document(self.tagged(path, document.clone())),
            Some(None) => Seen::Gone,
            None if placeholder::is_in(path) || self.is_new(path) => Seen::Gone,
            None => Seen::Cloud,
        }
    }

    /// A document with the tags that it would have: they change with the document, and as a resource of their own.
    pub fn tagged(&self, path: &str, mut document: Value) -> Value {
        if let (Some(tags), Some(map)) = (self.tags.get(&path.to_lowercase()), document.as_object_mut()) {
            map.insert("tags".to_owned(), tags.clone());
        }
        document
    }

    /// Keeps a document; where it is the tags of another, that one has them from now on.
    fn keep(&mut self, key: String, document: Value) {
        let tags = document.pointer("/properties/tags").cloned();
        match (key.strip_suffix(TAGS), tags) {
            (Some(owner), Some(tags)) => {
                self.tags.insert(owner.to_owned(), tags);
            }
            _ => {
                self.tags.remove(&key);
            }
        }
        self.documents.insert(key, Some(document));
    }

    /// Whether a planned write has changed what a path shows.
    pub fn knows(&self, path: &str) -> bool {
        self.documents.contains_key(&path.to_lowercase())
    }

    /// Whether a path lies below something that is only planned: the cloud knows nothing of it.
    pub fn is_new(&self, path: &str) -> bool {
        let key = path.to_lowercase();
        self.created.iter().any(|made| {
            key.strip_prefix(made.as_str())
                .is_some_and(|rest| rest.starts_with('/'))
        })
    }

    /// The list of a collection: the cloud's rows, as they would be, and those that would be new.
    pub fn list(&self, collection: &str, rows: Vec<Value>) -> Vec<Value> {
        let prefix = format!("{}/", collection.to_lowercase().trim_end_matches('/'));
        let mut seen = Vec::new();
        let mut made: Vec<Value> = rows
            .into_iter()
            .filter_map(|row| {
                let key = row
                    .get("id")
                    .and_then(Value::as_str)
                    .map(str::to_lowercase)
                    .unwrap_or_default();
                match self
                    .documents
                    .get(&key)
                    .or_else(|| self.documents.get(&format!("{prefix}{key}")))
                {
                    None => Some(row),
                    Some(changed) => {
                        seen.push(key);
                        changed.clone()
                    }
                }
            })
            .collect();
        for (path, document) in self.documents.range(prefix.clone()..) {
            let Some(rest) = path.strip_prefix(&prefix) else { break };
            if !rest.contains('/') && !seen.contains(path) && !seen.iter().any(|key| key == rest) {
                made.extend(document.clone());
            }
        }
        made
    }

    /// Takes a planned write in; answers what it would answer.
    pub fn write(&mut self, write: &Write, before: Option<&Value>, shows: Option<&Value>) -> Value {
        let key = write.target_key();
        let body = write.body.clone().unwrap_or(Value::Null);
        let document = match write.method.as_str() {
            "DELETE" => {
                self.documents.insert(key.trim_end_matches("/$ref").to_owned(), None);
                return Value::Null;
            }
            "PATCH" => {
                let mut document = before.cloned().unwrap_or_else(|| json!({}));
                documents::merge(&mut document, &body);
                document
            }
            "PUT" => body,
            "POST" if key.ends_with("/$ref") => {
                let id = body
                    .get("@odata.id")
                    .and_then(Value::as_str)
                    .and_then(|url| url.rsplit('/').next());
                if let Some(id) = id {
                    let path = format!("{}/{}", key.trim_end_matches("/$ref"), id.to_lowercase());
                    self.documents.insert(path, Some(json!({ "id": id })));
                }
                return Value::Null;
            }
            _ => return shows.cloned().unwrap_or(Value::Null),
        };
        let mut document = document;
        if let Value::Object(map) = &mut document
            && write.plane == super::change::WritePlane::Arm
        {
            map.entry("id").or_insert_with(|| Value::String(write.path.clone()));
            let name = write.path.rsplit('/').next().unwrap_or_default().to_owned();
            map.entry("name").or_insert_with(|| Value::String(name));
        }
        if let Some(shows) = shows {
            documents::merge(&mut document, shows);
        }
        if write.method == "PUT" && before.is_none() {
            self.created.push(key.clone());
        }
        self.keep(key, document.clone());
        document
    }

    /// Sets what a path shows, as an edited document does.
    pub fn set(&mut self, path: &str, document: Value) {
        self.keep(path.to_lowercase(), document);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_reads_see_planned_writes() {
        let mut overlay = Overlay::default();
        assert_eq!(overlay.get("/a/b/c"), Seen::Cloud);
        overlay.write(
            &Write::arm("PUT", "/A/b/c", "v").with_body(json!({"properties": {"x": 1}})),
            None,
            None,
        );
        overlay.write(
            &Write::arm("PATCH", "/a/b/C", "v").with_body(json!({"properties": {"y": 2, "x": null}})),
            Some(&json!({"properties": {"x": 1}})),
            None,
        );
        let Seen::Document(document) = overlay.get("/a/b/c") else {
            panic!("it is not there")
        };
        assert_eq!(document["properties"], json!({"y": 2}));
        assert_eq!(overlay.list("/a/b", vec![json!({"id": "/a/b/d"})]).len(), 2);
        overlay.write(&Write::arm("DELETE", "/a/b/c", "v"), None, None);
        overlay.write(&Write::arm("DELETE", "/a/b/d", "v"), None, None);
        assert_eq!(overlay.get("/a/b/c"), Seen::Gone);
        assert!(overlay.list("/a/b", vec![json!({"id": "/a/b/d"})]).is_empty());
    }

    #[test]
    fn what_lies_below_something_planned_is_not_asked_of_the_cloud() {
        let mut overlay = Overlay::default();
        overlay.write(&Write::arm("PUT", "/a/new", "v").with_body(json!({})), None, None);
        assert_eq!(overlay.get("/A/new/children/x"), Seen::Gone);
        assert_eq!(overlay.get("/a/newer"), Seen::Cloud);
        assert!(overlay.is_new("/a/new/children"));
    }

    #[test]
    fn tags_that_change_as_a_resource_of_their_own_are_the_documents_tags() {
        let mut overlay = Overlay::default();
        overlay.set(
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Resources/tags/default",
            json!({ "properties": { "tags": { "owner": "new" } } }),
        );
        let group = "/subscriptions/S/resourcegroups/g";
        let cloud = json!({ "name": "g", "tags": { "owner": "old" } });
        assert_eq!(overlay.tagged(group, cloud)["tags"], json!({ "owner": "new" }));
        // What is written with the document afterwards counts.
        overlay.set(group, json!({ "name": "g", "tags": { "owner": "newest" } }));
        assert_eq!(
            overlay.get(group),
            Seen::Document(json!({ "name": "g", "tags": { "owner": "newest" } }))
        );
    }

    #[test]
    fn a_planned_member_is_listed() {
        let mut overlay = Overlay::default();
        let body = json!({"@odata.id": "https://graph.microsoft.com/v1.0/directoryObjects/P"});
        overlay.write(
            &Write::graph("POST", "/v1.0/groups/g/members/$ref").with_body(body),
            None,
            None,
        );
        assert_eq!(
            overlay.list("/v1.0/groups/g/members", vec![json!({"id": "q"})]).len(),
            2
        );
        overlay.write(&Write::graph("DELETE", "/v1.0/groups/g/members/q/$ref"), None, None);
        assert_eq!(
            overlay.list("/v1.0/groups/g/members", vec![json!({"id": "q"})]),
            [json!({"id": "P"})]
        );
    }
}
