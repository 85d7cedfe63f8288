//! What the caller may do, from the role assignments in the estate.

use super::grants::with_operator;
use super::*;

const CONTRIBUTOR: &str = "b24988ac-6180-42a0-ab88-20f7382dd24c";
const ACCESS_ADMINISTRATOR: &str = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9";
const RBAC_ADMINISTRATOR: &str = "f58310d9-a9f6-439a-9e8d-f62e7b41a168";
const BLOB_OWNER: &str = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b";
const ROOT: &str = "/providers/Microsoft.Management/managementGroups/11111111-1111-4111-8111-111111111111";
const CUSTOM: &str = "cccccccc-0000-4000-8000-000000000001";
const CASEY: &str = "55555555-5555-4555-8555-555555555555";

fn add(estate: &mut Value, document: Value) {
    estate["arm"]["resources"].as_array_mut().unwrap().push(document);
}

fn custom_role(permissions: Value) -> Value {
    json!({"id": format!("/providers/Microsoft.Authorization/roleDefinitions/{CUSTOM}"), "name": CUSTOM,
        "type": "Microsoft.Authorization/roleDefinitions",
        "properties": {"roleName": "Custom", "assignableScopes": ["/"], "permissions": [permissions]}})
}

#[tokio::test]
async fn a_refusal_names_who_what_and_where() {
    let sim = Sim::new(with_operator(&[(READER, RG)])).await;
    let path = identity("id-new");
    let refused = sim.put(&path, json!({"location": "eastus"})).await;
    let scope = path.split('?').next().unwrap();
    assert_eq!((refused.status, refused.code()), (403, "AuthorizationFailed"));
    assert_eq!(
        refused.message(),
        format!(
            "The client '{OPERATOR}' with object id '{OPERATOR}' does not have authorization to perform action \
             'Microsoft.ManagedIdentity/userAssignedIdentities/write' over scope '{scope}' or the scope is invalid. If access was \
             recently granted, please refresh your credentials."
        )
    );
    let grant_ = sim.put(&assignment(RG, 1), grant(READER, OLD, None)).await;
    let scope = assignment(RG, 1);
    let scope = scope.split('?').next().unwrap();
    assert!(grant_.message().contains(&format!(
        "perform action 'Microsoft.Authorization/roleAssignments/write' over scope '{scope}'"
    )));
}

#[tokio::test]
async fn a_user_goes_by_name() {
    let mut estate = shop();
    estate["operator"] = json!(CASEY);
    estate["graph"]["users"][0]["userPrincipalName"] = json!("casey@contoso.example");
    let sim = Sim::new(estate).await;
    let refused = sim.get(&identity("id-shop")).await;
    assert!(refused.message().starts_with(&format!(
        "The client 'casey@contoso.example' with object id '{CASEY}' does not have authorization"
    )));
}

#[tokio::test]
async fn what_may_not_be_read_is_forbidden_whether_it_is_there_or_not() {
    let sim = Sim::new(with_operator(&[])).await;
    for path in [
        identity("id-shop"),
        identity("id-none"),
        format!("{RG}?api-version=2021-04-01"),
        format!("{RG}/{MSI}?api-version=2024-11-30"),
        format!("{SUB}/resources?api-version=2021-04-01"),
        format!("{SUB}/resourceGroups?api-version=2021-04-01"),
        format!("{SUB}/locations?api-version=2022-12-01"),
        format!("{SUB}/providers/Microsoft.Web?api-version=2021-04-01"),
        format!("{RG}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01"),
        format!("{RG}/providers/Microsoft.Authorization/locks?api-version=2016-09-01"),
        format!("{RG}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01"),
        "/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/x?api-version=2021-04-01".to_owned(),
        "/subscriptions/00000000-0000-4000-8000-000000000000/resources?api-version=2021-04-01".to_owned(),
    ] {
        let reply = sim.get(&path).await;
        assert_eq!((reply.status, reply.code()), (403, "AuthorizationFailed"), "{path}");
    }
    assert!(sim.get("/subscriptions?api-version=2022-12-01").await.rows().is_empty());
}

#[tokio::test]
async fn lists_show_what_may_be_read_below() {
    let vault = format!("{RG}/providers/Microsoft.KeyVault/vaults/kv");
    let sim = Sim::new(with_operator(&[(READER, vault.as_str())])).await;
    let vaults = sim
        .get(&format!(
            "{RG}/providers/Microsoft.KeyVault/vaults?api-version=2023-07-01"
        ))
        .await;
    assert_eq!((vaults.status, vaults.rows().len()), (200, 1));
    let sites = sim
        .get(&format!("{RG}/providers/Microsoft.Web/sites?api-version=2023-12-01"))
        .await;
    assert_eq!((sites.status, sites.rows().len()), (200, 0), "{:?}", sites.body);
    let groups = sim.get(&format!("{SUB}/resourceGroups?api-version=2021-04-01")).await;
    assert_eq!(groups.rows().len(), 1);
    let query = json!({"query": "resources | project name"});
    let path = "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01";
    let found = sim.send("POST", path, Some(query)).await;
    assert_eq!(found.body["data"], json!([{"name": "kv"}]));
}

#[tokio::test]
async fn rights_come_down_from_management_groups_and_through_groups_of_groups() {
    let outer = "88888888-0000-4000-8000-000000000000";
    let mut estate = with_operator(&[]);
    estate["graph"]["groups"]
        .as_array_mut()
        .unwrap()
        .push(json!({"id": outer, "displayName": "all", "members": ["77777777-7777-4777-8777-777777777777"]}));
    add(
        &mut estate,
        json!({
        "id": format!("{ROOT}/providers/Microsoft.Authorization/roleAssignments/bbbbbbbb-0000-4000-8000-000000000000"),
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": {"roleDefinitionId": READER, "principalId": outer, "scope": ROOT}}),
    );
    let sim = Sim::new(estate).await;
    assert_eq!(sim.get(&identity("id-shop")).await.status, 200);
    assert_eq!(sim.delete(&identity("id-shop")).await.status, 403);
}

#[tokio::test]
async fn wildcards_exceptions_and_data_actions_of_custom_roles_count_as_they_do_in_azure() {
    let mut estate = with_operator(&[(CUSTOM, RG)]);
    add(
        &mut estate,
        custom_role(json!({
        "actions": ["Microsoft.ManagedIdentity/*/read", "MICROSOFT.MANAGEDIDENTITY/userAssignedIdentities/*"],
        "notActions": ["Microsoft.ManagedIdentity/userAssignedIdentities/delete"],
        "dataActions": ["Microsoft.KeyVault/vaults/*"]})),
    );
    let sim = Sim::new(estate).await;
    assert_eq!(sim.get(&identity("id-shop")).await.status, 200);
    assert_eq!(sim.patch(&identity("id-shop"), json!({"tags": {}})).await.status, 200);
    assert_eq!(sim.delete(&identity("id-shop")).await.status, 403);
    let vault = format!("{RG}/providers/Microsoft.KeyVault/vaults/kv?api-version=2023-07-01");
    assert_eq!(sim.get(&vault).await.status, 403);
    // What one role leaves out, another may give.
    let mut estate = with_operator(&[(CONTRIBUTOR, RG), (ACCESS_ADMINISTRATOR, RG), (BLOB_OWNER, SUB)]);
    estate["operator"] = json!(OPERATOR);
    let sim = Sim::new(estate).await;
    assert_eq!(
        sim.put(&assignment(RG, 1), grant(CONTRIBUTOR, OLD, None)).await.status,
        201
    );
}

#[tokio::test]
async fn an_action_needs_the_right_of_its_name() {
    let mut estate = with_operator(&[(CUSTOM, RG)]);
    add(
        &mut estate,
        custom_role(json!({"actions": ["Microsoft.Web/sites/read", "Microsoft.Web/sites/restart/action"]})),
    );
    let sim = Sim::new(estate).await;
    let site = |action: &str| format!("{RG}/providers/Microsoft.Web/sites/app/{action}?api-version=2023-12-01");
    assert_eq!(sim.send("POST", &site("restart"), None).await.status, 200);
    let refused = sim.send("POST", &site("stop"), None).await;
    assert!(
        refused.message().contains("'Microsoft.Web/sites/stop/action'"),
        "{:?}",
        refused.body
    );
}

#[tokio::test]
async fn each_identity_in_a_sent_map_must_be_assignable() {
    let website = "de139f84-1756-47ae-9be6-808fbbe84772";
    let operator_role = "f1a07417-d97a-45cb-824c-7a7467783830";
    let mine = format!("{RG}/{MSI}/id-mine");
    let mut estate = with_operator(&[(website, RG), (operator_role, mine.as_str())]);
    add(
        &mut estate,
        json!({"id": mine, "type": "Microsoft.ManagedIdentity/userAssignedIdentities", "location": "eastus",
        "properties": {"principalId": "33333333-0000-4000-8000-000000000002", "clientId": "44444444-0000-4000-8000-000000000002"}}),
    );
    let sim = Sim::new(estate).await;
    let site = format!("{RG}/providers/Microsoft.Web/sites/app");
    let put = async |keys: &[&str]| {
        let map: Value = keys.iter().map(|key| ((*key).to_owned(), json!({}))).collect();
        let body = json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": map}});
        sim.patch(&format!("{site}?api-version=2023-12-01"), body).await
    };
    assert_eq!(put(&[mine.as_str()]).await.status, 200);
    let (old, none) = (format!("{RG}/{MSI}/id-shop"), format!("{RG}/{MSI}/id-none"));
    let refused = put(&[mine.as_str(), old.as_str(), none.as_str()]).await;
    assert_eq!((refused.status, refused.code()), (403, "LinkedAuthorizationFailed"));
    assert_eq!(
        refused.message(),
        format!(
            "The client '{OPERATOR}' with object id '{OPERATOR}' has permission to perform action 'Microsoft.Web/sites/write' \
             on scope '{site}'; however, it does not have permission to perform action \
             'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action' on the linked scope(s) '{old},{none}' or the \
             linked scope(s) are invalid."
        )
    );
}

#[tokio::test]
async fn a_deny_assignment_outdoes_a_role_but_for_those_it_leaves_out() {
    let deny = |exclude: Value| {
        json!({"id": format!("{RG}/providers/Microsoft.Authorization/denyAssignments/dddddddd-0000-4000-8000-000000000000"),
            "type": "Microsoft.Authorization/denyAssignments",
            "properties": {"denyAssignmentName": "keep", "scope": RG,
                "permissions": [{"actions": ["*/delete"], "notActions": []}],
                "principals": [{"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}],
                "excludePrincipals": exclude}})
    };
    let mut estate = with_operator(&[(CONTRIBUTOR, RG)]);
    add(&mut estate, deny(json!([])));
    let sim = Sim::new(estate).await;
    assert_eq!(sim.patch(&identity("id-shop"), json!({"tags": {}})).await.status, 200);
    let refused = sim.delete(&identity("id-shop")).await;
    assert_eq!(
        (refused.status, refused.code()),
        (403, "DenyAssignmentAuthorizationFailed")
    );
    assert!(
        refused
            .message()
            .contains("because of the deny assignment with name 'keep'"),
        "{:?}",
        refused.body
    );
    let change = json!({"denyAssignments": false});
    assert_eq!(sim.send("PATCH", "/_sim/behaviour", Some(change)).await.status, 200);
    assert_eq!(sim.delete(&identity("id-shop")).await.status, 200);
    let mut estate = with_operator(&[(CONTRIBUTOR, RG)]);
    add(&mut estate, deny(json!([{"id": OPERATOR, "type": "ServicePrincipal"}])));
    assert_eq!(Sim::new(estate).await.delete(&identity("id-shop")).await.status, 200);
}

#[tokio::test]
async fn a_condition_bounds_what_may_be_granted_and_taken_back() {
    let condition = format!(
        "((!(ActionMatches{{'Microsoft.Authorization/roleAssignments/write'}})) OR \
         (@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {{{READER}}} AND \
         @Request[Microsoft.Authorization/roleAssignments:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase \
         {{'ServicePrincipal'}})) AND ((!(ActionMatches{{'Microsoft.Authorization/roleAssignments/delete'}})) OR \
         (@Resource[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {{{READER}}}))"
    );
    let mut estate = with_operator(&[(RBAC_ADMINISTRATOR, SUB)]);
    let last = estate["arm"]["resources"].as_array_mut().unwrap().last_mut().unwrap();
    last["properties"]["condition"] = json!(condition);
    last["properties"]["conditionVersion"] = json!("2.0");
    let sim = Sim::new(estate).await;
    let site = format!("{RG}/providers/Microsoft.Web/sites/app");
    assert_eq!(
        sim.put(&assignment(&site, 1), grant(READER, OLD, None)).await.status,
        201
    );
    assert_eq!(
        sim.put(&assignment(&site, 2), grant(READER, CASEY, Some("User")))
            .await
            .status,
        403
    );
    assert_eq!(
        sim.put(&assignment(&site, 3), grant(CONTRIBUTOR, OLD, None))
            .await
            .status,
        403
    );
    assert_eq!(sim.delete(&assignment(&site, 1)).await.status, 200);
    let rows = sim
        .get(&format!(
            "{RG}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01"
        ))
        .await;
    assert_eq!(rows.rows()[0]["condition"], json!(condition));
}

#[tokio::test]
async fn a_right_comes_late_and_goes_late() {
    let mut estate = with_operator(&[(ACCESS_ADMINISTRATOR, RG)]);
    estate["behaviour"] = json!({"lateRights": 600});
    let sim = Sim::new(estate).await;
    let made = sim.put(&assignment(RG, 1), grant(CONTRIBUTOR, OPERATOR, None)).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    assert_eq!(
        sim.put(&identity("id-new"), json!({"location": "eastus"})).await.status,
        403
    );
    assert_eq!(sim.get(&assignment(RG, 1)).await.status, 200);
    let on_time = json!({"lateRights": false});
    sim.send("PATCH", "/_sim/behaviour", Some(on_time)).await;
    assert_eq!(
        sim.put(&identity("id-new"), json!({"location": "eastus"})).await.status,
        201
    );
    // Taken away, it still works for a while.
    let mine = format!(
        "{RG}/providers/Microsoft.Authorization/roleAssignments/aaaaaaaa-0000-4000-8000-000000000000?api-version=2022-04-01"
    );
    sim.send("PATCH", "/_sim/behaviour", Some(json!({"lateRights": 600})))
        .await;
    assert_eq!(sim.delete(&mine).await.status, 200);
    assert_eq!(sim.get(&mine).await.status, 404);
    sim.send("PATCH", "/_sim/behaviour", Some(json!({"lateRights": 0})))
        .await;
    assert_eq!(
        sim.put(&assignment(RG, 2), grant(READER, CASEY, None)).await.status,
        403
    );
}

#[tokio::test]
async fn rights_can_be_switched_off() {
    let sim = Sim::new(with_operator(&[])).await;
    assert_eq!(sim.get(&identity("id-shop")).await.status, 403);
    sim.send("PATCH", "/_sim/behaviour", Some(json!({"rights": false})))
        .await;
    assert_eq!(sim.get(&identity("id-shop")).await.status, 200);
    let wrong = sim
        .send("PATCH", "/_sim/behaviour", Some(json!({"gravity": false})))
        .await;
    assert_eq!((wrong.status, wrong.code()), (400, "InvalidBehaviour"));
    let shown = sim.get("/_sim/behaviour").await;
    assert_eq!(
        (&shown.body["rights"], &shown.body["locks"]),
        (&json!(false), &json!(true))
    );
}

#[tokio::test]
async fn locks_are_for_those_who_may_write_them() {
    let path = format!("{RG}/providers/Microsoft.Authorization/locks/keep?api-version=2016-09-01");
    let body = json!({"properties": {"level": "CanNotDelete"}});
    let sim = Sim::new(with_operator(&[(CONTRIBUTOR, RG)])).await;
    assert_eq!(sim.put(&path, body.clone()).await.status, 403);
    let sim = Sim::new(with_operator(&[(ACCESS_ADMINISTRATOR, RG)])).await;
    assert_eq!(sim.put(&path, body).await.status, 201);
}
