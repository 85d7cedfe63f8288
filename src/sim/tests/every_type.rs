//! Every type of the catalog that takes user-assigned identities: swapped, removed, combined, each in its own way.

use serde_json::{Map, json};

use super::super::catalog::{self, Keys, Kind, Locations, Patch, Put};
use super::*;

/// The id of a resource of a type, in the shop's group.
fn id(kind: &Kind) -> String {
    let mut id = format!("{RG}/providers/{}", kind.namespace);
    for segment in kind.name.split('/') {
        id = format!("{id}/{segment}/one");
    }
    id
}

fn takers() -> Vec<&'static Kind> {
    let kinds = catalog::namespaces()
        .values()
        .flat_map(|namespace| namespace.types.values());
    kinds
        .filter(|kind| kind.identity.as_ref().is_some_and(|identity| identity.user))
        .filter(|kind| matches!(kind.put, Put::Merge | Put::Replace))
        .collect()
}

fn key(name: &str) -> String {
    format!("{RG}/{MSI}/{name}")
}

fn spelled(kind: &Kind, name: &str) -> String {
    let key = key(name);
    match kind.identity.as_ref().map(|identity| identity.keys) {
        Some(Keys::LowerGroup) => key.replace("resourceGroups", "resourcegroups"),
        Some(Keys::Lower) => key.to_lowercase(),
        _ => key,
    }
}

/// The shop with one resource of every type, each with the shop's identity, and what children lie in.
fn full() -> Value {
    let mut estate = shop();
    let documents = estate["arm"]["resources"].as_array_mut().unwrap();
    let mut add = |id: &str, kind: &str, document: Value| {
        if documents
            .iter()
            .any(|known| known["id"].as_str().unwrap().eq_ignore_ascii_case(id))
        {
            return;
        }
        let mut document = document;
        document["id"] = json!(id);
        document["type"] = json!(kind);
        document["location"] = json!("eastus");
        documents.push(document);
    };
    for kind in takers() {
        let block = json!({"type": "UserAssigned", "userAssignedIdentities": {spelled(kind, "id-shop"): {}}});
        add(&id(kind), &kind.full(), json!({ "identity": block }));
    }
    for kind in takers().into_iter().filter(|kind| kind.is_child()) {
        let top = kind.name.split('/').next().unwrap();
        let (parent, full) = (
            format!("{RG}/providers/{}/{top}/one", kind.namespace),
            format!("{}/{top}", kind.namespace),
        );
        add(&parent, &full, json!({}));
    }
    estate
}

/// Sends a block by PATCH where the type's PATCH has one, else by PUT, and gives the resource as it is then.
async fn change(sim: &Sim, kind: &Kind, patch: bool, block: Value) -> (u16, Value) {
    let version = kind.versions.first().map_or("2024-01-01", String::as_str);
    let path = format!("{}?api-version={version}", id(kind));
    let body = if patch {
        json!({ "identity": block })
    } else {
        json!({"location": "eastus", "identity": block})
    };
    let reply = if patch {
        sim.patch(&path, body).await
    } else {
        sim.put(&path, body).await
    };
    assert!(
        reply.status < 300 || reply.status == 400,
        "{}: {:?}",
        kind.full(),
        reply.body
    );
    (reply.status, sim.get(&path).await.body)
}

fn keys(body: &Value) -> Vec<String> {
    let map = body
        .pointer("/identity/userAssignedIdentities")
        .and_then(Value::as_object);
    map.into_iter().flatten().map(|(key, _)| key.clone()).collect()
}

#[tokio::test]
async fn every_type_swaps_and_gives_up_its_identity_in_its_own_way() {
    let sim = Sim::new(full()).await;
    assert_eq!(
        sim.put(&identity("id-new"), json!({"location": "eastus"})).await.status,
        201
    );
    let kinds = takers();
    assert!(kinds.len() > 190, "{}", kinds.len());
    for kind in kinds {
        let identity = kind.identity.as_ref().unwrap();
        let full = kind.full();
        let patch = matches!(identity.patch, Patch::Merge | Patch::Replace);
        // A PATCH that merges says what goes; whatever replaces says what stays.
        let mut map = Map::from_iter([(key("id-new"), json!({}))]);
        if identity.patch == Patch::Merge {
            map.insert(key("ID-SHOP"), Value::Null);
        }
        let (status, now) = change(
            &sim,
            kind,
            patch,
            json!({"type": "UserAssigned", "userAssignedIdentities": map}),
        )
        .await;
        assert!(status < 300, "{full}");
        assert_eq!(keys(&now), [spelled(kind, "id-new")], "{full}");

        if !patch && kind.patch != Patch::None {
            let version = kind.versions.first().map_or("2024-01-01", String::as_str);
            let path = format!("{}?api-version={version}", id(kind));
            sim.patch(&path, json!({"identity": {"type": "None"}})).await;
            assert_eq!(
                keys(&sim.get(&path).await.body).len(),
                1,
                "{full}: PATCH has no identity"
            );
        }

        let two = json!({"type": "UserAssigned", "userAssignedIdentities": {key("id-new"): {}, key("id-shop"): {}}});
        let (status, now) = change(&sim, kind, patch, two).await;
        let room = identity.max == 0 || identity.max > 1;
        assert_eq!(
            (status < 300, keys(&now).len()),
            (room, if room { 2 } else { 1 }),
            "{full}: {now}"
        );

        let both = json!({"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {key("id-new"): {}}});
        let (status, now) = change(&sim, kind, patch, both).await;
        let combines = identity.system && !identity.combined.is_empty();
        assert_eq!(status < 300, combines, "{full}: {now}");
        if combines {
            assert_eq!(now["identity"]["type"], json!(identity.combined), "{full}");
            assert!(now["identity"]["principalId"].is_string(), "{full}");
        }

        let (status, now) = change(&sim, kind, patch, json!({"type": "None"})).await;
        assert_eq!(status == 400, identity.required, "{full}");
        assert_eq!(keys(&now).is_empty(), !identity.required, "{full}: {now}");
    }
}

#[tokio::test]
async fn every_namespace_tells_its_types_and_their_versions() {
    let sim = Sim::new(shop()).await;
    let listed = sim.get(&format!("{SUB}/providers?api-version=2021-04-01")).await;
    assert_eq!(listed.rows().len(), catalog::namespaces().len());
    for namespace in catalog::namespaces().values() {
        let row = listed
            .rows()
            .iter()
            .find(|row| row["namespace"] == namespace.name.as_str())
            .unwrap();
        let types = row["resourceTypes"].as_array().unwrap();
        assert_eq!(types.len(), namespace.types.len(), "{}", namespace.name);
        for kind in namespace.types.values() {
            let told = types
                .iter()
                .find(|told| told["resourceType"] == kind.name.as_str())
                .unwrap();
            assert_eq!(told["apiVersions"], json!(kind.versions), "{}", kind.full());
            let regional = !kind.is_child() && kind.locations == Locations::default();
            let west = told["locations"].as_array().unwrap().contains(&json!("West Europe"));
            assert!(west || !regional, "{}", kind.full());
        }
    }
}
