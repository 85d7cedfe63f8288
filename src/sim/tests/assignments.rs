//! Role assignments and definitions in every particular: times, authors, forms of ids, filters, limits.

use super::*;

const CONTRIBUTOR: &str = "b24988ac-6180-42a0-ab88-20f7382dd24c";
const CASEY: &str = "55555555-5555-4555-8555-555555555555";
const ROOT: &str = "/providers/Microsoft.Management/managementGroups/11111111-1111-4111-8111-111111111111";

fn time<'a>(reply: &'a Reply, name: &str) -> &'a str {
    let text = reply.body["properties"][name].as_str().unwrap();
    assert!(text.len() == 28 && text.ends_with('Z'), "{text}");
    text
}

#[tokio::test]
async fn an_answer_has_its_twelve_members_in_azures_order() {
    let sim = Sim::new(shop()).await;
    let made = sim.put(&assignment(RG, 1), grant(CONTRIBUTOR, OLD, None)).await;
    let keys: Vec<&String> = made.body["properties"].as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "roleDefinitionId",
            "principalId",
            "principalType",
            "scope",
            "condition",
            "conditionVersion",
            "createdOn",
            "updatedOn",
            "createdBy",
            "updatedBy",
            "delegatedManagedIdentityResourceId",
            "description"
        ]
    );
    let outer: Vec<&String> = made.body.as_object().unwrap().keys().collect();
    assert_eq!(outer, ["properties", "id", "type", "name"]);
    assert_eq!(made.body["properties"]["principalType"], "ServicePrincipal");
    let old = sim
        .get(&assignment(RG, 1).replace("2022-04-01", "2018-09-01-preview"))
        .await;
    assert!(old.body["properties"].get("condition").is_none() && old.body["properties"].get("description").is_none());
}

#[tokio::test]
async fn times_and_authors_are_told_differently_by_writes_and_reads() {
    let sim = Sim::new(shop()).await;
    let made = sim.put(&assignment(RG, 1), grant(CONTRIBUTOR, OLD, None)).await;
    assert!(time(&made, "createdOn") < time(&made, "updatedOn"));
    assert_eq!(made.body["properties"]["createdBy"], Value::Null);
    let author = made.body["properties"]["updatedBy"].clone();
    assert!(author.is_string());
    let read = sim.get(&assignment(RG, 1)).await;
    assert_eq!(time(&read, "createdOn"), time(&made, "updatedOn"));
    assert_eq!(time(&read, "createdOn"), time(&read, "updatedOn"));
    assert_eq!(
        (
            &read.body["properties"]["createdBy"],
            &read.body["properties"]["updatedBy"]
        ),
        (&author, &author)
    );
    let mut change = grant(CONTRIBUTOR, OLD, None);
    change["properties"]["description"] = json!("why");
    let changed = sim.put(&assignment(RG, 1), change).await;
    assert_eq!(
        (changed.status, &changed.body["properties"]["createdBy"]),
        (201, &Value::Null)
    );
    let again = sim.get(&assignment(RG, 1)).await;
    assert_eq!(time(&again, "createdOn"), time(&read, "createdOn"));
    assert!(time(&again, "updatedOn") > time(&changed, "updatedOn"));
    assert!(time(&changed, "createdOn") < time(&changed, "updatedOn"));
    let gone = sim.delete(&assignment(RG, 1)).await;
    assert_eq!(time(&gone, "createdOn"), time(&read, "createdOn"));
    assert!(time(&gone, "updatedOn") >= time(&again, "updatedOn"));
    assert_eq!(gone.body["properties"]["createdBy"], author);
}

#[tokio::test]
async fn an_assignment_that_the_estate_brought_keeps_its_beginning() {
    let mut estate = shop();
    let documents = estate["arm"]["resources"].as_array_mut().unwrap();
    let own = documents
        .iter_mut()
        .find(|d| d["type"] == "Microsoft.Authorization/roleAssignments")
        .unwrap();
    own["properties"]["createdOn"] = json!("2025-04-03T09:30:11.5905444Z");
    let path = format!(
        "{RG}/providers/Microsoft.Authorization/roleAssignments/66666666-6666-4666-8666-666666666666?api-version=2022-04-01"
    );
    let sim = Sim::new(estate).await;
    assert_eq!(sim.put(&path, grant(READER, OLD, None)).await.status, 201);
    assert_eq!(time(&sim.get(&path).await, "createdOn"), "2025-04-03T09:30:11.5905444Z");
}

#[tokio::test]
async fn a_role_is_named_in_the_form_of_the_scope_that_was_asked() {
    let sim = Sim::new(shop()).await;
    let form = |scope: &str| format!("{scope}/providers/Microsoft.Authorization/roleDefinitions/{CONTRIBUTOR}");
    let made = sim.put(&assignment(ROOT, 1), grant(CONTRIBUTOR, OLD, None)).await;
    assert_eq!(made.body["properties"]["roleDefinitionId"], json!(form("")));
    let root = sim.put(&assignment("", 2), grant(CONTRIBUTOR, OLD, None)).await;
    assert_eq!(root.body["properties"]["scope"], "/");
    assert_eq!(
        root.body["id"],
        "/providers/Microsoft.Authorization/roleAssignments/00000000-0000-4000-8000-000000000002"
    );
    let rows = sim
        .get(&format!(
            "{RG}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01&$filter=atScope()"
        ))
        .await;
    assert_eq!(rows.rows().len(), 3);
    for row in rows.rows() {
        let role = row["properties"]["roleDefinitionId"].as_str().unwrap();
        assert!(
            role.starts_with(&format!("{SUB}/providers/Microsoft.Authorization/roleDefinitions/")),
            "{role}"
        );
    }
    let full = json!({"properties": {"roleDefinitionId": form(SUB), "principalId": OLD, "principalType": null}});
    assert_eq!(
        sim.put(
            &assignment(&RG.to_uppercase().replace("/SUBSCRIPTIONS", "/subscriptions"), 3),
            full
        )
        .await
        .status,
        201
    );
}

#[tokio::test]
async fn the_refusals_of_grants_are_word_for_word() {
    let mut estate = shop();
    estate["graph"]["applications"] = json!([{"id": "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb", "appId": OPERATOR}]);
    let sim = Sim::new(estate).await;
    let unknown = "12345678-0000-4000-8000-000000000000";
    let mut half = grant(CONTRIBUTOR, OLD, None);
    half["properties"]["condition"] = json!("x");
    let mut elsewhere = grant(CONTRIBUTOR, OLD, None);
    elsewhere["properties"]["scope"] = json!(SUB);
    let name = "00000000-0000-4000-8000-000000000001";
    for (body, code, message) in [
        (
            grant(READER, unknown, Some("ServicePrincipal")),
            "PrincipalNotFound",
            "Principal 12345678000040008000000000000000 does not exist in the directory 11111111-1111-4111-8111-111111111111. \
             Check that you have the correct principal ID. If you are creating this principal and then immediately assigning a \
             role, this error might be related to a replication delay. In this case, set the role assignment principalType \
             property to a value, such as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype"
                .to_owned(),
        ),
        (
            grant(CONTRIBUTOR, OLD, Some("User")),
            "UnmatchedPrincipalType",
            "The PrincipalId '33333333333343338333333333333333' has type 'ServicePrincipal' , which is different from specified \
             PrinciaplType 'User'."
                .to_owned(),
        ),
        (
            grant(READER, "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb", None),
            "PrincipalTypeNotSupported",
            "Principals of type Application cannot validly be used in role assignments.".to_owned(),
        ),
        (
            grant(unknown, OLD, None),
            "RoleDefinitionDoesNotExist",
            "The specified role definition with ID '12345678000040008000000000000000' does not exist.".to_owned(),
        ),
        (
            elsewhere,
            "InvalidCreateRoleAssignmentRequest",
            format!(
                "The request to create role assignment '{name}' is not valid. Role assignment scope '{SUB}' must match the scope \
                 specified on the URI '{RG}'."
            ),
        ),
        (
            grant(READER, "", None),
            "InvalidPrincipalId",
            "A valid principal ID must be provided for role assignment.".to_owned(),
        ),
    ] {
        let reply = sim.put(&assignment(RG, 1), body).await;
        assert_eq!((reply.status, reply.code(), reply.message()), (400, code, message.as_str()));
    }
    assert_eq!(sim.put(&assignment(RG, 1), half).await.status, 400);
    let twin = sim.put(&assignment(RG, 1), grant(READER, OLD, None)).await;
    assert_eq!((twin.status, twin.code()), (409, "RoleAssignmentExists"));
    assert!(twin.message().starts_with("The role assignment already exists."));
    assert_eq!(
        sim.put(&assignment(RG, 1), grant(CONTRIBUTOR, OLD, None)).await.status,
        201
    );
    let other = sim.put(&assignment(RG, 1), grant(CONTRIBUTOR, CASEY, None)).await;
    assert_eq!(
        (other.status, other.code(), other.message()),
        (
            400,
            "RoleAssignmentUpdateNotPermitted",
            "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
        )
    );
    let missing = sim.get(&assignment(RG, 9)).await;
    assert_eq!(
        (missing.status, missing.code(), missing.message()),
        (
            404,
            "RoleAssignmentNotFound",
            "The role assignment '00000000-0000-4000-8000-000000000009' is not found."
        )
    );
}

#[tokio::test]
async fn a_subscription_takes_four_thousand_assignments_and_a_management_group_five_hundred() {
    let mut estate = shop();
    let documents = estate["arm"]["resources"].as_array_mut().unwrap();
    let mut fill = |scope: &str, count: u32| {
        for n in 0..count {
            let name = format!("{n:08x}-1111-4111-8111-{:012x}", scope.len());
            documents.push(
                json!({"id": format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"),
                "type": "Microsoft.Authorization/roleAssignments", "properties": {"roleDefinitionId": READER,
                    "principalId": format!("{n:08x}-2222-4222-8222-222222222222"), "scope": scope}}),
            );
        }
    };
    fill(SUB, 2000);
    fill(RG, 1998);
    fill(ROOT, 500);
    let sim = Sim::new(estate).await;
    assert_eq!(
        sim.put(&assignment(RG, 1), grant(CONTRIBUTOR, OLD, None)).await.status,
        201
    );
    let full = sim.put(&assignment(SUB, 2), grant(CONTRIBUTOR, CASEY, None)).await;
    assert_eq!(
        (full.status, full.code(), full.message()),
        (
            400,
            "RoleAssignmentLimitExceeded",
            "The role assignment limit for the subscription has been exceeded. No more role assignments can be created."
        )
    );
    let group = sim.put(&assignment(ROOT, 3), grant(CONTRIBUTOR, CASEY, None)).await;
    assert_eq!(group.code(), "RoleAssignmentLimitExceeded");
}

#[tokio::test]
async fn a_role_is_defined_used_and_kept_while_it_is_used() {
    let sim = Sim::new(shop()).await;
    let guid = "cccccccc-0000-4000-8000-000000000001";
    let path = format!("{SUB}/providers/Microsoft.Authorization/roleDefinitions/{guid}?api-version=2022-04-01");
    let body = |name: &str| {
        json!({"properties": {"roleName": name, "description": "d", "assignableScopes": [SUB],
        "permissions": [{"actions": ["Microsoft.Web/sites/read"]}]}})
    };
    let made = sim.put(&path, body("Site Reader")).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    assert_eq!(made.body["properties"]["type"], "CustomRole");
    assert_eq!(made.body["properties"]["permissions"][0]["notDataActions"], json!([]));
    assert!(made.body["properties"]["createdOn"].is_string() && made.body["properties"]["createdBy"].is_string());
    assert_eq!(made.body["id"], json!(path.split('?').next().unwrap()));
    let same = sim
        .put(&path.replace("000000000001", "000000000002"), body("SITE READER"))
        .await;
    assert_eq!((same.status, same.code()), (409, "RoleDefinitionWithSameNameExists"));
    assert_eq!(sim.put(&assignment(RG, 1), grant(guid, OLD, None)).await.status, 201);
    let outside = sim.put(&assignment(ROOT, 2), grant(guid, OLD, None)).await;
    assert_eq!(outside.code(), "RoleDefinitionNotAssignableAtScope");
    let used = sim.delete(&path).await;
    assert_eq!((used.status, used.code()), (400, "RoleDefinitionHasAssignments"));
    assert!(
        used.message()
            .starts_with("There are existing role assignments referencing role")
    );
    sim.delete(&assignment(RG, 1)).await;
    let gone = sim.delete(&path).await;
    assert_eq!((gone.status, &gone.body["name"]), (200, &json!(guid)));
    assert_eq!(sim.delete(&path).await.status, 204);
    let missing = sim.get(&path).await;
    assert_eq!((missing.status, missing.code()), (404, "RoleDefinitionDoesNotExist"));
}

#[tokio::test]
async fn roles_are_listed_by_name_and_by_type() {
    let sim = Sim::new(shop()).await;
    let list = async |scope: &str, filter: &str| {
        let path = format!(
            "{scope}/providers/Microsoft.Authorization/roleDefinitions?api-version=2022-04-01&$filter={filter}"
        );
        sim.get(&path).await
    };
    let found = list(RG, "roleName eq 'key vault SECRETS user'").await;
    assert_eq!(found.rows().len(), 1);
    let row = &found.rows()[0];
    assert_eq!(row["name"], "4633458b-17de-408a-b874-0445c86b69e6");
    assert!(row["id"].as_str().unwrap().starts_with(&format!("{SUB}/providers/")));
    assert_eq!(
        (&row["properties"]["createdBy"], &row["properties"]["assignableScopes"]),
        (&Value::Null, &json!(["/"]))
    );
    assert!(list(RG, "type eq 'CustomRole'").await.rows().is_empty());
    assert!(list(SUB, "type eq 'BuiltInRole'").await.rows().len() > 50);
    assert_eq!(
        list(SUB, "atScopeAndBelow() and type eq 'CustomRole'").await.status,
        200
    );
    assert_eq!(list(SUB, "colour eq 'red'").await.status, 400);
    let tenant = list("", "roleName eq 'Reader'").await;
    assert_eq!(
        tenant.rows()[0]["id"],
        json!(format!("/providers/Microsoft.Authorization/roleDefinitions/{READER}"))
    );
}
