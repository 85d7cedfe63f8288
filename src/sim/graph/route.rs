//! Which part of the directory a path belongs to.

use http::Method;
use serde_json::{Value, json};

use super::answer::{Call, Outcome, only};
use super::directory::Directory;
use super::page::{self, Listing};
use super::path::{Path, Segment};
use super::refusal::Refusal;
use super::schema::Kind;
use super::view::View;
use super::{app_role, directory_role, entity, governance, permission_grant, schedule};

/// Answers by path and method.
pub(super) fn route(directory: &mut Directory, call: &Call<'_>, path: &Path) -> Outcome {
    let mut names: Vec<String> = Vec::new();
    for segment in &path.segments {
        match segment {
            Segment::Name(name) => names.push(name.clone()),
            Segment::Alternate { property, value } => {
                let set = names.last().and_then(|set| Kind::of_set(set));
                let kind = set.ok_or_else(|| Refusal::no_segment(value))?;
                names.push(entity::by_key(directory, call, kind, property, value)?);
            }
        }
    }
    if names.first().is_some_and(|first| first.eq_ignore_ascii_case("me")) {
        let caller = call.ask.caller.principal.clone();
        if directory.entry(Kind::User, &caller).is_none() {
            return Err(Refusal::gateway(
                "/me request is only valid with delegated authentication flow.",
            ));
        }
        names.splice(0..1, ["users".to_owned(), caller]);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let lower: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    match lower.as_slice() {
        [] => Err(Refusal::method()),
        ["directoryobjects", ..] => entity::any(directory, call, &names[1..]),
        ["rolemanagement", "directory", "roleassignments", ..] => {
            directory_role::assignments(directory, call, &names[3..])
        }
        ["rolemanagement", "directory", "roledefinitions", ..] => {
            directory_role::definitions(directory, call, &names[3..])
        }
        ["directoryroletemplates", ..] => directory_role::templates(directory, call, &names[1..]),
        ["oauth2permissiongrants", ..] => permission_grant::serve(directory, call, &names[1..]),
        ["directory", "deleteditems", ..] => deleted(directory, call, &names[2..]),
        ["auditlogs", "signins", ..] => sign_ins(directory, call, &names[2..]),
        ["approleassignments", ..] => app_role::direct(call),
        ["organization", ..] => organization(directory, call, &names[1..]),
        ["directory", "administrativeunits", ..] => entity::set(directory, call, Kind::AdministrativeUnit, &names[2..]),
        [set, ..] => match Kind::of_set(set) {
            Some(kind) => entity::set(directory, call, kind, &names[1..]),
            None => kept(directory, call, &names, &lower),
        },
    }
}

fn sign_ins(directory: &Directory, call: &Call<'_>, rest: &[&str]) -> Outcome {
    only(call, &Method::GET)?;
    match rest {
        [] => {
            let rows = directory.entries(Kind::SignIn);
            let rows = rows.map(|(key, entry)| View::of(Kind::SignIn, key, entry, &directory.tenant));
            page::list(directory, call, Listing::of(Kind::SignIn, "auditLogs/signIns"), rows)
        }
        [id] => {
            let entry = directory
                .entry(Kind::SignIn, id)
                .ok_or_else(|| Refusal::not_found(id))?;
            let view = View::of(Kind::SignIn, id, entry, &directory.tenant);
            entity::show(directory, call, &view, "auditLogs/signIns")
        }
        [_, other, ..] => Err(Refusal::no_segment(other)),
    }
}

/// `/directory/deletedItems/{id}`: what was deleted and can still be restored, as the estate has it.
fn deleted(directory: &Directory, call: &Call<'_>, rest: &[&str]) -> Outcome {
    only(call, &Method::GET)?;
    let [id] = rest else {
        return Err(rest
            .get(1)
            .map_or_else(Refusal::method, |other| Refusal::no_segment(other)));
    };
    let documents = directory.kept("deletedItems").and_then(Value::as_array);
    let is = |document: &&Value| {
        document
            .get("id")
            .and_then(Value::as_str)
            .is_some_and(|own| own.eq_ignore_ascii_case(id))
    };
    let found = documents.into_iter().flatten().find(is);
    let document = found.ok_or_else(|| Refusal::not_found(id))?.clone();
    let view = View::made(Kind::Organization, id, document, &directory.tenant);
    entity::show(directory, call, &view, "directoryObjects")
}

fn organization(directory: &Directory, call: &Call<'_>, rest: &[&str]) -> Outcome {
    only(call, &Method::GET)?;
    let mut document = json!({
        "id": directory.tenant, "deletedDateTime": null, "displayName": "Contoso", "countryLetterCode": null,
        "onPremisesSyncEnabled": null, "tenantType": "AAD", "assignedPlans": [],
        "verifiedDomains": [{"capabilities": "Email, OfficeCommunicationsOnline", "isDefault": true, "isInitial": true,
            "name": "contoso.example", "type": "Managed"}],
    });
    // The estate may say more of its tenant.
    let first = directory.kept("organization").map(|kept| kept.get(0).unwrap_or(kept));
    if let Some(known) = first.filter(|known| known.is_object()) {
        crate::types::json::merge(&mut document, known);
    }
    let view = View::made(Kind::Organization, &directory.tenant, document, &directory.tenant);
    match rest {
        [] => page::list(
            directory,
            call,
            Listing::of(Kind::Organization, "organization"),
            std::iter::once(view),
        ),
        [id] if id.eq_ignore_ascii_case(&directory.tenant) => entity::show(directory, call, &view, "organization"),
        [id] => Err(Refusal::not_found(id)),
        [_, other, ..] => Err(Refusal::no_segment(other)),
    }
}

/// Collections that the directory serves to be read only: what the estate keeps under the last segment's name, or
/// nothing.
const READ: &[&str] = &[
    "rolemanagement/directory/roleeligibilityscheduleinstances",
    "rolemanagement/directory/roleassignmentscheduleinstances",
    "rolemanagement/directory/roleeligibilityschedules",
    "rolemanagement/directory/roleassignmentschedules",
    "identitygovernance/privilegedaccess/group/assignmentscheduleinstances",
    "identitygovernance/privilegedaccess/group/eligibilityscheduleinstances",
    "identitygovernance/entitlementmanagement/assignments",
    "devices",
    "domains",
    "subscribedskus",
];

fn kept(directory: &mut Directory, call: &Call<'_>, names: &[&str], lower: &[&str]) -> Outcome {
    let path = lower.join("/");
    if let Some(outcome) = schedule::serve(directory, call, &path) {
        return outcome;
    }
    if let Some(outcome) = governance::serve(directory, call, names, lower) {
        return outcome;
    }
    let directory = &*directory;
    let first = names.first().copied().unwrap_or_default();
    if !READ.contains(&path.as_str()) {
        return Err(Refusal::no_segment(first));
    }
    only(call, &Method::GET)?;
    let last = names.last().copied().unwrap_or_default();
    let documents = directory.kept(last).and_then(Value::as_array);
    let mut rows: Vec<View<'_>> = documents
        .into_iter()
        .flatten()
        .enumerate()
        .map(|(index, document)| {
            let id = document.get("id").and_then(Value::as_str);
            let key = id.map_or_else(|| format!("{index:08}"), str::to_owned);
            View::made(Kind::Other, &key, document.clone(), &directory.tenant)
        })
        .collect();
    rows.sort_by(|left, right| left.key.cmp(&right.key));
    let context = names.join("/");
    page::list(directory, call, Listing::of(Kind::Other, &context), rows.into_iter())
}
