//! Large maps that branches share instead of copying.
//!
//! A [`Frozen`] map is read exactly like a plain one. Cloning it copies a pointer; what a script writes into
//! its own copy stays there.

use std::sync::Arc;

use rhai::{Array, Dynamic, Engine, EvalAltResult, FnPtr, ImmutableString, Map, NativeCallContext};
use serde_json::Value;

use super::value::{from_json, to_json};

/// A map whose clones share their content until one of them is written to.
#[derive(Debug, Clone)]
pub struct Frozen(Arc<Map>);

impl Frozen {
    /// A script's value of a JSON value in which every map is shared.
    pub fn dynamic(value: &Value) -> Dynamic {
        match value {
            Value::Array(items) => items.iter().map(Self::dynamic).collect::<Array>().into(),
            Value::Object(map) => {
                let map: Map = map
                    .iter()
                    .map(|(key, item)| (key.as_str().into(), Self::dynamic(item)))
                    .collect();
                Dynamic::from(Self(Arc::new(map)))
            }
            plain => from_json(plain),
        }
    }

    /// The map itself; nested maps are shared ones again.
    pub fn map(&self) -> &Map {
        &self.0
    }

    fn get(&self, key: &str) -> Dynamic {
        self.0.get(key).cloned().unwrap_or_default()
    }
}

/// Compares as JSON does, so that shared and plain maps are equal where their content is.
fn equal(one: &Map, other: &Map) -> bool {
    let json = |map: &Map| to_json(&Dynamic::from(map.clone())).ok();
    one.len() == other.len() && json(one).is_some_and(|value| Some(value) == json(other))
}

fn text(map: &Map) -> String {
    format!("{:?}", Dynamic::from(thaw(map)))
}

/// A plain map with the same content, all the way down.
fn thaw(map: &Map) -> Map {
    fn plain(value: &Dynamic) -> Dynamic {
        if let Some(frozen) = value.read_lock::<Frozen>() {
            return thaw(frozen.map()).into();
        }
        if let Some(items) = value.read_lock::<Array>() {
            return items.iter().map(plain).collect::<Array>().into();
        }
        value.clone()
    }
    map.iter().map(|(key, value)| (key.clone(), plain(value))).collect()
}

/// Makes shared maps usable in scripts, under the type name `map`.
pub fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Frozen>("map");
    engine
        .register_indexer_get(|map: &mut Frozen, key: ImmutableString| map.get(&key))
        .register_indexer_set(|map: &mut Frozen, key: ImmutableString, value: Dynamic| {
            Arc::make_mut(&mut map.0).insert(key.as_str().into(), value);
        })
        .register_fn("get", |map: &mut Frozen, key: ImmutableString| map.get(&key))
        .register_fn("set", |map: &mut Frozen, key: ImmutableString, value: Dynamic| {
            Arc::make_mut(&mut map.0).insert(key.as_str().into(), value);
        })
        .register_fn("remove", |map: &mut Frozen, key: ImmutableString| {
            Arc::make_mut(&mut map.0).remove(key.as_str()).unwrap_or_default()
        })
        .register_fn("contains", |map: &mut Frozen, key: ImmutableString| {
            map.0.contains_key(key.as_str())
        })
        .register_fn("len", |map: &mut Frozen| i64::try_from(map.0.len()).unwrap_or(i64::MAX))
        .register_fn("is_empty", |map: &mut Frozen| map.0.is_empty())
        .register_fn("keys", |map: &mut Frozen| {
            map.0.keys().map(|key| key.as_str().into()).collect::<Array>()
        })
        .register_fn("values", |map: &mut Frozen| map.0.values().cloned().collect::<Array>())
        .register_fn("to_string", |map: &mut Frozen| text(&map.0))
        .register_fn("to_debug", |map: &mut Frozen| text(&map.0))
        .register_fn("to_json", |map: &mut Frozen| -> Result<String, Box<EvalAltResult>> {
            Ok(to_json(&Dynamic::from(map.clone()))?.to_string())
        });
    engine
        .register_fn("==", |one: Frozen, other: Frozen| {
            Arc::ptr_eq(&one.0, &other.0) || equal(&one.0, &other.0)
        })
        .register_fn("!=", |one: Frozen, other: Frozen| {
            !Arc::ptr_eq(&one.0, &other.0) && !equal(&one.0, &other.0)
        })
        .register_fn("==", |one: Frozen, other: Map| equal(&one.0, &other))
        .register_fn("!=", |one: Frozen, other: Map| !equal(&one.0, &other))
        .register_fn("==", |one: Map, other: Frozen| equal(&one, &other.0))
        .register_fn("!=", |one: Map, other: Frozen| !equal(&one, &other.0));
    let join = |mut one: Map, other: &Map| {
        one.extend(other.iter().map(|(key, value)| (key.clone(), value.clone())));
        one
    };
    engine
        .register_fn("+", move |one: Frozen, other: Map| join(one.map().clone(), &other))
        .register_fn("+", move |one: Map, other: Frozen| join(one, &other.0))
        .register_fn("+", move |one: Frozen, other: Frozen| join(one.map().clone(), &other.0))
        .register_fn("mixin", move |map: &mut Frozen, other: Map| {
            Arc::make_mut(&mut map.0).extend(other);
        })
        .register_fn("mixin", move |map: &mut Map, other: Frozen| {
            map.extend(other.map().clone());
        })
        .register_fn("+=", move |map: &mut Map, other: Frozen| {
            map.extend(other.map().clone());
        })
        .register_fn("+=", move |map: &mut Frozen, other: Map| {
            Arc::make_mut(&mut map.0).extend(other);
        })
        .register_fn(
            "filter",
            |context: NativeCallContext<'_>, map: &mut Frozen, keep: FnPtr| -> Result<Map, Box<EvalAltResult>> {
                let mut kept = Map::new();
                for (key, value) in map.map() {
                    // As for plain maps: the closure takes the key, and the value as a second one or as `this`.
                    let mut this = value.clone();
                    let keeps =
                        keep.call_raw_with_extra_args("filter", &context, Some(&mut this), [key.into()], [], Some(1))?;
                    if keeps.as_bool().unwrap_or(false) {
                        kept.insert(key.clone(), value.clone());
                    }
                }
                Ok(kept)
            },
        );
}
