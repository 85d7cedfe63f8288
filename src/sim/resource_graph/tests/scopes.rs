use serde_json::{Value as Json, json};

use super::super::answer;
use super::{NOW, ask, sample};

#[track_caller]
fn names(mut body: Json) -> Json {
    body["query"] = json!(format!("{} | project x = name", body["query"].as_str().unwrap()));
    ask(&body).unwrap()["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["x"].clone())
        .collect()
}

const GRANTS: &str = "authorizationresources | where type endswith 'assignments'";

#[test]
fn a_named_subscription_or_group_bounds_the_rows() {
    assert_eq!(
        names(json!({"query": "resources", "subscriptions": ["S2"]})),
        json!(["lab1"])
    );
    assert_eq!(
        names(json!({"query": "resources | take 1", "managementGroups": ["corp"]})),
        json!(["id-shop"])
    );
    assert_eq!(
        names(json!({"query": "resources | count | extend name = Count", "managementGroups": ["t1"]})),
        json!([5])
    );
    assert_eq!(
        names(json!({"query": "resourcecontainers", "managementGroups": ["corp"]})),
        json!(["Shop", "corp", "rg-Shop"])
    );
    assert_eq!(
        names(json!({"query": "resources", "subscriptions": []}))
            .as_array()
            .unwrap()
            .len(),
        5
    );
}

#[test]
fn grants_above_a_scope_are_seen_only_through_the_filter() {
    assert_eq!(names(json!({"query": GRANTS})), json!(["a1", "a2", "a3", "a4"]));
    assert_eq!(names(json!({"query": GRANTS, "subscriptions": ["s1"]})), json!(["a1"]));
    assert_eq!(
        names(json!({"query": GRANTS, "managementGroups": ["corp"]})),
        json!(["a1", "a2"])
    );
    let with = |filter: &str, subscription: &str| {
        names(
            json!({"query": GRANTS, "subscriptions": [subscription], "options": {"authorizationScopeFilter": filter}}),
        )
    };
    assert_eq!(with("AtScopeAndAbove", "s1"), json!(["a2", "a3"]));
    assert_eq!(with("AtScopeAboveAndBelow", "s1"), json!(["a1", "a2", "a3"]));
    assert_eq!(with("AtScopeExact", "s2"), json!(["a4"]));
    assert_eq!(with("AtScopeAndAbove", "s2"), json!(["a3", "a4"]));
}

#[test]
fn rows_that_the_caller_may_not_read_are_left_out_in_silence() {
    let mut sample = sample();
    sample.hidden = vec!["/subscriptions/s2"];
    let ask = |body: Json| answer(&body, &sample, NOW);
    assert_eq!(
        ask(json!({"query": "resources | count"})).unwrap()["data"][0]["Count"],
        4
    );
    let refused = ask(json!({"query": "resources", "subscriptions": ["s1", "s2"]})).unwrap_err();
    assert_eq!(
        (refused.status, &refused.body["error"]["code"]),
        (403, &json!("AccessDenied"))
    );
    let partial = ask(
        json!({"query": "resources | count", "subscriptions": ["s1", "s2"], "options": {"allowPartialScopes": true}}),
    );
    assert_eq!(partial.unwrap()["data"][0]["Count"], 4);
}
