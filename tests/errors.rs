//! What bad input gets: what, which, what was left untouched, what to do next; and the right exit code.

use crate::support::{Ferry, Simulator, demo};

#[test]
fn bad_input_is_refused_before_a_cloud_is_asked() {
    let ferry = Ferry::new();
    std::fs::write(ferry.directory().join("broken.rhai"), "fn main(params) { let x = ; }").unwrap();
    for (args, says) in [
        (vec!["run", "relocat", "--sim"], "relocate"),
        (vec!["run", "relocate", "--sim", "identiy=x"], "identity"),
        (vec!["run", "relocate", "--sim", "to=west-europe"], "region"),
        (
            vec!["run", "relocate", "--cloud", "azur", "identity=x", "to=westeurope"],
            "cloud",
        ),
        (vec!["run", "./broken.rhai", "--sim"], "broken.rhai"),
        (vec!["run", "relocate", "identity=x"], "to"),
        (vec!["show", "nothing"], "nothing"),
        (vec!["resume", "last"], "last"),
        (vec!["sail"], "sail"),
    ] {
        let ran = ferry.run(&args).code(2);
        assert!(ran.err.contains(says), "{args:?}\n{}", ran.err);
    }
}

#[test]
fn an_estate_that_is_none_names_the_document() {
    let ferry = Ferry::new();
    let file = ferry.directory().join("estate.json");
    std::fs::write(
        &file,
        r#"{"tenantId": "t", "arm": {"resources": [{"id": "/subscriptions/s"}, {"id": "nonsense"}]}}"#,
    )
    .unwrap();
    let ran = ferry.run(&["sim", "--estate", file.to_str().unwrap()]);
    assert_ne!(ran.code, 0);
    assert!(ran.err.contains("/arm/resources/1"), "{}", ran.err);
}

#[test]
fn an_unreachable_endpoint_and_an_unknown_identity_fail_with_1() {
    let ferry = Ferry::new();
    let ran = ferry
        .run(&[
            "run",
            "relocate",
            "--cloud",
            "http://127.0.0.1:9",
            "identity=id-x",
            "to=westeurope",
            "--yes",
        ])
        .code(1);
    assert!(ran.err.contains("127.0.0.1:9"), "{}", ran.err);
    let simulator = Simulator::start("one-vm");
    let (_, to) = demo("one-vm");
    let ran = ferry
        .run(&[
            "run",
            "relocate",
            "--cloud",
            &simulator.url,
            "identity=id-nobody",
            &to,
            "--yes",
        ])
        .code(1);
    assert!(ran.err.contains("unknown-identity"), "{}", ran.err);
    assert!(simulator.writes().is_empty());
}

#[test]
fn a_state_directory_that_cannot_be_written_is_named() {
    let ferry = Ferry::new();
    let file = ferry.directory().join("file");
    std::fs::write(&file, "").unwrap();
    let ran = ferry
        .run(&["run", "relocate", "--sim", "--yes", "--state", file.to_str().unwrap()])
        .code(1);
    assert!(ran.err.contains("state-unwritable"), "{}", ran.err);
}

#[test]
fn a_run_that_a_wrong_name_kept_from_moving_is_begun_anew_with_another_one() {
    let ferry = Ferry::new();
    let simulator = Simulator::start("lookalikes");
    let (identity, to) = demo("lookalikes");
    let run = |name: &str, code: i32| {
        let args = [
            "run",
            "relocate",
            &identity,
            &to,
            name,
            "--cloud",
            &simulator.url,
            "--until",
            "prepare",
        ];
        ferry.run(&args).code(code)
    };
    let taken = run("name=id-orders2", 1);
    assert!(taken.err.contains("target-taken"), "{}", taken.err);
    let again = run("name=id-orders2", 1);
    assert!(again.err.contains("ferry resume"), "{}", again.err);
    run("name=id-fresh", 3);
    assert!(simulator.writes().is_empty());
}
