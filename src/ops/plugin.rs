//! `plugin::`, calls of sources and finders by the name of their file.

use rhai::{Array, Dynamic, EvalAltResult, FnPtr};
use serde_json::Value;

use super::call::Call;
use super::spec::OpModule;
use super::value::to_json;
use crate::error::Error;
use crate::run::{Mode, path};

/// Functions of sources and finders that look, and write nothing.
const READERS: &[&str] = &["applies", "list", "find", "check", "state", "settle"];

pub(crate) fn module() -> OpModule {
    crate::ops! { plugin,
        "Permission sources and binding finders, called by the name of their file.";

        /// The files of a kind, in the order in which they claim places.
        ///
        /// * `kind` (string): "permissions" or "bindings"
        /// * returns (array): file stems; the file with `const LAST = true` is the last
        /// * errors: `script-broken`
        /// * changes: no
        /// * also: sources, finders, scripts
        ///
        /// ```rhai
        /// assert_eq(type_of(plugin::files("permissions")), "array");
        /// ```
        fn files(call) {
            let files = call.bound().plugins.files(&call.text("kind")?)?;
            Ok(files.into_iter().map(Value::String).collect::<Vec<Value>>())
        }

        /// Calls a function of a file.
        ///
        /// In a plan, a call of `grant`, `attach` or `swap` marks its first argument as planned, and `check` of a
        /// planned one is true without being asked.
        ///
        /// * `kind` (string): "permissions" or "bindings"
        /// * `file` (string): the file's stem
        /// * `function` (string): the function's name
        /// * `arguments` (array): its arguments, plain data
        /// * returns (any): what it returned
        /// * errors: `unknown-function`, and whatever it throws
        /// * changes: no; what the function calls does
        ///
        /// ```rhai
        /// // fails: unknown-file
        /// plugin::call("permissions", "no_such_file", "list", [#{}]);
        /// ```
        fn call(call) {
            Ok(plugin_call(call))
        }

        /// Whether a file has a function of this name.
        ///
        /// * `kind` (string): "permissions" or "bindings"
        /// * `file` (string): the file's stem
        /// * `function` (string): the function's name
        /// * returns (bool): true if it has
        /// * errors: `unknown-file`, `script-broken`
        /// * changes: no
        ///
        /// ```rhai
        /// // fails: unknown-file
        /// plugin::has("bindings", "no_such_file", "swap");
        /// ```
        fn has(call) {
            call.bound().plugins.has(&call.text("kind")?, &call.text("file")?, &call.text("function")?)
        }

        /// A literal constant of a file.
        ///
        /// * `kind` (string): "permissions" or "bindings"
        /// * `file` (string): the file's stem
        /// * `name` (string): the constant's name, as `TITLE`
        /// * returns (any): its value, or `()` where the file has none of this name
        /// * errors: `unknown-file`, `script-broken`
        /// * changes: no
        ///
        /// ```rhai
        /// // fails: unknown-file
        /// plugin::constant("bindings", "no_such_file", "TITLE");
        /// ```
        fn constant(call) {
            call.bound().plugins.constant(&call.text("kind")?, &call.text("file")?, &call.text("name")?)
        }
    }
}

fn plugin_call(call: &Call<'_>) -> Result<Dynamic, Box<EvalAltResult>> {
    let (kind, file, function) = (call.text("kind")?, call.text("file")?, call.text("function")?);
    let Some(arguments) = call.dynamic("arguments").try_cast::<Array>() else {
        return Err(call.wrong("arguments", "an array").into());
    };
    if arguments.iter().any(Dynamic::is::<FnPtr>) {
        return Err(Error::failed(
            "not-plain",
            "plugin::call: a closure cannot be passed into another file",
        )
        .into());
    }
    let item = match arguments.first().map(to_json) {
        Some(Ok(Value::Object(map))) => map.get("id").and_then(Value::as_str).map(str::to_lowercase),
        _ => None,
    };
    let mark = item
        .map(|id| format!("{kind}/{file}/{id}"))
        .filter(|_| call.session.mode() == Mode::Plan);
    if function == "check" && mark.as_ref().is_some_and(|mark| call.session.is_planned(mark)) {
        return Ok(true.into());
    }
    let value = path::reading(READERS.contains(&function.as_str()), || {
        let plugins = &call.bound().plugins;
        plugins.call(call.context(), &kind, &file, &function, arguments)
    })?;
    if let Some(mark) = mark.filter(|_| ["grant", "attach", "swap"].contains(&function.as_str())) {
        call.session.mark_planned(&mark);
    }
    Ok(value)
}
