//! Verification looks through another door than the one that wrote, and tells what to do about each difference.

use serde_json::{Value, json};

use crate::support::{Ferry, Simulator, demo, estate_file, relocation};

/// An estate of `tests/estates` with something changed, a simulator of it, and a relocation up to the end of a phase.
struct Stage {
    simulator: Simulator,
    ferry: Ferry,
    old: Value,
}

impl Stage {
    fn until(estate: &str, phase: &str, more: &[&str], change: impl FnOnce(&mut Value, &Value)) -> Self {
        let (identity, to) = demo(estate);
        let id = identity.strip_prefix("identity=").unwrap();
        let mut tenant: Value = serde_json::from_str(&std::fs::read_to_string(estate_file(estate)).unwrap()).unwrap();
        let documents = tenant["arm"]["resources"].as_array().unwrap();
        let old = documents.iter().find(|document| document["id"] == id).unwrap().clone();
        change(&mut tenant, &old);
        let ferry = Ferry::new();
        let file = ferry.directory().join("estate.json");
        std::fs::write(&file, tenant.to_string()).unwrap();
        let simulator = Simulator::with(&file, &["--lag", "0.2"]);
        let args = [&["--until", phase, "--yes"], more].concat();
        ferry.run(&relocation(&identity, &to, &simulator.url, &args)).code(3);
        Self { simulator, ferry, old }
    }

    fn findings(&self, code: &str) -> Vec<Value> {
        let shown = self.ferry.run(&["show", "last", "--json"]).code(0).json();
        let all = shown["findings"].as_array().unwrap();
        all.iter().filter(|finding| finding["code"] == code).cloned().collect()
    }

    /// The document of that name, as it is now.
    fn document(&self, end: &str) -> Value {
        let documents = self.simulator.documents();
        let found = documents
            .into_iter()
            .find(|document| document["id"].as_str().is_some_and(|id| id.ends_with(end)));
        found.unwrap_or_else(|| panic!("{end} is in no document"))
    }

    fn faults(&self, faults: &Value) {
        assert_eq!(self.simulator.ask("POST", "/_sim/faults", faults).0, 200);
    }
}

fn resource<'a>(tenant: &'a mut Value, end: &str) -> &'a mut Value {
    let documents = tenant["arm"]["resources"].as_array_mut().unwrap();
    let found = documents
        .iter_mut()
        .find(|document| document["id"].as_str().unwrap().ends_with(end));
    found.unwrap()
}

#[test]
fn a_resource_that_is_worse_than_before_is_a_difference_and_one_that_was_unwell_is_told_so() {
    let unwell = Stage::until("every-kind", "verify", &[], |tenant, _| {
        resource(tenant, "/virtualMachines/vm-kinds")["properties"]["provisioningState"] = json!("Failed");
    });
    let told = unwell.findings("unwell-before");
    assert!(told[0]["target"].as_str().unwrap().ends_with("/vm-kinds"), "{told:?}");

    let health = |machine: &str, state: &str| {
        json!({ "id": format!("{machine}/providers/Microsoft.ResourceHealth/availabilityStatuses/current"), "name": "current",
            "type": "Microsoft.ResourceHealth/availabilityStatuses", "properties": { "targetResourceId": machine,
            "targetResourceType": "Microsoft.Compute/virtualMachines", "availabilityState": state } })
    };
    let id_of = |document: &Value| document["id"].as_str().unwrap().to_owned();
    let stage = Stage::until("every-kind", "move", &[], |tenant, _| {
        let machine = id_of(resource(tenant, "/virtualMachines/vm-kinds"));
        let documents = tenant["arm"]["resources"].as_array_mut().unwrap();
        documents.push(health(&machine, "Available"));
    });
    let machine = id_of(&stage.document("/virtualMachines/vm-kinds"));
    let now = health(&machine, "Unavailable");
    let path = format!("{}?api-version=2025-05-01", id_of(&now));
    stage
        .simulator
        .change("PUT", &path, &json!({ "properties": now["properties"] }));
    let ran = stage.ferry.run(&["resume", "last", "--yes"]).code(4);
    assert!(ran.err.contains("unhealthy"), "{}", ran.err);
    let worse = &stage.findings("unhealthy")[0];
    let message = worse["message"].as_str().unwrap();
    assert!(message.contains("Resource Health is Unavailable"), "{message}");
    assert!(
        message.contains("to mend: ") && message.contains("ferry refresh "),
        "{message}"
    );
    // Whoever refreshes has seen it, and takes it as it is.
    stage.ferry.run(&["refresh", "last"]).code(0);
    stage.ferry.run(&["resume", "last", "--yes"]).code(0);
}

#[test]
fn a_grant_that_only_the_door_shows_that_wrote_it_is_a_difference() {
    let stage = Stage::until("every-kind", "move", &[], |_, _| {});
    let moved = stage.document("/userAssignedIdentities/id-moved");
    let principal = moved["properties"]["principalId"].as_str().unwrap();
    // The list of the principal's memberships is empty; the groups' own lists are as they are.
    let path = format!("(?i)servicePrincipals/{principal}/memberOf");
    let empty = json!({ "status": 200, "body": { "value": [] } });
    stage.faults(&json!([{ "match": { "method": "GET", "path": path }, "times": 100, "do": empty }]));
    let ran = stage.ferry.run(&["resume", "last", "--yes"]).code(4);
    assert!(ran.err.contains("doors-differ"), "{}", ran.err);
    let told = stage.findings("doors-differ");
    assert!(told[0]["message"].as_str().unwrap().contains("member of"), "{told:?}");
    assert_eq!(stage.simulator.ask("DELETE", "/_sim/faults", &Value::Null).0, 204);
    stage.ferry.run(&["resume", "last", "--yes"]).code(0);
}

#[test]
fn sign_ins_since_the_move_are_told_with_what_they_asked_for_and_stand_in_the_gate() {
    let sign_in = |id: &str, at: &str, old: &Value| {
        json!({ "id": id, "createdDateTime": at, "servicePrincipalId": old["properties"]["principalId"],
            "signInEventTypes": ["managedIdentity"], "resourceDisplayName": format!("Vault of {id}") })
    };
    let stage = Stage::until("one-vm", "verify", &[], |tenant, old| {
        let rows = [
            sign_in("before", "2026-01-01T00:00:00Z", old),
            sign_in("after", "2999-01-01T00:00:00Z", old),
        ];
        tenant["graph"]["signIns"] = json!(rows);
    });
    let told = stage.findings("still-signs-in");
    let message = told[0]["message"].as_str().unwrap();
    assert_eq!(told[0]["severity"], "warning");
    assert!(message.contains("signed in once, last at 2999-01-01"), "{message}");
    assert!(
        message.contains("Vault of after") && !message.contains("Vault of before"),
        "{message}"
    );
    let asked = stage.ferry.run(&["resume", "last"]).code(3);
    assert!(
        asked.err.contains("id-one still signs in: it signed in once"),
        "{}",
        asked.err
    );
}

#[test]
fn a_log_that_may_not_be_read_is_told_with_the_permission_that_is_missing() {
    let stage = Stage::until("one-vm", "move", &[], |_, _| {});
    stage.faults(&json!([{ "match": { "method": "GET", "path": "(?i)auditLogs/signIns" }, "times": 100, "do": { "status": 403 } }]));
    stage.ferry.run(&["resume", "last", "--until", "verify"]).code(3);
    let told = stage.findings("sign-ins-unseen");
    assert!(
        told[0]["message"].as_str().unwrap().contains("AuditLog.Read.All"),
        "{told:?}"
    );
}

#[test]
fn the_time_from_which_rights_count_is_told_and_a_long_quiet_period_needs_no_warning() {
    let stage = Stage::until("every-kind", "verify", &[], |_, _| {});
    let told = stage.findings("counts-from");
    let message = told[0]["message"].as_str().unwrap();
    let given = |word: &str| {
        let at = message.find(word).unwrap_or_else(|| panic!("{word}: {message}")) + word.len();
        let time = message[at..].split_whitespace().nth(2).unwrap();
        time::OffsetDateTime::parse(time, &time::format_description::well_known::Rfc3339).unwrap()
    };
    let apart = given("group, directory and app roles") - given("Azure roles and access policies");
    // Both were given by one run: a day, less ten minutes, lies between them.
    assert!((1_400..=1_440).contains(&apart.whole_minutes()), "{message}");
    let asked = stage.ferry.run(&["resume", "last"]).code(3);
    assert!(
        asked.err.contains("may go on with a token of id-kinds"),
        "{}",
        asked.err
    );
    let again = stage.ferry.run(&["resume", "last"]).code(3);
    let gate = |text: &str| {
        text.lines()
            .find(|line| line.contains("approval-needed"))
            .unwrap()
            .to_owned()
    };
    assert_eq!(gate(&asked.err), gate(&again.err));
}

#[test]
fn what_stands_beside_the_map_and_names_the_old_identity_is_swept_up() {
    let stage = Stage::until("every-kind", "move", &[], |tenant, old| {
        let client = old["properties"]["clientId"].clone();
        let application = json!({ "id": "0ff0e001-0001-4001-8001-0ff0e0010001", "appId": "0ff0e002-0002-4002-8002-0ff0e0020002",
            "displayName": "orders-api", "api": { "preAuthorizedApplications": [{ "appId": client, "delegatedPermissionIds": [] }] } });
        tenant["graph"]["applications"]
            .as_array_mut()
            .unwrap()
            .push(application);
        let group = json!({ "id": "0ff0e003-0003-4003-8003-0ff0e0030003", "displayName": "told-by-words",
            "description": format!("for {}", client.as_str().unwrap()), "members": [] });
        tenant["graph"]["groups"].as_array_mut().unwrap().push(group);
    });
    let ran = stage.ferry.run(&["resume", "last", "--yes"]).code(4);
    assert!(ran.err.contains("still-named"), "{}", ran.err);
    let named = stage.findings("still-named");
    let message = named[0]["message"].as_str().unwrap();
    assert!(
        message.contains("application orders-api") && message.contains("to mend: "),
        "{message}"
    );
    let words = stage.findings("named-in-text");
    assert_eq!(words[0]["severity"], "warning");
    assert!(
        words[0]["message"].as_str().unwrap().contains("told-by-words"),
        "{words:?}"
    );

    let path = "/v1.0/applications/0ff0e001-0001-4001-8001-0ff0e0010001";
    stage
        .simulator
        .change("PATCH", path, &json!({ "api": { "preAuthorizedApplications": [] } }));
    stage.ferry.run(&["resume", "last", "--yes"]).code(0);
    // After the deletion it is looked for everywhere again.
    let left = stage.findings("left-behind");
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(
        left[0]["message"].as_str().unwrap().contains("told-by-words"),
        "{left:?}"
    );
}

#[test]
fn every_difference_says_how_it_is_mended() {
    let stage = Stage::until("every-kind", "move", &["probes=https://nowhere.example/"], |_, _| {});
    let moved = stage.document("/userAssignedIdentities/id-moved");
    let documents = stage.simulator.documents();
    let given = documents.iter().find(|document| {
        document["type"] == "Microsoft.Authorization/roleAssignments"
            && document["properties"]["principalId"] == moved["properties"]["principalId"]
    });
    let path = format!("{}?api-version=2022-04-01", given.unwrap()["id"].as_str().unwrap());
    stage.simulator.change("DELETE", &path, &Value::Null);
    let late = format!(
        "{}/federatedIdentityCredentials/late?api-version=2024-11-30",
        stage.old["id"].as_str().unwrap()
    );
    let body = json!({"properties": { "issuer": "https://token.actions.githubusercontent.com", "subject": "repo:o/late:ref:refs/heads/main",
        "audiences": ["api://AzureADTokenExchange"] }});
    stage.simulator.change("PUT", &late, &body);
    stage.ferry.run(&["resume", "last", "--yes"]).code(4);
    let shown = stage.ferry.run(&["show", "last", "--json"]).code(0).json();
    let differences: Vec<&Value> = shown["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["severity"] == "difference")
        .collect();
    let codes: Vec<&str> = differences
        .iter()
        .map(|finding| finding["code"].as_str().unwrap())
        .collect();
    for code in ["grant-missing", "come-since", "probe-failed"] {
        assert!(codes.contains(&code), "{code} is not among {codes:?}");
    }
    for finding in differences {
        let message = finding["message"].as_str().unwrap();
        assert!(
            message.contains("to mend: ") && message.contains("ferry re"),
            "{message}"
        );
    }
}

#[test]
fn the_answer_to_a_check_is_asked_for_kept_and_shown() {
    // Users in its database are nothing that a request shows.
    let company = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sim/estates/demo.json");
    let estate: Value = serde_json::from_str(&std::fs::read_to_string(&company).unwrap()).unwrap();
    let of = |name: &str| estate["demo"]["relocate"][name].as_str().unwrap();
    let (identity, to) = (format!("identity={}", of("identity")), format!("to={}", of("to")));
    let simulator = Simulator::with(&company, &["--lag", "0.2"]);
    let ferry = Ferry::new();
    ferry
        .run(&relocation(&identity, &to, &simulator.url, &["--yes"]))
        .code(3);
    let shown = ferry.run(&["show", "last", "--json"]).code(0).json();
    let tasks = shown["handOvers"].as_array().unwrap();
    let task = tasks
        .iter()
        .find(|task| task["check"].is_string() && task["closed"].is_null())
        .unwrap_or_else(|| panic!("no open hand-over has a check: {tasks:?}"));
    let name = task["task"].as_str().unwrap();
    let paused = ferry.run(&["resume", "last", "--yes"]).code(3);
    assert!(paused.err.contains(&format!("{name} --answer TEXT")), "{}", paused.err);
    assert!(
        paused.err.contains("TEXT is what this answered: Check"),
        "{}",
        paused.err
    );

    ferry
        .run(&["approve", "last", name, "--answer", "no row, seen by Ada"])
        .code(0);
    let closed = ferry.run(&["show", "last", "--json"]).code(0).json();
    let closed = closed["handOvers"]
        .as_array()
        .unwrap()
        .iter()
        .find(|task| task["task"] == name)
        .unwrap()
        .clone();
    assert_eq!(closed["answer"], "no row, seen by Ada");
    for format in [&["show", "last"][..], &["report", "last", "--markdown"]] {
        let report = ferry.run(format).code(0);
        assert!(
            report.out.contains("whose check answered: no row, seen by Ada"),
            "{}",
            report.out
        );
    }
    let gate = ferry.run(&["approve", "last", "clean_up", "--answer", "yes"]);
    assert_ne!(gate.code, 0);
}
