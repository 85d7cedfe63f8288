//! Federated identity credentials of applications: stored in the application's document, at most twenty.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::answer::{Call, Outcome, Reply};
use super::directory::{Directory, opaque_id};
use super::entity;
use super::page::{self, Listing};
use super::refusal::Refusal;
use super::schema::Kind;
use super::view::View;

const MEMBER: &str = "federatedIdentityCredentials";
/// How many an application may have.
const MOST: usize = 20;

impl Directory {
    /// The federated credentials of an application, by id.
    pub(super) fn credentials(&self, application: &str) -> Vec<View<'_>> {
        let entry = self.entry(Kind::Application, application);
        let stored = entry.and_then(|entry| entry.get(MEMBER)).and_then(Value::as_array);
        let mut rows: Vec<View<'_>> = stored
            .into_iter()
            .flatten()
            .map(|document| {
                let mut document = document.clone();
                let id = id_of(&document);
                if document.is_object() {
                    document["id"] = json!(id);
                }
                View::made(Kind::Credential, &id, document, &self.tenant)
            })
            .collect();
        rows.sort_by(|left, right| left.key.cmp(&right.key));
        rows
    }

    fn stored_credentials(&mut self, application: &str) -> Option<&mut Vec<Value>> {
        let document = self.section_mut(Kind::Application).get_mut(application)?.written();
        if !document.get(MEMBER).is_some_and(Value::is_array) {
            document[MEMBER] = json!([]);
        }
        document[MEMBER].as_array_mut()
    }
}

fn id_of(document: &Value) -> String {
    document
        .get("id")
        .and_then(Value::as_str)
        .map_or_else(|| opaque_id(document), str::to_owned)
}

/// A credential may be named by its id or by its name.
fn names(view: &View<'_>, wanted: &str) -> bool {
    view.key.eq_ignore_ascii_case(wanted)
        || view
            .get("name")
            .as_str()
            .is_some_and(|name| name.eq_ignore_ascii_case(wanted))
}

/// `/applications/{id}/federatedIdentityCredentials` and what is below.
pub(super) fn serve(directory: &mut Directory, call: &Call<'_>, application: &str, rest: &[&str]) -> Outcome {
    let context = format!("applications('{application}')/{MEMBER}");
    let find = |directory: &Directory, wanted: &str| {
        let mut rows = directory.credentials(application).into_iter();
        rows.find(|view| names(view, wanted))
            .map(|view| view.id())
            .ok_or_else(|| Refusal::not_found(wanted))
    };
    match (call.ask.method.as_str(), rest) {
        ("GET", []) => {
            let rows = directory.credentials(application).into_iter();
            page::list(directory, call, Listing::of(Kind::Credential, &context), rows)
        }
        ("GET", [wanted]) => {
            let rows = directory.credentials(application);
            let view = rows.iter().find(|view| names(view, wanted));
            entity::show(
                directory,
                call,
                view.ok_or_else(|| Refusal::not_found(wanted))?,
                &context,
            )
        }
        ("POST", []) => create(directory, call, application, &context),
        ("PATCH", [wanted]) => {
            let id = find(directory, wanted)?;
            let body = call.body()?.clone();
            if body.contains_key("name") {
                return Err(Refusal::bad("Property 'name' is read-only and cannot be set."));
            }
            let stored = directory.stored_credentials(application);
            if let Some(document) = stored.into_iter().flatten().find(|document| id_of(document) == id) {
                // A computed id would change with the text: it is stored from now on.
                document["id"] = json!(id);
                crate::types::json::merge(document, &Value::Object(body));
            }
            Ok(Reply::none())
        }
        ("DELETE", [wanted]) => {
            let id = find(directory, wanted)?;
            if let Some(stored) = directory.stored_credentials(application) {
                stored.retain(|document| id_of(document) != id);
            }
            Ok(Reply::none())
        }
        (_, [] | [_]) => Err(Refusal::method()),
        (_, [_, other, ..]) => Err(Refusal::no_segment(other)),
    }
}

fn create(directory: &mut Directory, call: &Call<'_>, application: &str, context: &str) -> Outcome {
    let body = call.body()?;
    let of = "FederatedIdentityCredential";
    for needed in ["name", "issuer", "audiences"] {
        if body.get(needed).is_none_or(Value::is_null) {
            return Err(Refusal::missing_property(needed, of));
        }
    }
    if body.get("subject").is_none_or(Value::is_null) && body.get("claimsMatchingExpression").is_none() {
        return Err(Refusal::missing_property("subject", of));
    }
    let present = directory.credentials(application);
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    if present.len() >= MOST {
        return Err(Refusal::bad(format!(
            "The maximum number of federated identity credentials, {MOST}, is reached."
        )));
    }
    if present.iter().any(|view| names(view, text("name"))) {
        return Err(Refusal::bad(format!(
            "FederatedIdentityCredential with name {} already exists.",
            text("name")
        )));
    }
    let pair = |view: &View<'_>| {
        view.get("issuer").as_str() == Some(text("issuer")) && view.get("subject").as_str() == Some(text("subject"))
    };
    if present.iter().any(pair) {
        return Err(Refusal::bad(
            "FederatedIdentityCredential with issuer and subject combination already exists.",
        ));
    }
    let mut stored = Map::new();
    let id = Uuid::new_v4().to_string();
    stored.insert("id".to_owned(), json!(id));
    let sent = body.iter().filter(|(name, _)| !name.contains('@') && *name != "id");
    stored.extend(sent.map(|(name, value)| (name.clone(), value.clone())));
    let view = View::made(Kind::Credential, &id, Value::Object(stored.clone()), &directory.tenant);
    let reply = entity::created(directory, call, &view, context);
    if let Some(all) = directory.stored_credentials(application) {
        all.push(Value::Object(stored));
    }
    Ok(reply)
}
