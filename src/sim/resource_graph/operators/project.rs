//! Columns chosen, made, renamed, left out: `project` and its kin, `extend`, `distinct`.

use std::collections::HashSet;

use super::super::code::Code;
use super::super::compile::name_of;
use super::super::failure::{Fault, meaning};
use super::super::row::{Column, Frame, Names, Place};
use super::super::syntax::tree::{Expr, Named};
use super::super::value::Kind;
use super::Engine;

impl<'d> Engine<'_, 'd> {
    pub(super) fn project(&self, mut frame: Frame<'d>, items: &[Named]) -> Result<Frame<'d>, Fault> {
        let mut names = Names::default();
        let mut codes = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            let (code, kind) = self.compile("project", &frame.columns, &item.expr)?;
            let name = match &item.name {
                Some(name) => name.clone(),
                None => names.fresh(&name_of(&item.expr).unwrap_or_else(|| format!("Column{}", at + 1))),
            };
            codes.push((name, kind, code));
        }
        let mut columns: Vec<Column> = Vec::with_capacity(codes.len());
        for (name, kind, place) in self.make(&mut frame, codes) {
            if columns.iter().any(|column| column.name == name) {
                return meaning(format!("'project' operator: A column named '{name}' already exists"));
            }
            columns.push(Column {
                name,
                kind,
                place,
                hidden: false,
            });
        }
        frame.columns = columns;
        Ok(frame)
    }

    pub(super) fn extend(&self, mut frame: Frame<'d>, items: &[Named]) -> Result<Frame<'d>, Fault> {
        // Each may use the ones before it.
        for (at, item) in items.iter().enumerate() {
            let (code, kind) = self.compile("extend", &frame.columns, &item.expr)?;
            let name = match &item.name {
                Some(name) => name.clone(),
                None => name_of(&item.expr).unwrap_or_else(|| format!("Column{}", at + 1)),
            };
            for (name, kind, place) in self.make(&mut frame, vec![(name, kind, code)]) {
                set_column(
                    &mut frame,
                    Column {
                        name,
                        kind,
                        place,
                        hidden: false,
                    },
                );
            }
        }
        Ok(frame)
    }

    /// Computes columns for all rows; one that is a column already is only given its place.
    pub(super) fn make(&self, frame: &mut Frame<'d>, codes: Vec<(String, Kind, Code)>) -> Vec<(String, Kind, Place)> {
        let width = own_width(frame);
        let mut computed = Vec::new();
        let mut places = Vec::with_capacity(codes.len());
        for (name, kind, code) in codes {
            let place = if let Code::Column(place) = code {
                place
            } else {
                computed.push(code);
                Place::Own(width + computed.len() - 1)
            };
            places.push((name, kind, place));
        }
        if !computed.is_empty() {
            for row in &mut frame.rows {
                let values: Vec<_> = computed.iter().map(|code| code.run(row, &self.context)).collect();
                row.own.extend(values);
            }
        }
        places
    }

    pub(super) fn distinct(&self, frame: Frame<'d>, items: &[Named]) -> Result<Frame<'d>, Fault> {
        let all = matches!(
            items,
            [Named {
                name: None,
                expr: Expr::Star
            }]
        );
        let frame = if all { frame } else { self.project(frame, items)? };
        if let Some(column) = frame.visible().find(|column| !all && column.kind == Kind::Dynamic) {
            return meaning(format!(
                "'distinct' operator: key '{}' can't be of dynamic type. Please use an explicit cast",
                column.name
            ));
        }
        let (columns, mut rows) = frame.into_values();
        let mut seen = HashSet::new();
        rows.retain(|values| {
            let mut key = String::new();
            for value in values {
                value.write_key(&mut key);
            }
            seen.insert(key)
        });
        Ok(Frame::of_values(columns, rows))
    }
}

/// How many values of its own each row has; all rows of a frame have the same number.
pub(super) fn own_width(frame: &Frame<'_>) -> usize {
    frame.rows.first().map_or(0, |row| row.own.len())
}

/// Adds a column, or puts it in the place of the one of its name.
pub(super) fn set_column(frame: &mut Frame<'_>, column: Column) {
    match frame.columns.iter_mut().find(|other| other.name == column.name) {
        Some(other) => *other = column,
        None => frame.columns.push(column),
    }
}

/// Leaves columns out; `*` in a name stands for anything.
pub(super) fn away<'d>(mut frame: Frame<'d>, patterns: &[String]) -> Result<Frame<'d>, Fault> {
    known(&frame, patterns, "project-away")?;
    frame
        .columns
        .retain(|column| !patterns.iter().any(|pattern| fits(pattern, &column.name)));
    Ok(frame)
}

/// Keeps columns, in the order that they had.
pub(super) fn keep<'d>(mut frame: Frame<'d>, patterns: &[String]) -> Result<Frame<'d>, Fault> {
    known(&frame, patterns, "project-keep")?;
    frame
        .columns
        .retain(|column| patterns.iter().any(|pattern| fits(pattern, &column.name)));
    Ok(frame)
}

/// Gives columns new names.
pub(super) fn rename<'d>(mut frame: Frame<'d>, pairs: &[(String, String)]) -> Result<Frame<'d>, Fault> {
    for (new, old) in pairs {
        let Some(at) = frame.columns.iter().position(|column| column.name == *old) else {
            return meaning(format!(
                "'project-rename' operator: Failed to resolve column named '{old}'"
            ));
        };
        if new != old && frame.columns.iter().any(|column| column.name == *new) {
            return meaning(format!(
                "'project-rename' operator: A column named '{new}' already exists"
            ));
        }
        frame.columns[at].name.clone_from(new);
    }
    Ok(frame)
}

fn known(frame: &Frame<'_>, patterns: &[String], operator: &str) -> Result<(), Fault> {
    let missing = patterns
        .iter()
        .find(|pattern| !pattern.contains('*') && frame.column(pattern).is_none());
    match missing {
        Some(name) => meaning(format!(
            "'{operator}' operator: Failed to resolve column named '{name}'"
        )),
        None => Ok(()),
    }
}

fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    if !pattern.contains('*') {
        return rest.is_empty();
    }
    let mut parts: Vec<&str> = parts.collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}
