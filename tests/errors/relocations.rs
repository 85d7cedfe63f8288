//! What stands in the way of a relocation, in the cloud as it is: exit code 1, and nothing was written.

use serde_json::json;

use super::talk::Talk;
use crate::support::{Simulator, demo};

/// Takes down a relocation that fails before it wrote anything.
#[track_caller]
fn fails(talk: &mut Talk, simulator: &Simulator, error: &str, params: &[&str]) {
    let args = [
        ["run", "relocate", "--cloud", &simulator.url, "--yes"].as_slice(),
        params,
    ]
    .concat();
    talk.fails(1, error, &args);
    assert!(
        simulator.writes().is_empty(),
        "{params:?} wrote {:?}",
        simulator.writes()
    );
}

#[test]
fn what_stands_in_the_way_is_found_before_anything_is_written() {
    let mut talk = Talk::new();
    let simulator = talk.simulator(Simulator::start("lookalikes"));
    let (identity, to) = demo("lookalikes");
    let id = identity.trim_start_matches("identity=");
    let group = id.split('/').nth(4).unwrap();
    fails(&mut talk, &simulator, "unknown-identity", &["identity=id-oders", &to]);
    fails(
        &mut talk,
        &simulator,
        "unknown-identity",
        &[&format!("{identity}-none"), &to],
    );
    fails(
        &mut talk,
        &simulator,
        "identity-ambiguous",
        &["identity=id-orders", &to],
    );
    fails(&mut talk, &simulator, "region-unknown", &[&identity, "to=atlantis"]);
    fails(
        &mut talk,
        &simulator,
        "group-missing",
        &[&identity, &to, "resource_group=rg-none"],
    );
    fails(&mut talk, &simulator, "name-invalid", &[&identity, &to, "name=-x"]);
    fails(
        &mut talk,
        &simulator,
        "target-taken",
        &[&identity, &to, "name=id-orders2", &format!("resource_group={group}")],
    );
    insta::assert_snapshot!(talk.taken_down());
}

const GROUP: &str = "/subscriptions/a11c0002-0002-4002-8002-a11c00000002/resourceGroups/rg-one";

#[test]
fn a_lock_that_would_stop_the_move_on_its_way_stops_it_before() {
    let mut talk = Talk::new();
    let simulator = talk.altered("one-vm", &["--lag", "off"], |estate| {
        estate["arm"]["resources"].as_array_mut().unwrap().push(json!({
            "id": format!("{GROUP}/providers/Microsoft.Authorization/locks/still"),
            "name": "still", "type": "Microsoft.Authorization/locks", "properties": { "level": "ReadOnly" },
        }));
    });
    let (identity, to) = demo("one-vm");
    fails(&mut talk, &simulator, "preflight", &[&identity, &to]);
    insta::assert_snapshot!(talk.taken_down());
}

#[test]
fn a_write_that_was_sent_and_got_no_answer_is_said_to_be_unfinished() {
    let mut talk = Talk::new();
    talk.file(
        "faults.json",
        r#"[{"match": {"method": "POST", "path": "vm-one/restart"}, "do": {"reset": "after"}}]"#,
    );
    let machine = format!("{GROUP}/providers/Microsoft.Compute/virtualMachines/vm-one");
    talk.file(
        "restart.rhai",
        &format!("//! Restarts.\nfn main(params) {{ arm::post(\"{machine}/restart\", ()) }}\n"),
    );
    let faults = talk.directory().join("faults.json");
    let simulator = talk.altered(
        "one-vm",
        &["--lag", "off", "--faults", faults.to_str().unwrap()],
        |_| {},
    );
    talk.fails(1, "unfinished", &["run", "./restart.rhai", "--cloud", &simulator.url]);
    insta::assert_snapshot!(talk.taken_down());
}
