//! Numbers.

use time::Duration;

use super::super::compare::order;
use super::super::moment::{from_ticks, ticks};
use super::super::syntax::tree::Binary;
use super::super::value::{Kind, Value, whole_of};
use super::{Function, Gives, arg, f};

const REAL: Gives = Gives::Always(Kind::Real);

/// `round`, `abs`, `min_of` and their kin.
pub const TABLE: &[Function] = &[
    f("round", 1, 2, REAL, |v, _| {
        let digits = i32::try_from(arg(v, 1).whole().unwrap_or(0).clamp(-300, 300)).unwrap_or(0);
        let scale = 10_f64.powi(digits);
        real(&v[0], |number| {
            let scaled = number * scale;
            if scaled.is_finite() {
                scaled.round() / scale
            } else {
                number
            }
        })
    }),
    f("ceiling", 1, 1, REAL, |v, _| real(&v[0], f64::ceil)),
    f("sqrt", 1, 1, REAL, |v, _| real(&v[0], f64::sqrt)),
    f("exp", 1, 1, REAL, |v, _| real(&v[0], f64::exp)),
    f("log", 1, 1, REAL, |v, _| real(&v[0], f64::ln)),
    f("log10", 1, 1, REAL, |v, _| real(&v[0], f64::log10)),
    f("log2", 1, 1, REAL, |v, _| real(&v[0], f64::log2)),
    f("pow", 2, 2, REAL, |v, _| {
        v[1].number()
            .map_or(Value::Null, |power| real(&v[0], |number| number.powf(power)))
    }),
    f("abs", 1, 1, Gives::Of(0, 9), |v, _| match &v[0] {
        Value::Long(number) => number.checked_abs().map_or(Value::Null, Value::Long),
        Value::Timespan(span) => Value::Timespan(span.abs()),
        other => real(other, f64::abs),
    }),
    f("sign", 1, 1, Gives::Always(Kind::Long), |v, _| match v[0].number() {
        Some(number) if number > 0.0 => Value::Long(1),
        Some(number) if number < 0.0 => Value::Long(-1),
        Some(_) => Value::Long(0),
        None => Value::Null,
    }),
    f("min_of", 2, 64, Gives::Of(0, 1), |v, _| {
        pick(v, std::cmp::Ordering::Less)
    }),
    f("max_of", 2, 64, Gives::Of(0, 1), |v, _| {
        pick(v, std::cmp::Ordering::Greater)
    }),
];

fn real<'d>(value: &Value<'_>, apply: impl FnOnce(f64) -> f64) -> Value<'d> {
    value.number().map_or(Value::Null, |number| Value::Real(apply(number)))
}

fn pick<'d>(values: &[Value<'d>], wanted: std::cmp::Ordering) -> Value<'d> {
    let mut best = Value::Null;
    for value in values.iter().filter(|value| !value.is_null()) {
        if best.is_null() || order(value, &best) == Some(wanted) {
            best = value.clone();
        }
    }
    best
}

/// `+ - * / %` over numbers, points in time and spans; null where it has no result.
pub fn arithmetic<'d>(left: &Value<'d>, operator: Binary, right: &Value<'d>) -> Value<'d> {
    let long = |found: Option<i64>| found.map_or(Value::Null, Value::Long);
    let at = |found: Option<time::OffsetDateTime>| found.map_or(Value::Null, Value::Datetime);
    let span = |found: Option<Duration>| found.map_or(Value::Null, Value::Timespan);
    match (left, operator, right) {
        (Value::Long(a), Binary::Add, Value::Long(b)) => long(a.checked_add(*b)),
        (Value::Long(a), Binary::Subtract, Value::Long(b)) => long(a.checked_sub(*b)),
        (Value::Long(a), Binary::Multiply, Value::Long(b)) => long(a.checked_mul(*b)),
        (Value::Long(a), Binary::Divide, Value::Long(b)) => long(a.checked_div(*b)),
        (Value::Long(a), Binary::Modulo, Value::Long(b)) => long(a.checked_rem_euclid(*b)),
        (Value::Timespan(a), Binary::Add, Value::Timespan(b)) => span(a.checked_add(*b)),
        (Value::Timespan(a), Binary::Subtract, Value::Timespan(b)) => span(a.checked_sub(*b)),
        (Value::Timespan(a), Binary::Divide, Value::Timespan(b)) => {
            Value::Real(a.as_seconds_f64() / b.as_seconds_f64())
        }
        (Value::Datetime(a), Binary::Add, Value::Timespan(b))
        | (Value::Timespan(b), Binary::Add, Value::Datetime(a)) => at(a.checked_add(*b)),
        (Value::Datetime(a), Binary::Subtract, Value::Timespan(b)) => at(a.checked_sub(*b)),
        (Value::Datetime(a), Binary::Subtract, other) => {
            other.datetime().map_or(Value::Null, |b| Value::Timespan(*a - b))
        }
        (Value::Timespan(a), Binary::Multiply | Binary::Divide, other)
        | (other, Binary::Multiply, Value::Timespan(a)) => scaled(*a, operator, other),
        _ => match (left.number(), right.number()) {
            (Some(a), Some(b)) => {
                let found = match operator {
                    Binary::Add => a + b,
                    Binary::Subtract => a - b,
                    Binary::Multiply => a * b,
                    Binary::Divide => a / b,
                    _ => a % b,
                };
                let both_whole = is_whole(left) && is_whole(right);
                match whole_of(found) {
                    Some(number) if both_whole => Value::Long(number),
                    _ if both_whole => Value::Null,
                    _ => Value::Real(found),
                }
            }
            _ => Value::Null,
        },
    }
}

fn is_whole(value: &Value<'_>) -> bool {
    matches!(value, Value::Long(_)) || value.as_json().is_some_and(|json| json.is_i64() || json.is_u64())
}

fn scaled<'d>(span: Duration, operator: Binary, by: &Value<'_>) -> Value<'d> {
    #[allow(clippy::cast_precision_loss, reason = "spans of centuries lose some ticks")]
    let ticks = ticks(span) as f64;
    let found = by.number().map(|by| {
        if operator == Binary::Divide {
            ticks / by
        } else {
            ticks * by
        }
    });
    found
        .and_then(whole_of)
        .and_then(from_ticks)
        .map_or(Value::Null, Value::Timespan)
}
