//! `join`: rows of two frames with equal keys.

use std::collections::{HashMap, HashSet};

use super::super::code::Code;
use super::super::failure::{Fault, meaning};
use super::super::row::{Column, Frame, Names, Row};
use super::super::syntax::tree::{Expr, JoinKind};
use super::super::value::{Kind, Value};
use super::Engine;

/// Most rows that a join may make: a protection of the machine, far above any page.
const MOST_ROWS: usize = 2_000_000;

impl<'d> Engine<'_, 'd> {
    pub(super) fn join(
        &self,
        left: Frame<'d>,
        kind: JoinKind,
        right: Frame<'d>,
        on: &[(Expr, Expr)],
    ) -> Result<Frame<'d>, Fault> {
        let (mut left_codes, mut right_codes) = (Vec::new(), Vec::new());
        for (a, b) in on {
            let (left_code, left_kind) = self.key("left", &left.columns, a)?;
            let (right_code, right_kind) = self.key("right", &right.columns, b)?;
            if left_kind != right_kind && !(left_kind.is_number() && right_kind.is_number()) {
                return meaning(format!(
                    "'join' operator: join keys '{a}' and '{b}' are of different types {} and {}",
                    left_kind.name(),
                    right_kind.name()
                ));
            }
            left_codes.push(left_code);
            right_codes.push(right_code);
        }
        let left_keys = self.keys(&left.rows, &left_codes);
        let right_keys = self.keys(&right.rows, &right_codes);

        let semi = matches!(
            kind,
            JoinKind::LeftSemi | JoinKind::LeftAnti | JoinKind::RightSemi | JoinKind::RightAnti
        );
        if semi {
            let wanted = matches!(kind, JoinKind::LeftSemi | JoinKind::RightSemi);
            let from_left = matches!(kind, JoinKind::LeftSemi | JoinKind::LeftAnti);
            let (mut frame, keys, others) = if from_left {
                (left, left_keys, right_keys)
            } else {
                (right, right_keys, left_keys)
            };
            let others: HashSet<&str> = others.iter().flatten().map(String::as_str).collect();
            let mut keys = keys.iter();
            // `retain` goes through the rows in their order, as `keys` does.
            frame.rows.retain(|_| {
                keys.next()
                    .is_some_and(|key| key.as_deref().is_some_and(|k| others.contains(k)) == wanted)
            });
            return Ok(frame);
        }

        let mut partners: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, key) in right_keys.iter().enumerate() {
            if let Some(key) = key {
                partners.entry(key).or_default().push(at);
            }
        }
        let keep_left = matches!(kind, JoinKind::LeftOuter | JoinKind::FullOuter);
        let keep_right = matches!(kind, JoinKind::RightOuter | JoinKind::FullOuter);
        let mut pairs: Vec<(Option<usize>, Option<usize>)> = Vec::new();
        let mut seen = HashSet::new();
        let mut matched = vec![false; right_keys.len()];
        for (at, key) in left_keys.iter().enumerate() {
            let found = key.as_deref().and_then(|key| partners.get(key));
            if kind == JoinKind::InnerUnique && !key.as_deref().is_some_and(|key| seen.insert(key)) {
                continue;
            }
            match found {
                Some(found) => {
                    if pairs.len() + found.len() > MOST_ROWS {
                        return meaning(format!("'join' operator: The result has more than {MOST_ROWS} rows."));
                    }
                    for &other in found {
                        matched[other] = true;
                        pairs.push((Some(at), Some(other)));
                    }
                }
                None if keep_left => pairs.push((Some(at), None)),
                None => {}
            }
        }
        if keep_right {
            pairs.extend(
                matched
                    .iter()
                    .enumerate()
                    .filter(|(_, matched)| !**matched)
                    .map(|(at, _)| (None, Some(at))),
            );
        }
        Ok(paired(left, right, &pairs))
    }

    fn key(&self, side: &str, columns: &[Column], expr: &Expr) -> Result<(Code, Kind), Fault> {
        let (code, kind) = self.compile("join", columns, expr)?;
        if kind == Kind::Dynamic {
            return meaning(format!(
                "'join' operator: {side} key '{expr}' is of a 'dynamic' type. Please use an explicit cast using extend operator in the join legs"
            ));
        }
        Ok((code, kind))
    }

    /// The key of each row; none where a part is null, which equals nothing.
    fn keys(&self, rows: &[Row<'d>], codes: &[Code]) -> Vec<Option<String>> {
        rows.iter()
            .map(|row| {
                let mut key = String::new();
                for code in codes {
                    let value = code.run(row, &self.context);
                    if value.is_null() {
                        return None;
                    }
                    value.write_key(&mut key);
                }
                Some(key)
            })
            .collect()
    }
}

/// The columns of both sides; a name that is taken gets a number.
fn paired<'d>(left: Frame<'d>, right: Frame<'d>, pairs: &[(Option<usize>, Option<usize>)]) -> Frame<'d> {
    let (left_columns, left_rows) = left.into_values();
    let (right_columns, right_rows) = right.into_values();
    let nothing = |columns: &[(String, Kind)]| -> Vec<Value<'d>> {
        columns
            .iter()
            .map(|(_, kind)| {
                if *kind == Kind::Str {
                    Value::borrowed("")
                } else {
                    Value::Null
                }
            })
            .collect()
    };
    let (no_left, no_right) = (nothing(&left_columns), nothing(&right_columns));
    let rows = pairs
        .iter()
        .map(|(a, b)| {
            let mut values = a.map_or_else(|| no_left.clone(), |at| left_rows[at].clone());
            values.extend(b.map_or(&no_right, |at| &right_rows[at]).iter().cloned());
            values
        })
        .collect();
    let mut names = Names::default();
    let columns = left_columns
        .into_iter()
        .chain(right_columns)
        .map(|(name, kind)| (names.fresh(&name), kind))
        .collect();
    Frame::of_values(columns, rows)
}
