//! Writes: directory objects made, changed and deleted, and references added and removed.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::answer::{Call, Outcome, Reply};
use super::directory::Directory;
use super::refusal::Refusal;
use super::schema::{Kind, NAVIGATION, READ_ONLY};
use super::section::NewEntry;
use super::view::View;
use super::{entity, group_rule};

/// How many references one request may bind.
const MOST_BOUND: usize = 20;

/// What must be given to make an object.
fn required(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Group => &["displayName", "mailEnabled", "mailNickname", "securityEnabled"],
        Kind::User => &["accountEnabled", "displayName", "mailNickname", "userPrincipalName"],
        Kind::ServicePrincipal => &["appId"],
        Kind::DirectoryRole => &["roleTemplateId"],
        _ => &["displayName"],
    }
}

/// What a managed identity lets be changed of its service principal; the rest is Azure's.
const OF_MANAGED_IDENTITY: &[&str] = &["appRoleAssignmentRequired", "customSecurityAttributes", "notes", "tags"];

/// The properties and the bound references of a body.
struct Sent {
    properties: Map<String, Value>,
    bound: Vec<(&'static str, Vec<String>)>,
}

fn read(body: &Map<String, Value>, kind: Kind) -> Result<Sent, Refusal> {
    let mut sent = Sent {
        properties: Map::new(),
        bound: Vec::new(),
    };
    for (name, value) in body {
        if let Some(property) = name.strip_suffix("@odata.bind") {
            let property = ["members", "owners"]
                .into_iter()
                .find(|known| *known == property)
                .ok_or_else(|| Refusal::no_property(property, &format!("microsoft.graph.{}", kind.odata())))?;
            sent.bound.push((property, references(property, value)?));
        } else if name.starts_with('@') {
            // An annotation, such as the type: nothing to store.
        } else if NAVIGATION.contains(&name.as_str()) || kind.member(name).is_none() && !more(kind, name) {
            return Err(Refusal::bad(format!("Invalid property '{name}'.")));
        } else if READ_ONLY.contains(&name.as_str()) {
            return Err(Refusal::bad(format!(
                "Property '{name}' is read-only and cannot be set."
            )));
        } else {
            sent.properties.insert(name.clone(), value.clone());
        }
    }
    Ok(sent)
}

/// Properties that can be written and are never shown.
fn more(kind: Kind, name: &str) -> bool {
    kind == Kind::User && name == "passwordProfile" || name.starts_with("extension_")
}

fn references(property: &str, value: &Value) -> Result<Vec<String>, Refusal> {
    let items = value
        .as_array()
        .ok_or_else(|| Refusal::gateway(format!("'{property}@odata.bind' must be a list of references.")))?;
    if items.len() > MOST_BOUND {
        return Err(Refusal::bad(format!(
            "The number of references in '{property}@odata.bind' exceeds the maximum of {MOST_BOUND}."
        )));
    }
    items.iter().map(reference).collect()
}

/// The id at the end of a reference, whatever host and set it names: `…/directoryObjects/{id}` or `…/users('{id}')`.
fn reference(value: &Value) -> Result<String, Refusal> {
    let text = value.as_str().unwrap_or_default().trim_end_matches('/');
    let last = text.rsplit('/').next().unwrap_or_default();
    let id = last
        .split_once("('")
        .and_then(|(_, key)| key.strip_suffix("')"))
        .unwrap_or(last);
    if id.is_empty() {
        return Err(Refusal::bad("The reference is not valid: an '@odata.id' is needed."));
    }
    Ok(id.to_owned())
}

/// The target of a reference, if it may stand there: known, visible, of a kind that fits, and not there yet.
fn target(
    directory: &Directory,
    call: &Call<'_>,
    holder: (Kind, &str),
    property: &str,
    id: &str,
) -> Result<String, Refusal> {
    let (kind, of) = holder;
    let Some((target, entry)) = directory.object(id, call.now()) else {
        return Err(Refusal::not_found(id));
    };
    let fits = match kind {
        Kind::Group => {
            let group = directory.entry(kind, of);
            group.map_or(Ok(()), |group| {
                group_rule::takes(group, property, target, id.eq_ignore_ascii_case(of))
            })
        }
        Kind::DirectoryRole if matches!(target, Kind::User | Kind::ServicePrincipal | Kind::Group) => Ok(()),
        Kind::ServicePrincipal | Kind::Application if matches!(target, Kind::User | Kind::ServicePrincipal) => Ok(()),
        // Service principals are no documented members of a unit.
        Kind::AdministrativeUnit if matches!(target, Kind::User | Kind::Group) => Ok(()),
        _ => Err(Refusal::invalid_member(property)),
    };
    fits?;
    let present = directory.linked(property, kind, of, id)
        || kind == Kind::DirectoryRole && directory.direct_members(kind, of).contains(&id.to_lowercase());
    if present {
        return Err(Refusal::duplicate_reference(property));
    }
    Ok(entry.text("id").unwrap_or(id).to_owned())
}

fn may_link(directory: &Directory, call: &Call<'_>, kind: Kind, id: &str, property: &str) -> Result<(), Refusal> {
    match directory.entry(kind, id) {
        Some(group) if kind == Kind::Group => group_rule::may_change_links(directory, call, group, property),
        _ => Ok(()),
    }
}

/// `POST …/{property}/$ref`.
pub(super) fn add_reference(
    directory: &mut Directory,
    call: &Call<'_>,
    kind: Kind,
    id: &str,
    property: &str,
) -> Outcome {
    let sent = reference(call.body()?.get("@odata.id").unwrap_or(&Value::Null))?;
    may_link(directory, call, kind, id, property)?;
    let found = target(directory, call, (kind, id), property, &sent)?;
    directory.link(property, kind, id, &found);
    Ok(Reply::none())
}

/// `DELETE …/{property}/{target}/$ref`.
pub(super) fn remove_reference(
    directory: &mut Directory,
    call: &Call<'_>,
    kind: Kind,
    id: &str,
    property: &str,
    target: &str,
) -> Outcome {
    may_link(directory, call, kind, id, property)?;
    let linked = directory.linked(property, kind, id, target);
    if linked
        && kind == Kind::Group
        && let Some(group) = directory.entry(kind, id)
    {
        group_rule::may_leave(group, property)?;
    }
    let gone = if kind == Kind::DirectoryRole {
        directory.take_role(id, target)
    } else {
        directory.unlink(property, kind, id, target)
    };
    if gone {
        Ok(Reply::none())
    } else {
        Err(Refusal::not_found(target))
    }
}

/// `POST` to a set.
pub(super) fn create(directory: &mut Directory, call: &Call<'_>, kind: Kind) -> Outcome {
    let body = call.body()?;
    for needed in required(kind) {
        if body.get(*needed).is_none_or(Value::is_null) {
            return Err(Refusal::missing_property(needed, &kind.title()));
        }
    }
    let sent = read(body, kind)?;
    unique(directory, kind, &sent.properties)?;
    let id = Uuid::new_v4().to_string();
    let mut stored = Map::new();
    stored.insert("id".to_owned(), json!(id));
    if kind == Kind::Application && !sent.properties.contains_key("appId") {
        stored.insert("appId".to_owned(), json!(Uuid::new_v4().to_string()));
    }
    if kind == Kind::ServicePrincipal || kind == Kind::DirectoryRole {
        let name = name_of_origin(directory, kind, &sent.properties)?;
        stored.insert("displayName".to_owned(), json!(name));
    }
    stored.extend(sent.properties);
    directory
        .section_mut(kind)
        .add(&id, NewEntry::made(Value::Object(stored), call.now()));
    // What is bound is checked against the new object; if anything does not fit, there never was one.
    let bound = bind(directory, call, kind, &id, &sent.bound);
    if let Err(refusal) = bound {
        directory.remove_object(kind, &id);
        return Err(refusal);
    }
    let view = directory.view(&id, call.now()).ok_or_else(|| Refusal::not_found(&id))?;
    Ok(entity::created(directory, call, &view, kind.section()))
}

/// Names that may stand only once in the directory.
fn unique(directory: &Directory, kind: Kind, sent: &Map<String, Value>) -> Result<(), Refusal> {
    let names: &[&str] = match kind {
        Kind::Group => &["uniqueName"],
        Kind::User => &["userPrincipalName"],
        Kind::ServicePrincipal => &["appId"],
        Kind::DirectoryRole => &["roleTemplateId"],
        _ => &["uniqueName", "appId"],
    };
    for name in names {
        let Some(wanted) = sent.get(*name).and_then(Value::as_str) else {
            continue;
        };
        let taken = |text: &str| text.eq_ignore_ascii_case(wanted);
        if directory
            .entries(kind)
            .any(|(_, entry)| entry.text(name).is_some_and(taken))
        {
            return Err(Refusal::bad(format!(
                "Another object with the same value for property {name} already exists."
            )));
        }
    }
    Ok(())
}

/// The display name that a service principal takes from its application, a directory role from its template.
fn name_of_origin(directory: &Directory, kind: Kind, sent: &Map<String, Value>) -> Result<String, Refusal> {
    let text = |name: &str| sent.get(name).and_then(Value::as_str).unwrap_or_default();
    if kind == Kind::DirectoryRole {
        let template = text("roleTemplateId");
        let role = directory
            .role_definition(template)
            .ok_or_else(|| Refusal::not_found(template))?;
        return Ok(role.get("displayName").as_str().unwrap_or_default().to_owned());
    }
    let app = text("appId");
    let mut applications = directory.entries(Kind::Application);
    applications
        .find(|(_, entry)| entry.text("appId").is_some_and(|id| id.eq_ignore_ascii_case(app)))
        .map(|(_, entry)| entry.text("displayName").unwrap_or_default().to_owned())
        .ok_or_else(|| {
            Refusal::bad(format!(
                "The appId '{app}' of the service principal does not reference a valid application object."
            ))
        })
}

/// Binds all references or none.
fn bind(
    directory: &mut Directory,
    call: &Call<'_>,
    kind: Kind,
    id: &str,
    bound: &[(&'static str, Vec<String>)],
) -> Result<(), Refusal> {
    let mut found: Vec<(&str, String)> = Vec::new();
    for (property, ids) in bound {
        let known = super::membership::relation(directory, kind, id, property).is_some();
        if !known {
            return Err(Refusal::no_property(
                property,
                &format!("microsoft.graph.{}", kind.odata()),
            ));
        }
        may_link(directory, call, kind, id, property)?;
        for sent in ids {
            let target = target(directory, call, (kind, id), property, sent)?;
            let again = found
                .iter()
                .any(|(of, other)| of == property && other.eq_ignore_ascii_case(&target));
            if again {
                return Err(Refusal::duplicate_reference(property));
            }
            found.push((property, target));
        }
    }
    for (property, target) in found {
        directory.link(property, kind, id, &target);
    }
    Ok(())
}

/// `PATCH` of an object: its properties merged, its references added; all or nothing.
pub(super) fn patch(directory: &mut Directory, call: &Call<'_>, kind: Kind, id: &str) -> Outcome {
    let sent = read(call.body()?, kind)?;
    if kind == Kind::DirectoryRole {
        return Err(Refusal::method());
    }
    if let Some(entry) = directory.entry(kind, id) {
        let view = View::of(kind, id, entry, &directory.tenant);
        let managed = view.get("servicePrincipalType").as_str() == Some("ManagedIdentity");
        let allowed = |name: &String| OF_MANAGED_IDENTITY.contains(&name.as_str());
        if kind == Kind::ServicePrincipal && managed && !sent.properties.keys().all(allowed) {
            return Err(Refusal::denied());
        }
        if kind == Kind::Group {
            group_rule::may_change(entry)?;
            if sent.properties.contains_key("isAssignableToRole") {
                return Err(Refusal::bad(
                    "Property 'isAssignableToRole' is read-only and cannot be set.",
                ));
            }
        }
    }
    bind(directory, call, kind, id, &sent.bound)?;
    if !sent.properties.is_empty()
        && let Some(entry) = directory.section_mut(kind).get_mut(id)
    {
        crate::types::json::merge(entry.written(), &Value::Object(sent.properties));
        tidy_attributes(entry.written());
        entry.forget_if_implied();
    }
    Ok(Reply::none())
}

/// Takes out custom security attributes that were emptied, and sets that hold none any more.
fn tidy_attributes(document: &mut Value) {
    const MEMBER: &str = "customSecurityAttributes";
    let Some(sets) = document.get_mut(MEMBER).and_then(Value::as_object_mut) else {
        return;
    };
    for set in sets.values_mut().filter_map(Value::as_object_mut) {
        set.retain(|_, value| !value.is_null() && value.as_array().is_none_or(|values| !values.is_empty()));
        let left: Vec<String> = set.keys().filter(|name| !name.contains('@')).cloned().collect();
        set.retain(|name, _| match name.split_once('@') {
            Some(("", _)) => !left.is_empty(),
            Some((of, _)) => left.iter().any(|name| name == of),
            None => true,
        });
    }
    sets.retain(|_, set| set.as_object().is_none_or(|set| !set.is_empty()));
    let empty = sets.is_empty();
    if let Some(document) = document.as_object_mut().filter(|_| empty) {
        document.remove(MEMBER);
    }
}

/// `DELETE` of an object.
pub(super) fn delete(directory: &mut Directory, call: &Call<'_>, kind: Kind, id: &str) -> Outcome {
    if kind == Kind::DirectoryRole {
        return Err(Refusal::method());
    }
    if let Some(entry) = directory.entry(kind, id) {
        if kind == Kind::ServicePrincipal && entry.text("servicePrincipalType") == Some("ManagedIdentity") {
            return Err(Refusal::denied());
        }
        if kind == Kind::Group {
            may_link(directory, call, kind, id, "owners")?;
        }
    }
    directory.remove_object(kind, id);
    Ok(Reply::none())
}
