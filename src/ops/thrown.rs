//! Errors as scripts see them: what is thrown, and where in the scripts it arose.

use rhai::{Dynamic, EvalAltResult, Position};
use serde_json::Value;

use super::value::from_json;
use crate::error::{Error, Kind};
use crate::types::ParseError;

/// Ends the script: a pause, an interrupt, or drift from the plan, which it cannot catch. Anything else is thrown as a map.
impl From<Error> for Box<EvalAltResult> {
    fn from(error: Error) -> Self {
        let ends = matches!(error.kind, Kind::Paused | Kind::Interrupted) || error.code == "drift";
        if ends {
            return EvalAltResult::ErrorTerminated(Dynamic::from(error), Position::NONE).into();
        }
        EvalAltResult::ErrorRuntime(thrown(&error), Position::NONE).into()
    }
}

impl From<ParseError> for Box<EvalAltResult> {
    fn from(error: ParseError) -> Self {
        Error::from(error).into()
    }
}

/// The map that a script catches: `code`, `message`, and what else is known.
pub fn thrown(error: &Error) -> Dynamic {
    let text = |text: &Option<String>| text.as_ref().map_or(Value::Null, |text| Value::String(text.clone()));
    let mut map = serde_json::json!({
        "code": error.code,
        "message": error.message,
        "on": text(&error.on),
        "untouched": text(&error.untouched),
        "next": error.next,
        "azure": Value::Null,
        "passing": error.passing,
    });
    if let Some(said) = &error.azure {
        map["azure"] = serde_json::json!({
            "status": said.status,
            "code": said.code,
            "message": said.message,
            "requestId": said.request_id,
            "correlationId": said.correlation_id,
        });
    }
    from_json(&map)
}

/// The innermost error of a chain, with the file and the position that it has there. The file is empty where the
/// error arose in the script that the engine was started with.
pub fn root(error: &EvalAltResult) -> (&EvalAltResult, &str, Position) {
    let (mut at, mut file) = (error, "");
    loop {
        match at {
            EvalAltResult::ErrorInFunctionCall(_, source, inner, _) => {
                if !source.is_empty() {
                    file = source;
                }
                at = inner;
            }
            EvalAltResult::ErrorInModule(name, inner, _) => {
                file = name;
                at = inner;
            }
            _ => return (at, file, at.position()),
        }
    }
}

/// The error that ended a script for good, if one did: a pause or an interrupt.
pub fn ending(error: &EvalAltResult) -> Option<Error> {
    match root(error).0 {
        EvalAltResult::ErrorTerminated(token, _) => Some(
            token
                .clone()
                .try_cast::<Error>()
                .unwrap_or_else(|| Error::failed("interrupted", "the script was interrupted").kind(Kind::Interrupted)),
        ),
        _ => None,
    }
}

/// Whether an error tells of the way to the cloud: another time it may be answered.
pub fn is_passing(error: &EvalAltResult) -> bool {
    let EvalAltResult::ErrorRuntime(value, _) = root(error).0 else {
        return false;
    };
    value
        .read_lock::<rhai::Map>()
        .is_some_and(|map| map.get("passing").is_some_and(|passing| passing.as_bool() == Ok(true)))
}

/// `code: message` of whatever a script threw.
pub fn sentence(error: &EvalAltResult) -> String {
    let (root, file, position) = root(error);
    let said = match root {
        EvalAltResult::ErrorRuntime(value, _) => {
            let text = |key: &str| {
                let map = value.read_lock::<rhai::Map>()?;
                map.get(key).map(ToString::to_string)
            };
            match (text("code"), text("message")) {
                (Some(code), Some(message)) => format!("{code}: {message}"),
                (None, Some(message)) => message,
                _ => value.to_string(),
            }
        }
        other => without_position(other),
    };
    if file.is_empty() || position.is_none() {
        said
    } else {
        format!("{said} ({file}:{position:?})")
    }
}

/// A script error's text without its position, which is shown apart.
pub fn without_position(error: &EvalAltResult) -> String {
    let text = error.to_string();
    match text.rfind(" (line ") {
        Some(end) if !error.position().is_none() => text[..end].to_owned(),
        _ => text,
    }
}
