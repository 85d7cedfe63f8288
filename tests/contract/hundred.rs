//! A hundred of them: each is found, once, whatever the pages, and the requests grow no faster than they do. Lists of
//! Resource Manager come in pages of thirty, those of Graph in pages of a hundred; Resource Graph gives a thousand rows at once.

use std::collections::BTreeSet;

use ferry::types::ResourceId;
use serde_json::Value;

use super::finds::{Estate, Find, finds, id, in_each, items};
use super::sources::expect;

/// How many copies are made of what an item lies in.
const COPIES: usize = 100;
/// How many rows a page of Resource Manager has.
const PAGE: usize = 30;
/// How many requests one more of them may cost, pages and all.
const EACH: usize = 6;

/// How long a GUID is.
const GUID: usize = 36;

/// Files that find a resource because something names its host: what does is copied along, so that each copy is named.
const NAMED: &[&str] = &["mysql_users", "postgresql_roles", "sql_users"];

/// Files whose items cannot be multiplied by copying the resource that they lie in, each with the reason.
const ALONE: &[(&str, &str)] = &[
    (
        "devops_organisations",
        "organisations are known from the federated credentials of the identity, which takes twenty, and from a parameter",
    ),
    (
        "security_attributes",
        "the attributes of the one principal are one grant, changed in one document",
    ),
];

#[test]
fn a_hundred_are_found_each_once_and_for_a_hundred_times_the_requests() {
    let chosen = smallest();
    in_each(|estate| {
        let mut broken = Vec::new();
        for (find, item) in &chosen {
            if finds().estates[find.estate].0 != estate.name {
                continue;
            }
            if let Err(why) = multiplied(estate, find, item) {
                broken.push(format!(
                    "{}: {}/{}: {}: {why}",
                    estate.name, find.kind, find.file, item["what"]
                ));
            }
        }
        broken
    });
    let tried: BTreeSet<&str> = chosen.iter().map(|(find, _)| find.file.as_str()).collect();
    let known: BTreeSet<&str> = ALONE.iter().map(|(file, _)| *file).collect();
    let all: BTreeSet<&str> = finds().all.iter().map(|find| find.file.as_str()).collect();
    let untried: Vec<_> = all.difference(&tried).filter(|file| !known.contains(**file)).collect();
    let no_more: Vec<_> = known.intersection(&tried).collect();
    assert!(
        untried.is_empty() && no_more.is_empty(),
        "not multiplied: {untried:?}; no exceptions any more: {no_more:?}"
    );
}

/// Of each file one find, in the smallest estate, with an item whose resource can be copied.
fn smallest() -> Vec<(&'static Find, &'static Value)> {
    let mut all: Vec<&Find> = finds().all.iter().collect();
    all.sort_by_key(|find| (find.kind, &find.file, find.requests.len()));
    let mut chosen: Vec<(&Find, &Value)> = Vec::new();
    for find in all {
        if chosen.iter().any(|(known, _)| known.script() == find.script()) {
            continue;
        }
        let estate = &finds().estates[find.estate].1;
        // An id that does not name what is copied would be the same for every copy.
        let fits = |item: &&Value| root(estate, item).is_some_and(|root| id(item).contains(&short(&root)));
        if let Some(item) = find.items.iter().find(fits) {
            chosen.push((find, item));
        }
    }
    chosen
}

/// What is copied of an item: its resource, where that lies outside of groups its record, or the object in the directory or
/// in a service's lists that it is about.
fn root(estate: &Value, item: &Value) -> Option<String> {
    let own = estate["demo"]["relocate"]["identity"].as_str()?;
    let exists = |id: &str| super::documents::document(estate, id).is_some();
    let text = |name: &str| item[name].as_str().filter(|text| !text.is_empty());
    let places = [text("resource"), text("id"), text("scope"), text("at")];
    for place in places.into_iter().flatten() {
        let name = short(place);
        if name.len() == GUID
            && [&estate["graph"], &estate["data"]]
                .iter()
                .any(|part| names(part, &name))
        {
            return Some(name);
        }
        if !place.starts_with('/') {
            continue;
        }
        let Ok(parsed) = ResourceId::parse(place) else { continue };
        let top = parsed.top_level();
        let fits = top.resource_group().is_some()
            && top.namespace().starts_with("Microsoft.")
            && top.namespace() != "Microsoft.Authorization";
        if fits && !top.as_str().eq_ignore_ascii_case(own) && exists(top.as_str()) {
            return Some(top.as_str().to_owned());
        }
        if !fits && exists(place) {
            return Some(place.to_owned());
        }
    }
    None
}

/// Whether a name stands anywhere in a value.
fn names(value: &Value, name: &str) -> bool {
    value.to_string().to_lowercase().contains(name)
}

/// Copies the resource of an item a hundred times, and counts.
fn multiplied(estate: &Estate<'_>, find: &Find, item: &Value) -> Result<(), String> {
    let root = root(estate.documents, item).unwrap();
    let mut roots = vec![root.clone()];
    if NAMED.contains(&find.file.as_str()) {
        roots.extend(naming(estate.documents, &root));
    }
    let mut documents = estate.documents.clone();
    for number in 1..=COPIES {
        copy(&mut documents, estate.documents, &roots, number);
    }
    let cloud = estate.serve_paged(documents, PAGE);
    let mark = cloud.requests();
    let found = items(cloud.look().call(find.script(), find.function(), &[&cloud.old])?);
    let requests = cloud.requests_since(mark).len();
    let ids: BTreeSet<String> = found.iter().map(id).collect();
    let mine = find
        .items
        .iter()
        .filter(|item| id(item).contains(&short(&root)))
        .count();
    let wanted = find.items.len() + mine * COPIES;
    expect(ids.len() == found.len(), || {
        format!("{} are found, and {} ids", found.len(), ids.len())
    })?;
    expect(found.len() == wanted, || {
        format!("{} are found of {wanted}", found.len())
    })?;
    let most = find.requests.len() * 2 + mine * COPIES * EACH;
    expect(requests <= most, || {
        format!("{requests} requests were sent, where {most} would do")
    })
}

/// The resources whose documents name another one by its host, as settings and connection strings do.
fn naming(estate: &Value, root: &str) -> Vec<String> {
    let host = format!("{}.", short(root));
    let mut found = BTreeSet::new();
    for document in estate["arm"]["resources"].as_array().into_iter().flatten() {
        let Some(top) = document["id"].as_str().and_then(|id| ResourceId::parse(id).ok()) else {
            continue;
        };
        let top = top.top_level().as_str().to_owned();
        if top != root && document.to_string().to_lowercase().contains(&host) {
            found.insert(top);
        }
    }
    found.into_iter().collect()
}

/// Adds a copy of resources to an estate: their documents and those below, their data, and what names them in the directory.
fn copy(to: &mut Value, from: &Value, roots: &[String], number: usize) {
    let own = from["demo"]["relocate"]["identity"].as_str().unwrap().to_lowercase();
    let copied = |text: &str| -> String {
        // The identity's own ids stay, whatever the resource is called.
        let kept = text.to_lowercase();
        if kept.contains(&own) && !roots.iter().any(|root| kept.contains(&root.to_lowercase())) {
            return text.to_owned();
        }
        roots
            .iter()
            .fold(text.to_owned(), |text, root| replaced(&text, &short(root), number))
    };
    for root in roots {
        if root.starts_with('/') {
            let below = format!("{}/", root.to_lowercase());
            let documents = from["arm"]["resources"].as_array().unwrap().iter().filter(|document| {
                let id = document["id"].as_str().unwrap_or_default().to_lowercase();
                id == root.to_lowercase() || id.starts_with(&below)
            });
            let made: Vec<Value> = documents.map(|document| in_texts(document, &copied)).collect();
            to["arm"]["resources"].as_array_mut().unwrap().extend(made);
        } else {
            copy_in_directory(to, from, root, &copied, number);
        }
        for (address, document) in from["data"].as_object().into_iter().flatten() {
            if address.to_lowercase().contains(&short(root)) {
                to["data"][copied(address)] = in_texts(document, &copied);
            } else if !root.starts_with('/') {
                more_rows(&mut to["data"][address], document, root, &copied);
            }
        }
    }
}

/// Adds a copy of each row that names an object to the lists of a document.
fn more_rows(to: &mut Value, from: &Value, name: &str, copied: &impl Fn(&str) -> String) {
    match (to, from) {
        (Value::Array(to), Value::Array(from)) => {
            to.extend(
                from.iter()
                    .filter(|row| names(row, name))
                    .map(|row| in_texts(row, copied)),
            );
        }
        (Value::Object(to), Value::Object(from)) => {
            for (key, value) in from {
                more_rows(&mut to[key], value, name, copied);
            }
        }
        _ => {}
    }
}

/// Adds a copy of everything in the directory that names an object there.
fn copy_in_directory(to: &mut Value, from: &Value, name: &str, copied: &impl Fn(&str) -> String, number: usize) {
    for (list, rows) in from["graph"].as_object().into_iter().flatten() {
        let naming = rows.as_array().into_iter().flatten();
        let made = naming.filter(|row| names(row, name)).map(|row| {
            let mut made = in_texts(row, copied);
            // Another row's id is its own: a membership, an assignment.
            if let Some(id) = row["id"].as_str().filter(|id| made["id"] == **id) {
                made["id"] = replaced(id, &id.to_lowercase(), number).into();
            }
            made
        });
        let made: Vec<Value> = made.collect();
        to["graph"][list].as_array_mut().unwrap().extend(made);
    }
}

/// The name at the end of an id, in lower case.
fn short(id: &str) -> String {
    id.rsplit('/').next().unwrap_or_default().to_lowercase()
}

/// A text with the name of a copy in place of a name, in whatever letters that is written.
fn replaced(text: &str, name: &str, number: usize) -> String {
    let kept = text.to_ascii_lowercase();
    let (mut turned, mut from) = (String::new(), 0);
    for (at, _) in kept.match_indices(name) {
        let end = at + name.len();
        turned.push_str(&text[from..at]);
        turned.push_str(&if name.len() == GUID {
            format!("{number:08}{}", &name[8..])
        } else {
            format!("{}{number:03}", &text[at..end])
        });
        from = end;
    }
    turned.push_str(&text[from..]);
    turned
}

/// A value with every text in it turned, keys too.
fn in_texts(value: &Value, turn: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => turn(text).into(),
        Value::Array(items) => items.iter().map(|item| in_texts(item, turn)).collect(),
        Value::Object(map) => {
            let turned = map.iter().map(|(key, item)| (turn(key), in_texts(item, turn)));
            turned.collect::<serde_json::Map<_, _>>().into()
        }
        other => other.clone(),
    }
}
