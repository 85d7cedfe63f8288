//! What Resource Manager refuses, in its words.

use super::*;

#[tokio::test]
async fn what_is_not_there_is_told_level_by_level() {
    let sim = Sim::new(shop()).await;
    let other = "/subscriptions/00000000-0000-4000-8000-000000000000";
    for (path, status, code, message) in [
        (
            format!("{other}/resourceGroups/rg?api-version=2021-04-01"),
            404,
            "SubscriptionNotFound",
            "The subscription '00000000-0000-4000-8000-000000000000' could not be found.".to_owned(),
        ),
        (
            format!("{SUB}/resourceGroups/rg-none?api-version=2021-04-01"),
            404,
            "ResourceGroupNotFound",
            "Resource group 'rg-none' could not be found.".to_owned(),
        ),
        (
            format!("{SUB}/resourceGroups/rg-none/{MSI}/id?api-version=2024-11-30"),
            404,
            "ResourceGroupNotFound",
            "Resource group 'rg-none' could not be found.".to_owned(),
        ),
        (
            identity("id-none"),
            404,
            "ResourceNotFound",
            "The Resource 'Microsoft.ManagedIdentity/userAssignedIdentities/id-none' under resource group 'rg-shop' was not \
             found. For more details please go to https://aka.ms/ARMResourceNotFoundFix"
                .to_owned(),
        ),
    ] {
        let reply = sim.get(&path).await;
        assert_eq!((reply.status, reply.code(), reply.message()), (status, code, message.as_str()), "{path}");
    }
    let child = format!("{RG}/providers/Microsoft.Web/sites/none/config/web?api-version=2023-12-01");
    let reply = sim.put(&child, json!({"properties": {}})).await;
    assert_eq!((reply.status, reply.code()), (404, "ParentResourceNotFound"));
    assert_eq!(
        reply.message(),
        "Can not perform requested operation on nested resource. Parent resource 'none' not found."
    );
}

#[tokio::test]
async fn locations_are_known_given_and_fixed() {
    let sim = Sim::new(shop()).await;
    let vault = format!("{RG}/providers/Microsoft.KeyVault/vaults/kv?api-version=2023-07-01");
    let moved = sim
        .put(&vault, json!({"location": "West Europe", "properties": {}}))
        .await;
    assert_eq!((moved.status, moved.code()), (409, "InvalidResourceLocation"));
    assert_eq!(
        moved.message(),
        "The resource 'kv' already exists in location 'eastus' in resource group 'rg-shop'. A resource with the same name \
         cannot be created in location 'westeurope'. Please select a new resource name."
    );
    let same = sim.put(&vault, json!({"location": "East US", "properties": {}})).await;
    assert_eq!(same.status, 200, "{:?}", same.body);
    let nowhere = sim.put(&identity("id-new"), json!({})).await;
    assert_eq!((nowhere.status, nowhere.code()), (400, "LocationRequired"));
    let moon = sim.put(&identity("id-new"), json!({"location": "moon"})).await;
    assert_eq!((moon.status, moon.code()), (400, "LocationNotAvailableForResourceType"));
    let start = "The provided location 'moon' is not available for resource type \
                 'Microsoft.ManagedIdentity/userAssignedIdentities'. List of available regions for the resource type is '";
    assert!(moon.message().starts_with(start), "{}", moon.message());
    assert!(!moon.message()[start.len()..].contains(", "));
    let group = format!("{RG}?api-version=2021-04-01");
    let moved = sim.put(&group, json!({"location": "West Europe"})).await;
    assert_eq!(
        (moved.status, moved.message()),
        (
            409,
            "Invalid resource group location 'westeurope'. The Resource group already exists in location 'eastus'."
        )
    );
}

#[tokio::test]
async fn a_body_that_is_none_is_refused() {
    let sim = Sim::new(shop()).await;
    let none = sim.send("PUT", &identity("id-new"), None).await;
    assert_eq!((none.status, none.code()), (400, "InvalidRequestContent"));
    assert!(
        none.message()
            .starts_with("The request content was invalid and could not be deserialized: '")
    );
}

#[tokio::test]
async fn a_namespace_must_be_registered_and_can_be() {
    let sim = Sim::new(shop()).await;
    let provider = |word: &str| format!("{SUB}/providers/Microsoft.ManagedIdentity{word}?api-version=2021-04-01");
    let state = async || sim.get(&provider("")).await.body["registrationState"].clone();
    assert_eq!(state().await, "Registered");
    assert_eq!(sim.send("POST", &provider("/unregister"), None).await.status, 200);
    assert_eq!(state().await, "NotRegistered");
    let refused = sim.put(&identity("id-new"), json!({"location": "eastus"})).await;
    assert_eq!(
        (refused.status, refused.code()),
        (409, "MissingSubscriptionRegistration")
    );
    assert_eq!(
        refused.message(),
        "The subscription is not registered to use namespace 'Microsoft.ManagedIdentity'. See https://aka.ms/rps-not-found \
         for how to register subscriptions."
    );
    assert_eq!(sim.get(&identity("id-shop")).await.status, 200);
    assert_eq!(sim.send("POST", &provider("/register"), None).await.status, 200);
    assert_eq!(
        sim.put(&identity("id-new"), json!({"location": "eastus"})).await.status,
        201
    );
    let free = sim.get(&provider("").replace("ManagedIdentity", "Authorization")).await;
    assert_eq!(free.body["registrationPolicy"], "RegistrationFree");
}

#[tokio::test]
async fn a_registration_takes_its_time() {
    let sim = Sim::with(Options {
        estate: shop(),
        lag: Some(Duration::from_mins(1)),
        ..Options::default()
    })
    .await;
    let provider = |word: &str| format!("{SUB}/providers/Microsoft.Web/{word}?api-version=2021-04-01");
    let gone = sim.send("POST", &provider("unregister"), None).await;
    assert_eq!(gone.body["registrationState"], "Unregistering");
    let back = sim.send("POST", &provider("register"), None).await;
    assert_eq!(back.body["registrationState"], "Registering");
}

#[tokio::test]
async fn a_disabled_subscription_can_be_read_and_deleted_only() {
    let mut estate = shop();
    estate["arm"]["resources"][0]["state"] = json!("Disabled");
    let sim = Sim::new(estate).await;
    assert_eq!(sim.get(&identity("id-shop")).await.status, 200);
    for reply in [
        sim.put(&identity("id-new"), json!({"location": "eastus"})).await,
        sim.patch(&identity("id-shop"), json!({"tags": {}})).await,
        sim.put(&format!("{RG}?api-version=2021-04-01"), json!({"location": "eastus"}))
            .await,
        sim.put(
            &assignment(RG, 1),
            grant(READER, "55555555-5555-4555-8555-555555555555", None),
        )
        .await,
    ] {
        assert_eq!(
            (reply.status, reply.code()),
            (409, "ReadOnlyDisabledSubscription"),
            "{:?}",
            reply.body
        );
    }
    assert_eq!(sim.delete(&identity("id-shop")).await.status, 200);
}

#[tokio::test]
async fn tags_have_their_bounds() {
    let sim = Sim::new(shop()).await;
    let send = async |tags: Value| sim.patch(&identity("id-shop"), json!({ "tags": tags })).await;
    let many = |count: usize| -> Value { (0..count).map(|n| (format!("t{n}"), json!("x"))).collect() };
    assert_eq!(send(many(50)).await.status, 200);
    assert_eq!(send(many(51)).await.code(), "TooManyTags");
    assert_eq!(send(json!({"k".repeat(512): "v".repeat(256)})).await.status, 200);
    assert_eq!(send(json!({"k".repeat(513): ""})).await.code(), "InvalidTagNameLength");
    assert_eq!(
        send(json!({"k": "v".repeat(257)})).await.code(),
        "InvalidTagValueLength"
    );
    assert_eq!(send(json!({"a<b": ""})).await.code(), "InvalidTagNameCharacters");
    let storage = format!("{RG}/providers/Microsoft.Storage/storageAccounts/stshop?api-version=2023-05-01");
    let tag = |length: usize| json!({"location": "eastus", "tags": {"k".repeat(length): ""}});
    assert_eq!(sim.put(&storage, tag(129)).await.code(), "InvalidTagNameLength");
}

#[tokio::test]
async fn the_tags_of_a_thing_are_replaced_merged_and_taken_away() {
    let sim = Sim::new(shop()).await;
    for scope in [SUB.to_owned(), RG.to_owned(), format!("{RG}/{MSI}/id-shop")] {
        let path = format!("{scope}/providers/Microsoft.Resources/tags/default?api-version=2021-04-01");
        let body = |tags: Value| json!({"properties": {"tags": tags}});
        let put = sim.put(&path, body(json!({"Team": "shop", "env": "prod"}))).await;
        assert_eq!(put.status, 200, "{scope} {:?}", put.body);
        assert_eq!(
            (&put.body["name"], &put.body["type"]),
            (&json!("default"), &json!("Microsoft.Resources/tags"))
        );
        let change = |operation: &str, tags: Value| json!({"operation": operation, "properties": {"tags": tags}});
        let merged = sim
            .patch(&path, change("Merge", json!({"TEAM": "ops", "x": "1"})))
            .await;
        assert_eq!(
            merged.body["properties"]["tags"],
            json!({"Team": "ops", "env": "prod", "x": "1"})
        );
        let less = sim
            .patch(&path, change("Delete", json!({"ENV": "prod", "x": "2"})))
            .await;
        assert_eq!(less.body["properties"]["tags"], json!({"Team": "ops", "x": "1"}));
        let new = sim.patch(&path, change("Replace", json!({"a": "b"}))).await;
        assert_eq!(new.body["properties"]["tags"], json!({"a": "b"}));
        assert_eq!(sim.get(&path).await.body["properties"]["tags"], json!({"a": "b"}));
        assert_eq!(sim.delete(&path).await.status, 200);
        assert_eq!(sim.delete(&path).await.status, 204);
        assert_eq!(sim.patch(&path, change("Forget", json!({}))).await.status, 400);
    }
}
