//! Bags and arrays.

use serde_json::{Map, Value as Json, json};

use super::super::compare::sort_order;
use super::super::value::{Kind, Value};
use super::{Body, Function, Gives, arg, count, f};

const D: Gives = Gives::Always(Kind::Dynamic);

const PACK: Body = |v, _| {
    let pairs = v
        .chunks_exact(2)
        .map(|pair| (pair[0].to_text().into_owned(), pair[1].to_json()));
    Value::owned(Json::Object(pairs.collect()))
};
const MERGE: Body = |v, _| {
    let mut merged = Map::new();
    for bag in v.iter().filter_map(|value| value.as_json().and_then(Json::as_object)) {
        for (key, value) in bag {
            merged.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    Value::owned(Json::Object(merged))
};

/// `array_length`, `bag_keys`, `pack`, `set_union` and their kin.
pub const TABLE: &[Function] = &[
    f("array_length", 1, 1, Gives::Always(Kind::Long), |v, _| {
        items(&v[0]).map_or(Value::Null, |items| count(items.len()))
    }),
    f("array_concat", 1, 64, D, |v, _| {
        Value::owned(Json::Array(v.iter().filter_map(items).flatten().cloned().collect()))
    }),
    f("array_index_of", 2, 2, Gives::Always(Kind::Long), |v, _| {
        let sought = key(&v[1]);
        let found = items(&v[0]).and_then(|items| items.iter().position(|item| key(&Value::json(item)) == sought));
        found.map_or(Value::Long(-1), count)
    }),
    f("array_slice", 3, 3, D, |v, _| {
        let Some(items) = items(&v[0]) else { return Value::Null };
        let total = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let place = |value: &Value<'_>| {
            value
                .whole()
                .map(|at| if at < 0 { total.saturating_add(at).max(0) } else { at })
        };
        let (Some(start), Some(end)) = (place(&v[1]), place(&v[2])) else {
            return Value::Null;
        };
        let take = usize::try_from(end.saturating_sub(start).saturating_add(1)).unwrap_or(0);
        Value::owned(
            items
                .iter()
                .skip(usize::try_from(start).unwrap_or(0))
                .take(take)
                .cloned()
                .collect(),
        )
    }),
    f("array_reverse", 1, 1, D, |v, _| {
        items(&v[0]).map_or(Value::Null, |items| Value::owned(items.iter().rev().cloned().collect()))
    }),
    f("array_sort_asc", 1, 1, D, |v, _| sorted(&v[0], false)),
    f("array_sort_desc", 1, 1, D, |v, _| sorted(&v[0], true)),
    f("array_sum", 1, 1, Gives::Always(Kind::Real), |v, _| {
        items(&v[0]).map_or(Value::Null, |items| {
            Value::Real(items.iter().filter_map(Json::as_f64).sum())
        })
    }),
    f("bag_keys", 1, 1, D, |v, _| match v[0].as_json() {
        Some(Json::Object(bag)) => Value::owned(bag.keys().map(|key| json!(key)).collect()),
        _ => Value::Null,
    }),
    f("bag_has_key", 2, 2, Gives::Always(Kind::Bool), |v, _| {
        match v[0].as_json() {
            Some(Json::Object(bag)) => Value::Bool(bag.contains_key(v[1].to_text().as_ref())),
            _ => Value::Null,
        }
    }),
    f("bag_merge", 2, 64, D, MERGE),
    f("bag_remove_keys", 2, 2, D, |v, _| {
        match (v[0].as_json(), items(&v[1])) {
            (Some(Json::Object(bag)), Some(keys)) => {
                let gone = |key: &String| keys.iter().any(|k| k.as_str() == Some(key));
                Value::owned(Json::Object(
                    bag.iter()
                        .filter(|(key, _)| !gone(key))
                        .map(|(k, v)| (k.clone(), v.clone()))
                        .collect(),
                ))
            }
            _ => Value::Null,
        }
    }),
    f("bag_pack", 2, 64, D, PACK),
    f("pack", 2, 64, D, PACK),
    f("pack_dictionary", 2, 64, D, PACK),
    f("pack_array", 0, 64, D, |v, _| {
        Value::owned(v.iter().map(Value::to_json).collect())
    }),
    f("set_union", 1, 64, D, |v, _| {
        unique(v.iter().filter_map(items).flatten().cloned())
    }),
    f("set_intersect", 1, 64, D, |v, _| {
        let kept = items(&v[0])
            .into_iter()
            .flatten()
            .filter(|item| v[1..].iter().all(|other| holds(other, item)));
        unique(kept.cloned())
    }),
    f("set_difference", 1, 64, D, |v, _| {
        let kept = items(&v[0])
            .into_iter()
            .flatten()
            .filter(|item| !v[1..].iter().any(|other| holds(other, item)));
        unique(kept.cloned())
    }),
    f("set_has_element", 2, 2, Gives::Always(Kind::Bool), |v, _| {
        match items(&v[0]) {
            Some(_) => Value::Bool(holds(&v[0], &v[1].to_json())),
            None => Value::Null,
        }
    }),
    f("treepath", 1, 1, D, |v, _| {
        let mut paths = Vec::new();
        v[0].as_json()
            .into_iter()
            .for_each(|json| tree_paths(json, "", &mut paths));
        Value::owned(Json::Array(paths))
    }),
    f("zip", 2, 16, D, |v, _| {
        let longest = v.iter().filter_map(items).map(<[Json]>::len).max().unwrap_or(0);
        let row = |at: i64| v.iter().map(|list| list.element(at).to_json()).collect::<Json>();
        Value::owned((0..i64::try_from(longest).unwrap_or(0)).map(row).collect())
    }),
    f("repeat", 2, 2, D, |v, _| {
        let times = v[1]
            .whole()
            .and_then(|times| usize::try_from(times).ok())
            .unwrap_or(0)
            .min(10_000);
        Value::owned(Json::Array(vec![arg(v, 0).to_json(); times]))
    }),
];

fn items<'v>(value: &'v Value<'_>) -> Option<&'v [Json]> {
    value.as_json().and_then(Json::as_array).map(Vec::as_slice)
}

fn key(value: &Value<'_>) -> String {
    let mut key = String::new();
    value.write_key(&mut key);
    key
}

fn holds(list: &Value<'_>, item: &Json) -> bool {
    let sought = key(&Value::json(item));
    items(list).is_some_and(|items| items.iter().any(|other| key(&Value::json(other)) == sought))
}

/// Each item once, in the order of its first appearance.
fn unique<'d>(items: impl Iterator<Item = Json>) -> Value<'d> {
    let mut seen = std::collections::HashSet::new();
    Value::owned(Json::Array(
        items.filter(|item| seen.insert(key(&Value::json(item)))).collect(),
    ))
}

fn sorted<'d>(list: &Value<'_>, descending: bool) -> Value<'d> {
    let Some(items) = items(list) else { return Value::Null };
    let mut items = items.to_vec();
    items.sort_by(|a, b| {
        let order = sort_order(&Value::json(a), &Value::json(b));
        if descending { order.reverse() } else { order }
    });
    Value::owned(Json::Array(items))
}

fn tree_paths(json: &Json, at: &str, paths: &mut Vec<Json>) {
    match json {
        Json::Object(bag) => {
            for (key, value) in bag {
                let path = if at.is_empty() {
                    format!("['{key}']")
                } else {
                    format!("{at}['{key}']")
                };
                paths.push(json!(path));
                tree_paths(value, &path, paths);
            }
        }
        Json::Array(items) => {
            let path = format!("{at}[0]");
            for item in items {
                if !paths.contains(&json!(path)) {
                    paths.push(json!(path));
                }
                tree_paths(item, &path, paths);
            }
        }
        _ => {}
    }
}
