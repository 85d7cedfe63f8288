//! Locks: what they forbid, where they reach, and where they are listed.

use super::*;

fn lock(scope: &str, name: &str) -> String {
    format!("{scope}/providers/Microsoft.Authorization/locks/{name}?api-version=2016-09-01")
}

fn level(level: &str) -> Value {
    json!({"properties": {"level": level, "notes": "why"}})
}

#[tokio::test]
async fn a_lock_is_made_changed_read_and_taken_off() {
    let sim = Sim::new(shop()).await;
    let made = sim.put(&lock(RG, "keep"), level("CanNotDelete")).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.body["type"], "Microsoft.Authorization/locks");
    assert_eq!(
        made.body["properties"],
        json!({"level": "CanNotDelete", "notes": "why"})
    );
    assert_eq!(sim.put(&lock(RG, "keep"), level("ReadOnly")).await.status, 200);
    assert_eq!(sim.get(&lock(RG, "KEEP")).await.body["properties"]["level"], "ReadOnly");
    assert_eq!(sim.put(&lock(RG, "odd"), level("Sometimes")).await.status, 400);
    assert_eq!(sim.delete(&lock(RG, "keep")).await.status, 200);
    assert_eq!(sim.delete(&lock(RG, "keep")).await.status, 204);
    assert_eq!(sim.get(&lock(RG, "keep")).await.code(), "LockNotFound");
}

#[tokio::test]
async fn a_lock_on_deletes_reaches_down_and_lets_writes_pass() {
    let sim = Sim::new(shop()).await;
    sim.put(&lock(SUB, "keep"), level("CanNotDelete")).await;
    let path = identity("id-shop");
    let refused = sim.delete(&path).await;
    let id = path.split('?').next().unwrap();
    assert_eq!((refused.status, refused.code()), (409, "ScopeLocked"));
    assert_eq!(
        refused.message(),
        format!(
            "The scope '{id}' cannot perform delete operation because following scope(s) are locked: '{SUB}'. Please remove \
             the lock and try again."
        )
    );
    assert_eq!(sim.patch(&path, json!({"tags": {}})).await.status, 200);
    assert_eq!(
        sim.put(
            &assignment(RG, 1),
            grant(READER, "55555555-5555-4555-8555-555555555555", None)
        )
        .await
        .status,
        201
    );
    // Assignments lie below the lock, and so do credentials.
    assert_eq!(sim.delete(&assignment(RG, 1)).await.code(), "ScopeLocked");
    let credential = format!("{id}/federatedIdentityCredentials/ci?api-version=2024-11-30");
    assert_eq!(sim.delete(&credential).await.code(), "ScopeLocked");
    // A lock does not keep itself.
    assert_eq!(sim.delete(&lock(SUB, "keep")).await.status, 200);
    assert_eq!(sim.delete(&path).await.status, 200);
}

#[tokio::test]
async fn a_lock_on_writes_stops_every_method_but_get() {
    let sim = Sim::new(shop()).await;
    let site = format!("{RG}/providers/Microsoft.Web/sites/app");
    sim.put(&lock(&site, "ro"), level("ReadOnly")).await;
    let at = |rest: &str| format!("{site}{rest}?api-version=2023-12-01");
    assert_eq!(sim.get(&at("")).await.status, 200);
    for reply in [
        sim.put(&at(""), json!({"location": "East US"})).await,
        sim.patch(&at(""), json!({"tags": {}})).await,
        sim.delete(&at("")).await,
        sim.send("POST", &at("/restart"), None).await,
        sim.send("POST", &at("/config/appsettings/list"), None).await,
        sim.put(&at("/config/appsettings"), json!({"properties": {}})).await,
        sim.put(&assignment(&site, 1), grant(READER, OLD, None)).await,
        sim.put(
            &format!("{site}/providers/Microsoft.Resources/tags/default?api-version=2021-04-01"),
            json!({"properties": {"tags": {}}}),
        )
        .await,
        sim.delete(&format!("{RG}?api-version=2021-04-01")).await,
    ] {
        assert_eq!((reply.status, reply.code()), (409, "ScopeLocked"), "{:?}", reply.body);
    }
    let refused = sim.patch(&at(""), json!({"tags": {}})).await;
    assert!(
        refused.message().contains("cannot perform write operation"),
        "{}",
        refused.message()
    );
    let vault = format!("{RG}/providers/Microsoft.KeyVault/vaults/kv?api-version=2023-07-01");
    assert_eq!(sim.patch(&vault, json!({"tags": {}})).await.status, 200);
    sim.put(&lock(&format!("{RG}/{MSI}/id-shop"), "ro"), level("ReadOnly"))
        .await;
    let listed = format!("{RG}/{MSI}/id-shop/listAssociatedResources?api-version=2022-01-31-preview");
    assert_eq!(sim.send("POST", &listed, None).await.code(), "ScopeLocked");
}

#[tokio::test]
async fn locks_are_listed_at_above_and_below() {
    let sim = Sim::new(shop()).await;
    let site = format!("{RG}/providers/Microsoft.Web/sites/app");
    for (scope, name) in [(SUB, "a"), (RG, "b"), (site.as_str(), "c")] {
        sim.put(&lock(scope, name), level("CanNotDelete")).await;
    }
    let names = async |scope: &str, filter: &str| {
        let path = format!("{scope}/providers/Microsoft.Authorization/locks?api-version=2016-09-01{filter}");
        let reply = sim.get(&path).await;
        let mut names: Vec<String> = reply
            .rows()
            .iter()
            .map(|row| row["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names.concat()
    };
    assert_eq!(names(RG, "").await, "abc");
    assert_eq!(names(RG, "&$filter=atScope()").await, "ab");
    assert_eq!(names(&site, "").await, "abc");
    assert_eq!(names(SUB, "&$filter=atScope()").await, "a");
}

#[tokio::test]
async fn locks_can_be_switched_off() {
    let sim = Sim::with(Options {
        estate: shop(),
        behaviour: [("locks".to_owned(), json!(false))].into_iter().collect(),
        ..Options::default()
    })
    .await;
    sim.put(&lock(RG, "ro"), level("ReadOnly")).await;
    assert_eq!(sim.delete(&identity("id-shop")).await.status, 200);
}
