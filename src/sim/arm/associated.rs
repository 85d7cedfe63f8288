//! `POST {identity}/listAssociatedResources`: the top-level resources whose identity block names an identity.

use serde_json::{Value, json};

use super::fail::{fail, resource_missing};
use super::lists::split;
use super::paging::page;
use super::route::{Result, Turn};
use super::versions;
use crate::sim::store::key_of;
use crate::types::ResourceId;

/// The api-versions that had the action.
const VERSIONS: [&str; 2] = ["2022-01-31-preview", "2021-09-30-preview"];

/// Answers the action.
pub fn list(turn: &mut Turn<'_>, id: &ResourceId) -> Result {
    let version = versions::given(turn.ask)?;
    if !VERSIONS.contains(&version.as_str()) {
        return Err(versions::no_action("listAssociatedResources", &version, &VERSIONS));
    }
    turn.need(
        "Microsoft.ManagedIdentity/userAssignedIdentities/listAssociatedResources/action",
        id.as_str(),
    )?;
    if !turn.world.store.has(id.key()) {
        return Err(resource_missing(id));
    }
    let filter = turn.ask.parameter("$filter").unwrap_or_default().to_owned();
    let mut rows = Vec::new();
    for row in users(turn, id) {
        if holds(&filter, &row)? {
            rows.push(row);
        }
    }
    order(&mut rows, turn.ask.parameter("$orderby").unwrap_or_default());
    let total = rows.len();
    let skip = turn
        .ask
        .parameter("$skip")
        .and_then(|n| n.parse().ok())
        .unwrap_or(0usize);
    let mut answer = page(turn.ask, rows.into_iter().skip(skip).collect(), turn.world.page);
    if let Some(Value::Object(body)) = &mut answer.body {
        body.insert("totalCount".into(), json!(total));
    }
    Ok(answer)
}

fn users(turn: &Turn<'_>, id: &ResourceId) -> Vec<Value> {
    let mut rows = Vec::new();
    for (_, document) in turn.world.store.all() {
        let names = document
            .pointer("/identity/userAssignedIdentities")
            .and_then(Value::as_object);
        if !names.is_some_and(|names| names.keys().any(|key| key_of(key) == id.key())) {
            continue;
        }
        let Some(user) = document["id"].as_str().and_then(|id| ResourceId::parse(id).ok()) else {
            continue;
        };
        if user.top_level() != user {
            continue;
        }
        let subscription = user.subscription().unwrap_or_default().to_owned();
        let key = format!("/subscriptions/{}", subscription.to_ascii_lowercase());
        let shown = turn.world.store.get(&key).map(|shown| shown["displayName"].clone());
        rows.push(json!({
            "id": user.as_str(),
            "name": user.name(),
            "type": user.resource_type().to_ascii_lowercase(),
            "resourceGroup": user.resource_group().unwrap_or_default(),
            "subscriptionId": subscription,
            "subscriptionDisplayName": shown.unwrap_or_default(),
        }));
    }
    rows
}

/// Whether a row passes a filter of `name eq 'x'` and `contains(name, 'x')`, joined by `and` and `or`.
fn holds(filter: &str, row: &Value) -> Result<bool> {
    let mut all = true;
    for clause in split(filter, " and ")
        .into_iter()
        .filter(|clause| !clause.trim().is_empty())
    {
        let mut any = false;
        for term in split(clause, " or ") {
            any |= term_holds(term, row).ok_or_else(|| {
                fail(
                    400,
                    "InvalidFilterInQueryString",
                    format!("Invalid $filter '{filter}' specified in the query string."),
                )
            })?;
        }
        all &= any;
    }
    Ok(all)
}

fn term_holds(term: &str, row: &Value) -> Option<bool> {
    let term = term.trim();
    let inside = |text: &str| {
        Some(
            text.trim()
                .strip_prefix('\'')?
                .strip_suffix('\'')?
                .replace("\'\'", "\'")
                .to_lowercase(),
        )
    };
    let member = |name: &str| {
        let (_, value) = crate::types::json::get_ignore_case(row.as_object()?, name.trim())?;
        Some(value.as_str()?.to_lowercase())
    };
    if let Some(rest) = term.strip_prefix("contains(").and_then(|rest| rest.strip_suffix(')')) {
        let (name, value) = rest.split_once(',')?;
        return Some(member(name)?.contains(&inside(value)?));
    }
    let mut words = term.splitn(3, ' ');
    let (name, word, value) = (words.next()?, words.next()?, words.next()?);
    let same = member(name)? == inside(value)?;
    match word {
        "eq" => Some(same),
        "ne" => Some(!same),
        _ => None,
    }
}

/// Sorts rows by `name`, `name asc` or `name desc`.
fn order(rows: &mut [Value], by: &str) {
    let (name, direction) = by.trim().split_once(' ').unwrap_or((by.trim(), "asc"));
    let text = |row: &Value| row[name].as_str().unwrap_or_default().to_lowercase();
    if name.is_empty() {
        return;
    }
    rows.sort_by_key(text);
    if direction.trim().eq_ignore_ascii_case("desc") {
        rows.reverse();
    }
}
