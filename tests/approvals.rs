//! Gates and waits: they outlive the process, and the journal tells who approved what, when and from where.

use std::process::Stdio;

use serde_json::Value;

use crate::rollback::{differences, estate};
use crate::support::{Ferry, Ran, Simulator, demo, relocation};

/// A relocation that waits at its first gate.
fn paused(estate: &str) -> (Simulator, Ferry, Ran) {
    let simulator = Simulator::start(estate);
    let (identity, to) = demo(estate);
    let ferry = Ferry::new();
    let ran = ferry.run(&relocation(&identity, &to, &simulator.url, &[])).code(3);
    (simulator, ferry, ran)
}

fn shown(ferry: &Ferry) -> Value {
    ferry.run(&["show", "last", "--json"]).code(0).json()
}

fn old_identity(simulator: &Simulator, name: &str) -> bool {
    let documents = simulator.documents();
    documents
        .iter()
        .any(|document| document["id"].as_str().is_some_and(|id| id.ends_with(name)))
}

#[test]
fn the_deletion_has_an_approval_of_its_own_and_until_then_all_can_be_taken_back() {
    let simulator = Simulator::start("one-vm");
    let before = estate(&simulator);
    let (identity, to) = demo("one-vm");
    let ferry = Ferry::new();
    let first = ferry.run(&relocation(&identity, &to, &simulator.url, &[])).code(3);
    assert!(first.err.contains("approve"), "{}", first.err);
    assert_eq!(shown(&ferry)["status"], "paused");
    ferry.run(&["approve", "last", "clean_up"]).code(0);

    let second = ferry.run(&["resume", "last"]).code(3);
    assert!(second.err.contains("never come back"), "{}", second.err);
    assert!(old_identity(&simulator, "/id-one"));
    let gone = shown(&ferry);
    let changes = gone["changes"].as_array().unwrap();
    assert!(changes.iter().any(|change| change["phase"] == "clean_up"));

    ferry.run(&["rollback", "last"]).code(0);
    assert_eq!(differences(&before, &estate(&simulator)), Vec::<String>::new());
}

#[test]
fn both_gates_can_be_approved_at_once() {
    let (simulator, ferry, first) = paused("one-vm");
    let commands: Vec<Vec<&str>> = first
        .err
        .lines()
        .filter(|line| line.contains("ferry approve"))
        .map(|line| {
            let command = line[line.find("ferry ").unwrap() + 6..].split("      ").next().unwrap();
            command.split_whitespace().collect()
        })
        .collect();
    assert_eq!(commands.len(), 2, "{}", first.err);
    for command in commands {
        ferry.run(&command).code(0);
    }
    ferry.run(&["resume", "last"]).code(0);
    assert_eq!(shown(&ferry)["status"], "done");
    assert!(!old_identity(&simulator, "/id-one"));
    ferry.run(&["resume", "last"]).code(0);
}

#[test]
fn the_journal_tells_who_approved_what_when_and_from_where() {
    let (_simulator, ferry, _) = paused("one-vm");
    let gates = shown(&ferry)["gates"].as_array().unwrap().clone();
    let gate = gates.iter().find(|gate| gate["gate"] == "clean_up").unwrap();
    let digest = gate["digest"].as_str().unwrap().to_owned();
    let stale = ferry.run(&["approve", "last", "clean_up", "--digest", "0000"]).code(2);
    assert!(stale.err.contains(&digest), "{}", stale.err);
    assert_eq!(shown(&ferry)["approvals"], serde_json::json!([]));

    let pipeline = [
        ("USER", "ada"),
        ("GITHUB_SERVER_URL", "https://github.com"),
        ("GITHUB_REPOSITORY", "o/r"),
        ("GITHUB_RUN_ID", "7"),
    ];
    let approved = ["approve", "last", "clean_up", "--digest", &digest[..10]];
    ferry.run_with(&approved, &pipeline).code(0);
    let given = shown(&ferry)["approvals"][0].clone();
    assert_eq!(given["digest"], digest.as_str());
    assert!(given["by"].as_str().unwrap().starts_with("ada@"), "{given}");
    assert_eq!(given["from"], "ferry approve, https://github.com/o/r/actions/runs/7");
    assert!(given["at"].as_str().unwrap().starts_with("20"), "{given}");
    // An unnamed approval is for what the run waits at, and nothing waits at what is only announced.
    let open = shown(&ferry)["gates"].clone();
    assert_eq!(open[0]["gate"], "delete");
    assert_eq!(open[0]["ahead"], true);
}

#[test]
fn a_run_goes_on_without_a_home_a_terminal_or_a_directory_to_write_in() {
    let (simulator, ferry, _) = paused("two-regions");
    let state = ferry.directory().join("state");
    // As cron, or a container that may write nowhere else, starts it: nothing but the state directory.
    let mut bare = std::process::Command::new(env!("CARGO_BIN_EXE_ferry"));
    bare.args(["resume", "last", "--yes", "--state"])
        .arg(&state)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null());
    Ran::of(&bare.output().unwrap()).code(0);
    assert_eq!(shown(&ferry)["status"], "done");
    assert!(!simulator.writes().is_empty());
}

#[test]
fn a_quiet_period_outlives_the_process_and_costs_nothing() {
    let simulator = Simulator::start("one-vm");
    let (identity, to) = demo("one-vm");
    let ferry = Ferry::new();
    let waiting = ferry
        .run(&relocation(&identity, &to, &simulator.url, &["quiet=2h", "--yes"]))
        .code(3);
    assert!(waiting.err.contains("waits until 20"), "{}", waiting.err);
    assert_eq!(shown(&ferry)["status"], "paused");
    let writes = simulator.writes().len();
    // Whoever asks too early is told the same time, and nothing is sent that writes.
    let until = |ran: &Ran| {
        let at = ran.err.find("waits until ").unwrap();
        ran.err[at..].split_whitespace().nth(2).unwrap().to_owned()
    };
    let again = ferry.run(&["resume", "last", "--yes"]).code(3);
    assert_eq!(until(&waiting), until(&again));
    assert_eq!(simulator.writes().len(), writes);
}
