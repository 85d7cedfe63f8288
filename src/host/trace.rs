//! From the engine's errors to ours: what happened, where in which script, by which calls, and what was meant.

use rhai::{EvalAltResult, Map, ParseError, ParseErrorType, Position};
use serde_json::Value;

use super::driver::SOURCE;
use super::library::Library;
use crate::error::{At, Error, Frame, Kind, Said};
use crate::ops::thrown::without_position;
use crate::ops::{self, nearest, to_json};

/// An error of a script as an error of ours.
///
/// `main` is the name that positions outside of any file belong to, with its text: `eval`, or the prompt's input.
pub fn explain(error: &EvalAltResult, library: &Library, main: (&str, &str)) -> Error {
    let mut calls = Vec::new();
    let mut file = main.0.to_owned();
    let mut inner = error;
    loop {
        match inner {
            EvalAltResult::ErrorInFunctionCall(function, source, next, position) => {
                if !generated(&file) && !position.is_none() {
                    // Rhai gives closures a number; a reader knows them by their place.
                    let closure = function.starts_with("anon$");
                    calls.push(Frame {
                        function: if closure {
                            "a closure".to_owned()
                        } else {
                            function.clone()
                        },
                        at: at(&file, *position, None),
                    });
                }
                if !source.is_empty() {
                    file.clone_from(source);
                }
                inner = next;
            }
            EvalAltResult::ErrorInModule(key, next, position) => {
                if !generated(&file) && !position.is_none() {
                    calls.push(Frame {
                        function: format!("import {key}"),
                        at: at(&file, *position, None),
                    });
                }
                file.clone_from(key);
                inner = next;
            }
            _ => break,
        }
    }
    let text = if file == main.0 {
        Some(main.1.to_owned())
    } else {
        library.text(&file)
    };
    let mut made = said(inner, library, text.as_deref());
    let position = inner.position();
    if made.at.is_none() && made.kind == Kind::Failed && !generated(&file) && !position.is_none() {
        made.at = Some(at(&file, position, text));
    }
    if made.kind == Kind::Failed && made.calls.is_empty() {
        made.calls = calls;
    }
    made
}

/// Whether a place is in the small script by which the host calls functions: nobody wrote that.
fn generated(file: &str) -> bool {
    file.is_empty() || file == SOURCE
}

/// An error of a script that does not parse.
pub fn syntax(file: &str, text: Option<String>, error: &ParseError) -> Error {
    let (what, near) = parse_fault(error, text.as_deref());
    let mut made =
        Error::refused("script-syntax", format!("{file} was not loaded: {what}")).untouched("nothing was run");
    made.next.extend(near);
    made.at = Some(at(file, error.position(), text));
    made
}

fn at(file: &str, position: Position, source: Option<String>) -> At {
    At {
        file: file.to_owned(),
        line: position.line().unwrap_or(0),
        column: position.position().unwrap_or(usize::from(position.line().is_some())),
        source,
    }
}

fn parse_fault(error: &ParseError, text: Option<&str>) -> (String, Option<String>) {
    match error.err_type() {
        ParseErrorType::VariableUndefined(name) => (
            format!("there is no variable {name}"),
            did_you_mean(name, &words(text.unwrap_or_default())),
        ),
        ParseErrorType::ModuleUndefined(name) => (format!("there is no module {name}"), did_you_mean(name, &modules())),
        other => (other.to_string(), None),
    }
}

/// What the innermost error says.
fn said(error: &EvalAltResult, library: &Library, text: Option<&str>) -> Error {
    match error {
        EvalAltResult::ErrorTerminated(token, _) => token
            .clone()
            .try_cast::<Error>()
            .unwrap_or_else(super::engine::interrupted),
        EvalAltResult::ErrorRuntime(value, _) => match value.read_lock::<Map>() {
            Some(map) => thrown(&map),
            None => Error::failed("thrown", value.to_string()),
        },
        EvalAltResult::ErrorParsing(kind, position) => {
            let error = ParseError(Box::new(kind.clone()), *position);
            let (what, near) = parse_fault(&error, text);
            let mut made = Error::failed("script-syntax", what);
            made.next.extend(near);
            made
        }
        EvalAltResult::ErrorFunctionNotFound(signature, _) => {
            function_not_found(signature, library, text.unwrap_or_default())
        }
        EvalAltResult::ErrorVariableNotFound(name, _) => {
            let mut made = Error::failed("unknown-variable", format!("there is no variable {name}"));
            made.next.extend(did_you_mean(name, &words(text.unwrap_or_default())));
            made
        }
        EvalAltResult::ErrorModuleNotFound(name, _) => {
            let mut made = Error::failed("unknown-module", format!("there is no module {name}"));
            made.next.extend(did_you_mean(name, &modules()));
            made
        }
        EvalAltResult::ErrorDataRace(name, _) => Error::failed(
            "variable-in-use",
            format!("{name} is in use by the call that it is passed to"),
        )
        .next("copy it first, as in: let own = it;"),
        EvalAltResult::ErrorTooManyOperations(_)
        | EvalAltResult::ErrorStackOverflow(_)
        | EvalAltResult::ErrorDataTooLarge(..)
        | EvalAltResult::ErrorTooManyVariables(_)
        | EvalAltResult::ErrorTooManyModules(_) => Error::failed("limit-reached", without_position(error))
            .next("do less in one script, or in smaller pieces: the limits keep a script from running away"),
        other => Error::failed("script-error", without_position(other)),
    }
}

/// The error that a script threw as a map, or passed on.
fn thrown(map: &Map) -> Error {
    let text = |key: &str| {
        map.get(key)
            .filter(|value| !value.is_unit())
            .map(ToString::to_string)
            .filter(|text| !text.is_empty())
    };
    let message = text("message").unwrap_or_else(|| {
        let plain = rhai::Dynamic::from(map.clone());
        to_json(&plain).map_or_else(|_| plain.to_string(), |value| value.to_string())
    });
    let mut error = Error::failed(text("code").unwrap_or_else(|| "thrown".to_owned()), message);
    error.on = text("on");
    error.untouched = text("untouched");
    match map.get("next").map(to_json) {
        Some(Ok(Value::Array(items))) => {
            error.next.extend(
                items
                    .iter()
                    .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned)),
            );
        }
        Some(Ok(Value::String(one))) => error.next.push(one),
        _ => {}
    }
    if let Some(Ok(Value::Object(azure))) = map.get("azure").map(to_json) {
        let field = |key: &str| azure.get(key).and_then(Value::as_str).map(str::to_owned);
        error.azure = Some(Said {
            status: azure
                .get("status")
                .and_then(Value::as_u64)
                .and_then(|n| u16::try_from(n).ok())
                .unwrap_or(0),
            code: field("code").unwrap_or_default(),
            message: field("message").unwrap_or_default(),
            request_id: field("requestId"),
            correlation_id: field("correlationId"),
        });
    }
    error
}

/// `name (types)`, as the engine writes it, may be a slip of the pen or a call with other arguments.
fn function_not_found(signature: &str, library: &Library, text: &str) -> Error {
    let (name, given) = signature.split_once(" (").unwrap_or((signature, ")"));
    let name = name.trim();
    let given = format!("({given}");
    if let Some((module, function)) = name.rsplit_once("::") {
        let Some(spec) = ops::specs().iter().find(|spec| spec.name == module) else {
            let own: Vec<String> = library.functions().into_iter().map(|(name, _)| name).collect();
            let own: Vec<&str> = own.iter().map(String::as_str).collect();
            let mut made = Error::failed("unknown-function", format!("there is no function {name}{given}"));
            made.next.extend(did_you_mean(function, &own));
            return made;
        };
        if let Some(found) = spec.function(function) {
            return Error::failed(
                "wrong-argument",
                format!("{} was called as {name}{given}", found.signature()),
            )
            .next(format!("ferry doc {name}"));
        }
        let names: Vec<&str> = spec.functions.iter().map(|function| function.name.as_str()).collect();
        let mut made = Error::failed("unknown-function", format!("{module} has no function {function}"));
        made.next
            .extend(nearest(function, &names).map(|near| format!("did you mean {module}::{near}?")));
        return made.next(format!("ferry doc {module}"));
    }
    let own = library.functions();
    if let Some((_, params)) = own.iter().find(|(known, _)| known == name) {
        return Error::failed(
            "wrong-argument",
            format!("{name}({}) was called as {name}{given}", params.join(", ")),
        );
    }
    let mut known: Vec<&str> = own.iter().map(|(name, _)| name.as_str()).collect();
    known.extend(
        text.split("fn ")
            .skip(1)
            .filter_map(|part| Some(part.split_once('(')?.0.trim())),
    );
    let standard = super::docs::standard_functions();
    known.extend(standard.iter().map(String::as_str));
    if known.contains(&name) {
        return Error::failed("wrong-argument", format!("there is no function {name} for {given}"));
    }
    let mut made = Error::failed("unknown-function", format!("there is no function {name}{given}"));
    made.next.extend(did_you_mean(name, &known));
    made
}

fn did_you_mean(name: &str, known: &[&str]) -> Option<String> {
    let others: Vec<&str> = known.iter().copied().filter(|word| *word != name).collect();
    nearest(name, &others).map(|near| format!("did you mean {near}?"))
}

fn modules() -> Vec<&'static str> {
    ops::specs().iter().map(|module| module.name.as_str()).collect()
}

/// The names that a script introduces: after `let`, `const`, `for`, between bars and in parameter lists.
fn words(text: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut previous = "";
    for word in text.split(|c: char| !is_word(c)).filter(|word| !word.is_empty()) {
        if ["let", "const", "for"].contains(&previous) {
            found.push(word);
        }
        previous = word;
    }
    for part in text.split("fn ").skip(1) {
        if let Some((_, rest)) = part.split_once('(')
            && let Some((params, _)) = rest.split_once(')')
        {
            found.extend(params.split(',').map(str::trim).filter(|word| !word.is_empty()));
        }
    }
    for part in text.split('|').skip(1).step_by(2) {
        found.extend(
            part.split(',')
                .map(str::trim)
                .filter(|word| !word.is_empty() && word.chars().all(is_word)),
        );
    }
    found
}
