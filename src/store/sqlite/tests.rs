//! What users of the store see.

use super::*;
use serde_json::json;

fn store() -> (tempfile::TempDir, SqliteStore) {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::new(directory.path().join("state"));
    (directory, store)
}

#[test]
fn what_was_appended_is_read_back_in_order() {
    let (_directory, store) = store();
    let journal = store.create("relocate", "subject", "lock").unwrap();
    assert_eq!(journal.append("note", &json!({"text": "one"})).unwrap(), 1);
    assert_eq!(journal.append("note", &json!({"text": "two"})).unwrap(), 2);
    let entries = store.read(journal.run()).unwrap();
    assert_eq!(
        entries
            .iter()
            .map(|e| e.body["text"].as_str().unwrap())
            .collect::<Vec<_>>(),
        ["one", "two"]
    );
}

#[test]
fn a_run_that_another_process_holds_is_not_opened_twice() {
    let (_directory, store) = store();
    let journal = store.create("relocate", "subject", "lock").unwrap();
    let run = journal.run().to_owned();
    assert!(matches!(store.open(&run), Err(Error::Held { .. })));
    assert!(matches!(
        store.create("relocate", "subject", "lock"),
        Err(Error::Held { .. })
    ));
    drop(journal);
    assert!(store.open(&run).is_ok());
}

#[test]
fn runs_are_found_by_prefix_and_as_last() {
    let (_directory, store) = store();
    let run = store.create("relocate", "a", "a").unwrap().run().to_owned();
    assert_eq!(store.resolve("last").unwrap(), run);
    assert_eq!(store.resolve(&run[..5]).unwrap(), run);
    assert!(matches!(store.resolve("nothing"), Err(Error::Unknown { .. })));
    assert!(matches!(store.resolve(""), Err(Error::Unknown { .. })));
}

#[test]
fn a_damaged_journal_is_told_and_hides_no_other() {
    let (_directory, store) = store();
    let run = store.create("relocate", "a", "a").unwrap().run().to_owned();
    fs::write(
        store.path("broken"),
        b"this is not a database at all, it is just text that is long enough",
    )
    .unwrap();
    assert!(matches!(store.read("broken"), Err(Error::Damaged { .. })));
    let runs = store.runs().unwrap();
    assert!(runs.iter().any(|r| r.run == run && r.status == "running"));
    assert!(runs.iter().any(|r| r.run == "broken" && r.status == "journal-damaged"));
}

#[test]
fn a_journal_of_a_newer_format_is_left_alone() {
    let (_directory, store) = store();
    let run = store.create("relocate", "a", "a").unwrap().run().to_owned();
    Connection::open(store.path(&run))
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    assert!(matches!(store.open(&run), Err(Error::Newer { found: 99, .. })));
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, b"").unwrap();
    let Err(error) = SqliteStore::new(file.join("state")).create("r", "s", "l") else {
        panic!("it was written")
    };
    assert!(error.to_string().contains("state"), "{error}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(20))]
    #[test]
    fn any_text_survives_in_a_journal(texts in proptest::collection::vec(".*", 1..12)) {
        let (_directory, store) = store();
        let journal = store.create("r", "s", "l").unwrap();
        for text in &texts {
            journal.append("note", &json!({ "text": text })).unwrap();
        }
        let run = journal.run().to_owned();
        drop(journal);
        let read: Vec<String> = store.read(&run).unwrap().into_iter().map(|e| e.body["text"].as_str().unwrap().to_owned()).collect();
        proptest::prop_assert_eq!(read, texts);
    }
}
