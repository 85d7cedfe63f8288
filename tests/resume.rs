//! Runs that stop go on where they stopped.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Ferry, Simulator, demo, estate_file};

#[test]
fn a_run_waits_for_approval_and_goes_on_after_it() {
    let simulator = Simulator::start("one-vm");
    let (identity, to) = demo("one-vm");
    let ferry = Ferry::new();
    let paused = ferry
        .run(&["run", "relocate", &identity, &to, "--cloud", &simulator.url])
        .code(3);
    assert!(paused.err.contains("approve"), "{}", paused.err);
    let shown = ferry.run(&["show", "last", "--json"]).code(0).json();
    assert_eq!(shown["status"], "paused");
    ferry.run(&["approve", "last", "clean_up"]).code(0);
    ferry.run(&["resume", "last"]).code(0);
    assert_eq!(ferry.run(&["show", "last", "--json"]).code(0).json()["status"], "done");
    ferry.run(&["resume", "last"]).code(0);
}

#[test]
fn until_stops_behind_a_phase_for_that_command_only() {
    let simulator = Simulator::start("two-regions");
    let (identity, to) = demo("two-regions");
    let ferry = Ferry::new();
    ferry
        .run(&[
            "run",
            "relocate",
            &identity,
            &to,
            "--cloud",
            &simulator.url,
            "--until",
            "move",
            "--yes",
        ])
        .code(3);
    let again = ferry
        .run(&["run", "relocate", &identity, &to, "--cloud", &simulator.url, "--yes"])
        .code(1);
    assert!(again.err.contains("resume"), "{}", again.err);
    ferry.run(&["resume", "last", "--yes"]).code(0);
}

#[test]
fn resume_after_kill_sends_no_write_again_after_its_done() {
    for after in [3_u64, 9, 16] {
        let simulator = Simulator::with(&estate_file("many-scopes"), &["--lag", "0.1", "--latency", "15"]);
        let (identity, to) = demo("many-scopes");
        let ferry = Ferry::new();
        let mut process = ferry
            .command(&["run", "relocate", &identity, &to, "--cloud", &simulator.url, "--yes"])
            .spawn()
            .unwrap();
        // Killed once so many writes were answered, wherever it is then.
        while (simulator.writes().len() as u64) < after && process.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(2));
        }
        process.kill().unwrap();
        process.wait().unwrap();
        ferry.run(&["resume", "last", "--yes"]).code(0);
        let mut done: HashMap<(String, String, String), usize> = HashMap::new();
        for row in simulator.writes() {
            let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            if row["status"].as_u64().is_some_and(|status| status < 300) {
                *done
                    .entry((text("method"), text("path"), text("bodyHash")))
                    .or_default() += 1;
            }
        }
        let shown = ferry.run(&["show", "last", "--json"]).code(0).json();
        let changes = shown["changes"].as_array().unwrap();
        let open = changes.iter().filter(|change| change["status"] == "intended").count();
        assert_eq!((open, &shown["status"]), (0, &Value::from("done")));
        let repeated: Vec<_> = done.iter().filter(|(_, count)| **count > 1).collect();
        assert!(repeated.is_empty(), "sent again after its done: {repeated:#?}");
    }
}
