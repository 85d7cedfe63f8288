//! Literals in the form `type(raw text)`.

use serde_json::Value as Json;

use super::super::moment;
use super::super::value::Kind;
use super::tree::Literal;

/// Reads the raw text of a typed literal; none where it does not read as one of that type.
pub fn read(kind: Kind, raw: &str) -> Option<Literal> {
    if raw.eq_ignore_ascii_case("null") && kind != Kind::Str {
        return Some(Literal::Null(kind));
    }
    match kind {
        Kind::Bool => match raw.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(Literal::Bool(true)),
            "false" | "0" => Some(Literal::Bool(false)),
            _ => None,
        },
        Kind::Int => raw.parse::<i32>().ok().map(|number| Literal::Int(i64::from(number))),
        Kind::Long => raw.parse().ok().map(Literal::Long),
        Kind::Real => raw
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
            .map(Literal::Real),
        Kind::Str => uuid::Uuid::parse_str(raw.trim_matches(['"', '\'']))
            .ok()
            .map(|id| Literal::Str(id.to_string())),
        Kind::Datetime => moment::parse_datetime(raw).map(Literal::Datetime),
        Kind::Timespan => moment::parse_timespan(raw).map(Literal::Timespan),
        Kind::Dynamic => json(raw).map(|found| {
            if found.is_null() {
                Literal::Null(Kind::Dynamic)
            } else {
                Literal::Dynamic(found)
            }
        }),
    }
}

/// JSON, in which the language also lets strings stand in single quotes.
fn json(raw: &str) -> Option<Json> {
    serde_json::from_str(raw)
        .ok()
        .or_else(|| serde_json::from_str(&double_quotes(raw)).ok())
}

fn double_quotes(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut open = None;
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        match (open, c) {
            (Some(_), '\\') => match chars.next() {
                Some('\'') => text.push('\''),
                Some(next) => text.extend(['\\', next]),
                None => text.push('\\'),
            },
            (None, '\'' | '"') => {
                open = Some(c);
                text.push('"');
            }
            (Some(quote), c) if c == quote => {
                open = None;
                text.push('"');
            }
            (Some('\''), '"') => text.push_str("\\\""),
            _ => text.push(c),
        }
    }
    text
}
