//! One array of the estate's `graph`: documents by id, in the order in which they stood.

use std::collections::BTreeMap;
use std::ops::Bound;

use serde_json::Value;
use time::OffsetDateTime;

/// A document and what is known about it beside its text.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    seq: u64,
    /// As listed in the estate, or as written; none while it is only implied by an identity.
    pub(super) stored: Option<Value>,
    /// What an identity implies of its service principal.
    pub(super) implied: Option<Value>,
    /// From when on Graph sees it; none: always.
    pub(super) visible_from: Option<OffsetDateTime>,
    /// When a request made it; none for what the estate brought.
    pub(super) created: Option<OffsetDateTime>,
}

impl Entry {
    /// Whether Graph sees it at that time.
    pub(super) fn visible(&self, now: OffsetDateTime) -> bool {
        self.visible_from.is_none_or(|from| from <= now)
    }

    /// A member of the document: the stored one, else the implied one.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        let of = |doc: &'_ Option<Value>| doc.as_ref().is_some_and(|doc| doc.get(name).is_some());
        if of(&self.stored) {
            return self.stored.as_ref().and_then(|doc| doc.get(name));
        }
        self.implied.as_ref().and_then(|doc| doc.get(name))
    }

    /// A member that is text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// The ids that an array member holds, as they are spelled.
    pub(super) fn ids(&self, name: &str) -> Vec<String> {
        let items = self.get(name).and_then(Value::as_array);
        items
            .into_iter()
            .flatten()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect()
    }

    /// A stored document that says no more than what is implied need not be kept.
    pub(super) fn forget_if_implied(&mut self) {
        if self.implied.is_some() && self.stored == self.implied {
            self.stored = None;
        }
    }

    /// The stored document to write to; what was only implied becomes stored with this.
    pub(super) fn written(&mut self) -> &mut Value {
        let implied = &self.implied;
        self.stored
            .get_or_insert_with(|| implied.clone().unwrap_or_else(|| Value::Object(serde_json::Map::new())))
    }
}

/// The documents of one array.
#[derive(Debug, Clone, Default)]
pub(super) struct Section {
    entries: BTreeMap<String, Entry>,
    next: u64,
}

impl Section {
    /// Adds a document under its key; a key that is taken gets a number, so that nothing of an estate is lost.
    pub(super) fn add(&mut self, key: &str, entry: NewEntry) -> &mut Entry {
        let mut free = key.to_lowercase();
        if free.is_empty() || self.entries.contains_key(&free) {
            free = format!("{free}#{}", self.next);
        }
        let seq = self.next;
        self.next += 1;
        self.entries.entry(free).or_insert(Entry {
            seq,
            stored: entry.stored,
            implied: entry.implied,
            visible_from: entry.visible_from,
            created: entry.created,
        })
    }

    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.get(&key.to_lowercase())
    }

    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Entry> {
        self.entries.get_mut(&key.to_lowercase())
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<Entry> {
        self.entries.remove(&key.to_lowercase())
    }

    /// All documents whose key is greater than `after`, by key.
    pub(super) fn after(&self, after: Option<&str>) -> impl Iterator<Item = (&String, &Entry)> {
        let from = after.map_or(Bound::Unbounded, |after| Bound::Excluded(after.to_lowercase()));
        self.entries.range((from, Bound::Unbounded))
    }

    /// All documents, by key.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Entry)> {
        self.entries.iter()
    }

    /// Takes out every document that `gone` says is gone.
    pub(super) fn remove_where(&mut self, gone: impl Fn(&Entry) -> bool) {
        self.entries.retain(|_, entry| !gone(entry));
    }

    /// The stored documents in the order in which they stood or came.
    pub(super) fn save(&self) -> Vec<Value> {
        let mut stored: Vec<(u64, &Value)> = self
            .entries
            .values()
            .filter_map(|entry| entry.stored.as_ref().map(|doc| (entry.seq, doc)))
            .collect();
        stored.sort_by_key(|(seq, _)| *seq);
        stored.into_iter().map(|(_, doc)| doc.clone()).collect()
    }
}

/// What a new entry begins with.
#[derive(Debug, Default)]
pub(super) struct NewEntry {
    pub(super) stored: Option<Value>,
    pub(super) implied: Option<Value>,
    pub(super) visible_from: Option<OffsetDateTime>,
    pub(super) created: Option<OffsetDateTime>,
}

impl NewEntry {
    /// A document that the estate lists.
    pub(super) fn listed(doc: Value) -> Self {
        Self {
            stored: Some(doc),
            ..Self::default()
        }
    }

    /// A document that a request made.
    pub(super) fn made(doc: Value, now: OffsetDateTime) -> Self {
        Self {
            stored: Some(doc),
            created: Some(now),
            ..Self::default()
        }
    }
}
