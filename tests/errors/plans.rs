//! What can be said against a plan's file, and against carrying it out.

use serde_json::{Value, json};

use super::talk::Talk;
use crate::support::{Simulator, demo};

const VM: &str = "/subscriptions/a11c0002-0002-4002-8002-a11c00000002/resourceGroups/rg-one/providers/Microsoft.Compute/virtualMachines/vm-one?api-version=2024-07-01";

#[test]
fn a_plan_that_is_not_what_it_was_is_not_run() {
    let mut talk = Talk::new();
    let simulator = talk.simulator(Simulator::start("one-vm"));
    let (identity, to) = demo("one-vm");
    let file = |talk: &Talk| std::fs::read_to_string(talk.directory().join("p.json")).unwrap();
    let scripts = ["--scripts", "mine"];
    talk.file("mine/runbooks/look.rhai", "//! Looks.\nfn main(params) { 1 }\n");
    let plan = [
        &[
            "plan",
            "relocate",
            &identity,
            &to,
            "--out",
            "p.json",
            "--cloud",
            &simulator.url,
        ],
        scripts.as_slice(),
    ]
    .concat();
    talk.quietly(0, &plan);
    let whole = file(&talk);
    let run = ["run", "--plan-file", "p.json"];
    talk.fails(2, "plan-unreadable", &["run", "--plan-file", "q.json"]);
    talk.file("p.json", &whole.replace("vm-one", "vm-two"));
    talk.fails(2, "plan-damaged", &run);
    talk.file("p.json", &whole.replace("\"format\": 1", "\"format\": 99"));
    talk.fails(2, "plan-newer", &run);
    talk.file("p.json", &whole);
    talk.fails(2, "plan-other", &["run", "--plan-file", "p.json", "to=northeurope"]);
    talk.file("mine/bindings/mine.rhai", "//! Mine.\nconst TITLE = \"Mine\";\nfn find(identity) { [] }\nfn attach(binding, old, target) {}\nfn check(binding, old, target) { true }\nfn detach(binding, old, target) {}\n");
    talk.fails(2, "plan-scripts", &run);
    std::fs::remove_file(talk.directory().join("mine/bindings/mine.rhai")).unwrap();
    assert!(simulator.writes().is_empty(), "one of these wrote something");
    simulator.change("PATCH", VM, &json!({"tags": {"owner": "bob"}}));
    talk.quietly(1, &[run.as_slice(), &["--yes"]].concat());
    let runs: Value = serde_json::from_str(&talk.quietly(0, &["show", "last", "--json"]).out).unwrap();
    talk.hide(runs["run"].as_str().unwrap(), "RUN");
    talk.fails(1, "drift", &["resume", "last", "--yes"]);
    insta::assert_snapshot!(talk.taken_down());
}

#[test]
fn an_item_that_is_named_must_be_one() {
    let mut talk = Talk::new();
    let simulator = talk.simulator(Simulator::start("one-vm"));
    let (identity, to) = demo("one-vm");
    let plan = ["plan", "relocate", &identity, &to, "--cloud", &simulator.url];
    talk.fails(
        1,
        "unknown-item",
        &[plan.as_slice(), &["--leave-out", "lunch"]].concat(),
    );
    talk.fails(
        1,
        "ambiguous-item",
        &[plan.as_slice(), &["--leave-out", "rg-one"]].concat(),
    );
    let run = [
        "run",
        "relocate",
        &identity,
        &to,
        "--until",
        "prepare",
        "--cloud",
        &simulator.url,
    ];
    talk.quietly(3, &run);
    let runs: Value = serde_json::from_str(&talk.quietly(0, &["show", "last", "--json"]).out).unwrap();
    talk.hide(runs["run"].as_str().unwrap(), "RUN");
    talk.fails(2, "no-plan", &["resume", "last", "--accept-drift", "vm-one"]);
    insta::assert_snapshot!(talk.taken_down());
}
