//! Deny assignments. Stable api-versions only read them; 2024-07-01-preview makes and deletes them too.

use http::Method;
use serde_json::{Map, Value, json};

use super::fail::{bad_content, fail, no_method};
use super::filters::{self, Clause};
use super::paging::page;
use super::route::{Result, Turn};
use super::{show, versions};
use crate::sim::Answer;
use crate::sim::rights::assignment_scope;
use crate::types::ResourceId;

const KIND: &str = "Microsoft.Authorization/denyAssignments";
/// The first api-version with PUT and DELETE.
const WRITABLE: &str = "2024-07-01-preview";

fn shown(document: &Value) -> Value {
    let own = document["properties"].as_object().cloned().unwrap_or_default();
    let mut properties = Map::new();
    let lists = |row: &Value| {
        let list = |name: &str| {
            row.get(name)
                .filter(|list| list.is_array())
                .cloned()
                .unwrap_or_else(|| json!([]))
        };
        json!({"actions": list("actions"), "notActions": list("notActions"), "dataActions": list("dataActions"),
            "notDataActions": list("notDataActions")})
    };
    let get = |name: &str| own.get(name).cloned();
    properties.insert(
        "denyAssignmentName".into(),
        get("denyAssignmentName").unwrap_or_default(),
    );
    properties.insert("description".into(), get("description").unwrap_or_default());
    let rows = get("permissions").unwrap_or_default();
    let rows: Vec<Value> = rows.as_array().into_iter().flatten().map(lists).collect();
    properties.insert("permissions".into(), json!(rows));
    let scope = get("scope").unwrap_or_else(|| json!(assignment_scope(document)));
    properties.insert("scope".into(), scope);
    properties.insert(
        "doNotApplyToChildScopes".into(),
        get("doNotApplyToChildScopes").unwrap_or_else(|| json!(false)),
    );
    for name in ["principals", "excludePrincipals"] {
        properties.insert(name.into(), get(name).unwrap_or_else(|| json!([])));
    }
    properties.insert(
        "isSystemProtected".into(),
        get("isSystemProtected").unwrap_or_else(|| json!(false)),
    );
    for (name, value) in own {
        properties.entry(name).or_insert(value);
    }
    let mut shown = document.clone();
    if let Some(id) = document["id"].as_str().and_then(|id| ResourceId::parse(id).ok()) {
        show::complete(&mut shown, &id);
    }
    shown["properties"] = Value::Object(properties);
    shown
}

fn missing(id: &ResourceId) -> Answer {
    fail(
        404,
        "DenyAssignmentNotFound",
        format!("The deny assignment '{}' is not found.", id.name()),
    )
}

/// One deny assignment.
pub fn one(turn: &mut Turn<'_>, id: &ResourceId) -> Result {
    let version = versions::of_type(turn.world, turn.ask, KIND, None)?;
    let method = turn.ask.method.clone();
    let verb = match method {
        Method::GET => "read",
        Method::PUT if version.as_str() >= WRITABLE => "write",
        Method::DELETE if version.as_str() >= WRITABLE => "delete",
        _ => return Err(no_method(&method)),
    };
    turn.need(&format!("{KIND}/{verb}"), id.as_str())?;
    let found = turn.world.read(id.key()).cloned();
    match (method, found) {
        (Method::GET, Some(document)) => Ok(Answer::json(200, shown(&document))),
        (Method::GET, None) => Err(missing(id)),
        (Method::DELETE, None) => Ok(Answer::empty(204)),
        (Method::DELETE, Some(document)) => {
            if document.pointer("/properties/isSystemProtected") == Some(&Value::Bool(true)) {
                return Err(fail(
                    403,
                    "DenyAssignmentIsSystemProtected",
                    format!(
                        "The deny assignment '{}' is protected by the system and cannot be deleted.",
                        id.name()
                    ),
                ));
            }
            turn.world.store.remove(id.key(), turn.ask.now);
            turn.world.writes += 1;
            Ok(Answer::json(200, shown(&document)))
        }
        (_, found) => put(turn, id, found),
    }
}

fn put(turn: &mut Turn<'_>, id: &ResourceId, found: Option<Value>) -> Result {
    if let Some(scope) = id.extended().or_else(|| id.parent()) {
        super::lists::exists(turn, &scope)?;
    }
    let sent = turn.body()?["properties"].clone();
    let named = sent["denyAssignmentName"].as_str().is_some_and(|name| !name.is_empty());
    let list = |name: &str| sent[name].as_array().is_some_and(|list| !list.is_empty());
    if !named || !list("permissions") || !list("principals") {
        return Err(bad_content(
            "denyAssignmentName, permissions and principals are required in properties",
        ));
    }
    let mut document = found.unwrap_or_else(|| json!({"id": id.as_str(), "name": id.name(), "type": KIND}));
    document["properties"] = sent;
    document["properties"]["isSystemProtected"] = json!(false);
    let (now, by) = (turn.ask.now, turn.ask.caller.principal.clone());
    turn.world.store.put(id, document.clone(), now, &by);
    turn.world.writes += 1;
    Ok(Answer::json(201, shown(&document)))
}

/// Those at, above and below a scope.
pub fn list(turn: &mut Turn<'_>, parent: &str) -> Result {
    versions::of_type(turn.world, turn.ask, KIND, None)?;
    turn.need("Microsoft.Authorization/denyAssignments/read", parent)?;
    let key = crate::sim::store::key_of(parent);
    let at = if key.is_empty() { "/".to_owned() } else { key };
    let tree = turn.world.tree();
    let clauses = filters::of(turn, |clause| match clause {
        Clause::Call(name, _) => name == "atscope" || name == "assignedto",
        Clause::Equal(name, _) => {
            ["principalid", "denyassignmentname", "gdprexportprincipalid"].contains(&name.as_str())
        }
    })?;
    let names = |list: &Value, ids: &[String]| {
        list.as_array()
            .into_iter()
            .flatten()
            .filter_map(|p| p["id"].as_str())
            .any(|own| ids.iter().any(|id| own.eq_ignore_ascii_case(id)))
    };
    let one = |name: &str| filters::value_of(&clauses, name).map(|id| vec![id]);
    let groups = filters::value_of(&clauses, "assignedto").map(|id| {
        let groups = turn.world.directory.groups_of(&id);
        groups.into_iter().chain([id]).collect::<Vec<_>>()
    });
    let principals = one("principalid").or(groups);
    let anywhere = one("gdprexportprincipalid");
    let name = filters::value_of(&clauses, "denyassignmentname");
    let at_scope = filters::calls(&clauses, "atscope");
    let rows = turn
        .world
        .store
        .of_type("microsoft.authorization/denyassignments")
        .filter(|(_, document)| {
            let own = assignment_scope(document);
            tree.is_within(&at, &own) || (!at_scope && tree.is_within(&own, &at))
        })
        .filter(|(_, document)| {
            let properties = &document["properties"];
            let named = properties["denyAssignmentName"].as_str().unwrap_or_default();
            name.as_ref().is_none_or(|name| named.eq_ignore_ascii_case(name))
                && principals
                    .as_ref()
                    .is_none_or(|ids| names(&properties["principals"], ids))
                && anywhere.as_ref().is_none_or(|ids| {
                    names(&properties["principals"], ids) || names(&properties["excludePrincipals"], ids)
                })
        })
        .map(|(_, document)| shown(document))
        .collect();
    Ok(page(turn.ask, rows, turn.world.page))
}
