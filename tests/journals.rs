//! Journals that were copied, cut off, changed, or come from another version: a run goes on safely, or one error says why
//! not, and nothing is sent.

use std::path::{Path, PathBuf};

use crate::support::{Ferry, Simulator, demo, relocation};

/// A relocation that stopped behind its first phase, with its journal closed.
struct Stopped {
    simulator: Simulator,
    ferry: Ferry,
    run: String,
}

impl Stopped {
    fn new() -> Self {
        let simulator = Simulator::start("one-vm");
        let (identity, to) = demo("one-vm");
        let ferry = Ferry::new();
        ferry
            .run(&relocation(&identity, &to, &simulator.url, &["--until", "prepare"]))
            .code(3);
        let run = ferry.run(&["show", "last", "--json"]).code(0).json()["run"].clone();
        Self {
            simulator,
            ferry,
            run: run.as_str().unwrap().to_owned(),
        }
    }

    fn state(&self) -> PathBuf {
        self.ferry.directory().join("state")
    }

    fn journal(&self) -> PathBuf {
        self.state().join(format!("{}.sqlite", self.run))
    }

    /// Whatever is asked of the run, the error is this one, nothing is sent, and the journal stays as it is.
    #[track_caller]
    fn is_told(&self, error: &str, says: &str) {
        let before = std::fs::read(self.journal()).unwrap();
        let log = || self.simulator.read("/_sim/log").lines().count();
        let asked = log();
        let run = self.run.as_str();
        for command in [
            &["resume", run, "--yes"][..],
            &["rollback", run],
            &["approve", run],
            &["show", run],
        ] {
            let ran = self.ferry.run(command).code(1);
            let said = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(said.contains(error) && said.contains(says), "{command:?}: {}", ran.err);
            assert!(said.contains("untouched") && said.contains("next"), "{}", ran.err);
        }
        assert_eq!(log(), asked, "something was asked");
        assert!(
            std::fs::read(self.journal()).unwrap() == before,
            "the journal was changed"
        );
    }
}

/// Whether a file is of this kind.
fn is(name: &str, kind: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found == kind)
}

fn copy(from: &Path, to: &Path, names: impl Fn(&str) -> bool) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if names(entry.file_name().to_str().unwrap()) {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[test]
fn a_run_goes_on_where_the_file_of_its_journal_alone_was_copied_to() {
    let stopped = Stopped::new();
    let elsewhere = Ferry::new();
    let state = elsewhere.directory().join("kept/journals");
    copy(&stopped.state(), &state, |name| is(name, "sqlite"));
    let state = state.to_str().unwrap();
    let home = elsewhere.directory().to_str().unwrap();
    let ran = elsewhere.run_with(
        &["resume", "last", "--yes", "--state", state],
        &[("HOME", home), ("HOSTNAME", "another"), ("USER", "another")],
    );
    ran.code(0);
    // Where it came from nobody knows of this: what is done there again is an ensure, and is told.
    let documents = stopped.simulator.documents();
    assert!(documents.iter().any(|document| document["name"] == "id-moved"));
}

#[test]
fn a_journal_that_was_copied_away_from_its_last_writes_is_not_gone_on_with() {
    let stopped = Stopped::new();
    let mut child = stopped
        .ferry
        .command(&["resume", &stopped.run, "--yes"])
        .spawn()
        .unwrap();
    while stopped.simulator.writes().is_empty() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let whole = Ferry::new();
    let alone = Ferry::new();
    copy(&stopped.state(), &whole.directory().join("state"), |name| {
        !is(name, "lock")
    });
    copy(&stopped.state(), &alone.directory().join("state"), |name| {
        is(name, "sqlite")
    });
    let sent = stopped.simulator.writes().len();
    let ran = alone.run(&["resume", "last", "--yes"]).code(1);
    assert!(
        ran.err.contains("journal-damaged") && ran.err.contains("-wal"),
        "{}",
        ran.err
    );
    assert_eq!(stopped.simulator.writes().len(), sent);
    whole.run(&["resume", "last", "--yes"]).code(0);
}

#[test]
fn a_text_that_was_changed_in_a_journal_is_told_and_nothing_is_sent() {
    let stopped = Stopped::new();
    let mut bytes = std::fs::read(stopped.journal()).unwrap();
    // A digit of an id inside a record: SQLite itself does not notice.
    let id = b"a11c0002-0002-4002-8002-a11c00000002";
    let at = bytes.windows(id.len()).rposition(|window| window == id).unwrap();
    bytes[at] = b'b';
    std::fs::write(stopped.journal(), bytes).unwrap();
    stopped.is_told("journal-damaged", "is not as it was written");
}

#[test]
fn an_older_copy_of_a_journal_is_not_gone_on_with() {
    let stopped = Stopped::new();
    let copy = std::fs::read(stopped.journal()).unwrap();
    let run = stopped.run.as_str();
    stopped.ferry.run(&["resume", run, "--until", "move", "--yes"]).code(3);
    std::fs::write(stopped.journal(), copy).unwrap();
    stopped.is_told("journal-damaged", "is missing");
}

#[test]
fn a_journal_that_was_cut_off_emptied_or_is_of_a_newer_version_is_told() {
    let stopped = Stopped::new();
    let whole = std::fs::read(stopped.journal()).unwrap();
    for keep in [0, 100, 4096, whole.len() / 2, whole.len() - 5000] {
        std::fs::write(stopped.journal(), &whole[..keep]).unwrap();
        stopped.is_told("journal-damaged", &stopped.run);
    }
    std::fs::write(stopped.journal(), &whole).unwrap();
    let connection = rusqlite::Connection::open(stopped.journal()).unwrap();
    connection.pragma_update(None, "user_version", 3).unwrap();
    drop(connection);
    stopped.is_told("journal-newer", "format 3");
}
