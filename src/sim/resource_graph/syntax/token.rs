//! The words of the language.

use super::super::value::Kind;

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// What it is.
    pub word: Word,
    /// Its text in the query, for errors.
    pub text: String,
    /// Line, counted from 1.
    pub line: usize,
    /// Characters before it in its line.
    pub column: usize,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub enum Word {
    /// A name or keyword; also `!in`, `in~`, `project-away`.
    Name(String),
    /// A string literal, escapes undone.
    Str(String),
    /// A whole number.
    Long(i64),
    /// A number with a fraction or an exponent.
    Real(f64),
    /// A number with a unit of time, as `7d`.
    Timespan(time::Duration),
    /// A literal in the form `type(raw text)`.
    Typed(Kind, String),
    /// An operator sign or bracket.
    Sign(&'static str),
    /// The end of the query.
    End,
}
