//! What permission sources promise beyond the contract: how much they say, what they must not copy, and that all of it is
//! taken back.

use std::path::Path;

use serde_json::{Value, json};

use crate::contract::documents::told;
use crate::support::{Ferry, Simulator, demo, estate_file, relocation};

/// An identity with every grant of the directory, of data planes, and with signs of databases and clusters.
const LEDGER: &str = "directory-grants";

fn estate(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(estate_file(name)).unwrap()).unwrap()
}

/// A simulator on an estate of the test's own, with faults.
fn served(directory: &Path, estate: &Value, faults: &Value) -> Simulator {
    let (file, wrong) = (directory.join("estate.json"), directory.join("faults.json"));
    std::fs::write(&file, estate.to_string()).unwrap();
    std::fs::write(&wrong, faults.to_string()).unwrap();
    Simulator::with(&file, &["--lag", "off", "--faults", wrong.to_str().unwrap()])
}

/// The plan of what the estate's demo relocates.
fn plan(estate: &Value, faults: &Value) -> Value {
    let ferry = Ferry::new();
    let simulator = served(ferry.directory(), estate, faults);
    let of = |name: &str| estate["demo"]["relocate"][name].as_str().unwrap();
    let (identity, to) = (format!("identity={}", of("identity")), format!("to={}", of("to")));
    let args = ["plan", "relocate", &identity, &to, "--cloud", &simulator.url, "--json"];
    ferry.run(&args).code(0).json()
}

/// What a plan says under a code: the targets of its findings.
fn targets(plan: &Value, code: &str) -> Vec<String> {
    let findings = plan["findings"].as_array().unwrap().iter();
    let mut found: Vec<String> = findings
        .filter(|finding| finding["code"] == code)
        .map(|finding| finding["target"].as_str().unwrap().to_owned())
        .collect();
    found.sort();
    found
}

fn refused(host: &str) -> Value {
    json!([{"match": {"path": format!("/dataplane/.*{host}")}, "do": {"status": 403}}])
}

#[test]
fn servers_that_nothing_points_at_are_one_finding_and_no_work() {
    let mut estate = estate("one-vm");
    let identity = estate["demo"]["relocate"]["identity"].as_str().unwrap().to_owned();
    let group = identity.split("/providers/").next().unwrap();
    let documents = estate["arm"]["resources"].as_array_mut().unwrap();
    for number in 0..40 {
        for (kind, properties) in [
            (
                "Microsoft.Sql/servers",
                json!({"fullyQualifiedDomainName": format!("n{number}.database.windows.net")}),
            ),
            (
                "Microsoft.ContainerService/managedClusters",
                json!({"kubernetesVersion": "1.31"}),
            ),
            (
                "Microsoft.Synapse/workspaces",
                json!({"connectivityEndpoints": {"dev": format!("https://n{number}.dev.azuresynapse.net")}}),
            ),
        ] {
            let id = format!("{group}/providers/{kind}/n{number}");
            let name = format!("n{number}");
            documents
                .push(json!({"id": id, "name": name, "type": kind, "location": "eastus", "properties": properties}));
        }
    }
    let plan = plan(&estate, &refused("azuresynapse"));
    assert_eq!(plan["unseen"], json!([]));
    assert_eq!(
        targets(&plan, "not-looked-into"),
        ["Kubernetes clusters", "SQL servers", "Synapse workspaces"]
    );
}

#[test]
fn a_closed_workspace_is_unseen_only_where_a_setting_names_it() {
    let mut estate = estate(LEDGER);
    let closed = refused("azuresynapse");
    let documents = |estate: &mut Value| estate["arm"]["resources"].as_array_mut().unwrap().clone();
    let workspace = documents(&mut estate)
        .iter()
        .find(|document| document["type"] == "Microsoft.Synapse/workspaces")
        .unwrap()["id"]
        .clone();
    let plain = plan(&estate, &closed);
    assert_eq!(plain["unseen"], json!([]));
    assert!(targets(&plain, "not-looked-into").contains(&"Synapse workspaces".to_owned()));

    let settings = estate["arm"]["resources"].as_array_mut().unwrap();
    let settings = settings
        .iter_mut()
        .find(|document| document["name"] == "appsettings")
        .unwrap();
    settings["properties"]["SYNAPSE"] = json!("https://syn-ledger.dev.azuresynapse.net");
    let named = plan(&estate, &closed);
    let unseen = named["unseen"].as_array().unwrap();
    assert_eq!(unseen.len(), 1, "{unseen:?}");
    assert_eq!(unseen[0]["scope"], workspace);
}

#[test]
fn what_ends_is_given_until_its_end_and_not_for_good() {
    let plan = plan(&estate(LEDGER), &json!([]));
    let changes = plan["changes"].as_array().unwrap();
    let to = |end: &str| -> Vec<&Value> {
        let given = changes
            .iter()
            .filter(|change| change["method"] == "POST" && change["phase"] == "move");
        given
            .filter(|change| change["target"].as_str().unwrap().ends_with(end))
            .collect()
    };
    let ending = to("roleAssignmentScheduleRequests");
    assert_eq!(ending.len(), 1);
    let body = &ending[0]["body"];
    assert_eq!(
        body["scheduleInfo"]["expiration"]["endDateTime"],
        "2031-03-31T00:00:00Z"
    );
    for permanent in to("/roleAssignments") {
        assert!(
            permanent["body"]["roleDefinitionId"] != body["roleDefinitionId"]
                || permanent["body"]["directoryScopeId"] != body["directoryScopeId"],
            "it was planned for good as well: {permanent}"
        );
    }
    let shift = to("group/assignmentScheduleRequests");
    let group = shift[0]["body"]["groupId"].as_str().unwrap();
    assert!(to(&format!("groups/{group}/members/$ref")).is_empty());
}

#[test]
fn database_users_are_told_by_their_sids_and_not_by_their_names() {
    let (identity, to) = demo(LEDGER);
    let (ferry, simulator) = (Ferry::new(), Simulator::start(LEDGER));
    ferry
        .run(&relocation(&identity, &to, &simulator.url, &["--until", "move"]))
        .code(3);
    let shown = ferry.run(&["show", "last", "--json"]).json();
    let tasks = shown["handOvers"].as_array().unwrap();
    let sql: Vec<&str> = tasks
        .iter()
        .filter_map(|task| task["text"].as_str())
        .filter(|text| text.contains("DECLARE @old"))
        .collect();
    assert_eq!(sql.len(), 1, "one server has a sign");
    // The client id d1ec0004-0004-4004-8004-d1ec00000004, its first three groups from the last byte to the first.
    assert!(
        sql[0].contains("@old varbinary(16) = 0x0400ECD1040004408004D1EC00000004"),
        "{}",
        sql[0]
    );
    assert!(sql[0].contains("WHERE sid = @old"), "{}", sql[0]);
}

#[test]
fn grants_of_the_directory_and_of_data_planes_are_taken_back() {
    let (identity, to) = demo(LEDGER);
    let (ferry, simulator) = (Ferry::new(), Simulator::start(LEDGER));
    let now = || -> Value { serde_json::from_str(&simulator.read("/_sim/estate")).unwrap() };
    let before = now();
    ferry
        .run(&relocation(
            &identity,
            &to,
            &simulator.url,
            &["--until", "verify", "--yes"],
        ))
        .code(3);
    assert_ne!(told(&before, &now()), "");
    ferry.run(&["rollback", "last", "--yes"]).code(0);
    assert_eq!(told(&before, &now()), "");
}
