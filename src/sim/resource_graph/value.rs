//! The values of a query: what a column of a row holds, borrowed from the document where it can be.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Number, Value as Json};
use time::{Duration, OffsetDateTime};

use super::moment;

/// The static type of a column or an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `bool`
    Bool,
    /// `int`, 32 bits
    Int,
    /// `long`, 64 bits
    Long,
    /// `real`
    Real,
    /// `string`, also for GUIDs
    Str,
    /// `datetime`
    Datetime,
    /// `timespan`
    Timespan,
    /// `dynamic`
    Dynamic,
}

impl Kind {
    /// The type's name in the query language.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Bool => "bool",
            Kind::Int => "int",
            Kind::Long => "long",
            Kind::Real => "real",
            Kind::Str => "string",
            Kind::Datetime => "datetime",
            Kind::Timespan => "timespan",
            Kind::Dynamic => "dynamic",
        }
    }

    /// The type of that name in the query language, aliases included.
    pub fn named(name: &str) -> Option<Kind> {
        Some(match name {
            "bool" | "boolean" => Kind::Bool,
            "int" => Kind::Int,
            "long" => Kind::Long,
            "real" | "double" | "decimal" => Kind::Real,
            "string" | "guid" | "uuid" => Kind::Str,
            "datetime" | "date" => Kind::Datetime,
            "timespan" | "time" => Kind::Timespan,
            "dynamic" => Kind::Dynamic,
            _ => return None,
        })
    }

    /// The type's name in the `table` form of an answer.
    pub fn column_type(self) -> &'static str {
        match self {
            Kind::Bool => "boolean",
            Kind::Int | Kind::Long => "integer",
            Kind::Real => "number",
            Kind::Str | Kind::Timespan => "string",
            Kind::Datetime => "datetime",
            Kind::Dynamic => "object",
        }
    }

    /// Whether it counts.
    pub fn is_number(self) -> bool {
        matches!(self, Kind::Int | Kind::Long | Kind::Real)
    }
}

/// A text, borrowed from a document or shared.
#[derive(Debug, Clone)]
pub enum Text<'d> {
    /// Borrowed.
    Ref(&'d str),
    /// Made by the query.
    Own(Arc<str>),
}

impl Text<'_> {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        match self {
            Text::Ref(text) => text,
            Text::Own(text) => text,
        }
    }
}

/// A JSON document that is not `null`, borrowed or shared.
#[derive(Debug, Clone)]
pub enum Dyn<'d> {
    /// Borrowed.
    Ref(&'d Json),
    /// Made by the query.
    Own(Arc<Json>),
}

impl Dyn<'_> {
    /// The document itself.
    pub fn json(&self) -> &Json {
        match self {
            Dyn::Ref(json) => json,
            Dyn::Own(json) => json,
        }
    }
}

/// A value; every type but `string` may be null.
#[derive(Debug, Clone)]
pub enum Value<'d> {
    /// No value.
    Null,
    /// `bool`
    Bool(bool),
    /// `int` and `long`
    Long(i64),
    /// `real`
    Real(f64),
    /// `string`
    Str(Text<'d>),
    /// `datetime`
    Datetime(OffsetDateTime),
    /// `timespan`
    Timespan(Duration),
    /// `dynamic`
    Dynamic(Dyn<'d>),
}

impl<'d> Value<'d> {
    /// A text made by the query.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Value::Str(Text::Own(text.into()))
    }

    /// A borrowed text.
    pub fn borrowed(text: &'d str) -> Self {
        Value::Str(Text::Ref(text))
    }

    /// A borrowed document; `null` is no value.
    pub fn json(json: &'d Json) -> Self {
        if json.is_null() {
            Value::Null
        } else {
            Value::Dynamic(Dyn::Ref(json))
        }
    }

    /// A document made by the query; `null` is no value.
    pub fn owned(json: Json) -> Self {
        if json.is_null() {
            Value::Null
        } else {
            Value::Dynamic(Dyn::Own(Arc::new(json)))
        }
    }

    /// A member of a property bag, null where there is none.
    pub fn member(&self, key: &str) -> Value<'d> {
        match self {
            Value::Dynamic(Dyn::Ref(json)) => json.get(key).map_or(Value::Null, Value::json),
            Value::Dynamic(Dyn::Own(json)) => json.get(key).map_or(Value::Null, |found| Value::owned(found.clone())),
            _ => Value::Null,
        }
    }

    /// An element of an array, counted from the end where `at` is negative; null where there is none.
    pub fn element(&self, at: i64) -> Value<'d> {
        let Value::Dynamic(document) = self else {
            return Value::Null;
        };
        let Some(items) = document.json().as_array() else {
            return Value::Null;
        };
        let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let Ok(at) = usize::try_from(if at < 0 { length.saturating_add(at) } else { at }) else {
            return Value::Null;
        };
        match document {
            Dyn::Ref(json) => json.get(at).map_or(Value::Null, Value::json),
            Dyn::Own(json) => json.get(at).map_or(Value::Null, |found| Value::owned(found.clone())),
        }
    }

    /// The document of a dynamic value.
    pub fn as_json(&self) -> Option<&Json> {
        match self {
            Value::Dynamic(document) => Some(document.json()),
            _ => None,
        }
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The text that `tostring` makes: empty for null, JSON for bags and arrays.
    pub fn to_text(&self) -> Cow<'_, str> {
        match self {
            Value::Null => Cow::Borrowed(""),
            Value::Bool(yes) => Cow::Borrowed(if *yes { "true" } else { "false" }),
            Value::Long(number) => Cow::Owned(number.to_string()),
            Value::Real(number) => Cow::Owned(real_text(*number)),
            Value::Str(text) => Cow::Borrowed(text.as_str()),
            Value::Datetime(at) => Cow::Owned(moment::print_datetime(*at)),
            Value::Timespan(span) => Cow::Owned(moment::print_timespan(*span)),
            Value::Dynamic(document) => match document.json() {
                Json::String(text) => Cow::Borrowed(text.as_str()),
                other => Cow::Owned(other.to_string()),
            },
        }
    }

    /// The same as a `string` value, without a copy where the text is there already.
    pub fn into_text(self) -> Value<'d> {
        match self {
            Value::Str(_) => self,
            Value::Dynamic(Dyn::Ref(Json::String(text))) => Value::borrowed(text),
            other => Value::text(other.to_text().as_ref()),
        }
    }

    /// The truth of a `bool`, or of a dynamic value that can be one; none for null.
    pub fn truth(&self) -> Option<bool> {
        match self {
            Value::Bool(yes) => Some(*yes),
            Value::Long(number) => Some(*number != 0),
            Value::Real(number) => Some(*number != 0.0),
            Value::Str(text) => truth_of(text.as_str()),
            Value::Dynamic(document) => match document.json() {
                Json::Bool(yes) => Some(*yes),
                Json::Number(number) => number.as_f64().map(|n| n != 0.0),
                Json::String(text) => truth_of(text),
                _ => None,
            },
            _ => None,
        }
    }

    /// The number of a number, or of a dynamic value that holds one.
    pub fn number(&self) -> Option<f64> {
        match self {
            #[allow(clippy::cast_precision_loss, reason = "the language compares long and real as real")]
            Value::Long(number) => Some(*number as f64),
            Value::Real(number) => Some(*number),
            Value::Bool(yes) => Some(f64::from(u8::from(*yes))),
            Value::Dynamic(document) => document.json().as_f64(),
            _ => None,
        }
    }

    /// The whole number of a number, cut off towards zero; none where it does not fit.
    pub fn whole(&self) -> Option<i64> {
        match self {
            Value::Long(number) => Some(*number),
            Value::Bool(yes) => Some(i64::from(*yes)),
            Value::Real(number) => whole_of(*number),
            Value::Dynamic(document) => {
                let json = document.json();
                json.as_i64().or_else(|| json.as_f64().and_then(whole_of))
            }
            _ => None,
        }
    }

    /// The point in time of a `datetime`, or of a text or dynamic text that reads as one.
    pub fn datetime(&self) -> Option<OffsetDateTime> {
        match self {
            Value::Datetime(at) => Some(*at),
            Value::Str(text) => moment::parse_datetime(text.as_str()),
            Value::Dynamic(document) => document.json().as_str().and_then(moment::parse_datetime),
            _ => None,
        }
    }

    /// The value as JSON, as an answer shows it.
    pub fn to_json(&self) -> Json {
        match self {
            Value::Null => Json::Null,
            Value::Bool(yes) => Json::Bool(*yes),
            Value::Long(number) => Json::from(*number),
            Value::Real(number) => {
                Number::from_f64(*number).map_or_else(|| Json::String(real_text(*number)), Json::Number)
            }
            Value::Str(text) => Json::String(text.as_str().to_owned()),
            Value::Datetime(_) | Value::Timespan(_) => Json::String(self.to_text().into_owned()),
            Value::Dynamic(document) => document.json().clone(),
        }
    }

    /// Appends a key to `key` that is equal for equal values, for groups, sets and joins.
    pub fn write_key(&self, key: &mut String) {
        let (tag, text) = match self {
            Value::Null => ('0', Cow::Borrowed("")),
            Value::Bool(_) => ('b', self.to_text()),
            Value::Long(_) | Value::Real(_) => ('n', self.to_text()),
            Value::Str(_) => ('s', self.to_text()),
            Value::Datetime(_) => ('d', self.to_text()),
            Value::Timespan(_) => ('t', self.to_text()),
            Value::Dynamic(document) => match document.json() {
                Json::String(_) => ('s', self.to_text()),
                Json::Number(_) => ('n', self.to_text()),
                Json::Bool(yes) => ('b', Cow::Borrowed(if *yes { "true" } else { "false" })),
                other => ('j', Cow::Owned(crate::types::json::canonical(other))),
            },
        };
        key.push(tag);
        key.push_str(&text.len().to_string());
        key.push(':');
        key.push_str(&text);
    }
}

fn truth_of(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") || text == "1" {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") || text == "0" {
        Some(false)
    } else {
        None
    }
}

/// A real number cut off towards zero, where a `long` can hold it.
pub fn whole_of(number: f64) -> Option<i64> {
    #[allow(clippy::cast_possible_truncation, reason = "the range is checked before")]
    (number.is_finite() && number.abs() < 9.2e18).then_some(number as i64)
}

fn real_text(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else {
        number.to_string()
    }
}
