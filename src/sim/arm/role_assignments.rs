//! Role assignments: PUT, GET, list and DELETE at every kind of scope, with Azure's refusals.

use http::Method;
use serde_json::{Map, Value, json};
use time::{Duration, OffsetDateTime};

use super::assignment_rules::{condition, place, principal_type, role_fits, unique};
use super::fail::{fail, verb};
use super::filters::{self, Clause};
use super::paging::page_of;
use super::role_definitions::form;
use super::route::{Result, Turn};
use super::{lists, locks, show, versions};
use crate::sim::Answer;
use crate::sim::rights::{assignment_scope, last};
use crate::sim::store::key_of;
use crate::sim::world::World;
use crate::types::Attributes;
use crate::types::ResourceId;

const KIND: &str = "Microsoft.Authorization/roleAssignments";
/// The scope that the id of an assignment names, as it is spelled there; `/` for the root.
fn scope_text(id: &ResourceId) -> String {
    let text = id.as_str();
    let at = text
        .to_ascii_lowercase()
        .rfind("/providers/microsoft.authorization/")
        .unwrap_or(0);
    if at == 0 { "/".to_owned() } else { text[..at].to_owned() }
}

/// What the moment of an answer is: times and authors differ between them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    Made,
    Changed,
    Read,
    Deleted,
}

/// An assignment as it is shown to a request at `scope`.
fn shown(world: &World, document: &Value, scope: &str, version: &str, moment: Moment, now: OffsetDateTime) -> Value {
    let id = document["id"].as_str().unwrap_or_default();
    let parsed = ResourceId::parse(id).ok();
    let note = world.store.note(&key_of(id));
    let stored = document["properties"].as_object().cloned().unwrap_or_default();
    let own = |name: &str| stored.get(name).cloned().unwrap_or(Value::Null);
    let role = last(
        stored
            .get("roleDefinitionId")
            .and_then(Value::as_str)
            .unwrap_or_default(),
    )
    .to_owned();
    let or = |value: Value, other: Value| if value.is_null() { other } else { value };
    let by = |who: &Option<String>| who.clone().map_or_else(|| json!(""), |who| json!(who));
    let created = or(
        own("createdOn"),
        json!(show::time(note.created.unwrap_or(world.started))),
    );
    let updated = note.changed.map_or_else(
        || or(own("updatedOn"), created.clone()),
        |changed| json!(show::time(changed)),
    );
    let mut created_by = or(own("createdBy"), by(&note.created_by));
    let mut updated_by = note
        .changed_by
        .as_ref()
        .map_or_else(|| or(own("updatedBy"), created_by.clone()), |who| json!(who));
    let (mut created_on, mut updated_on) = (created, updated);
    match moment {
        // Such an answer knows the caller and the moment, and nothing of before; that of a change is told a little
        // earlier than reads will tell it.
        Moment::Made | Moment::Changed => {
            let early = Duration::milliseconds(if moment == Moment::Made { 0 } else { 230 });
            created_on = json!(show::time(now - early - Duration::milliseconds(180)));
            updated_on = json!(show::time(now - early));
            updated_by = json!(note.changed_by);
            created_by = Value::Null;
        }
        Moment::Deleted => updated_on = json!(show::time(now)),
        Moment::Read => {}
    }
    let mut properties = Map::new();
    let full_role = format!(
        "{}/providers/Microsoft.Authorization/roleDefinitions/{role}",
        form(scope)
    );
    properties.insert("roleDefinitionId".into(), json!(full_role));
    properties.insert("principalId".into(), own("principalId"));
    let kind = own("principalId")
        .as_str()
        .and_then(|principal| world.directory.kind(principal))
        .unwrap_or("ServicePrincipal");
    properties.insert("principalType".into(), or(own("principalType"), json!(kind)));
    let computed = parsed.as_ref().map_or_else(|| assignment_scope(document), scope_text);
    properties.insert("scope".into(), or(own("scope"), json!(computed)));
    let modern = version >= "2020-03-01" && !version.is_empty();
    if modern {
        properties.insert("condition".into(), own("condition"));
        properties.insert("conditionVersion".into(), own("conditionVersion"));
    }
    properties.insert("createdOn".into(), created_on);
    properties.insert("updatedOn".into(), updated_on);
    properties.insert("createdBy".into(), created_by);
    properties.insert("updatedBy".into(), updated_by);
    if modern {
        properties.insert(
            "delegatedManagedIdentityResourceId".into(),
            own("delegatedManagedIdentityResourceId"),
        );
        properties.insert("description".into(), own("description"));
    }
    json!({"properties": properties, "id": id, "type": KIND, "name": last(id)})
}

/// Answers a request for one assignment.
pub fn one(turn: &mut Turn<'_>, asked: &ResourceId) -> Result {
    let version = versions::of_type(turn.world, turn.ask, KIND, None)?;
    let method = turn.ask.method.clone();
    let verb = verb(&method)?;
    let of = attributes(turn, asked);
    turn.need_for(&format!("{KIND}/{verb}"), asked.as_str(), &of)?;
    match method {
        Method::GET => {
            let found = turn.world.read(asked.key()).ok_or_else(|| {
                fail(
                    404,
                    "RoleAssignmentNotFound",
                    format!("The role assignment '{}' is not found.", asked.name()),
                )
            })?;
            Ok(Answer::json(
                200,
                shown(turn.world, found, asked.as_str(), &version, Moment::Read, turn.ask.now),
            ))
        }
        Method::DELETE => {
            let Some(found) = turn.world.store.get(asked.key()).cloned() else {
                return Ok(Answer::empty(204));
            };
            locks::guard(turn, asked, true)?;
            let body = shown(
                turn.world,
                &found,
                asked.as_str(),
                &version,
                Moment::Deleted,
                turn.ask.now,
            );
            turn.world.store.remove(asked.key(), turn.ask.now);
            turn.world.writes += 1;
            Ok(Answer::json(200, body))
        }
        _ => put(turn, asked, &version),
    }
}

/// What conditions on granting can ask: the role and the principal of what is sent, or of what stands and goes.
fn attributes(turn: &Turn<'_>, asked: &ResourceId) -> Attributes {
    let read = |document: &Value| {
        let text = |name: &str| document["properties"][name].as_str().map(str::to_owned);
        let principal = text("principalId");
        let kind = text("principalType").or_else(|| {
            let kind = turn.world.directory.kind(principal.as_deref()?)?;
            Some(kind.to_owned())
        });
        [
            (
                "roledefinitionid",
                text("roleDefinitionId").map(|id| last(&id).to_owned()),
            ),
            ("principalid", principal),
            ("principaltype", kind),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((format!("microsoft.authorization/roleassignments:{name}"), value?)))
        .collect()
    };
    Attributes {
        request: turn.ask.body.as_ref().map(read).unwrap_or_default(),
        resource: turn.world.store.get(asked.key()).map(read).unwrap_or_default(),
    }
}

fn put(turn: &mut Turn<'_>, asked: &ResourceId, version: &str) -> Result {
    let scope = scope_text(asked);
    locks::guard(turn, asked, false)?;
    place(turn, &scope)?;
    let name = asked.name();
    if uuid::Uuid::try_parse(name).is_err() {
        return Err(fail(
            400,
            "InvalidRoleAssignmentId",
            format!("The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID."),
        ));
    }
    let body = turn.body()?;
    let sent = body
        .get("properties")
        .and_then(Value::as_object)
        .or_else(|| body.as_object())
        .cloned()
        .unwrap_or_default();
    let text = |name: &str| {
        sent.get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    if let Some(given) = text("scope")
        && key_of(&given) != key_of(&scope)
    {
        return Err(fail(
            400,
            "InvalidCreateRoleAssignmentRequest",
            format!(
                "The request to create role assignment '{name}' is not valid. Role assignment scope '{given}' must match \
                     the scope specified on the URI '{scope}'."
            ),
        ));
    }
    let principal = text("principalId")
        .filter(|id| uuid::Uuid::try_parse(id).is_ok())
        .ok_or_else(|| {
            fail(
                400,
                "InvalidPrincipalId",
                "A valid principal ID must be provided for role assignment.",
            )
        })?;
    let role = text("roleDefinitionId")
        .map(|role| last(&role).to_owned())
        .unwrap_or_default();
    role_fits(turn, &role, &scope)?;
    let kind = principal_type(turn, &principal, text("principalType"))?;
    condition(&sent)?;
    unique(turn, asked, &scope, &role, &principal)?;
    let before = turn.world.store.get(asked.key()).cloned();
    let moment = if before.is_some() {
        Moment::Changed
    } else {
        Moment::Made
    };
    let mut document = before.unwrap_or_else(|| {
        // The scope is spelled as it was asked for, what follows as Azure does.
        let id = format!("{}/providers/{KIND}/{name}", scope.trim_end_matches('/'));
        json!({"id": id, "name": name, "type": KIND, "properties": {}})
    });
    let properties = &mut document["properties"];
    if !properties.is_object() {
        *properties = json!({});
    }
    for (name, value) in &sent {
        match name.as_str() {
            "createdOn" | "updatedOn" | "createdBy" | "updatedBy" => {}
            _ if value.is_null() => {
                if let Some(map) = properties.as_object_mut() {
                    map.shift_remove(name);
                }
            }
            _ => properties[name] = value.clone(),
        }
    }
    properties["principalType"] = json!(kind);
    properties["scope"] = json!(scope);
    let (now, by) = (turn.ask.now, turn.ask.caller.principal.clone());
    turn.world.store.put(asked, document.clone(), now, &by);
    turn.world.writes += 1;
    Ok(Answer::json(
        201,
        shown(turn.world, &document, asked.as_str(), version, moment, now),
    ))
}

/// What a `$filter` of role assignments asks for.
#[derive(Debug, Default, PartialEq)]
struct Filter {
    at_scope: bool,
    principal: Option<String>,
    assigned_to: Option<String>,
}

impl Filter {
    fn read(text: &str) -> Option<Self> {
        let clauses = filters::read(text)?;
        let mut filter = Self::default();
        for clause in clauses {
            match clause {
                Clause::Call(name, value) if name == "atscope" && value.is_empty() => filter.at_scope = true,
                Clause::Call(name, value) if name == "assignedto" => {
                    filter.assigned_to = Some(value.to_ascii_lowercase());
                }
                Clause::Equal(name, value) if name == "principalid" => {
                    filter.principal = Some(value.to_ascii_lowercase());
                }
                _ => return None,
            }
        }
        (!(filter.at_scope && filter.principal.is_some())).then_some(filter)
    }
}

/// The assignments at, above and below a scope, as the filter says.
pub fn list(turn: &mut Turn<'_>, parent: &str) -> Result {
    let version = versions::of_type(turn.world, turn.ask, KIND, None)?;
    turn.need(&format!("{KIND}/read"), parent)?;
    if let Ok(scope) = ResourceId::parse(parent) {
        if scope.is_type("Microsoft.Management/managementGroups") {
            place(turn, parent)?;
        } else {
            lists::exists(turn, &scope)?;
        }
    }
    let text = turn.ask.parameter("$filter").unwrap_or_default();
    let Some(filter) = Filter::read(text) else {
        return Err(fail(
            400,
            "UnsupportedQuery",
            format!(
                "The filter '{text}' is not supported. Supported filters are either 'atScope()' or 'principalId eq '{{value}}' or assignedTo('{{value}}')'."
            ),
        ));
    };
    let key = key_of(parent);
    let at = if key.is_empty() { "/".to_owned() } else { key };
    let tree = turn.world.tree();
    let who: Option<Vec<String>> = match (&filter.principal, &filter.assigned_to) {
        (Some(principal), _) => Some(vec![principal.clone()]),
        (None, Some(principal)) => {
            let groups = turn.world.directory.groups_of(principal);
            Some(
                groups
                    .into_iter()
                    .map(|id| id.to_ascii_lowercase())
                    .chain([principal.clone()])
                    .collect(),
            )
        }
        (None, None) => None,
    };
    let world = &turn.world;
    let all: Vec<&Value> = match (world.as_of, &who) {
        (Some(as_of), _) => world
            .store
            .documents_at(as_of)
            .filter(|document| {
                document["id"]
                    .as_str()
                    .is_some_and(|id| id.to_ascii_lowercase().contains("/roleassignments/"))
            })
            .collect(),
        (None, Some(who)) => who.iter().flat_map(|id| world.store.assignments_of(id)).collect(),
        (None, None) => world
            .store
            .of_type("microsoft.authorization/roleassignments")
            .map(|(_, document)| document)
            .collect(),
    };
    let mut rows: Vec<&Value> = all
        .into_iter()
        .filter(|document| {
            let principal = document
                .pointer("/properties/principalId")
                .and_then(Value::as_str)
                .unwrap_or_default();
            who.as_ref()
                .is_none_or(|who| who.iter().any(|id| id.eq_ignore_ascii_case(principal)))
        })
        .filter(|document| {
            let own = assignment_scope(document);
            tree.is_within(&at, &own) || (!filter.at_scope && tree.is_within(&own, &at))
        })
        .collect();
    rows.sort_by_key(|document| document["id"].as_str().unwrap_or_default().to_ascii_lowercase());
    Ok(page_of(turn.ask, rows, world.page, |document| {
        shown(world, document, parent, &version, Moment::Read, turn.ask.now)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_filters_that_azure_has_are_read() {
        assert!(Filter::read("atScope()").unwrap().at_scope);
        assert_eq!(
            Filter::read("principalId eq 'ABC'").unwrap().principal.as_deref(),
            Some("abc")
        );
        let both = Filter::read("atScope() and assignedTo('x')").unwrap();
        assert!(both.at_scope && both.assigned_to.as_deref() == Some("x"));
        assert_eq!(Filter::read("atScope() and principalId eq 'x'"), None);
        assert_eq!(Filter::read("roleName eq 'x'"), None);
    }
}
