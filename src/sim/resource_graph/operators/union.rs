//! `union`: rows of several pipelines under one set of columns.

use super::super::failure::Fault;
use super::super::row::Frame;
use super::super::syntax::tree::{Source, Union};
use super::super::value::{Kind, Value};
use super::Engine;

impl<'d> Engine<'_, 'd> {
    pub(super) fn union(&mut self, union: &Union, first: Option<Frame<'d>>) -> Result<Frame<'d>, Fault> {
        let mut legs: Vec<(String, Frame<'d>)> = first
            .map(|frame| ("union_arg0".to_owned(), frame))
            .into_iter()
            .collect();
        for leg in &union.legs {
            let name = match &leg.source {
                Source::Table(name) => name.clone(),
                _ => format!("union_arg{}", legs.len()),
            };
            legs.push((name, self.pipeline(leg)?));
        }
        let mut columns: Vec<(String, Kind)> = union.with_source.iter().map(|name| (name.clone(), Kind::Str)).collect();
        let first_own = columns.len();
        for (_, frame) in &legs {
            for column in frame.visible() {
                match columns
                    .iter_mut()
                    .skip(first_own)
                    .find(|(name, _)| *name == column.name)
                {
                    // One column under one name; types that differ meet as dynamic.
                    Some((_, kind)) => *kind = super::super::compile::widest([*kind, column.kind].into_iter()),
                    None => columns.push((column.name.clone(), column.kind)),
                }
            }
        }
        if union.inner {
            let everywhere = |name: &str| {
                legs.iter()
                    .all(|(_, frame)| frame.visible().any(|column| column.name == name))
            };
            let source = union.with_source.as_deref();
            columns.retain(|(name, _)| Some(name.as_str()) == source || everywhere(name));
        }
        let mut rows = Vec::new();
        for (name, frame) in legs {
            let places: Vec<_> = columns
                .iter()
                .map(|(name, kind)| (frame.column(name).map(|c| c.place), *kind))
                .collect();
            for row in &frame.rows {
                let read = |(at, (place, kind)): (usize, &(Option<_>, Kind))| match place {
                    _ if at < first_own => Value::text(name.as_str()),
                    Some(place) => row.read(*place),
                    None if *kind == Kind::Str => Value::borrowed(""),
                    None => Value::Null,
                };
                rows.push(places.iter().enumerate().map(read).collect());
            }
        }
        Ok(Frame::of_values(columns, rows))
    }
}
