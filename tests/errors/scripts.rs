//! What is wrong in a script: it is shown with its place, and what was left untouched.

use serde_json::json;

use super::talk::Talk;

#[test]
fn a_script_that_does_not_load_is_refused_before_anything_is_begun() {
    let mut talk = Talk::new();
    talk.file("broken.rhai", "//! Broken.\nfn main(params) {\n    let x = ;\n}\n");
    talk.refused("script-syntax", &["run", "./broken.rhai", "--sim"]);
    talk.file("helper.rhai", "//! No runbook.\nfn help() { 1 }\n");
    talk.refused("not-a-runbook", &["run", "./helper.rhai", "--sim"]);
    talk.file(
        "typed.rhai",
        "//! Odd.\nconst PARAMS = #{ to: #{ type: \"planet\" } };\nfn main(params) { 1 }\n",
    );
    talk.refused("malformed-params", &["run", "./typed.rhai", "--sim"]);
    talk.file(
        "lost.rhai",
        "//! Lost.\nimport \"relocation/documets\" as documents;\nfn main(params) { 1 }\n",
    );
    talk.refused("unknown-script", &["run", "./lost.rhai", "--sim"]);
    std::fs::write(talk.directory().join("bytes.rhai"), [0xff, 0xfe, 0x00]).unwrap();
    talk.refused("script-unreadable", &["run", "./bytes.rhai", "--sim"]);
    talk.file(
        "more/permissions/half.rhai",
        "//! Half a source.\nconst TITLE = \"Half\";\nfn list(identity) {\n",
    );
    talk.refused("script-syntax", &["plan", "relocate", "--sim", "--scripts", "more"]);
    insta::assert_snapshot!(talk.taken_down());
}

#[test]
fn an_expression_that_fails_says_where_and_that_nothing_changed() {
    let mut talk = Talk::new();
    talk.fails(2, "script-syntax", &["eval", "1 +"]);
    talk.fails(2, "script-syntax", &["eval", "let orders = 1; ordres + 1"]);
    talk.fails(2, "script-syntax", &["eval", "idenity::list()"]);
    for (error, expression) in [
        ("script-error", "[1, 2][7]"),
        ("thrown", "throw \"no luck\""),
        ("assertion", "assert_eq(1 + 1, 3)"),
        ("unknown-function", "identity::fnid(\"id-orders\")"),
        ("wrong-argument", "resource_graph::query(1)"),
        ("unknown-option", "arm::get(\"/subscriptions\", #{ mising: () })"),
        ("limit-reached", "fn deep(n) { deep(n + 1) } deep(0)"),
        (
            "variable-in-use",
            "let map = #{ a: 1 }; map.keys().map(|key| { map.clear(); 1 })",
        ),
        ("malformed", "run::wait(\"soon\")"),
        ("no-sleep", "sleep(1)"),
        ("no-clock", "timestamp()"),
        (
            "unknown-file",
            "plugin::call(\"permissions\", \"key_valt\", \"list\", [#{}])",
        ),
        ("unknown-parameter", "run::param(\"DEPTH\")"),
    ] {
        talk.fails(1, error, &["eval", expression]);
    }
    for (error, expression) in [
        (
            "read-only",
            "arm::put(\"/subscriptions/1/resourceGroups/rg\", #{ location: \"westeurope\" })",
        ),
        (
            "not-found",
            "arm::get(\"/subscriptions/7dd48723-e4ed-4ff5-a672-b50bd6010247/resourceGroups/none\")",
        ),
        ("unknown-identity", "identity::find(\"id-oders\")"),
        ("identity-ambiguous", "identity::find(\"id-orders\")"),
    ] {
        talk.fails(1, error, &["eval", "--sim", expression]);
    }
    assert!(!talk.directory().join("state").exists());
    insta::assert_snapshot!(talk.taken_down());
}

#[test]
fn a_runbook_that_fails_says_where_what_is_done_and_how_to_go_on() {
    let mut talk = Talk::new();
    let runbook = |body: &str| format!("//! Fails.\nfn main(params) {{\n    {body}\n}}\n");
    let action = "/subscriptions/7dd48723-e4ed-4ff5-a672-b50bd6010247/resourceGroups/rg-orders-prod-eastus/providers/Microsoft.App/containerApps/ca-orders-api/listSecrets";
    let secret = format!("run::step(\"secrets\", || arm::post(\"{action}\", (), #{{ reads: true }}))");
    for (error, name, body) in [
        (
            "duplicate-key",
            "twins",
            "run::each(\"both\", [#{ id: \"a\" }, #{ id: \"A\" }, #{ id: \"a\" }], |item| 1)",
        ),
        (
            "step-twice",
            "again",
            "run::step(\"one\", || 1);\n    run::step(\"one\", || 2)",
        ),
        ("not-plain", "closure", "run::step(\"one\", || || 1)"),
        (
            "items-failed",
            "items",
            "run::each(\"odd\", [#{ id: \"a\" }, #{ id: \"b\" }, #{ id: \"c\" }], |item| if item.id != \"b\" { throw `${item.id} is odd` })",
        ),
        ("secret-in-result", "secret", secret.as_str()),
        (
            "thrown",
            "thrown",
            "run::step(\"outer\", || helper(3))\n}\nfn helper(n) {\n    throw `no ${n}`",
        ),
    ] {
        talk.file(&format!("{name}.rhai"), &runbook(body));
        talk.fails(1, error, &["run", &format!("./{name}.rhai"), "--sim"]);
    }
    talk.file(
        "circle.rhai",
        "//! A circle.\nimport \"./circle\" as circle;\nfn main(params) { circle::main(params) }\n",
    );
    talk.fails(1, "import-circle", &["run", "./circle.rhai", "--sim"]);
    insta::assert_snapshot!(talk.taken_down());
}

#[test]
fn a_script_that_oversteps_its_fences_is_told_where_and_what_to_do_instead() {
    let mut talk = Talk::new();
    let app = "/subscriptions/7dd48723-e4ed-4ff5-a672-b50bd6010247/resourceGroups/rg-orders-prod-eastus/providers/Microsoft.App/containerApps/ca-orders-api";
    let read = format!("let secret = arm::post(\"{app}/listSecrets\").value[0].value;\n    ");
    for (error, name, body) in [
        ("secret-in-name", "names", format!("{read}run::step(secret, || 1)")),
        (
            "secret-in-change",
            "edits",
            format!("{read}arm::edit(\"{app}\", [#{{ pointer: \"/tags/copy\", to: secret }}])"),
        ),
        (
            "host-not-allowed",
            "calls",
            "http::get(\"https://evil.example/\")".to_owned(),
        ),
    ] {
        talk.file(
            &format!("{name}.rhai"),
            &format!("//! Oversteps.\nfn main(params) {{\n    {body}\n}}\n"),
        );
        talk.fails(1, error, &["run", &format!("./{name}.rhai"), "--sim"]);
    }
    insta::assert_snapshot!(talk.taken_down());
}

#[test]
fn a_script_that_changed_since_its_run_began_does_not_go_on_unseen() {
    let mut talk = Talk::new();
    talk.file(
        "steps.rhai",
        "//! Changes.\nfn main(params) {\n    run::step(\"one\", || 1);\n    throw \"stop\";\n}\n",
    );
    talk.fails(1, "thrown", &["run", "./steps.rhai", "--sim"]);
    talk.file("steps.rhai", "//! Changes.\nfn main(params) { 2 }\n");
    talk.fails(1, "step-changed", &["resume", "last", "--with-current-scripts"]);
    insta::assert_snapshot!(talk.taken_down());
}

#[test]
fn what_two_things_answer_to_is_no_name_and_what_a_type_does_not_take_is_not_sent() {
    let mut talk = Talk::new();
    let group = "/subscriptions/a11c0002-0002-4002-8002-a11c00000002/resourceGroups/rg-one";
    let alert = format!("{group}/providers/Microsoft.Insights/metricAlerts/alert-one");
    let subscription = "/subscriptions/a11c0002-0002-4002-8002-a11c00000002";
    let role = |guid: &str| {
        json!({
            "id": format!("{subscription}/providers/Microsoft.Authorization/roleDefinitions/{guid}"),
            "name": guid, "type": "Microsoft.Authorization/roleDefinitions",
            "properties": {
                "roleName": "Orders", "type": "CustomRole", "description": "", "assignableScopes": [subscription],
                "permissions": [{ "actions": ["*/read"], "notActions": [], "dataActions": [], "notDataActions": [] }],
            },
        })
    };
    let simulator = talk.altered("one-vm", &["--lag", "off"], |estate| {
        estate["arm"]["resources"].as_array_mut().unwrap().extend([
            role("a11c00a1-0001-4001-8001-a11c000000a1"),
            role("a11c00a2-0002-4002-8002-a11c000000a2"),
            json!({
                "id": alert, "name": "alert-one", "type": "Microsoft.Insights/metricAlerts", "location": "global",
                "identity": { "type": "SystemAssigned", "principalId": "a11c00a3-0003-4003-8003-a11c000000a3" },
                "properties": { "severity": 3, "enabled": true, "scopes": [group], "evaluationFrequency": "PT1M", "windowSize": "PT5M" },
            }),
        ]);
    });
    let find = format!("role::find(\"Orders\", \"{subscription}\")");
    talk.fails(1, "ambiguous-role", &["eval", "--cloud", &simulator.url, &find]);
    let attach =
        format!("//! Attaches.\nfn main(params) {{ identity::attach(\"{alert}\", identity::find(\"id-one\")) }}\n");
    talk.file("attach.rhai", &attach);
    talk.fails(
        1,
        "one-identity-only",
        &["run", "./attach.rhai", "--cloud", &simulator.url],
    );
    assert!(simulator.writes().is_empty());
    insta::assert_snapshot!(talk.taken_down());
}
