//! Delegated permissions: `/oauth2PermissionGrants`, whole or of one client or user.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::answer::{Call, Outcome, Reply};
use super::directory::{Directory, opaque_id};
use super::entity;
use super::page::{self, Listing};
use super::refusal::Refusal;
use super::schema::Kind;
use super::section::{Entry, NewEntry};
use super::view::View;

const SET: &str = "oauth2PermissionGrants";

fn view<'a>(directory: &'a Directory, key: &str, entry: &'a Entry) -> View<'a> {
    let mut doc = entry.stored.clone().unwrap_or(Value::Null);
    if entry.text("id").is_none() {
        doc["id"] = json!(opaque_id(&doc));
    }
    View::made(Kind::PermissionGrant, key, doc, &directory.tenant)
}

/// The grants below a service principal (`clientId`) or a user (`principalId`).
pub(super) fn of(directory: &Directory, call: &Call<'_>, kind: Kind, id: &str, rest: &[&str]) -> Outcome {
    super::answer::only(call, &http::Method::GET)?;
    if let Some(other) = rest.first() {
        return Err(Refusal::no_segment(other));
    }
    let member = if kind == Kind::User { "principalId" } else { "clientId" };
    let rows = directory
        .entries(Kind::PermissionGrant)
        .filter(|(_, entry)| entry.text(member).is_some_and(|of| of.eq_ignore_ascii_case(id)))
        .map(|(key, entry)| view(directory, key, entry));
    page::list(directory, call, Listing::of(Kind::PermissionGrant, SET), rows)
}

/// `/oauth2PermissionGrants` and what is below.
pub(super) fn serve(directory: &mut Directory, call: &Call<'_>, rest: &[&str]) -> Outcome {
    match (call.ask.method.as_str(), rest) {
        ("GET", []) => {
            let rows = directory.entries(Kind::PermissionGrant);
            let rows = rows.map(|(key, entry)| view(directory, key, entry));
            page::list(directory, call, Listing::of(Kind::PermissionGrant, SET), rows)
        }
        ("GET", [id]) => {
            let entry = directory.entry(Kind::PermissionGrant, id);
            let found = entry.map(|entry| view(directory, id, entry));
            entity::show(directory, call, &found.ok_or_else(|| Refusal::not_found(id))?, SET)
        }
        ("POST", []) => grant(directory, call),
        ("PATCH", [id]) => {
            let body = call.body()?.clone();
            let entry = directory.section_mut(Kind::PermissionGrant).get_mut(id);
            let entry = entry.ok_or_else(|| Refusal::not_found(id))?;
            if let Some(name) = body.keys().find(|name| *name != "scope") {
                return Err(Refusal::bad(format!(
                    "Property '{name}' is read-only and cannot be set."
                )));
            }
            crate::types::json::merge(entry.written(), &Value::Object(body));
            Ok(Reply::none())
        }
        ("DELETE", [id]) => {
            let gone = directory.section_mut(Kind::PermissionGrant).remove(id);
            gone.ok_or_else(|| Refusal::not_found(id))?;
            Ok(Reply::none())
        }
        (_, [] | [_]) => Err(Refusal::method()),
        (_, [_, other, ..]) => Err(Refusal::no_segment(other)),
    }
}

fn grant(directory: &mut Directory, call: &Call<'_>) -> Outcome {
    let body = call.body()?;
    let text = |member: &str| body.get(member).and_then(Value::as_str);
    for needed in ["clientId", "consentType", "resourceId", "scope"] {
        text(needed).ok_or_else(|| Refusal::missing_property(needed, "OAuth2PermissionGrant"))?;
    }
    if text("consentType") == Some("Principal") && text("principalId").is_none() {
        return Err(Refusal::missing_property("principalId", "OAuth2PermissionGrant"));
    }
    if !directory.knows(text("clientId").unwrap_or_default(), call.now()) {
        return Err(Refusal::invalid_reference());
    }
    let same = |entry: &Entry| {
        ["clientId", "consentType", "resourceId", "principalId"]
            .iter()
            .all(|member| {
                let (one, other) = (entry.text(member).unwrap_or_default(), text(member).unwrap_or_default());
                one.eq_ignore_ascii_case(other)
            })
    };
    if directory.entries(Kind::PermissionGrant).any(|(_, entry)| same(entry)) {
        return Err(Refusal::bad("Permission entry already exists."));
    }
    let id = opaque_id(&json!([Uuid::new_v4().to_string()]));
    let mut stored = Map::new();
    stored.insert("id".to_owned(), json!(id));
    let sent = body.iter().filter(|(name, _)| !name.contains('@') && *name != "id");
    stored.extend(sent.map(|(name, value)| (name.clone(), value.clone())));
    let made = View::made(
        Kind::PermissionGrant,
        &id,
        Value::Object(stored.clone()),
        &directory.tenant,
    );
    let reply = entity::created(directory, call, &made, SET);
    directory
        .section_mut(Kind::PermissionGrant)
        .add(&id, NewEntry::made(Value::Object(stored), call.now()));
    Ok(reply)
}
