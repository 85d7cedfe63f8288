//! Scalar functions: one table of names, the bodies by topic.

mod conversion;
mod dates;
mod documents;
mod logic;
mod numbers;
mod strings;

use super::code::Context;
use super::value::{Kind, Value};

pub use numbers::arithmetic;

/// What a function does with the values of its arguments. The table keeps their number in bounds.
pub type Body = for<'a, 'd> fn(&'a [Value<'d>], &Context) -> Value<'d>;

/// What type a function gives.
#[derive(Debug, Clone, Copy)]
pub enum Gives {
    /// Always this.
    Always(Kind),
    /// The type of the argument at that place, and of those behind it by steps.
    Of(usize, usize),
}

/// A function.
pub struct Function {
    /// Its name; case counts.
    pub name: &'static str,
    /// Fewest arguments.
    pub least: usize,
    /// Most arguments.
    pub most: usize,
    /// What type it gives.
    pub gives: Gives,
    /// What it does.
    pub body: Body,
}

const fn f(name: &'static str, least: usize, most: usize, gives: Gives, body: Body) -> Function {
    Function {
        name,
        least,
        most,
        gives,
        body,
    }
}

/// The function of that name.
pub fn find(name: &str) -> Option<&'static Function> {
    [
        logic::TABLE,
        conversion::TABLE,
        strings::TABLE,
        documents::TABLE,
        dates::TABLE,
        numbers::TABLE,
    ]
    .into_iter()
    .flatten()
    .find(|function| function.name == name)
}

/// An argument, null where it was left out.
fn arg<'d>(values: &[Value<'d>], at: usize) -> Value<'d> {
    values.get(at).cloned().unwrap_or(Value::Null)
}

/// A length or place as the language counts.
fn count<'d>(number: usize) -> Value<'d> {
    Value::Long(i64::try_from(number).unwrap_or(i64::MAX))
}
