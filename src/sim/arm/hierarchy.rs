//! The tree of management groups as a whole: what lies below one, and everything that the caller sees.

use serde_json::{Value, json};

use super::filters::{self, Clause};
use super::management_groups::{KIND, PREFIX, children, display, missing, name_of};
use super::paging::page;
use super::route::{Result, Turn};
use super::versions;
use crate::sim::rights::last;

/// `{group}/descendants`: all groups and subscriptions below.
pub fn descendants(turn: &mut Turn<'_>, parent: &str) -> Result {
    versions::of_type(turn.world, turn.ask, KIND, None)?;
    turn.need(&format!("{KIND}/read"), parent)?;
    let key = crate::sim::store::key_of(parent);
    if !turn.world.store.has(&key) {
        return Err(missing(last(parent)));
    }
    let mut rows = Vec::new();
    let mut open = vec![key];
    let mut seen = Vec::new();
    while let Some(group) = open.pop() {
        if seen.contains(&group) {
            continue;
        }
        let id = turn
            .world
            .store
            .get(&group)
            .map(|document| format!("{PREFIX}/{}", name_of(document)));
        for child in children(turn.world, &group, false) {
            let subscription = child["type"] == "/subscriptions";
            if !subscription {
                open.push(child["id"].as_str().unwrap_or_default().to_ascii_lowercase());
            }
            rows.push(json!({
                "id": child["id"],
                "type": if subscription { "Microsoft.Management/managementGroups/subscriptions" } else { KIND },
                "name": child["name"],
                "properties": {"displayName": child["displayName"], "parent": {"id": id}},
            }));
        }
        seen.push(group);
    }
    Ok(page(turn.ask, rows, turn.world.page))
}

/// `POST /providers/Microsoft.Management/getEntities`: every group and subscription that the caller sees.
pub fn entities(turn: &mut Turn<'_>) -> Result {
    versions::of_type(turn.world, turn.ask, KIND, None)?;
    let tree = turn.world.tree();
    let mut rows = Vec::new();
    let kinds = [
        "microsoft.management/managementgroups",
        "microsoft.resources/subscriptions",
    ];
    for kind in kinds {
        for (key, document) in turn.world.store.of_type(kind) {
            let group = kind.starts_with("microsoft.management");
            let visible = if group {
                turn.sees(KIND, key)
            } else {
                turn.rights.is_owner() || turn.rights.allow_near("Microsoft.Resources/subscriptions/read", key)
            };
            if !visible {
                continue;
            }
            let chain: Vec<(Value, Value)> = tree
                .above(key)
                .iter()
                .filter(|above| *above != key)
                .rev()
                .filter_map(|above| turn.world.store.get(above))
                .map(|d| (json!(name_of(d)), display(d)))
                .collect();
            let direct = if group {
                children(turn.world, key, false)
            } else {
                Vec::new()
            };
            let descendants = if group {
                count(&children(turn.world, key, true))
            } else {
                0
            };
            let parent = tree.parent(key).and_then(|parent| turn.world.store.get(parent));
            rows.push(json!({
                "id": if group { format!("{PREFIX}/{}", name_of(document)) } else { format!("/subscriptions/{}", last(key)) },
                "type": if group { KIND } else { "/subscriptions" },
                "name": if group { name_of(document) } else { last(key).to_owned() },
                "properties": {
                    "tenantId": turn.world.tenant,
                    "displayName": if group { display(document) } else { document.get("displayName").cloned().unwrap_or_default() },
                    "parent": parent.map(|p| json!({"id": format!("{PREFIX}/{}", name_of(p))})),
                    "permissions": "view",
                    "inheritedPermissions": "view",
                    "parentDisplayNameChain": chain.iter().map(|(_, display)| display).collect::<Vec<_>>(),
                    "parentNameChain": chain.iter().map(|(name, _)| name).collect::<Vec<_>>(),
                    "numberOfDescendants": descendants,
                    "numberOfChildren": direct.len(),
                    "numberOfChildGroups": direct.iter().filter(|child| child["type"] == KIND).count(),
                },
            }));
        }
    }
    if let Some(search) = turn.ask.parameter("$search") {
        return Err(super::fail::unsimulated(&format!("the search '{search}' of entities")));
    }
    let clauses = filters::of(
        turn,
        |clause| matches!(clause, Clause::Equal(name, _) if name == "name" || name == "displayname"),
    )?;
    let same = |row: &Value, at: &str, wanted: Option<String>| {
        wanted.is_none_or(|wanted| {
            let own = row.pointer(at).and_then(Value::as_str);
            own.is_some_and(|own| own.eq_ignore_ascii_case(&wanted))
        })
    };
    rows.retain(|row| {
        same(row, "/name", filters::value_of(&clauses, "name"))
            && same(
                row,
                "/properties/displayName",
                filters::value_of(&clauses, "displayname"),
            )
    });
    let count = rows.len();
    let mut answer = page(turn.ask, rows, 1000);
    if let Some(body) = &mut answer.body {
        body["count"] = json!(count);
    }
    Ok(answer)
}

/// How many groups and subscriptions rows of children hold, those below them among them.
fn count(rows: &[Value]) -> usize {
    rows.iter()
        .map(|row| 1 + row["children"].as_array().map_or(0, |below| count(below)))
        .sum()
}
