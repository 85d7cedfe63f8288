//! Conversations with the binary: what a user types and sees. They stand in `tests/cmd`, one file a command, and in the
//! documentation, whose `console` blocks are typed as they are; a block that is not says so: `console,ignore`.
//!
//! Each file has a state directory of its own, so that nothing is known from one to the other, or from whoever works on
//! this machine. `TRYCMD=overwrite cargo test --test main conversations` writes down what is answered now.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use trycmd::schema::Bin;

#[test]
fn every_command_answers_as_written_down() {
    let cases = files("tests/cmd", "trycmd");
    assert!(cases.len() > 10, "{cases:?}");
    hold(&cases);
}

#[test]
fn the_documentation_shows_what_the_binary_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = files("docs", "md");
    pages.push(root.join("README.md"));
    pages.retain(|page| std::fs::read_to_string(page).unwrap().contains("```console\n"));
    assert!(pages.len() > 2, "{pages:?}");
    hold(&pages);
}

/// The files below a folder that end so.
fn files(folder: &str, end: &str) -> Vec<PathBuf> {
    let (mut open, mut found) = (vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)], Vec::new());
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == end) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Holds the conversations of some files, each with a state of its own, two at a time.
fn hold(cases: &[PathBuf]) {
    let (open, failed) = (Mutex::new(cases.iter()), Mutex::new(Vec::new()));
    let next = || open.lock().unwrap().next();
    let work = || {
        while let Some(case) = next() {
            if std::panic::catch_unwind(|| hold_one(case)).is_err() {
                failed.lock().unwrap().push(case);
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        work();
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "these went otherwise, see above: {failed:#?}");
}

fn hold_one(case: &Path) {
    let state = tempfile::tempdir().unwrap();
    trycmd::TestCases::new()
        .register_bin("ferry", Path::new(env!("CARGO_BIN_EXE_ferry")))
        // The README's first two commands: .ci/run types them.
        .register_bin("cargo", Bin::Ignore)
        .env("FERRY_STATE", state.path().join("state").to_str().unwrap())
        .env("XDG_CONFIG_HOME", state.path().join("config").to_str().unwrap())
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .case(case)
        .run();
}
