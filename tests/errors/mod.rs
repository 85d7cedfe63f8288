//! Every class of error as it is printed: what happened, to which thing, what was left untouched, what to do next; with
//! `NO_COLOR`, at 80 columns, with its exit code. One snapshot a topic; together they hold every code that has a page,
//! but for those that [`ELSEWHERE`] explains.

mod clouds;
mod plans;
mod relocations;
mod runs;
mod scripts;
mod talk;
mod typed;

use std::collections::BTreeSet;
use std::path::Path;

/// Codes that no command brings about on a healthy machine in a test's time, and why.
const ELSEWHERE: &[(&str, &str)] = &[
    (
        "file-exists",
        "what is written where something stands: tests/authoring.rs",
    ),
    (
        "database-changed",
        "what others changed before a rollback: it needs a server",
    ),
    (
        "database-not-allowed",
        "an operator without the right: tests/postgres, on a real server",
    ),
    ("database-refused", "what a server refuses: tests/postgres"),
    ("database-sign-in", "a wrong password: tests/postgres"),
    ("database-unreachable", "a server that does not answer: tests/postgres"),
    ("no-map", "a page without a map: tests/authoring.rs"),
    ("no-scan", "a patch of a run without files: tests/scan"),
    ("no-tests", "a directory without tests: tests/authoring.rs"),
    (
        "path-not-named",
        "a script that looks where nobody told it to: tests/scan",
    ),
    ("one-principal", "a copy to oneself: tests/runbooks.rs"),
    ("scripts-wrong", "a check of what does not load: tests/authoring.rs"),
    ("wrong-test", "a test that takes something: tests/authoring.rs"),
    (
        "approval-outdated",
        "an approval for another digest: tests/approvals.rs",
    ),
    ("azure-unwell", "an outage that outlasts every try"),
    (
        "ca-unreadable",
        "authorities of whoever runs the tests are not meant for them",
    ),
    ("cannot-relocate", "a verdict of doctor: tests/doctor.rs"),
    ("clock-skew", "a verdict of doctor"),
    (
        "credential-refused",
        "a real credential that is wrong: tests/credentials.rs",
    ),
    (
        "grant-not-seen",
        "a grant that never shows is given up on after ten minutes",
    ),
    ("graph-unreadable", "a verdict of doctor"),
    ("internal", "a defect of ferry itself"),
    ("assignment-restriction", "a blocker among others: tests/preflight"),
    ("dead-identity", "a blocker among others: tests/preflight"),
    ("deny-assignment", "a blocker among others: tests/preflight"),
    ("federation-not-offered", "a blocker among others: tests/preflight"),
    ("not-ready", "a blocker among others: tests/preflight"),
    ("provider-not-registered", "a blocker among others: tests/preflight"),
    ("isolation-scope", "a blocker among others: the run fails as preflight"),
    ("lease-lost", "a run that was taken over: tests/shared_state"),
    (
        "no-context",
        "an operation called outside of a script, by an embedding program",
    ),
    ("no-subscription", "a verdict of doctor"),
    ("no-threads", "the system has no threads to give"),
    (
        "not-in-effect",
        "a write cut off before its answer and gone from the cloud",
    ),
    ("not-refreshable", "a runbook without fn refresh: tests/drift.rs"),
    ("nothing-to-refresh", "a refresh of what is over: tests/drift.rs"),
    ("not-settled", "a thousand waits for a change to take effect"),
    (
        "point-of-no-return",
        "a rollback behind the deletion: tests/rollback.rs",
    ),
    ("redirected", "an answer that leads elsewhere: tests of src/azure"),
    (
        "script-outside",
        "a file outside of this test's directory: src/host/tests/fences.rs",
    ),
    ("rollback-incomplete", "what others changed since: tests/rollback.rs"),
    (
        "rolling-back",
        "a resume of what was killed on its way back: tests/rollback.rs",
    ),
    (
        "region-not-offered",
        "every region of the simulator has managed identities",
    ),
    (
        "state-denied",
        "a real account that the caller has no role on; Azurite knows no roles",
    ),
    ("terminal", "a terminal that breaks while it is read"),
    ("unknown-command", "the prompt tells it, and goes on"),
    ("unknown-credential", "the command line takes no such word: typed.rs"),
    ("unknown-module", "found when a script is parsed: script-syntax"),
    ("unknown-variable", "found when a script is parsed: script-syntax"),
    (
        "unsettled",
        "two branches of a run that want one change at once: tests of src/run",
    ),
    ("vanished", "a document that goes away between two reads"),
];

#[test]
fn every_code_that_has_a_page_is_shown_in_a_snapshot() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = |folder: &str| -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(root.join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let shown: String = names("tests/errors/snapshots")
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    let shown: BTreeSet<&str> = shown
        .lines()
        .filter(|line| line.trim_start().starts_with(talk::MARKS))
        .filter_map(|line| line.trim_start_matches([' ', '×', '⚠', '☞']).split_once(": "))
        .map(|(code, _)| code)
        .collect();
    let pages: BTreeSet<String> = names("docs/errors")
        .iter()
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let hidden: Vec<&String> = pages
        .iter()
        .filter(|code| !shown.contains(code.as_str()) && ELSEWHERE.iter().all(|(known, _)| known != code))
        .collect();
    assert!(
        hidden.is_empty(),
        "provoke these in tests/errors, or say in ELSEWHERE why not: {hidden:#?}"
    );
    let needless: Vec<_> = ELSEWHERE
        .iter()
        .filter(|(code, _)| shown.contains(code) || !pages.contains(*code))
        .collect();
    assert!(
        needless.is_empty(),
        "shown in a snapshot, or without a page: {needless:#?}"
    );
    let unexplained: Vec<_> = shown.iter().filter(|code| !pages.contains(**code)).collect();
    assert!(
        unexplained.is_empty(),
        "docs/errors has no page about these: {unexplained:?}"
    );
}
