//! `$expand`: the other end of a relation inside an answer, twenty rows at most, as Graph gives it.

use serde_json::{Map, Value, json};

use super::answer::Call;
use super::directory::Directory;
use super::query::Expand;
use super::refusal::Refusal;
use super::schema::Kind;
use super::view::View;

/// How many rows an expansion has at most.
const MOST: usize = 20;

/// Puts what is asked for into the object's JSON.
pub(super) fn apply(
    directory: &Directory,
    call: &Call<'_>,
    object: &View<'_>,
    wanted: &Expand,
    shown: &mut Map<String, Value>,
) -> Result<(), Refusal> {
    let one = |view: &View<'_>, typed: bool| {
        let mut shown = Map::new();
        if typed {
            shown.insert(
                "@odata.type".to_owned(),
                json!(format!("#microsoft.graph.{}", view.kind.odata())),
            );
        }
        shown.extend(view.shape(wanted.select.as_deref(), call.beta()));
        Value::Object(shown)
    };
    let id = object.id();
    let lower = wanted.property.to_lowercase();
    let (name, value) = match (object.kind, lower.as_str()) {
        (Kind::RoleAssignment, "roledefinition") => {
            let role = object.get("roleDefinitionId").as_str().unwrap_or_default().to_owned();
            let found = directory.role_definition(&role);
            ("roleDefinition", found.map_or(Value::Null, |view| one(&view, false)))
        }
        (Kind::RoleAssignment, "principal") => {
            let principal = object.get("principalId").as_str().unwrap_or_default().to_owned();
            let found = directory.view(&principal, call.now());
            ("principal", found.map_or(Value::Null, |view| one(&view, true)))
        }
        (Kind::User | Kind::Group | Kind::ServicePrincipal, "approleassignments") => {
            let rows = directory.app_roles(call.now(), |entry| entry.0.eq_ignore_ascii_case(&id));
            (
                "appRoleAssignments",
                rows.take(MOST).map(|view| one(&view, false)).collect(),
            )
        }
        (Kind::ServicePrincipal, "approleassignedto") => {
            let rows = directory.app_roles(call.now(), |entry| entry.1.eq_ignore_ascii_case(&id));
            (
                "appRoleAssignedTo",
                rows.take(MOST).map(|view| one(&view, false)).collect(),
            )
        }
        (Kind::Application, "federatedidentitycredentials") => {
            let rows = directory.credentials(&id);
            (
                "federatedIdentityCredentials",
                rows.iter().map(|view| one(view, false)).collect(),
            )
        }
        // What the estate only keeps holds its relations in itself.
        (Kind::Other, _) => return Ok(()),
        (kind, _) => match super::membership::relation(directory, kind, &id, &lower) {
            Some((name, ids)) => {
                let views = ids.iter().filter_map(|id| directory.view(id, call.now()));
                (name, views.take(MOST).map(|view| one(&view, true)).collect())
            }
            None => {
                return Err(Refusal::no_property(
                    &wanted.property,
                    &format!("microsoft.graph.{}", object.kind.odata()),
                ));
            }
        },
    };
    shown.insert(name.to_owned(), value);
    Ok(())
}
