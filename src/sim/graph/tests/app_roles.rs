//! App roles, directory roles, delegated permissions, credentials of applications.

use super::*;

#[test]
fn an_app_role_is_granted_once_listed_from_both_ends_and_revoked() {
    let mut directory = directory();
    let new = CASEY;
    let url = format!("/v1.0/users/{new}/appRoleAssignments");
    let body = json!({"principalId": new, "resourceId": GRAPH, "appRoleId": APP_ROLE});
    let answer = send(&mut directory, "POST", &url, body.clone());
    let made = answer.body.clone().unwrap();
    assert_eq!(answer.status, 201);
    assert_eq!(
        made["@odata.context"],
        "http://127.0.0.1:9/v1.0/$metadata#appRoleAssignments/$entity"
    );
    assert_eq!(made["principalType"], "User");
    assert_eq!(made["principalDisplayName"], "Casey");
    assert_eq!(made["resourceDisplayName"], "Microsoft Graph");
    let id = made["id"].as_str().unwrap();
    assert_eq!(id.len(), 43);
    assert_eq!(
        refused(&send(&mut directory, "POST", &url, body)),
        (
            400,
            "Request_BadRequest".to_owned(),
            "Permission being assigned already exists on the object".to_owned()
        )
    );
    assert_eq!(
        directory.save()["appRoleAssignments"][1],
        json!({"id": id, "principalId": new, "resourceId": GRAPH, "appRoleId": APP_ROLE})
    );
    let to = ids(&get(
        &mut directory,
        &format!("/v1.0/servicePrincipals/{GRAPH}/appRoleAssignedTo"),
    ));
    assert_eq!(to.len(), 2);
    assert_eq!(get(&mut directory, &format!("{url}/{id}")).status, 200);
    let wrong = format!("/v1.0/servicePrincipals/{SHOP}/appRoleAssignments/{id}");
    assert_eq!(send(&mut directory, "DELETE", &wrong, Value::Null).status, 404);
    assert_eq!(
        send(&mut directory, "DELETE", &format!("{url}/{id}"), Value::Null).status,
        204
    );
    assert_eq!(directory.save(), estate());
}

#[test]
fn an_app_role_that_the_resource_lacks_is_refused() {
    let body = json!({"principalId": SHOP, "resourceId": GRAPH, "appRoleId": UNKNOWN});
    let url = format!("/v1.0/servicePrincipals/{SHOP}/appRoleAssignments");
    let message = refused(&send(&mut directory(), "POST", &url, body)).2;
    assert!(
        message.starts_with("Permission being assigned was not found on application"),
        "{message}"
    );
}

#[test]
fn a_directory_role_is_one_thing_seen_as_member_and_as_assignment() {
    let mut directory = directory();
    let set = "/v1.0/roleManagement/directory/roleAssignments";
    let of = |id: &str| format!("{set}?$filter=principalId eq '{id}'&$expand=roleDefinition,principal");
    let rows = get(&mut directory, &of(SHOP)).body.unwrap();
    assert_eq!(rows["value"][0]["roleDefinitionId"], DIRECTORY_READERS);
    assert_eq!(rows["value"][0]["directoryScopeId"], "/");
    assert_eq!(rows["value"][0]["roleDefinition"]["displayName"], "Directory Readers");
    assert_eq!(
        rows["value"][0]["principal"]["@odata.type"],
        "#microsoft.graph.servicePrincipal"
    );
    let old = rows["value"][0]["id"].as_str().unwrap().to_owned();

    let body = json!({"@odata.type": "#microsoft.graph.unifiedRoleAssignment", "principalId": CASEY,
        "roleDefinitionId": DIRECTORY_READERS, "directoryScopeId": "/"});
    let made = send(&mut directory, "POST", set, body.clone());
    assert_eq!(made.status, 201);
    assert_eq!(
        refused(&send(&mut directory, "POST", set, body)).2,
        "A conflicting object with one or more of the specified property values is present in the directory."
    );
    let members = format!("/v1.0/directoryRoles(roleTemplateId='{DIRECTORY_READERS}')/members");
    assert_eq!(ids(&get(&mut directory, &members)), [SHOP, CASEY]);
    assert_eq!(
        send(&mut directory, "DELETE", &format!("{set}/{old}"), Value::Null).status,
        204
    );
    assert_eq!(ids(&get(&mut directory, &members)), [CASEY]);
    let url = format!("/v1.0/directoryRoles/{ROLE}/members/{CASEY}/$ref");
    assert_eq!(send(&mut directory, "DELETE", &url, Value::Null).status, 204);
    assert_eq!(ids(&get(&mut directory, set)), Vec::<String>::new());
    let url = format!("/v1.0/directoryRoles/{ROLE}/members/$ref");
    assert_eq!(send(&mut directory, "POST", &url, reference(SHOP)).status, 204);
    assert_eq!(directory.save(), estate());
}

#[test]
fn role_definitions_are_the_built_in_ones() {
    let mut directory = directory();
    let url = "/v1.0/roleManagement/directory/roleDefinitions?$filter=displayName eq 'global reader'";
    assert_eq!(ids(&get(&mut directory, url)), ["f2ef992c-3afb-46b9-b7cf-a126ee74c451"]);
    let body = json!({"principalId": SHOP, "roleDefinitionId": UNKNOWN, "directoryScopeId": "/"});
    let answer = send(
        &mut directory,
        "POST",
        "/v1.0/roleManagement/directory/roleAssignments",
        body,
    );
    assert_eq!(answer.status, 404);
}

#[test]
fn an_applications_credentials_are_listed_made_and_deleted() {
    let mut directory = directory();
    let url = format!("/v1.0/applications/{APP}/federatedIdentityCredentials");
    let rows = get(&mut directory, &url).body.unwrap();
    assert_eq!(rows["value"][0]["subject"], SHOP);
    let body = json!({"name": "new", "issuer": "https://x", "subject": CASEY, "audiences": ["a"]});
    assert_eq!(send(&mut directory, "POST", &url, body.clone()).status, 201);
    assert_eq!(send(&mut directory, "POST", &url, body).status, 400);
    let one = format!("{url}/new");
    assert_eq!(
        send(&mut directory, "PATCH", &one, json!({"subject": SHOP})).status,
        204
    );
    assert_eq!(get(&mut directory, &one).body.unwrap()["subject"], SHOP);
    assert_eq!(send(&mut directory, "DELETE", &one, Value::Null).status, 204);
    assert_eq!(directory.save(), estate());
}

#[test]
fn delegated_permissions_are_empty_until_one_is_granted() {
    let mut directory = directory();
    let set = "/v1.0/oauth2PermissionGrants";
    let mine = format!("{set}?$filter=clientId eq '{SHOP}'");
    assert_eq!(ids(&get(&mut directory, &mine)), Vec::<String>::new());
    let body = json!({"clientId": SHOP, "consentType": "AllPrincipals", "resourceId": GRAPH, "scope": "User.Read"});
    let made = send(&mut directory, "POST", set, body);
    assert_eq!(made.status, 201);
    let id = made.body.unwrap()["id"].as_str().unwrap().to_owned();
    assert_eq!(ids(&get(&mut directory, &mine)), [id.as_str()]);
    assert_eq!(directory.save()["oauth2PermissionGrants"][0]["scope"], "User.Read");
    assert_eq!(
        send(&mut directory, "DELETE", &format!("{set}/{id}"), Value::Null).status,
        204
    );
    assert_eq!(directory.save(), estate());
}
