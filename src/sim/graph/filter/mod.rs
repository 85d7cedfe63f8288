//! `$filter`: OData's expressions, as far as Graph reads them.

mod eval;
mod lex;
mod parse;

pub(super) use parse::parse;

/// A condition on one object.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    /// `path op literal`
    Compare(Path, Op, Literal),
    /// `path in (…)`
    In(Path, Vec<Literal>),
    /// `startswith(path, 'x')` and its like
    Call(Function, Path, String),
    /// `path/any(c:…)`; without a condition it asks whether there is any item
    Any(Path, Option<(String, Box<Expr>)>),
    /// `path/all(c:…)`
    All(Path, String, Box<Expr>),
    /// A property that is true or false by itself.
    Holds(Path),
}

/// A property, and what is below it: `info/logoUrl`, `c/principalId`, `members/$count`.
pub(super) type Path = Vec<String>;

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Eq,
    Ne,
    Ge,
    Gt,
    Le,
    Lt,
}

/// A function over text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    StartsWith,
    EndsWith,
    Contains,
}

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Text(String),
    /// A date or GUID without quotes.
    Bare(String),
    Number(f64),
    Bool(bool),
    Null,
}

impl Expr {
    /// What of it the directory serves only as an advanced query, in Graph's words; none for a plain filter.
    pub(super) fn advanced(&self) -> Option<&'static str> {
        match self {
            Self::And(left, right) | Self::Or(left, right) => left.advanced().or_else(|| right.advanced()),
            Self::Not(_) => Some("Operator 'Not'"),
            Self::Compare(_, Op::Ne, _) => Some("Operator 'NotEqualsMatch'"),
            Self::Compare(path, ..) if path.last().is_some_and(|last| last == "$count") => Some("Operator '$count'"),
            Self::Call(Function::EndsWith, ..) => Some("Operator 'endsWith'"),
            Self::Any(_, Some((_, inner))) | Self::All(_, _, inner) => inner.advanced(),
            _ => None,
        }
    }

    /// Whether it asks for a part of a text, which the directory never serves.
    pub(super) fn contains(&self) -> bool {
        match self {
            Self::And(left, right) | Self::Or(left, right) => left.contains() || right.contains(),
            Self::Not(inner) | Self::Any(_, Some((_, inner))) | Self::All(_, _, inner) => inner.contains(),
            Self::Call(function, ..) => *function == Function::Contains,
            _ => false,
        }
    }

    /// The properties of the object that it reads: the first segments of its paths.
    pub(super) fn properties(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.collect(&mut found, &mut Vec::new());
        found
    }

    fn collect<'a>(&'a self, found: &mut Vec<&'a str>, variables: &mut Vec<&'a str>) {
        let mut add = |path: &'a Path, variables: &[&str]| {
            if let Some(first) = path.first().filter(|first| !variables.contains(&first.as_str())) {
                found.push(first);
            }
        };
        match self {
            Self::And(left, right) | Self::Or(left, right) => {
                left.collect(found, variables);
                right.collect(found, variables);
            }
            Self::Not(inner) => inner.collect(found, variables),
            Self::Compare(path, ..) | Self::In(path, _) | Self::Call(_, path, _) | Self::Holds(path) => {
                add(path, variables);
            }
            Self::Any(path, None) => add(path, variables),
            Self::Any(path, Some((variable, inner))) | Self::All(path, variable, inner) => {
                add(path, variables);
                variables.push(variable);
                inner.collect(found, variables);
                variables.pop();
            }
        }
    }
}
