//! Deny assignments: read only.

use http::Method;
use serde_json::{Value, json};

use super::fail::{fail, no_method};
use super::paging::page;
use super::route::{Result, Turn};
use super::{show, versions};
use crate::sim::Answer;
use crate::sim::rights::assignment_scope;
use crate::types::ResourceId;

const KIND: &str = "Microsoft.Authorization/denyAssignments";

fn shown(document: &Value) -> Value {
    let mut shown = document.clone();
    if let Some(id) = document["id"].as_str().and_then(|id| ResourceId::parse(id).ok()) {
        show::complete(&mut shown, &id);
    }
    if shown["properties"].is_object() && shown["properties"].get("scope").is_none() {
        shown["properties"]["scope"] = json!(assignment_scope(document));
    }
    shown
}

/// One deny assignment.
pub fn one(turn: &mut Turn<'_>, id: &ResourceId) -> Result {
    versions::of_type(turn.world, turn.ask, KIND, None)?;
    if !turn.is(&Method::GET) {
        return Err(no_method(&turn.ask.method));
    }
    turn.need("Microsoft.Authorization/denyAssignments/read", id.as_str())?;
    turn.world
        .read(id.key())
        .map(|document| Answer::json(200, shown(document)))
        .ok_or_else(|| {
            fail(
                404,
                "DenyAssignmentNotFound",
                format!("The deny assignment '{}' is not found.", id.name()),
            )
        })
}

/// Those at, above and below a scope.
pub fn list(turn: &mut Turn<'_>, parent: &str) -> Result {
    versions::of_type(turn.world, turn.ask, KIND, None)?;
    turn.need("Microsoft.Authorization/denyAssignments/read", parent)?;
    let key = crate::sim::store::key_of(parent);
    let at = if key.is_empty() { "/".to_owned() } else { key };
    let tree = turn.world.tree();
    let filter = turn.ask.parameter("$filter").unwrap_or_default().to_ascii_lowercase();
    let value = filter.split('\'').nth(1).map(str::to_owned);
    let names = |list: &Value, id: &str| {
        list.as_array()
            .into_iter()
            .flatten()
            .any(|p| p["id"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(id)))
    };
    let rows = turn
        .world
        .store
        .of_type("microsoft.authorization/denyassignments")
        .filter(|(_, document)| {
            let own = assignment_scope(document);
            tree.is_within(&at, &own) || (!filter.contains("atscope()") && tree.is_within(&own, &at))
        })
        .filter(|(_, document)| match &value {
            Some(value) if filter.contains("principalid eq") => names(&document["properties"]["principals"], value),
            Some(value) if filter.contains("denyassignmentname eq") => document["properties"]["denyAssignmentName"]
                .as_str()
                .is_some_and(|name| name.eq_ignore_ascii_case(value)),
            _ => true,
        })
        .map(|(_, document)| shown(document))
        .collect();
    Ok(page(turn.ask, rows, turn.world.page))
}
