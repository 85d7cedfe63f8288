//! The shipped runbooks beside `relocate`: copying permissions, checking a map, cleaning up after principals that are gone.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::rollback::{differences, estate};
use crate::support::{Ferry, Simulator, demo, estate_file};

const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

/// An estate of the tests, changed, in a file of its own.
fn altered(ferry: &Ferry, name: &str, change: impl FnOnce(&mut Value)) -> PathBuf {
    let mut estate = serde_json::from_str(&std::fs::read_to_string(estate_file(name)).unwrap()).unwrap();
    change(&mut estate);
    let path = ferry.directory().join("estate.json");
    std::fs::write(&path, estate.to_string()).unwrap();
    path
}

/// A second identity, which has nothing.
fn with_another(estate: &mut Value) -> String {
    let id = estate["demo"]["relocate"]["identity"].as_str().unwrap().to_owned();
    let made = format!("{}/id-second", id.rsplit_once('/').unwrap().0);
    let document = json!({
        "id": made, "name": "id-second", "type": "Microsoft.ManagedIdentity/userAssignedIdentities", "location": "westeurope",
        "properties": {
            "tenantId": estate["tenantId"],
            "principalId": "5ec0d001-0001-4001-8001-5ec0d0010001", "clientId": "5ec0d002-0002-4002-8002-5ec0d0020002",
        },
    });
    estate["arm"]["resources"].as_array_mut().unwrap().push(document);
    made
}

#[test]
fn permissions_are_copied_and_the_first_principal_keeps_its_own() {
    let ferry = Ferry::new();
    let mut second = String::new();
    let file = altered(&ferry, "every-kind", |estate| second = with_another(estate));
    let simulator = Simulator::with(&file, &["--lag", "off"]);
    let before = estate(&simulator);
    let (identity, _) = demo("every-kind");
    let from = identity.replace("identity=", "from=");
    let to = format!("to={second}");
    let copy = ["run", "copy-permissions", &from, &to, "--cloud", &simulator.url];

    let planned = ferry.run(&[&["plan"], &copy[1..], &["--json"]].concat()).code(0).json();
    assert_eq!(differences(&before, &estate(&simulator)), Vec::<String>::new());
    ferry.run(&copy).code(0);
    let shown = ferry.run(&["show", "last", "--json"]).code(0).json();
    let made = shown["changes"].as_array().unwrap();
    assert!(!made.is_empty());
    assert_eq!(made.len(), planned["changes"].as_array().unwrap().len());
    // Nothing was taken away, and nothing is left to copy.
    let gone: Vec<String> = differences(&before, &estate(&simulator));
    assert!(gone.iter().all(|what| !what.ends_with("is gone")), "{gone:#?}");
    let itself = from.replace("from=", "to=");
    let oneself = ferry
        .run(&["run", "copy-permissions", &from, &itself, "--cloud", &simulator.url])
        .code(1);
    assert!(oneself.err.contains("one-principal"), "{}", oneself.err);
    let name = format!("identity={second}");
    let map = ferry.directory().join("map.json");
    let old = identity.clone();
    let inventory = ferry
        .run(&["run", "inventory", &old, "--cloud", &simulator.url, "--json"])
        .code(0);
    std::fs::write(&map, inventory.out).unwrap();
    let map = format!("map=@{}", map.display());
    let compared = ferry.run(&["run", "verify", &map, &name, "--cloud", &simulator.url]);
    assert!(!compared.err.contains("role_assignments"), "{}", compared.err);

    ferry.run(&["rollback", "last"]);
    let runs = ferry.run(&["runs", "--json"]).code(0).json();
    let copied = runs
        .as_array()
        .unwrap()
        .iter()
        .find(|run| run["runbook"] == "copy-permissions");
    ferry
        .run(&["rollback", copied.unwrap()["run"].as_str().unwrap()])
        .code(0);
    assert_eq!(differences(&before, &estate(&simulator)), Vec::<String>::new());
}

#[test]
fn a_map_is_compared_with_the_cloud_as_it_is_now() {
    let simulator = Simulator::start("many-scopes");
    let (identity, _) = demo("many-scopes");
    let ferry = Ferry::new();
    let printed = ferry
        .run(&["run", "inventory", &identity, "--cloud", &simulator.url, "--json"])
        .code(0);
    let file = ferry.directory().join("map.json");
    std::fs::write(&file, &printed.out).unwrap();
    let map = format!("map=@{}", file.display());
    let verify = ["run", "verify", &map, "--cloud", &simulator.url];
    ferry.run(&verify).code(0);

    let documents = simulator.documents();
    let principal = documents
        .iter()
        .find(|document| identity.ends_with(document["id"].as_str().unwrap()))
        .map(|document| document["properties"]["principalId"].clone())
        .unwrap();
    let own = documents.iter().find(|document| {
        document["type"] == "Microsoft.Authorization/roleAssignments"
            && document["properties"]["principalId"] == principal
    });
    let path = format!("{}?api-version=2022-04-01", own.unwrap()["id"].as_str().unwrap());
    simulator.change("DELETE", &path, &Value::Null);
    let differs = ferry.run(&verify).code(4);
    assert!(differs.err.contains("gone-since"), "{}", differs.err);

    let refused = ferry
        .run(&["run", "verify", "map=@/nowhere.json", "--cloud", &simulator.url])
        .code(2);
    assert!(refused.err.contains("/nowhere.json"), "{}", refused.err);
}

#[test]
fn only_what_principals_left_that_are_gone_for_good_is_removed() {
    const GONE: &str = "dead0001-0001-4001-8001-dead00010001";
    const DELETED: &str = "dead0002-0002-4002-8002-dead00020002";
    let ferry = Ferry::new();
    let mut group = String::new();
    let file = altered(&ferry, "every-kind", |estate| {
        let id = estate["demo"]["relocate"]["identity"].as_str().unwrap();
        group = id.split("/providers/").next().unwrap().to_owned();
        let subscription = group.split("/resourceGroups/").next().unwrap();
        let role = format!("{subscription}/providers/Microsoft.Authorization/roleDefinitions/{READER}");
        let documents = estate["arm"]["resources"].as_array_mut().unwrap();
        for (name, principal) in [
            ("0bae0001-0001-4001-8001-0bae00010001", GONE),
            ("0bae0002-0002-4002-8002-0bae00020002", DELETED),
        ] {
            documents.push(json!({
                "id": format!("{group}/providers/Microsoft.Authorization/roleAssignments/{name}"), "name": name,
                "type": "Microsoft.Authorization/roleAssignments",
                "properties": {"roleDefinitionId": role, "principalId": principal, "principalType": "ServicePrincipal", "scope": group},
            }));
        }
        let vault = documents
            .iter_mut()
            .find(|document| document["type"] == "Microsoft.KeyVault/vaults")
            .unwrap();
        let tenant = vault["properties"]["tenantId"].clone();
        let policies = vault["properties"]["accessPolicies"].as_array_mut().unwrap();
        policies.push(json!({"tenantId": tenant, "objectId": GONE, "permissions": {"secrets": ["get"]}}));
        estate["graph"]["deletedItems"] = json!([{"id": DELETED, "displayName": "can come back"}]);
    });
    let simulator = Simulator::with(&file, &["--lag", "off"]);
    let clean = ["run", "clean-up-orphans", "--cloud", &simulator.url];
    let waits = ferry.run(&clean).code(3);
    assert!(waits.err.contains("Delete 2 thing(s)"), "{}", waits.err);
    assert!(simulator.writes().is_empty());
    ferry.run(&["resume", "last", "--yes"]).code(0);

    let text = |documents: &[Value]| documents.iter().map(Value::to_string).collect::<String>();
    let left = text(&simulator.documents());
    assert!(!left.contains(GONE));
    assert!(left.contains(DELETED), "what can be restored is no orphan");
    let before: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let count = |documents: &Value| documents.as_array().unwrap().len();
    assert_eq!(simulator.documents().len() + 1, count(&before["arm"]["resources"]));
}

#[test]
fn a_directory_that_does_not_answer_makes_no_orphans() {
    let simulator = Simulator::start("many-scopes");
    let fault = json!([{"match": {"path": "directoryObjects/|deletedItems"}, "do": {"status": 403}}]);
    simulator.change("POST", "/_sim/faults", &fault);
    let ferry = Ferry::new();
    ferry.run(&["run", "clean-up-orphans", "--cloud", &simulator.url, "--yes"]);
    assert!(simulator.writes().is_empty());
}

#[test]
fn nothing_is_copied_without_the_rights_for_all_of_it() {
    let ferry = Ferry::new();
    let (mut second, mut operator) = (String::new(), String::new());
    let file = altered(&ferry, "every-kind", |estate| {
        second = with_another(estate);
        let id = estate["demo"]["relocate"]["identity"].as_str().unwrap().to_owned();
        let subscription = id.split("/resourceGroups/").next().unwrap().to_owned();
        operator = "09e7a702-0001-4001-8001-09e7a7020001".to_owned();
        let name = "09e7a702-0002-4002-8002-09e7a7020002";
        estate["operator"] = json!(operator);
        estate["graph"]["users"] = json!([{"id": operator, "displayName": "reads only"}]);
        estate["arm"]["resources"].as_array_mut().unwrap().push(json!({
            "id": format!("{subscription}/providers/Microsoft.Authorization/roleAssignments/{name}"), "name": name,
            "type": "Microsoft.Authorization/roleAssignments",
            "properties": {
                "roleDefinitionId": format!("{subscription}/providers/Microsoft.Authorization/roleDefinitions/{READER}"),
                "principalId": operator, "principalType": "User", "scope": subscription,
            },
        }));
    });
    let simulator = Simulator::with(&file, &["--lag", "off"]);
    let from = demo("every-kind").0.replace("identity=", "from=");
    let to = format!("to={second}");
    let accept = "accept_unseen=all";
    let refused = ferry
        .run(&["run", "copy-permissions", &from, &to, accept, "--cloud", &simulator.url])
        .code(1);
    assert!(refused.err.contains("preflight"), "{}", refused.err);
    assert!(
        refused.err.contains("Microsoft.Authorization/roleAssignments/write"),
        "{}",
        refused.err
    );
    assert!(simulator.writes().is_empty());
}
