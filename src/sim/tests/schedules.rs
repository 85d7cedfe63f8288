//! Privileged identity management, and deny assignments.

use super::*;

const CONTRIBUTOR: &str = "b24988ac-6180-42a0-ab88-20f7382dd24c";
const CASEY: &str = "55555555-5555-4555-8555-555555555555";

fn path(kind: &str, name: &str) -> String {
    format!("{RG}/providers/Microsoft.Authorization/{kind}{name}?api-version=2020-10-01")
}

fn request(n: u32) -> String {
    path(
        "roleAssignmentScheduleRequests",
        &format!("/00000000-0000-4000-9000-{n:012}"),
    )
}

fn body(verb: &str, principal: &str, expiration: Value) -> Value {
    json!({"properties": {"principalId": principal, "requestType": verb, "justification": "move",
        "roleDefinitionId": format!("{SUB}/providers/Microsoft.Authorization/roleDefinitions/{CONTRIBUTOR}"),
        "scheduleInfo": {"startDateTime": "2026-01-01T00:00:00Z", "expiration": expiration}}})
}

#[tokio::test]
async fn a_time_bound_assignment_is_a_schedule_an_instance_and_a_grant() {
    let sim = Sim::new(shop()).await;
    let expiration = json!({"type": "AfterDateTime", "endDateTime": "2999-12-31T00:00:00Z"});
    let made = sim.put(&request(1), body("AdminAssign", OLD, expiration.clone())).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    let properties = &made.body["properties"];
    assert_eq!(
        (&properties["status"], &properties["principalType"]),
        (&json!("Provisioned"), &json!("ServicePrincipal"))
    );
    assert_eq!(
        properties["expandedProperties"]["roleDefinition"]["displayName"],
        "Contributor"
    );
    assert_eq!(properties["expandedProperties"]["principal"]["displayName"], "id-shop");
    let schedule = properties["targetRoleAssignmentScheduleId"]
        .as_str()
        .unwrap()
        .to_owned();
    let filter = |kind: &str, filter: &str| path(kind, "") + "&$filter=" + filter;
    let of = format!("principalId eq '{OLD}'");
    let instances = sim.get(&filter("roleAssignmentScheduleInstances", &of)).await;
    let row = &instances.rows()[0]["properties"];
    assert_eq!(
        (&row["assignmentType"], &row["memberType"]),
        (&json!("Assigned"), &json!("Direct"))
    );
    assert_eq!(row["endDateTime"], "2999-12-31T00:00:00.0000000Z");
    assert!(row["originRoleAssignmentId"].as_str().unwrap().ends_with(&schedule));
    assert_eq!(
        sim.get(&filter("roleAssignmentSchedules", &format!("assignedTo('{OLD}')")))
            .await
            .rows()
            .len(),
        1
    );
    assert_eq!(
        sim.get(&filter("roleAssignmentSchedules", "atScope()"))
            .await
            .rows()
            .len(),
        1
    );
    assert_eq!(
        sim.get(&filter("roleAssignmentSchedules", "colour eq 'red'"))
            .await
            .status,
        400
    );
    assert!(sim.get(&path("roleEligibilitySchedules", "")).await.rows().is_empty());
    let grants = filter("roleAssignments", &of).replace("2020-10-01", "2022-04-01");
    assert_eq!(sim.get(&grants).await.rows().len(), 2);
    let twice = sim.put(&request(2), body("AdminAssign", OLD, expiration.clone())).await;
    assert_eq!((twice.status, twice.code()), (400, "RoleAssignmentExists"));
    let gone = sim.put(&request(3), body("AdminRemove", OLD, json!(null))).await;
    assert_eq!(
        (gone.status, &gone.body["properties"]["status"]),
        (201, &json!("Revoked"))
    );
    assert!(
        sim.get(&path("roleAssignmentScheduleInstances", ""))
            .await
            .rows()
            .is_empty()
    );
    assert_eq!(sim.get(&grants).await.rows().len(), 1);
    let none = sim.put(&request(4), body("AdminRemove", OLD, json!(null))).await;
    assert_eq!((none.status, none.code()), (404, "RoleAssignmentDoesNotExist"));
}

#[tokio::test]
async fn an_assignment_whose_time_is_over_is_gone() {
    let sim = Sim::new(shop()).await;
    let past = json!({"type": "AfterDuration", "duration": "PT8H"});
    assert_eq!(sim.put(&request(1), body("AdminAssign", OLD, past)).await.status, 201);
    assert!(sim.get(&path("roleAssignmentSchedules", "")).await.rows().is_empty());
    let grants = path("roleAssignments", "").replace("2020-10-01", "2022-04-01");
    assert_eq!(sim.get(&grants).await.rows().len(), 1);
    let wrong = sim
        .put(
            &request(2),
            body("AdminAssign", OLD, json!({"type": "AfterDuration", "duration": "8h"})),
        )
        .await;
    assert_eq!(wrong.status, 400);
}

#[tokio::test]
async fn an_eligible_assignment_gives_no_grant_and_no_service_principal_activates_it() {
    let sim = Sim::new(shop()).await;
    let eligible = path(
        "roleEligibilityScheduleRequests",
        "/00000000-0000-4000-9000-000000000001",
    );
    let made = sim
        .put(&eligible, body("AdminAssign", CASEY, json!({"type": "NoExpiration"})))
        .await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    let rows = sim.get(&path("roleEligibilityScheduleInstances", "")).await;
    assert_eq!(
        (rows.rows().len(), &rows.rows()[0]["properties"]["endDateTime"]),
        (1, &Value::Null)
    );
    let grants = path("roleAssignments", "").replace("2020-10-01", "2022-04-01");
    assert_eq!(sim.get(&grants).await.rows().len(), 1);
    let refused = sim
        .put(&request(2), body("SelfActivate", OLD, json!({"type": "NoExpiration"})))
        .await;
    assert_eq!(refused.status, 400, "{:?}", refused.body);
}

#[tokio::test]
async fn a_tenant_without_the_licence_says_so() {
    let mut estate = shop();
    estate["behaviour"] = json!({"premium": false});
    let sim = Sim::new(estate).await;
    let refused = sim.get(&path("roleAssignmentSchedules", "")).await;
    assert_eq!((refused.status, refused.code()), (400, "AadPremiumLicenseRequired"));
}

#[tokio::test]
async fn deny_assignments_are_read_in_stable_versions_and_made_in_the_newest() {
    let sim = Sim::new(shop()).await;
    let one = |version: &str| {
        format!(
            "{RG}/providers/Microsoft.Authorization/denyAssignments/dddddddd-0000-4000-8000-000000000001?api-version={version}"
        )
    };
    let body = json!({"properties": {"denyAssignmentName": "keep", "permissions": [{"actions": ["*/delete"]}],
        "principals": [{"id": OLD, "type": "ServicePrincipal"}], "excludePrincipals": [{"id": CASEY, "type": "User"}]}});
    assert_eq!(sim.put(&one("2022-04-01"), body.clone()).await.status, 405);
    let made = sim.put(&one("2024-07-01-preview"), body).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    let read = sim.get(&one("2022-04-01")).await;
    assert_eq!(
        read.body["properties"],
        json!({"denyAssignmentName": "keep", "description": null,
            "permissions": [{"actions": ["*/delete"], "notActions": [], "dataActions": [], "notDataActions": []}],
            "scope": RG.to_ascii_lowercase(), "doNotApplyToChildScopes": false,
            "principals": [{"id": OLD, "type": "ServicePrincipal"}],
            "excludePrincipals": [{"id": CASEY, "type": "User"}], "isSystemProtected": false})
    );
    let rows = async |filter: String| {
        let path =
            format!("{RG}/providers/Microsoft.Authorization/denyAssignments?api-version=2022-04-01&$filter={filter}");
        let reply = sim.get(&path).await;
        (reply.status, reply.rows().len())
    };
    assert_eq!(rows("atScope()".into()).await, (200, 1));
    assert_eq!(rows(format!("principalId eq '{OLD}'")).await, (200, 1));
    assert_eq!(rows(format!("principalId eq '{CASEY}'")).await, (200, 0));
    assert_eq!(rows(format!("gdprExportPrincipalId eq '{CASEY}'")).await, (200, 1));
    assert_eq!(rows("denyAssignmentName eq 'KEEP'".into()).await, (200, 1));
    assert_eq!(rows("colour eq 'red'".into()).await.0, 400);
    assert_eq!(sim.delete(&one("2024-07-01-preview")).await.status, 200);
    assert_eq!(sim.get(&one("2022-04-01")).await.code(), "DenyAssignmentNotFound");
}
