//! Journals whose entries say anything: they add up, or are told to be damaged.

use std::sync::OnceLock;

use ferry::report;
use ferry::run::Ledger;
use ferry::store::{Entry, SqliteStore, Store as _};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{any_json, tries};
use crate::support::Ferry;

/// The entries of a whole relocation.
fn whole() -> &'static [Entry] {
    static ENTRIES: OnceLock<Vec<Entry>> = OnceLock::new();
    ENTRIES.get_or_init(|| {
        let ferry = Ferry::new();
        let estate = crate::support::estate_file("one-vm");
        let sim = format!("--sim={}", estate.display());
        ferry.run(&["run", "relocate", &sim, "--yes"]).code(0);
        let store = SqliteStore::new(ferry.directory().join("state"));
        store.read(&store.resolve("last").unwrap()).unwrap()
    })
}

/// The place of a document that an index means, replaced.
fn replace(value: &mut Value, index: prop::sample::Index, with: Value) {
    fn count(value: &Value) -> usize {
        1 + match value {
            Value::Array(items) => items.iter().map(count).sum(),
            Value::Object(map) => map.values().map(count).sum(),
            _ => 0,
        }
    }
    fn set(value: &mut Value, left: &mut usize, with: &Value) {
        if *left == 0 {
            *value = with.clone();
        }
        *left = left.wrapping_sub(1);
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| set(item, left, with)),
            Value::Object(map) => map.values_mut().for_each(|item| set(item, left, with)),
            _ => {}
        }
    }
    let mut left = index.index(count(value));
    set(value, &mut left, &with);
}

fn judged(entries: &[Entry]) {
    match Ledger::from_entries("r", entries) {
        Ok(_) => drop(report::Run::from_entries("r", "running", entries).map(|run| {
            let _ = (report::json::run(&run), report::text::run(&run));
        })),
        Err(error) => assert_eq!(error.code, "journal-damaged"),
    }
}

proptest! {
    #![proptest_config(tries(60))]

    #[test]
    fn a_journal_with_spoilt_entries_adds_up_or_is_damaged(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any_json()), 1..5),
        kinds in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..3),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut entries = whole().to_vec();
        for (entry, place, value) in edits {
            let entry = entry.index(entries.len());
            replace(&mut entries[entry].body, place, value);
        }
        for (one, other) in kinds {
            let kind = other.get(&entries).kind.clone();
            let one = one.index(entries.len());
            entries[one].kind = kind;
        }
        entries.truncate(cut.index(entries.len()) + 1);
        judged(&entries);
    }

    #[test]
    fn numbers_of_changes_that_cannot_be_are_no_places_in_memory(number in any::<u64>(), kind in prop::sample::select(vec!["done", "failed", "undone", "undoing", "intended"])) {
        let error = json!({"code": "x", "kind": "failed", "message": "y"});
        let body = json!({"change": number, "outcome": null, "error": error});
        let entry = Entry { seq: 1, at: String::new(), kind: kind.to_owned(), body };
        judged(&[entry]);
    }
}
