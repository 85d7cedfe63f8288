//! The stored documents: looked up by id without case, listed in order of id, given back in the order they came,
//! with what stood there before kept for a while for those who are shown the past.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use serde_json::Value;
use time::{Duration, OffsetDateTime};

use crate::types::ResourceId;

/// How long an earlier version of a document is kept.
const KEPT: Duration = Duration::minutes(30);

/// A document that stood under an id until some time; none where nothing stood there.
#[derive(Debug, Clone)]
struct Past {
    until: OffsetDateTime,
    document: Option<Arc<Value>>,
}

/// A role assignment that was taken away: for a while it still gives rights.
#[derive(Debug, Clone)]
struct Gone {
    until: OffsetDateTime,
    created: Option<OffsetDateTime>,
    principal: String,
    document: Arc<Value>,
}

/// What the simulator noted about a document beside it, and shows only in answers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Note {
    /// When it was made by a request.
    pub created: Option<OffsetDateTime>,
    /// When a request last changed it.
    pub changed: Option<OffsetDateTime>,
    /// The principal that made it.
    pub created_by: Option<String>,
    /// The principal that last changed it.
    pub changed_by: Option<String>,
    /// How often it was written.
    pub version: u64,
}

/// All documents of an estate.
#[derive(Debug, Default)]
pub struct Store {
    slots: Vec<Option<(String, Arc<Value>)>>,
    places: BTreeMap<String, usize>,
    types: HashMap<String, BTreeSet<String>>,
    principals: HashMap<String, BTreeSet<String>>,
    past: HashMap<String, Vec<Past>>,
    notes: HashMap<String, Note>,
    gone: Vec<Gone>,
    /// Grows with every write.
    pub generation: u64,
}

/// Documents with their keys.
pub type Rows<'a> = Box<dyn Iterator<Item = (&'a str, &'a Value)> + 'a>;

/// The keys below a key, behind another.
fn bounds(key: &str, after: &str) -> (Bound<String>, Bound<String>) {
    let key = key.trim_end_matches('/');
    let start = format!("{key}/");
    // `0` is the character behind `/`.
    let end = format!("{key}0");
    let after = after.to_owned();
    let end = end.max(after.clone());
    let from = if after > start {
        Bound::Excluded(after)
    } else {
        Bound::Included(start)
    };
    (from, Bound::Included(end))
}

/// The full type of an id in lower case: its index key.
pub fn type_key(id: &ResourceId) -> String {
    id.resource_type().to_ascii_lowercase()
}

/// The key of an id's text: lower case, without doubled or trailing slashes.
pub fn key_of(id: &str) -> String {
    let lower = id.trim_end_matches('/').to_ascii_lowercase();
    let mut key = String::with_capacity(lower.len());
    for segment in lower.split('/').filter(|segment| !segment.is_empty()) {
        key.push('/');
        key.push_str(segment);
    }
    key
}

impl Store {
    /// The document under an id's key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let place = *self.places.get(key)?;
        self.slots[place].as_ref().map(|(_, document)| &**document)
    }

    /// The document that stood under the key at a time.
    pub fn get_at(&self, key: &str, at: Option<OffsetDateTime>) -> Option<&Value> {
        match at.and_then(|at| self.earlier(key, at)) {
            Some(past) => past.document.as_deref(),
            None => self.get(key),
        }
    }

    fn earlier(&self, key: &str, at: OffsetDateTime) -> Option<&Past> {
        self.past.get(key)?.iter().find(|past| past.until > at)
    }

    /// Whether a document stands under the key.
    pub fn has(&self, key: &str) -> bool {
        self.places.contains_key(key)
    }

    /// Puts a document under its id, in place of what stood there, and keeps that as the past.
    pub fn put(&mut self, id: &ResourceId, document: Value, now: OffsetDateTime, by: &str) {
        let key = id.key().to_owned();
        let first = !self.has(&key);
        self.remember(&key, now);
        let note = self.notes.entry(key).or_default();
        // One that the estate brought was made by someone else, some time before.
        if first {
            note.created = Some(now);
            note.created_by = Some(by.to_owned());
        }
        note.changed = Some(now);
        note.changed_by = Some(by.to_owned());
        note.version += 1;
        self.set(id, document);
    }

    /// Puts a document as it was loaded: no past, no note.
    pub fn set(&mut self, id: &ResourceId, document: Value) {
        let key = id.key().to_owned();
        self.generation += 1;
        let kind = type_key(id);
        if let Some(&place) = self.places.get(&key) {
            self.forget_principal(&key);
            self.note_principal(&key, &kind, &document);
            self.slots[place] = Some((key, Arc::new(document)));
            return;
        }
        self.note_principal(&key, &kind, &document);
        self.types.entry(kind).or_default().insert(key.clone());
        self.places.insert(key.clone(), self.slots.len());
        self.slots.push(Some((key, Arc::new(document))));
    }

    /// Takes the document under the key away; what stood there is kept as the past.
    pub fn remove(&mut self, key: &str, now: OffsetDateTime) -> Option<Arc<Value>> {
        self.remember(key, now);
        self.forget_principal(key);
        self.keep_gone(key, now);
        let place = self.places.remove(key)?;
        self.generation += 1;
        for keys in self.types.values_mut() {
            if keys.remove(key) {
                break;
            }
        }
        self.notes.remove(key);
        self.slots[place].take().map(|(_, document)| document)
    }

    fn remember(&mut self, key: &str, now: OffsetDateTime) {
        let document = self
            .places
            .get(key)
            .and_then(|&place| self.slots[place].as_ref())
            .map(|(_, d)| d.clone());
        let versions = self.past.entry(key.to_owned()).or_default();
        versions.retain(|past| past.until > now - KEPT);
        versions.push(Past { until: now, document });
    }

    fn keep_gone(&mut self, key: &str, now: OffsetDateTime) {
        self.gone.retain(|gone| gone.until > now - KEPT);
        let document = self.places.get(key).and_then(|&place| self.slots[place].as_ref());
        let Some((_, document)) = document.filter(|_| key.contains("/roleassignments/")) else {
            return;
        };
        if let Some(principal) = document.pointer("/properties/principalId").and_then(Value::as_str) {
            self.gone.push(Gone {
                until: now,
                created: self.notes.get(key).and_then(|note| note.created),
                principal: principal.to_ascii_lowercase(),
                document: document.clone(),
            });
        }
    }

    fn note_principal(&mut self, key: &str, kind: &str, document: &Value) {
        if kind == "microsoft.authorization/roleassignments"
            && let Some(principal) = document.pointer("/properties/principalId").and_then(Value::as_str)
        {
            self.principals
                .entry(principal.to_ascii_lowercase())
                .or_default()
                .insert(key.to_owned());
        }
    }

    fn forget_principal(&mut self, key: &str) {
        let Some(principal) = self
            .get(key)
            .and_then(|d| d.pointer("/properties/principalId"))
            .and_then(Value::as_str)
        else {
            return;
        };
        let principal = principal.to_ascii_lowercase();
        if let Some(keys) = self.principals.get_mut(&principal) {
            keys.remove(key);
        }
    }

    /// What is noted about the document under the key.
    pub fn note(&self, key: &str) -> Note {
        self.notes.get(key).cloned().unwrap_or_default()
    }

    /// The role assignments of a principal, by keys.
    pub fn assignments_of(&self, principal: &str) -> impl Iterator<Item = &Value> {
        self.principals
            .get(&principal.to_ascii_lowercase())
            .into_iter()
            .flatten()
            .filter_map(|key| self.get(key))
    }

    /// The role assignments of a principal as they stood at a time.
    pub fn assignments_at<'a>(
        &'a self,
        principal: &str,
        at: OffsetDateTime,
    ) -> impl Iterator<Item = &'a Value> + use<'a> {
        let principal = principal.to_ascii_lowercase();
        let there = move |created: Option<OffsetDateTime>| created.is_none_or(|created| created <= at);
        let standing = self
            .principals
            .get(&principal)
            .into_iter()
            .flatten()
            .filter(move |key| there(self.notes.get(*key).and_then(|note| note.created)))
            .filter_map(|key| self.get(key));
        let gone = self
            .gone
            .iter()
            .filter(move |gone| gone.principal == principal && gone.until > at && there(gone.created))
            .map(|gone| &*gone.document);
        standing.chain(gone)
    }

    /// All documents of a full type (in lower case), in order of id.
    pub fn of_type<'a>(&'a self, kind: &str) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
        self.types
            .get(kind)
            .into_iter()
            .flatten()
            .filter_map(|key| self.get(key).map(|document| (key.as_str(), document)))
    }

    /// The documents of a full type (in lower case) below a key, in order of id, behind the key `after`.
    pub fn of_type_below<'a>(&'a self, kind: &str, key: &str, after: &str) -> Rows<'a> {
        let bounds = bounds(key, after);
        let Some(keys) = self.types.get(kind) else {
            return Box::new(std::iter::empty());
        };
        Box::new(
            keys.range::<String, _>(bounds)
                .filter_map(|key| self.get(key).map(|document| (key.as_str(), document))),
        )
    }

    /// The documents below a key, at any depth, in order of id, behind the key `after`.
    pub fn below_after<'a>(&'a self, key: &str, after: &str) -> Rows<'a> {
        Box::new(
            self.places
                .range::<String, _>(bounds(key, after))
                .filter_map(|(key, &place)| self.slots[place].as_ref().map(|(_, d)| (key.as_str(), &**d))),
        )
    }

    /// Whether any document has this full type (in lower case).
    pub fn knows_type(&self, kind: &str) -> bool {
        self.types.get(kind).is_some_and(|keys| !keys.is_empty())
    }

    /// All full types (in lower case) that have a document.
    pub fn known_types(&self) -> impl Iterator<Item = &str> {
        self.types
            .iter()
            .filter(|(_, keys)| !keys.is_empty())
            .map(|(kind, _)| kind.as_str())
    }

    /// The documents below a key, at any depth, in order of id; the key's own document is not among them.
    pub fn below<'a>(&'a self, key: &str) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
        let start = format!("{}/", key.trim_end_matches('/'));
        let end = format!("{}0", key.trim_end_matches('/'));
        self.places
            .range::<String, _>((Bound::Included(&start), Bound::Excluded(&end)))
            .filter_map(|(key, &place)| {
                self.slots[place]
                    .as_ref()
                    .map(|(_, document)| (key.as_str(), &**document))
            })
    }

    /// The documents below a key as they were at a time.
    pub fn documents_below_at(&self, key: &str, at: Option<OffsetDateTime>) -> BTreeMap<&str, &Value> {
        let mut found: BTreeMap<&str, &Value> = self.below(key).collect();
        let Some(at) = at else { return found };
        let start = format!("{key}/");
        for key in self.past.keys().filter(|key| key.starts_with(&start)) {
            if let Some(past) = self.earlier(key, at) {
                match past.document.as_deref() {
                    Some(document) => found.insert(key, document),
                    None => found.remove(key.as_str()),
                };
            }
        }
        found
    }

    /// Every document as it was at a time, in the order they came; those deleted since come last.
    pub fn documents_at(&self, at: OffsetDateTime) -> Box<dyn Iterator<Item = &Value> + '_> {
        let standing = self.slots.iter().flatten().filter_map(move |(key, document)| {
            match self.past.get(key).and_then(|_| self.earlier(key, at)) {
                Some(past) => past.document.as_deref(),
                None => Some(&**document),
            }
        });
        let gone = self
            .past
            .keys()
            .filter(|key| !self.places.contains_key(*key))
            .filter_map(move |key| self.earlier(key, at).and_then(|past| past.document.as_deref()));
        Box::new(standing.chain(gone))
    }

    /// Every document with its key, in the order they came.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.slots
            .iter()
            .flatten()
            .map(|(key, document)| (key.as_str(), &**document))
    }

    /// Every document, shared, in the order they came.
    pub fn shared(&self) -> Vec<Arc<Value>> {
        self.slots
            .iter()
            .flatten()
            .map(|(_, document)| document.clone())
            .collect()
    }
}
