//! A plan as a file: the run makes exactly its changes, and stops where something is otherwise than the plan saw it.

use serde_json::{Value, json};

use crate::support::{Ferry, Ran, Simulator, demo, estate_file};

const VM: &str = "/subscriptions/a11c0002-0002-4002-8002-a11c00000002/resourceGroups/rg-one/providers/Microsoft.Compute/virtualMachines/vm-one";
const SITE: &str = "/subscriptions/b22d0002-0002-4002-8002-b22d00000002/resourceGroups/rg-orders-we/providers/Microsoft.Web/sites/app-orders";

/// An estate with a plan for what its demo relocates, in the file `p.json`.
struct Planned {
    ferry: Ferry,
    simulator: Simulator,
}

impl Planned {
    fn of(estate: &str) -> Self {
        Self::with(estate, &[])
    }

    fn with(estate: &str, more: &[&str]) -> Self {
        let simulator = Simulator::with(&estate_file(estate), &["--lag", "0.1"]);
        let planned = Self {
            ferry: Ferry::new(),
            simulator,
        };
        let (identity, to) = demo(estate);
        let args = [
            "plan",
            "relocate",
            &identity,
            &to,
            "--out",
            "p.json",
            "--cloud",
            &planned.simulator.url,
        ];
        planned.ferry.run(&[args.as_slice(), more].concat()).code(0);
        assert_eq!(planned.simulator.writes(), Vec::<Value>::new(), "a plan wrote");
        planned
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.path()).unwrap()
    }

    fn path(&self) -> std::path::PathBuf {
        self.ferry.directory().join("p.json")
    }

    fn file(&self) -> Value {
        serde_json::from_str(&self.text()).unwrap()
    }

    fn run(&self, more: &[&str]) -> Ran {
        self.ferry
            .run(&[["run", "--plan-file", "p.json", "--yes"].as_slice(), more].concat())
    }

    fn shown(&self) -> Value {
        self.ferry.run(&["show", "last", "--json"]).code(0).json()
    }

    /// The principal of the old identity, and its id.
    fn old(&self) -> (String, String) {
        let identity = &self.file()["map"]["identity"];
        let text = |name: &str| identity[name].as_str().unwrap().to_owned();
        (text("principalId"), text("id"))
    }
}

/// Whether a planned text or path is this one, as far as the plan can know it.
fn like(planned: &Value, made: &Value) -> bool {
    let (planned, made) = (planned.as_str().unwrap(), made.as_str().unwrap());
    let (planned, made): (Vec<&str>, Vec<&str>) = (planned.split('/').collect(), made.split('/').collect());
    planned.len() == made.len()
        && planned
            .iter()
            .zip(made)
            .all(|(a, b)| *a == b || *a == "(known after move)")
}

#[test]
fn a_run_with_a_plan_makes_exactly_the_planned_changes() {
    for estate in ["two-regions", "many-scopes", "spellings"] {
        let planned = Planned::of(estate);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(planned.path()).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{estate}: others can read the plan");
        }
        planned.run(&[]).code(0);
        let (file, shown) = (planned.file(), planned.shown());
        let (mut left, made) = (
            file["changes"].as_array().unwrap().clone(),
            shown["changes"].as_array().unwrap(),
        );
        for change in made {
            let at = left.iter().position(|row| {
                ["step", "target"].iter().all(|name| like(&row[*name], &change[*name]))
                    && row["method"] == change["method"]
                    && row["op"] == change["op"]
            });
            left.remove(at.unwrap_or_else(|| panic!("{estate}: this was not planned: {change:#}")));
            assert_eq!(change["status"], "done");
        }
        assert_eq!(left, Vec::<Value>::new(), "{estate}: planned and not made");
        assert_eq!(shown["plan"], file["digest"]);
        let gate = &shown["approvals"][0];
        assert_eq!(gate["gate"], "clean_up");
    }
}

#[test]
fn an_edit_by_somebody_else_stops_the_run_before_that_change_and_is_shown() {
    let planned = Planned::of("one-vm");
    let path = format!("{VM}?api-version=2024-07-01");
    planned
        .simulator
        .change("PATCH", &path, &json!({"tags": {"owner": "bob"}}));
    let theirs = planned.simulator.writes().len();
    let ran = planned.run(&[]).code(1);
    assert!(
        ran.err.contains("drift") && ran.err.contains("/tags") && ran.err.contains("--accept-drift"),
        "{}",
        ran.err
    );
    let ours = &planned.simulator.writes()[theirs..];
    assert_eq!(ours.len(), 2, "identity and grant were made before: {ours:#?}");
    assert!(ours.iter().all(|row| !row["path"].as_str().unwrap().contains("vm-one")));
    // The plan is in the journal: the file is not needed any more.
    std::fs::remove_file(planned.path()).unwrap();
    planned.ferry.run(&["resume", "last", "--yes"]).code(1);
    let step = planned.shown()["why"].as_str().unwrap().to_owned();
    let step = step
        .split_whitespace()
        .find(|word| word.starts_with("move/bindings/"))
        .unwrap();
    let step = step.trim_end_matches(':');
    planned
        .ferry
        .run(&["resume", "last", "--yes", "--accept-drift", step])
        .code(0);
    let shown = planned.shown();
    let finding = shown["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["code"] == "drift-accepted");
    assert!(
        finding.unwrap()["message"].as_str().unwrap().contains("/tags"),
        "{shown:#}"
    );
    let gate = format!("drift {step}");
    assert!(
        shown["approvals"]
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["gate"] == gate)
    );
}

#[test]
fn what_is_as_planned_again_goes_on_without_being_accepted() {
    let planned = Planned::of("two-regions");
    let settings = format!("{SITE}/config/appsettings");
    let list = format!("{settings}/list?api-version=2024-04-01");
    let put = format!("{settings}?api-version=2024-04-01");
    let before = planned.simulator.ask("POST", &list, &json!({})).1["properties"].clone();
    let mut other = before.clone();
    other["MODE"] = json!("canary-4711-hunter2");
    planned.simulator.change("PUT", &put, &json!({ "properties": other }));
    let ran = planned.run(&[]).code(1);
    assert!(
        ran.err.contains("drift") && ran.err.contains("/properties/MODE"),
        "{}",
        ran.err
    );
    let sites: Vec<_> = planned.simulator.writes();
    let to_settings = sites
        .iter()
        .filter(|row| row["path"].as_str().unwrap().contains("appsettings"))
        .count();
    assert_eq!(to_settings, 1, "only what somebody else sent");
    // Neither value is told to anybody.
    let told = format!("{}{}{}{}", ran.out, ran.err, planned.text(), planned.shown());
    assert!(!told.contains("canary") && !told.contains("\"prod\""), "{told}");
    planned.simulator.change("PUT", &put, &json!({ "properties": before }));
    planned.ferry.run(&["resume", "last", "--yes"]).code(0);
}

#[test]
fn a_role_that_the_old_identity_has_got_since_is_drift_and_nothing_is_sent() {
    let planned = Planned::of("one-vm");
    let (principal, _) = planned.old();
    let group = VM.split("/providers").next().unwrap();
    let role = "/subscriptions/a11c0002-0002-4002-8002-a11c00000002/providers/Microsoft.Authorization/roleDefinitions/b24988ac-6180-42a0-ab88-20f7382dd24c";
    let name = "11111111-2222-4333-8444-555555555555";
    let path = format!("{group}/providers/Microsoft.Authorization/roleAssignments/{name}?api-version=2022-04-01");
    let body = json!({"properties": {"roleDefinitionId": role, "principalId": principal, "principalType": "ServicePrincipal"}});
    planned.simulator.change("PUT", &path, &body);
    let theirs = planned.simulator.writes().len();
    let ran = planned.run(&[]).code(1);
    assert!(ran.err.contains("drift") && ran.err.contains(name), "{}", ran.err);
    assert_eq!(planned.simulator.writes().len(), theirs, "nothing was sent");
    // Accepted by its id, it is carried over like the others, and taken from the old one at the end.
    let id = path.split('?').next().unwrap();
    let ran = planned
        .ferry
        .run(&["resume", "last", "--yes", "--accept-drift", id])
        .code(0);
    assert!(ran.out.contains("drift-accepted"), "{}", ran.out);
    let held = planned.simulator.documents();
    assert!(
        !held
            .iter()
            .any(|row| row["properties"]["principalId"] == principal.as_str())
    );
    assert_eq!(
        planned.shown()["changes"].as_array().unwrap().len(),
        planned.file()["changes"].as_array().unwrap().len() + 2
    );
}

#[test]
fn what_somebody_has_done_already_is_told_and_is_no_drift() {
    let planned = Planned::of("one-vm");
    planned.run(&["--until", "verify"]).code(3);
    let (principal, _) = planned.old();
    let held = planned.simulator.documents();
    let own = held.iter().find(|row| {
        row["type"] == "Microsoft.Authorization/roleAssignments"
            && row["properties"]["principalId"] == principal.as_str()
    });
    let path = format!("{}?api-version=2022-04-01", own.unwrap()["id"].as_str().unwrap());
    planned.simulator.change("DELETE", &path, &Value::Null);
    planned.ferry.run(&["resume", "last", "--yes"]).code(0);
    let shown = planned.shown();
    let told = shown["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["code"] == "already-so");
    assert!(
        told.unwrap()["message"].as_str().unwrap().contains("Revoke"),
        "{shown:#}"
    );
}

#[test]
fn a_plan_that_was_edited_and_other_scripts_are_refused_before_anything_is_sent() {
    let scripts = tempfile::tempdir().unwrap();
    let source = scripts.path().join("permissions/mine.rhai");
    std::fs::create_dir_all(source.parent().unwrap()).unwrap();
    let text = "//! Mine.\nconst TITLE = \"Mine\";\nfn list(identity) { [] }\nfn grant(grant, identity) {}\nfn check(grant, identity) { true }\nfn revoke(grant, identity) {}\n";
    std::fs::write(&source, text).unwrap();
    let planned = Planned::with("one-vm", &["--scripts", scripts.path().to_str().unwrap()]);
    let asked = planned.simulator.read("/_sim/log").lines().count();
    let whole = planned.text();
    std::fs::write(planned.path(), whole.replace("\"DELETE\"", "\"PUT\"")).unwrap();
    assert!(planned.run(&[]).code(2).err.contains("plan-damaged"));
    std::fs::write(planned.path(), &whole).unwrap();
    std::fs::write(&source, text.replace("[]", "[ ]")).unwrap();
    let ran = planned.run(&[]).code(2);
    assert!(
        ran.err.contains("plan-scripts") && ran.err.contains("stdlib/permissions/mine.rhai"),
        "{}",
        ran.err
    );
    assert!(planned.run(&["to=northeurope"]).code(2).err.contains("plan-other"));
    assert_eq!(
        planned.simulator.read("/_sim/log").lines().count(),
        asked,
        "a cloud was asked"
    );
    std::fs::write(&source, text).unwrap();
    let (identity, to) = demo("one-vm");
    planned.run(&["relocate", &identity, &to]).code(0);
}

#[test]
fn what_is_left_out_by_name_keeps_the_old_identity_and_all_that_it_needs() {
    let planned = Planned::of("two-regions");
    let (principal, old) = planned.old();
    let grants = |planned: &Planned| {
        let held = planned.simulator.documents();
        held.iter()
            .filter(|row| row["properties"]["principalId"] == principal.as_str())
            .count()
    };
    let before = grants(&planned);
    // The site: its block and its settings.
    planned.run(&["--leave-out", SITE]).code(0);
    let documents = planned.simulator.documents();
    let site = documents
        .iter()
        .find(|row| row["id"].as_str().unwrap().eq_ignore_ascii_case(SITE))
        .unwrap();
    let block = site["identity"]["userAssignedIdentities"].as_object().unwrap();
    assert_eq!(block.len(), 1, "{block:?}");
    assert!(block.keys().next().unwrap().eq_ignore_ascii_case(&old), "{block:?}");
    assert_eq!(grants(&planned), before, "it keeps what it may do");
    let settings = documents.iter().find(|row| row["name"] == "appsettings").unwrap();
    let own = planned.file()["map"]["identity"]["clientId"].clone();
    assert_eq!(
        settings["properties"]["AZURE_CLIENT_ID"], own,
        "what lies at it is left with it"
    );
    let shown = planned.shown();
    let has = |code: &str| {
        shown["findings"]
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["code"] == code)
    };
    assert!(has("old-kept") && has("left-out"), "{shown:#}");
}

#[test]
fn a_grant_that_is_left_out_is_not_given_and_stays_with_the_old_one() {
    let planned = Planned::of("one-vm");
    let (principal, old) = planned.old();
    let name = "a11c0006-0006-4006-8006-a11c00000006";
    planned.run(&["--leave-out", name]).code(0);
    let documents = planned.simulator.documents();
    let assignments: Vec<_> = documents
        .iter()
        .filter(|row| row["type"] == "Microsoft.Authorization/roleAssignments")
        .collect();
    assert_eq!(assignments.len(), 1, "{assignments:#?}");
    assert_eq!(assignments[0]["properties"]["principalId"], principal.as_str());
    assert!(
        documents
            .iter()
            .any(|row| row["id"].as_str().unwrap().eq_ignore_ascii_case(&old))
    );
}

#[test]
fn a_plan_tells_what_it_costs() {
    let ferry = Ferry::new();
    let text = ferry.run(&["plan", "relocate", "--sim", "--out", "p.json"]).code(0).out;
    for word in [
        "costs and risks",
        "the workload restarts",
        "there is no way back",
        "quota",
        "ferry run --plan-file p.json",
    ] {
        assert!(text.contains(word), "{word} is missing:\n{text}");
    }
    let file = std::fs::read_to_string(ferry.directory().join("p.json")).unwrap();
    let file: Value = serde_json::from_str(&file).unwrap();
    let costs = &file["costs"];
    assert!(
        costs["effects"]["restart"]
            .as_array()
            .is_some_and(|rows| !rows.is_empty()),
        "{costs}"
    );
    let changes = file["changes"].as_array().unwrap();
    let last = changes.iter().find(|row| row["op"] == "identity::delete").unwrap();
    assert_eq!(costs["noReturn"], last["seq"]);
    let quota = &costs["quota"][0];
    let number = |name: &str| quota[name].as_i64().unwrap();
    assert_eq!(number("limit") - number("standing") - number("added"), number("left"));
    assert!(number("standing") > 0 && number("added") > 0, "{quota}");
    // On the simulated company, too, the run is the plan; its gate says of which plan it is.
    let ran = ferry.run(&["run", "--plan-file", "p.json"]).code(3);
    assert!(ran.err.contains(file["digest"].as_str().unwrap()), "{}", ran.err);
}
