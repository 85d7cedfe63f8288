//! From one type to another.

use serde_json::Value as Json;

use super::super::moment::parse_timespan;
use super::super::value::{Kind, Value, whole_of};
use super::{Body, Function, Gives, f};

const TO_LONG: Body = |v, _| whole(&v[0]);
const TO_REAL: Body = |v, _| real(&v[0]);
const TO_BOOL: Body = |v, _| v[0].truth().map_or(Value::Null, Value::Bool);
const PARSE: Body = |v, _| parse_json(&v[0]);

/// `tostring`, `toint`, `parse_json` and their kin.
pub const TABLE: &[Function] = &[
    f("tostring", 1, 1, Gives::Always(Kind::Str), |v, _| {
        v[0].clone().into_text()
    }),
    f("toint", 1, 1, Gives::Always(Kind::Int), |v, _| match whole(&v[0]) {
        Value::Long(number) if i32::try_from(number).is_ok() => Value::Long(number),
        _ => Value::Null,
    }),
    f("tolong", 1, 1, Gives::Always(Kind::Long), TO_LONG),
    f("todouble", 1, 1, Gives::Always(Kind::Real), TO_REAL),
    f("toreal", 1, 1, Gives::Always(Kind::Real), TO_REAL),
    f("todecimal", 1, 1, Gives::Always(Kind::Real), TO_REAL),
    f("tobool", 1, 1, Gives::Always(Kind::Bool), TO_BOOL),
    f("toboolean", 1, 1, Gives::Always(Kind::Bool), TO_BOOL),
    f("todatetime", 1, 1, Gives::Always(Kind::Datetime), |v, _| {
        v[0].datetime().map_or(Value::Null, Value::Datetime)
    }),
    f("totimespan", 1, 1, Gives::Always(Kind::Timespan), |v, _| match &v[0] {
        Value::Timespan(span) => Value::Timespan(*span),
        other => parse_timespan(&other.to_text()).map_or(Value::Null, Value::Timespan),
    }),
    f("toguid", 1, 1, Gives::Always(Kind::Str), |v, _| {
        uuid::Uuid::parse_str(&v[0].to_text()).map_or(Value::Null, |id| Value::text(id.to_string()))
    }),
    f("parse_json", 1, 1, Gives::Always(Kind::Dynamic), PARSE),
    f("parsejson", 1, 1, Gives::Always(Kind::Dynamic), PARSE),
    f("todynamic", 1, 1, Gives::Always(Kind::Dynamic), PARSE),
    f("toobject", 1, 1, Gives::Always(Kind::Dynamic), PARSE),
    f("dynamic_to_json", 1, 1, Gives::Always(Kind::Str), |v, _| {
        Value::text(crate::types::json::canonical(&v[0].to_json()))
    }),
    f("gettype", 1, 1, Gives::Always(Kind::Str), |v, _| {
        Value::borrowed(match &v[0] {
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Long(_) => "long",
            Value::Real(_) => "real",
            Value::Str(_) => "string",
            Value::Datetime(_) => "datetime",
            Value::Timespan(_) => "timespan",
            Value::Dynamic(document) => match document.json() {
                Json::Null => "null",
                Json::Bool(_) => "bool",
                Json::Number(number) if number.is_f64() => "double",
                Json::Number(_) => "long",
                Json::String(_) => "string",
                Json::Array(_) => "array",
                Json::Object(_) => "dictionary",
            },
        })
    }),
];

fn whole<'d>(value: &Value<'_>) -> Value<'d> {
    let read = |text: &str| {
        let text = text.trim();
        let hex = text
            .strip_prefix("0x")
            .and_then(|digits| i64::from_str_radix(digits, 16).ok());
        text.parse()
            .ok()
            .or(hex)
            .or_else(|| text.parse::<f64>().ok().and_then(whole_of))
    };
    let found = match value {
        Value::Str(text) => read(text.as_str()),
        Value::Dynamic(document) => match document.json() {
            Json::String(text) => read(text),
            Json::Bool(yes) => Some(i64::from(*yes)),
            _ => value.whole(),
        },
        other => other.whole(),
    };
    found.map_or(Value::Null, Value::Long)
}

fn real<'d>(value: &Value<'_>) -> Value<'d> {
    let found = match value {
        Value::Str(text) => text.as_str().trim().parse().ok(),
        Value::Dynamic(document) => match document.json() {
            Json::String(text) => text.trim().parse().ok(),
            _ => value.number(),
        },
        other => other.number(),
    };
    found.map_or(Value::Null, Value::Real)
}

fn parse_json<'d>(value: &Value<'d>) -> Value<'d> {
    let text = match value {
        Value::Dynamic(document) if !document.json().is_string() => return value.clone(),
        other => other.to_text(),
    };
    match serde_json::from_str::<Json>(&text) {
        Ok(json) => Value::owned(json),
        Err(_) if text.is_empty() => Value::Null,
        // What is no JSON is kept as a text.
        Err(_) => Value::owned(Json::String(text.into_owned())),
    }
}
