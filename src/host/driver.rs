//! Calls a function of a script by a small generated script that imports it.
//!
//! So the script's top level runs once, and its functions keep their imports and constants; calling a function of
//! the bare syntax tree would do neither.

use rhai::{Dynamic, Engine, EvalAltResult, Position, Scope};

use super::library::Compiled;
use super::resolver::KEY;
use crate::error::Error;
use crate::ops::nearest;

/// The source of generated scripts; their frames are not shown.
pub(super) const SOURCE: &str = "<host>";

/// Calls a public function of a script.
///
/// # Errors
/// `unknown-function` where there is none of this name that takes so many arguments; whatever it throws.
pub fn call(
    engine: &Engine,
    script: &Compiled,
    function: &str,
    arguments: Vec<Dynamic>,
) -> Result<Dynamic, Box<EvalAltResult>> {
    let arities = script.arities(function);
    if !arities.contains(&arguments.len()) {
        return Err(no_such_function(script, function, arguments.len(), &arities).into());
    }
    let names: Vec<String> = (0..arguments.len()).map(|index| format!("a{index}")).collect();
    // A JSON string is a string of Rhai's as well: both escape quotes, backslashes and control characters alike.
    let path = serde_json::Value::String(format!("{KEY}{}", script.script.key)).to_string();
    let text = format!("import {path} as script; script::{function}({})", names.join(", "));
    let mut scope = Scope::new();
    for (name, argument) in names.iter().zip(arguments) {
        scope.push_dynamic(name.as_str(), argument);
    }
    let mut ast = engine
        .compile_with_scope(&scope, text)
        .map_err(|error| Error::failed("internal", format!("the call of {function} was not compiled: {error}")))?;
    ast.set_source(SOURCE);
    engine.eval_ast_with_scope(&mut scope, &ast)
}

fn no_such_function(script: &Compiled, function: &str, given: usize, arities: &[usize]) -> Error {
    let key = &script.script.key;
    if arities.is_empty() {
        let names: Vec<&str> = script.ast.iter_functions().map(|found| found.name).collect();
        let mut error = Error::failed("unknown-function", format!("{key} has no function {function}"));
        error
            .next
            .extend(nearest(function, &names).map(|near| format!("did you mean \"{near}\"?")));
        return error;
    }
    let takes: Vec<String> = arities.iter().map(ToString::to_string).collect();
    Error::failed(
        "unknown-function",
        format!(
            "{function} in {key} takes {} arguments, and {given} were given",
            takes.join(" or ")
        ),
    )
}

/// The same error with the position of the call that the generated script stands for.
#[allow(clippy::unnecessary_box_returns)] // Rhai's errors are boxed wherever they are passed on.
pub fn called_at(mut error: Box<EvalAltResult>, call: Position) -> Box<EvalAltResult> {
    if let EvalAltResult::ErrorInFunctionCall(.., position) = &mut *error {
        *position = call;
    }
    error
}
