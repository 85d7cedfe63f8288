//! Choices and questions.

use super::super::value::{Kind, Value};
use super::{Function, Gives, arg, f};

/// `iff`, `case`, `coalesce`, `isempty` and their kin.
pub const TABLE: &[Function] = &[
    f("not", 1, 1, Gives::Always(Kind::Bool), |v, _| {
        v[0].truth().map_or(Value::Null, |yes| Value::Bool(!yes))
    }),
    f("iff", 3, 3, Gives::Of(1, 1), |v, _| {
        v[if v[0].truth() == Some(true) { 1 } else { 2 }].clone()
    }),
    f("iif", 3, 3, Gives::Of(1, 1), |v, _| {
        v[if v[0].truth() == Some(true) { 1 } else { 2 }].clone()
    }),
    f("case", 3, 99, Gives::Of(1, 2), |v, _| {
        let mut pairs = v.chunks_exact(2);
        match pairs.find(|pair| pair[0].truth() == Some(true)) {
            Some(pair) => pair[1].clone(),
            None => arg(v, v.len() - 1),
        }
    }),
    f("coalesce", 2, 64, Gives::Of(0, 1), |v, _| {
        v.iter()
            .find(|value| !empty(value))
            .cloned()
            .unwrap_or_else(|| arg(v, v.len() - 1))
    }),
    f("isempty", 1, 1, Gives::Always(Kind::Bool), |v, _| {
        Value::Bool(empty(&v[0]))
    }),
    f("isnotempty", 1, 1, Gives::Always(Kind::Bool), |v, _| {
        Value::Bool(!empty(&v[0]))
    }),
    f("notempty", 1, 1, Gives::Always(Kind::Bool), |v, _| {
        Value::Bool(!empty(&v[0]))
    }),
    f("isnull", 1, 1, Gives::Always(Kind::Bool), |v, _| {
        Value::Bool(v[0].is_null())
    }),
    f("isnotnull", 1, 1, Gives::Always(Kind::Bool), |v, _| {
        Value::Bool(!v[0].is_null())
    }),
    f("notnull", 1, 1, Gives::Always(Kind::Bool), |v, _| {
        Value::Bool(!v[0].is_null())
    }),
    f("isnan", 1, 1, Gives::Always(Kind::Bool), |v, _| {
        Value::Bool(matches!(v[0], Value::Real(number) if number.is_nan()))
    }),
    f("isinf", 1, 1, Gives::Always(Kind::Bool), |v, _| {
        Value::Bool(matches!(v[0], Value::Real(number) if number.is_infinite()))
    }),
    f("isfinite", 1, 1, Gives::Always(Kind::Bool), |v, _| {
        v[0].number().map_or(Value::Null, |n| Value::Bool(n.is_finite()))
    }),
];

/// Null, or a text without a character.
fn empty(value: &Value<'_>) -> bool {
    match value {
        Value::Null => true,
        Value::Str(text) => text.as_str().is_empty(),
        Value::Dynamic(document) => document.json().as_str().is_some_and(str::is_empty),
        _ => false,
    }
}
