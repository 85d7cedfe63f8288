//! Values between scripts and the rest of Ferry, which knows JSON only.
//!
//! The conversion is strict: what JSON cannot hold is refused, not bent. So a value that went through a
//! journal is the one that came out of the script.

use rhai::{Array, Blob, Dynamic, FnPtr, ImmutableString, Map};
use serde_json::{Number, Value};

use super::frozen::Frozen;
use crate::error::Error;

/// How deep values may nest: deeper ones would not come back from a journal.
const DEEPEST: usize = 120;

/// The JSON value of a script's value. A character becomes a string of one.
///
/// # Errors
/// `not-plain` for what JSON cannot hold: closures, timestamps, blobs, ranges, NaN and infinities, and
/// values nested deeper than 120 levels. The message names the place inside the value.
pub fn to_json(value: &Dynamic) -> Result<Value, Error> {
    convert(value, &mut Vec::new())
}

fn convert(value: &Dynamic, place: &mut Vec<String>) -> Result<Value, Error> {
    if value.is_shared() {
        return convert(&value.flatten_clone(), &mut place.clone());
    }
    if place.len() > DEEPEST {
        return Err(refuse("a value nested too deep", place));
    }
    if value.is_unit() {
        return Ok(Value::Null);
    }
    if let Ok(flag) = value.as_bool() {
        return Ok(Value::Bool(flag));
    }
    if let Ok(number) = value.as_int() {
        return Ok(number.into());
    }
    if let Some(number) = value.read_lock::<u64>() {
        return Ok((*number).into());
    }
    if let Ok(number) = value.as_float() {
        return Number::from_f64(number)
            .map(Value::Number)
            .ok_or_else(|| refuse(&number.to_string(), place));
    }
    if let Ok(letter) = value.as_char() {
        return Ok(Value::String(letter.to_string()));
    }
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return Ok(Value::String(text.to_string()));
    }
    if let Some(items) = value.read_lock::<Array>() {
        let mut made = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            place.push(index.to_string());
            made.push(convert(item, place)?);
            place.pop();
        }
        return Ok(Value::Array(made));
    }
    if let Some(map) = value.read_lock::<Map>() {
        return convert_map(&map, place);
    }
    if let Some(frozen) = value.read_lock::<Frozen>() {
        return convert_map(frozen.map(), place);
    }
    Err(refuse(kind_with_article(value), place))
}

fn convert_map(map: &Map, place: &mut Vec<String>) -> Result<Value, Error> {
    let mut made = serde_json::Map::with_capacity(map.len());
    for (key, item) in map {
        place.push(key.to_string());
        made.insert(key.to_string(), convert(item, place)?);
        place.pop();
    }
    Ok(Value::Object(made))
}

fn refuse(what: &str, place: &[String]) -> Error {
    let place = if place.is_empty() {
        String::new()
    } else {
        format!(" at {}", place.join("."))
    };
    Error::failed(
        "not-plain",
        format!("only plain data can be kept or sent, and this is {what}{place}"),
    )
    .next("use strings, whole numbers, finite floats, booleans, (), arrays and maps of them")
}

/// The script's value of a JSON value. A whole number beyond a script's `int` keeps its value and cannot be
/// calculated with.
pub fn from_json(value: &Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => from_number(number),
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => items.iter().map(from_json).collect::<Array>().into(),
        Value::Object(map) => from_object(map).into(),
    }
}

/// The script's map of a JSON object.
pub fn from_object(map: &serde_json::Map<String, Value>) -> Map {
    map.iter()
        .map(|(key, item)| (key.as_str().into(), from_json(item)))
        .collect()
}

pub(super) fn from_number(number: &Number) -> Dynamic {
    if let Some(int) = number.as_i64() {
        int.into()
    } else if let Some(int) = number.as_u64() {
        Dynamic::from(int)
    } else {
        // serde_json holds nothing but i64, u64 and f64 here.
        number.as_f64().map_or(Dynamic::UNIT, Dynamic::from)
    }
}

/// The name of a value's type in messages and documentation.
pub fn kind(value: &Dynamic) -> &'static str {
    if value.is_unit() {
        "()"
    } else if value.is_bool() {
        "bool"
    } else if value.is_int() || value.is::<u64>() {
        "int"
    } else if value.is_float() {
        "float"
    } else if value.is_char() {
        "char"
    } else if value.is_string() {
        "string"
    } else if value.is_array() {
        "array"
    } else if value.is_map() || value.is::<Frozen>() {
        "map"
    } else if value.is::<FnPtr>() {
        "closure"
    } else if value.is::<Blob>() {
        "blob"
    } else if value.is_timestamp() {
        "timestamp"
    } else {
        "object"
    }
}

/// The same with its article, for sentences.
pub fn kind_with_article(value: &Dynamic) -> &'static str {
    match kind(value) {
        "()" => "()",
        "bool" => "a bool",
        "int" => "an int",
        "float" => "a float",
        "char" => "a character",
        "string" => "a string",
        "array" => "an array",
        "map" => "a map",
        "closure" => "a closure",
        "blob" => "a blob",
        "timestamp" => "a timestamp",
        _ => "an object of the host",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            prop::num::f64::NORMAL.prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(".*", inner, 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_document_comes_back_from_a_script_as_it_was(document in json()) {
            prop_assert_eq!(&to_json(&from_json(&document)).unwrap(), &document);
            prop_assert_eq!(&to_json(&Frozen::dynamic(&document)).unwrap(), &document);
            // And out of the text of a journal, to the last bit of a float.
            prop_assert_eq!(&serde_json::from_str::<Value>(&document.to_string()).unwrap(), &document);
        }
    }

    #[test]
    fn what_json_cannot_hold_is_refused_with_its_place() {
        let engine = rhai::Engine::new();
        for (script, what) in [
            ("#{ a: [1, || 2] }", "a closure at a.1"),
            ("0.0 / 0.0", "NaN"),
            ("timestamp()", "a timestamp"),
            ("blob(2)", "a blob"),
            ("1..3", "an object of the host"),
        ] {
            let error = to_json(&engine.eval::<Dynamic>(script).unwrap()).unwrap_err();
            assert!(error.message.ends_with(what), "{script}: {}", error.message);
        }
    }
}
