//! `$batch`, as the server works through it.

use super::*;

fn run(directory: &mut Directory, body: Value) -> Answer {
    let outer = ask("POST", "/v1.0/$batch", Some(body), &[("client-request-id", "mine")]);
    let inner = match Directory::batch(&outer) {
        Ok(inner) => inner,
        Err(answer) => return answer,
    };
    let mut done = Vec::new();
    for one in inner {
        let answer = one.blocked(&done).unwrap_or_else(|| directory.answer(&one.ask));
        done.push((one, answer));
    }
    Directory::batch_answer(done)
}

#[test]
fn a_batch_runs_in_order_of_its_dependencies_and_fails_what_hangs_on_a_failure() {
    let mut directory = directory();
    let answer = run(
        &mut directory,
        json!({"requests": [
            {"id": "2", "method": "GET", "url": format!("groups/{ALL}/members?$select=id"), "dependsOn": ["1"]},
            {"id": "1", "method": "POST", "url": format!("/groups/{ALL}/members/$ref"), "body": reference(SHOP),
             "headers": {"Content-Type": "application/json"}},
            {"id": "3", "method": "GET", "url": format!("/groups/{UNKNOWN}")},
            {"id": "4", "method": "DELETE", "url": format!("/groups/{ALL}"), "dependsOn": ["3"]},
            {"id": "5", "method": "DELETE", "url": format!("/groups/{ALL}"), "dependsOn": ["4"]},
        ]}),
    );
    assert_eq!(answer.status, 200);
    assert_eq!(header(&answer, "client-request-id"), Some("mine"));
    let body = answer.body.unwrap();
    let status: Vec<(&str, u64)> = body["responses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["id"].as_str().unwrap(), one["status"].as_u64().unwrap()))
        .collect();
    assert_eq!(status, [("2", 200), ("1", 204), ("3", 404), ("4", 424), ("5", 424)]);
    assert_eq!(body["responses"][0]["body"]["value"].as_array().unwrap().len(), 2);
    assert!(body["responses"][1].get("body").is_none());
    assert_eq!(directory.kind(ALL), Some("Group"));
}

#[test]
fn a_malformed_batch_is_refused_whole() {
    let one = |id: &str| json!({"id": id, "method": "GET", "url": "/groups"});
    let many: Vec<Value> = (0..21).map(|n| one(&n.to_string())).collect();
    for body in [
        json!({}),
        json!({"requests": many}),
        json!({"requests": [one("1"), one("1")]}),
        json!({"requests": [{"id": "1", "method": "GET"}]}),
        json!({"requests": [{"id": "1", "method": "GET", "url": "/groups", "dependsOn": ["9"]}]}),
        json!({"requests": [{"id": "1", "method": "GET", "url": "/groups", "dependsOn": ["1"]}]}),
        json!({"requests": [{"id": "1", "method": "POST", "url": "/groups", "body": {}}]}),
    ] {
        assert_eq!(run(&mut directory(), body.clone()).status, 400, "{body}");
    }
}
