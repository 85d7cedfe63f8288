//! What stands against the new identity itself: policies, its own restrictions, the region, the provider.

use serde_json::{Value, json};

use super::looked::{GROUP, SUBSCRIPTION, Tenant, identity, look, machine};
use crate::support::Ferry;

fn policy(definition: &str, parameters: &Value) -> Value {
    json!({
        "id": format!("{SUBSCRIPTION}/providers/Microsoft.Authorization/policyAssignments/house-rule"), "name": "house-rule",
        "type": "Microsoft.Authorization/policyAssignments",
        "properties": {"displayName": "House rule", "enforcementMode": "Default", "parameters": parameters,
            "policyDefinitionId": format!("/providers/Microsoft.Authorization/policyDefinitions/{definition}")}})
}

#[test]
fn a_policy_of_allowed_places_is_told_with_what_it_allows() {
    let places = |list: &[&str]| {
        let parameters = json!({"listOfAllowedLocations": {"value": list}});
        Tenant::new()
            .and(policy("e56962a6-4747-49cd-b67b-bf8b01975c4c", &parameters))
            .look()
    };
    let new = format!("{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-one-westeurope");
    places(&["eastus"]).tells(
        "error",
        "denied-by-policy",
        &new,
        &["House rule", "westeurope", "listOfAllowedLocations: [\"eastus\"]"],
    );
    places(&["eastus", "westeurope"]).is_clear();
}

#[test]
fn a_tag_that_a_policy_wants_must_be_on_the_identity() {
    let wanted = policy(
        "871b6d14-10aa-478d-b590-94f262ecfa99",
        &json!({"tagName": {"value": "costCenter"}}),
    );
    let new = format!("{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-one-westeurope");
    let without = Tenant::new().and(wanted.clone());
    without.look().tells(
        "error",
        "denied-by-policy",
        &new,
        &["House rule", "tagName: \"costCenter\""],
    );
    let with = Tenant::new()
        .and(wanted)
        .changed(&identity(), |own| own["tags"] = json!({"costCenter": "7"}));
    with.look().is_clear();
}

#[test]
fn an_identity_that_is_isolated_to_its_region_is_refused_each_resource_elsewhere() {
    let regional = |own: &mut Value| own["properties"]["isolationScope"] = json!("Regional");
    let tenant = Tenant::new().changed(&identity(), regional);
    tenant.look().tells(
        "error",
        "isolation-scope",
        &machine(),
        &["vm-one is in eastus", "westeurope"],
    );
    // A machine that has gone ahead is served.
    let ahead = Tenant::new()
        .changed(&identity(), regional)
        .changed(&machine(), |own| own["location"] = json!("West Europe"));
    ahead.look().is_silent_about(&["isolation-scope"]);
}

#[test]
fn an_identity_meant_for_some_services_is_refused_the_others() {
    let meant_for = |list: &[&str]| {
        let list = json!(list);
        Tenant::new()
            .changed(&identity(), |own| {
                own["properties"]["assignmentRestrictions"] = json!({"providers": list});
            })
            .look()
    };
    meant_for(&["Microsoft.Web"]).tells(
        "error",
        "assignment-restriction",
        &machine(),
        &["vm-one is a Microsoft.Compute/virtualMachines", "Microsoft.Web only"],
    );
    meant_for(&["microsoft.compute"]).is_clear();
    meant_for(&["Microsoft.Web", "Microsoft.Compute/VirtualMachines"]).is_clear();
    meant_for(&["Microsoft.Compute/virtualMachine"]).tells("error", "assignment-restriction", &machine(), &[]);
}

#[test]
fn a_region_without_federated_credentials_is_no_place_for_an_identity_that_has_some() {
    let credential = json!({
        "id": format!("{}/federatedIdentityCredentials/main", identity()), "name": "main",
        "type": "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
        "properties": {"issuer": "https://token.actions.githubusercontent.com", "subject": "repo:o/r:ref:refs/heads/main",
            "audiences": ["api://AzureADTokenExchange"]}});
    let new = format!("{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-one-eastasia");
    Tenant::new().and(credential).look_at(&["to=eastasia"]).tells(
        "error",
        "federation-not-offered",
        &new,
        &["eastasia", "id-one has 1"],
    );
    Tenant::new().look_at(&["to=eastasia"]).is_clear();
}

#[test]
fn a_provider_that_the_subscription_does_not_use_is_told_with_the_command() {
    let ferry = Ferry::new();
    let simulator = Tenant::new().start(&ferry);
    let path = format!("{SUBSCRIPTION}/providers/Microsoft.ManagedIdentity/unregister?api-version=2021-04-01");
    simulator.change("POST", &path, &json!({}));
    look(&ferry, &simulator, &[]).tells(
        "error",
        "provider-not-registered",
        SUBSCRIPTION,
        &["az provider register --namespace Microsoft.ManagedIdentity"],
    );
}
