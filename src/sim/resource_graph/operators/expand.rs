//! `mv-expand`: a row for each element of an array or member of a bag.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::super::compile::name_of;
use super::super::failure::{Fault, meaning};
use super::super::functions;
use super::super::row::{Column, Frame, Place};
use super::super::syntax::tree::{Expr, Named};
use super::super::value::{Dyn, Kind, Value};
use super::Engine;
use super::project::{own_width, set_column};

/// Rows made of one, unless the query says otherwise.
const USUAL_LIMIT: usize = 128;
/// Most rows made of one that a query may ask for.
const HIGHEST_LIMIT: usize = 2_000;

impl<'d> Engine<'_, 'd> {
    pub(super) fn expand(
        &self,
        mut frame: Frame<'d>,
        items: &[(Named, Option<Kind>)],
        as_arrays: bool,
        index: Option<&str>,
        limit: Option<&Expr>,
    ) -> Result<Frame<'d>, Fault> {
        let limit = limit
            .map(|expr| self.count("mv-expand", expr))
            .transpose()?
            .unwrap_or(USUAL_LIMIT);
        if limit > HIGHEST_LIMIT {
            return meaning(format!(
                "'mv-expand' operator: The row limit may be {HIGHEST_LIMIT} at most."
            ));
        }
        let width = own_width(&frame);
        let mut codes = Vec::new();
        let mut columns = Vec::new();
        for (at, (item, kind)) in items.iter().enumerate() {
            let (code, found) = self.compile("mv-expand", &frame.columns, &item.expr)?;
            if found != Kind::Dynamic {
                return meaning(format!(
                    "'mv-expand' operator: expanded expression expected to have dynamic type, not {}",
                    found.name()
                ));
            }
            let name = item
                .name
                .clone()
                .or_else(|| name_of(&item.expr))
                .unwrap_or_else(|| format!("Column{}", at + 1));
            codes.push((code, *kind));
            columns.push(Column {
                name,
                kind: kind.unwrap_or(Kind::Dynamic),
                place: Place::Own(width + at),
                hidden: false,
            });
        }
        if let Some(name) = index {
            let place = Place::Own(width + codes.len());
            columns.push(Column {
                name: name.to_owned(),
                kind: Kind::Long,
                place,
                hidden: false,
            });
        }
        let mut rows = Vec::new();
        for row in &frame.rows {
            let lists: Vec<_> = codes
                .iter()
                .map(|(code, _)| Expansion::of(code.run(row, &self.context), as_arrays))
                .collect();
            let longest = lists.iter().map(Expansion::len).max().unwrap_or(0).min(limit);
            for at in 0..longest {
                let mut made = row.clone();
                made.own.truncate(width);
                for (list, (_, kind)) in lists.iter().zip(&codes) {
                    made.own.push(cast(list.get(at), *kind, self));
                }
                if index.is_some() {
                    made.own.push(Value::Long(i64::try_from(at).unwrap_or(i64::MAX)));
                }
                rows.push(made);
            }
        }
        frame.rows = rows;
        for column in columns {
            set_column(&mut frame, column);
        }
        Ok(frame)
    }
}

/// What one value expands to.
enum Expansion<'d> {
    Array(Dyn<'d>),
    Bag(Dyn<'d>, bool),
    Single(Value<'d>),
}

impl<'d> Expansion<'d> {
    fn of(value: Value<'d>, as_arrays: bool) -> Self {
        match value {
            Value::Dynamic(document) if document.json().is_array() => Expansion::Array(document),
            Value::Dynamic(document) if document.json().is_object() => Expansion::Bag(document, as_arrays),
            other => Expansion::Single(other),
        }
    }

    /// Null is one row, an empty array none.
    fn len(&self) -> usize {
        match self {
            Expansion::Array(document) => document.json().as_array().map_or(0, Vec::len),
            Expansion::Bag(document, _) => document.json().as_object().map_or(0, serde_json::Map::len),
            Expansion::Single(_) => 1,
        }
    }

    fn get(&self, at: usize) -> Value<'d> {
        match self {
            Expansion::Array(Dyn::Ref(json)) => json.get(at).map_or(Value::Null, Value::json),
            Expansion::Array(Dyn::Own(json)) => json.get(at).map_or(Value::Null, |found| Value::owned(found.clone())),
            Expansion::Bag(document, as_arrays) => {
                let member = document.json().as_object().and_then(|bag| bag.iter().nth(at));
                member.map_or(Value::Null, |(key, value)| {
                    let made = if *as_arrays {
                        json!([key, value])
                    } else {
                        json!({ key: value })
                    };
                    Value::Dynamic(Dyn::Own(Arc::new(made)))
                })
            }
            Expansion::Single(value) => {
                if at == 0 {
                    value.clone()
                } else {
                    Value::Null
                }
            }
        }
    }
}

/// An element under the type of `to typeof()`.
fn cast<'d>(value: Value<'d>, kind: Option<Kind>, engine: &Engine<'_, 'd>) -> Value<'d> {
    let name = match kind {
        None | Some(Kind::Dynamic) => return value,
        Some(Kind::Str) => "tostring",
        Some(Kind::Int) => "toint",
        Some(Kind::Long) => "tolong",
        Some(Kind::Real) => "toreal",
        Some(Kind::Bool) => "tobool",
        Some(Kind::Datetime) => "todatetime",
        Some(Kind::Timespan) => "totimespan",
    };
    // A bag of one or an array is no text of its own under another type than string.
    if matches!(value.as_json(), Some(Json::Array(_) | Json::Object(_))) && kind != Some(Kind::Str) {
        return Value::Null;
    }
    functions::find(name).map_or(Value::Null, |function| (function.body)(&[value], &engine.context))
}

/// The same for `parse`.
pub(super) fn cast_text<'d>(text: &str, kind: Kind, engine: &Engine<'_, 'd>) -> Value<'d> {
    cast(Value::text(text), Some(kind), engine)
}
