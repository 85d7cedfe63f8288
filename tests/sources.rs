//! A permission source of the user's own, dropped as a file, takes part in everything.

use serde_json::Value;

use crate::support::{Ferry, Simulator, demo, relocation};

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
        .run(&relocation(&identity, &to, &simulator.url, &["--yes"]))
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

/// A source with a tag of its own, whose helpers are named like those of the shipped scripts and like methods of texts
/// and lists, and called with and without closures.
fn hostile(tag: &str) -> String {
    r#"
//! Principals in the tag TAG of a resource group.
import "relocation/documents" as documents;
const TITLE = "TAG";
fn groups() { resource_graph::query("resourcecontainers | where type =~ 'microsoft.resources/subscriptions/resourcegroups' | project id") }
fn last(x) { "TAG " + documents::last(x) }
fn same(a, b) { documents::same(a, b) }
fn join(items, between) { documents::join(items, between) }
fn field(document, name) { document.tags?[name] ?? "" }
fn split(text, at) { text.split(at).filter(|one| one != "") }
fn standing(id) { split(field(arm::get(id), "TAG"), ",") }
fn key(id) { id + "/TAG" }
fn summary(x) { `${last(x)} in ${documents::short(x)}` }
fn rows(identity) { groups().filter(|group| standing(group.id).some(|one| same(one, identity.principalId))) }
fn change(id, all) { let tags = arm::get(id).tags; tags["TAG"] = join(all, ","); arm::patch(id, #{ tags: tags }); }
fn look(group) { #{ id: key(group.id), scope: group.id, resource: group.id, at: "/tags/TAG", serial: group.id, what: summary(group.id) } }
fn list(identity) { rows(identity).map(|group| look(group)) }
fn grant(grant, identity) { let all = standing(grant.scope); if !check(grant, identity) { change(grant.scope, all + [identity.principalId]); } }
fn check(grant, identity) { standing(grant.scope).some(|one| same(one, identity.principalId)) }
fn revoke(grant, identity) { if check(grant, identity) { change(grant.scope, standing(grant.scope).filter(|one| !same(one, identity.principalId))); } }
"#
    .replace("TAG", tag)
}

#[test]
fn two_sources_whose_helpers_are_named_like_everybody_elses_both_take_part() {
    let ferry = Ferry::new();
    let folder = ferry.directory().join("stdlib/permissions");
    std::fs::create_dir_all(&folder).unwrap();
    for tag in ["alpha", "beta"] {
        std::fs::write(folder.join(format!("{tag}.rhai")), hostile(tag)).unwrap();
    }
    let (identity, to) = demo("many-scopes");
    let text = std::fs::read_to_string(crate::support::estate_file("many-scopes")).unwrap();
    let mut estate: Value = serde_json::from_str(&text).unwrap();
    let id = identity.trim_start_matches("identity=").to_lowercase();
    let documents = estate["arm"]["resources"].as_array_mut().unwrap();
    let old = documents
        .iter()
        .find(|d| d["id"].as_str().unwrap().to_lowercase() == id);
    let principal = old.unwrap()["properties"]["principalId"].as_str().unwrap().to_owned();
    let groups = documents
        .iter_mut()
        .filter(|d| d["type"] == "Microsoft.Resources/resourceGroups");
    for group in groups {
        group["tags"] = serde_json::json!({ "alpha": format!("x,{principal}"), "beta": principal, "gamma": "kept" });
    }
    let file = ferry.directory().join("estate.json");
    std::fs::write(&file, estate.to_string()).unwrap();
    let simulator = Simulator::with(&file, &["--lag", "0.1"]);
    let cloud = ["--cloud", &simulator.url];
    ferry
        .run(
            &[
                &["run", "relocate", &identity, &to, "name=id-moved", "--yes"][..],
                &cloud,
            ]
            .concat(),
        )
        .code(0);
    let after = simulator.documents();
    let made = after.iter().find(|d| d["name"] == "id-moved").unwrap()["properties"]["principalId"]
        .as_str()
        .unwrap();
    for group in after
        .iter()
        .filter(|d| d["type"] == "Microsoft.Resources/resourceGroups")
    {
        let wanted = serde_json::json!({ "alpha": format!("x,{made}"), "beta": made, "gamma": "kept" });
        assert_eq!(group["tags"], wanted, "{}", group["id"]);
    }
}

#[test]
fn two_entries_of_one_key_are_refused_before_anything_is_sent() {
    let ferry = Ferry::new();
    let folder = ferry.directory().join("stdlib/permissions");
    std::fs::create_dir_all(&folder).unwrap();
    let source = "//! Twice.\nconst TITLE = \"Twice\";\nfn list(i) { [#{ id: \"a\", scope: \"/\", what: \"one\", at: \"/1\" }, #{ id: \"a\", scope: \"/\", what: \"two\", at: \"/2\" }] }\n\
        fn grant(g, i) {}\nfn check(g, i) { true }\nfn revoke(g, i) {}\n";
    std::fs::write(folder.join("twice.rhai"), source).unwrap();
    let simulator = Simulator::start("one-vm");
    let (identity, to) = demo("one-vm");
    let ran = ferry
        .run(&["run", "relocate", &identity, &to, "--cloud", &simulator.url, "--yes"])
        .code(1);
    assert!(
        ran.err.contains("duplicate-key") && ran.err.contains("twice"),
        "{}",
        ran.err
    );
    assert!(simulator.writes().is_empty());
}
