//! Rights of the operator: missing, bound by a condition, denied, or to be activated; in Azure and in the directory.

use serde_json::{Value, json};

use super::looked::{
    CONTRIBUTOR, GROUP, OPERATOR, OWNER, PRINCIPAL, READER, SUBSCRIPTION, Tenant, identity, machine, relocate,
};
use crate::support::Ferry;

#[test]
fn each_missing_right_is_told_with_its_scope_and_the_role_that_gives_it() {
    let tenant = Tenant::new().with_operator().may(CONTRIBUTOR, SUBSCRIPTION);
    tenant
        .look()
        .tells(
            "error",
            "not-allowed",
            GROUP,
            &[
                "Microsoft.Authorization/roleAssignments/write",
                "Role Based Access Control Administrator",
                "rg-one",
            ],
        )
        // What the clean-up alone needs does not stop the move.
        .tells(
            "warning",
            "not-allowed",
            GROUP,
            &[
                "Microsoft.Authorization/roleAssignments/delete",
                "the clean-up needs it",
            ],
        )
        .does_not_say("not-allowed", "virtualMachines/write")
        .does_not_say("not-allowed", "assign/action");
    let ferry = Ferry::new();
    let simulator = tenant.start(&ferry);
    let refused = relocate(&ferry, &simulator).code(1);
    assert!(refused.err.contains("preflight: nothing was moved"), "{}", refused.err);
    assert!(simulator.writes().is_empty(), "{:?}", simulator.writes());
}

#[test]
fn an_owner_by_a_group_lacks_nothing() {
    let mut tenant = Tenant::new().with_operator().may(OWNER, SUBSCRIPTION);
    let all = tenant.0["arm"]["resources"].as_array_mut().unwrap();
    let group = "0be7a004-0004-4004-8004-0be7a0000004";
    all.last_mut().unwrap()["properties"]["principalId"] = json!(group);
    tenant.0["graph"]["groups"] =
        json!([{"id": group, "displayName": "Movers", "securityEnabled": true, "members": [OPERATOR]}]);
    tenant
        .look()
        .is_clear()
        .is_silent_about(&["not-allowed", "rights-unseen"]);
}

#[test]
fn the_identities_that_are_sent_again_with_a_whole_map_must_be_assignable_too() {
    let other = format!(
        "{SUBSCRIPTION}/resourceGroups/rg-other/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-other"
    );
    let account = format!("{GROUP}/providers/Microsoft.Automation/automationAccounts/aa-one");
    let tenant = Tenant::new()
        .and(json!({"id": format!("{SUBSCRIPTION}/resourceGroups/rg-other"), "name": "rg-other",
            "type": "Microsoft.Resources/resourceGroups", "location": "eastus", "properties": {"provisioningState": "Succeeded"}}))
        .and(json!({"id": other, "name": "id-other", "type": "Microsoft.ManagedIdentity/userAssignedIdentities", "location": "eastus", "tags": {},
            "properties": {"tenantId": "a11c0001-0001-4001-8001-a11c00000001", "principalId": "0be7a005-0005-4005-8005-0be7a0000005",
                "clientId": "0be7a006-0006-4006-8006-0be7a0000006"}}))
        .and(json!({"id": account, "name": "aa-one", "type": "Microsoft.Automation/automationAccounts", "location": "eastus",
            "identity": {"type": "UserAssigned", "userAssignedIdentities": {(identity()): {}, (other.clone()): {}}},
            "properties": {"state": "Ok"}}))
        .with_operator()
        .may(READER, SUBSCRIPTION)
        .may(OWNER, GROUP);
    tenant.look().tells(
        "error",
        "not-allowed",
        &other,
        &[
            "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
            "Managed Identity Operator",
        ],
    );
}

#[test]
fn a_child_is_asked_about_by_its_own_type() {
    let site = format!("{GROUP}/providers/Microsoft.Web/sites/app-one");
    let tenant = Tenant::new()
        .and(json!({"id": site, "name": "app-one", "type": "Microsoft.Web/sites", "location": "East US", "kind": "app",
            "identity": {"type": "UserAssigned", "userAssignedIdentities": {(identity()): {}}}, "properties": {"state": "Running"}}))
        .and(json!({"id": format!("{site}/config/appsettings"), "name": "appsettings", "type": "Microsoft.Web/sites/config",
            "properties": {"AZURE_CLIENT_ID": "a11c0004-0004-4004-8004-a11c00000004"}}))
        .with_operator()
        .may_do(&["*"], &["Microsoft.Web/sites/config/write"]);
    tenant
        .look()
        .tells(
            "error",
            "not-allowed",
            &format!("{site}/config/appsettings"),
            &["Microsoft.Web/sites/config/write", "Website Contributor"],
        )
        .does_not_say("not-allowed", "Microsoft.Web/sites/write");
}

#[test]
fn what_the_clean_up_lacks_stops_it_before_it_takes_anything_away() {
    let ferry = Ferry::new();
    let tenant = Tenant::new()
        .with_operator()
        .may_do(&["*"], &["Microsoft.ManagedIdentity/userAssignedIdentities/delete"])
        .may(READER, "");
    let simulator = tenant.start(&ferry);
    let stopped = relocate(&ferry, &simulator).code(1);
    assert!(stopped.err.contains("id-one was not cleaned up"), "{}", stopped.err);
    assert!(stopped.err.contains("userAssignedIdentities/delete"), "{}", stopped.err);
    let deletions = || {
        simulator
            .writes()
            .iter()
            .filter(|row| row["method"] == "DELETE")
            .count()
    };
    assert_eq!(deletions(), 0);
    // With the right, the same run ends.
    let own = format!(
        "{SUBSCRIPTION}/providers/Microsoft.Authorization/roleAssignments/0be7a007-0007-4007-8007-0be7a0000007?api-version=2022-04-01"
    );
    simulator.change(
        "PUT",
        &own,
        &json!({"properties": {
        "roleDefinitionId": format!("{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{OWNER}"),
        "principalId": OPERATOR, "principalType": "User"}}),
    );
    ferry.run(&["resume", "last", "--yes"]).code(0);
    assert_eq!(deletions(), 2);
}

#[test]
fn a_role_that_need_only_be_activated_is_told_as_that() {
    let instance = format!(
        "{SUBSCRIPTION}/providers/Microsoft.Authorization/roleEligibilityScheduleInstances/0be7a008-0008-4008-8008-0be7a0000008"
    );
    let tenant = Tenant::new().with_operator().may(CONTRIBUTOR, SUBSCRIPTION).and(json!({
        "id": instance, "name": "0be7a008-0008-4008-8008-0be7a0000008", "type": "Microsoft.Authorization/roleEligibilityScheduleInstances",
        "properties": {"scope": SUBSCRIPTION, "principalId": OPERATOR, "principalType": "User", "memberType": "Direct", "status": "Provisioned",
            "roleDefinitionId": format!("{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{OWNER}")}}));
    tenant.look().tells(
        "error",
        "not-allowed",
        GROUP,
        &[
            "roleAssignments/write",
            "eligible for \"Owner\"",
            "activate it in Privileged Identity Management",
        ],
    );
}

fn denial(principals: &Value, excluded: &Value) -> Value {
    json!({
        "id": format!("{GROUP}/providers/Microsoft.Authorization/denyAssignments/0be7a009-0009-4009-8009-0be7a0000009"),
        "name": "0be7a009-0009-4009-8009-0be7a0000009", "type": "Microsoft.Authorization/denyAssignments",
        "properties": {"denyAssignmentName": "stack-guard", "scope": GROUP, "doNotApplyToChildScopes": false, "isSystemProtected": true,
            "permissions": [{"actions": ["Microsoft.Compute/*/write"], "notActions": [], "dataActions": [], "notDataActions": []}],
            "principals": principals, "excludePrincipals": excluded}})
}

#[test]
fn a_deny_assignment_is_told_to_whom_it_holds_off_and_to_nobody_else() {
    let everyone = json!([{"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}]);
    let tenant = || Tenant::new().with_operator().may(OWNER, SUBSCRIPTION);
    tenant().and(denial(&everyone, &json!([]))).look().tells(
        "error",
        "deny-assignment",
        &machine(),
        &["Microsoft.Compute/virtualMachines/write", "stack-guard", "rg-one"],
    );
    let me = json!([{"id": OPERATOR, "type": "User"}]);
    let excepted = tenant().and(denial(&everyone, &me)).look();
    excepted.is_silent_about(&["deny-assignment"]);
    let others = json!([{"id": "0be7a00a-000a-400a-800a-0be7a000000a", "type": "User"}]);
    tenant()
        .and(denial(&others, &json!([])))
        .look()
        .is_silent_about(&["deny-assignment"]);
}

/// A right to assign these roles to service principals, as the portal writes it.
fn bound_to(role: &str) -> String {
    let name = "Microsoft.Authorization/roleAssignments";
    let one = |verb: &str, source: &str| {
        format!(
            "((!(ActionMatches{{'{name}/{verb}'}})) OR (@{source}[{name}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {{{role}}} \
             AND @{source}[{name}:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {{'ServicePrincipal'}}))"
        )
    };
    format!("{} AND {}", one("write", "Request"), one("delete", "Resource"))
}

const ADMINISTRATOR: &str = "f58310d9-a9f6-439a-9e8d-f62e7b41a168";

#[test]
fn a_condition_on_the_right_to_assign_roles_is_held_against_just_what_is_assigned() {
    let tenant = |condition: &str| {
        Tenant::new().with_operator().may(CONTRIBUTOR, SUBSCRIPTION).may_if(
            ADMINISTRATOR,
            SUBSCRIPTION,
            Some(condition),
        )
    };
    tenant(&bound_to(READER))
        .look()
        .is_clear()
        .is_silent_about(&["not-allowed", "right-conditioned"]);
    tenant(&bound_to(OWNER))
        .look()
        .tells(
            "error",
            "not-allowed",
            GROUP,
            &["Reader on rg-one may not be assigned", "bound by a condition"],
        )
        .tells(
            "warning",
            "not-allowed",
            GROUP,
            &["Reader on rg-one may not be taken back", "the clean-up needs it"],
        );
    let to_one = "@Request[Microsoft.Authorization/roleAssignments:PrincipalId] ForAnyOfAnyValues:GuidEquals {0be7a00b-000b-400b-800b-0be7a000000b}";
    tenant(to_one)
        .look()
        .tells("error", "not-allowed", GROUP, &["may not be assigned"]);
    tenant("today is a Monday").look().tells(
        "warning",
        "right-conditioned",
        GROUP,
        &["Ferry does not understand it", "today is a Monday"],
    );
}

/// The tenant with a group that the identity is in, and an operator who holds these permissions in Graph.
fn with_a_group(values: &[&str]) -> Tenant {
    let graph = "0be7a00c-000c-400c-800c-0be7a000000c";
    let ids = [
        "0be7a00d-000d-400d-800d-0be7a000000d",
        "0be7a00e-000e-400e-800e-0be7a000000e",
    ];
    let role = |(id, value): (&&str, &&str)| json!({"id": id, "value": value, "displayName": value, "isEnabled": true, "allowedMemberTypes": ["Application"]});
    let held = |id: &&str| json!({"principalId": OPERATOR, "resourceId": graph, "appRoleId": id});
    let mut tenant = Tenant::new().with_operator().may(OWNER, SUBSCRIPTION);
    let roles: Vec<Value> = ids.iter().zip(values).map(role).collect();
    tenant.0["graph"] = json!({
        "servicePrincipals": [
            {"id": graph, "appId": "00000003-0000-0000-c000-000000000000", "displayName": "Microsoft Graph", "appRoles": roles},
            {"id": OPERATOR, "appId": "0be7a00f-000f-400f-800f-0be7a000000f", "displayName": "mover", "servicePrincipalType": "Application"}],
        "groups": [{"id": "0be7a010-0010-4010-8010-0be7a0000010", "displayName": "Readers of things", "securityEnabled": true, "members": [PRINCIPAL]}],
        "appRoleAssignments": ids.iter().take(values.len()).map(held).collect::<Vec<_>>(),
    });
    tenant
}

#[test]
fn a_permission_in_graph_that_the_token_does_not_tell_is_missing() {
    with_a_group(&["Application.Read.All"]).look().tells(
        "error",
        "not-allowed",
        "Microsoft Graph",
        &[
            "GroupMember.ReadWrite.All",
            "member of Readers of things",
            "Groups Administrator",
        ],
    );
    let enough = [
        "GroupMember.ReadWrite.All",
        "Group.ReadWrite.All",
        "Directory.ReadWrite.All",
    ];
    for one in enough {
        with_a_group(&[one])
            .look()
            .is_clear()
            .is_silent_about(&["rights-unseen"]);
    }
}

#[test]
fn a_token_that_tells_no_rights_in_graph_is_no_reason_to_stop() {
    with_a_group(&[]).look().is_clear().tells(
        "info",
        "rights-unseen",
        "Microsoft Graph",
        &["GroupMember.ReadWrite.All"],
    );
}

#[test]
fn who_is_a_groups_administrator_needs_no_permission() {
    let mut tenant = with_a_group(&["Application.Read.All"]);
    tenant.0["graph"]["roleManagement"] = json!([{"id": "0be7a011-0011-4011-8011-0be7a0000011", "principalId": OPERATOR,
        "roleDefinitionId": "fdd7a751-b60b-444a-984c-02652fe8fa1c", "directoryScopeId": "/"}]);
    tenant.look().is_clear();
}
