//! What people and clients see of the simulated directory, request by request.

mod app_roles;
mod batches;
mod governance;
mod groups;
mod headers;
mod lists;
mod round_trip;
mod schedules;
mod service_principals;

use http::{HeaderMap, HeaderName, Method};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;

use super::Directory;
use crate::sim::front::{Answer, Ask, Caller};

pub(super) const TENANT: &str = "11111111-1111-4111-8111-111111111111";
pub(super) const SHOP: &str = "33333333-3333-4333-8333-333333333333";
pub(super) const SHOP_APP: &str = "44444444-4444-4444-8444-444444444444";
pub(super) const CASEY: &str = "55555555-5555-4555-8555-555555555555";
pub(super) const READERS: &str = "77777777-7777-4777-8777-777777777777";
pub(super) const ALL: &str = "88888888-8888-4888-8888-888888888888";
pub(super) const DYNAMIC: &str = "99999999-9999-4999-8999-999999999999";
pub(super) const GRAPH: &str = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
pub(super) const APP: &str = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb";
pub(super) const ROLE: &str = "cccccccc-cccc-4ccc-8ccc-cccccccccccc";
pub(super) const PRIVILEGED: &str = "dddddddd-dddd-4ddd-8ddd-dddddddddddd";
pub(super) const SYNCED: &str = "eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee";
pub(super) const DIRECTORY_READERS: &str = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b";
pub(super) const APP_ROLE: &str = "12345678-1234-4234-8234-123456789012";
pub(super) const UNKNOWN: &str = "00000000-0000-4000-8000-00000000000f";
pub(super) const NOW: OffsetDateTime = datetime!(2026-03-01 12:00:00 UTC);
pub(super) const RESOURCE: &str = "/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/rg-shop/providers/\
                                   Microsoft.ManagedIdentity/userAssignedIdentities/id-shop";

/// A tenant with a group in a group, a dynamic one, a synchronised one, a role-assignable one, and one app role.
pub(super) fn estate() -> Value {
    json!({
        "users": [{"id": CASEY, "displayName": "Casey", "userPrincipalName": "casey@contoso.example", "city": "Delft"}],
        "groups": [
            {"id": READERS, "displayName": "shop-readers", "mailEnabled": false, "mailNickname": "shop",
             "securityEnabled": true, "groupTypes": [], "members": [SHOP, CASEY], "owners": [CASEY]},
            {"id": ALL, "displayName": "all", "members": [READERS], "owners": [SHOP]},
            {"id": DYNAMIC, "displayName": "dynamic", "groupTypes": ["DynamicMembership"], "members": [CASEY]},
            {"id": PRIVILEGED, "displayName": "privileged", "isAssignableToRole": true, "members": [CASEY]},
            {"id": SYNCED, "displayName": "synced", "onPremisesSyncEnabled": true},
        ],
        "servicePrincipals": [
            {"id": GRAPH, "appId": "00000003-0000-0000-c000-000000000000", "displayName": "Microsoft Graph",
             "appRoles": [{"id": APP_ROLE, "value": "User.Read.All"}]},
        ],
        "applications": [{"id": APP, "appId": UNKNOWN, "displayName": "shop", "federatedIdentityCredentials": [
            {"name": "mi", "issuer": "https://login.microsoftonline.com/x/v2.0", "subject": SHOP,
             "audiences": ["api://AzureADTokenExchange"]}]}],
        "directoryRoles": [{"id": ROLE, "displayName": "Directory Readers", "roleTemplateId": DIRECTORY_READERS,
                            "members": [SHOP]}],
        "appRoleAssignments": [{"id": "assignment-1", "principalId": SHOP, "resourceId": GRAPH, "appRoleId": APP_ROLE}],
        "roleManagement": [],
        "signIns": [
            {"id": "s1", "servicePrincipalId": SHOP, "createdDateTime": "2026-02-01T10:00:00Z",
             "signInEventTypes": ["managedIdentity"]},
            {"id": "s2", "servicePrincipalId": SHOP, "createdDateTime": "2026-02-20T10:00:00Z",
             "signInEventTypes": ["managedIdentity"]},
        ],
    })
}

/// The tenant with its one identity.
pub(super) fn directory() -> Directory {
    let mut directory = Directory::load(&estate(), TENANT).unwrap();
    directory.identity_created("id-shop", SHOP, SHOP_APP, RESOURCE, None);
    directory
}

/// A request as the server would hand it over.
pub(super) fn ask(method: &str, url: &str, body: Option<Value>, headers: &[(&str, &str)]) -> Ask {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    Ask {
        method: method.parse::<Method>().unwrap(),
        path: path.to_owned(),
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: map,
        body,
        base: "http://127.0.0.1:9".to_owned(),
        caller: Caller {
            principal: "0f0f0f0f-0f0f-4f0f-8f0f-0f0f0f0f0f0f".to_owned(),
            app_id: None,
            audience: "https://graph.microsoft.com".to_owned(),
        },
        now: NOW,
    }
}

pub(super) fn get(directory: &mut Directory, url: &str) -> Answer {
    directory.answer(&ask("GET", url, None, &[]))
}

/// A GET with what advanced queries need.
pub(super) fn get_eventual(directory: &mut Directory, url: &str) -> Answer {
    directory.answer(&ask("GET", url, None, &[("ConsistencyLevel", "eventual")]))
}

pub(super) fn send(directory: &mut Directory, method: &str, url: &str, body: Value) -> Answer {
    let body = (!body.is_null()).then_some(body);
    directory.answer(&ask(method, url, body, &[]))
}

pub(super) fn reference(id: &str) -> Value {
    json!({"@odata.id": format!("https://graph.microsoft.com/v1.0/directoryObjects/{id}")})
}

pub(super) fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let mut headers = answer.headers.iter();
    headers.find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// The ids of a list's rows.
pub(super) fn ids(answer: &Answer) -> Vec<String> {
    let body = answer.body.as_ref().unwrap_or(&Value::Null);
    assert_eq!(answer.status, 200, "{body}");
    let rows = body["value"].as_array().unwrap();
    rows.iter()
        .map(|row| {
            row.get("id")
                .and_then(Value::as_str)
                .or(row.as_str())
                .unwrap_or("")
                .to_owned()
        })
        .collect()
}

/// Status, code and message of a refusal.
pub(super) fn refused(answer: &Answer) -> (u16, String, String) {
    let error = &answer.body.as_ref().unwrap()["error"];
    let text = |name: &str| error[name].as_str().unwrap().to_owned();
    (answer.status, text("code"), text("message"))
}
