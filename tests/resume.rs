//! Runs that stop go on where they stopped.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Ferry, Simulator, demo, estate_file, relocation};

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

/// A role assignment's path with its version, by principal and scope.
fn assignment_of(simulator: &Simulator, principal: &str) -> String {
    let documents = simulator.documents();
    let found = documents.iter().find(|d| {
        d["type"] == "Microsoft.Authorization/roleAssignments" && d["properties"]["principalId"] == principal
    });
    format!("{}?api-version=2022-04-01", found.unwrap()["id"].as_str().unwrap())
}

fn principal_of(simulator: &Simulator, name: &str) -> String {
    let documents = simulator.documents();
    let found = documents
        .iter()
        .find(|d| d["name"] == name && d["properties"]["principalId"].is_string());
    found.unwrap()["properties"]["principalId"].as_str().unwrap().to_owned()
}

#[test]
fn what_verification_found_keeps_the_old_identity_until_it_is_mended() {
    let simulator = Simulator::start("many-scopes");
    let (identity, to) = demo("many-scopes");
    let ferry = Ferry::new();
    let args = relocation(&identity, &to, &simulator.url, &["--until", "move", "--yes"]);
    ferry.run(&args).code(3);
    let path = assignment_of(&simulator, &principal_of(&simulator, "id-moved"));
    let body = simulator.ask("GET", &path, &Value::Null).1;
    assert_eq!(simulator.ask("DELETE", &path, &Value::Null).0, 200);
    // As often as it is asked for: what was found before is found again.
    for _ in 0..2 {
        let ran = ferry.run(&["resume", "last", "--yes"]).code(4);
        assert!(ran.err.contains("difference"), "{}", ran.err);
    }
    let properties = &body["properties"];
    let again = serde_json::json!({ "properties": {
        "roleDefinitionId": properties["roleDefinitionId"], "principalId": properties["principalId"],
        "principalType": "ServicePrincipal", "condition": properties["condition"],
        "conditionVersion": properties["conditionVersion"], "description": properties["description"] } });
    assert_eq!(simulator.ask("PUT", &path, &again).0, 201);
    ferry.run(&["resume", "last", "--yes"]).code(0);
}

#[test]
fn what_came_since_the_plan_keeps_the_old_identity_until_it_is_gone() {
    let simulator = Simulator::start("many-scopes");
    let (identity, to) = demo("many-scopes");
    let ferry = Ferry::new();
    let args = relocation(&identity, &to, &simulator.url, &["--until", "verify", "--yes"]);
    ferry.run(&args).code(3);
    let id = identity.trim_start_matches("identity=");
    let late = format!("{id}/federatedIdentityCredentials/late?api-version=2024-11-30");
    let body = serde_json::json!({ "properties": {
        "issuer": "https://token.actions.githubusercontent.com", "subject": "repo:a/b:ref:refs/heads/late",
        "audiences": ["api://AzureADTokenExchange"] } });
    assert_eq!(simulator.ask("PUT", &late, &body).0, 201);
    for _ in 0..2 {
        let ran = ferry.run(&["resume", "last", "--yes"]).code(1);
        assert!(
            ran.err.contains("found-late") && ran.err.contains("late"),
            "{}",
            ran.err
        );
    }
    assert_eq!(simulator.ask("DELETE", &late, &Value::Null).0, 200);
    ferry.run(&["resume", "last", "--yes"]).code(0);
}

/// A run over an estate of which something cannot be read, and the command that it names.
fn blind_run(simulator: &Simulator, ferry: &Ferry) -> String {
    let (identity, to) = demo("many-scopes");
    let faults = serde_json::json!([{ "match": { "method": "GET", "path": "(?i)userAssignedIdentities/[^/]+/federatedIdentityCredentials" },
        "do": { "status": 403 } }]);
    assert_eq!(simulator.ask("POST", "/_sim/faults", &faults).0, 200);
    let cloud = ["--cloud", &simulator.url];
    // Neither of them accepts what nobody has seen.
    let args = [
        &["run", "relocate", &identity, &to, "--yes", "hand_overs=accept"][..],
        &cloud,
    ]
    .concat();
    let ran = ferry.run(&args).code(3);
    let old = identity.trim_start_matches("identity=").to_lowercase();
    let there = |d: &Value| d["id"].as_str().unwrap().to_lowercase() == old;
    assert!(simulator.documents().iter().any(there), "the old identity is gone");
    let command = ran
        .err
        .lines()
        .find(|line| line.contains("ferry approve"))
        .unwrap_or_default();
    let words: Vec<&str> = command.split_whitespace().skip_while(|word| *word != "ferry").collect();
    (*words.get(3).unwrap_or(&"")).to_owned()
}

#[test]
fn a_place_that_could_not_be_seen_is_looked_at_again_by_resume() {
    let simulator = Simulator::start("many-scopes");
    let ferry = Ferry::new();
    assert_eq!(blind_run(&simulator, &ferry), "unseen:trust/federated");
    ferry.run(&["resume", "last", "--yes"]).code(3);
    assert_eq!(simulator.ask("DELETE", "/_sim/faults", &Value::Null).0, 204);
    ferry.run(&["resume", "last", "--yes"]).code(0);
    let shown = ferry.run(&["show", "last", "--json"]).code(0).json();
    let task = shown["handOvers"]
        .as_array()
        .unwrap()
        .iter()
        .find(|t| t["task"] == "unseen:trust/federated");
    assert_eq!(task.unwrap()["closed"], "check");
}

#[test]
fn a_place_that_could_not_be_seen_can_be_approved_by_name() {
    let simulator = Simulator::start("many-scopes");
    let ferry = Ferry::new();
    let task = blind_run(&simulator, &ferry);
    ferry.run(&["approve", "last", &task]).code(0);
    ferry.run(&["resume", "last", "--yes"]).code(0);
}
