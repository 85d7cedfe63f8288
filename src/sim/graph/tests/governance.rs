//! Access packages, Conditional Access and roles of other providers.

use super::*;

const PACKAGE: &str = "abababab-abab-4bab-8bab-abababababab";

fn rows(directory: &mut Directory, url: &str) -> Vec<Value> {
    let body = get(directory, url).body.unwrap();
    body["value"].as_array().unwrap().clone()
}

#[test]
fn a_package_is_assigned_until_its_end_and_taken_by_its_id() {
    let mut directory = directory();
    let requests = "/v1.0/identityGovernance/entitlementManagement/assignmentRequests";
    let listed = format!(
        "/v1.0/identityGovernance/entitlementManagement/assignments?$filter=target/objectId eq '{SHOP}'&$expand=target"
    );
    let give = json!({"requestType": "adminAdd",
        "assignment": {"targetId": SHOP, "accessPackageId": PACKAGE, "assignmentPolicyId": APP_ROLE},
        "schedule": {"expiration": {"type": "afterDateTime", "endDateTime": "2031-03-31T00:00:00Z"}}});
    assert_eq!(send(&mut directory, "POST", requests, give.clone()).status, 201);
    assert_eq!(
        send(&mut directory, "POST", requests, give).status,
        400,
        "it is there already"
    );
    let found = rows(&mut directory, &listed);
    assert_eq!(
        found[0]["schedule"]["expiration"]["endDateTime"],
        "2031-03-31T00:00:00Z"
    );
    let take = json!({"requestType": "adminRemove", "assignment": {"id": found[0]["id"]}});
    assert_eq!(send(&mut directory, "POST", requests, take.clone()).status, 201);
    assert_eq!(
        send(&mut directory, "POST", requests, take).status,
        404,
        "it is not there any more"
    );
    assert!(rows(&mut directory, &listed).is_empty());
}

#[test]
fn a_catalog_role_is_given_once() {
    let mut directory = directory();
    let url = "/v1.0/roleManagement/entitlementManagement/roleAssignments";
    let body = json!({"principalId": SHOP, "roleDefinitionId": ROLE, "appScopeId": "/AccessPackageCatalog/1"});
    assert_eq!(send(&mut directory, "POST", url, body.clone()).status, 201);
    assert_eq!(
        send(&mut directory, "POST", url, body).status,
        400,
        "it is there already"
    );
    let found = rows(&mut directory, url);
    let own = format!("{url}/{}", found[0]["id"].as_str().unwrap());
    assert_eq!(send(&mut directory, "DELETE", &own, Value::Null).status, 204);
    assert!(rows(&mut directory, url).is_empty());
}
