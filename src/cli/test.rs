//! `ferry test`: tests of scripts, each on a simulator of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use super::check::scripts_at;
use super::context::{Context, Ending};
use super::journaled;
use super::target::Place;
use super::ui::Tone;
use crate::error::Error;
use crate::host::{Case, Host};
use crate::report::junit;
use crate::run::{Session, nobody};
use crate::store::{SqliteStore, Store as _};

/// Where tests are looked for when no path is given.
const USUAL: [&str; 2] = ["stdlib/tests", "tests"];

/// Run the tests of scripts, each on a fresh simulator
///
/// A test is a function `test_…` without arguments; its file's `const ESTATE` names an estate beside it, else it runs on
/// the demo. Without a path: the scripts in ./stdlib/tests and ./tests. `assert` and `assert_eq` fail a test, and so does
/// whatever it throws.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files or directories
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Run only tests whose name contains this
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Write the outcome as JUnit XML, for pipelines
    #[arg(long, value_name = "FILE", env = "FERRY_JUNIT", hide_env = true)]
    junit: Option<PathBuf>,
}

/// Runs `ferry test`.
///
/// # Errors
/// `no-tests`, refused, where there are none; `tests-failed`; a file that does not load.
pub fn run(args: &Args, context: &Context<'_>) -> Result<Ending, Error> {
    let host = context.host()?;
    let mut cases = Vec::new();
    for file in files(&args.paths)? {
        cases.extend(host.tests(&file)?);
    }
    cases.retain(|case| args.only.as_ref().is_none_or(|text| case.name.contains(text.as_str())));
    if cases.is_empty() {
        return Err(Error::refused("no-tests", "there are no tests here")
            .untouched("everything")
            .next("ferry new permission NAME      writes a source with a test")
            .next("ferry test PATH      takes files and directories"));
    }
    let mut outcomes = Vec::new();
    for case in cases {
        let error = one(&host, &case, context).err();
        if !context.ui.json() {
            let word = if error.is_none() {
                context.ui.result_tone(Tone::Good, "ok    ")
            } else {
                context.ui.result_tone(Tone::Bad, "failed")
            };
            context.ui.print(&format!("{word} {} {}", case.file, case.name));
        }
        if let Some(error) = &error {
            context.fail(error);
        }
        outcomes.push((case, error));
    }
    finish(args, context, &outcomes)
}

fn finish(args: &Args, context: &Context<'_>, outcomes: &[(Case, Option<Error>)]) -> Result<Ending, Error> {
    if let Some(path) = &args.junit {
        let tests: Vec<junit::Test<'_>> = outcomes
            .iter()
            .map(|(case, error)| junit::Test {
                file: &case.file,
                name: &case.name,
                failure: error.as_ref().map(ToString::to_string),
            })
            .collect();
        std::fs::write(path, junit::suite("ferry test", &tests)).map_err(|error| {
            Error::failed(
                "file-unwritable",
                format!("{} was not written: {error}", path.display()),
            )
            .untouched("everything: the tests have run")
        })?;
    }
    let failed = outcomes.iter().filter(|(_, error)| error.is_some()).count();
    if context.ui.json() {
        let rows: Vec<_> = outcomes
            .iter()
            .map(|(case, error)| json!({ "file": case.file, "test": case.name, "ok": error.is_none(), "error": error }))
            .collect();
        context.ui.print_json(&rows);
    } else {
        let passed = outcomes.len() - failed;
        context.ui.print(&format!("{passed} passed, {failed} failed"));
    }
    if failed == 0 {
        return Ok(Ending::Done);
    }
    Ok(Ending::Told(1))
}

/// The files that the paths stand for; without any, those in the usual places.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    if paths.is_empty() {
        let usual = USUAL.iter().map(Path::new).filter(|path| path.is_dir());
        return usual
            .map(scripts_at)
            .collect::<Result<Vec<_>, _>>()
            .map(|all| all.concat());
    }
    paths
        .iter()
        .map(|path| scripts_at(path))
        .collect::<Result<Vec<_>, _>>()
        .map(|all| all.concat())
}

/// One test, on a simulator and with a journal that both end with it.
fn one(host: &Host, case: &Case, context: &Context<'_>) -> Result<(), Error> {
    let place = match &case.estate {
        Some(path) => Place::Estate(path.clone()),
        None => Place::Demo,
    };
    let target = context.target(place)?;
    let handle = context.handle()?;
    target.start(&handle, None)?;
    let state = tempfile::tempdir().map_err(|error| {
        Error::failed(
            "file-unwritable",
            format!("no directory was made for the test: {error}"),
        )
        .untouched("everything: the test was not run")
    })?;
    let store = Arc::new(SqliteStore::new(state.path()));
    let name = case.name.clone();
    let journal = Box::new(move || store.create(&name, &name, &name));
    let session = Session::explore(
        handle.clone(),
        target.connect(),
        context.session_options(),
        nobody(),
        Some(journal),
    );
    session.allow_writes(true)?;
    journaled::stop_on_signals(&handle, &session.cancel());
    host.test(case, &session)
}
