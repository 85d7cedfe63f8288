//! Aggregate functions: what they keep while rows go by, and what they give at the end.

use std::cmp::Ordering;
use std::collections::HashSet;

use serde_json::{Map, Value as Json};

use super::super::code::{Code, Context};
use super::super::compare::sort_order;
use super::super::compile::{Compiler, name_of};
use super::super::failure::{Fault, meaning};
use super::super::row::Row;
use super::super::syntax::tree::{Expr, Literal};
use super::super::value::{Kind, Value};

/// Most elements that a list, set or bag takes.
const MOST: usize = 1_048_576;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    Count,
    Distinct,
    Sum,
    Average,
    Least,
    Greatest,
    Any,
    List,
    Set,
    Bag,
    ArgLeast,
    ArgGreatest,
}

/// Names, functions, and whether the last argument but for a size is a predicate.
const NAMES: [(&str, Function, bool); 27] = [
    ("count", Function::Count, false),
    ("countif", Function::Count, true),
    ("dcount", Function::Distinct, false),
    ("dcountif", Function::Distinct, true),
    ("count_distinct", Function::Distinct, false),
    ("sum", Function::Sum, false),
    ("sumif", Function::Sum, true),
    ("avg", Function::Average, false),
    ("avgif", Function::Average, true),
    ("min", Function::Least, false),
    ("minif", Function::Least, true),
    ("max", Function::Greatest, false),
    ("maxif", Function::Greatest, true),
    ("any", Function::Any, false),
    ("take_any", Function::Any, false),
    ("anyif", Function::Any, true),
    ("take_anyif", Function::Any, true),
    ("make_list", Function::List, false),
    ("makelist", Function::List, false),
    ("make_list_if", Function::List, true),
    ("make_set", Function::Set, false),
    ("makeset", Function::Set, false),
    ("make_set_if", Function::Set, true),
    ("make_bag", Function::Bag, false),
    ("make_dictionary", Function::Bag, false),
    ("arg_min", Function::ArgLeast, false),
    ("arg_max", Function::ArgGreatest, false),
];

/// Whether that is the name of an aggregate.
pub fn is_aggregate(name: &str) -> bool {
    NAMES.iter().any(|(other, ..)| *other == name)
}

/// An aggregate over columns.
pub struct Aggregate {
    function: Function,
    values: Vec<Code>,
    predicate: Option<Code>,
    most: usize,
    /// The types of its results.
    pub kinds: Vec<Kind>,
}

/// What an aggregate keeps.
pub enum State<'d> {
    /// Rows seen.
    Count(i64),
    /// Keys seen.
    Distinct(HashSet<String>),
    /// A sum, and how many numbers are in it.
    Sum(Value<'d>, i64),
    /// The best value so far and what came with it.
    Best(Vec<Value<'d>>),
    /// Elements, and the keys of those that are in already.
    List(Vec<Json>, HashSet<String>),
    /// Members.
    Bag(Map<String, Json>),
}

impl Aggregate {
    /// The aggregate that a call is, if it is one that gives one column.
    pub fn one(name: &str, arguments: &[Expr], compiler: &Compiler<'_>) -> Result<Option<Self>, Fault> {
        let Some(&(_, function, conditional)) = NAMES.iter().find(|(other, ..)| *other == name) else {
            return Ok(None);
        };
        let mut arguments: Vec<&Expr> = arguments.iter().collect();
        let mut most = MOST;
        let sized =
            matches!(function, Function::List | Function::Set) && arguments.len() > 1 + usize::from(conditional);
        if sized && let Some(Expr::Literal(Literal::Long(size))) = arguments.pop() {
            most = usize::try_from(*size).unwrap_or(MOST);
        }
        // `dcount` takes an accuracy, which an exact count does not need.
        if function == Function::Distinct && arguments.len() > 1 + usize::from(conditional) {
            arguments.pop();
        }
        let predicate = if conditional { arguments.pop() } else { None };
        let expected = usize::from(function != Function::Count);
        if arguments.len() != expected || (conditional && predicate.is_none()) {
            return meaning(format!(
                "{name}(): function expects {} argument(s).",
                expected + usize::from(conditional)
            ));
        }
        let mut values = Vec::new();
        let mut kind = Kind::Long;
        if let Some(argument) = arguments.first() {
            let (code, found) = compiler.compile(argument)?;
            values.push(code);
            kind = found;
        }
        if matches!(function, Function::Sum | Function::Average)
            && matches!(kind, Kind::Str | Kind::Bool | Kind::Datetime)
        {
            return meaning(format!("{name}(): argument #1 expected to be a numeric expression"));
        }
        let kind = match function {
            Function::Count | Function::Distinct => Kind::Long,
            Function::Average if kind == Kind::Timespan => kind,
            Function::Average => Kind::Real,
            Function::Sum if kind == Kind::Int => Kind::Long,
            Function::List | Function::Set | Function::Bag => Kind::Dynamic,
            _ => kind,
        };
        let predicate = predicate
            .map(|expr| compiler.compile(expr))
            .transpose()?
            .map(|(code, _)| code);
        Ok(Some(Aggregate {
            function,
            values,
            predicate,
            most,
            kinds: vec![kind],
        }))
    }

    /// The aggregate that a call is, if it is one that gives columns of several names, with those names:
    /// `arg_max`, `arg_min`, and `take_any` of more than one.
    pub fn many(
        name: &str,
        arguments: &[Expr],
        compiler: &Compiler<'_>,
        keys: &[String],
    ) -> Result<Option<(Self, Vec<String>)>, Fault> {
        let function = match name {
            "arg_max" => Function::ArgGreatest,
            "arg_min" => Function::ArgLeast,
            "any" | "take_any" if arguments.len() > 1 || arguments == [Expr::Star] => Function::Any,
            _ => return Ok(None),
        };
        if arguments.is_empty() {
            return meaning(format!("{name}(): function expects at least 1 argument."));
        }
        let (mut values, mut kinds, mut titles) = (Vec::new(), Vec::new(), Vec::new());
        for argument in arguments {
            if argument == &Expr::Star {
                for column in compiler.columns.iter().filter(|column| !column.hidden) {
                    if !keys.contains(&column.name) && !titles.contains(&column.name) {
                        values.push(Code::Column(column.place));
                        kinds.push(column.kind);
                        titles.push(column.name.clone());
                    }
                }
                continue;
            }
            let (code, kind) = compiler.compile(argument)?;
            values.push(code);
            kinds.push(kind);
            titles.push(name_of(argument).unwrap_or_else(|| format!("{name}_{}", titles.len())));
        }
        Ok(Some((
            Aggregate {
                function,
                values,
                predicate: None,
                most: MOST,
                kinds,
            },
            titles,
        )))
    }

    /// What it keeps before the first row.
    pub fn start<'d>(&self) -> State<'d> {
        match self.function {
            Function::Count => State::Count(0),
            Function::Distinct => State::Distinct(HashSet::new()),
            Function::Sum | Function::Average => State::Sum(Value::Null, 0),
            Function::List | Function::Set => State::List(Vec::new(), HashSet::new()),
            Function::Bag => State::Bag(Map::new()),
            _ => State::Best(Vec::new()),
        }
    }

    /// Takes a row in.
    pub fn see<'d>(&self, state: &mut State<'d>, row: &Row<'d>, context: &Context) {
        if self.predicate.as_ref().is_some_and(|code| !code.passes(row, context)) {
            return;
        }
        if let State::Count(count) = state {
            *count += 1;
            return;
        }
        let Some(value) = self.values.first().map(|code| code.run(row, context)) else {
            return;
        };
        if let State::Best(best) = state {
            let wins = match (best.first(), self.function) {
                _ if value.is_null() && (self.values.len() == 1 || self.function != Function::Any) => false,
                (None, _) => true,
                (_, Function::Any) => false,
                (Some(other), Function::Least | Function::ArgLeast) => sort_order(&value, other) == Ordering::Less,
                (Some(other), _) => sort_order(&value, other) == Ordering::Greater,
            };
            if wins {
                best.clear();
                best.push(value);
                best.extend(self.values[1..].iter().map(|code| code.run(row, context)));
            }
            return;
        }
        if value.is_null() {
            return;
        }
        let key = || {
            let mut key = String::new();
            value.write_key(&mut key);
            key
        };
        match state {
            State::Distinct(seen) => {
                seen.insert(key());
            }
            State::Sum(sum, count) => {
                let number = value.number().is_some() || matches!(value, Value::Timespan(_));
                if number {
                    *sum = if sum.is_null() {
                        value
                    } else {
                        super::super::functions::arithmetic(sum, super::super::syntax::tree::Binary::Add, &value)
                    };
                    *count += 1;
                }
            }
            State::List(items, seen) => {
                // A set of arrays is the set of their elements; empty texts are no elements of a set.
                let set = self.function == Function::Set;
                if set && let Some(Json::Array(elements)) = value.as_json() {
                    for element in elements {
                        let mut key = String::new();
                        Value::json(element).write_key(&mut key);
                        if items.len() < self.most && seen.insert(key) {
                            items.push(element.clone());
                        }
                    }
                } else if items.len() < self.most && (!set || seen.insert(key())) {
                    items.push(value.to_json());
                }
            }
            State::Bag(bag) => {
                for (key, member) in value.as_json().and_then(Json::as_object).into_iter().flatten() {
                    if bag.len() < self.most {
                        bag.entry(key.clone()).or_insert_with(|| member.clone());
                    }
                }
            }
            State::Count(_) | State::Best(_) => {}
        }
    }

    /// Its results, one for each of `kinds`.
    pub fn finish<'d>(&self, state: State<'d>) -> Vec<Value<'d>> {
        match state {
            State::Count(count) => vec![Value::Long(count)],
            State::Distinct(seen) => vec![Value::Long(i64::try_from(seen.len()).unwrap_or(i64::MAX))],
            State::Sum(sum, 0) if self.function == Function::Sum && self.kinds == [Kind::Long] => {
                debug_assert!(sum.is_null());
                vec![Value::Long(0)]
            }
            State::Sum(sum, count) if self.function == Function::Average => vec![match (&sum, sum.number()) {
                (Value::Timespan(span), _) => {
                    i32::try_from(count).map_or(Value::Null, |count| Value::Timespan(*span / count))
                }
                #[allow(clippy::cast_precision_loss, reason = "an average is a real number")]
                (_, Some(total)) => Value::Real(total / count as f64),
                _ => Value::Null,
            }],
            State::Sum(sum, _) => vec![sum],
            State::Best(best) if best.is_empty() => self.nothing(),
            State::Best(best) => best,
            State::List(items, _) => vec![Value::owned(Json::Array(items))],
            State::Bag(bag) => vec![Value::owned(Json::Object(bag))],
        }
    }

    /// Empty texts and nulls, where no row was seen.
    fn nothing<'d>(&self) -> Vec<Value<'d>> {
        let empty = |kind: &Kind| {
            if *kind == Kind::Str {
                Value::borrowed("")
            } else {
                Value::Null
            }
        };
        self.kinds.iter().map(empty).collect()
    }
}
