//! `parse … with …`: columns cut out of a text.

use super::super::failure::Fault;
use super::super::row::{Column, Frame, Place};
use super::super::syntax::tree::{Expr, Piece};
use super::super::value::{Kind, Value};
use super::Engine;
use super::expand::cast_text;
use super::project::{own_width, set_column};

impl<'d> Engine<'_, 'd> {
    pub(super) fn parse(
        &self,
        mut frame: Frame<'d>,
        text: &Expr,
        pattern: &[Piece],
        only_matches: bool,
    ) -> Result<Frame<'d>, Fault> {
        let (code, _) = self.compile("parse", &frame.columns, text)?;
        let width = own_width(&frame);
        let columns: Vec<(&String, Kind)> = pattern
            .iter()
            .filter_map(|piece| match piece {
                Piece::Column(name, kind) => Some((name, *kind)),
                _ => None,
            })
            .collect();
        frame.rows.retain_mut(|row| {
            let value = code.run(row, &self.context);
            let found = cut(&value.to_text(), pattern);
            let matched = found.is_some();
            for (at, (_, kind)) in columns.iter().enumerate() {
                row.own.push(match found.as_ref().and_then(|parts| parts.get(at)) {
                    Some(part) => cast_text(part, *kind, self),
                    None if *kind == Kind::Str => Value::borrowed(""),
                    None => Value::Null,
                });
            }
            matched || !only_matches
        });
        for (at, (name, kind)) in columns.into_iter().enumerate() {
            set_column(
                &mut frame,
                Column {
                    name: name.clone(),
                    kind,
                    place: Place::Own(width + at),
                    hidden: false,
                },
            );
        }
        Ok(frame)
    }
}

/// The texts of the columns, where the pattern fits. A column reaches to the next text of the pattern, or to the end.
fn cut(text: &str, pattern: &[Piece]) -> Option<Vec<String>> {
    let mut parts: Vec<String> = Vec::new();
    let mut rest = text;
    // What came before the next text: nothing, anything, or a column.
    let (mut open, mut waiting) = (false, 0);
    for piece in pattern {
        match piece {
            Piece::Any => open = true,
            Piece::Column(..) => waiting += 1,
            Piece::Text(sought) => {
                let at = rest.find(sought.as_str())?;
                if at > 0 && !open && waiting == 0 {
                    return None;
                }
                fill(&mut parts, &rest[..at], waiting);
                (open, waiting) = (false, 0);
                rest = &rest[at + sought.len()..];
            }
        }
    }
    if waiting > 0 {
        fill(&mut parts, rest, waiting);
    } else if !rest.is_empty() && !open {
        return None;
    }
    Some(parts)
}

/// Of several columns in a row the last takes the text.
fn fill(parts: &mut Vec<String>, text: &str, waiting: usize) {
    if waiting > 0 {
        parts.extend(std::iter::repeat_n(String::new(), waiting - 1));
        parts.push(text.to_owned());
    }
}
