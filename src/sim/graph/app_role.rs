//! App role assignments: who holds which role of which application.

use http::Method;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::answer::{Call, Outcome, Reply};
use super::directory::{Directory, opaque_id};
use super::group_rule::GRAPH_APP;
use super::page::{self, Listing};
use super::refusal::Refusal;
use super::schema::Kind;
use super::section::{Entry, NewEntry};
use super::view::View;

/// The role id that means "may use the application", without a role of it.
const DEFAULT_ACCESS: &str = "00000000-0000-0000-0000-000000000000";

/// Which end of the assignments a path looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// `appRoleAssignments`: what the object holds.
    Principal,
    /// `appRoleAssignedTo`: who holds roles of the object.
    Resource,
}

impl End {
    fn member(self) -> &'static str {
        match self {
            Self::Principal => "principalId",
            Self::Resource => "resourceId",
        }
    }
}

impl Directory {
    /// The assignments whose (principal, resource) are wanted, with what Graph adds.
    pub(super) fn app_roles<'a>(
        &'a self,
        now: OffsetDateTime,
        wanted: impl Fn((&str, &str)) -> bool + 'a,
    ) -> impl Iterator<Item = View<'a>> {
        let ends = |entry: &'a Entry| {
            (
                entry.text("principalId").unwrap_or_default(),
                entry.text("resourceId").unwrap_or_default(),
            )
        };
        self.entries(Kind::AppRoleAssignment)
            .filter(move |(_, entry)| wanted(ends(entry)))
            .map(move |(key, entry)| self.app_role(key, entry, now))
    }

    /// The app roles of Graph that the principal holds, by their values, as a token names them: those that the service
    /// principal of Graph lists.
    pub fn graph_permissions_of(&self, principal: &str) -> Vec<String> {
        let is = |entry: &Entry, member: &str, wanted: &str| {
            entry.text(member).is_some_and(|text| text.eq_ignore_ascii_case(wanted))
        };
        let value = |assignment: &Entry| {
            let graph = self.entry(Kind::ServicePrincipal, assignment.text("resourceId")?)?;
            let listed = graph.get("appRoles").filter(|_| is(graph, "appId", GRAPH_APP))?;
            let id = assignment.text("appRoleId")?;
            let mut roles = listed.as_array()?.iter();
            let role = roles.find(|role| role["id"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(id)))?;
            role["value"].as_str().map(str::to_owned)
        };
        self.entries(Kind::AppRoleAssignment)
            .filter(|(_, entry)| is(entry, "principalId", principal))
            .filter_map(|(_, entry)| value(entry))
            .collect()
    }

    fn app_role(&self, key: &str, entry: &Entry, now: OffsetDateTime) -> View<'_> {
        let name = |id: Option<&str>| {
            let view = id.and_then(|id| self.view(id, now))?;
            Some((view.get("displayName").into_owned(), view.kind))
        };
        let stored = entry.stored.clone().unwrap_or(Value::Null);
        let id = entry.text("id").map_or_else(|| opaque_id(&stored), str::to_owned);
        let mut made = Map::new();
        made.insert("id".to_owned(), json!(id));
        let shown = View::of(Kind::AppRoleAssignment, key, entry, &self.tenant);
        made.insert("createdDateTime".to_owned(), shown.get("createdDateTime").into_owned());
        if let Some((name, kind)) = name(entry.text("principalId")) {
            made.insert("principalDisplayName".to_owned(), name);
            made.insert("principalType".to_owned(), json!(kind.title()));
        }
        if let Some((name, _)) = name(entry.text("resourceId")) {
            made.insert("resourceDisplayName".to_owned(), name);
        }
        for (member, value) in stored.as_object().into_iter().flatten() {
            if member != "createdDateTime" && !value.is_null() {
                made.insert(member.clone(), value.clone());
            }
        }
        View::made(Kind::AppRoleAssignment, key, Value::Object(made), &self.tenant)
    }
}

/// `…/{id}/appRoleAssignments` or `…/appRoleAssignedTo`, and what is below.
pub(super) fn serve(directory: &mut Directory, call: &Call<'_>, end: End, id: &str, rest: &[&str]) -> Outcome {
    let member = end.member();
    match (call.ask.method.as_str(), rest) {
        ("GET", [] | ["$count"]) => {
            let rows = directory.app_roles(call.now(), |(principal, resource)| {
                let found = if end == End::Principal { principal } else { resource };
                found.eq_ignore_ascii_case(id)
            });
            let listing = Listing::of(Kind::AppRoleAssignment, "appRoleAssignments");
            if rest.is_empty() {
                page::list(directory, call, listing, rows)
            } else {
                page::count(call, listing, rows)
            }
        }
        ("GET", [assignment]) => {
            let view = mine(directory, member, id, assignment)
                .map(|entry| directory.app_role(assignment, entry, call.now()))
                .ok_or_else(|| Refusal::not_found(assignment))?;
            super::entity::show(directory, call, &view, "appRoleAssignments")
        }
        ("POST", []) => assign(directory, call, end, id),
        ("DELETE", [assignment]) => {
            if mine(directory, member, id, assignment).is_none() {
                return Err(Refusal::not_found(assignment));
            }
            directory.section_mut(Kind::AppRoleAssignment).remove(assignment);
            Ok(Reply::none())
        }
        (_, [] | [_]) => Err(Refusal::method()),
        (_, [_, other, ..]) => Err(Refusal::no_segment(other)),
    }
}

fn mine<'a>(directory: &'a Directory, member: &str, id: &str, assignment: &str) -> Option<&'a Entry> {
    directory
        .entry(Kind::AppRoleAssignment, assignment)
        .filter(|entry| entry.text(member).is_some_and(|of| of.eq_ignore_ascii_case(id)))
}

fn assign(directory: &mut Directory, call: &Call<'_>, end: End, id: &str) -> Outcome {
    let body = call.body()?;
    let text = |member: &str| body.get(member).and_then(Value::as_str);
    let needed =
        |member: &'static str| text(member).ok_or_else(|| Refusal::missing_property(member, "AppRoleAssignment"));
    let principal = needed("principalId")?.to_owned();
    let resource = needed("resourceId")?.to_owned();
    let role = needed("appRoleId")?.to_owned();
    let here = if end == End::Principal { &principal } else { &resource };
    let holds = |kind: Kind| matches!(kind, Kind::User | Kind::Group | Kind::ServicePrincipal);
    let known = directory
        .object(&principal, call.now())
        .is_some_and(|(kind, _)| holds(kind));
    if !here.eq_ignore_ascii_case(id) || !known {
        return Err(Refusal::invalid_reference());
    }
    check_role(directory, call, &resource, &role)?;
    let same = |entry: &Entry| {
        let is = |member: &str, wanted: &str| entry.text(member).is_some_and(|text| text.eq_ignore_ascii_case(wanted));
        is("principalId", &principal)
            && is("resourceId", &resource)
            && entry
                .text("appRoleId")
                .unwrap_or(DEFAULT_ACCESS)
                .eq_ignore_ascii_case(&role)
    };
    if directory.entries(Kind::AppRoleAssignment).any(|(_, entry)| same(entry)) {
        return Err(Refusal::bad("Permission being assigned already exists on the object"));
    }
    let assignment = opaque_id(&json!([uuid::Uuid::new_v4().to_string()]));
    let mut stored = Map::new();
    stored.insert("id".to_owned(), json!(assignment));
    let sent = body.iter().filter(|(name, _)| !name.contains('@') && *name != "id");
    stored.extend(sent.map(|(name, value)| (name.clone(), value.clone())));
    directory
        .section_mut(Kind::AppRoleAssignment)
        .add(&assignment, NewEntry::made(Value::Object(stored), call.now()));
    let Some(entry) = directory.entry(Kind::AppRoleAssignment, &assignment) else {
        return Err(Refusal::not_found(&assignment));
    };
    let view = directory.app_role(&assignment, entry, call.now());
    Ok(super::entity::created(directory, call, &view, "appRoleAssignments"))
}

/// The role must be one of the resource's, where these are known. A resource that only other assignments name is one
/// that the estate left out, such as Microsoft Graph itself: it is taken to exist.
fn check_role(directory: &Directory, call: &Call<'_>, resource: &str, role: &str) -> Result<(), Refusal> {
    let Some(entry) = directory
        .entry(Kind::ServicePrincipal, resource)
        .filter(|entry| entry.visible(call.now()))
    else {
        let named = directory.entries(Kind::AppRoleAssignment).any(|(_, entry)| {
            entry
                .text("resourceId")
                .is_some_and(|id| id.eq_ignore_ascii_case(resource))
        });
        return if named {
            Ok(())
        } else {
            Err(Refusal::invalid_reference())
        };
    };
    let Some(roles) = entry.get("appRoles").and_then(Value::as_array) else {
        return Ok(());
    };
    let listed = roles
        .iter()
        .filter_map(|of| of.get("id").and_then(Value::as_str))
        .any(|of| of.eq_ignore_ascii_case(role));
    if listed || role == DEFAULT_ACCESS {
        return Ok(());
    }
    let app = entry.text("appId").unwrap_or(resource);
    Err(Refusal::bad(format!(
        "Permission being assigned was not found on application '{app}'."
    )))
}

/// Whether the principal holds the role of a resource, by the resource's app id.
pub(super) fn holds(directory: &Directory, principal: &str, app_id: &str, role: &str) -> bool {
    directory.entries(Kind::AppRoleAssignment).any(|(_, entry)| {
        let is = |member: &str, wanted: &str| entry.text(member).is_some_and(|text| text.eq_ignore_ascii_case(wanted));
        let resource = entry
            .text("resourceId")
            .and_then(|id| directory.entry(Kind::ServicePrincipal, id));
        // A role id is a GUID of its own: where the resource is not listed, it says enough.
        let right = resource
            .and_then(|resource| resource.text("appId"))
            .is_none_or(|id| id.eq_ignore_ascii_case(app_id));
        is("principalId", principal) && is("appRoleId", role) && right
    })
}

/// The whole set, which Graph serves only below a principal or a resource.
pub(super) fn direct(call: &Call<'_>) -> Outcome {
    super::answer::only(call, &Method::GET)?;
    Err(Refusal::bad("Direct queries to this resource type are not supported."))
}
