//! Another spelling of the ids in the estate itself: in what others wrote (identities in capitals, GUIDs in capitals), and
//! in what the service gives (`resourcegroups`, types in lower case). The same is found, and treated the same.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::cloud::{Cloud, respelled};
use super::documents::renamed;
use super::finds::{Estate, Find, id, in_each, items};
use super::sources::{alike, expect};

#[test]
fn ids_that_others_wrote_in_capitals_are_the_same_ids() {
    in_each(|estate| {
        let old = identity(estate.documents);
        let [capitals, _] = respelled(&old);
        respelled_estate(estate, |document| {
            let kept = document["id"].clone();
            *document = renamed(document, &old, &capitals);
            document["id"] = kept;
        })
    });
}

#[test]
fn ids_that_the_service_spells_otherwise_are_the_same_ids() {
    in_each(|estate| {
        respelled_estate(estate, |document| {
            let id = document["id"].as_str().unwrap_or_default();
            document["id"] = json!(
                id.replace("/resourceGroups/", "/resourcegroups/")
                    .replace("/Microsoft.", "/microsoft.")
            );
            if let Some(kind) = document["type"].as_str().filter(|kind| kind.contains('/')) {
                document["type"] = json!(kind.to_lowercase());
            }
        })
    });
}

/// The identity of an estate, as a document of it says.
fn identity(estate: &Value) -> Value {
    let id = estate["demo"]["relocate"]["identity"].as_str().unwrap();
    let document = super::documents::document(estate, id).unwrap();
    let of = |name: &str| document["properties"][name].clone();
    json!({ "id": id, "principalId": of("principalId"), "clientId": of("clientId") })
}

/// Everything of an estate is found when every document but the identity's own was turned, and kept as it is told.
fn respelled_estate(estate: &Estate<'_>, turn: impl Fn(&mut Value)) -> Vec<String> {
    let mut documents = estate.documents.clone();
    let own = documents["demo"]["relocate"]["identity"].clone();
    for document in documents["arm"]["resources"].as_array_mut().unwrap() {
        if document["id"] != own {
            turn(document);
        }
    }
    let cloud = estate.serve(documents);
    let mut broken = Vec::new();
    for find in &estate.finds {
        if let Err(why) = same(&cloud, find) {
            broken.push(format!("{}: {}/{}: {why}", estate.name, find.kind, find.file));
        }
    }
    broken
}

/// The same is found as before, and it is granted and taken back, or turned and turned back.
fn same(cloud: &Cloud, find: &Find) -> Result<(), String> {
    let found = items(cloud.call(find.script(), find.function(), &[&cloud.old])?);
    let ids = |items: &[Value]| -> BTreeSet<String> { items.iter().map(id).collect() };
    let (before, now) = (ids(&find.items), ids(&found));
    expect(before == now, || {
        let lost: Vec<_> = before.difference(&now).collect();
        let new: Vec<_> = now.difference(&before).collect();
        format!("{lost:?} is not found, and {new:?} is new")
    })?;
    if find.kind == "permissions" {
        for grant in found.iter().filter(|grant| !grant["by_hand"].is_string()) {
            granted(cloud, find, grant).map_err(|why| format!("{}: {why}", grant["what"]))?;
        }
    }
    Ok(())
}

/// One grant goes its way, and leaves no trace.
fn granted(cloud: &Cloud, find: &Find, grant: &Value) -> Result<(), String> {
    let (old, target) = (&cloud.old, &cloud.target);
    let ask = |function: &str, identity: &Value| cloud.call(find.script(), function, &[grant, identity]);
    // A text that is written again may be in other letters: ids have no case.
    let folded = || -> Value { serde_json::from_str(&cloud.estate().to_string().to_lowercase()).unwrap() };
    let before = folded();
    let held = ask("check", old)?;
    expect(held == true, || format!("check says {held} of the old identity"))?;
    ask("grant", old)?;
    alike("granting what is there", &before, &folded())?;
    ask("grant", target)?;
    let given = ask("check", target)?;
    expect(given == true, || format!("check says {given} after it was granted"))?;
    let once = folded();
    ask("grant", target)?;
    alike("granting again", &once, &folded())?;
    if grant["single"] == true {
        ask("grant", old)?;
        return Ok(());
    }
    ask("revoke", target)?;
    alike("granted and revoked", &before, &folded())
}
