//! Journals that are cut off, flipped, copied, put together anew: each is whole, or is told to be damaged.

use super::*;
use serde_json::json;

/// The files of a journal as they lie beside each other: name and content.
type Files = Vec<(String, Vec<u8>)>;

const RUN: &str = "main";

/// A journal of a few entries, closed, or as a process leaves it that is killed. Answers its files, the journal under
/// the name [`RUN`], and its entries.
fn journal(killed: bool) -> (Files, Vec<Entry>) {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::new(directory.path());
    let journal = store.create("relocate", "subject", "lock").unwrap();
    let run = journal.run().to_owned();
    for number in 0..9 {
        let text = "some text that is long enough to fill pages ".repeat(number * 3);
        let body = json!({ "change": number, "text": text });
        journal.append("note", &body).unwrap();
    }
    if killed {
        // Its connection stays as it is, as if nobody had closed it.
        std::mem::forget(journal);
    } else {
        drop(journal);
    }
    let files = ["sqlite", "sqlite-wal", "head"]
        .iter()
        .filter_map(|kind| {
            let content = fs::read(directory.path().join(format!("{run}.{kind}"))).ok()?;
            Some((format!("{run}.{kind}"), content))
        })
        .collect();
    (files, store.read(&run).unwrap())
}

/// A store in which a journal lies as these files.
fn laid(directory: &Path, files: &Files) -> SqliteStore {
    let _ = fs::remove_dir_all(directory);
    fs::create_dir_all(directory).unwrap();
    for (name, content) in files {
        fs::write(directory.join(name), content).unwrap();
    }
    SqliteStore::new(directory)
}

fn run_of(files: &Files) -> String {
    files[0].0.trim_end_matches(".sqlite").to_owned()
}

/// Whether a file is of this kind.
fn is(name: &str, kind: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found == kind)
}

/// What reading it came to: told to be damaged, or read. Anything but all of it is a failure.
#[track_caller]
fn told(files: &Files, entries: &[Entry], at: &str) -> bool {
    let directory = tempfile::tempdir().unwrap();
    let store = laid(directory.path(), files);
    let run = run_of(files);
    match store.read(&run) {
        Ok(read) => {
            assert_eq!(read, entries, "{at}: other entries were read");
            false
        }
        Err(Error::Damaged { .. } | Error::Newer { .. }) => {
            assert!(store.open(&run).is_err(), "{at}: it cannot be read, and was opened");
            for (name, content) in files {
                // A log without content may go.
                let now = fs::read(directory.path().join(name)).unwrap_or_default();
                assert!(now == *content, "{at}: {name} was changed though it is damaged");
            }
            true
        }
        Err(other) => panic!("{at}: {other}"),
    }
}

/// Opens a journal whose entries can be read, adds one, and reads all of them; or is told that it is damaged.
#[track_caller]
fn goes_on(files: &Files, entries: &[Entry], at: &str) {
    let directory = tempfile::tempdir().unwrap();
    let store = laid(directory.path(), files);
    let run = run_of(files);
    let journal = match store.open(&run) {
        Ok(journal) => journal,
        Err(Error::Damaged { .. }) => return,
        Err(other) => panic!("{at}: {other}"),
    };
    match journal.append("note", &json!("one more")) {
        Ok(seq) => {
            drop(journal);
            let read = store.read(&run).unwrap();
            assert_eq!((seq, read.len()), (entries.len() as u64 + 1, entries.len() + 1), "{at}");
            assert_eq!(read[..entries.len()], *entries, "{at}");
        }
        Err(Error::Damaged { .. }) => {}
        Err(other) => panic!("{at}: {other}"),
    }
}

/// Flips bytes of every file, one in `every`.
fn flip(every: usize) {
    for killed in [false, true] {
        let (files, entries) = journal(killed);
        let (mut damaged, mut tried) = (0, 0);
        for file in 0..files.len() {
            for offset in (0..files[file].1.len()).step_by(every) {
                let bits = if offset % 2 == 0 { 0xff } else { 1 << (offset % 8) };
                let mut flipped = files.clone();
                flipped[file].1[offset] ^= bits;
                let at = format!("{} at {offset}, bits {bits:#x}", flipped[file].0);
                let is_told = told(&flipped, &entries, &at);
                tried += 1;
                damaged += usize::from(is_told);
                if !is_told && offset % 7 == 0 {
                    goes_on(&flipped, &entries, &at);
                }
            }
        }
        assert!(damaged > tried / 10, "{damaged} of {tried} were told");
    }
}

#[test]
fn a_byte_that_is_flipped_somewhere_is_told_or_changes_nothing() {
    flip(499);
}

#[test]
#[ignore = "it takes a minute"]
fn a_byte_that_is_flipped_anywhere_is_told_or_changes_nothing() {
    flip(11);
}

#[test]
fn a_journal_that_is_cut_off_anywhere_is_told() {
    for killed in [false, true] {
        let (files, entries) = journal(killed);
        for file in 0..files.len() {
            let length = files[file].1.len();
            let mut told_some = false;
            for keep in (0..length).step_by(length / 16 + 1) {
                let mut cut = files.clone();
                cut[file].1.truncate(keep);
                let at = format!("{} cut to {keep} of {length}", cut[file].0);
                told_some |= told(&cut, &entries, &at);
            }
            // What a witness says is not needed as long as the rest is there.
            assert!(told_some || is(&files[file].0, "head"), "{}", files[file].0);
        }
    }
}

#[test]
fn a_log_that_is_taken_away_is_told() {
    let (mut files, entries) = journal(true);
    files.retain(|(name, _)| !name.ends_with("-wal"));
    assert!(told(&files, &entries, "no log"));
    files.retain(|(name, _)| !is(name, "head"));
    assert!(told(&files, &entries, "no log, no witness"));
}

#[test]
fn the_file_alone_is_the_whole_journal_once_its_process_has_ended() {
    let (mut files, entries) = journal(false);
    assert!(
        !files.iter().any(|(name, _)| name.ends_with("-wal")),
        "{:?}",
        files[1].0
    );
    files.truncate(1);
    assert!(!told(&files, &entries, "the file alone"));
    goes_on(&files, &entries, "the file alone");
}

#[test]
fn a_journal_under_the_name_of_another_run_is_told() {
    let (mut files, entries) = journal(false);
    files.truncate(1);
    files[0].0 = format!("{RUN}.sqlite");
    assert!(told(&files, &entries, "renamed"));
}

#[test]
fn an_older_copy_that_is_put_back_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::new(directory.path());
    let journal = store.create("relocate", "subject", "lock").unwrap();
    let run = journal.run().to_owned();
    journal.append("note", &json!(1)).unwrap();
    drop(journal);
    let copy = fs::read(store.path(&run)).unwrap();
    store.open(&run).unwrap().append("note", &json!(2)).unwrap();
    fs::write(store.path(&run), copy).unwrap();
    let Err(Error::Damaged { why, .. }) = store.read(&run) else {
        panic!("it was read")
    };
    assert!(why.contains("2 were written, 1 are there"), "{why}");
}

#[test]
fn entries_that_are_missing_doubled_or_changed_are_told() {
    for act in [
        "DELETE FROM entries WHERE seq = 4",
        "DELETE FROM entries WHERE seq = 4; UPDATE entries SET seq = seq - 1 WHERE seq > 4",
        "DELETE FROM entries WHERE seq = 9",
        "INSERT INTO entries SELECT seq + 1, at, kind, body, \"check\" FROM entries WHERE seq = 9",
        "UPDATE entries SET kind = 'done' WHERE seq = 3",
        "UPDATE entries SET at = '' WHERE seq = 3",
        "UPDATE entries SET body = replace(body, '5', '6') WHERE seq = 6",
        "UPDATE meta SET value = 'another' WHERE name = 'subject'",
        "UPDATE meta SET value = 'never' WHERE name = 'closed'",
        "DELETE FROM meta WHERE name = 'lock'",
        "DROP TABLE entries",
    ] {
        let (files, entries) = journal(false);
        let directory = tempfile::tempdir().unwrap();
        let store = laid(directory.path(), &files);
        let run = run_of(&files);
        Connection::open(store.path(&run)).unwrap().execute_batch(act).unwrap();
        let changed = vec![(files[0].0.clone(), fs::read(store.path(&run)).unwrap())];
        assert!(told(&changed, &entries, act), "{act}");
    }
}

#[test]
fn a_file_that_is_empty_or_something_else_is_told() {
    for content in [&b""[..], b"x", &[0; 4096], b"SQLite format 3\0 and nothing else"] {
        let files = vec![(format!("{RUN}.sqlite"), content.to_vec())];
        assert!(told(&files, &[], &format!("{content:?}")));
    }
}

#[test]
fn a_journal_of_the_format_before_is_read_and_gets_checks_when_its_run_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::new(directory.path());
    let old = Connection::open(store.path(RUN)).unwrap();
    old.execute_batch(
        "PRAGMA journal_mode = WAL;
         CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
         CREATE TABLE entries (seq INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL);
         INSERT INTO meta VALUES ('runbook', 'r'), ('subject', 's'), ('lock', 'l'), ('status', 'paused'), ('started', 't');
         INSERT INTO entries (at, kind, body) VALUES ('t', 'note', '1'), ('t', 'note', '2');
         PRAGMA user_version = 1;",
    )
    .unwrap();
    drop(old);
    let bodies = |entries: &[Entry]| entries.iter().map(|entry| entry.body.clone()).collect::<Vec<_>>();
    assert_eq!(bodies(&store.read(RUN).unwrap()), [json!(1), json!(2)]);
    store.open(RUN).unwrap().append("note", &json!(3)).unwrap();
    assert_eq!(bodies(&store.read(RUN).unwrap()), [json!(1), json!(2), json!(3)]);
    let now = Connection::open(store.path(RUN)).unwrap();
    let format: u32 = now.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(format, format::FORMAT);
    now.execute("UPDATE entries SET body = '7' WHERE seq = 1", []).unwrap();
    assert!(matches!(store.read(RUN), Err(Error::Damaged { .. })));
}
