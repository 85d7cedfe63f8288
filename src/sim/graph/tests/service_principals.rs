//! Service principals of identities: implied, late, and gone with everything that named them.

use super::*;

#[test]
fn an_identity_has_a_service_principal_that_names_it() {
    let body = get(&mut directory(), &format!("/v1.0/servicePrincipals/{SHOP}"))
        .body
        .unwrap();
    assert_eq!(body["servicePrincipalType"], "ManagedIdentity");
    assert_eq!(body["displayName"], "id-shop");
    assert_eq!(body["appId"], SHOP_APP);
    assert_eq!(body["alternativeNames"][0], "isExplicit=True");
    assert!(
        body["alternativeNames"][1]
            .as_str()
            .unwrap()
            .contains("/resourcegroups/rg-shop/")
    );
    assert_eq!(body["servicePrincipalNames"][0], SHOP_APP);
    assert_eq!(body["appOwnerOrganizationId"], Value::Null);
    assert_eq!(body["info"]["logoUrl"], Value::Null);
}

#[test]
fn a_service_principal_is_found_by_app_id_and_by_name() {
    let mut directory = directory();
    for url in [
        format!("/v1.0/servicePrincipals?$filter=appId%20eq%20%27{SHOP_APP}%27"),
        format!("/v1.0/servicePrincipals?$filter=servicePrincipalNames/any(c:c eq '{SHOP_APP}')"),
        "/v1.0/servicePrincipals?$filter=servicePrincipalType eq 'ManagedIdentity' and displayName in ('a','ID-shop')"
            .to_owned(),
    ] {
        assert_eq!(ids(&get(&mut directory, &url)), [SHOP], "{url}");
    }
    let url =
        "/v1.0/servicePrincipals?$filter=servicePrincipalNames/any(c:c eq '00000003-0000-0000-c000-000000000000')";
    assert_eq!(ids(&get(&mut directory, url)), [GRAPH]);
    let url = format!("/v1.0/servicePrincipals(appId='{SHOP_APP}')");
    assert_eq!(get(&mut directory, &url).body.unwrap()["id"], SHOP);
    let url = format!("/v1.0/servicePrincipals(appId='{UNKNOWN}')");
    assert_eq!(get(&mut directory, &url).status, 404);
}

#[test]
fn a_new_identity_is_not_there_until_the_directory_sees_it() {
    let new = "abababab-abab-4bab-8bab-abababababab";
    let mut directory = directory();
    let later = NOW + time::Duration::seconds(2);
    directory.identity_created("id-new", new, UNKNOWN, RESOURCE, Some(later));
    assert!(!directory.knows(new, NOW) && directory.knows(new, later));
    assert_eq!(directory.kind(new), Some("ServicePrincipal"));
    let add = format!("/v1.0/groups/{READERS}/members/$ref");
    assert_eq!(send(&mut directory, "POST", &add, reference(new)).status, 404);
    for url in [
        format!("/v1.0/servicePrincipals/{new}"),
        format!("/v1.0/servicePrincipals/{new}/memberOf"),
        format!("/v1.0/directoryObjects/{new}"),
        format!("/v1.0/servicePrincipals(appId='{UNKNOWN}')"),
    ] {
        assert_eq!(get(&mut directory, &url).status, 404, "{url}");
    }
    let body = json!({"principalId": new, "resourceId": GRAPH, "appRoleId": APP_ROLE});
    let url = format!("/v1.0/servicePrincipals/{GRAPH}/appRoleAssignedTo");
    assert_eq!(
        refused(&send(&mut directory, "POST", &url, body)).2,
        "Not a valid reference update."
    );
    let ids_body = json!({"ids": [new, SHOP]});
    assert_eq!(
        ids(&send(
            &mut directory,
            "POST",
            "/v1.0/directoryObjects/getByIds",
            ids_body
        )),
        [SHOP]
    );
    assert_eq!(ids(&get(&mut directory, "/v1.0/servicePrincipals")), [SHOP, GRAPH]);
    let mut request = ask("POST", &add, Some(reference(new)), &[]);
    request.now = later;
    assert_eq!(directory.answer(&request).status, 204);
}

#[test]
fn an_identity_that_goes_takes_its_places_with_it() {
    let mut directory = directory();
    directory.identity_deleted(&SHOP.to_uppercase());
    assert_eq!(directory.kind(SHOP), None);
    let saved = directory.save();
    assert!(!saved["groups"].to_string().contains(SHOP));
    assert_eq!(saved["appRoleAssignments"], json!([]));
    assert_eq!(saved["directoryRoles"][0]["members"], json!([]));
    // What trusts it is another object's document, and stays.
    assert!(saved["applications"].to_string().contains(SHOP));
}

#[test]
fn an_implied_service_principal_is_stored_once_it_is_written() {
    let mut directory = directory();
    let url = format!("/v1.0/servicePrincipals/{SHOP}");
    assert_eq!(
        send(&mut directory, "PATCH", &url, json!({"displayName": "x"})).status,
        403
    );
    assert_eq!(send(&mut directory, "DELETE", &url, Value::Null).status, 403);
    assert_eq!(directory.save(), estate());
    assert_eq!(send(&mut directory, "PATCH", &url, json!({"notes": "x"})).status, 204);
    let saved = directory.save();
    assert_eq!(saved["servicePrincipals"][1]["notes"], "x");
    assert_eq!(saved["servicePrincipals"][1]["id"], SHOP);
}

#[test]
fn memberships_are_read_direct_transitive_cast_and_as_ids() {
    let mut directory = directory();
    let of = |rest: &str| format!("/v1.0/servicePrincipals/{SHOP}/{rest}");
    let direct = get(&mut directory, &of("memberOf"));
    assert_eq!(ids(&direct), [READERS, ROLE]);
    let rows = direct.body.as_ref().unwrap();
    assert_eq!(rows["value"][0]["@odata.type"], "#microsoft.graph.group");
    assert_eq!(
        rows["value"][0].as_object().unwrap().keys().next().unwrap(),
        "@odata.type"
    );
    assert_eq!(
        rows["@odata.context"],
        "http://127.0.0.1:9/v1.0/$metadata#directoryObjects"
    );
    assert_eq!(
        ids(&get(&mut directory, &of("transitiveMemberOf"))),
        [READERS, ALL, ROLE]
    );
    let cast = get(&mut directory, &of("transitiveMemberOf/microsoft.graph.group"));
    assert_eq!(ids(&cast), [READERS, ALL]);
    assert!(cast.body.unwrap()["value"][0].get("@odata.type").is_none());
    let filtered = of("memberOf/microsoft.graph.group?$filter=startswith(displayName,'shop')");
    assert_eq!(refused(&get(&mut directory, &filtered)).1, "Request_UnsupportedQuery");
    assert_eq!(
        ids(&get_eventual(&mut directory, &format!("{filtered}&$count=true"))),
        [READERS]
    );

    let answer = send(
        &mut directory,
        "POST",
        &of("getMemberGroups"),
        json!({"securityEnabledOnly": false}),
    );
    assert_eq!(header(&answer, "location"), Some("https://graph.microsoft.com"));
    assert_eq!(ids(&answer), [READERS, ALL]);
    let answer = send(
        &mut directory,
        "POST",
        &of("getMemberObjects"),
        json!({"securityEnabledOnly": false}),
    );
    assert_eq!(ids(&answer), [READERS, ALL, ROLE]);
    let asked = json!({"groupIds": [ALL.to_uppercase(), DYNAMIC]});
    assert_eq!(
        ids(&send(&mut directory, "POST", &of("checkMemberGroups"), asked)),
        [ALL]
    );
    let asked = json!({"groupIds": (0..21).map(|n| format!("{n}")).collect::<Vec<_>>()});
    assert_eq!(
        send(&mut directory, "POST", &of("checkMemberGroups"), asked).status,
        400
    );
}

#[test]
fn objects_are_read_by_ids_and_unknown_ones_left_out() {
    let mut directory = directory();
    let body = json!({"ids": [SHOP, CASEY, UNKNOWN], "types": ["servicePrincipal", "directoryObjectPartnerReference"]});
    let answer = send(&mut directory, "POST", "/v1.0/directoryObjects/getByIds", body);
    assert_eq!(ids(&answer), [SHOP]);
    assert_eq!(
        answer.body.unwrap()["value"][0]["@odata.type"],
        "#microsoft.graph.servicePrincipal"
    );
}

#[test]
fn a_user_is_found_by_name_and_shows_eleven_members() {
    let mut directory = directory();
    let body = get(&mut directory, "/v1.0/users/Casey@contoso.example").body.unwrap();
    assert_eq!(body["id"], CASEY);
    assert!(body.get("city").is_none());
    let body = get(&mut directory, &format!("/v1.0/users/{CASEY}?$select=id,city,userType"))
        .body
        .unwrap();
    assert_eq!(body["city"], "Delft");
    assert_eq!(body["userType"], "Member");
    let mut me = ask("GET", "/v1.0/me/memberOf", None, &[]);
    assert_eq!(directory.answer(&me).status, 400);
    me.caller.principal = CASEY.to_owned();
    assert_eq!(ids(&directory.answer(&me)), [READERS, DYNAMIC, PRIVILEGED]);
    assert_eq!(ids(&get(&mut directory, "/v1.0/organization")), [TENANT]);
}
