use serde_json::json;
use tempfile::tempdir;

use super::super::Params;
use super::{host, options, planning, running, write};
use crate::error::Kind;
use crate::run::Options;

const BOOK: &str = r#"//! Carries something over. It is for tests.
const PARAMS = #{
    from: #{ type: "string", help: "what" },
    to: #{ type: "region", help: "where to" },
    quiet: #{ type: "duration", optional: true, help: "how long" },
    ways: #{ type: "choice", values: ["fast", "slow"], "default": "fast" },
};
fn prepare(params) { #{ items: [#{ id: "a", n: 1 }, #{ id: "b", n: 2 }], to: params.to } }
fn move(params, results) {
    let done = run::each("items", results.prepare.items, |item| { run::note(`moved ${item.id}`); item.n * 2 });
    run::approve("go", "go on");
    done
}
fn verify(params, results) {
    if results.move != [2, 4] { run::finding("difference", "changed", "/a", "not as planned"); }
    if "prepare" in results { results.prepare.to } else { () }
}
"#;

fn book(text: &str) -> (tempfile::TempDir, String) {
    let directory = tempdir().unwrap();
    write(directory.path(), "my.rhai", text);
    let path = directory.path().join("my.rhai").to_str().unwrap().to_owned();
    (directory, path)
}

fn given(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

#[test]
fn a_run_pauses_at_a_gate_and_goes_on_where_it_was() {
    let (directory, path) = book(BOOK);
    let host = host();
    let runbook = host.runbook(&path).unwrap();
    let params = host.params(&runbook, &given(&["from=x", "to=North Europe"])).unwrap();
    assert_eq!(params.values["ways"], "fast");
    let state = directory.path().join("state");
    let error = host.run(&runbook, &params, &running(&state, options())).unwrap_err();
    assert_eq!((error.kind, error.exit_code()), (Kind::Paused, 3), "{error:?}");

    // The script has changed meanwhile, and the run goes on with the one that it began with.
    write(directory.path(), "my.rhai", "//! Other.\nfn main(params) { 1 }");
    let session = running(&state, Options { yes: true, ..options() });
    let again = host.runbook_kept(&session, &path).unwrap();
    assert_eq!(again.phases, ["prepare", "move", "verify"]);
    let outcome = host.run(&again, &params, &session).unwrap();
    assert_eq!(outcome.value, json!("northeurope"));
    assert_eq!(outcome.results["move"], json!([2, 4]));
    let notes = session.ledger(|ledger| ledger.notes.clone());
    assert_eq!(notes.len(), 2, "steps that are done are not done again: {notes:?}");
    let findings = session.ledger(|ledger| ledger.findings.iter().filter(|f| f.code == "foreign-script").count());
    assert_eq!(findings, 1);
}

#[test]
fn a_pause_cannot_be_caught_and_parked_branches_let_others_go_on() {
    let (directory, path) = book(
        r#"//! P.
fn main(params) {
    try {
        run::each("all", [#{ id: "waits" }, #{ id: "goes" }], |x| { if x.id == "waits" { run::wait("1h") } run::note(x.id) });
    } catch { run::note("caught") }
}"#,
    );
    let host = host();
    let runbook = host.runbook(&path).unwrap();
    let session = running(
        &directory.path().join("state"),
        Options {
            concurrency: 1,
            ..options()
        },
    );
    let error = host.run(&runbook, &Params::default(), &session).unwrap_err();
    assert_eq!(error.kind, Kind::Paused);
    assert_eq!(session.ledger(|ledger| ledger.notes.clone()), ["goes"]);
}

#[test]
fn a_run_stops_after_the_phase_that_was_asked_for() {
    let (directory, path) = book(BOOK);
    let host = host();
    let runbook = host.runbook(&path).unwrap();
    let params = host.params(&runbook, &given(&["from=x", "to=uksouth"])).unwrap();
    let session = running(
        &directory.path().join("state"),
        Options {
            until: Some("prepare".into()),
            ..options()
        },
    );
    let outcome = host.run(&runbook, &params, &session).unwrap();
    assert_eq!(outcome.stopped_after.as_deref(), Some("prepare"));
    assert_eq!(outcome.results.len(), 1);
}

#[test]
fn a_difference_that_verification_finds_is_an_ending_of_its_own() {
    let (directory, path) = book(&BOOK.replace("[2, 4]", "[2, 5]"));
    let host = host();
    let runbook = host.runbook(&path).unwrap();
    let params = host.params(&runbook, &given(&["from=x", "to=uksouth"])).unwrap();
    let session = running(&directory.path().join("state"), Options { yes: true, ..options() });
    let error = host.run(&runbook, &params, &session).unwrap_err();
    assert_eq!((error.code.as_str(), error.exit_code()), ("difference", 4));
    assert!(!session.results().contains_key("verify"));
}

#[test]
fn a_plan_runs_all_phases() {
    let (_directory, path) = book(BOOK);
    let host = host();
    let runbook = host.runbook(&path).unwrap();
    let params = host.params(&runbook, &given(&["from=x", "to=uksouth"])).unwrap();
    assert_eq!(
        host.run(&runbook, &params, &planning()).unwrap().value,
        json!("uksouth")
    );
}

#[test]
fn parameters_that_are_not_understood_are_refused_before_anything_is_contacted() {
    let (_directory, path) = book(BOOK);
    let host = host();
    let runbook = host.runbook(&path).unwrap();
    for (words, code, next) in [
        (
            &["from=x", "to=uksouth", "quite=1h"][..],
            "unknown-parameter",
            "did you mean quiet=?",
        ),
        (&["from=x"], "missing-parameter", "to= (region): where to"),
        (&["from=x", "to=uksouth", "from=y"], "duplicate-parameter", ""),
        (&["from"], "not-a-parameter", ""),
        (
            &["from=x", "to=uksouth", "quiet=long"],
            "malformed-parameter",
            "quiet: how long",
        ),
        (&["from=x", "to=uksouth", "nosuch.depth=1"], "unknown-parameter", ""),
    ] {
        let error = host.params(&runbook, &given(words)).unwrap_err();
        assert_eq!((error.code.as_str(), error.exit_code()), (code, 2), "{words:?}");
        assert!(next.is_empty() || error.next[0] == next, "{words:?}: {:?}", error.next);
    }
    let demo = json!({ "to": "uksouth" });
    let params = host
        .params_with(&runbook, &given(&["from=x"]), demo.as_object().unwrap())
        .unwrap();
    assert_eq!(params.values["to"], "uksouth");
    assert!(
        runbook.usage().contains("from=VALUE to=REGION [quiet=DURATION]"),
        "{}",
        runbook.usage()
    );
}

/// A journal on a disk that is full after so many records.
struct Full(std::sync::atomic::AtomicUsize);

impl crate::store::Journal for Full {
    fn run(&self) -> &'static str {
        "7k3q"
    }
    fn append(&self, _: &str, _: &serde_json::Value) -> Result<u64, crate::store::Error> {
        use std::sync::atomic::Ordering::SeqCst;
        let room = self.0.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        room.map(|_| 1).map_err(|_| crate::store::Error::Io {
            path: "/state/7k3q.sqlite".into(),
            verb: "written",
            why: "database or disk is full".into(),
        })
    }
    fn entries(&self) -> Result<Vec<crate::store::Entry>, crate::store::Error> {
        Ok(Vec::new())
    }
    fn assert_held(&self) -> Result<(), crate::store::Error> {
        Ok(())
    }

    fn set_status(&self, _: &str) -> Result<(), crate::store::Error> {
        Ok(())
    }
}

#[test]
fn a_journal_that_cannot_be_written_ends_the_run_whatever_the_script_catches_and_in_all_branches() {
    let (_directory, path) = book(
        r#"//! F.
fn main(params) {
    let items = []; for n in 0..40 { items.push(`item ${n}`); }
    try { run::each("all", items, |item| { try { run::note(item); } catch {} run::note("and on"); }); } catch {}
    try { run::note("after"); } catch {}
    1
}"#,
    );
    let host = host();
    let runbook = host.runbook(&path).unwrap();
    for room in [0, 2, 9, 30] {
        let full = Box::new(Full(room.into()));
        let cloud: crate::run::Connect = Box::new(|| Box::pin(std::future::pending()));
        let session = crate::run::Session::run(super::handle(), cloud, options(), crate::run::nobody(), full).unwrap();
        let error = host.run(&runbook, &Params::default(), &session).unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.exit_code()),
            ("state-unwritable", 1),
            "{error}"
        );
        assert!(
            error.message.contains("/state/7k3q.sqlite") && error.message.contains("disk is full"),
            "{error}"
        );
        assert!(
            error.next.iter().any(|next| next.contains("ferry resume 7k3q")),
            "{:?}",
            error.next
        );
        assert!(!session.ledger(|ledger| ledger.notes.contains(&"after".to_owned())));
    }
}
