//! A whole relocation, as an operator sees it.

use ferry::run::edit::find_words;
use serde_json::Value;

use crate::support::{ESTATES, Ferry, Simulator, demo, estate_file, relocation};

#[test]
fn nothing_names_the_old_identity_after_a_relocation() {
    for estate in ESTATES {
        let simulator = Simulator::start(estate);
        let before: Value = serde_json::from_str(&simulator.read("/_sim/estate")).unwrap();
        let (identity, to) = demo(estate);
        let ferry = Ferry::new();
        ferry
            .run(&relocation(&identity, &to, &simulator.url, &["--yes"]))
            .code(0);
        let after: Value = serde_json::from_str(&simulator.read("/_sim/estate")).unwrap();
        // What the estate offers for a demonstration is no part of the tenant.
        let after = format!("{}{}", after["arm"], after["graph"]).to_lowercase();
        let id = identity.trim_start_matches("identity=").to_lowercase();
        let documents = before["arm"]["resources"].as_array().unwrap();
        let old = documents
            .iter()
            .find(|d| d["id"].as_str().unwrap().to_lowercase() == id)
            .unwrap();
        for name in ["principalId", "clientId"] {
            let guid = old["properties"][name].as_str().unwrap();
            assert!(
                find_words(&after, guid).is_empty(),
                "{estate}: {name} {guid} is still named"
            );
        }
        assert!(find_words(&after, &id).is_empty(), "{estate}: {id} is still named");
    }
}

#[test]
fn the_second_run_for_a_done_relocation_says_so() {
    let simulator = Simulator::start("one-vm");
    let (identity, to) = demo("one-vm");
    let ferry = Ferry::new();
    let args = ["run", "relocate", &identity, &to, "--cloud", &simulator.url, "--yes"];
    ferry.run(&args).code(0);
    let writes = simulator.writes().len();
    let second = ferry.run(&args).code(0);
    assert!(
        format!("{}{}", second.out, second.err).contains("done"),
        "{}{}",
        second.out,
        second.err
    );
    assert_eq!(simulator.writes().len(), writes);
}

#[test]
fn a_taken_target_name_is_refused_before_anything_is_written() {
    let simulator = Simulator::start("lookalikes");
    let (identity, to) = demo("lookalikes");
    let ferry = Ferry::new();
    let before = simulator.read("/_sim/estate");
    let found = ferry
        .run(&[
            "run",
            "relocate",
            &identity,
            &to,
            "name=ID-Orders2",
            "--cloud",
            &simulator.url,
            "--yes",
        ])
        .code(1);
    assert!(found.err.contains("target-taken"), "{}", found.err);
    assert!(simulator.writes().is_empty());
    assert_eq!(simulator.read("/_sim/estate"), before);
}

#[test]
fn a_name_that_only_another_group_has_is_free() {
    let simulator = Simulator::start("lookalikes");
    let (identity, to) = demo("lookalikes");
    // id-orders2 stands beside the identity, and not in this other group.
    let place = ["name=id-orders2", "resource_group=rg-alike2"];
    let args = ["plan", "relocate", &identity, &to, "--cloud", &simulator.url, "--json"];
    let plan = Ferry::new().run(&[args.as_slice(), &place].concat()).code(0).json();
    let made = plan["changes"][0]["target"].as_str().unwrap();
    let end = "/resourceGroups/rg-alike2/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-orders2";
    assert!(made.ends_with(end), "{made}");
}

#[test]
fn the_demo_fills_the_parameters_and_says_which() {
    let ferry = Ferry::new();
    let plan = ferry.run(&["plan", "relocate", "--sim"]).code(0);
    assert!(
        format!("{}{}", plan.out, plan.err).contains("id-orders"),
        "{}",
        plan.err
    );
}

#[test]
fn inventory_shows_the_map_and_writes_nothing() {
    let simulator = Simulator::start("two-regions");
    let (identity, _) = demo("two-regions");
    let ferry = Ferry::new();
    let shown = ferry
        .run(&["run", "inventory", &identity, "--cloud", &simulator.url])
        .code(0);
    assert!(
        shown.out.contains("AZURE_CLIENT_ID") || shown.out.contains("app settings"),
        "{}",
        shown.out
    );
    assert!(simulator.writes().is_empty());
}

/// The lines behind a line that is `coverage` alone.
fn coverage_in(text: &str) -> String {
    text.split("\ncoverage\n").nth(1).unwrap_or_default().to_owned()
}

#[test]
fn inventory_plan_and_report_end_with_what_they_cover_and_what_not() {
    let (identity, to) = demo("two-regions");
    let text = std::fs::read_to_string(crate::support::estate_file("two-regions")).unwrap();
    let mut estate: Value = serde_json::from_str(&text).unwrap();
    let id = identity.split_once('=').unwrap().1;
    let harbour = format!(
        "{}/providers/Contoso.Cranes/harbours/h",
        id.split("/providers/").next().unwrap()
    );
    let unknown = serde_json::json!({ "id": harbour, "name": "h", "type": "Contoso.Cranes/harbours", "location": "eastus", "properties": {} });
    estate["arm"]["resources"].as_array_mut().unwrap().push(unknown);
    let ferry = Ferry::new();
    let file = ferry.directory().join("estate.json");
    std::fs::write(&file, estate.to_string()).unwrap();
    let simulator = Simulator::with(&file, &["--lag", "0.1"]);
    let cloud = ["--cloud", simulator.url.as_str()];

    let shown = ferry
        .run(&[&["run", "inventory", &identity], &cloud[..]].concat())
        .code(0);
    let told = coverage_in(&shown.out);
    assert!(
        told.contains("nothing: every place that was asked about answered"),
        "{}",
        shown.out
    );
    assert!(told.contains("contoso.cranes/harbours (1)"), "{told}");
    assert!(told.contains("code"), "{told}");
    let report = ferry.run(&["report", "last"]).code(0);
    let at_the_end = report.out.split("\n## ").last().unwrap();
    assert!(
        at_the_end.starts_with("Coverage") && at_the_end.contains("contoso.cranes/harbours (1)"),
        "{at_the_end}"
    );

    // Who may not read eligible roles of the directory is told so, and what it needs.
    let fault = serde_json::json!([{ "match": { "method": "GET", "path": "roleEligibilityScheduleInstances" }, "times": 1000, "do": { "status": 403 } }]);
    simulator.change("POST", "/_sim/faults", &fault);
    let plan = ferry
        .run(&[&["plan", "relocate", &identity, &to], &cloud[..]].concat())
        .code(0);
    let told = coverage_in(&plan.out);
    assert!(
        told.contains("directory_role_schedules (it needs graph:RoleEligibilitySchedule"),
        "{told}\n{}",
        plan.out
    );
    assert!(!told.contains("every place that was asked about answered"), "{told}");
}

#[test]
fn probes_must_answer_after_the_move() {
    let (identity, to) = demo("one-vm");
    let text = std::fs::read_to_string(crate::support::estate_file("one-vm")).unwrap();
    let mut estate: Value = serde_json::from_str(&text).unwrap();
    estate["data"] = serde_json::json!({ "https://app.example/healthz": { "status": "ok" } });
    for (probes, code) in [
        ("probes=https://app.example/healthz", 0),
        ("probes=https://app.example/healthz,https://app.example/nothing", 4),
    ] {
        let ferry = Ferry::new();
        let file = ferry.directory().join("estate.json");
        std::fs::write(&file, estate.to_string()).unwrap();
        let simulator = Simulator::with(&file, &["--lag", "0.1"]);
        let args = [
            "run",
            "relocate",
            &identity,
            &to,
            probes,
            "--cloud",
            &simulator.url,
            "--yes",
        ];
        let ran = ferry.run(&args).code(code);
        assert_eq!(
            ran.err.contains("https://app.example/nothing"),
            code == 4,
            "{}",
            ran.err
        );
    }
}

/// Estates that lie beside the checkout are tenants of others; where they are not, one of ours says the same: what a tenant
/// holds already can be made again, whatever the rules say of new names.
#[test]
fn what_a_tenant_holds_already_can_be_made_again() {
    let mut estates = vec![(
        "ours".to_owned(),
        std::fs::read_to_string(estate_file("two-regions")).unwrap(),
    )];
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/estates");
    for entry in std::fs::read_dir(beside).into_iter().flatten() {
        let path = entry.unwrap().path();
        estates.push((path.display().to_string(), std::fs::read_to_string(path).unwrap()));
    }
    let name = "/federatedIdentityCredentials/";
    let ours = &mut estates[0].1;
    let at = ours.find(name).unwrap() + name.len();
    let own = ours[at..].split('"').next().unwrap().to_owned();
    *ours = ours
        .replace(&format!("{name}{own}\""), &format!("{name}ci\""))
        .replace(&format!("\"name\": \"{own}\""), "\"name\": \"ci\"");
    for (estate, text) in estates {
        let ferry = Ferry::new();
        let file = ferry.directory().join("estate.json");
        std::fs::write(&file, text).unwrap();
        let sim = format!("--sim={}", file.display());
        let ran = ferry.run(&["run", "relocate", &sim, "--yes", "hand_overs=accept"]);
        assert_eq!(ran.code, 0, "{estate}\n{}", ran.err);
    }
}
