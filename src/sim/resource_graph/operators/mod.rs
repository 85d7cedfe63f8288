//! The steps of a pipeline, run over frames: one operator a file.

mod aggregate;
mod apply;
mod expand;
mod join;
mod parse;
mod project;
mod sort;
mod summarize;
mod union;

use std::collections::HashMap;

use super::catalog::RESOURCES;
use super::code::{Code, Context};
use super::compile::{Compiler, Lets};
use super::estate::Estate;
use super::failure::{Fault, meaning};
use super::row::{Column, Frame, Row};
use super::syntax::tree::{Definition, Expr, Operator, Pipeline, Query, Source};
use super::value::{Kind, Value};

/// Most joins, and most `mv-expand`s, in a query.
const MOST_STEPS: usize = 3;

/// Runs queries over an estate.
pub struct Engine<'e, 'd> {
    estate: &'e Estate<'d>,
    /// The time, and compiled patterns.
    pub context: Context,
    /// Values named by `let`.
    pub lets: Lets,
    frames: HashMap<String, Frame<'d>>,
    joins: usize,
    expansions: usize,
}

impl<'e, 'd> Engine<'e, 'd> {
    /// An engine for one query.
    pub fn new(estate: &'e Estate<'d>, context: Context) -> Self {
        Self {
            estate,
            context,
            lets: Lets::new(),
            frames: HashMap::new(),
            joins: 0,
            expansions: 0,
        }
    }

    /// Runs a query.
    ///
    /// # Errors
    /// When it means nothing: unknown tables, columns, functions, types that do not mix.
    pub fn run(&mut self, query: &Query) -> Result<Frame<'d>, Fault> {
        for (name, definition) in &query.lets {
            match definition {
                Definition::Scalar(expr) => {
                    let (code, kind) = self.compile("let", &[], expr)?;
                    let value = code.run(
                        &Row {
                            base: None,
                            own: Vec::new(),
                        },
                        &self.context,
                    );
                    self.lets.insert(name.clone(), (value, kind));
                }
                Definition::Tabular(pipeline) => {
                    let frame = self.pipeline(pipeline)?;
                    self.frames.insert(name.clone(), frame);
                }
            }
        }
        self.pipeline(&query.pipeline)
    }

    /// Runs the steps of a query over rows that are there already, whatever source it names.
    ///
    /// # Errors
    /// As [`Engine::run`].
    pub fn apply(&self, query: &Query, mut frame: Frame<'d>) -> Result<Frame<'d>, Fault> {
        let mut engine = Engine::new(self.estate, Context::new(self.context.now));
        for operator in &query.pipeline.operators {
            frame = engine.step(operator, frame)?;
        }
        Ok(frame)
    }

    fn pipeline(&mut self, pipeline: &Pipeline) -> Result<Frame<'d>, Fault> {
        let mut frame = match &pipeline.source {
            Source::Default => Frame::table(self.estate.rows(RESOURCES)?),
            Source::Table(name) => match self.frames.get(name) {
                Some(frame) => frame.clone(),
                None => Frame::table(self.estate.rows(name)?),
            },
            Source::Nested(inner) => self.pipeline(inner)?,
            Source::Union(union) => self.union(union, None)?,
        };
        for operator in &pipeline.operators {
            frame = self.step(operator, frame)?;
        }
        Ok(frame)
    }

    pub(super) fn step(&mut self, operator: &Operator, mut frame: Frame<'d>) -> Result<Frame<'d>, Fault> {
        Ok(match operator {
            Operator::Where(expr) => {
                let code = self.predicate(&frame.columns, expr)?;
                frame.rows.retain(|row| code.passes(row, &self.context));
                frame
            }
            Operator::Project(items) => self.project(frame, items)?,
            Operator::ProjectAway(patterns) => project::away(frame, patterns)?,
            Operator::ProjectKeep(patterns) => project::keep(frame, patterns)?,
            Operator::ProjectRename(pairs) => project::rename(frame, pairs)?,
            Operator::Extend(items) => self.extend(frame, items)?,
            Operator::Summarize { aggregates, by } => self.summarize(frame, aggregates, by)?,
            Operator::Sort(keys) => self.sort(frame, keys)?,
            Operator::Top(count, keys) => {
                let count = self.count("top", count)?;
                let mut sorted = self.sort(frame, keys)?;
                sorted.rows.truncate(count);
                sorted
            }
            Operator::Take(count) | Operator::Sample(count) => {
                let count = self.count("take", count)?;
                frame.rows.truncate(count);
                frame
            }
            Operator::Distinct(items) => self.distinct(frame, items)?,
            Operator::Count => {
                let total = i64::try_from(frame.rows.len()).unwrap_or(i64::MAX);
                Frame::of_values(vec![("Count".to_owned(), Kind::Long)], vec![vec![Value::Long(total)]])
            }
            Operator::Join { kind, right, on } => {
                self.joins += 1;
                if self.joins > MOST_STEPS {
                    return meaning(format!("'join' operator: A query may hold at most {MOST_STEPS} joins."));
                }
                let right = self.pipeline(right)?;
                self.join(frame, *kind, right, on)?
            }
            Operator::Union(union) => self.union(union, Some(frame))?,
            Operator::MvExpand {
                items,
                as_arrays,
                index,
                limit,
            } => {
                self.expansions += 1;
                if self.expansions > MOST_STEPS {
                    return meaning(format!(
                        "'mv-expand' operator: A query may hold at most {MOST_STEPS} of them."
                    ));
                }
                self.expand(frame, items, *as_arrays, index.as_deref(), limit.as_ref())?
            }
            Operator::MvApply { expand, steps } => {
                self.expansions += 1;
                if self.expansions > MOST_STEPS {
                    return meaning(format!(
                        "'mv-apply' operator: A query may hold at most {MOST_STEPS} of them."
                    ));
                }
                self.mv_apply(frame, expand, steps)?
            }
            Operator::Parse {
                text,
                pattern,
                only_matches,
            } => self.parse(frame, text, pattern, *only_matches)?,
        })
    }

    fn compile(&self, operator: &'static str, columns: &[Column], expr: &Expr) -> Result<(Code, Kind), Fault> {
        Compiler {
            columns,
            lets: &self.lets,
            operator,
        }
        .compile(expr)
    }

    fn predicate(&self, columns: &[Column], expr: &Expr) -> Result<Code, Fault> {
        let (code, kind) = self.compile("where", columns, expr)?;
        match kind {
            Kind::Str | Kind::Datetime | Kind::Timespan => meaning(format!(
                "'where' operator: The predicate must be of type bool, not {}",
                kind.name()
            )),
            _ => Ok(code),
        }
    }

    /// How many rows are meant: a constant that is not negative.
    fn count(&self, operator: &'static str, expr: &Expr) -> Result<usize, Fault> {
        let (code, _) = self.compile(operator, &[], expr)?;
        let value = code.run(
            &Row {
                base: None,
                own: Vec::new(),
            },
            &self.context,
        );
        match value.whole().and_then(|number| usize::try_from(number).ok()) {
            Some(count) => Ok(count),
            None => meaning(format!(
                "'{operator}' operator: expects a number of rows that is not negative"
            )),
        }
    }
}
