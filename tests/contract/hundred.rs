//! A hundred of them: each is found, once, whatever the pages, and the requests grow no faster than they do.

use std::collections::BTreeSet;

use ferry::types::ResourceId;
use serde_json::Value;

use super::finds::{Estate, Find, finds, id, in_each, items};
use super::sources::expect;

/// How many copies are made of what an item lies in.
const COPIES: usize = 100;
/// How many rows a page has.
const PAGE: usize = 30;
/// How many requests one more of them may cost, pages and all.
const EACH: usize = 6;

/// Files whose items cannot be multiplied by copying the resource that they lie in, each with the reason.
const ALONE: &[(&str, &str)] = &[];

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
        if let Some(item) = find.items.iter().find(|item| root(estate, item).is_some()) {
            chosen.push((find, item));
        }
    }
    chosen
}

/// What is copied of an item: the id of its resource, or that of what it lies on in the directory.
fn root(estate: &Value, item: &Value) -> Option<String> {
    let own = estate["demo"]["relocate"]["identity"].as_str()?;
    let text = |name: &str| item[name].as_str().filter(|text| !text.is_empty());
    for place in [
        text("resource"),
        text("id").filter(|id| id.starts_with('/')),
        text("scope"),
    ]
    .into_iter()
    .flatten()
    {
        if let Some(name) = place
            .rsplit('/')
            .next()
            .filter(|name| name.len() == 36 && !place.starts_with('/'))
        {
            return entities(estate).any(|entity| entity == name).then(|| name.to_owned());
        }
        let Ok(parsed) = ResourceId::parse(place) else { continue };
        let top = parsed.top_level();
        let fits = top.resource_group().is_some()
            && top.namespace().starts_with("Microsoft.")
            && top.namespace() != "Microsoft.Authorization";
        if fits && !top.as_str().eq_ignore_ascii_case(own) && super::documents::document(estate, top.as_str()).is_some()
        {
            return Some(top.as_str().to_owned());
        }
    }
    None
}

fn entities(estate: &Value) -> impl Iterator<Item = &str> {
    let lists = estate["graph"].as_object().into_iter().flat_map(|lists| lists.values());
    lists
        .filter_map(Value::as_array)
        .flatten()
        .filter_map(|entity| entity["id"].as_str())
}

/// Copies the resource of an item a hundred times, and counts.
fn multiplied(estate: &Estate<'_>, find: &Find, item: &Value) -> Result<(), String> {
    let root = root(estate.documents, item).unwrap();
    let short = root.rsplit('/').next().unwrap().to_lowercase();
    let mut documents = estate.documents.clone();
    for number in 1..=COPIES {
        copy(&mut documents, estate.documents, &root, number);
    }
    let cloud = estate.serve_paged(documents, PAGE);
    let mark = cloud.requests();
    let found = items(cloud.look().call(find.script(), find.function(), &[&cloud.old])?);
    let requests = cloud.requests_since(mark).len();
    let ids: BTreeSet<String> = found.iter().map(id).collect();
    let mine = find
        .items
        .iter()
        .filter(|item| item.to_string().to_lowercase().contains(&short))
        .count();
    let wanted = find.items.len() + mine * COPIES;
    expect(ids.len() == found.len(), || {
        format!("{} are found, and {} ids", found.len(), ids.len())
    })?;
    expect(found.len() == wanted, || {
        format!("{} are found of {wanted}", found.len())
    })?;
    let most = find.requests.len() * 2 + mine.max(1) * COPIES * EACH;
    expect(requests <= most, || {
        format!("{requests} requests were sent, where {most} would do")
    })
}

/// Adds a copy of a resource to an estate: its documents and those below it, its data, and what names it in the directory.
fn copy(to: &mut Value, from: &Value, root: &str, number: usize) {
    let own = from["demo"]["relocate"]["identity"].as_str().unwrap().to_lowercase();
    let name = root.rsplit('/').next().unwrap();
    let copied = |text: &str| -> String {
        // The identity's own ids stay, whatever the resource is called.
        let kept = text.to_lowercase();
        if kept.contains(&own) && !kept.contains(&root.to_lowercase()) {
            return text.to_owned();
        }
        let pattern = regex::RegexBuilder::new(&regex::escape(name))
            .case_insensitive(true)
            .build()
            .unwrap();
        let made = if name.len() == 36 {
            format!("{number:08}{}", &name[8..])
        } else {
            format!("{name}{number:03}")
        };
        pattern.replace_all(text, made.as_str()).into_owned()
    };
    if root.starts_with('/') {
        let below = format!("{}/", root.to_lowercase());
        let documents = from["arm"]["resources"].as_array().unwrap().iter().filter(|document| {
            let id = document["id"].as_str().unwrap_or_default().to_lowercase();
            id == root.to_lowercase() || id.starts_with(&below)
        });
        let made: Vec<Value> = documents.map(|document| in_texts(document, &copied)).collect();
        to["arm"]["resources"].as_array_mut().unwrap().extend(made);
    }
    for (list, rows) in from["graph"].as_object().into_iter().flatten() {
        let naming = rows
            .as_array()
            .into_iter()
            .flatten()
            .filter(|row| name.len() == 36 && row.to_string().contains(name));
        let made: Vec<Value> = naming
            .map(|row| {
                let mut row = in_texts(row, &copied);
                if let Some(id) = row["id"].as_str().filter(|id| id.len() != 36).map(str::to_owned) {
                    row["id"] = format!("{id}{number:03}").into();
                }
                row
            })
            .collect();
        to["graph"][list].as_array_mut().unwrap().extend(made);
    }
    for (address, document) in from["data"].as_object().into_iter().flatten() {
        if address.to_lowercase().contains(&name.to_lowercase()) {
            to["data"][copied(address)] = in_texts(document, &copied);
        }
    }
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
