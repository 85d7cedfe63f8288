//! `order by` and `top`.

use std::cmp::Ordering;

use super::super::compare::sort_order;
use super::super::failure::{Fault, meaning};
use super::super::row::{Frame, Row};
use super::super::syntax::tree::Key;
use super::super::value::{Kind, Value};
use super::Engine;

impl<'d> Engine<'_, 'd> {
    pub(super) fn sort(&self, mut frame: Frame<'d>, keys: &[Key]) -> Result<Frame<'d>, Fault> {
        let mut codes = Vec::with_capacity(keys.len());
        for key in keys {
            let (code, kind) = self.compile("order", &frame.columns, &key.expr)?;
            if kind == Kind::Dynamic {
                return meaning("'order' operator: key can't be of dynamic type");
            }
            codes.push((code, key.ascending, key.nulls_first));
        }
        let mut rows: Vec<(Vec<Value<'d>>, Row<'d>)> = frame
            .rows
            .into_iter()
            .map(|row| {
                (
                    codes.iter().map(|(code, ..)| code.run(&row, &self.context)).collect(),
                    row,
                )
            })
            .collect();
        rows.sort_by(|(a, _), (b, _)| {
            let pairs = a.iter().zip(b).zip(&codes);
            pairs.fold(Ordering::Equal, |so_far, ((a, b), (_, ascending, nulls_first))| {
                so_far.then_with(|| match (a.is_null(), b.is_null()) {
                    (true, true) => Ordering::Equal,
                    (true, false) => {
                        if *nulls_first {
                            Ordering::Less
                        } else {
                            Ordering::Greater
                        }
                    }
                    (false, true) => {
                        if *nulls_first {
                            Ordering::Greater
                        } else {
                            Ordering::Less
                        }
                    }
                    (false, false) => {
                        let order = sort_order(a, b);
                        if *ascending { order } else { order.reverse() }
                    }
                })
            })
        });
        frame.rows = rows.into_iter().map(|(_, row)| row).collect();
        Ok(frame)
    }
}
