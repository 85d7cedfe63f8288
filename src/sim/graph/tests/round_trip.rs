//! What no request wrote comes back value by value.

use proptest::prelude::*;
use serde_json::Map;

use super::*;

#[test]
fn the_estate_comes_back_with_identities_but_without_what_they_imply() {
    assert_eq!(directory().save(), estate());
    assert_eq!(directory().save().to_string(), estate().to_string());
    assert_eq!(Directory::load(&Value::Null, TENANT).unwrap().save(), Value::Null);
}

#[test]
fn an_estate_that_is_no_object_of_arrays_is_refused_in_words() {
    for wrong in [json!([]), json!({"groups": {}}), json!({"groups": [1]})] {
        assert!(Directory::load(&wrong, TENANT).is_err(), "{wrong}");
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-zA-Z0-9é'/ -]{0,12}".prop_map(Value::from),
        Just(json!(SHOP)),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name(), inner), 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z@.]{1,8}",
        prop::sample::select(vec![
            "id",
            "members",
            "owners",
            "displayName",
            "appId",
            "roleTemplateId",
            "principalId"
        ])
        .prop_map(str::to_owned),
    ]
}

fn document() -> impl Strategy<Value = Value> {
    prop::collection::vec((name(), value()), 0..6).prop_map(|members| members.into_iter().collect::<Value>())
}

fn graph() -> impl Strategy<Value = Value> {
    let keys = vec![
        "users",
        "groups",
        "servicePrincipals",
        "applications",
        "directoryRoles",
        "appRoleAssignments",
        "roleManagement",
        "signIns",
        "oauth2PermissionGrants",
        "roleDefinitions",
        "other",
    ];
    let section = prop::collection::vec(document(), 0..5).prop_map(Value::from);
    prop::collection::vec((prop::sample::select(keys), section), 0..8).prop_map(|sections| {
        let map: Map<String, Value> = sections
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        Value::Object(map)
    })
}

proptest! {
    #[test]
    fn any_documents_come_back_as_they_were(graph in graph()) {
        let mut directory = Directory::load(&graph, TENANT).unwrap();
        for url in [
            "/v1.0/groups", "/beta/users", "/v1.0/servicePrincipals", "/v1.0/applications", "/v1.0/directoryRoles",
            "/v1.0/oauth2PermissionGrants", "/v1.0/roleManagement/directory/roleAssignments",
            "/v1.0/auditLogs/signIns", "/v1.0/roleManagement/directory/roleDefinitions",
        ] {
            prop_assert_eq!(get(&mut directory, url).status, 200, "{}", url);
        }
        directory.identity_created("id", UNKNOWN, SHOP_APP, RESOURCE, None);
        prop_assert_eq!(directory.save().to_string(), graph.to_string());
    }
}
