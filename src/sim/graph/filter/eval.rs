//! Whether an object meets a condition. Text compares without case, as the directory does.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

use super::{Expr, Function, Literal, Op, Path};
use crate::sim::graph::view::View;

impl Expr {
    /// Whether the object meets it.
    pub(in crate::sim::graph) fn holds(&self, object: &View<'_>) -> bool {
        self.eval(object, &mut Vec::new())
    }

    fn eval(&self, object: &View<'_>, variables: &mut Vec<(String, Value)>) -> bool {
        match self {
            Self::And(left, right) => left.eval(object, variables) && right.eval(object, variables),
            Self::Or(left, right) => left.eval(object, variables) || right.eval(object, variables),
            Self::Not(inner) => !inner.eval(object, variables),
            Self::Compare(path, op, literal) => compare(&find(object, variables, path), *op, literal),
            Self::In(path, literals) => {
                let value = find(object, variables, path);
                literals.iter().any(|literal| compare(&value, Op::Eq, literal))
            }
            Self::Call(function, path, part) => {
                let value = find(object, variables, path);
                let Some(text) = value.as_str().map(str::to_lowercase) else {
                    return false;
                };
                let part = part.to_lowercase();
                match function {
                    Function::StartsWith => text.starts_with(&part),
                    Function::EndsWith => text.ends_with(&part),
                    Function::Contains => text.contains(&part),
                }
            }
            Self::Holds(path) => find(object, variables, path).as_bool() == Some(true),
            Self::Any(path, condition) => {
                let items = items(&find(object, variables, path));
                let Some((variable, condition)) = condition else {
                    return !items.is_empty();
                };
                items.into_iter().any(|item| {
                    variables.push((variable.clone(), item));
                    let holds = condition.eval(object, variables);
                    variables.pop();
                    holds
                })
            }
            Self::All(path, variable, condition) => items(&find(object, variables, path)).into_iter().all(|item| {
                variables.push((variable.clone(), item));
                let holds = condition.eval(object, variables);
                variables.pop();
                holds
            }),
        }
    }
}

fn items(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

fn find<'a>(object: &'a View<'_>, variables: &'a [(String, Value)], path: &Path) -> Cow<'a, Value> {
    let Some((first, rest)) = path.split_first() else {
        return Cow::Owned(Value::Null);
    };
    let variable = variables.iter().rev().find(|(name, _)| name == first);
    let mut value = match variable {
        Some((_, value)) => Cow::Borrowed(value),
        None => object.get(first),
    };
    for segment in rest {
        let below = match (segment.as_str(), value.as_ref()) {
            ("$count", Value::Array(items)) => Value::from(items.len()),
            (name, Value::Object(map)) => {
                crate::types::json::get_ignore_case(map, name).map_or(Value::Null, |(_, value)| value.clone())
            }
            _ => Value::Null,
        };
        value = Cow::Owned(below);
    }
    value
}

fn compare(value: &Value, op: Op, literal: &Literal) -> bool {
    let order = match (value, literal) {
        (Value::Null, Literal::Null) => Some(Ordering::Equal),
        (Value::Bool(value), Literal::Bool(wanted)) => Some(value.cmp(wanted)),
        (Value::Number(value), Literal::Number(wanted)) => value.as_f64().and_then(|value| value.partial_cmp(wanted)),
        (Value::String(value), Literal::Text(wanted) | Literal::Bare(wanted)) => Some(texts(value, wanted)),
        _ => None,
    };
    match op {
        Op::Eq => order == Some(Ordering::Equal),
        Op::Ne => order != Some(Ordering::Equal),
        Op::Ge => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        Op::Gt => order == Some(Ordering::Greater),
        Op::Le => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Op::Lt => order == Some(Ordering::Less),
    }
}

/// Dates by time, everything else without case.
fn texts(value: &str, wanted: &str) -> Ordering {
    match (date(value), date(wanted)) {
        (Some(value), Some(wanted)) => value.cmp(&wanted),
        _ => value.to_lowercase().cmp(&wanted.to_lowercase()),
    }
}

/// A date with or without time of day, UTC where no zone is given.
pub(super) fn date(text: &str) -> Option<OffsetDateTime> {
    if !text.starts_with(|first: char| first.is_ascii_digit()) || text.len() < 10 {
        return None;
    }
    OffsetDateTime::parse(text, &Rfc3339).ok().or_else(|| {
        Date::parse(text, format_description!("[year]-[month]-[day]"))
            .ok()
            .map(|day| day.midnight().assume_utc())
    })
}
