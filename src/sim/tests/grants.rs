use serde_json::json;

use super::*;

const CONTRIBUTOR: &str = "b24988ac-6180-42a0-ab88-20f7382dd24c";

#[tokio::test]
async fn a_grant_is_made_shown_and_taken_back() {
    let sim = Sim::new(shop()).await;
    let made = sim
        .put(&assignment(RG, 1), grant(CONTRIBUTOR, OLD, Some("ServicePrincipal")))
        .await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    assert_eq!(made.header("location"), None);
    let properties = made.body["properties"].as_object().unwrap();
    assert_eq!(properties.len(), 12);
    assert_eq!(properties["createdBy"], Value::Null);
    assert_ne!(properties["createdOn"], properties["updatedOn"]);
    assert_eq!(
        properties["roleDefinitionId"],
        json!(format!(
            "{SUB}/providers/Microsoft.Authorization/roleDefinitions/{CONTRIBUTOR}"
        ))
    );
    let read = sim.get(&assignment(RG, 1)).await;
    assert_eq!(
        read.body["properties"]["createdOn"],
        read.body["properties"]["updatedOn"]
    );
    assert!(read.body["properties"]["createdBy"].is_string());
    let mut changed = grant(CONTRIBUTOR, OLD, Some("ServicePrincipal"));
    changed["properties"]["description"] = json!("why");
    assert_eq!(sim.put(&assignment(RG, 1), changed).await.status, 201);
    let gone = sim.delete(&assignment(RG, 1)).await;
    assert_eq!(
        (gone.status, &gone.body["properties"]["description"]),
        (200, &json!("why"))
    );
    assert_eq!(sim.delete(&assignment(RG, 1)).await.status, 204);
    assert_eq!(sim.get(&assignment(RG, 1)).await.code(), "RoleAssignmentNotFound");
}

#[tokio::test]
async fn grants_that_cannot_be_are_refused_in_azures_words() {
    let sim = Sim::new(shop()).await;
    let put = async |n: u32, body: Value| sim.put(&assignment(RG, n), body).await;
    let twin = put(1, grant(READER, OLD, Some("ServicePrincipal"))).await;
    assert_eq!((twin.status, twin.code()), (409, "RoleAssignmentExists"));
    assert!(twin.message().ends_with("66666666666646668666666666666666."));
    let unknown = put(
        2,
        grant(READER, "12345678-0000-4000-8000-000000000000", Some("ServicePrincipal")),
    )
    .await;
    assert_eq!((unknown.status, unknown.code()), (400, "PrincipalNotFound"));
    assert!(
        unknown
            .message()
            .starts_with("Principal 12345678000040008000000000000000 does not exist in the directory 11111111-")
    );
    let user = put(3, grant(CONTRIBUTOR, OLD, Some("User"))).await;
    assert_eq!(user.code(), "UnmatchedPrincipalType");
    let role = put(4, grant("12345678-0000-4000-8000-000000000000", OLD, None)).await;
    assert_eq!(role.code(), "RoleDefinitionDoesNotExist");
    let nobody = put(5, grant(READER, "no guid", None)).await;
    assert_eq!(nobody.code(), "InvalidPrincipalId");
    let mut elsewhere = grant(CONTRIBUTOR, OLD, None);
    elsewhere["properties"]["scope"] = json!(SUB);
    assert_eq!(put(6, elsewhere).await.code(), "InvalidCreateRoleAssignmentRequest");
    let other_scope = sim
        .put(
            &assignment(SUB, 0).replace(
                "00000000-0000-4000-8000-000000000000",
                "66666666-6666-4666-8666-666666666666",
            ),
            grant(READER, OLD, None),
        )
        .await;
    assert_eq!(
        (other_scope.status, other_scope.code()),
        (400, "RoleAssignmentUpdateNotPermitted")
    );
    let missing = sim
        .put(
            &assignment(&format!("{RG}/providers/Microsoft.Web/sites/none"), 7),
            grant(READER, OLD, None),
        )
        .await;
    assert_eq!((missing.status, missing.code()), (404, "ResourceNotFound"));
}

#[tokio::test]
async fn lists_of_grants_go_up_and_down() {
    let sim = Sim::new(shop()).await;
    let site = format!("{RG}/providers/Microsoft.Web/sites/app");
    let mg = "/providers/Microsoft.Management/managementGroups/11111111-1111-4111-8111-111111111111";
    for (n, scope) in [(1, ""), (2, mg), (3, SUB), (4, site.as_str())] {
        let made = sim.put(&assignment(scope, n), grant(CONTRIBUTOR, OLD, None)).await;
        assert_eq!(made.status, 201, "{scope} {:?}", made.body);
    }
    let group = "77777777-7777-4777-8777-777777777777";
    sim.put(&assignment(SUB, 5), grant(READER, group, Some("Group"))).await;
    let list = async |scope: &str, filter: &str| {
        let path = format!(
            "{scope}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01&$filter={filter}"
        );
        sim.get(&path).await
    };
    assert_eq!(list(RG, "").await.rows().len(), 6);
    assert_eq!(list(RG, "atScope()").await.rows().len(), 5);
    assert_eq!(list(RG, &format!("principalId eq '{OLD}'")).await.rows().len(), 5);
    assert_eq!(list(SUB, &format!("assignedTo('{OPERATOR}')")).await.rows().len(), 1);
    assert_eq!(list(SUB, "atScope() and principalId eq 'x'").await.status, 400);
    let root = sim.get(&assignment("", 1)).await;
    assert_eq!(root.body["properties"]["scope"], "/");
    let inherited = list(RG, "atScope()").await;
    assert!(
        inherited
            .rows()
            .iter()
            .all(|row| row["properties"]["roleDefinitionId"].as_str().unwrap().starts_with(SUB))
    );
}

#[tokio::test]
async fn roles_are_found_by_name() {
    let sim = Sim::new(shop()).await;
    let path = format!(
        "{RG}/providers/Microsoft.Authorization/roleDefinitions?api-version=2022-04-01&$filter=roleName eq 'READER'"
    );
    let found = sim.get(&path).await;
    assert_eq!(found.rows().len(), 1);
    assert_eq!(
        found.rows()[0]["id"],
        json!(format!(
            "{SUB}/providers/Microsoft.Authorization/roleDefinitions/{READER}"
        ))
    );
}

/// The shop with an operator who holds these roles at these scopes.
pub fn with_operator(roles: &[(&str, &str)]) -> Value {
    let mut estate = shop();
    estate["operator"] = json!(OPERATOR);
    for (n, (role, scope)) in roles.iter().enumerate() {
        let name = format!("aaaaaaaa-0000-4000-8000-{n:012}");
        let document = json!({
            "id": format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"),
            "type": "Microsoft.Authorization/roleAssignments", "name": name,
            "properties": {"roleDefinitionId": format!("/providers/Microsoft.Authorization/roleDefinitions/{role}"),
                           "principalId": OPERATOR, "principalType": "ServicePrincipal", "scope": scope}});
        estate["arm"]["resources"].as_array_mut().unwrap().push(document);
    }
    estate["graph"]["servicePrincipals"] =
        json!([{"id": OPERATOR, "displayName": "operator", "appId": "c0ffee00-0000-4000-8000-000000000000"}]);
    estate
}

#[tokio::test]
async fn what_the_operator_may_not_do_is_refused() {
    let sim = Sim::new(with_operator(&[(READER, SUB)])).await;
    assert_eq!(sim.get(&identity("id-shop")).await.status, 200);
    let refused = sim.put(&identity("id-new"), json!({"location": "eastus"})).await;
    assert_eq!((refused.status, refused.code()), (403, "AuthorizationFailed"));
    assert!(
        refused
            .message()
            .contains("perform action 'Microsoft.ManagedIdentity/userAssignedIdentities/write' over scope")
    );
    let missing = sim
        .get("/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/x?api-version=2021-04-01")
        .await;
    assert_eq!(missing.status, 403);
    let rows = sim
        .get(&format!(
            "{RG}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01"
        ))
        .await;
    assert_eq!(rows.rows()[0]["actions"], json!(["*/read"]));
}

#[tokio::test]
async fn a_contributor_cannot_grant_and_needs_assign_for_each_identity() {
    let website = "de139f84-1756-47ae-9be6-808fbbe84772";
    let sim = Sim::new(with_operator(&[(CONTRIBUTOR, RG)])).await;
    assert_eq!(
        sim.put(&assignment(RG, 1), grant(CONTRIBUTOR, OLD, None)).await.code(),
        "AuthorizationFailed"
    );
    assert_eq!(
        sim.put(&identity("id-new"), json!({"location": "eastus"})).await.status,
        201
    );
    let sim = Sim::new(with_operator(&[(website, RG)])).await;
    let site = format!("{RG}/providers/Microsoft.Web/sites/app?api-version=2023-12-01");
    let key = format!("{RG}/{MSI}/id-shop");
    let refused = sim
        .patch(
            &site,
            json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {key: {}}}}),
        )
        .await;
    assert_eq!((refused.status, refused.code()), (403, "LinkedAuthorizationFailed"));
}

#[tokio::test]
async fn rights_through_groups_count_and_lists_show_what_may_be_read() {
    let mut estate = with_operator(&[]);
    let scope = format!("{RG}/providers/Microsoft.KeyVault/vaults/kv");
    estate["arm"]["resources"].as_array_mut().unwrap().push(json!({
        "id": format!("{scope}/providers/Microsoft.Authorization/roleAssignments/bbbbbbbb-0000-4000-8000-000000000000"),
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": {"roleDefinitionId": READER, "principalId": "77777777-7777-4777-8777-777777777777", "scope": scope}}));
    let sim = Sim::new(estate).await;
    assert_eq!(sim.get(&format!("{scope}?api-version=2023-07-01")).await.status, 200);
    let rows = sim.get(&format!("{SUB}/resources?api-version=2021-04-01")).await;
    assert_eq!(rows.rows().len(), 1, "{:?}", rows.body);
    assert_eq!(sim.get("/subscriptions?api-version=2022-12-01").await.rows().len(), 1);
}
