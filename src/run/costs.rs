//! What a plan costs and where it is risky: effects on workloads, replaced holders, the point of no return, quota.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::change::Undo;
use super::item::Item;
use super::path::{item_key, printed};
use super::planned::Planned;

/// What a plan costs and where it is risky. Changes are named by their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Costs {
    /// By effect on workloads (`restart`, `redeploy`, `drain`, …): the changes that have it.
    pub effects: BTreeMap<String, Vec<u64>>,
    /// Changes that take a grant from its only holder at once.
    pub replaces_holder: Vec<u64>,
    /// The change from which on there is no way back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_return: Option<u64>,
    /// Changes that rollback cannot take back.
    pub not_undone: Vec<u64>,
    /// What is left of Azure's limits while both identities live.
    pub quota: Vec<Quota>,
}

/// What is left of one limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// What is limited, as `role assignments`.
    pub of: String,
    /// Where.
    pub scope: String,
    /// How many Azure takes there.
    pub limit: i64,
    /// How many there are.
    pub standing: i64,
    /// How many the plan adds before it takes any away.
    pub added: i64,
    /// How many are left then.
    pub left: i64,
}

/// What an effect means, in words.
pub fn effect(word: &str) -> String {
    match word {
        "restart" => "the workload restarts".into(),
        "revision" => "a new revision starts".into(),
        "redeploy" => "the workload is deployed again".into(),
        "reimage" => "instances are made anew from their image".into(),
        "drain" => "nodes are drained and replaced".into(),
        other => other.into(),
    }
}

/// The risk in how a change is taken back.
pub(super) fn risk_of(undo: &Undo) -> Option<String> {
    match undo {
        Undo::NoReturn(why) => Some(format!("{NO_RETURN}: {why}")),
        Undo::Never(why) => Some(format!("{NOT_UNDONE}: {why}")),
        _ => None,
    }
}

const NO_RETURN: &str = "point of no return";
const NOT_UNDONE: &str = "cannot be taken back";
const HOLDER: &str = "replaces the only holder";

impl Costs {
    /// The costs of planned changes, of which those that replace a holder are marked.
    pub fn of(changes: &mut [Planned], map: &Value) -> Self {
        let mut costs = Self {
            quota: quota(map),
            ..Self::default()
        };
        let single = singles(map);
        for change in changes {
            let step = Item::of_step(&change.step, []);
            if change.phase == "move" && single.iter().any(|grant| grant.is_about(&step)) {
                let risk = format!("{HOLDER}: the old identity loses it as soon as the new one has it");
                if !change.risks.contains(&risk) {
                    change.risks.push(risk);
                }
            }
            if change.effect != "none" && !change.effect.is_empty() {
                costs.effects.entry(change.effect.clone()).or_default().push(change.seq);
            }
            let has = |risk: &str| change.risks.iter().any(|own| own.starts_with(risk));
            if has(HOLDER) {
                costs.replaces_holder.push(change.seq);
            }
            if has(NOT_UNDONE) {
                costs.not_undone.push(change.seq);
            }
            if has(NO_RETURN) && costs.no_return.is_none() {
                costs.no_return = Some(change.seq);
            }
        }
        costs
    }

    /// Whether there is anything to tell.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The grants of a map of which there is one holder.
fn singles(map: &Value) -> Vec<Item> {
    let grants = map.get("grants").and_then(Value::as_array).into_iter().flatten();
    grants
        .filter(|grant| grant.get("single") == Some(&Value::Bool(true)))
        .map(|grant| {
            let text = |name: &str| grant.get(name).and_then(Value::as_str).unwrap_or_default();
            Item::of_step(&printed(&[text("file").to_owned(), item_key(text("id"))]), [])
        })
        .collect()
}

/// What a map says of limits.
fn quota(map: &Value) -> Vec<Quota> {
    let rows = map.get("quota").and_then(Value::as_array).into_iter().flatten();
    rows.filter_map(|row| serde_json::from_value(row.clone()).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn planned(seq: u64, step: &str, effect: &str, risks: &[&str]) -> Planned {
        Planned {
            seq,
            phase: step.split('/').next().unwrap().into(),
            step: step.into(),
            op: String::new(),
            method: "PUT".into(),
            target: String::new(),
            body: Value::Null,
            edits: vec![],
            effect: effect.into(),
            risks: risks.iter().map(|risk| (*risk).to_owned()).collect(),
            why: String::new(),
        }
    }

    #[test]
    fn effects_holders_quota_and_the_point_of_no_return_are_told() {
        let map = json!({
            "grants": [{"file": "sql", "id": "/S/admin", "single": true}, {"file": "sql", "id": "/S/other"}],
            "quota": [{"of": "role assignments", "scope": "/subscriptions/s", "limit": 4000, "standing": 3990, "added": 4, "left": 6}, {"odd": 1}],
        });
        let mut changes = [
            planned(1, "move/grants/sql/~1s~1admin", "none", &[]),
            planned(2, "move/grants/sql/~1s~1other", "none", &["cannot be taken back: x"]),
            planned(3, "move/bindings/b/x", "restart", &[]),
            planned(4, "clean_up/identity", "none", &["point of no return: y"]),
        ];
        let costs = Costs::of(&mut changes, &map);
        assert_eq!(costs.replaces_holder, [1]);
        assert_eq!(costs.not_undone, [2]);
        assert_eq!(costs.effects["restart"], [3]);
        assert_eq!(costs.no_return, Some(4));
        assert_eq!(costs.quota[0].left, 6);
        assert_eq!(costs.quota.len(), 1);
        assert!(Costs::of(&mut [], &json!({})).is_empty());
    }
}
