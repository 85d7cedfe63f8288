//! How two values are compared: for equality, for order in a predicate, and for the order of rows.

use std::cmp::Ordering;

use serde_json::Value as Json;

use super::text::equal_ignore_case;
use super::value::Value;

/// Whether two values are equal; none (the null `bool`) where both are null.
///
/// A missing member equals the empty text, as the service has it; a dynamic value is compared as what the
/// other side is.
pub fn equal(left: &Value<'_>, right: &Value<'_>) -> Option<bool> {
    if left.is_null() && right.is_null() {
        return None;
    }
    if is_text(left) || is_text(right) {
        return Some(texts_equal(left, right, |a, b| a == b));
    }
    Some(order(left, right) == Some(Ordering::Equal))
}

/// Whether two texts are equal but for case.
pub fn equal_folded(left: &Value<'_>, right: &Value<'_>) -> bool {
    texts_equal(left, right, equal_ignore_case)
}

fn texts_equal(left: &Value<'_>, right: &Value<'_>, same: fn(&str, &str) -> bool) -> bool {
    same(&left.to_text(), &right.to_text())
}

fn is_text(value: &Value<'_>) -> bool {
    matches!(value, Value::Str(_)) || value.as_json().is_some_and(Json::is_string)
}

/// The order of two values in a predicate; none where they have none, as with null.
pub fn order(left: &Value<'_>, right: &Value<'_>) -> Option<Ordering> {
    match (left, right) {
        (Value::Null, _) | (_, Value::Null) => None,
        (Value::Long(a), Value::Long(b)) => Some(a.cmp(b)),
        (Value::Datetime(a), other) => other.datetime().map(|b| a.cmp(&b)),
        (other, Value::Datetime(b)) => other.datetime().map(|a| a.cmp(b)),
        (Value::Timespan(a), Value::Timespan(b)) => Some(a.cmp(b)),
        (Value::Bool(a), other) => other.truth().map(|b| a.cmp(&b)),
        (other, Value::Bool(b)) => other.truth().map(|a| a.cmp(b)),
        _ if is_text(left) && is_text(right) => Some(left.to_text().as_ref().cmp(right.to_text().as_ref())),
        _ => match (left.number(), right.number()) {
            (Some(a), Some(b)) => a.partial_cmp(&b),
            _ => match (left.as_json(), right.as_json()) {
                (Some(Json::Bool(a)), Some(Json::Bool(b))) => Some(a.cmp(b)),
                (Some(a), Some(b)) if a == b => Some(Ordering::Equal),
                _ => None,
            },
        },
    }
}

/// The order of rows: total, with values of one column, nulls aside.
pub fn sort_order(left: &Value<'_>, right: &Value<'_>) -> Ordering {
    order(left, right).unwrap_or_else(|| match (left.number(), right.number()) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => left.to_text().as_ref().cmp(right.to_text().as_ref()),
    })
}
