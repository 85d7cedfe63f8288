//! `mv-apply`: what is done to the rows made of one row, apart from those made of others.

use super::super::failure::{Fault, meaning};
use super::super::row::{Column, Frame, Place};
use super::super::syntax::tree::Operator;
use super::Engine;
use super::project::{own_width, set_column};

impl<'d> Engine<'_, 'd> {
    /// Expands each row, does the steps to what it gives, and puts their columns beside the row's own.
    pub(super) fn mv_apply(
        &mut self,
        mut frame: Frame<'d>,
        expand: &Operator,
        steps: &[Operator],
    ) -> Result<Frame<'d>, Fault> {
        let wide = |step: &Operator| {
            matches!(
                step,
                Operator::Join { .. } | Operator::Union(_) | Operator::MvExpand { .. } | Operator::MvApply { .. }
            )
        };
        if steps.iter().any(wide) {
            return meaning("'mv-apply' operator: its subquery may not join, unite or expand");
        }
        let width = own_width(&frame);
        let own = frame.columns.clone();
        let alone = |rows| Frame {
            columns: own.clone(),
            rows,
        };
        let made = |found: &Frame<'d>| -> Vec<Column> {
            found
                .visible()
                .filter(|column| !own.contains(column))
                .cloned()
                .collect()
        };
        // Without a row the columns are known all the same.
        let columns = made(&self.applied(alone(Vec::new()), expand, steps)?);
        let mut rows = Vec::new();
        for row in &frame.rows {
            let found = self.applied(alone(vec![row.clone()]), expand, steps)?;
            let places: Vec<Place> = made(&found).iter().map(|column| column.place).collect();
            for inner in &found.rows {
                let mut outer = row.clone();
                outer.own.truncate(width);
                outer.own.extend(places.iter().map(|place| inner.read(*place)));
                rows.push(outer);
            }
        }
        frame.rows = rows;
        for (at, column) in columns.into_iter().enumerate() {
            let place = Place::Own(width + at);
            set_column(&mut frame, Column { place, ..column });
        }
        Ok(frame)
    }

    fn applied(&mut self, frame: Frame<'d>, expand: &Operator, steps: &[Operator]) -> Result<Frame<'d>, Fault> {
        let Operator::MvExpand {
            items,
            as_arrays,
            index,
            limit,
        } = expand
        else {
            return Ok(frame);
        };
        let mut frame = self.expand(frame, items, *as_arrays, index.as_deref(), limit.as_ref())?;
        for step in steps {
            frame = self.step(step, frame)?;
        }
        Ok(frame)
    }
}
