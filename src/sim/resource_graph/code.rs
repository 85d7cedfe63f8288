//! Expressions made ready for rows: names are places, functions are found, constants are values.

use std::cell::RefCell;
use std::collections::HashMap;

use regex::Regex;
use time::OffsetDateTime;

use super::compare::{equal, equal_folded, order};
use super::functions::{Body, arithmetic};
use super::row::{Place, Row};
use super::syntax::tree::{Among, Binary};
use super::text::{has_prefix, has_suffix, has_term, lower};
use super::value::Value;

/// What functions may know besides their arguments.
pub struct Context {
    /// The time of the query.
    pub now: OffsetDateTime,
    patterns: RefCell<HashMap<String, Option<Regex>>>,
}

impl Context {
    /// A context at a time.
    pub fn new(now: OffsetDateTime) -> Self {
        Self {
            now,
            patterns: RefCell::default(),
        }
    }

    /// Runs `apply` with the compiled pattern; nothing where it is none.
    pub fn with_pattern<T>(&self, pattern: &str, apply: impl FnOnce(&Regex) -> T) -> Option<T> {
        let mut patterns = self.patterns.borrow_mut();
        if !patterns.contains_key(pattern) {
            patterns.insert(pattern.to_owned(), Regex::new(pattern).ok());
        }
        patterns.get(pattern).and_then(Option::as_ref).map(apply)
    }
}

/// An expression over the columns of a frame.
pub enum Code {
    /// A constant.
    Constant(Value<'static>),
    /// A column.
    Column(Place),
    /// A member of a bag.
    Member(Box<Code>, String),
    /// A member or element.
    Index(Box<Code>, Box<Code>),
    /// A function.
    Call(Body, Vec<Code>),
    /// All columns as a bag, for `pack_all`; without nulls and empty texts where true.
    PackAll(Vec<(String, Place)>, bool),
    /// `-a`
    Negate(Box<Code>),
    /// Everything between two expressions but the searches below.
    Binary(Box<Code>, Binary, Box<Code>),
    /// A search for a constant text; in lower case where case does not count.
    Search(Box<Code>, Binary, String),
    /// `in` and its kin.
    Among(Box<Code>, Among, Vec<Code>),
    /// `between`
    Between(Box<Code>, bool, Box<(Code, Code)>),
}

impl Code {
    /// The value for a row.
    pub fn run<'d>(&self, row: &Row<'d>, context: &Context) -> Value<'d> {
        match self {
            Code::Constant(value) => value.clone(),
            Code::Column(place) => row.read(*place),
            Code::Member(base, key) => base.run(row, context).member(key),
            Code::Index(base, index) => {
                let (base, index) = (base.run(row, context), index.run(row, context));
                match index.whole() {
                    Some(at) => base.element(at),
                    None => base.member(&index.to_text()),
                }
            }
            Code::Call(body, arguments) => {
                let values: Vec<Value<'d>> = arguments.iter().map(|argument| argument.run(row, context)).collect();
                body(&values, context)
            }
            Code::PackAll(columns, sparse) => {
                let pairs = columns.iter().map(|(name, place)| (name.clone(), row.read(*place)));
                let kept = pairs.filter(|(_, value)| !sparse || !value.to_text().is_empty());
                Value::owned(kept.map(|(name, value)| (name, value.to_json())).collect())
            }
            Code::Negate(inner) => match inner.run(row, context) {
                Value::Long(number) => number.checked_neg().map_or(Value::Null, Value::Long),
                Value::Timespan(span) => Value::Timespan(-span),
                other => other.number().map_or(Value::Null, |number| Value::Real(-number)),
            },
            Code::Binary(left, Binary::And, right) => match left.run(row, context).truth() {
                Some(false) => Value::Bool(false),
                first => match (first, right.run(row, context).truth()) {
                    (_, Some(false)) => Value::Bool(false),
                    (Some(_), Some(_)) => Value::Bool(true),
                    _ => Value::Null,
                },
            },
            Code::Binary(left, Binary::Or, right) => match left.run(row, context).truth() {
                Some(true) => Value::Bool(true),
                first => match (first, right.run(row, context).truth()) {
                    (_, Some(true)) => Value::Bool(true),
                    (Some(_), Some(_)) => Value::Bool(false),
                    _ => Value::Null,
                },
            },
            Code::Binary(left, operator, right) => {
                binary(&left.run(row, context), *operator, &right.run(row, context), context)
            }
            Code::Search(text, operator, part) => {
                let value = text.run(row, context);
                search_with(&value.to_text(), *operator, part)
            }
            Code::Among(item, kind, items) => {
                let item = item.run(row, context);
                among(&item, *kind, items.iter().map(|code| code.run(row, context)))
            }
            Code::Between(item, negated, range) => {
                let item = item.run(row, context);
                let (low, high) = (range.0.run(row, context), range.1.run(row, context));
                let high = match (&low, &high) {
                    // `between (start .. span)` means until start + span.
                    (Value::Datetime(start), Value::Timespan(span)) => {
                        start.checked_add(*span).map_or(Value::Null, Value::Datetime)
                    }
                    _ => high,
                };
                match (order(&item, &low), order(&item, &high)) {
                    (Some(above), Some(below)) => Value::Bool((above.is_ge() && below.is_le()) != *negated),
                    _ => Value::Null,
                }
            }
        }
    }

    /// Whether a row passes.
    pub fn passes(&self, row: &Row<'_>, context: &Context) -> bool {
        self.run(row, context).truth() == Some(true)
    }
}

/// Whether the search counts case.
pub fn counts_case(operator: Binary) -> bool {
    operator.text().ends_with("_cs")
}

/// Whether the operator searches a text for another.
pub fn is_search(operator: Binary) -> bool {
    let text = operator.text().trim_start_matches('!');
    ["has", "contains", "startswith", "endswith"]
        .iter()
        .any(|word| text.starts_with(word))
}

/// Searches for a part that is in lower case already, where case does not count.
fn search_with<'d>(text: &str, operator: Binary, part: &str) -> Value<'d> {
    let name = operator.text();
    let negated = name.starts_with('!');
    let word = name.trim_start_matches('!').trim_end_matches("_cs");
    let folded;
    let text = if counts_case(operator) {
        text
    } else {
        folded = lower(text);
        &folded
    };
    let found = match word {
        "has" => has_term(text, part),
        "hasprefix" => has_prefix(text, part),
        "hassuffix" => has_suffix(text, part),
        "startswith" => text.starts_with(part),
        "endswith" => text.ends_with(part),
        _ => text.contains(part),
    };
    Value::Bool(found != negated)
}

fn binary<'d>(left: &Value<'d>, operator: Binary, right: &Value<'d>, context: &Context) -> Value<'d> {
    let truth = |found: Option<bool>| found.map_or(Value::Null, Value::Bool);
    match operator {
        Binary::Equal => truth(equal(left, right)),
        Binary::NotEqual => truth(equal(left, right).map(|yes| !yes)),
        Binary::EqualFolded => Value::Bool(equal_folded(left, right)),
        Binary::NotEqualFolded => Value::Bool(!equal_folded(left, right)),
        Binary::Less => truth(order(left, right).map(std::cmp::Ordering::is_lt)),
        Binary::LessEqual => truth(order(left, right).map(std::cmp::Ordering::is_le)),
        Binary::Greater => truth(order(left, right).map(std::cmp::Ordering::is_gt)),
        Binary::GreaterEqual => truth(order(left, right).map(std::cmp::Ordering::is_ge)),
        Binary::MatchesRegex => {
            truth(context.with_pattern(&right.to_text(), |pattern| pattern.is_match(&left.to_text())))
        }
        Binary::Add | Binary::Subtract | Binary::Multiply | Binary::Divide | Binary::Modulo => {
            arithmetic(left, operator, right)
        }
        _ => {
            let part = right.to_text();
            let part = if counts_case(operator) {
                part.into_owned()
            } else {
                lower(&part)
            };
            search_with(&left.to_text(), operator, &part)
        }
    }
}

fn among<'d>(item: &Value<'d>, kind: Among, items: impl Iterator<Item = Value<'d>>) -> Value<'d> {
    let folded = lower(&item.to_text());
    let holds = |candidate: &Value<'_>| match kind {
        Among::In | Among::NotIn => equal(item, candidate) == Some(true),
        Among::InFolded | Among::NotInFolded => equal_folded(item, candidate),
        Among::HasAny | Among::HasAll => has_term(&folded, &lower(&candidate.to_text())),
    };
    // A dynamic array among the items stands for its elements.
    let mut all = true;
    let mut any = false;
    for candidate in items {
        let mut see = |found: bool| {
            all &= found;
            any |= found;
        };
        match candidate.as_json().and_then(serde_json::Value::as_array) {
            Some(elements) => elements.iter().for_each(|element| see(holds(&Value::json(element)))),
            None => see(holds(&candidate)),
        }
    }
    Value::Bool(match kind {
        Among::In | Among::InFolded | Among::HasAny => any,
        Among::NotIn | Among::NotInFolded => !any,
        Among::HasAll => all,
    })
}
