//! Whether an input is whole, or goes on in the next line: the engine's own parser says.

use rhai::{Engine, LexError, ParseErrorType};

/// Whether more must be typed. An empty last line ends any input.
pub(super) fn incomplete(parser: &Engine, input: &str) -> bool {
    let trimmed = input.trim_start();
    if trimmed.starts_with(':') || input.ends_with('\n') {
        return false;
    }
    if trimmed.starts_with("/*") && !trimmed.contains("*/") {
        return true;
    }
    let Err(error) = parser.compile(input) else {
        return false;
    };
    let position = error.position();
    // Where the parser missed something: behind everything that was typed?
    let behind = || {
        let text = input.trim_end();
        let lines = text.matches('\n').count() + 1;
        let columns = text.rsplit('\n').next().unwrap_or_default().chars().count();
        position.is_none() || (position.line().unwrap_or(0), position.position().unwrap_or(0)) > (lines, columns)
    };
    match error.err_type() {
        ParseErrorType::UnexpectedEOF => true,
        ParseErrorType::BadInput(LexError::UnterminatedString) => input.matches('`').count() % 2 == 1,
        ParseErrorType::MissingToken(..)
        | ParseErrorType::VariableExpected
        | ParseErrorType::FnMissingName
        | ParseErrorType::FnMissingParams(_)
        | ParseErrorType::FnMissingBody(_)
        | ParseErrorType::ExprExpected(_)
        | ParseErrorType::PropertyExpected
        | ParseErrorType::WrongDocComment => behind(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_goes_on_until_it_is_whole() {
        let parser = Engine::new_raw();
        for open in [
            "fn f(x) {",
            "let a = [1,\n  2,",
            "foo(1,",
            "if x {\n    1",
            "x +",
            "`text\nmore",
            "#{ a: 1,",
            "let x =",
            "/* so",
            "run::each(\"a\", items, |x| {",
        ] {
            assert!(incomplete(&parser, open), "{open}");
        }
        for whole in [
            "1 + 1",
            "fn f(x) { x }",
            "let x",
            "foo(1,\n",
            "\"open",
            ") (",
            ":help",
            "`text`",
            "// note",
            "x +\n",
        ] {
            assert!(!incomplete(&parser, whole), "{whole}");
        }
    }
}
