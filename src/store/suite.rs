//! What every store must do, as one suite that runs on each of them.
//!
//! A store's tests make a [`Lab`] and write `suite::store_suite!(Lab::new())`.

use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::{Error, Journal, Store};

/// What can be wrong with a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damage {
    /// It is something else altogether.
    Garbage,
    /// Its second entry is missing.
    Gap,
    /// Its second entry lacks its end.
    HalfAnEntry,
    /// It has format 99.
    Newer,
}

/// A place for journals that a test may do anything to.
pub(crate) trait Lab {
    /// A store of this place, as another process would have it.
    fn store(&self) -> Box<dyn Store>;

    /// Spoils the journal of a run, past the store.
    fn spoil(&self, run: &str, damage: Damage);

    /// Ends the lock of whoever works on a run, as time does; false where it ends with its process alone.
    fn lose(&self, run: &str) -> bool;

    /// How many cases a property is tried on.
    fn cases(&self) -> u32;
}

/// The suite, as tests on the store of a lab; with an attribute for each of them where the lab needs one.
macro_rules! store_suite {
    ($lab:expr $(, #[$attribute:meta])*) => {
        $crate::store::suite::store_suite!(
            @each $lab, [$(#[$attribute])*],
            what_was_appended_is_read_back_in_order,
            what_is_opened_again_goes_on_where_it_ended,
            any_text_survives_in_a_journal,
            a_run_that_another_process_holds_is_not_opened_twice,
            two_runs_of_one_identity_do_not_work_at_once,
            runs_are_found_by_prefix_and_as_last,
            a_run_is_listed_with_its_status,
            a_damaged_journal_is_told_and_hides_no_other,
            a_missing_entry_and_half_of_one_are_told,
            a_journal_of_a_newer_format_is_left_alone,
            a_journal_is_read_while_another_process_writes_it,
            a_run_that_is_not_there_is_unknown,
            a_process_that_lost_its_run_writes_nothing_more
        );
    };
    (@each $lab:expr, $attributes:tt, $($name:ident),*) => {
        $($crate::store::suite::store_suite!(@one $lab, $attributes, $name);)*
    };
    (@one $lab:expr, [$(#[$attribute:meta])*], $name:ident) => {
        #[test]
        $(#[$attribute])*
        fn $name() {
            $crate::store::suite::$name(&$lab);
        }
    };
}
pub(crate) use store_suite;

fn append(journal: &dyn Journal, text: &str) -> u64 {
    journal.append("note", &json!({ "text": text })).unwrap()
}

fn texts(store: &dyn Store, run: &str) -> Vec<String> {
    let entries = store.read(run).unwrap();
    entries
        .iter()
        .map(|entry| entry.body["text"].as_str().unwrap().to_owned())
        .collect()
}

/// A run of three entries that nobody holds.
fn of_three(store: &dyn Store, lock: &str) -> String {
    let journal = store.create("relocate", lock, lock).unwrap();
    for text in ["one", "two", "three"] {
        append(&*journal, text);
    }
    journal.run().to_owned()
}

pub(crate) fn what_was_appended_is_read_back_in_order(lab: &impl Lab) {
    let store = lab.store();
    let journal = store.create("relocate", "subject", "lock").unwrap();
    assert_eq!(append(&*journal, "one"), 1);
    assert_eq!(append(&*journal, "two"), 2);
    assert_eq!(texts(&*store, journal.run()), ["one", "two"]);
    let entries = journal.entries().unwrap();
    assert_eq!(entries, store.read(journal.run()).unwrap());
    let whole: Vec<_> = entries.iter().map(|entry| (entry.seq, entry.kind.as_str())).collect();
    assert_eq!(whole, [(1, "note"), (2, "note")]);
    assert!(entries.iter().all(|entry| entry.at.ends_with('Z')), "{entries:?}");
}

pub(crate) fn what_is_opened_again_goes_on_where_it_ended(lab: &impl Lab) {
    let run = of_three(&*lab.store(), "a");
    let store = lab.store();
    let journal = store.open(&run).unwrap();
    assert_eq!((journal.run(), journal.entries().unwrap().len()), (run.as_str(), 3));
    assert_eq!(append(&*journal, "four"), 4);
    drop(journal);
    let journal = store.open(&run).unwrap();
    assert_eq!(append(&*journal, "five"), 5);
    assert_eq!(texts(&*store, &run), ["one", "two", "three", "four", "five"]);
}

pub(crate) fn any_text_survives_in_a_journal(lab: &impl Lab) {
    let mut runner = TestRunner::new(Config {
        cases: lab.cases(),
        failure_persistence: None,
        ..Config::default()
    });
    let some = proptest::collection::vec(proptest::arbitrary::any::<String>(), 1..8);
    let store = lab.store();
    let done = runner.run(&some, |texts_in| {
        let lock = uuid::Uuid::new_v4().to_string();
        let journal = store
            .create("läuft/ab.rhai", &format!("[\"ü\",\"{lock}\"]"), &lock)
            .unwrap();
        for text in &texts_in {
            append(&*journal, text);
        }
        let run = journal.run().to_owned();
        drop(journal);
        proptest::prop_assert_eq!(texts(&*store, &run), texts_in);
        Ok(())
    });
    done.unwrap();
    let runs = store.runs().unwrap();
    assert!(
        runs.iter()
            .all(|run| run.runbook == "läuft/ab.rhai" && run.subject.starts_with("[\"ü\""))
    );
}

pub(crate) fn a_run_that_another_process_holds_is_not_opened_twice(lab: &impl Lab) {
    let journal = lab.store().create("relocate", "subject", "lock").unwrap();
    let (other, run) = (lab.store(), journal.run().to_owned());
    let Err(error) = other.open(&run) else {
        panic!("two hold it")
    };
    assert!(
        matches!(&error, Error::Held { what, holder: Some(_) } if *what == format!("run {run}")),
        "{error:?}"
    );
    assert_eq!(error.code(), "run-held");
    journal.assert_held().unwrap();
    drop(journal);
    assert!(other.open(&run).is_ok());
}

pub(crate) fn two_runs_of_one_identity_do_not_work_at_once(lab: &impl Lab) {
    let (one, two) = (lab.store(), lab.store());
    let first = one.create("relocate", "identity a to b", "identity a").unwrap();
    let other = two.create("relocate", "identity c", "identity c").unwrap();
    let held = two.create("relocate", "identity a to d", "identity a");
    assert!(matches!(held.map(|_| ()), Err(Error::Held { .. })));
    let run = first.run().to_owned();
    drop(first);
    let second = two.create("relocate", "identity a to d", "identity a").unwrap();
    assert!(matches!(one.open(&run).map(|_| ()), Err(Error::Held { .. })));
    append(&*other, "undisturbed");
    drop(second);
    assert!(one.open(&run).is_ok());
}

pub(crate) fn runs_are_found_by_prefix_and_as_last(lab: &impl Lab) {
    let store = lab.store();
    assert!(matches!(store.resolve("last"), Err(Error::Unknown { .. })));
    let run = of_three(&*store, "a");
    assert_eq!(store.resolve("last").unwrap(), run);
    assert_eq!(store.resolve(&run[..5]).unwrap(), run);
    let later = of_three(&*store, "b");
    assert_eq!(lab.store().resolve("last").unwrap(), later);
    assert!(matches!(store.resolve("nothing"), Err(Error::Unknown { .. })));
    assert!(matches!(store.resolve(""), Err(Error::Unknown { .. })));
}

pub(crate) fn a_run_is_listed_with_its_status(lab: &impl Lab) {
    let store = lab.store();
    let journal = store.create("relocate", "a subject", "a").unwrap();
    let listed = || {
        let runs = lab.store().runs().unwrap();
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs.into_iter().next().unwrap()
    };
    let summary = listed();
    assert_eq!(
        (
            summary.run.as_str(),
            summary.runbook.as_str(),
            summary.subject.as_str(),
            summary.status.as_str()
        ),
        (journal.run(), "relocate", "a subject", "running")
    );
    assert!(summary.started.ends_with('Z'), "{summary:?}");
    journal.set_status("paused").unwrap();
    assert_eq!(listed().status, "paused");
    drop(journal);
    assert_eq!(listed().status, "paused");
}

pub(crate) fn a_damaged_journal_is_told_and_hides_no_other(lab: &impl Lab) {
    let store = lab.store();
    let (whole, broken) = (of_three(&*store, "a"), of_three(&*store, "b"));
    lab.spoil(&broken, Damage::Garbage);
    assert!(matches!(store.read(&broken), Err(Error::Damaged { .. })));
    assert!(matches!(store.open(&broken).map(|_| ()), Err(Error::Damaged { .. })));
    let runs = store.runs().unwrap();
    assert!(runs.iter().any(|run| run.run == whole && run.status == "running"));
    assert!(
        runs.iter()
            .any(|run| run.run == broken && run.status == "journal-damaged")
    );
    assert_eq!(texts(&*store, &whole).len(), 3);
}

pub(crate) fn a_missing_entry_and_half_of_one_are_told(lab: &impl Lab) {
    let store = lab.store();
    for (damage, lock) in [(Damage::Gap, "a"), (Damage::HalfAnEntry, "b")] {
        let run = of_three(&*store, lock);
        lab.spoil(&run, damage);
        let read = store.read(&run);
        assert!(
            matches!(&read, Err(Error::Damaged { why, .. }) if why.contains("entry 2")),
            "{damage:?}: {read:?}"
        );
        let opened = store.open(&run).and_then(|journal| journal.entries());
        assert!(matches!(opened, Err(Error::Damaged { .. })), "{damage:?}");
    }
}

pub(crate) fn a_journal_of_a_newer_format_is_left_alone(lab: &impl Lab) {
    let store = lab.store();
    let run = of_three(&*store, "a");
    lab.spoil(&run, Damage::Newer);
    assert!(matches!(
        store.open(&run).map(|_| ()),
        Err(Error::Newer { found: 99, .. })
    ));
    assert!(matches!(store.read(&run), Err(Error::Newer { found: 99, .. })));
    assert_eq!(store.runs().unwrap()[0].status, "journal-newer");
}

pub(crate) fn a_journal_is_read_while_another_process_writes_it(lab: &impl Lab) {
    let store = lab.store();
    let journal = store.create("relocate", "subject", "lock").unwrap();
    let reader = lab.store();
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| (1..=25).for_each(|n| assert_eq!(append(&*journal, &(n - 1).to_string()), n)));
        let mut seen = 0;
        while !writing.is_finished() {
            let read = texts(&*reader, journal.run());
            assert!(read.len() >= seen, "entries vanished");
            assert!(
                read.iter().enumerate().all(|(at, text)| *text == at.to_string()),
                "{read:?}"
            );
            seen = read.len();
        }
    });
    assert_eq!(texts(&*reader, journal.run()).len(), 25);
}

pub(crate) fn a_run_that_is_not_there_is_unknown(lab: &impl Lab) {
    let store = lab.store();
    assert_eq!(store.runs().unwrap(), Vec::new());
    assert!(matches!(store.read("nobody"), Err(Error::Unknown { .. })));
    assert!(matches!(store.open("nobody").map(|_| ()), Err(Error::Unknown { .. })));
}

pub(crate) fn a_process_that_lost_its_run_writes_nothing_more(lab: &impl Lab) {
    let (one, two) = (lab.store(), lab.store());
    let first = one.create("relocate", "subject", "lock").unwrap();
    let run = first.run().to_owned();
    append(&*first, "before");
    if !lab.lose(&run) {
        first.assert_held().unwrap();
        assert!(matches!(two.open(&run).map(|_| ()), Err(Error::Held { .. })));
        return;
    }
    let second = two.open(&run).unwrap();
    append(&*second, "after");
    let lost = |result: Result<(), Error>| assert!(matches!(&result, Err(Error::LeaseLost { .. })), "{result:?}");
    lost(first.append("note", &Value::Null).map(drop));
    lost(first.set_status("failed"));
    lost(first.assert_held());
    drop(first);
    second.assert_held().unwrap();
    append(&*second, "still here");
    second.set_status("paused").unwrap();
    assert_eq!(texts(&*two, &run), ["before", "after", "still here"]);
    assert_eq!(two.runs().unwrap()[0].status, "paused");
}
