//! Other people work in the tenant while a run lasts: what they change is shown, and taken in on request.

use serde_json::{Value, json};

use crate::support::{Ferry, Simulator, demo, relocation};

const ESTATE: &str = "every-kind";
/// Monitoring Reader, which the estate gives nobody.
const ROLE: &str = "43d0d8ad-25c7-4714-9337-8ba259a9fe05";

/// A tenant in which an identity is being relocated, up to the end of a phase.
struct Stage {
    simulator: Simulator,
    ferry: Ferry,
    /// The old identity.
    old: Value,
    group: String,
}

impl Stage {
    fn until(phase: &str) -> Self {
        let simulator = Simulator::start(ESTATE);
        let (identity, to) = demo(ESTATE);
        let ferry = Ferry::new();
        let id = identity.strip_prefix("identity=").unwrap().to_owned();
        let old = simulator
            .documents()
            .into_iter()
            .find(|document| document["id"] == id.as_str());
        let args = relocation(&identity, &to, &simulator.url, &["--until", phase]);
        ferry.run(&args).code(3);
        let group = id.split("/providers/").next().unwrap().to_owned();
        Self {
            old: old.unwrap(),
            simulator,
            ferry,
            group,
        }
    }

    fn id(&self) -> &str {
        self.old["id"].as_str().unwrap()
    }

    fn of(&self, name: &str) -> &str {
        self.old["properties"][name].as_str().unwrap()
    }

    /// Somebody gives the old identity a role.
    fn give_a_role(&self) {
        let path = format!(
            "{}/providers/Microsoft.Authorization/roleAssignments/0d21f7a0-0001-4001-8001-0d21f7a00001?api-version=2022-04-01",
            self.group
        );
        let subscription = self.group.split("/resourceGroups/").next().unwrap();
        let role = format!("{subscription}/providers/Microsoft.Authorization/roleDefinitions/{ROLE}");
        let body = json!({"properties": {
            "roleDefinitionId": role, "principalId": self.of("principalId"), "principalType": "ServicePrincipal",
        }});
        self.simulator.change("PUT", &path, &body);
    }

    /// Somebody lets a pipeline become the old identity.
    fn trust_a_pipeline(&self) {
        let path = format!("{}/federatedIdentityCredentials/late?api-version=2024-11-30", self.id());
        let body = json!({"properties": {
            "issuer": "https://token.actions.githubusercontent.com", "subject": "repo:o/late:ref:refs/heads/main",
            "audiences": ["api://AzureADTokenExchange"],
        }});
        self.simulator.change("PUT", &path, &body);
    }

    /// The app settings of the estate's web app.
    fn settings(&self) -> Value {
        let path = format!("{}/config/appsettings/list?api-version=2024-04-01", self.app());
        self.simulator.ask("POST", &path, &json!({})).1["properties"].clone()
    }

    fn write_settings(&self, settings: &Value) {
        let path = format!("{}/config/appsettings?api-version=2024-04-01", self.app());
        self.simulator.change("PUT", &path, &json!({"properties": settings}));
    }

    fn app(&self) -> String {
        format!("{}/providers/Microsoft.Web/sites/app-kinds", self.group)
    }

    /// Where the tenant still names the old identity.
    fn named(&self) -> Vec<String> {
        let ids = [self.id(), self.of("clientId"), self.of("principalId")].map(str::to_lowercase);
        let documents = self.simulator.documents();
        let naming = documents.iter().filter(|document| {
            let text = document.to_string().to_lowercase();
            ids.iter().any(|id| text.contains(id))
        });
        naming.map(|document| document["id"].to_string()).collect()
    }

    /// Takes the drift in, and relocates to the end.
    fn refresh_and_finish(&self, shown: &[&str]) {
        let refreshed = self.ferry.run(&["refresh", "last"]).code(0);
        for word in shown {
            assert!(refreshed.out.contains(word), "{word}\n{}", refreshed.out);
        }
        self.ferry.run(&["resume", "last", "--yes"]).code(0);
        assert_eq!(self.named(), Vec::<String>::new());
    }
}

#[test]
fn what_has_come_before_the_clean_up_stops_it_and_is_taken_in() {
    let stage = Stage::until("verify");
    stage.give_a_role();
    stage.trust_a_pipeline();
    let mut settings = stage.settings();
    settings["LATE_CLIENT"] = json!(stage.of("clientId"));
    stage.write_settings(&settings);
    let writes = stage.simulator.writes().len();

    let stopped = stage.ferry.run(&["resume", "last", "--yes"]).code(1);
    assert!(stopped.err.contains("found-late"), "{}", stopped.err);
    assert!(stopped.err.contains("ferry refresh"), "{}", stopped.err);
    assert_eq!(stage.simulator.writes().len(), writes, "nothing old was touched");

    stage.refresh_and_finish(&["Monitoring Reader", "late", "LATE_CLIENT"]);
    let made = stage.simulator.documents();
    let moved = made
        .iter()
        .find(|document| document["id"].as_str().is_some_and(|id| id.ends_with("/id-moved")))
        .unwrap();
    assert_eq!(stage.settings()["LATE_CLIENT"], moved["properties"]["clientId"]);
    let id = |document: &Value| document["id"].as_str().unwrap().to_lowercase();
    let late = format!("{}/federatedidentitycredentials/late", id(moved));
    assert!(made.iter().any(|document| id(document) == late));
}

#[test]
fn what_has_come_before_verification_is_a_difference() {
    let stage = Stage::until("move");
    stage.give_a_role();
    let differs = stage.ferry.run(&["resume", "last", "--yes"]).code(4);
    assert!(differs.err.contains("come-since"), "{}", differs.err);
    stage.refresh_and_finish(&["Monitoring Reader"]);
}

#[test]
fn what_others_turned_back_is_seen_before_the_clean_up_and_turned_again() {
    let stage = Stage::until("verify");
    let turned = stage.settings();
    let moved = stage
        .simulator
        .documents()
        .into_iter()
        .find(|document| document["id"].as_str().is_some_and(|id| id.ends_with("/id-moved")));
    let client = moved.unwrap()["properties"]["clientId"].as_str().unwrap().to_owned();
    let back: Value = serde_json::from_str(&turned.to_string().replace(&client, stage.of("clientId"))).unwrap();
    assert_ne!(turned, back);
    stage.write_settings(&back);

    let stopped = stage.ferry.run(&["resume", "last", "--yes"]).code(1);
    assert!(stopped.err.contains("undone-since"), "{}", stopped.err);
    stage.refresh_and_finish(&[]);
    assert_eq!(stage.settings(), turned);
}

#[test]
fn a_run_that_is_over_or_has_no_map_is_not_refreshed() {
    let stage = Stage::until("prepare");
    stage.ferry.run(&["refresh", "last"]).code(0);
    stage.ferry.run(&["resume", "last", "--yes"]).code(0);
    let over = stage.ferry.run(&["refresh", "last"]).code(2);
    assert!(over.err.contains("nothing-to-refresh"), "{}", over.err);
}

#[test]
fn a_runbook_without_a_refresh_says_so() {
    let simulator = Simulator::start("one-vm");
    let ferry = Ferry::new();
    let text = "//! Stops at once.\nconst PARAMS = #{};\nfn prepare(params) { 1 }\nfn move(params, results) { run::approve(\"go\", \"go on\"); }\n";
    std::fs::write(ferry.directory().join("stops.rhai"), text).unwrap();
    ferry.run(&["run", "./stops.rhai", "--cloud", &simulator.url]).code(3);
    let refused = ferry.run(&["refresh", "last"]).code(2);
    assert!(refused.err.contains("not-refreshable"), "{}", refused.err);
    ferry.run(&["resume", "last", "--yes"]).code(0);
}

#[test]
fn what_the_old_identity_has_lost_is_not_given_to_the_new_one() {
    let stage = Stage::until("prepare");
    let documents = stage.simulator.documents();
    let held = documents.iter().find(|document| {
        document["type"] == "Microsoft.Authorization/roleAssignments"
            && document["properties"]["principalId"] == stage.of("principalId")
            && document["properties"]["scope"] == stage.group.as_str()
    });
    let held = held.unwrap();
    let role = held["properties"]["roleDefinitionId"]
        .as_str()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap();
    let path = format!("{}?api-version=2022-04-01", held["id"].as_str().unwrap());
    stage.simulator.change("DELETE", &path, &Value::Null);
    stage.refresh_and_finish(&["not there any more"]);
    let left = stage.simulator.documents();
    let given = left.iter().any(|document| {
        let properties = &document["properties"];
        document["type"] == "Microsoft.Authorization/roleAssignments"
            && properties["scope"] == stage.group.as_str()
            && properties["principalType"] == "ServicePrincipal"
            && properties["roleDefinitionId"]
                .as_str()
                .is_some_and(|id| id.ends_with(role))
    });
    assert!(!given);
}

#[test]
fn what_was_left_out_by_name_is_nothing_that_others_undid() {
    let simulator = Simulator::start(ESTATE);
    let (identity, to) = demo(ESTATE);
    let ferry = Ferry::new();
    let planned = ferry.run(&["plan", "relocate", &identity, &to, "--cloud", &simulator.url, "--json"]);
    let plan = planned.code(0).json();
    let steps = plan["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["step"].as_str().unwrap());
    let grant = steps
        .into_iter()
        .find(|step| step.starts_with("move/grants/role_assignments/"))
        .unwrap();
    let args = relocation(
        &identity,
        &to,
        &simulator.url,
        &["--leave-out", grant, "--until", "verify"],
    );
    ferry.run(&args).code(3);
    let resumed = ferry.run(&["resume", "last", "--yes"]).code(0);
    assert!(!resumed.err.contains("undone-since"), "{}", resumed.err);
}
