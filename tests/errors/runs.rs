//! What can be said against going on with a run, or beginning one beside it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use serde_json::{Value, json};

use super::talk::Talk;
use crate::support::{Ran, Simulator, demo, estate_file, relocation};

const GROUP: &str = "/subscriptions/a11c0002-0002-4002-8002-a11c00000002/resourceGroups/rg-one";

#[test]
fn a_run_that_waits_or_has_begun_says_how_to_go_on() {
    let mut talk = Talk::new();
    let simulator = talk.simulator(Simulator::start("one-vm"));
    let (identity, to) = demo("one-vm");
    let relocate = ["run", "relocate", &identity, &to, "--cloud", &simulator.url];
    talk.fails(3, "approval-needed", &relocate);
    let sent = simulator.writes().len();
    talk.fails(1, "run-unfinished", &[relocate.as_slice(), &["--yes"]].concat());
    talk.fails(
        1,
        "run-unfinished",
        &[
            "run",
            "relocate",
            &identity,
            "to=northeurope",
            "--yes",
            "--cloud",
            &simulator.url,
        ],
    );
    talk.fails(2, "other-cloud", &["resume", "last", "--cloud", "public"]);
    std::fs::create_dir(talk.directory().join("more")).unwrap();
    talk.fails(2, "other-scripts", &["resume", "last", "--scripts", "more"]);
    talk.fails(2, "plan-of-a-run", &["resume", "last", "--plan"]);
    talk.fails(2, "nothing-to-approve", &["approve", "last", "lunch"]);
    assert_eq!(simulator.writes().len(), sent, "one of these wrote something");
    talk.quietly(0, &["resume", "last", "--yes"]);
    talk.fails(2, "nothing-to-approve", &["approve", "last"]);
    insta::assert_snapshot!(talk.taken_down());
}

#[test]
fn a_state_directory_that_cannot_be_written_stops_a_run_before_it_begins() {
    let mut talk = Talk::new();
    talk.file("file", "");
    talk.fails(
        1,
        "state-unwritable",
        &["run", "relocate", "--sim", "--yes", "--state", "file"],
    );
    talk.fails(1, "state-unwritable", &["runs", "--state", "file"]);
    // Nobody listens at port 9.
    let nowhere = "http://127.0.0.1:9/devstoreaccount1/ferry";
    talk.fails(1, "state-unreachable", &["runs", "--state", nowhere]);
    talk.fails(1, "file-unwritable", &["doc", "--markdown", "file"]);
    insta::assert_snapshot!(talk.taken_down());
}

#[test]
fn a_run_that_another_process_holds_is_left_to_it() {
    let mut talk = Talk::new();
    let simulator = Simulator::with(&estate_file("one-vm"), &["--lag", "0.1", "--latency", "400"]);
    let simulator = talk.simulator(simulator);
    let (identity, to) = demo("one-vm");
    let mut process = talk
        .command(&[
            "run",
            "relocate",
            &identity,
            &to,
            "--cloud",
            &simulator.url,
            "--yes",
            "--json",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Its first line says that the journal is there, and that it works on it.
    let mut first = String::new();
    BufReader::new(process.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();
    let run: serde_json::Value = serde_json::from_str(&first).unwrap();
    talk.hide(run["run"].as_str().unwrap(), "RUN");
    talk.fails(1, "run-held", &["resume", "last"]);
    talk.fails(1, "run-held", &["approve", "last"]);
    process.kill().unwrap();
    process.wait().unwrap();
    insta::assert_snapshot!(talk.taken_down());
}

#[test]
fn a_run_is_stopped_by_an_interrupt_and_says_how_to_go_on() {
    let mut talk = Talk::new();
    talk.file("slow.rhai", "//! Waits.\nfn main(params) { run::wait(\"50s\"); }\n");
    let args = ["run", "./slow.rhai", "--sim"];
    let mut command = talk.command(&args);
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(process.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("  waits ") && said.read_line(&mut line).unwrap() > 0 {}
    let interrupt = ["-INT", &process.id().to_string()].map(str::to_owned);
    assert!(
        std::process::Command::new("kill")
            .args(interrupt)
            .status()
            .unwrap()
            .success()
    );
    let mut err = line;
    said.read_to_string(&mut err).unwrap();
    let ended = Ran {
        err,
        ..Ran::of(&process.wait_with_output().unwrap())
    };
    talk.take(130, &args, &ended);
    insta::assert_snapshot!(talk.taken_down());
}

/// A relocation that has moved everything and waits at the gate.
fn waiting_at_the_gate(talk: &mut Talk) -> Simulator {
    let simulator = talk.altered("one-vm", &["--lag", "off"], |_| {});
    let (identity, to) = demo("one-vm");
    let relocate = relocation(&identity, &to, &simulator.url, &[]);
    talk.quietly(3, &relocate);
    simulator
}

/// A stored document by its name.
fn named(simulator: &Simulator, name: &str) -> Value {
    let found = simulator
        .documents()
        .into_iter()
        .find(|document| document["name"] == name);
    found.unwrap()
}

/// The one role assignment of an identity.
fn assignment_of(simulator: &Simulator, identity: &str) -> Value {
    let principal = named(simulator, identity)["properties"]["principalId"].clone();
    let held = simulator.documents().into_iter().find(|document| {
        document["type"] == "Microsoft.Authorization/roleAssignments"
            && document["properties"]["principalId"] == principal
    });
    held.unwrap()
}

fn revoke(simulator: &Simulator, assignment: &Value) {
    let path = format!("{}?api-version=2022-04-01", assignment["id"].as_str().unwrap());
    simulator.change("DELETE", &path, &Value::Null);
}

#[test]
fn what_changed_behind_the_gate_keeps_the_old_identity() {
    let mut revoked = Talk::new();
    let simulator = waiting_at_the_gate(&mut revoked);
    revoke(&simulator, &assignment_of(&simulator, "id-moved"));
    revoked.fails(1, "undone-since", &["resume", "last", "--yes"]);
    assert_eq!(named(&simulator, "id-one")["name"], "id-one");

    let mut late = Talk::new();
    let simulator = waiting_at_the_gate(&mut late);
    let held = assignment_of(&simulator, "id-one")["properties"].clone();
    let more = "a11c00b1-0001-4001-8001-a11c000000b1?api-version=2022-04-01";
    let path = format!(
        "{GROUP}/providers/Microsoft.Compute/virtualMachines/vm-one/providers/Microsoft.Authorization/roleAssignments/{more}"
    );
    let body =
        json!({ "properties": { "roleDefinitionId": held["roleDefinitionId"], "principalId": held["principalId"] } });
    simulator.change("PUT", &path, &body);
    late.fails(1, "found-late", &["resume", "last", "--yes"]);
    assert_eq!(named(&simulator, "id-one")["name"], "id-one");

    let mut turned = Talk::new();
    let simulator = waiting_at_the_gate(&mut turned);
    let (old, made) = (
        named(&simulator, "id-one")["id"].clone(),
        named(&simulator, "id-moved")["id"].clone(),
    );
    let ids = json!({ old.as_str().unwrap(): {}, made.as_str().unwrap(): null });
    let path = format!("{GROUP}/providers/Microsoft.Compute/virtualMachines/vm-one?api-version=2024-07-01");
    simulator.change(
        "PATCH",
        &path,
        &json!({ "identity": { "type": "UserAssigned", "userAssignedIdentities": ids } }),
    );
    turned.fails(1, "undone-since", &["resume", "last", "--yes"]);
    assert_eq!(named(&simulator, "id-one")["name"], "id-one");
    insta::assert_snapshot!([revoked.taken_down(), late.taken_down(), turned.taken_down()].join("\n\n"));
}

#[test]
fn a_difference_that_verification_finds_ends_with_4() {
    let mut talk = Talk::new();
    let simulator = talk.altered("one-vm", &["--lag", "off"], |_| {});
    let (identity, to) = demo("one-vm");
    let relocate = relocation(&identity, &to, &simulator.url, &["--until", "move"]);
    talk.quietly(3, &relocate);
    revoke(&simulator, &assignment_of(&simulator, "id-moved"));
    talk.fails(4, "difference", &["resume", "last", "--yes"]);
    assert_eq!(named(&simulator, "id-one")["name"], "id-one");
    insta::assert_snapshot!(talk.taken_down());
}

#[test]
fn a_run_that_waits_for_time_or_for_a_person_says_when_and_for_what() {
    let mut time = Talk::new();
    let simulator = time.altered("one-vm", &["--lag", "off"], |_| {});
    let (identity, to) = demo("one-vm");
    let relocate = ["run", "relocate", &identity, &to, "name=id-moved", "--yes", "--cloud"];
    time.fails(
        3,
        "waiting",
        &[relocate.as_slice(), &[&simulator.url, "quiet=24h"]].concat(),
    );

    let mut person = Talk::new();
    let simulator = person.altered("one-vm", &["--lag", "off"], |estate| {
        let documents = estate["arm"]["resources"].as_array().unwrap();
        let old = documents.iter().find(|document| document["name"] == "id-one").unwrap()["properties"]["principalId"]
            .clone();
        estate["graph"]["groups"] = json!([{
            "id": "a11c00c1-0001-4001-8001-a11c000000c1", "displayName": "by-rule", "groupTypes": ["DynamicMembership"],
            "membershipRule": "device.deviceId -eq \"1\"", "securityEnabled": true, "members": [old], "owners": [],
        }]);
    });
    person.fails(3, "hand-over-open", &[relocate.as_slice(), &[&simulator.url]].concat());
    let made = named(&simulator, "id-moved")["properties"]["principalId"].clone();
    person.hide(made.as_str().unwrap(), "PRINCIPAL");
    insta::assert_snapshot!([time.taken_down(), person.taken_down()].join("\n\n"));
}

#[test]
fn what_could_not_be_looked_into_keeps_the_old_identity() {
    let mut talk = Talk::new();
    let fault = json!([{
        "match": { "path": "/memberOf" },
        "do": { "status": 403, "code": "Authorization_RequestDenied", "message": "Insufficient privileges to complete the operation." },
    }]);
    talk.file("faults.json", &fault.to_string());
    let faults = talk.directory().join("faults.json");
    let simulator = talk.altered(
        "one-vm",
        &["--lag", "off", "--faults", faults.to_str().unwrap()],
        |_| {},
    );
    let (identity, to) = demo("one-vm");
    talk.fails(
        3,
        "hand-over-open",
        &["run", "relocate", &identity, &to, "--yes", "--cloud", &simulator.url],
    );
    assert_eq!(named(&simulator, "id-one")["name"], "id-one");
    insta::assert_snapshot!(talk.taken_down());
}

#[test]
fn a_journal_that_cannot_be_read_is_named_and_left_as_it_is() {
    let mut talk = Talk::new();
    talk.file("one.rhai", "//! One.\nfn main(params) { run::step(\"one\", || 1) }\n");
    let ran = talk.quietly(0, &["run", "./one.rhai", "--sim", "--json"]);
    let first: Value = serde_json::from_str(ran.out.lines().next().unwrap()).unwrap();
    let run = first["run"].as_str().unwrap();
    talk.hide(run, "RUN");
    let journal = talk.directory().join("state").join(format!("{run}.sqlite"));
    let connection = rusqlite::Connection::open(&journal).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    talk.fails(1, "journal-newer", &["show", run]);
    std::fs::write(&journal, "this is no database").unwrap();
    talk.fails(1, "journal-damaged", &["show", run]);
    assert_eq!(std::fs::read_to_string(&journal).unwrap(), "this is no database");
    insta::assert_snapshot!(talk.taken_down());
}
