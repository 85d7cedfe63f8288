//! The grammar: text to tokens to a tree, and the tree back to text.

mod expressions;
mod lexer;
mod literal;
mod operators;
mod parser;
mod print;
mod token;
pub mod tree;

pub use parser::parse;

/// Where and why a text is no query, in the words of the service's `ParserFailure`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Line, counted from 1.
    pub line: usize,
    /// Characters before the token in its line.
    pub column: usize,
    /// The token that could not be read, `<EOF>` at the end.
    pub token: String,
    /// What was expected in its place, where one thing was.
    pub expected: Option<String>,
    /// The operator, where the token is one that the service does not take.
    pub unsupported: bool,
}
