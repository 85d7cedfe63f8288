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
    turn.need_any("Microsoft.Authorization/permissions/read", parent)?;
    if let Ok(scope) = ResourceId::parse(parent) {
        lists::exists(turn, &scope)?;
    }
    if turn.rights.is_owner() {
        let all = json!({"actions": ["*"], "notActions": [], "dataActions": [], "notDataActions": []});
        return Ok(Answer::json(200, json!({ "value": [all] })));
    }
    let key = crate::sim::store::key_of(parent);
    let at = if key.is_empty() { "/".to_owned() } else { key };
    let roles: Vec<_> = turn
        .rights
        .held_at(&at)
        .map(|held| (held.role.clone(), held.condition.clone()))
        .collect();
    let rows: Vec<Value> = roles
        .iter()
        .flat_map(|(role, condition)| {
            let rows = permissions_of(&turn.world.store, role).unwrap_or_default();
            rows.into_iter().map(move |row| (row, condition))
        })
        .map(|(row, condition)| {
            let list = |name: &str| row.get(name).cloned().unwrap_or_else(|| json!([]));
            let mut shown = json!({
                "actions": list("actions"),
                "notActions": list("notActions"),
                "dataActions": list("dataActions"),
                "notDataActions": list("notDataActions"),
            });
            if let Some(condition) = condition {
                shown["condition"] = json!(condition);
                shown["conditionVersion"] = json!("2.0");
            }
            shown
        })
        .collect();
    Ok(Answer::json(200, json!({ "value": rows })))
}
