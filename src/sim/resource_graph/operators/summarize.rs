//! `summarize`: rows into groups, groups into rows.

use std::collections::HashMap;

use super::super::compile::{Compiler, name_of};
use super::super::failure::{Fault, meaning};
use super::super::row::{Column, Frame, Names, Place, Row};
use super::super::syntax::tree::{Expr, Named};
use super::super::value::{Kind, Value};
use super::Engine;
use super::aggregate::{Aggregate, State};

/// An output column of a group: its name, its type, what computes it from the slots.
struct Output {
    name: String,
    expr: Expr,
}

/// The aggregates of a `summarize`, and the columns that hold their results.
#[derive(Default)]
struct Slots {
    aggregates: Vec<Aggregate>,
    columns: Vec<Column>,
}

impl Slots {
    /// Adds an aggregate; gives the names of its result columns.
    fn add(&mut self, aggregate: Aggregate) -> Vec<String> {
        let mut names = Vec::new();
        for kind in &aggregate.kinds {
            // No query can spell such a name by chance: it has a blank in it.
            let name = format!("slot {}", self.columns.len());
            self.columns.push(Column {
                name: name.clone(),
                kind: *kind,
                place: Place::Own(self.columns.len()),
                hidden: false,
            });
            names.push(name);
        }
        self.aggregates.push(aggregate);
        names
    }
}

impl<'d> Engine<'_, 'd> {
    pub(super) fn summarize(&self, frame: Frame<'d>, aggregates: &[Named], by: &[Named]) -> Result<Frame<'d>, Fault> {
        let compiler = Compiler {
            columns: &frame.columns,
            lets: &self.lets,
            operator: "summarize",
        };
        let mut names = Names::default();
        let mut keys = Vec::with_capacity(by.len());
        let mut columns: Vec<(String, Kind)> = Vec::new();
        for (at, item) in by.iter().enumerate() {
            let (code, kind) = compiler.compile(&item.expr)?;
            let name = item
                .name
                .clone()
                .or_else(|| name_of(&item.expr))
                .unwrap_or_else(|| format!("Column{}", at + 1));
            let name = names.fresh(&name);
            if kind == Kind::Dynamic {
                return meaning(format!(
                    "Summarize group key '{name}' is of a 'dynamic' type. Please use an explicit cast (for example, 'summarize ... by tostring({name})') as grouping by a 'dynamic' type is not supported."
                ));
            }
            keys.push(code);
            columns.push((name, kind));
        }
        let group_keys: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
        let mut slots = Slots::default();
        let mut outputs = Vec::new();
        for item in aggregates {
            outputs.extend(outputs_of(item, &compiler, &group_keys, &mut slots)?);
        }
        let compiler_of_slots = Compiler {
            columns: &slots.columns,
            lets: &self.lets,
            operator: "summarize",
        };
        let mut codes = Vec::with_capacity(outputs.len());
        for output in outputs {
            let (code, kind) = compiler_of_slots.compile(&output.expr)?;
            columns.push((names.fresh(&output.name), kind));
            codes.push(code);
        }

        let start = || -> Vec<State<'d>> { slots.aggregates.iter().map(Aggregate::start).collect() };
        let mut groups: Vec<(Vec<Value<'d>>, Vec<State<'d>>)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        if keys.is_empty() {
            groups.push((Vec::new(), start()));
        }
        let mut key = String::new();
        for row in &frame.rows {
            let at = if keys.is_empty() {
                0
            } else {
                let values: Vec<Value<'d>> = keys.iter().map(|code| code.run(row, &self.context)).collect();
                key.clear();
                for value in &values {
                    value.write_key(&mut key);
                }
                if let Some(at) = places.get(&key) {
                    *at
                } else {
                    places.insert(key.clone(), groups.len());
                    groups.push((values, start()));
                    groups.len() - 1
                }
            };
            for (aggregate, state) in slots.aggregates.iter().zip(&mut groups[at].1) {
                aggregate.see(state, row, &self.context);
            }
        }
        let rows = groups
            .into_iter()
            .map(|(mut values, states)| {
                let own = slots
                    .aggregates
                    .iter()
                    .zip(states)
                    .flat_map(|(aggregate, state)| aggregate.finish(state))
                    .collect();
                let row = Row { base: None, own };
                values.extend(codes.iter().map(|code| code.run(&row, &self.context)));
                values
            })
            .collect();
        Ok(Frame::of_values(columns, rows))
    }
}

/// The columns that one item of a `summarize` gives.
fn outputs_of(item: &Named, compiler: &Compiler<'_>, keys: &[String], slots: &mut Slots) -> Result<Vec<Output>, Fault> {
    if let Expr::Call(name, arguments) = &item.expr
        && let Some((aggregate, titles)) = Aggregate::many(name, arguments, compiler, keys)?
    {
        let made = slots.add(aggregate);
        return Ok(titles
            .into_iter()
            .zip(made)
            .enumerate()
            .map(|(at, (title, slot))| {
                let name = item.name.clone().filter(|_| at == 0).unwrap_or(title);
                Output {
                    name,
                    expr: Expr::Name(slot),
                }
            })
            .collect());
    }
    let before = slots.aggregates.len();
    let expr = replace(&item.expr, compiler, slots)?;
    if slots.aggregates.len() == before {
        return meaning("'summarize' operator: Aggregate functions are expected before 'by'");
    }
    let name = item.name.clone().unwrap_or_else(|| default_name(&item.expr));
    Ok(vec![Output { name, expr }])
}

/// The expression with each aggregate in it replaced by the name of its slot.
fn replace(expr: &Expr, compiler: &Compiler<'_>, slots: &mut Slots) -> Result<Expr, Fault> {
    let mut boxed = |inner: &Expr| replace(inner, compiler, slots).map(Box::new);
    Ok(match expr {
        Expr::Call(name, arguments) => {
            if let Some(aggregate) = Aggregate::one(name, arguments, compiler)? {
                let slot = slots.add(aggregate).pop().unwrap_or_default();
                return Ok(Expr::Name(slot));
            }
            let arguments: Result<Vec<Expr>, Fault> =
                arguments.iter().map(|inner| replace(inner, compiler, slots)).collect();
            Expr::Call(name.clone(), arguments?)
        }
        Expr::Member(base, key) => Expr::Member(boxed(base)?, key.clone()),
        Expr::Index(base, index) => Expr::Index(boxed(base)?, boxed(index)?),
        Expr::Negate(inner) => Expr::Negate(boxed(inner)?),
        Expr::Binary(left, operator, right) => Expr::Binary(boxed(left)?, *operator, boxed(right)?),
        Expr::Among(item, kind, items) => {
            let item = boxed(item)?;
            let items: Result<Vec<Expr>, Fault> = items.iter().map(|inner| replace(inner, compiler, slots)).collect();
            Expr::Among(item, *kind, items?)
        }
        other => other.clone(),
    })
}

/// `count_`, `sum_x`, `list_x`: the name of a column that was given none.
fn default_name(expr: &Expr) -> String {
    let Expr::Call(name, arguments) = expr else {
        return "Column1".to_owned();
    };
    let argument = arguments.first().and_then(name_of).unwrap_or_default();
    match name.as_str() {
        "count" | "countif" => format!("{name}_"),
        "make_list" | "makelist" | "make_list_if" => format!("list_{argument}"),
        "make_set" | "makeset" | "make_set_if" => format!("set_{argument}"),
        "make_bag" | "make_dictionary" => format!("bag_{argument}"),
        "take_any" if !argument.is_empty() => argument,
        _ if super::aggregate::is_aggregate(name) => format!("{name}_{argument}"),
        _ => "Column1".to_owned(),
    }
}
