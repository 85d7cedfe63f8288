//! `{scope}/providers/Microsoft.Authorization/permissions`: what the caller may do there, a row a role.

use serde_json::{Value, json};

use super::route::{Result, Turn};
use super::{lists, versions};
use crate::sim::Answer;
use crate::sim::rights::permissions_of;
use crate::types::ResourceId;

/// The permissions of the caller at a scope.
pub fn list(turn: &mut Turn<'_>, parent: &str) -> Result {
    versions::of_type(turn.world, turn.ask, "Microsoft.Authorization/permissions", None)?;
    if let Ok(scope) = ResourceId::parse(parent) {
        lists::exists(turn, &scope)?;
    }
    if turn.rights.is_owner() {
        let all = json!({"actions": ["*"], "notActions": [], "dataActions": [], "notDataActions": []});
        return Ok(Answer::json(200, json!({ "value": [all] })));
    }
    let key = crate::sim::store::key_of(parent);
    let at = if key.is_empty() { "/".to_owned() } else { key };
    let roles: Vec<String> = turn.rights.held_at(&at).map(|held| held.role.clone()).collect();
    let rows: Vec<Value> = roles
        .iter()
        .flat_map(|role| permissions_of(&turn.world.store, role).unwrap_or_default())
        .map(|row| {
            let list = |name: &str| row.get(name).cloned().unwrap_or_else(|| json!([]));
            json!({
                "actions": list("actions"),
                "notActions": list("notActions"),
                "dataActions": list("dataActions"),
                "notDataActions": list("notDataActions"),
            })
        })
        .collect();
    Ok(Answer::json(200, json!({ "value": rows })))
}
