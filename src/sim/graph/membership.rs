//! Memberships and ownerships as they are read: lists, casts, counts, and the actions that test them.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};

use super::answer::{Call, Outcome, Reply, only};
use super::directory::{Directory, texts};
use super::page::{self, Listing};
use super::refusal::Refusal;
use super::schema::Kind;
use super::view::View;

/// The relation of an object by its lower-cased name: its proper name, and the lower-cased ids at its other end.
pub(super) fn relation(
    directory: &Directory,
    kind: Kind,
    id: &str,
    name: &str,
) -> Option<(&'static str, BTreeSet<String>)> {
    use Kind::{AdministrativeUnit, Application, DirectoryRole, Group, ServicePrincipal, User};
    let ids = |found: BTreeSet<(Kind, String)>| found.into_iter().map(|(_, id)| id).collect();
    let owned = || directory.owned.get(&id.to_lowercase()).cloned().unwrap_or_default();
    let owners = || {
        let entry = directory.entry(kind, id);
        let owners = entry.map(|entry| entry.ids("owners")).unwrap_or_default();
        owners.iter().map(|id| id.to_lowercase()).collect()
    };
    Some(match (name, kind) {
        ("members", Group | DirectoryRole | AdministrativeUnit) => ("members", directory.direct_members(kind, id)),
        ("transitivemembers", Group) => ("transitiveMembers", directory.all_members(kind, id)),
        ("owners", Group | ServicePrincipal | Application) => ("owners", owners()),
        ("memberof", User | Group | ServicePrincipal) => ("memberOf", ids(directory.direct_containers(id))),
        ("transitivememberof", User | Group | ServicePrincipal) => {
            ("transitiveMemberOf", ids(directory.all_containers(id)))
        }
        ("ownedobjects", User | ServicePrincipal) => ("ownedObjects", ids(owned())),
        ("createdobjects", User | ServicePrincipal) => ("createdObjects", BTreeSet::new()),
        _ => return None,
    })
}

/// Lists a relation, whole or cast to one type.
///
/// * `rest`: what follows in the path: a cast, `$count`, both or nothing
pub(super) fn list(directory: &Directory, call: &Call<'_>, ids: &BTreeSet<String>, rest: &[&str]) -> Outcome {
    let (cast, counted) = match rest {
        [] => (None, false),
        ["$count"] => (None, true),
        ["$ref"] => return Ok(references(directory, call, ids)),
        [cast] => (Some(*cast), false),
        [cast, "$count"] => (Some(*cast), true),
        [other, ..] => return Err(Refusal::no_segment(other)),
    };
    let kind = match cast {
        None => None,
        Some(cast) => {
            let lower = cast.to_lowercase();
            let name = lower
                .strip_prefix("microsoft.graph.")
                .ok_or_else(|| Refusal::no_segment(cast))?;
            let mut kinds = Kind::OBJECTS.into_iter();
            // A type that this directory has none of, devices for instance, gives an empty list.
            Some(
                kinds
                    .find(|kind| kind.odata().eq_ignore_ascii_case(name))
                    .unwrap_or(Kind::Other),
            )
        }
    };
    let context = kind.map_or("directoryObjects", Kind::section);
    let listing = Listing {
        context,
        kind,
        cast: cast.is_some(),
    };
    let rows = views(directory, call, ids).filter(|view| kind.is_none_or(|kind| kind == view.kind));
    if counted {
        page::count(call, listing, rows)
    } else {
        page::list(directory, call, listing, rows)
    }
}

fn views<'a>(
    directory: &'a Directory,
    call: &'a Call<'_>,
    ids: &'a BTreeSet<String>,
) -> impl Iterator<Item = View<'a>> {
    ids.iter().filter_map(|id| directory.view(id, call.now()))
}

fn references(directory: &Directory, call: &Call<'_>, ids: &BTreeSet<String>) -> Reply {
    let base = format!("{}/{}", call.ask.base, call.version);
    let rows: Vec<Value> = views(directory, call, ids)
        .map(|view| json!({"@odata.id": format!("{base}/directoryObjects/{}", view.id())}))
        .collect();
    Reply::ok(json!({"@odata.context": call.context("Collection($ref)"), "value": rows}))
}

/// `getMemberGroups`, `getMemberObjects`, `checkMemberGroups`, `checkMemberObjects`; none for another name.
pub(super) fn action(directory: &Directory, call: &Call<'_>, kind: Kind, id: &str, name: &str) -> Option<Outcome> {
    let name = name.strip_prefix("microsoft.graph.").unwrap_or(name);
    let (objects, check) = match name {
        "getmembergroups" => (false, None),
        "getmemberobjects" => (true, None),
        "checkmembergroups" => (false, Some("groupIds")),
        "checkmemberobjects" => (true, Some("ids")),
        _ => return None,
    };
    if !matches!(kind, Kind::User | Kind::Group | Kind::ServicePrincipal) {
        return None;
    }
    Some(only(call, &Method::POST).and_then(|()| act(directory, call, kind, id, objects, check)))
}

fn act(directory: &Directory, call: &Call<'_>, kind: Kind, id: &str, objects: bool, check: Option<&str>) -> Outcome {
    let body = call.body()?;
    let mut found = directory.all_containers(id);
    found.retain(|(kind, _)| objects || *kind == Kind::Group);
    // The ids are shown as they are stored.
    let shown = |(kind, id): &(Kind, String)| {
        let stored = directory.entry(*kind, id).and_then(|entry| entry.text("id"));
        json!(stored.unwrap_or(id))
    };
    let ids: Vec<Value> = if let Some(parameter) = check {
        if !body.get(parameter).is_some_and(Value::is_array) {
            return Err(Refusal::gateway(format!(
                "Parameter '{parameter}' is missing or is no list."
            )));
        }
        let asked: BTreeSet<String> = texts(body.get(parameter)).iter().map(|id| id.to_lowercase()).collect();
        if asked.len() > 20 {
            return Err(Refusal::bad(format!(
                "The number of elements in '{parameter}' exceeds the maximum of 20."
            )));
        }
        found.iter().filter(|(_, id)| asked.contains(id)).map(shown).collect()
    } else {
        let only_security = body
            .get("securityEnabledOnly")
            .and_then(Value::as_bool)
            .ok_or_else(|| Refusal::gateway("Parameter 'securityEnabledOnly' is missing or is no boolean."))?;
        if only_security && kind != Kind::User {
            return Err(Refusal::bad(
                "The parameter 'securityEnabledOnly' may be true only for users.",
            ));
        }
        let secure = |(kind, id): &&(Kind, String)| {
            let entry = directory.entry(*kind, id);
            let enabled = entry.and_then(|entry| entry.get("securityEnabled"));
            !only_security || enabled.and_then(Value::as_bool) != Some(false)
        };
        found.iter().filter(secure).map(shown).collect()
    };
    Ok(Reply::action(
        json!({"@odata.context": call.context("Collection(Edm.String)"), "value": ids}),
    ))
}
