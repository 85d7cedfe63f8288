//! The identity block of resources: what is put on, what is taken off, what is refused.

use serde_json::json;

use super::*;

fn site() -> String {
    format!("{RG}/providers/Microsoft.Web/sites/app?api-version=2023-12-01")
}

fn id(name: &str) -> String {
    format!("{RG}/{MSI}/{name}")
}

fn user(keys: &[&str]) -> Value {
    let map: serde_json::Map<String, Value> = keys.iter().map(|key| (id(key), json!({}))).collect();
    json!({"type": "UserAssigned", "userAssignedIdentities": map})
}

fn keys(body: &Value) -> Vec<String> {
    let map = body
        .pointer("/identity/userAssignedIdentities")
        .and_then(Value::as_object);
    map.into_iter().flatten().map(|(key, _)| key.clone()).collect()
}

async fn shop_with(names: &[&str]) -> Sim {
    let sim = Sim::new(shop()).await;
    for name in names {
        assert_eq!(
            sim.put(&identity(name), json!({"location": "eastus"})).await.status,
            201
        );
    }
    sim
}

#[tokio::test]
async fn an_identity_is_swapped_in_one_patch_that_adds_and_removes() {
    let sim = shop_with(&["id-new"]).await;
    let mut swap = user(&["id-new"]);
    swap["userAssignedIdentities"][id("ID-SHOP")] = Value::Null;
    let swapped = sim.patch(&site(), json!({ "identity": swap })).await;
    assert_eq!(swapped.status, 200, "{:?}", swapped.body);
    assert_eq!(keys(&swapped.body), [id("id-new")]);
    let values = &swapped.body["identity"]["userAssignedIdentities"][id("id-new")];
    assert!(values["principalId"].is_string() && values["clientId"].is_string());
}

#[tokio::test]
async fn a_put_replaces_the_whole_map_and_keeps_it_where_no_block_is_sent() {
    let sim = shop_with(&["id-new"]).await;
    let kept = sim.put(&site(), json!({"location": "eastus", "properties": {}})).await;
    assert_eq!(keys(&kept.body).len(), 1);
    let replaced = sim
        .put(&site(), json!({"location": "eastus", "identity": user(&["id-new"])}))
        .await;
    assert_eq!(keys(&replaced.body), [id("id-new")]);
}

#[tokio::test]
async fn the_last_identity_goes_with_its_type_and_not_without() {
    let sim = shop_with(&[]).await;
    let last = json!({id("id-shop"): null});
    for refused in [
        json!({"type": "UserAssigned", "userAssignedIdentities": last.clone()}),
        json!({"type": "UserAssigned", "userAssignedIdentities": null}),
        json!({"type": "UserAssigned", "userAssignedIdentities": "all"}),
        json!({"type": "None", "userAssignedIdentities": {id("id-shop"): {}}}),
        json!({"type": "Everything"}),
    ] {
        let reply = sim.patch(&site(), json!({ "identity": refused })).await;
        assert_eq!(reply.status, 400, "{refused}: {:?}", reply.body);
    }
    assert_eq!(keys(&sim.get(&site()).await.body).len(), 1);
    let gone = sim.patch(&site(), json!({"identity": {"type": "None"}})).await;
    assert_eq!((gone.status, gone.body.get("identity")), (200, None));
}

#[tokio::test]
async fn both_spellings_of_the_combined_type_are_understood_and_each_service_answers_its_own() {
    let sim = shop_with(&[]).await;
    let account = format!("{RG}/providers/Microsoft.Storage/storageAccounts/stshop?api-version=2023-05-01");
    for (path, own) in [
        (site(), "SystemAssigned, UserAssigned"),
        (account, "SystemAssigned,UserAssigned"),
    ] {
        for sent in [
            "SystemAssigned, UserAssigned",
            "SystemAssigned,UserAssigned",
            "systemassigned,userassigned",
        ] {
            let mut block = user(&["id-shop"]);
            block["type"] = json!(sent);
            let body =
                json!({"location": "eastus", "identity": block, "kind": "StorageV2", "sku": {"name": "Standard_LRS"}});
            sim.put(&path, body).await;
            assert_eq!(sim.get(&path).await.body["identity"]["type"], own, "{sent}");
        }
    }
}

#[tokio::test]
async fn read_only_parts_are_ignored_where_they_are_sent_back_and_refused_by_those_who_do() {
    let sim = shop_with(&[]).await;
    let mut block = sim.get(&site()).await.body["identity"].clone();
    let key = keys(&json!({ "identity": block }))[0].clone();
    block["userAssignedIdentities"][&key] = json!({"principalId": "11111111-1111-4111-8111-111111111119"});
    block["tenantId"] = json!("elsewhere");
    let echoed = sim.patch(&site(), json!({ "identity": block })).await;
    assert_eq!(echoed.status, 200, "{:?}", echoed.body);
    assert_eq!(
        echoed.body["identity"]["userAssignedIdentities"][&key]["principalId"],
        OLD
    );
    let cluster = format!("{RG}/providers/Microsoft.HDInsight/clusters/hd?api-version=2021-06-01");
    let strict = sim
        .put(&cluster, json!({"location": "eastus", "identity": block}))
        .await;
    assert_eq!((strict.status, strict.code()), (400, "InvalidRequestContent"));
}

#[tokio::test]
async fn ids_are_spelled_as_each_service_spells_them() {
    let sim = shop_with(&[]).await;
    let app = format!("{RG}/providers/Microsoft.App/containerApps/ca?api-version=2024-03-01");
    let body = json!({"location": "eastus", "identity": user(&["id-shop"]), "properties": {}});
    sim.put(&app, body).await;
    let shown = keys(&sim.get(&app).await.body);
    assert_eq!(shown, [id("id-shop").replace("resourceGroups", "resourcegroups")]);
    // The key that was shown, and any other spelling, takes it off again.
    let vm = format!("{RG}/providers/Microsoft.Compute/virtualMachines/vm?api-version=2024-03-01");
    sim.put(&vm, json!({"location": "eastus", "identity": user(&["id-shop"])}))
        .await;
    assert_eq!(keys(&sim.get(&vm).await.body), [id("id-shop")]);
    for (path, key) in [
        (app, shown[0].clone()),
        (
            vm,
            id("id-shop")
                .to_uppercase()
                .replacen("/SUBSCRIPTIONS", "/subscriptions", 1),
        ),
    ] {
        let off = json!({"identity": {"type": "None", "userAssignedIdentities": {key: null}}});
        let reply = sim.patch(&path, off).await;
        assert!(reply.status < 300, "{:?}", reply.body);
        assert!(sim.get(&path).await.body.get("identity").is_none());
    }
}

#[tokio::test]
async fn types_take_what_they_take_and_no_more() {
    let sim = shop_with(&["id-new"]).await;
    let put = |kind: &str, version: &str, block: Value| {
        let path = format!("{RG}/providers/{kind}/one?api-version={version}");
        let sim = &sim;
        async move { sim.put(&path, json!({"location": "eastus", "identity": block})).await }
    };
    let both = json!({"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": {id("id-shop"): {}}});
    let two = user(&["id-shop", "id-new"]);
    let system = json!({"type": "SystemAssigned"});
    let refused = [
        ("Microsoft.Network/applicationGateways", "2024-05-01", two.clone()),
        ("Microsoft.SignalRService/signalR", "2024-03-01", both.clone()),
        ("Microsoft.Logic/workflows", "2019-05-01", both),
        ("Microsoft.DBforMySQL/flexibleServers", "2023-12-30", system),
        ("Microsoft.IoTCentral/iotApps", "2021-06-01", user(&["id-shop"])),
    ];
    for (kind, version, block) in refused {
        let reply = put(kind, version, block).await;
        assert_eq!(
            (reply.status, reply.code()),
            (400, "InvalidIdentityValues"),
            "{kind}: {:?}",
            reply.body
        );
    }
    assert_eq!(
        put("Microsoft.Network/applicationGateways", "2024-05-01", user(&["id-new"]))
            .await
            .status,
        201
    );
}

#[tokio::test]
async fn an_identity_in_use_is_held_by_whichever_of_its_ids_names_it() {
    let sim = shop_with(&["id-new"]).await;
    let client = sim.get(&identity("id-shop")).await.body["properties"]["clientId"].clone();
    let stores = [
        (
            "Microsoft.AppConfiguration/configurationStores/cs?api-version=2024-05-01",
            json!({"encryption": {"keyVaultProperties": {"identityClientId": client}}}),
        ),
        (
            "Microsoft.DocumentDB/databaseAccounts/db-shop?api-version=2024-08-15",
            json!({"defaultIdentity": format!("UserAssignedIdentity={}", id("id-shop"))}),
        ),
        (
            "Microsoft.ServiceBus/namespaces/sb?api-version=2024-01-01",
            json!({"encryption": {"keyVaultProperties": [{"identity": {"userAssignedIdentity": id("ID-shop")}}]}}),
        ),
    ];
    for (path, properties) in stores {
        let path = format!("{RG}/providers/{path}");
        let made = sim
            .put(
                &path,
                json!({"location": "eastus", "identity": user(&["id-shop", "id-new"]), "properties": properties}),
            )
            .await;
        assert!(made.status < 300, "{path}: {:?}", made.body);
        let off = json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {id("id-shop"): null}}});
        let refused = sim.patch(&path, off).await;
        assert_eq!(
            (refused.status, refused.code()),
            (400, "UserAssignedIdentityInUse"),
            "{path}: {:?}",
            refused.body
        );
    }
}

#[tokio::test]
async fn what_encrypts_must_be_on_the_resource_and_be_an_identity() {
    let sim = shop_with(&["id-new"]).await;
    let path = format!("{RG}/providers/Microsoft.Storage/storageAccounts/stshop?api-version=2023-05-01");
    let encrypted = |id: String| json!({"properties": {"encryption": {"identity": {"userAssignedIdentity": id}}}});
    let body = json!({"location": "eastus", "identity": user(&["id-shop"]), "kind": "StorageV2", "sku": {"name": "Standard_LRS"}});
    sim.put(&path, body).await;
    let other = sim.patch(&path, encrypted(id("id-new"))).await;
    assert_eq!(
        (other.status, other.code()),
        (400, "UserAssignedIdentityNotAssigned"),
        "{:?}",
        other.body
    );
    let broken = sim.patch(&path, encrypted(format!("{RG}/{MSI}"))).await;
    assert_eq!(
        (broken.status, broken.code()),
        (400, "LinkedInvalidPropertyId"),
        "{:?}",
        broken.body
    );
    assert_eq!(sim.patch(&path, encrypted(id("id-shop"))).await.status, 200);
}

#[tokio::test]
async fn an_identity_that_is_no_more_is_told_of_by_the_write_that_keeps_it_and_the_write_that_sends_it() {
    let sim = shop_with(&["id-new"]).await;
    sim.delete(&identity("id-shop")).await;
    let kept = sim.patch(&site(), json!({"tags": {"a": "b"}})).await;
    assert_eq!((kept.status, kept.code()), (400, "FailedIdentityOperation"));
    assert!(kept.message().contains("was not found"), "{}", kept.message());
    let sent = sim
        .patch(&site(), json!({"identity": user(&["id-shop", "id-new"])}))
        .await;
    assert_eq!((sent.status, sent.code()), (403, "LinkedAuthorizationFailed"));
    assert!(
        sent.message().contains("or the linked scope(s) are invalid"),
        "{}",
        sent.message()
    );
    // Made again under its name it is another principal, and the resource can be written again.
    sim.put(&identity("id-shop"), json!({"location": "eastus"})).await;
    let again = sim.patch(&site(), json!({"identity": user(&["id-shop"])})).await;
    assert_eq!(again.status, 200, "{:?}", again.body);
    let principal = &again.body["identity"]["userAssignedIdentities"]
        .as_object()
        .unwrap()
        .values()
        .next()
        .unwrap()["principalId"];
    assert_ne!(principal, OLD);
}

#[tokio::test]
async fn a_system_assigned_identity_comes_and_goes_with_its_service_principal() {
    let sim = shop_with(&[]).await;
    let own = format!(
        "{RG}/providers/Microsoft.Web/sites/app/providers/Microsoft.ManagedIdentity/identities/default?api-version=2023-01-31"
    );
    assert_eq!(sim.get(&own).await.status, 404);
    let on = sim
        .patch(&site(), json!({"identity": {"type": "SystemAssigned, UserAssigned"}}))
        .await;
    let principal = on.body["identity"]["principalId"].as_str().unwrap().to_owned();
    assert_eq!(keys(&on.body).len(), 1);
    let shown = sim.get(&own).await;
    assert_eq!(
        (shown.status, &shown.body["name"]),
        (200, &json!("default")),
        "{:?}",
        shown.body
    );
    assert_eq!(shown.body["type"], "Microsoft.ManagedIdentity/identities");
    assert_eq!(shown.body["properties"]["principalId"], json!(principal));
    let sp = sim.get(&format!("/v1.0/servicePrincipals/{principal}")).await;
    assert_eq!(sp.body["alternativeNames"][0], "isExplicit=False");
    assert_eq!(sp.body["displayName"], "app");
    assert_eq!(sp.body["appId"], shown.body["properties"]["clientId"]);
    let again = sim
        .patch(&site(), json!({"identity": {"type": "SystemAssigned"}}))
        .await;
    assert_eq!(again.body["identity"]["principalId"], json!(principal));
    assert!(keys(&again.body).is_empty());
    sim.patch(&site(), json!({"identity": {"type": "None"}})).await;
    assert_eq!(
        sim.get(&format!("/v1.0/servicePrincipals/{principal}")).await.status,
        404
    );
    let other = sim
        .patch(&site(), json!({"identity": {"type": "SystemAssigned"}}))
        .await;
    assert_ne!(other.body["identity"]["principalId"], json!(principal));
    let principal = other.body["identity"]["principalId"].as_str().unwrap().to_owned();
    sim.delete(&site()).await;
    assert_eq!(
        sim.get(&format!("/v1.0/servicePrincipals/{principal}")).await.status,
        404
    );
}

#[tokio::test]
async fn an_identity_says_itself_where_it_may_be_used() {
    let sim = shop_with(&[]).await;
    let path = identity("id-vm").replace("2024-11-30", "2025-05-31-preview");
    let body =
        json!({"location": "eastus", "properties": {"assignmentRestrictions": {"providers": ["microsoft.compute"]}}});
    let made = sim.put(&path, body).await;
    assert_eq!(
        made.body["properties"]["assignmentRestrictions"]["providers"],
        json!(["microsoft.compute"])
    );
    assert!(
        sim.get(&identity("id-vm")).await.body["properties"]
            .get("assignmentRestrictions")
            .is_none()
    );
    let refused = sim.patch(&site(), json!({"identity": user(&["id-vm"])})).await;
    assert_eq!((refused.status, refused.code()), (400, "IdentityAssignmentRestricted"));
    let vm = format!("{RG}/providers/Microsoft.Compute/virtualMachines/vm?api-version=2024-03-01");
    assert_eq!(
        sim.put(&vm, json!({"location": "eastus", "identity": user(&["id-vm"])}))
            .await
            .status,
        201
    );
    // An api-version that does not know a property does not set it.
    let old = identity("id-old").replace("2024-11-30", "2023-01-31");
    sim.put(
        &old,
        json!({"location": "eastus", "properties": {"isolationScope": "Regional"}}),
    )
    .await;
    assert_eq!(
        sim.get(&identity("id-old")).await.body["properties"]["isolationScope"],
        "None"
    );
}

#[tokio::test]
async fn resources_that_patch_by_tags_keep_their_block() {
    let sim = shop_with(&["id-new"]).await;
    for (kind, version) in [
        ("Microsoft.ContainerInstance/containerGroups", "2023-05-01"),
        ("Microsoft.Devices/IotHubs", "2023-06-30"),
        ("Microsoft.Network/firewallPolicies", "2024-05-01"),
        ("Microsoft.Compute/galleries", "2024-03-03"),
    ] {
        let path = format!("{RG}/providers/{kind}/one?api-version={version}");
        let made = sim
            .put(&path, json!({"location": "eastus", "identity": user(&["id-shop"])}))
            .await;
        assert!(made.status < 300, "{kind}: {:?}", made.body);
        let patched = sim
            .patch(&path, json!({"tags": {"a": "b"}, "identity": user(&["id-new"])}))
            .await;
        assert!(patched.status < 300, "{kind}: {:?}", patched.body);
        let now = sim.get(&path).await;
        assert_eq!(
            (keys(&now.body), &now.body["tags"]),
            (vec![id("id-shop")], &json!({"a": "b"})),
            "{kind}"
        );
    }
}
