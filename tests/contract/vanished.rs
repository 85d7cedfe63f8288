//! The item has vanished since it was found: its record, or the resource that it lies in. Nothing old stands in the way of
//! the clean-up then, and nothing new is given to what is not there.

use std::collections::BTreeSet;
use std::sync::Mutex;

use ferry::types::ResourceId;
use serde_json::Value;

use super::cloud::Cloud;
use super::finds::{Estate, Find, in_each};
use super::sources::{expect, unsent};

/// Files whose grant goes through, or fails without a name, where what it is for is gone; each with the reason.
const UNNAMED: &[(&str, &str)] = &[
    (
        "access_packages",
        "the simulator knows access packages by their assignments alone",
    ),
    (
        "app_roles",
        "Graph answers \"Not a valid reference update.\", and names neither of the two",
    ),
    (
        "delegated_grants",
        "the simulator does not look whether the resource's application is there",
    ),
    (
        "directory_role_schedules",
        "the simulator does not look whether the scope of a role is there",
    ),
    (
        "directory_roles",
        "the simulator does not look whether the scope of a role is there",
    ),
    (
        "group_schedules",
        "the simulator does not look whether the group of an eligibility is there",
    ),
    (
        "kusto_commands",
        "the simulator takes what is posted to an address that it does not know",
    ),
];

#[test]
fn what_has_vanished_is_taken_off_without_a_word_and_given_nothing() {
    let unnamed = Mutex::new(BTreeSet::new());
    in_each(|estate| {
        let mut broken = Vec::new();
        for find in &estate.finds {
            for whole in [true, false] {
                broken.extend(without_the_items(estate, find, whole, &unnamed));
            }
        }
        broken
    });
    let unnamed = unnamed.into_inner().unwrap();
    let found = super::finds::finds();
    // In one estate alone an exception need not show.
    let whole = !super::skipped("ESTATE", "");
    let no_more: Vec<_> = UNNAMED
        .iter()
        .filter(|(file, _)| whole && found.all.iter().any(|find| find.file == *file) && !unnamed.contains(*file))
        .collect();
    assert!(no_more.is_empty(), "no exceptions any more: {no_more:?}");
}

/// Takes away what the items lie in (`whole`), or their own records, all at once, and asks everything of each.
fn without_the_items(estate: &Estate<'_>, find: &Find, whole: bool, unnamed: &Mutex<BTreeSet<String>>) -> Vec<String> {
    let mut left = estate.documents.clone();
    let mut gone = Vec::new();
    for item in &find.items {
        if let Some(name) = take_away(&mut left, estate.documents, item, whole) {
            gone.push((item, name));
        }
    }
    if gone.is_empty() {
        return Vec::new();
    }
    let cloud = estate.serve(left);
    gone.into_iter()
        .filter_map(|(item, name)| {
            let given = || {
                if whole {
                    given(&cloud, find, item, &name)
                } else {
                    Ok(())
                }
            };
            let excepted = UNNAMED.iter().any(|(file, _)| *file == find.file);
            let why = match asked(&cloud, find, item) {
                Err(why) => why,
                Ok(()) => match given() {
                    Err(_) if excepted => {
                        unnamed.lock().unwrap().insert(find.file.clone());
                        return None;
                    }
                    given => given.err()?,
                },
            };
            let what = if whole {
                "its resource is gone"
            } else {
                "its record is gone"
            };
            Some(format!(
                "{}: {}/{}: {}: {what}: {why}",
                estate.name, find.kind, find.file, item["what"]
            ))
        })
        .collect()
}

/// Everything that a run asks of an item, but what gives or turns.
fn asked(cloud: &Cloud, find: &Find, item: &Value) -> Result<(), String> {
    let (old, target) = (&cloud.old, &cloud.target);
    let binding = find.kind == "bindings";
    // Through what runbooks call: a file may say `not-found` of what is gone.
    let ask = |function: &str, identities: &[&Value]| cloud.through(function, &find.file, item, identities);
    let seen = if binding {
        ask("check_binding", &[old, target])
    } else {
        ask("check_grant", &[target])
    }?;
    let answers = seen.is_boolean() || seen["unknown"].is_string();
    expect(answers, || format!("check says {seen}"))?;
    // Of a binding nothing is left to turn; a grant is not there.
    expect(binding || seen != Value::Bool(true), || {
        "check says that it is granted".into()
    })?;
    for (one, other) in [(old, target), (target, old)] {
        unsent(cloud, "taking it off", || {
            if binding {
                ask("take_off", &[one, other])
            } else {
                ask("take_grant", &[one])
            }
        })?;
    }
    if binding && cloud.has(find.script(), "settle") {
        ask("settled", &[old, target])?;
    }
    Ok(())
}

/// Nothing is given in what is gone, or turned there: that is an error that names it.
fn given(cloud: &Cloud, find: &Find, item: &Value, resource: &str) -> Result<(), String> {
    if item["by_hand"].is_string() {
        return Ok(());
    }
    let (old, target) = (&cloud.old, &cloud.target);
    let binding = find.kind == "bindings";
    let give = if binding { "attach" } else { "grant" };
    let mark = cloud.writes();
    let arguments: &[&Value] = if binding { &[item, old, target] } else { &[item, target] };
    match cloud.call(find.script(), give, arguments) {
        Err(why) if why.to_lowercase().contains(resource) => Ok(()),
        Err(why) => Err(format!("{give} does not say that {resource} is gone: {why}")),
        Ok(_) => Err(format!("{give} goes through, and sent {:?}", cloud.writes_since(mark))),
    }
}

/// Takes from an estate the resource that an item lies in, or its record alone; gives the name of what is gone, and
/// nothing where that is the identity, or what the identity itself lies in.
fn take_away(left: &mut Value, estate: &Value, item: &Value, whole: bool) -> Option<String> {
    let own = estate["demo"]["relocate"]["identity"].as_str()?.to_lowercase();
    let text = |name: &str| item[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let place = text("resource")
        .or_else(|| text("id").filter(|id| id.starts_with('/')))
        .or_else(|| text("scope"))?;
    let scope = text("scope").unwrap_or_default();
    if place.starts_with("/subscriptions/") || place.starts_with("/providers/") {
        let id = ResourceId::parse(&place).ok()?;
        let gone = if whole { id.top_level() } else { id.clone() };
        // Above the group nothing vanishes under a relocation's feet; a record is what lies below something.
        let record = !whole && id.top_level().key() != id.key();
        let resource = whole && gone.resource_group().is_some() && gone.namespace() != "Microsoft.Authorization";
        let in_group = gone.namespace() != "Microsoft.Resources";
        // The simulator serves no list of billing roles at an account without one.
        let billing = gone.namespace() == "Microsoft.Billing";
        if !(record || resource) || !in_group || billing || own == gone.key() || !exists(estate, gone.as_str()) {
            return None;
        }
        let documents = left["arm"]["resources"].as_array_mut()?;
        documents.retain(|document| {
            let found = document["id"].as_str().and_then(|id| ResourceId::parse(id).ok());
            found.is_none_or(|found| !found.is_within(&gone))
        });
        // A service that is gone answers at its address no more.
        let host = format!("//{}.", gone.name().to_lowercase());
        if let Some(data) = left["data"].as_object_mut().filter(|_| whole) {
            data.retain(|address, _| !address.to_lowercase().contains(&host));
        }
        return Some(gone.name().to_lowercase());
    }
    let name = scope.rsplit('/').next().filter(|name| name.len() == 36)?.to_owned();
    if !whole {
        return None;
    }
    let mut known = false;
    for (_, entries) in left["graph"].as_object_mut()? {
        let Some(entries) = entries.as_array_mut() else {
            continue;
        };
        let before = entries.len();
        entries.retain(|entry| !entry.to_string().contains(&name));
        known |= entries.len() < before;
    }
    known.then_some(name)
}

fn exists(estate: &Value, id: &str) -> bool {
    super::documents::document(estate, id).is_some()
}
