//! Lists of resources: of a type, of a subscription or group, of children.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::fail;
use super::paging::{after, page, stream};
use super::route::{Result, Turn};
use super::{implied, show, subscriptions, versions};
use crate::sim::catalog;
use crate::sim::store::Rows;
use crate::types::ResourceId;

/// The list of a full type below a subscription, a group, a scope or a parent.
pub fn of_type(turn: &mut Turn<'_>, parent: &str, kind: &str) -> Result {
    // A list of what nobody knows would be empty, and so wrong where it is a view of its parent, and no list.
    let lower = kind.to_ascii_lowercase();
    let unknown = catalog::kind(kind).is_none() && !turn.world.store.knows_type(&lower);
    if unknown && (catalog::is_unsimulated(kind) || versions::child_of_known(turn.world, kind)) {
        versions::given(turn.ask)?;
        return Err(fail::unsimulated(&format!("GET of '{kind}'")));
    }
    let version = versions::of_type(turn.world, turn.ask, kind, None)?;
    let scope = ResourceId::parse(parent).ok();
    let known = catalog::kind(kind);
    let read = format!("{}/read", known.map_or_else(|| kind.to_owned(), catalog::Kind::full));
    let namespace = kind.split('/').next().unwrap_or_default().to_ascii_lowercase();
    let types = kind.to_ascii_lowercase();
    let parent_key = crate::sim::store::key_of(parent);
    let child = types.matches('/').count() > 1;
    if child {
        turn.need(&read, parent)?;
    } else {
        turn.need_near(&read, parent)?;
    }
    if let Some(scope) = &scope {
        exists(turn, scope)?;
    }
    let wide = scope.as_ref().is_none_or(|scope| {
        scope.is_type("Microsoft.Resources/subscriptions") || scope.is_type("Microsoft.Resources/resourceGroups")
    });
    let depth = parent_key.matches('/').count();
    let right_below = |key: &str| {
        let steps = key.matches('/').count() - depth;
        let own = key[parent_key.len()..].starts_with(&format!("/providers/{namespace}/"));
        wide || (child && steps == 2) || (!child && steps == 4 && own)
    };
    let (world, now) = (&*turn.world, turn.ask.now);
    let implied = scope
        .as_ref()
        .filter(|_| child)
        .map_or_else(Vec::new, |scope| implied::below(world, scope, kind));
    if !implied.is_empty() {
        let mut rows: BTreeMap<&str, &Value> = implied.iter().map(|(id, document)| (id.key(), document)).collect();
        rows.extend(past_or_present(turn, &parent_key, Some(&types)).filter(|(key, _)| right_below(key)));
        let behind = after(turn.ask);
        let hidden = |key: &str| known.is_some_and(|kind| kind.hides(crate::sim::rights::last(key)));
        let rows = rows.into_iter().filter(|(key, _)| **key > *behind && !hidden(key));
        return Ok(stream(turn.ask, world.page, rows, |key, document| {
            show::resource(world, key, document, &version, now)
        }));
    }
    let rows = past_or_present(turn, &parent_key, Some(&types));
    let rows = rows
        .filter(|(key, _)| right_below(key))
        .filter(|(key, _)| child || turn.sees(kind, key))
        .filter(|(key, _)| !known.is_some_and(|kind| kind.hides(crate::sim::rights::last(key))));
    Ok(stream(turn.ask, world.page, rows, |key, document| {
        show::resource(world, key, document, &version, now)
    }))
}

/// The documents below a key behind the page before, of a type where one is given; as they were where reads are stale.
fn past_or_present<'a>(turn: &'a Turn<'_>, parent: &'a str, kind: Option<&'a str>) -> Rows<'a> {
    let (store, after) = (&turn.world.store, after(turn.ask));
    match (turn.world.as_of, kind) {
        (None, Some(kind)) => store.of_type_below(kind, parent, &after),
        (None, None) => store.below_after(parent, &after),
        (at, kind) => {
            let is = move |key: &str| kind.is_none_or(|kind| ResourceId::parse(key).is_ok_and(|id| id.is_type(kind)));
            Box::new(
                store
                    .documents_below_at(parent, at)
                    .into_iter()
                    .filter(move |(key, _)| **key > *after && is(key)),
            )
        }
    }
}

/// Extension resources of a type at a scope, at those above and below it: assignments and exemptions of policies.
pub fn extensions(turn: &mut Turn<'_>, parent: &str, kind: &str) -> Result {
    let version = versions::of_type(turn.world, turn.ask, kind, None)?;
    let scope = crate::sim::store::key_of(parent);
    let tree = turn.world.tree();
    let filter = turn.ask.parameter("$filter").unwrap_or_default().to_ascii_lowercase();
    let at = if scope.is_empty() { "/".to_owned() } else { scope };
    let lower = kind.to_ascii_lowercase();
    let rows = turn
        .world
        .store
        .of_type(&lower)
        .filter(|(_, document)| {
            let own = crate::sim::rights::assignment_scope(document);
            tree.is_within(&at, &own) || (!filter.contains("atscope()") && tree.is_within(&own, &at))
        })
        .filter(|(key, _)| turn.sees(kind, key))
        .map(|(key, document)| show::resource(turn.world, key, document, &version, turn.ask.now))
        .collect();
    Ok(page(turn.ask, rows, turn.world.page))
}

/// Fails where the subscription or the group of a thing is not there.
pub fn container(turn: &Turn<'_>, scope: &ResourceId) -> Result<()> {
    let Some(subscription) = scope.subscription() else {
        return Ok(());
    };
    if !subscriptions::known(turn.world, subscription) {
        return Err(fail::subscription_missing(subscription));
    }
    subscriptions::writable(turn, subscription)?;
    let Some(group) = scope.resource_group() else {
        return Ok(());
    };
    let key = format!("/subscriptions/{subscription}/resourcegroups/{group}").to_ascii_lowercase();
    if turn.world.read(&key).is_none() {
        return Err(fail::group_missing(group));
    }
    Ok(())
}

/// Fails where the subscription, the group or the top-level resource of a scope is not there.
pub fn exists(turn: &Turn<'_>, scope: &ResourceId) -> Result<()> {
    container(turn, scope)?;
    let top = scope.top_level();
    if !top.resource_type().starts_with("Microsoft.Resources/") && turn.world.read(top.key()).is_none() {
        return Err(fail::resource_missing(&top));
    }
    Ok(())
}

/// `GET {subscription or group}/resources`: rows without properties.
pub fn resources(turn: &mut Turn<'_>, scope: &ResourceId) -> Result {
    versions::own(turn.ask, "resources")?;
    let action = if scope.resource_group().is_some() {
        "Microsoft.Resources/subscriptions/resourceGroups/resources/read"
    } else {
        "Microsoft.Resources/subscriptions/resources/read"
    };
    turn.need_any(action, scope.as_str())?;
    exists(turn, scope)?;
    let filter = Filter::read(turn.ask.parameter("$filter").unwrap_or_default())?;
    let expand = turn.ask.parameter("$expand").unwrap_or_default().to_ascii_lowercase();
    let (world, now) = (&*turn.world, turn.ask.now);
    let rows = past_or_present(turn, scope.key(), None).filter(|(key, document)| {
        // Cheap tests first: most of what lies below are children.
        let top = key.matches('/').count() == 8 && key.split('/').nth(5) == Some("providers");
        let id = top
            .then(|| document["id"].as_str().and_then(|id| ResourceId::parse(id).ok()))
            .flatten();
        id.is_some_and(|id| {
            id.extended().is_none()
                && !id.namespace().eq_ignore_ascii_case("Microsoft.Authorization")
                && filter.holds(&id, document)
                && turn.sees(&id.resource_type(), key)
        })
    });
    Ok(stream(turn.ask, world.page, rows, |key, document| {
        let full = show::resource(world, key, document, "", now);
        let mut row = Map::new();
        for name in [
            "id",
            "name",
            "type",
            "kind",
            "managedBy",
            "location",
            "tags",
            "sku",
            "plan",
            "identity",
            "zones",
            "extendedLocation",
        ] {
            if let Some(value) = full.get(name) {
                row.insert(name.to_owned(), value.clone());
            }
        }
        let note = world.store.note(key);
        if expand.contains("createdtime") {
            row.insert(
                "createdTime".into(),
                json!(show::time(note.created.unwrap_or(world.started))),
            );
        }
        if expand.contains("changedtime") {
            row.insert(
                "changedTime".into(),
                json!(show::time(note.changed.unwrap_or(world.started))),
            );
        }
        if expand.contains("provisioningstate") {
            let state = full.pointer("/properties/provisioningState").cloned();
            row.insert("provisioningState".into(), state.unwrap_or_else(|| json!("Succeeded")));
        }
        Value::Object(row)
    }))
}

/// What a filter of resources can compare.
const NAMES: [&str; 14] = [
    "resourcetype",
    "name",
    "resourcegroup",
    "location",
    "tagname",
    "tagvalue",
    "identity/principalid",
    "plan/publisher",
    "plan/product",
    "plan/name",
    "plan/version",
    "plan/promotioncode",
    "kind",
    "managedby",
];

/// A call in a filter, `substringof('part', name)` or `startswith(tagName, 'start')`, as a comparison by its name; none
/// where the text is no call that Azure has here.
fn call(term: &str) -> Option<(String, bool, String)> {
    let (call, rest) = term.strip_suffix(')')?.split_once('(')?;
    let (first, second) = rest.split_once(',')?;
    let call = call.trim().to_ascii_lowercase();
    let (name, value) = match call.as_str() {
        "substringof" => (second, first),
        "startswith" => (first, second),
        _ => return None,
    };
    let value = value.trim().strip_prefix('\'')?.strip_suffix('\'')?.replace("''", "'");
    let name = format!("{call} {}", name.trim().to_ascii_lowercase());
    ["substringof name", "substringof resourcegroup", "startswith tagname"]
        .contains(&name.as_str())
        .then_some((name, true, value))
}

/// A `$filter` of equalities joined by `and`, and `or` between equal names.
pub struct Filter(Vec<Vec<(String, bool, String)>>);

impl Filter {
    /// Reads the text of a filter.
    ///
    /// # Errors
    /// 400 `InvalidFilterInQueryString` where it is something else.
    pub fn read(text: &str) -> Result<Self> {
        if text.trim().is_empty() {
            return Ok(Self(Vec::new()));
        }
        let bad = || {
            fail::fail(
                400,
                "InvalidFilterInQueryString",
                format!("Invalid $filter '{text}' specified in the query string."),
            )
        };
        let mut all = Vec::new();
        for clause in split(text, " and ") {
            let mut any = Vec::new();
            let whole = clause.trim();
            let bare = whole
                .strip_prefix('(')
                .and_then(|inner| inner.strip_suffix(')'))
                .unwrap_or(whole);
            for term in split(bare, " or ") {
                if let Some(found) = call(term.trim()) {
                    any.push(found);
                    continue;
                }
                let mut words = term.trim().splitn(3, ' ');
                let (Some(name), Some(word), Some(value)) = (words.next(), words.next(), words.next()) else {
                    return Err(bad());
                };
                let value = value
                    .trim()
                    .strip_prefix('\'')
                    .and_then(|v| v.strip_suffix('\''))
                    .ok_or_else(bad)?;
                let equal = match word.to_ascii_lowercase().as_str() {
                    "eq" => true,
                    "ne" => false,
                    _ => return Err(bad()),
                };
                if !NAMES.contains(&name.to_ascii_lowercase().as_str()) {
                    return Err(bad());
                }
                any.push((name.to_ascii_lowercase(), equal, value.replace("''", "'")));
            }
            all.push(any);
        }
        Ok(Self(all))
    }

    /// Whether a document passes.
    pub fn holds(&self, id: &ResourceId, document: &Value) -> bool {
        let wanted = |name: &str| {
            self.0
                .iter()
                .flatten()
                .find(|(n, _, _)| n == name)
                .map(|(_, _, v)| v.as_str())
        };
        let tag = wanted("tagname");
        self.0.iter().all(|any| {
            any.iter().any(|(name, equal, value)| {
                let same = |text: &str| text.eq_ignore_ascii_case(value);
                let part = |text: &str| text.to_ascii_lowercase().contains(&value.to_ascii_lowercase());
                let starts = |text: &str| text.to_ascii_lowercase().starts_with(&value.to_ascii_lowercase());
                let found = match name.as_str() {
                    "substringof name" => part(id.name()),
                    "substringof resourcegroup" => part(id.resource_group().unwrap_or_default()),
                    "startswith tagname" => document["tags"]
                        .as_object()
                        .is_some_and(|tags| tags.keys().any(|key| starts(key))),
                    "resourcetype" => same(&id.resource_type()),
                    "name" => same(id.name()),
                    "resourcegroup" => same(id.resource_group().unwrap_or_default()),
                    "location" => {
                        crate::sim::regions::normal(document["location"].as_str().unwrap_or_default())
                            == crate::sim::regions::normal(value)
                    }
                    "tagname" => document["tags"]
                        .as_object()
                        .is_some_and(|tags| tags.keys().any(|key| same(key))),
                    "tagvalue" => document["tags"].as_object().is_some_and(|tags| {
                        tags.iter().any(|(key, v)| {
                            tag.is_none_or(|tag| key.eq_ignore_ascii_case(tag)) && v.as_str() == Some(value)
                        })
                    }),
                    "identity/principalid" => document
                        .pointer("/identity/principalId")
                        .and_then(Value::as_str)
                        .is_some_and(same),
                    "plan/publisher" | "plan/product" | "plan/name" | "plan/version" | "plan/promotioncode"
                    | "kind" | "managedby" => document
                        .pointer(&format!("/{name}"))
                        .and_then(Value::as_str)
                        .is_some_and(same),
                    _ => false,
                };
                found == *equal
            })
        })
    }
}

/// Splits outside of quotes, at a separator in any case.
pub fn split<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let lower = text.to_ascii_lowercase();
    let (mut parts, mut start, mut quoted) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        if c == '\'' {
            quoted = !quoted;
        } else if !quoted && at >= start && lower[at..].starts_with(separator) {
            parts.push(&text[start..at]);
            start = at + separator.len();
        }
    }
    parts.push(&text[start..]);
    parts
}
