//! A permission source of the user's own, dropped as a file, takes part in everything.

use crate::support::{Ferry, Simulator, demo};

const SOURCE: &str = r#"
//! Principals in a tag of a resource group.
const TITLE = "Deployers";
fn groups() { resource_graph::query("resourcecontainers | where type =~ 'microsoft.resources/subscriptions/resourcegroups' | project id") }
fn deployers(id) { (arm::get(id).tags?.deployers ?? "").split(",").filter(|one| one != "") }
fn set(id, all) {
    let text = "";
    for one in all { text += if text == "" { one } else { "," + one }; }
    arm::patch(id, #{ tags: #{ deployers: text } });
}
fn list(identity) {
    groups().filter(|group| identity.principalId in deployers(group.id))
        .map(|group| #{ id: group.id + "/deployers", scope: group.id, resource: group.id, at: "/tags/deployers", what: "may deploy to " + group.id })
}
fn grant(grant, identity) { let all = deployers(grant.scope); if !(identity.principalId in all) { set(grant.scope, all + [identity.principalId]); } }
fn check(grant, identity) { identity.principalId in deployers(grant.scope) }
fn revoke(grant, identity) { let all = deployers(grant.scope); if identity.principalId in all { set(grant.scope, all.filter(|one| one != identity.principalId)); } }
"#;

#[test]
fn a_source_in_the_working_directory_needs_no_registration() {
    let ferry = Ferry::new();
    let folder = ferry.directory().join("stdlib/permissions");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("deployers.rhai"), SOURCE).unwrap();
    let (identity, to) = demo("one-vm");
    let text = std::fs::read_to_string(crate::support::estate_file("one-vm")).unwrap();
    let mut estate: serde_json::Value = serde_json::from_str(&text).unwrap();
    let id = identity.trim_start_matches("identity=").to_lowercase();
    let documents = estate["arm"]["resources"].as_array_mut().unwrap();
    let principal = documents
        .iter()
        .find(|d| d["id"].as_str().unwrap().to_lowercase() == id)
        .unwrap()["properties"]["principalId"]
        .clone();
    let group = documents
        .iter_mut()
        .find(|d| d["type"] == "Microsoft.Resources/resourceGroups")
        .unwrap();
    group["tags"] = serde_json::json!({ "deployers": format!("somebody,{}", principal.as_str().unwrap()) });
    let file = ferry.directory().join("estate.json");
    std::fs::write(&file, estate.to_string()).unwrap();
    let simulator = Simulator::with(&file, &["--lag", "0.1"]);
    let plan = ferry
        .run(&["plan", "relocate", &identity, &to, "--cloud", &simulator.url, "--json"])
        .code(0)
        .json();
    let steps: Vec<&str> = plan["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["step"].as_str().unwrap())
        .collect();
    assert!(
        steps.iter().any(|step| step.starts_with("move/grants/deployers/")),
        "{steps:#?}"
    );
    assert!(
        steps.iter().any(|step| step.starts_with("clean_up/grants/deployers/")),
        "{steps:#?}"
    );
    ferry
        .run(&[
            "run",
            "relocate",
            &identity,
            &to,
            "name=id-moved",
            "--cloud",
            &simulator.url,
            "--yes",
        ])
        .code(0);
    let after: serde_json::Value = serde_json::from_str(&simulator.read("/_sim/estate")).unwrap();
    let documents = after["arm"]["resources"].as_array().unwrap();
    let made = documents.iter().find(|d| d["name"] == "id-moved").unwrap()["properties"]["principalId"]
        .as_str()
        .unwrap()
        .to_owned();
    let group = documents
        .iter()
        .find(|d| d["type"] == "Microsoft.Resources/resourceGroups" && d["tags"]["deployers"].is_string())
        .unwrap();
    assert_eq!(group["tags"]["deployers"], format!("somebody,{made}"));
}
