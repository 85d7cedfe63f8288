//! The headers of Microsoft Graph, and the members of what it shows.

use super::*;

#[test]
fn an_answer_has_the_headers_of_graph() {
    let mut directory = directory();
    let mine = [("client-request-id", "5c5c5c5c-0000-4000-8000-000000000000")];
    let answer = directory.answer(&ask("GET", "/v1.0/groups", None, &mine));
    for (name, value) in [
        (
            "content-type",
            "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8",
        ),
        ("odata-version", "4.0"),
        ("client-request-id", "5c5c5c5c-0000-4000-8000-000000000000"),
        ("strict-transport-security", "max-age=31536000"),
        ("cache-control", "no-cache"),
        ("vary", "Accept-Encoding"),
        ("x-ms-resource-unit", "1"),
    ] {
        assert_eq!(header(&answer, name), Some(value), "{name}");
    }
    assert_ne!(header(&answer, "request-id"), header(&answer, "client-request-id"));
    let server: Value = serde_json::from_str(header(&answer, "x-ms-ags-diagnostic").unwrap()).unwrap();
    for name in ["DataCenter", "Slice", "Ring", "ScaleUnit", "RoleInstance"] {
        assert!(server["ServerInfo"][name].is_string(), "{name}");
    }
    let refused = directory.answer(&ask("GET", &format!("/v1.0/groups/{UNKNOWN}"), None, &mine));
    let inner = &refused.body.as_ref().unwrap()["error"]["innerError"];
    assert_eq!(inner["client-request-id"], mine[0].1);
    assert_eq!(inner["request-id"].as_str(), header(&refused, "request-id"));
}

#[test]
fn what_is_made_is_told_by_its_place_in_the_directory() {
    let mut directory = directory();
    let group = json!({"displayName": "g", "mailEnabled": false, "mailNickname": "g", "securityEnabled": true});
    let user = json!({"accountEnabled": true, "displayName": "u", "mailNickname": "u", "userPrincipalName": "u@contoso.example",
        "passwordProfile": {"password": "never shown"}});
    let principal = json!({"appId": UNKNOWN});
    for (set, body, title) in [
        ("groups", group, "Group"),
        ("users", user, "User"),
        ("servicePrincipals", principal, "ServicePrincipal"),
    ] {
        let made = send(&mut directory, "POST", &format!("/v1.0/{set}"), body);
        let id = made.body.as_ref().unwrap()["id"].as_str().unwrap_or_default();
        assert_eq!(made.status, 201, "{:?}", made.body);
        assert_eq!(
            header(&made, "location").unwrap(),
            format!(
                "https://graph.microsoft.com/v2/{TENANT}/directoryObjects/{id}/Microsoft.DirectoryServices.{title}"
            )
        );
        assert!(!made.body.as_ref().unwrap().to_string().contains("never shown"));
    }
    let answer = send(
        &mut directory,
        "POST",
        "/v1.0/directoryObjects/getByIds",
        json!({"ids": [SHOP]}),
    );
    assert_eq!(header(&answer, "location"), Some("https://graph.microsoft.com"));
}

#[test]
fn groups_and_service_principals_show_the_members_that_were_recorded() {
    let mut directory = directory();
    let names = |answer: Answer| -> Vec<String> {
        let body = answer.body.unwrap();
        let keys = body.as_object().unwrap().keys();
        keys.filter(|key| !key.starts_with('@')).cloned().collect()
    };
    let group = names(get(&mut directory, &format!("/v1.0/groups/{ALL}")));
    for name in [
        "id",
        "deletedDateTime",
        "classification",
        "createdDateTime",
        "creationOptions",
        "description",
        "displayName",
        "expirationDateTime",
        "groupTypes",
        "isAssignableToRole",
        "mail",
        "mailEnabled",
        "mailNickname",
        "membershipRule",
        "membershipRuleProcessingState",
        "onPremisesDomainName",
        "onPremisesLastSyncDateTime",
        "onPremisesNetBiosName",
        "onPremisesSamAccountName",
        "onPremisesSecurityIdentifier",
        "onPremisesSyncEnabled",
        "preferredDataLocation",
        "preferredLanguage",
        "proxyAddresses",
        "renewedDateTime",
        "resourceBehaviorOptions",
        "resourceProvisioningOptions",
        "securityEnabled",
        "securityIdentifier",
        "theme",
        "visibility",
        "onPremisesProvisioningErrors",
        "isManagementRestricted",
        "uniqueName",
        "serviceProvisioningErrors",
    ] {
        assert!(group.iter().any(|own| own == name), "{name}");
    }
    let principal = names(get(&mut directory, &format!("/v1.0/servicePrincipals/{SHOP}")));
    assert_eq!(
        principal,
        [
            "id",
            "deletedDateTime",
            "accountEnabled",
            "alternativeNames",
            "appDisplayName",
            "appDescription",
            "appId",
            "applicationTemplateId",
            "appOwnerOrganizationId",
            "appRoleAssignmentRequired",
            "createdDateTime",
            "description",
            "disabledByMicrosoftStatus",
            "displayName",
            "homepage",
            "loginUrl",
            "logoutUrl",
            "notes",
            "notificationEmailAddresses",
            "preferredSingleSignOnMode",
            "preferredTokenSigningKeyThumbprint",
            "replyUrls",
            "servicePrincipalNames",
            "servicePrincipalType",
            "signInAudience",
            "tags",
            "tokenEncryptionKeyId",
            "samlSingleSignOnSettings",
            "verifiedPublisher",
            "addIns",
            "appRoles",
            "info",
            "keyCredentials",
            "oauth2PermissionScopes",
            "passwordCredentials",
            "resourceSpecificApplicationPermissions"
        ]
    );
    let body = get(&mut directory, &format!("/v1.0/servicePrincipals/{SHOP}"))
        .body
        .unwrap();
    assert_eq!(body["keyCredentials"].as_array().unwrap().len(), 1);
    assert!(
        body["servicePrincipalNames"][1]
            .as_str()
            .unwrap()
            .starts_with("https://identity.azure.net/")
    );
}

#[test]
fn members_and_owners_may_be_named_by_any_base_and_set() {
    let mut directory = directory();
    let url = format!("/v1.0/groups/{ALL}/members/$ref");
    for (name, id) in [
        (format!("http://127.0.0.1:7071/v1.0/servicePrincipals/{SHOP}"), SHOP),
        (format!("https://graph.microsoft.us/beta/users/{CASEY}"), CASEY),
    ] {
        let body = json!({"@odata.id": name});
        assert_eq!(send(&mut directory, "POST", &url, body.clone()).status, 204, "{id}");
        let again = refused(&send(&mut directory, "POST", &url, body));
        assert_eq!((again.0, again.1.as_str()), (400, "Request_BadRequest"));
    }
    let owners = format!("/v1.0/groups/{READERS}/owners/$ref");
    let twice = refused(&send(&mut directory, "POST", &owners, reference(CASEY)));
    assert_eq!(
        twice.2,
        "One or more added object references already exist for the following modified properties: 'owners'."
    );
}

#[test]
fn a_thousand_ids_are_read_at_once_and_no_more() {
    let mut directory = directory();
    let ask = |directory: &mut Directory, count: usize| {
        let ids: Vec<String> = (0..count)
            .map(|n| format!("{n:08x}-0000-4000-8000-000000000000"))
            .collect();
        send(
            directory,
            "POST",
            "/v1.0/directoryObjects/getByIds",
            json!({ "ids": ids }),
        )
    };
    let found = ask(&mut directory, 1000);
    assert_eq!((found.status, found.body.unwrap()["value"].clone()), (200, json!([])));
    assert_eq!(ask(&mut directory, 1001).status, 400);
}

#[test]
fn only_users_ask_for_security_groups_alone() {
    let mut directory = directory();
    let ask = |directory: &mut Directory, of: String| {
        send(directory, "POST", &of, json!({"securityEnabledOnly": true})).status
    };
    assert_eq!(ask(&mut directory, format!("/v1.0/users/{CASEY}/getMemberGroups")), 200);
    assert_eq!(
        ask(
            &mut directory,
            format!("/v1.0/servicePrincipals/{SHOP}/getMemberGroups")
        ),
        400
    );
}
