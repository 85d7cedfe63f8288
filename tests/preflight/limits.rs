//! Limits, counted with both identities alive; and locks, which limit in their way.

use serde_json::{Value, json};

use super::looked::{GROUP, PRINCIPAL, READER, SUBSCRIPTION, Tenant, machine, relocate};
use crate::support::Ferry;

/// A role assignment at the tenant's root management group.
fn at_the_top(number: usize, principal: &str) -> Value {
    let group = "/providers/Microsoft.Management/managementGroups/a11c0001-0001-4001-8001-a11c00000001";
    let name = format!("0be7a020-0020-4020-8020-{number:012}");
    json!({
        "id": format!("{group}/providers/Microsoft.Authorization/roleAssignments/{name}"), "name": name,
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": {"roleDefinitionId": format!("/providers/Microsoft.Authorization/roleDefinitions/{READER}"),
            "principalId": principal, "principalType": "ServicePrincipal", "scope": group}})
}

#[test]
fn role_assignments_are_counted_before_the_last_one_is_refused() {
    let full = |count: usize| {
        let mut tenant = Tenant::new().and(at_the_top(0, PRINCIPAL));
        for number in 1..count {
            tenant = tenant.and(at_the_top(number, &format!("0be7a021-0021-4021-8021-{number:012}")));
        }
        tenant.look()
    };
    let group = "/providers/Microsoft.Management/managementGroups/a11c0001-0001-4001-8001-a11c00000001";
    full(500).tells(
        "error",
        "limit",
        group,
        &["500 role assignments stand", "1 are added", "Azure takes 500"],
    );
    full(499).is_silent_about(&["limit"]);
}

#[test]
fn a_vault_that_is_full_takes_no_further_access_policy() {
    let vault = format!("{GROUP}/providers/Microsoft.KeyVault/vaults/kv-one");
    let full = |count: usize| {
        let policy = |number: usize| {
            let who = if number == 0 {
                PRINCIPAL.to_owned()
            } else {
                format!("0be7a022-0022-4022-8022-{number:012}")
            };
            json!({"tenantId": "a11c0001-0001-4001-8001-a11c00000001", "objectId": who, "permissions": {"secrets": ["get"]}})
        };
        Tenant::new()
            .and(json!({"id": vault, "name": "kv-one", "type": "Microsoft.KeyVault/vaults", "location": "eastus",
                "properties": {"tenantId": "a11c0001-0001-4001-8001-a11c00000001", "sku": {"family": "A", "name": "standard"},
                    "accessPolicies": (0..count).map(policy).collect::<Vec<_>>()}}))
            .look()
    };
    full(1024).tells(
        "error",
        "limit",
        &vault,
        &["1024 access policies stand", "Azure takes 1024"],
    );
    full(1023).is_silent_about(&["limit"]);
}

fn lock(at: &str) -> Value {
    json!({"id": format!("{at}/providers/Microsoft.Authorization/locks/keep"), "name": "keep", "type": "Microsoft.Authorization/locks",
        "properties": {"level": "CanNotDelete"}})
}

#[test]
fn a_lock_against_deletion_lets_the_move_go_and_stops_the_clean_up_before_it_begins() {
    let tenant = Tenant::new().and(lock(GROUP));
    tenant.look().is_clear().tells(
        "warning",
        "locked",
        GROUP,
        &["will stop the clean-up there", "az lock delete --ids", "/locks/keep"],
    );
    let ferry = Ferry::new();
    let simulator = tenant.start(&ferry);
    let stopped = relocate(&ferry, &simulator).code(1);
    assert!(stopped.err.contains("id-one was not cleaned up"), "{}", stopped.err);
    let path = format!("{GROUP}/providers/Microsoft.Authorization/locks/keep?api-version=2020-05-01");
    simulator.change("DELETE", &path, &Value::Null);
    ferry.run(&["resume", "last", "--yes"]).code(0);
}

#[test]
fn a_lock_against_deletion_on_what_is_only_written_is_in_nobodys_way() {
    Tenant::new().and(lock(&machine())).look().is_silent_about(&["locked"]);
}

#[test]
fn a_lock_is_held_against_just_what_is_deleted() {
    Tenant::new()
        .and(lock(GROUP))
        .look_at(&["keep_old=true"])
        .does_not_say("locked", "deletion of");
    let elsewhere = format!("{SUBSCRIPTION}/resourceGroups/rg-far");
    let far = Tenant::new()
        .and(json!({"id": elsewhere, "name": "rg-far", "type": "Microsoft.Resources/resourceGroups", "location": "eastus", "properties": {"provisioningState": "Succeeded"}}))
        .and(lock(&elsewhere));
    far.look().is_silent_about(&["locked"]);
}
