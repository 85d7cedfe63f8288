//! The way back: afterwards the tenant is what it was before the run.

use serde_json::{Value, json};

use crate::support::{ESTATES, Ferry, Simulator, demo, estate_file, relocation};

fn estate(simulator: &Simulator) -> Value {
    serde_json::from_str(&simulator.read("/_sim/estate")).unwrap()
}

/// What differs between two tenants, document by document; who wrote what when is no part of it.
pub fn differences(before: &Value, after: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (plane, list) in [
        ("arm", "resources"),
        ("graph", "groups"),
        ("graph", "appRoleAssignments"),
    ] {
        let rows = |estate: &Value| -> std::collections::BTreeMap<String, Value> {
            estate[plane][list]
                .as_array()
                .into_iter()
                .flatten()
                .map(|row| (key(row), told(row)))
                .collect()
        };
        let (old, new) = (rows(before), rows(after));
        for (id, row) in &old {
            match new.get(id) {
                None => found.push(format!("{id} is gone")),
                Some(now) if now != row => found.push(format!("{id}\n  was {row}\n  is  {now}")),
                Some(_) => {}
            }
        }
        found.extend(
            new.keys()
                .filter(|id| !old.contains_key(*id))
                .map(|id| format!("{id} is new")),
        );
    }
    found
}

/// What a document is known by: an app role assignment by who holds what, since Graph gives it a new id.
fn key(row: &Value) -> String {
    let text = |name: &str| row[name].as_str().unwrap_or_default().to_lowercase();
    if row["appRoleId"].is_string() {
        return format!("{} {} {}", text("principalId"), text("resourceId"), text("appRoleId"));
    }
    text("id")
}

/// A document in one spelling, without what Azure writes by itself.
fn told(row: &Value) -> Value {
    match row {
        Value::Object(map) => map
            .iter()
            .filter(|(name, value)| {
                let written = [
                    "createdOn",
                    "updatedOn",
                    "createdBy",
                    "updatedBy",
                    "createdDateTime",
                    "systemData",
                    "etag",
                ];
                let given_anew = row["appRoleId"].is_string() && *name == "id";
                let derived = row["roleDefinitionId"].is_string() && *name == "scope";
                !(value.is_null() || written.contains(&name.as_str()) || given_anew || derived)
            })
            .map(|(name, value)| (name.to_lowercase(), told(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(told).collect();
            // Members of a group and policies of a vault have no order.
            items.sort_by_key(Value::to_string);
            items.into()
        }
        Value::String(text) if text.contains("/roleDefinitions/") => {
            json!(text.rsplit('/').next().unwrap_or_default().to_lowercase())
        }
        // Where one text names the identity in several spellings, it gets the first of them back: ids have no case.
        Value::String(text) if SEVERAL.iter().any(|name| text.contains(name)) => json!(text.to_lowercase()),
        other => other.clone(),
    }
}

/// What marks the texts of the estates that name an identity in several spellings.
const SEVERAL: [&str; 1] = [";D44F0004"];

#[test]
fn rollback_after_the_move_leaves_the_tenant_as_it_was() {
    for name in ESTATES {
        let simulator = Simulator::start(name);
        let before = estate(&simulator);
        let (identity, to) = demo(name);
        let ferry = Ferry::new();
        ferry
            .run(&relocation(&identity, &to, &simulator.url, &["--until", "move"]))
            .code(3);
        assert_ne!(
            differences(&before, &estate(&simulator)),
            Vec::<String>::new(),
            "{name}"
        );
        let ran = ferry.run(&["rollback", "last"]).code(0);
        assert!(ran.out.contains("was rolled back"), "{}", ran.out);
        assert_eq!(
            differences(&before, &estate(&simulator)),
            Vec::<String>::new(),
            "{name}"
        );
        let shown = ferry.run(&["show", "last", "--json"]).code(0).json();
        assert_eq!(shown["status"], "rolled-back");
        assert!(
            shown["changes"]
                .as_array()
                .unwrap()
                .iter()
                .all(|change| change["status"] != "done"),
            "{shown:#}"
        );
        // It is all the same a second time, and a new run may begin.
        let writes = simulator.writes().len();
        ferry.run(&["rollback", "last"]).code(0);
        assert_eq!(simulator.writes().len(), writes, "{name}");
        ferry
            .run(&relocation(&identity, &to, &simulator.url, &["--yes"]))
            .code(0);
    }
}

#[test]
fn rollback_after_a_clean_up_that_stopped_short_of_the_deletion_leaves_the_tenant_as_it_was() {
    for name in ["two-regions", "many-scopes", "locked-and-shared"] {
        let (identity, to) = demo(name);
        let old = identity.trim_start_matches("identity=").to_owned();
        let ferry = Ferry::new();
        let faults = ferry.directory().join("faults.json");
        let path = format!("{}\\?", regex::escape(&old));
        let refusal = json!([{ "match": { "method": "DELETE", "path": path },
            "do": { "status": 409, "code": "ScopeLocked", "message": "somebody locked it" } }]);
        std::fs::write(&faults, refusal.to_string()).unwrap();
        let options = ["--lag", "0.2", "--faults", faults.to_str().unwrap()];
        let simulator = Simulator::with(&estate_file(name), &options);
        let before = estate(&simulator);
        ferry
            .run(&relocation(&identity, &to, &simulator.url, &["--yes"]))
            .code(1);
        ferry.run(&["rollback", "last"]).code(0);
        assert_eq!(
            differences(&before, &estate(&simulator)),
            Vec::<String>::new(),
            "{name}"
        );
        // What goes back does not go forward any more.
        let ran = ferry.run(&["resume", "last"]).code(0);
        assert!(ran.out.contains("was rolled back"), "{}", ran.out);
    }
}

#[test]
fn behind_the_deletion_of_the_old_identity_nothing_is_sent() {
    let simulator = Simulator::start("one-vm");
    let (identity, to) = demo("one-vm");
    let ferry = Ferry::new();
    ferry
        .run(&relocation(&identity, &to, &simulator.url, &["--yes"]))
        .code(0);
    let writes = simulator.writes().len();
    let ran = ferry.run(&["rollback", "last"]).code(1);
    assert!(ran.err.contains("point-of-no-return"), "{}", ran.err);
    assert_eq!(simulator.writes().len(), writes);
    let shown = ferry.run(&["show", "last", "--json"]).code(0).json();
    assert_eq!(shown["status"], "done");
}

#[test]
fn a_value_that_somebody_has_changed_since_is_left_alone_and_told() {
    let simulator = Simulator::start("two-regions");
    let (identity, to) = demo("two-regions");
    let ferry = Ferry::new();
    ferry
        .run(&relocation(&identity, &to, &simulator.url, &["--until", "move"]))
        .code(3);
    let shown = ferry.run(&["show", "last", "--json"]).code(0).json();
    let edited = shown["changes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|change| change["op"] == "arm::edit" && change["target"].as_str().unwrap().ends_with("appsettings"))
        .expect("the estate has app settings")
        .clone();
    let pointer = edited["edits"][0]["pointer"].as_str().unwrap();
    let setting = pointer.rsplit('/').next().unwrap();
    let target = edited["target"].as_str().unwrap();
    let script = format!(
        r#"let s = arm::post("{target}/list", (), #{{ reads: true }}); s.properties["{setting}"] = "theirs"; arm::put("{target}", #{{ properties: s.properties }}); "#
    );
    let file = ferry.directory().join("other.rhai");
    std::fs::write(
        &file,
        format!("//! Somebody else.\nconst PARAMS = #{{}};\nfn main(params) {{ {script} }}\n"),
    )
    .unwrap();
    let other = Ferry::new();
    other
        .run(&["run", file.to_str().unwrap(), "--cloud", &simulator.url])
        .code(0);
    let run = shown["run"].as_str().unwrap();
    let ran = ferry.run(&["rollback", run]).code(4);
    assert!(ran.err.contains("rollback-incomplete"), "{}", ran.err);
    let shown = ferry.run(&["show", run, "--json"]).code(0).json();
    let findings = shown["findings"].as_array().unwrap();
    assert!(
        findings.iter().any(|finding| finding["code"] == "changed-since"),
        "{findings:#?}"
    );
    let after = estate(&simulator);
    let document = after["arm"]["resources"]
        .as_array()
        .unwrap()
        .iter()
        .find(|document| document["id"].as_str().unwrap().eq_ignore_ascii_case(target))
        .unwrap();
    assert_eq!(document["properties"][setting], "theirs");
}

#[test]
fn a_rollback_that_is_killed_goes_on_where_it_was() {
    let simulator = Simulator::start("many-scopes");
    let before = estate(&simulator);
    let (identity, to) = demo("many-scopes");
    let ferry = Ferry::new();
    ferry
        .run(&relocation(&identity, &to, &simulator.url, &["--until", "move"]))
        .code(3);
    let moved = simulator.writes().len();
    for more in [1, 4, 9] {
        let mut child = ferry.command(&["rollback", "last"]).spawn().unwrap();
        while child.try_wait().unwrap().is_none() && simulator.writes().len() < moved + more {
            std::thread::yield_now();
        }
        let _ = child.kill();
        child.wait().unwrap();
    }
    let ran = ferry.run(&["resume", "last"]);
    assert!(
        ran.err.contains("rolling-back") || ran.out.contains("was rolled back"),
        "{}{}",
        ran.out,
        ran.err
    );
    ferry.run(&["rollback", "last"]).code(0);
    assert_eq!(differences(&before, &estate(&simulator)), Vec::<String>::new());
}
