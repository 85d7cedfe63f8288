//! What a cloud answers, or that it does not: Azure's own words are kept, and nothing was written.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use super::talk::Talk;
use crate::support::{Simulator, estate_file};

const VM: &str = "/subscriptions/a11c0002-0002-4002-8002-a11c00000002/resourceGroups/rg-one/providers/Microsoft.Compute/virtualMachines/vm-one";

#[test]
fn a_cloud_that_cannot_be_reached_or_believed_is_named() {
    let mut talk = Talk::new();
    let relocate = ["identity=id-one", "to=westeurope", "--yes"];
    let on = |cloud: &'static str| [["run", "relocate", "--cloud", cloud].as_slice(), &relocate].concat();
    talk.fails(1, "unreachable", &on("http://127.0.0.1:9"));
    talk.fails(1, "request-refused", &on("http://management.example.com"));
    talk.fails(
        1,
        "no-credential",
        &[on("public").as_slice(), &["--auth", "environment"]].concat(),
    );
    assert!(!talk.directory().join("state").exists());
    insta::assert_snapshot!(talk.taken_down());
}

#[test]
fn what_azure_refuses_is_told_in_its_words() {
    let mut talk = Talk::new();
    let answers = [
        (
            "token-refused",
            401,
            "InvalidAuthenticationToken",
            "The access token is invalid.",
        ),
        (
            "not-allowed",
            403,
            "AuthorizationFailed",
            "The client 'a' with object id 'b' does not have authorization to perform action 'Microsoft.Compute/virtualMachines/read' over scope '/x' or the scope is invalid.",
        ),
        (
            "not-allowed",
            403,
            "LinkedAuthorizationFailed",
            "The client 'a' has permission to perform action 'Microsoft.Compute/virtualMachines/write' on scope '/x'; however, it does not have permission to perform action(s) 'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action' on the linked scope(s) '/y'.",
        ),
        (
            "denied-by-policy",
            403,
            "RequestDisallowedByPolicy",
            "Resource 'vm-one' was disallowed by policy.",
        ),
        (
            "locked",
            409,
            "ScopeLocked",
            "The scope '/x' cannot perform write operation because following scope(s) are locked: '/x'.",
        ),
        (
            "principal-not-replicated",
            400,
            "PrincipalNotFound",
            "Principal 5e2f does not exist in the directory 0a0a.",
        ),
        (
            "assignment-limit",
            400,
            "RoleAssignmentLimitExceeded",
            "The number of role assignments for the subscription has reached the limit.",
        ),
        (
            "azure-refused",
            400,
            "InvalidParameter",
            "The value of parameter linuxConfiguration.ssh.publicKeys.keyData is invalid.",
        ),
    ];
    let faults: Vec<_> = answers
        .iter()
        .enumerate()
        .map(|(index, (_, status, code, message))| {
            serde_json::json!({
                "match": { "path": format!("vm-one.*expand={index}") },
                "do": { "status": status, "code": code, "message": message },
            })
        })
        .collect();
    talk.file("faults.json", &serde_json::Value::from(faults).to_string());
    let file = talk.directory().join("faults.json");
    let simulator = Simulator::with(&estate_file("one-vm"), &["--faults", file.to_str().unwrap()]);
    let simulator = talk.simulator(simulator);
    for (index, (error, ..)) in answers.iter().enumerate() {
        let read = format!("arm::get(\"{VM}\", #{{ query: #{{ \"$expand\": \"{index}\" }} }})");
        talk.fails(1, error, &["eval", "--cloud", &simulator.url, &read]);
    }
    assert!(simulator.writes().is_empty());
    insta::assert_snapshot!(talk.taken_down());
}

#[test]
fn a_token_that_is_refused_stops_a_run_before_it_wrote_anything() {
    let mut talk = Talk::new();
    let fault = r#"[{"match": {"method": "GET", "path": "^/subscriptions"}, "do": {"status": 401, "code": "ExpiredAuthenticationToken", "message": "The access token has expired."}}]"#;
    talk.file("faults.json", fault);
    let file = talk.directory().join("faults.json");
    let simulator = Simulator::with(&estate_file("one-vm"), &["--faults", file.to_str().unwrap()]);
    let simulator = talk.simulator(simulator);
    let (identity, to) = crate::support::demo("one-vm");
    talk.fails(
        1,
        "token-refused",
        &["run", "relocate", &identity, &to, "--yes", "--cloud", &simulator.url],
    );
    assert!(simulator.writes().is_empty());
    insta::assert_snapshot!(talk.taken_down());
}

#[test]
fn an_answer_of_something_else_than_azure_is_not_believed() {
    let mut talk = Talk::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    talk.hide(&url, "http://127.0.0.1:PORT");
    // A proxy that wants to be signed in to answers every request with a page; it ends with the test.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let page = "<html>Sign in to the network</html>";
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\ncontent-length:";
            let _ = stream.write_all(format!("{head} {}\r\n\r\n{page}", page.len()).as_bytes());
        }
    });
    talk.fails(1, "unreadable-answer", &["eval", "--cloud", &url, "identity::list()"]);
    insta::assert_snapshot!(talk.taken_down());
}

#[test]
fn a_cloud_that_turns_everything_away_is_given_up_on() {
    let mut talk = Talk::new();
    talk.file(
        "faults.json",
        r#"[{"match": {"path": "vm-one"}, "do": {"status": 429, "retryAfter": 0}}]"#,
    );
    let file = talk.directory().join("faults.json");
    let simulator = Simulator::with(&estate_file("one-vm"), &["--faults", file.to_str().unwrap()]);
    let simulator = talk.simulator(simulator);
    talk.fails(
        1,
        "throttled",
        &["eval", "--cloud", &simulator.url, &format!("arm::get(\"{VM}\")")],
    );
    insta::assert_snapshot!(talk.taken_down());
}
