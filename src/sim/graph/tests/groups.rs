//! Groups: members, owners, and the groups that refuse.

use super::*;

fn members(directory: &mut Directory) -> Vec<String> {
    ids(&get(directory, &format!("/v1.0/groups/{READERS}/members")))
}

#[test]
fn a_group_is_shown_with_every_member_that_graph_knows_and_without_its_relations() {
    let answer = get(&mut directory(), &format!("/v1.0/groups/{READERS}"));
    let body = answer.body.clone().unwrap();
    assert_eq!(
        body["@odata.context"],
        "http://127.0.0.1:9/v1.0/$metadata#groups/$entity"
    );
    assert_eq!(body["isAssignableToRole"], Value::Null);
    assert_eq!(body["proxyAddresses"], json!([]));
    assert!(body["securityIdentifier"].as_str().unwrap().starts_with("S-1-12-1-"));
    assert!(body.get("members").is_none() && body.get("owners").is_none());
    assert_eq!(header(&answer, "odata-version"), Some("4.0"));
    assert_eq!(header(&answer, "request-id"), header(&answer, "client-request-id"));
    assert!(
        header(&answer, "content-type")
            .unwrap()
            .starts_with("application/json;odata.metadata=minimal")
    );
}

#[test]
fn adding_a_member_twice_is_refused_in_graphs_words() {
    let mut directory = directory();
    let url = format!("/v1.0/groups/{ALL}/members/$ref");
    let answer = send(&mut directory, "POST", &url, reference(&SHOP.to_uppercase()));
    assert_eq!((answer.status, answer.body.clone()), (204, None));
    assert_eq!(header(&answer, "content-type"), None);
    assert_eq!(header(&answer, "odata-version"), None);
    assert_eq!(
        refused(&send(&mut directory, "POST", &url, reference(SHOP))),
        (
            400,
            "Request_BadRequest".to_owned(),
            "One or more added object references already exist for the following modified properties: 'members'."
                .to_owned()
        )
    );
    assert_eq!(directory.save()["groups"][1]["members"], json!([READERS, SHOP]));
}

#[test]
fn a_member_is_removed_once_and_only_by_its_reference() {
    let mut directory = directory();
    let member = format!("/v1.0/groups/{READERS}/members/{SHOP}");
    assert_eq!(send(&mut directory, "DELETE", &member, Value::Null).status, 403);
    let url = format!("{member}/$ref");
    assert_eq!(send(&mut directory, "DELETE", &url, Value::Null).status, 204);
    assert_eq!(members(&mut directory), [CASEY]);
    let again = refused(&send(&mut directory, "DELETE", &url, Value::Null));
    assert_eq!((again.0, again.1.as_str()), (404, "Request_ResourceNotFound"));
    assert_eq!(
        again.2,
        format!("Resource '{SHOP}' does not exist or one of its queried reference-property objects are not present.")
    );
}

#[test]
fn members_bound_by_patch_are_added_all_or_not_at_all() {
    let mut directory = directory();
    let url = format!("/v1.0/groups/{ALL}");
    let bind = |ids: &[&str]| json!({"members@odata.bind": ids.iter().map(|id| reference(id)["@odata.id"].clone()).collect::<Vec<_>>()});
    assert_eq!(send(&mut directory, "PATCH", &url, bind(&[CASEY, UNKNOWN])).status, 404);
    assert_eq!(send(&mut directory, "PATCH", &url, bind(&[CASEY, READERS])).status, 400);
    assert_eq!(send(&mut directory, "PATCH", &url, bind(&[CASEY, CASEY])).status, 400);
    assert_eq!(send(&mut directory, "PATCH", &url, bind(&[CASEY; 21])).status, 400);
    assert_eq!(directory.save(), estate());
    assert_eq!(send(&mut directory, "PATCH", &url, bind(&[CASEY, SHOP])).status, 204);
    assert_eq!(directory.save()["groups"][1]["members"], json!([READERS, CASEY, SHOP]));
}

#[test]
fn dynamic_synchronised_and_role_assignable_groups_refuse_members() {
    let mut directory = directory();
    let add = |directory: &mut Directory, group: &str, id: &str| {
        send(
            directory,
            "POST",
            &format!("/v1.0/groups/{group}/members/$ref"),
            reference(id),
        )
    };
    let denied = (
        403,
        "Authorization_RequestDenied".to_owned(),
        "Insufficient privileges to complete the operation.".to_owned(),
    );
    assert_eq!(refused(&add(&mut directory, DYNAMIC, SHOP)), denied);
    assert_eq!(add(&mut directory, SYNCED, SHOP).status, 400);
    // The operator may; a caller of the directory without a role in it may not; and no one nests groups there.
    let mut request = ask(
        "POST",
        &format!("/v1.0/groups/{PRIVILEGED}/members/$ref"),
        Some(reference(SHOP)),
        &[],
    );
    request.caller.principal = CASEY.to_owned();
    assert_eq!(refused(&directory.answer(&request)), denied);
    assert_eq!(add(&mut directory, PRIVILEGED, READERS).status, 400);
    assert_eq!(add(&mut directory, PRIVILEGED, SHOP).status, 204);
    assert_eq!(add(&mut directory, READERS, READERS).status, 400);
}

#[test]
fn a_caller_who_manages_roles_may_change_a_role_assignable_group() {
    let mut estate = estate();
    estate["roleManagement"] = json!([{"principalId": CASEY, "directoryScopeId": "/",
        "roleDefinitionId": "e8611ab8-c189-46e8-94e1-60213ab1f814"}]);
    let mut directory = Directory::load(&estate, TENANT).unwrap();
    directory.identity_created("id-shop", SHOP, SHOP_APP, RESOURCE, None);
    let mut request = ask(
        "POST",
        &format!("/v1.0/groups/{PRIVILEGED}/members/$ref"),
        Some(reference(SHOP)),
        &[],
    );
    request.caller.principal = CASEY.to_owned();
    assert_eq!(directory.answer(&request).status, 204);
}

#[test]
fn a_group_is_made_changed_and_deleted() {
    let mut directory = directory();
    let body = json!({"displayName": "new", "mailEnabled": false, "mailNickname": "new", "securityEnabled": true,
        "members@odata.bind": [reference(SHOP)["@odata.id"]]});
    let answer = send(&mut directory, "POST", "/v1.0/groups", body);
    assert_eq!(answer.status, 201);
    let made = answer.body.clone().unwrap();
    let id = made["id"].as_str().unwrap();
    assert_eq!(made["createdDateTime"], "2026-03-01T12:00:00Z");
    assert_eq!(
        header(&answer, "location").unwrap(),
        format!("https://graph.microsoft.com/v2/{TENANT}/directoryObjects/{id}/Microsoft.DirectoryServices.Group")
    );
    let url = format!("/v1.0/groups/{id}");
    assert_eq!(
        send(&mut directory, "PATCH", &url, json!({"description": "x"})).status,
        204
    );
    assert_eq!(
        directory.save()["groups"][5],
        json!({"id": id, "displayName": "new", "mailEnabled": false, "mailNickname": "new", "securityEnabled": true,
            "members": [SHOP], "description": "x"})
    );
    assert_eq!(send(&mut directory, "PATCH", &url, json!({"id": UNKNOWN})).status, 400);
    assert_eq!(
        send(&mut directory, "PATCH", &url, json!({"colour": "red"})).status,
        400
    );
    assert!(directory.groups_of(SHOP).contains(id));
    assert_eq!(send(&mut directory, "DELETE", &url, Value::Null).status, 204);
    assert_eq!(get(&mut directory, &url).status, 404);
    assert!(!directory.groups_of(SHOP).contains(id));
    assert_eq!(directory.save(), estate());
    assert_eq!(
        refused(&send(&mut directory, "POST", "/v1.0/groups", json!({}))).2,
        "A value is required for property 'displayName' of resource 'Group'."
    );
}

#[test]
fn members_of_members_count_and_circles_end() {
    let mut directory = directory();
    let groups = directory.groups_of(&SHOP.to_uppercase());
    assert_eq!(groups.iter().collect::<Vec<_>>(), [READERS, ALL]);
    let add = format!("/v1.0/groups/{READERS}/members/$ref");
    assert_eq!(send(&mut directory, "POST", &add, reference(ALL)).status, 204);
    assert_eq!(directory.groups_of(SHOP).len(), 2);
    assert_eq!(
        ids(&get(&mut directory, &format!("/v1.0/groups/{ALL}/transitiveMembers"))),
        [SHOP, CASEY, READERS]
    );
}

#[test]
fn owners_are_listed_added_and_removed() {
    let mut directory = directory();
    let owners = format!("/v1.0/groups/{READERS}/owners");
    assert_eq!(ids(&get(&mut directory, &owners)), [CASEY]);
    assert_eq!(
        send(&mut directory, "POST", &format!("{owners}/$ref"), reference(SHOP)).status,
        204
    );
    let owned = ids(&get(
        &mut directory,
        &format!("/v1.0/servicePrincipals/{SHOP}/ownedObjects"),
    ));
    assert_eq!(owned, [READERS, ALL]);
    assert_eq!(send(&mut directory, "POST", &owners, reference(SHOP)).status, 400);
    assert_eq!(
        send(&mut directory, "DELETE", &format!("{owners}/{SHOP}/$ref"), Value::Null).status,
        204
    );
    assert_eq!(directory.save(), estate());
    let owners = format!("/v1.0/applications/{APP}/owners/$ref");
    assert_eq!(send(&mut directory, "POST", &owners, reference(SHOP)).status, 204);
    assert_eq!(directory.save()["applications"][0]["owners"], json!([SHOP]));
}

#[test]
fn an_unknown_or_malformed_id_is_told_apart() {
    let mut directory = directory();
    assert_eq!(refused(&get(&mut directory, &format!("/v1.0/groups/{UNKNOWN}"))).0, 404);
    assert_eq!(
        refused(&get(&mut directory, "/v1.0/groups/shop")),
        (
            400,
            "Request_BadRequest".to_owned(),
            "Invalid object identifier 'shop'.".to_owned()
        )
    );
    let error = get(&mut directory, &format!("/v1.0/groups/{UNKNOWN}"));
    let inner = &error.body.as_ref().unwrap()["error"]["innerError"];
    assert_eq!(inner["date"], "2026-03-01T12:00:00");
    assert_eq!(inner["request-id"].as_str(), header(&error, "request-id"));
    assert_eq!(header(&error, "content-type"), Some("application/json"));
    assert_eq!(get(&mut directory, "/v1.0/nonsense").status, 400);
    assert_eq!(send(&mut directory, "PUT", "/v1.0/groups", Value::Null).status, 405);
}
