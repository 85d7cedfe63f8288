//! `ferry doctor`: who one is, what answers, what is wrong.

use serde_json::{Value, json};

use crate::support::{Ferry, Simulator, estate_file};

const OPERATOR: &str = "0d0c0000-0001-4001-8001-000000000001";
const SUBSCRIPTION: &str = "/subscriptions/a11c0002-0002-4002-8002-a11c00000002";

/// The smallest estate, with an operator who has this role at its subscription.
fn estate_with(ferry: &Ferry, role: &str) -> std::path::PathBuf {
    let text = std::fs::read_to_string(estate_file("one-vm")).unwrap();
    let mut estate: Value = serde_json::from_str(&text).unwrap();
    estate["operator"] = json!(OPERATOR);
    estate["graph"]["servicePrincipals"] = json!([
        {"id": OPERATOR, "appId": "0d0c0000-0002-4002-8002-000000000002", "displayName": "sp-operator",
         "servicePrincipalType": "Application"},
        {"id": "0d0c0000-0003-4003-8003-000000000003", "appId": "00000003-0000-0000-c000-000000000000",
         "displayName": "Microsoft Graph", "servicePrincipalType": "Application",
         "appRoles": [{"id": "7ab1d382-f21e-4acd-a863-ba3e13f7da61", "value": "Directory.Read.All"}]},
    ]);
    estate["graph"]["appRoleAssignments"] = json!([{
        "id": "abc", "principalId": OPERATOR, "resourceId": "0d0c0000-0003-4003-8003-000000000003",
        "resourceDisplayName": "Microsoft Graph", "appRoleId": "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
        "principalType": "ServicePrincipal",
    }]);
    let name = "0d0c0000-0004-4004-8004-000000000004";
    estate["arm"]["resources"].as_array_mut().unwrap().push(json!({
        "id": format!("{SUBSCRIPTION}/providers/Microsoft.Authorization/roleAssignments/{name}"),
        "name": name,
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": {
            "roleDefinitionId": format!("{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}"),
            "principalId": OPERATOR, "principalType": "ServicePrincipal", "scope": SUBSCRIPTION,
        },
    }));
    let file = ferry.directory().join("estate.json");
    std::fs::write(&file, estate.to_string()).unwrap();
    file
}

const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

#[test]
fn a_healthy_setup_is_told_in_one_page() {
    let ferry = Ferry::new();
    let simulator = Simulator::with(&estate_with(&ferry, OWNER), &[]);
    let told = ferry.run_with(&["doctor", "--cloud", &simulator.url], &[]).code(0).out;
    for fact in [
        "sp-operator",
        OPERATOR,
        "a11c0001-0001-4001-8001-a11c00000001",
        &format!("Owner at {SUBSCRIPTION}"),
        "Microsoft Graph: Directory.Read.All",
        "may relocate",
        "Resource Graph",
        "token endpoint",
        "the cloud on this machine, at /msi/token",
        "all is well",
    ] {
        assert!(told.contains(fact), "{fact} is missing from\n{told}");
    }
}

#[test]
fn the_report_as_json_has_the_same_facts() {
    let ferry = Ferry::new();
    let simulator = Simulator::with(&estate_with(&ferry, OWNER), &[]);
    let told = ferry
        .run_with(&["doctor", "--json", "--cloud", &simulator.url], &[])
        .code(0)
        .json();
    assert_eq!(told["ok"], true);
    assert_eq!(told["who"]["objectId"], OPERATOR);
    assert_eq!(
        told["roles"],
        json!([{"role": "Owner", "scope": SUBSCRIPTION, "throughGroup": false, "conditional": false}])
    );
    let reached: Vec<&str> = told["reach"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["what"].as_str().unwrap())
        .collect();
    assert_eq!(
        reached,
        [
            "token endpoint",
            "Resource Manager",
            "Microsoft Graph",
            "Resource Graph"
        ]
    );
    assert!(told["clockAheadSeconds"].as_f64().unwrap().abs() < 5.0);
    assert!(told["state"]["place"].as_str().unwrap().ends_with("state"));
}

#[test]
fn a_reader_is_told_what_is_missing_for_a_relocation() {
    let ferry = Ferry::new();
    let simulator = Simulator::with(&estate_with(&ferry, READER), &[]);
    let told = ferry.run_with(&["doctor", "--cloud", &simulator.url], &[]).code(1).out;
    assert!(told.contains("wrong       cannot-relocate"), "{told}");
    assert!(told.contains("Microsoft.Authorization/roleAssignments/write"), "{told}");
    assert!(told.contains("az role assignment create"), "{told}");
}

#[test]
fn a_cloud_that_does_not_answer_leaves_the_rest_of_the_report_whole() {
    let ferry = Ferry::new();
    let told = ferry
        .run_with(&["doctor", "--cloud", "http://127.0.0.1:9"], &[])
        .code(1)
        .out;
    assert!(told.contains("wrong       unreachable"), "{told}");
    assert!(told.contains("scripts") && told.contains("state"), "{told}");
}

#[test]
fn a_secret_that_is_wrong_is_told_and_not_shown() {
    let ferry = Ferry::new();
    let file = estate_with(&ferry, OWNER);
    let text = std::fs::read_to_string(&file).unwrap();
    let mut estate: Value = serde_json::from_str(&text).unwrap();
    estate["graph"]["applications"] = json!([{
        "id": "0d0c0000-0005-4005-8005-000000000005", "appId": "0d0c0000-0002-4002-8002-000000000002",
        "displayName": "sp-operator", "passwordCredentials": [{"hint": "abc", "endDateTime": "2099-01-01T00:00:00Z"}],
    }]);
    std::fs::write(&file, estate.to_string()).unwrap();
    let simulator = Simulator::tls(&file, &ferry.directory().join("tls"), &["--auth", "strict"]);
    let ca = simulator.ca.as_ref().unwrap().to_str().unwrap();
    let doctor = |secret: &str| {
        let variables = [
            ("AZURE_TENANT_ID", "a11c0001-0001-4001-8001-a11c00000001"),
            ("AZURE_CLIENT_ID", "0d0c0000-0002-4002-8002-000000000002"),
            ("AZURE_CLIENT_SECRET", secret),
        ];
        ferry.run_with(
            &["doctor", "--cloud", &simulator.url, "--auth", "environment", "--ca", ca],
            &variables,
        )
    };
    let told = doctor("forged~secret").code(1).out;
    assert!(
        told.contains("credential-refused") && told.contains("AADSTS7000215"),
        "{told}"
    );
    assert!(
        told.contains("AZURE_CLIENT_SECRET") && !told.contains("forged~secret"),
        "{told}"
    );
    let told = doctor("abc~secret").code(0).out;
    assert!(
        told.contains("environment: a service principal") && !told.contains("abc~secret"),
        "{told}"
    );
}

#[test]
fn the_demonstration_is_well() {
    let told = Ferry::new().run_with(&["doctor", "--sim"], &[]).code(0).out;
    assert!(told.contains("all is well"), "{told}");
}

#[test]
fn a_place_for_journals_that_cannot_be_written_is_told() {
    let ferry = Ferry::new();
    let file = ferry.directory().join("a-file");
    std::fs::write(&file, "").unwrap();
    let state = file.join("state");
    let told = ferry
        .run_with(&["doctor", "--sim", "--state", state.to_str().unwrap()], &[])
        .code(1)
        .out;
    assert!(
        told.contains("state-unwritable") && told.contains("--state DIR"),
        "{told}"
    );
}

#[test]
fn a_script_that_does_not_load_is_told() {
    let ferry = Ferry::new();
    let folder = ferry.directory().join("stdlib/permissions");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(
        folder.join("mine.rhai"),
        "const TITLE = \"Mine\";\nfn list(identity) { [",
    )
    .unwrap();
    let told = ferry.run_with(&["doctor", "--sim"], &[]).code(1).out;
    assert!(told.contains("mine.rhai"), "{told}");
}
