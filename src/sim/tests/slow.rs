//! Operations that take their time, groups that are deleted, and what the simulator does not do.

use std::time::Duration;

use serde_json::json;

use super::*;

async fn slow(estate: Value) -> Sim {
    Sim::with(Options {
        estate,
        lag: Some(Duration::from_millis(400)),
        ..Options::default()
    })
    .await
}

/// Polls until the end; gives the last answer and how often it was not yet the end.
async fn end(sim: &Sim, url: &str) -> (Reply, usize) {
    let mut waits = 0;
    loop {
        let reply = sim.get(url).await;
        if reply.status != 202 && reply.body["status"] != "InProgress" {
            return (reply, waits);
        }
        assert!(reply.header("retry-after").unwrap().parse::<u32>().is_ok());
        waits += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn each_type_ends_its_writes_in_its_own_way() {
    let sim = slow(shop()).await;
    let of = |path: &str| format!("{RG}/providers/{path}");
    let vm = of("Microsoft.Compute/virtualMachines/vm?api-version=2024-03-01");
    let made = sim.put(&vm, json!({"location": "eastus"})).await;
    assert_eq!(
        (made.status, &made.body["properties"]["provisioningState"]),
        (201, &json!("Creating"))
    );
    let (done, waits) = end(&sim, made.header("azure-asyncoperation").unwrap()).await;
    assert!(waits > 0);
    assert_eq!((done.status, &done.body["status"]), (200, &json!("Succeeded")));
    for member in ["id", "name", "startTime", "endTime"] {
        assert!(done.body[member].is_string(), "{member}: {:?}", done.body);
    }
    let patched = sim.patch(&vm, json!({"tags": {"a": "b"}})).await;
    assert_eq!(
        (patched.status, patched.body["properties"]["provisioningState"].as_str()),
        (200, Some("Updating"))
    );
    assert!(patched.header("azure-asyncoperation").is_some() && patched.header("etag").is_some());
    assert_eq!(patched.header("azure-asyncnotification"), Some("Enabled"));

    let account = of("Microsoft.Storage/storageAccounts/stshop?api-version=2023-05-01");
    let accepted = sim
        .put(
            &account,
            json!({"location": "eastus", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}),
        )
        .await;
    assert_eq!((accepted.status, &accepted.body), (202, &Value::Null));
    let (shown, waits) = end(&sim, accepted.header("location").unwrap()).await;
    assert!(waits > 0);
    assert_eq!((shown.status, &shown.body["name"]), (200, &json!("stshop")));

    let gone = sim.delete(&vm).await;
    assert_eq!((gone.status, &gone.body), (202, &Value::Null));
    assert_eq!(end(&sim, gone.header("location").unwrap()).await.0.status, 204);
    assert_eq!(sim.get(&vm).await.status, 404);
}

#[tokio::test]
async fn a_service_that_takes_one_write_at_a_time_refuses_the_second() {
    let sim = slow(shop()).await;
    let path = format!("{RG}/providers/Microsoft.DocumentDB/databaseAccounts/db-shop?api-version=2024-08-15");
    let made = sim.put(&path, json!({"location": "eastus"})).await;
    assert_eq!(made.status, 200, "{:?}", made.body);
    for method in ["PUT", "PATCH", "DELETE"] {
        let second = sim
            .send(method, &path, Some(json!({"location": "eastus", "tags": {"a": "b"}})))
            .await;
        assert_eq!(
            (second.status, second.code()),
            (409, "AnotherOperationInProgress"),
            "{method}"
        );
    }
    end(&sim, made.header("azure-asyncoperation").unwrap()).await;
    let patched = sim.patch(&path, json!({"tags": {"a": "b"}})).await;
    assert_eq!(patched.status, 200, "{:?}", patched.body);
    end(&sim, patched.header("azure-asyncoperation").unwrap()).await;
    // Nor is the name free while a deletion goes on.
    let gone = sim.delete(&path).await;
    assert_eq!(gone.status, 202, "{:?}", gone.body);
    assert_eq!(
        sim.put(&path, json!({"location": "eastus"})).await.code(),
        "AnotherOperationInProgress"
    );
    end(&sim, gone.header("location").unwrap()).await;
    assert_eq!(sim.put(&path, json!({"location": "eastus"})).await.status, 200);
}

#[tokio::test]
async fn a_group_goes_with_all_that_is_in_it() {
    let sim = slow(shop()).await;
    let site = format!("{RG}/providers/Microsoft.Web/sites/app?api-version=2023-12-01");
    let on = sim
        .patch(&site, json!({"identity": {"type": "SystemAssigned, UserAssigned"}}))
        .await;
    let system = on.body["identity"]["principalId"].as_str().unwrap().to_owned();
    let gone = sim.delete(&format!("{RG}?api-version=2021-04-01")).await;
    assert_eq!((gone.status, &gone.body), (202, &Value::Null));
    let location = gone.header("location").unwrap();
    assert!(
        location.starts_with(&format!("{}{SUB}/operationresults/", sim.server.url())),
        "{location}"
    );
    assert!(gone.header("retry-after").is_some());
    let (done, waits) = end(&sim, location).await;
    assert!(waits > 0);
    assert_eq!(done.status, 200);
    assert_eq!(
        sim.get(&format!("{RG}?api-version=2021-04-01")).await.code(),
        "ResourceGroupNotFound"
    );
    for principal in [OLD, &system] {
        assert_eq!(
            sim.get(&format!("/v1.0/servicePrincipals/{principal}")).await.status,
            404
        );
    }
    let left = sim.server.estate()["arm"]["resources"].to_string();
    assert!(!left.contains("rg-shop"), "{left}");
}

#[tokio::test]
async fn what_the_simulator_does_not_do_is_refused_and_not_taken_for_done() {
    let sim = Sim::new(shop()).await;
    let site = format!("{RG}/providers/Microsoft.Web/sites/app");
    let asked = [
        ("POST", format!("{site}/publishxml?api-version=2023-12-01")),
        ("POST", format!("{RG}/exportTemplate?api-version=2021-04-01")),
        ("POST", format!("{RG}/moveResources?api-version=2021-04-01")),
        (
            "POST",
            "/providers/Microsoft.Authorization/elevateAccess?api-version=2015-07-01".to_owned(),
        ),
        (
            "PUT",
            format!("{RG}/providers/Microsoft.Resources/deployments/d?api-version=2022-09-01"),
        ),
        (
            "GET",
            format!("{SUB}/providers/Microsoft.Web/providerPermissions?api-version=2021-04-01"),
        ),
    ];
    let before = sim.server.estate();
    for (method, path) in asked {
        let reply = sim.send(method, &path, Some(json!({"properties": {}}))).await;
        assert_eq!(
            (reply.status, reply.code()),
            (501, "NotSupportedBySimulator"),
            "{path}: {:?}",
            reply.body
        );
        assert!(reply.message().contains("docs/simulator.md"), "{}", reply.message());
        assert!(reply.header("retry-after").is_none());
    }
    assert_eq!(sim.server.estate(), before);
}

#[tokio::test]
async fn what_was_sent_as_a_secret_is_not_read_again() {
    let sim = Sim::new(shop()).await;
    let path = format!("{RG}/providers/Microsoft.ContainerInstance/containerGroups/cg?api-version=2023-05-01");
    let body = json!({"location": "eastus", "properties": {
        "imageRegistryCredentials": [{"server": "r.io", "username": "u", "password": "hush-1"}],
        "volumes": [{"name": "a", "azureFile": {"shareName": "s", "storageAccountKey": "hush-2"}}, {"name": "b", "secret": {"k": "hush-3"}}]}});
    let made = sim.put(&path, body).await;
    let shown = sim.get(&path).await.body;
    for text in [made.body.to_string(), shown.to_string()] {
        assert!(!text.contains("hush"), "{text}");
    }
    assert_eq!(shown["properties"]["volumes"][0]["azureFile"]["shareName"], "s");
    assert_eq!(shown["properties"]["volumes"][1]["secret"], json!({}));
}

#[tokio::test]
async fn what_a_service_adds_is_shown_and_never_stored() {
    let sim = Sim::new(shop()).await;
    let path = format!("{RG}/providers/Microsoft.Storage/storageAccounts/stshop?api-version=2023-05-01");
    sim.put(
        &path,
        json!({"location": "eastus", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}),
    )
    .await;
    let shown = sim.get(&path).await.body;
    assert_eq!(
        shown["properties"]["primaryEndpoints"]["blob"],
        "https://stshop.blob.core.windows.net/"
    );
    assert_eq!(
        (&shown["properties"]["accessTier"], &shown["tags"]),
        (&json!("Hot"), &json!({}))
    );
    let stored = || {
        sim.server.estate()["arm"]["resources"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()
            .clone()
    };
    let before = stored();
    assert!(before.pointer("/properties/primaryEndpoints").is_none(), "{before}");
    // All that was read, sent back, says nothing; a value of one's own is kept.
    sim.put(&path, shown).await;
    assert_eq!(stored(), before);
    sim.patch(
        &path,
        json!({"properties": {"accessTier": "Cool", "creationTime": "2001-01-01"}}),
    )
    .await;
    let after = sim.get(&path).await.body;
    assert_eq!(after["properties"]["accessTier"], "Cool");
    assert_ne!(after["properties"]["creationTime"], "2001-01-01");
}
