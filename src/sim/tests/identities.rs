use std::time::Duration;

use serde_json::json;

use super::*;

#[tokio::test]
async fn a_new_identity_is_answered_as_its_provider_does() {
    let sim = Sim::new(shop()).await;
    let made = sim.put(&identity("id-new"), json!({"location": "West Europe"})).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    let id = format!("{}/{MSI}/id-new", RG.replace("resourceGroups", "resourcegroups"));
    assert_eq!(made.header("location"), Some(id.as_str()));
    assert_eq!(made.body["id"], json!(id));
    assert_eq!(made.body["tags"], json!({}));
    assert_eq!(made.body["location"], "westeurope");
    assert_eq!(made.body["properties"]["isolationScope"], "None");
    let keys: Vec<&String> = made.body.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["location", "tags", "id", "name", "type", "properties"]);
    let again = sim
        .put(
            &identity("ID-NEW"),
            json!({"location": "westeurope", "tags": {"a": "b"}}),
        )
        .await;
    assert_eq!(again.status, 200);
    assert_eq!(
        again.body["properties"]["principalId"],
        made.body["properties"]["principalId"]
    );
    let old = sim.get(&identity("id-new").replace("2024-11-30", "2023-01-31")).await;
    assert!(old.body["properties"].get("isolationScope").is_none());
    let moved = sim.put(&identity("id-new"), json!({"location": "eastus"})).await;
    assert_eq!((moved.status, moved.code()), (409, "InvalidResourceLocation"));
    let patched = sim.patch(&identity("id-new"), json!({"tags": {"c": "d"}})).await;
    assert_eq!(patched.body["tags"], json!({"c": "d"}));
}

#[tokio::test]
async fn deleting_an_identity_leaves_what_names_it() {
    let sim = Sim::new(shop()).await;
    let gone = sim.delete(&identity("id-shop")).await;
    assert_eq!((gone.status, gone.header("content-length")), (200, Some("0")));
    assert_eq!(sim.delete(&identity("id-shop")).await.status, 204);
    assert_eq!(sim.get(&identity("id-shop")).await.code(), "ResourceNotFound");
    let rows = sim
        .get(&format!(
            "{RG}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01"
        ))
        .await;
    assert_eq!(rows.rows().len(), 1);
    let site = format!("{RG}/providers/Microsoft.Web/sites/app?api-version=2023-12-01");
    assert!(
        sim.get(&site).await.body["identity"]["userAssignedIdentities"]
            .as_object()
            .unwrap()
            .len()
            == 1
    );
    let stuck = sim.patch(&site, json!({"tags": {"a": "b"}})).await;
    assert_eq!((stuck.status, stuck.code()), (400, "FailedIdentityOperation"));
    let key = format!("{RG}/{MSI}/id-shop");
    let freed = sim
        .patch(
            &site,
            json!({"identity": {"type": "None", "userAssignedIdentities": {key: null}}}),
        )
        .await;
    assert_eq!(freed.status, 200, "{:?}", freed.body);
    assert!(freed.body.get("identity").is_none());
    let sp = sim.get(&format!("/v1.0/servicePrincipals/{OLD}")).await;
    assert_eq!(sp.status, 404);
}

#[tokio::test]
async fn federated_credentials_keep_their_rules() {
    let sim = Sim::new(shop()).await;
    let path = |name: &str| format!("{RG}/{MSI}/id-shop/federatedIdentityCredentials/{name}?api-version=2024-11-30");
    let body = |subject: &str| json!({"properties": {"issuer": "https://token.example", "subject": subject, "audiences": ["api://AzureADTokenExchange"]}});
    let made = sim.put(&path("dev"), body("dev")).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    assert!(made.header("location").unwrap().contains("/resourcegroups/"));
    let again = sim.put(&path("dev"), body("dev2")).await;
    assert_eq!((again.status, again.header("location")), (200, None));
    let twin = sim.put(&path("twin"), body("main")).await;
    assert_eq!(
        (twin.status, twin.message()),
        (
            400,
            "Issuer and subject combination already exists for this Managed Identity."
        )
    );
    let bare = sim.put(&path("bare"), json!({"properties": {}})).await;
    assert_eq!(
        bare.message(),
        "Federated Identity Credential from HTTP body has empty properties"
    );
    let none = sim
        .put(
            &path("none"),
            json!({"properties": {"issuer": "i", "subject": "s", "audiences": []}}),
        )
        .await;
    assert_eq!(
        none.message(),
        "Federated identity credentials must have exactly one audience."
    );
    assert_eq!(sim.put(&path("-x"), body("y")).await.code(), "BadRequest");
    for n in 2..20 {
        assert_eq!(
            sim.put(&path(&format!("more{n}")), body(&format!("s{n}"))).await.status,
            201
        );
    }
    assert_eq!(sim.put(&path("toomany"), body("t")).await.status, 400);
    let list = sim.get(&path("").replace("/?", "?")).await;
    assert_eq!(list.rows().len(), 20);
    assert_eq!(sim.delete(&path("dev")).await.status, 200);
    assert_eq!(sim.delete(&path("dev")).await.status, 204);
    let orphan = path("dev").replace("id-shop", "id-none");
    assert_eq!(sim.put(&orphan, body("dev")).await.status, 404);
}

#[tokio::test]
async fn two_credentials_of_one_identity_cannot_be_written_at_once() {
    let sim = Sim::new(shop()).await;
    let path = |name: &str| format!("{RG}/{MSI}/id-shop/federatedIdentityCredentials/{name}?api-version=2024-11-30");
    let body = |subject: &str| json!({"properties": {"issuer": "i", "subject": subject, "audiences": ["a"]}});
    let (a, b, c) = (path("aaa"), path("bbb"), path("ccc"));
    let (a, b, c) = tokio::join!(sim.put(&a, body("a")), sim.put(&b, body("b")), sim.put(&c, body("c")));
    let refused: Vec<&Reply> = [&a, &b, &c].into_iter().filter(|reply| reply.status == 409).collect();
    assert!(!refused.is_empty());
    assert_eq!(
        refused[0].code(),
        "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity"
    );
}

#[tokio::test]
async fn an_identity_block_merges_fills_and_refuses() {
    let sim = Sim::new(shop()).await;
    let new = sim.put(&identity("id-new"), json!({"location": "westeurope"})).await;
    let site = format!("{RG}/providers/Microsoft.Web/sites/app?api-version=2023-12-01");
    let (old_key, new_key) = (format!("{RG}/{MSI}/ID-SHOP"), format!("{RG}/{MSI}/id-new"));
    let both = sim
        .patch(
            &site,
            json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {new_key.clone(): {}}}}),
        )
        .await;
    assert_eq!(both.status, 200, "{:?}", both.body);
    let map = both.body["identity"]["userAssignedIdentities"].as_object().unwrap();
    assert_eq!(map.len(), 2);
    assert_eq!(map[&new_key]["principalId"], new.body["properties"]["principalId"]);
    let one = sim
        .patch(
            &site,
            json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {old_key: null}}}),
        )
        .await;
    assert_eq!(
        one.body["identity"]["userAssignedIdentities"]
            .as_object()
            .unwrap()
            .len(),
        1
    );
    let bad = sim
        .patch(
            &site,
            json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {format!("{RG}/{MSI}/nobody"): {}}}}),
        )
        .await;
    assert_eq!((bad.status, bad.code()), (403, "LinkedAuthorizationFailed"));
    let last = json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {new_key.clone(): null}}});
    assert_eq!(sim.patch(&site, last).await.status, 400);
    let system = sim.patch(&site, json!({"identity": {"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {new_key.clone(): {}}}})).await;
    assert_eq!(system.body["identity"]["type"], "SystemAssigned, UserAssigned");
    assert!(system.body["identity"]["principalId"].is_string());
    let put = sim
        .put(
            &site,
            json!({"location": "eastus", "identity": {"type": "SystemAssigned"}, "properties": {}}),
        )
        .await;
    assert!(put.body["identity"].get("userAssignedIdentities").is_none());
    assert_eq!(put.body["properties"]["state"], "Running");
}

#[tokio::test]
async fn automation_replaces_the_map_that_others_merge() {
    let sim = Sim::new(shop()).await;
    sim.put(&identity("id-new"), json!({"location": "eastus"})).await;
    let path = format!("{RG}/providers/Microsoft.Automation/automationAccounts/aa?api-version=2023-11-01");
    let (old, new) = (format!("{RG}/{MSI}/id-shop"), format!("{RG}/{MSI}/id-new"));
    let made = sim
        .put(
            &path,
            json!({"location": "eastus", "identity": {"type": "UserAssigned", "userAssignedIdentities": {old: {}}}}),
        )
        .await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    let patched = sim
        .patch(
            &path,
            json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {new.clone(): {}}}}),
        )
        .await;
    let map = patched.body["identity"]["userAssignedIdentities"].as_object().unwrap();
    assert_eq!(map.keys().collect::<Vec<_>>(), [&new]);
}

#[tokio::test]
async fn aks_takes_exactly_one_identity_and_only_by_put() {
    let sim = Sim::new(shop()).await;
    sim.put(&identity("id-new"), json!({"location": "eastus"})).await;
    let path = format!("{RG}/providers/Microsoft.ContainerService/managedClusters/aks?api-version=2024-05-01");
    let (old, new) = (format!("{RG}/{MSI}/id-shop"), format!("{RG}/{MSI}/id-new"));
    let block = |keys: &[&String]| {
        let map: serde_json::Map<String, Value> = keys.iter().map(|key| ((*key).clone(), json!({}))).collect();
        json!({"location": "eastus", "identity": {"type": "UserAssigned", "userAssignedIdentities": map}, "properties": {}})
    };
    assert_eq!(sim.put(&path, block(&[&old])).await.status, 201);
    let both = sim.put(&path, block(&[&old, &new])).await;
    assert_eq!(both.status, 400, "{:?}", both.body);
    let ignored = sim
        .patch(
            &path,
            json!({"tags": {"a": "b"}, "identity": block(&[&new])["identity"]}),
        )
        .await;
    assert!(ignored.status < 300, "{:?}", ignored.body);
    let now = sim.get(&path).await;
    assert_eq!(now.body["tags"], json!({"a": "b"}));
    assert!(now.body["identity"]["userAssignedIdentities"].get(&old).is_some());
    assert_eq!(sim.put(&path, block(&[&new])).await.status, 200);
    assert!(
        sim.get(&path).await.body["identity"]["userAssignedIdentities"]
            .get(&new)
            .is_some()
    );
}

#[tokio::test]
async fn an_identity_that_encrypts_an_account_cannot_leave_it() {
    let sim = Sim::new(shop()).await;
    let path = format!("{RG}/providers/Microsoft.Storage/storageAccounts/stshop?api-version=2023-05-01");
    let old = format!("{RG}/{MSI}/id-shop");
    sim.put(
        &path,
        json!({"location": "eastus", "kind": "StorageV2", "sku": {"name": "Standard_LRS"},
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {old.clone(): {}}},
        "properties": {"encryption": {"identity": {"userAssignedIdentity": old.clone()}}}}),
    )
    .await;
    let refused = sim.patch(&path, json!({"identity": {"type": "None"}})).await;
    assert_eq!((refused.status, refused.code()), (400, "UserAssignedIdentityInUse"));
    let both = sim
        .patch(
            &path,
            json!({"identity": {"type": "None"}, "properties": {"encryption": {"identity": null}}}),
        )
        .await;
    assert_eq!(both.status, 200, "{:?}", both.body);
}

#[tokio::test]
async fn associated_resources_are_listed_in_two_versions_only() {
    let sim = Sim::new(shop()).await;
    let path = |version: &str| format!("{RG}/{MSI}/id-shop/listAssociatedResources?api-version={version}");
    let found = sim.send("POST", &path("2022-01-31-preview"), None).await;
    assert_eq!((found.status, &found.body["totalCount"]), (200, &json!(1)));
    assert_eq!(found.rows()[0]["type"], "microsoft.web/sites");
    assert_eq!(sim.send("POST", &path("2024-11-30"), None).await.status, 404);
}

#[tokio::test]
async fn a_regional_identity_stays_in_its_region() {
    let sim = Sim::new(shop()).await;
    let made = sim
        .put(
            &identity("id-reg"),
            json!({"location": "westeurope", "properties": {"isolationScope": "Regional"}}),
        )
        .await;
    assert_eq!(made.body["properties"]["isolationScope"], "Regional");
    let site = format!("{RG}/providers/Microsoft.Web/sites/app?api-version=2023-12-01");
    let refused = sim
        .patch(
            &site,
            json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {format!("{RG}/{MSI}/id-reg"): {}}}}),
        )
        .await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn a_new_principal_is_seen_late() {
    let sim = Sim::with(Options {
        estate: shop(),
        lag: Some(Duration::from_mins(1)),
        ..Options::default()
    })
    .await;
    let made = sim.put(&identity("id-new"), json!({"location": "westeurope"})).await;
    let principal = made.body["properties"]["principalId"].as_str().unwrap().to_owned();
    assert_eq!(
        sim.get(&format!("/v1.0/servicePrincipals/{principal}")).await.status,
        404
    );
    let late = sim.put(&assignment(RG, 1), grant(READER, &principal, None)).await;
    assert_eq!((late.status, late.code()), (400, "PrincipalNotFound"));
    let named = sim
        .put(&assignment(RG, 1), grant(READER, &principal, Some("ServicePrincipal")))
        .await;
    assert_eq!(named.status, 201, "{:?}", named.body);
    let query = json!({"query": "resources | where name == 'id-new' | project id"});
    let found = sim
        .send(
            "POST",
            "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01",
            Some(query),
        )
        .await;
    assert_eq!(found.body["totalRecords"], 0, "{:?}", found.body);
    assert!(found.header("x-ms-user-quota-remaining").is_some());
}
