//! It is there already: somebody has given the new identity what it is to get, under a name of his own or in another
//! spelling. Then nothing is sent, so that a rollback has nothing to take back; and it stands once.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::cloud::{Cloud, respelled};
use super::documents::renamed;
use super::finds::{Estate, Find, id, in_each, items};
use super::sources::{alike, expect, unsent};

#[test]
fn what_was_granted_by_hand_is_adopted() {
    in_each(|estate| {
        let cloud = estate.serve(estate.documents.clone());
        let grants: Vec<(&Find, &Value)> = each(estate, "permissions").collect();
        let before = cloud.estate();
        let mut broken = Vec::new();
        for (find, grant) in &grants {
            if let Err(why) = cloud.call(find.script(), "grant", &[grant, &cloud.target]) {
                broken.push(told(estate, find, grant, &why));
            }
        }
        let cloud = estate.serve(named_by_hand(&before, &cloud.estate(), &cloud));
        for (find, grant) in grants {
            if let Err(why) = adopts(&cloud, find, grant) {
                broken.push(told(estate, find, grant, &why));
            }
        }
        broken
    });
}

#[test]
fn what_was_turned_by_hand_is_left_as_it_is() {
    in_each(|estate| {
        let cloud = estate.serve(estate.documents.clone());
        let mut bindings: Vec<(&Find, &Value)> = each(estate, "bindings").collect();
        // As a run does it: the blocks first, then the references by their order.
        bindings.sort_by_key(|(_, binding)| (binding["kind"] != "block", binding["order"].as_i64().unwrap_or(0)));
        let mut broken = Vec::new();
        let mut turned = Vec::new();
        for (find, binding) in bindings {
            let swaps = binding["modes"][0] == "swap" && cloud.has(find.script(), "swap");
            let function = if swaps { "swap" } else { "attach" };
            match cloud.call(find.script(), function, &[binding, &cloud.old, &cloud.target]) {
                Ok(_) => turned.push((find, binding, function)),
                Err(why) => broken.push(told(estate, find, binding, &why)),
            }
        }
        let [capitals, _] = respelled(&cloud.target);
        let mut documents = cloud.estate();
        for document in documents["arm"]["resources"].as_array_mut().unwrap() {
            let own = document["id"].as_str().zip(cloud.target["id"].as_str());
            if own.is_none_or(|(id, target)| !id.eq_ignore_ascii_case(target)) {
                *document = renamed(document, &cloud.target, &capitals);
            }
        }
        let cloud = estate.serve(documents);
        for (find, binding, function) in turned {
            let ask = |function: &str| cloud.call(find.script(), function, &[binding, &cloud.old, &cloud.target]);
            let kept = unsent(&cloud, "turning what was turned by hand", || ask(function))
                .and_then(|()| ask("check"))
                .and_then(|seen| {
                    expect(seen == true || binding["kind"] == "block", || {
                        format!("check says {seen}")
                    })
                });
            if let Err(why) = kept {
                broken.push(told(estate, find, binding, &why));
            }
        }
        broken
    });
}

/// The grants or bindings of an estate that Ferry itself gives or turns.
fn each<'a>(estate: &'a Estate<'_>, kind: &'a str) -> impl Iterator<Item = (&'a Find, &'a Value)> {
    let finds = estate.finds.iter().filter(move |find| find.kind == kind);
    finds
        .flat_map(|find| find.items.iter().map(|item| (*find, item)))
        .filter(|(_, item)| !item["by_hand"].is_string())
}

fn told(estate: &Estate<'_>, find: &Find, item: &Value, why: &str) -> String {
    format!("{}: {}/{}: {}: {why}", estate.name, find.kind, find.file, item["what"])
}

/// The grant is seen, it is not given again, it stands once, and it can be taken.
fn adopts(cloud: &Cloud, find: &Find, grant: &Value) -> Result<(), String> {
    let ask = |function: &str| cloud.call(find.script(), function, &[grant, &cloud.target]);
    let seen = ask("check")?;
    expect(seen == true, || format!("check says {seen} of what was given by hand"))?;
    // Where the service itself says that it is there already, asking it is no change.
    let before = cloud.estate();
    ask("grant")?;
    alike("granting what was given by hand", &before, &cloud.estate())?;
    let listed = cloud.call(find.script(), "list", &[&cloud.target])?;
    let mine = find.items.iter().filter(|item| !item["by_hand"].is_string()).count();
    let listed: BTreeSet<String> = items(listed)
        .iter()
        .filter(|item| !item["by_hand"].is_string())
        .map(id)
        .collect();
    expect(listed.len() == mine, || {
        format!(
            "the new identity has {mine} of these grants, and {} are listed: {listed:?}",
            listed.len()
        )
    })
}

/// The estate after everything was granted, in which each record that was made has another name than Ferry would give it.
/// A record whose name is the principal has no other.
fn named_by_hand(before: &Value, after: &Value, cloud: &Cloud) -> Value {
    let mut estate = after.clone();
    let known: BTreeSet<String> = all_ids(before);
    let own = ["principalId", "clientId"].map(|name| cloud.target[name].as_str().unwrap().to_lowercase());
    let other = |name: &str| match uuid::Uuid::parse_str(name) {
        Ok(guid) => uuid::Uuid::from_u128(guid.as_u128() ^ 0xfee1).to_string(),
        Err(_) => format!("{name}-by-hand"),
    };
    let rename = |record: &mut Map<String, Value>| {
        let Some(id) = record.get("id").and_then(Value::as_str).map(str::to_owned) else {
            return;
        };
        let (path, name) = id
            .rsplit_once('/')
            .map_or((String::new(), id.as_str()), |(path, name)| (format!("{path}/"), name));
        if known.contains(&id.to_lowercase())
            || own.contains(&name.to_lowercase())
            || FIXED.iter().any(|kind| id.to_lowercase().contains(kind))
        {
            return;
        }
        let made = other(name);
        if record.get("name").and_then(Value::as_str) == Some(name) {
            record.insert("name".into(), made.clone().into());
        }
        record.insert("id".into(), format!("{path}{made}").into());
    };
    for document in estate["arm"]["resources"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .filter_map(Value::as_object_mut)
    {
        rename(document);
    }
    for (_, rows) in estate["graph"].as_object_mut().into_iter().flatten() {
        for row in rows
            .as_array_mut()
            .into_iter()
            .flatten()
            .filter_map(Value::as_object_mut)
        {
            for credential in row
                .get_mut("federatedIdentityCredentials")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                credential.as_object_mut().map(rename);
            }
            rename(row);
        }
    }
    estate
}

/// Records whose name the service gives: the only administrator, and the requests that are history.
const FIXED: [&str; 3] = [
    "/administrators/activedirectory",
    "schedulerequests/",
    "userassignedidentities/",
];

/// The ids of everything in an estate, in lower case.
fn all_ids(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(all_ids).collect(),
        Value::Object(map) => {
            let own = map.get("id").and_then(Value::as_str).map(str::to_lowercase);
            map.values().flat_map(all_ids).chain(own).collect()
        }
        _ => BTreeSet::new(),
    }
}
