//! Directory objects one by one: what is shown of them, and what hangs below them in a path.

use http::Method;
use serde_json::{Map, Value, json};

use super::answer::{Call, Outcome, Reply, only};
use super::app_role::{self, End};
use super::directory::Directory;
use super::page::{self, Listing};
use super::refusal::Refusal;
use super::schema::Kind;
use super::view::View;
use super::{change, credential, membership, permission_grant};

/// 200 with one object.
pub(super) fn show(directory: &Directory, call: &Call<'_>, view: &View<'_>, set: &str) -> Outcome {
    let shown = page::row_json(directory, call, view, false)?;
    Ok(Reply::ok(Value::Object(framed(call, shown, &page::context(call, set)))))
}

/// 201 with what was made.
pub(super) fn created(directory: &Directory, call: &Call<'_>, view: &View<'_>, set: &str) -> Reply {
    let mut shown = Map::new();
    shown.insert(
        "@odata.context".to_owned(),
        json!(call.context(&format!("{set}/$entity"))),
    );
    shown.extend(view.shape(None, call.beta()));
    let id = view.id();
    let location = if view.kind.is_object() {
        let (tenant, title) = (&directory.tenant, view.kind.title());
        format!("https://graph.microsoft.com/v2/{tenant}/directoryObjects/{id}/Microsoft.DirectoryServices.{title}")
    } else {
        format!("{}{}/{id}", call.ask.base, call.ask.path.trim_end_matches('/'))
    };
    Reply::created(shown, location)
}

fn framed(call: &Call<'_>, shown: Value, context: &str) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert(
        "@odata.context".to_owned(),
        json!(call.context(&format!("{context}/$entity"))),
    );
    if let Value::Object(shown) = shown {
        body.extend(shown);
    }
    body
}

/// A set of directory objects: `/groups`, `/users`, `/servicePrincipals`, `/applications`, `/directoryRoles`.
///
/// * `rest`: the path behind the set's name
pub(super) fn set(directory: &mut Directory, call: &Call<'_>, kind: Kind, rest: &[&str]) -> Outcome {
    match (call.ask.method.as_str(), rest) {
        ("GET", []) => page::list(
            directory,
            call,
            Listing::of(kind, kind.section()),
            rows(directory, call, kind),
        ),
        ("GET", ["$count"]) => page::count(call, Listing::of(kind, kind.section()), rows(directory, call, kind)),
        ("POST", []) => change::create(directory, call, kind),
        (_, []) => Err(Refusal::method()),
        (_, [id, rest @ ..]) => {
            let id = resolve(directory, call, kind, id)?;
            one(directory, call, kind, &id, rest)
        }
    }
}

fn rows<'a>(directory: &'a Directory, call: &'a Call<'_>, kind: Kind) -> impl Iterator<Item = View<'a>> {
    let section = directory.section(kind).into_iter();
    section
        .flat_map(|section| section.after(page::after(call)))
        .filter(|(_, entry)| entry.visible(call.now()))
        .map(move |(key, entry)| View::of(kind, key, entry, &directory.tenant))
}

/// The id of an object by what stands in the path: its id, or a user's principal name.
fn resolve(directory: &Directory, call: &Call<'_>, kind: Kind, sent: &str) -> Result<String, Refusal> {
    if let Some(entry) = directory.entry(kind, sent) {
        return if entry.visible(call.now()) {
            Ok(sent.to_owned())
        } else {
            Err(Refusal::not_found(sent))
        };
    }
    if kind == Kind::User && sent.contains('@') {
        return by_key(directory, call, kind, "userPrincipalName", sent);
    }
    if uuid::Uuid::parse_str(sent).is_err() {
        return Err(Refusal::invalid_id(sent));
    }
    Err(Refusal::not_found(sent))
}

/// The id of the object whose alternate key has this value.
pub(super) fn by_key(
    directory: &Directory,
    call: &Call<'_>,
    kind: Kind,
    property: &str,
    value: &str,
) -> Result<String, Refusal> {
    let keys: &[&str] = match kind {
        Kind::ServicePrincipal => &["appId"],
        Kind::Application => &["appId", "uniqueName"],
        Kind::Group => &["uniqueName"],
        Kind::DirectoryRole => &["roleTemplateId"],
        Kind::User => &["userPrincipalName"],
        _ => &[],
    };
    let property = keys
        .iter()
        .find(|key| key.eq_ignore_ascii_case(property))
        .ok_or_else(|| Refusal::gateway(format!("Bad key property '{property}'.")))?;
    let mut entries = directory.entries(kind);
    entries
        .find(|(_, entry)| {
            let same = entry
                .text(property)
                .is_some_and(|text| text.eq_ignore_ascii_case(value));
            same && entry.visible(call.now())
        })
        .map(|(id, _)| id.clone())
        .ok_or_else(|| Refusal::not_found(value))
}

/// One directory object and what is below it. `id` is known and visible.
fn one(directory: &mut Directory, call: &Call<'_>, kind: Kind, id: &str, rest: &[&str]) -> Outcome {
    let Some((name, below)) = rest.split_first() else {
        return match call.ask.method.as_str() {
            "GET" => {
                page::check_names(call, Listing::of(kind, kind.section()))?;
                let view = directory.view(id, call.now()).ok_or_else(|| Refusal::not_found(id))?;
                show(directory, call, &view, kind.section())
            }
            "PATCH" => change::patch(directory, call, kind, id),
            "DELETE" => change::delete(directory, call, kind, id),
            _ => Err(Refusal::method()),
        };
    };
    let lower = name.to_lowercase();
    match (lower.as_str(), kind) {
        // A cast of the object itself.
        (cast, _)
            if cast
                .strip_prefix("microsoft.graph.")
                .is_some_and(|cast| cast == kind.odata().to_lowercase()) =>
        {
            return one(directory, call, kind, id, below);
        }
        ("approleassignments", Kind::User | Kind::Group | Kind::ServicePrincipal) => {
            return app_role::serve(directory, call, End::Principal, id, below);
        }
        ("approleassignedto", Kind::ServicePrincipal) => {
            return app_role::serve(directory, call, End::Resource, id, below);
        }
        ("oauth2permissiongrants", Kind::User | Kind::ServicePrincipal) => {
            return permission_grant::of(directory, call, kind, id, below);
        }
        ("federatedidentitycredentials", Kind::Application) => {
            return credential::serve(directory, call, id, below);
        }
        _ => {}
    }
    if let Some(outcome) = membership::action(directory, call, kind, id, &lower) {
        return outcome;
    }
    let Some((property, ids)) = membership::relation(directory, kind, id, &lower) else {
        return Err(Refusal::no_segment(name));
    };
    let writable = matches!(property, "members" | "owners");
    match (call.ask.method.as_str(), below) {
        ("GET", [target]) if uuid::Uuid::parse_str(target).is_ok() || ids.contains(&target.to_lowercase()) => {
            let view = directory.view(target, call.now());
            let view = view.filter(|_| ids.contains(&target.to_lowercase()));
            let view = view.ok_or_else(|| Refusal::not_found(target))?;
            show(directory, call, &view, "directoryObjects")
        }
        ("GET", _) => membership::list(directory, call, &ids, below),
        ("POST", ["$ref"]) if writable => change::add_reference(directory, call, kind, id, property),
        ("POST", []) if writable => Err(Refusal::gateway(
            "Write requests are only supported on contained entities",
        )),
        ("DELETE", [target, "$ref"]) if writable => {
            change::remove_reference(directory, call, kind, id, property, target)
        }
        // Graph would delete the object itself: no one who forgets `/$ref` means that.
        ("DELETE", [_]) if writable => Err(Refusal::denied()),
        _ => Err(Refusal::method()),
    }
}

/// `/directoryObjects`: any object by id, and `getByIds`.
pub(super) fn any(directory: &mut Directory, call: &Call<'_>, rest: &[&str]) -> Outcome {
    match rest {
        [] => Err(Refusal::bad("Direct queries to this resource type are not supported.")),
        [action] if matches!(action.to_lowercase().as_str(), "getbyids" | "microsoft.graph.getbyids") => {
            only(call, &Method::POST)?;
            by_ids(directory, call)
        }
        [id, below @ ..] => {
            let found = directory.object(id, call.now()).map(|(kind, _)| kind);
            let kind = found.ok_or_else(|| {
                if uuid::Uuid::parse_str(id).is_ok() {
                    Refusal::not_found(id)
                } else {
                    Refusal::invalid_id(id)
                }
            })?;
            if below.is_empty() && call.ask.method == Method::GET {
                let view = directory.view(id, call.now()).ok_or_else(|| Refusal::not_found(id))?;
                let shown = page::row_json(directory, call, &view, true)?;
                return Ok(Reply::ok(Value::Object(framed(
                    call,
                    shown,
                    &page::context(call, "directoryObjects"),
                ))));
            }
            one(directory, call, kind, id, below)
        }
    }
}

/// How many ids one request may ask for.
const MOST_IDS: usize = 1000;

fn by_ids(directory: &Directory, call: &Call<'_>) -> Outcome {
    let body = call.body()?;
    let list = |name: &str| super::directory::texts(body.get(name));
    if !body.get("ids").is_some_and(Value::is_array) {
        return Err(Refusal::gateway("Parameter 'ids' is missing or is no list."));
    }
    let ids = list("ids");
    if ids.len() > MOST_IDS {
        return Err(Refusal::bad(format!("Too many values for 'ids': {MOST_IDS} at most.")));
    }
    if let Some(id) = ids
        .iter()
        .find(|id| uuid::Uuid::parse_str(id).is_err() && directory.object(id, call.now()).is_none())
    {
        return Err(Refusal::invalid_id(id));
    }
    let types = list("types");
    let wanted = |kind: Kind| {
        let mut types = types.iter().peekable();
        types.peek().is_none()
            || types.any(|of| of.eq_ignore_ascii_case(kind.odata()) || of.eq_ignore_ascii_case("directoryObject"))
    };
    let mut seen = std::collections::BTreeSet::new();
    let rows = ids
        .iter()
        .filter(|id| seen.insert(id.to_lowercase()))
        .filter_map(|id| directory.view(id, call.now()))
        .filter(|view| wanted(view.kind))
        .map(|view| page::row_json(directory, call, &view, true))
        .collect::<Result<Vec<Value>, Refusal>>()?;
    Ok(Reply::action(
        json!({"@odata.context": call.context(&page::context(call, "directoryObjects")), "value": rows}),
    ))
}
