//! One way to build the engine, for runs, the prompt, expressions and tests of documentation.

use std::sync::{Arc, OnceLock};

use rhai::packages::{Package, StandardPackage};
use rhai::{Array, Dynamic, Engine, EvalAltResult, ImmutableString, Map, Position, Shared, Token};
use serde_json::Value;

use super::library::Library;
use super::limits::Limits;
use crate::error::{Error, Kind};
use crate::ops::{self, OpModule, from_json, to_json};
use crate::run::Session;

/// How often an interrupt is looked for, in operations.
const LOOK: u64 = 256;

type Thrown = Box<EvalAltResult>;

/// Limits and rules that hold for parsing as well as for running.
fn rules(engine: &mut Engine, limits: &Limits) {
    limits.set(engine);
    engine.set_strict_variables(true).disable_symbol("eval");
    // `call` is reserved by Rhai, for closures; as a plain name it can also stand in `plugin::call`.
    // The callback is marked deprecated by Rhai only to say that it may change between versions.
    #[allow(deprecated)]
    engine.on_parse_token(|token, _, _| match token {
        Token::Reserved(word) if *word == "call" => Token::Identifier(word),
        other => other,
    });
}

/// An engine that parses scripts and runs none: it knows the names of the modules.
pub fn parser(more: &[OpModule]) -> Engine {
    let mut engine = Engine::new_raw();
    rules(&mut engine, &Limits::default());
    for module in ops::specs().iter().chain(more) {
        engine.register_static_module(&module.name, rhai::Module::new().into());
    }
    engine
}

/// The engine of a session.
pub fn build(session: &Arc<Session>, library: &Arc<Library>, more: &[OpModule], limits: &Limits) -> Engine {
    static STANDARD: OnceLock<Shared<rhai::Module>> = OnceLock::new();
    let mut engine = Engine::new_raw();
    engine.register_global_module(
        STANDARD
            .get_or_init(|| StandardPackage::new().as_shared_module())
            .clone(),
    );
    rules(&mut engine, limits);

    let (cancel, limits) = (session.clone(), limits.clone());
    engine.on_progress(move |count| {
        if count % LOOK == 0 && cancel.cancel().is_cancelled() {
            return Some(Dynamic::from(interrupted()));
        }
        limits.spend().map(Dynamic::from)
    });
    let printing = session.clone();
    // A note that cannot be written down is lost; what the run depends on fails by itself.
    engine.on_print(move |text| drop(printing.note(text)));
    let debugging = session.clone();
    engine.on_debug(move |text, source, position| {
        drop(debugging.note(&format!("{}:{position:?}: {text}", source.unwrap_or("eval"))));
    });
    replace(&mut engine);
    ops::register(&mut engine, session, library.clone(), more);
    engine.set_module_resolver(super::resolver::Resolver(library.clone()));
    engine
}

/// The error of a script that somebody stopped.
pub fn interrupted() -> Error {
    Error::failed("interrupted", "the script was interrupted").kind(Kind::Interrupted)
}

/// Functions of the standard library that would block, differ from one replay to the next, or bend values; and the
/// two that tests are written with.
fn replace(engine: &mut Engine) {
    #[allow(clippy::unnecessary_box_returns)] // Rhai's errors are boxed wherever they are passed on.
    fn refuse(code: &str, message: &str, next: &str) -> Thrown {
        Error::failed(code, message).next(next).into()
    }
    let no_sleep = || -> Result<(), Thrown> {
        Err(refuse(
            "no-sleep",
            "sleep() would block the run",
            "run::wait(\"10s\") waits, and can be interrupted",
        ))
    };
    engine
        .register_fn("sleep", move |_: i64| no_sleep())
        .register_fn("sleep", move |_: f64| no_sleep())
        .register_fn("timestamp", || -> Result<Dynamic, Thrown> {
            Err(refuse(
                "no-clock",
                "timestamp() would differ when the run is resumed",
                "times of what happened are in the journal: ferry show RUN",
            ))
        })
        .register_fn("to_json", |map: &mut Map| json_text(&Dynamic::from(map.clone())))
        .register_fn("to_json", |array: &mut Array| json_text(&Dynamic::from(array.clone())))
        .register_fn("to_json", |text: &mut ImmutableString| {
            json_text(&Dynamic::from(text.clone()))
        })
        .register_fn("parse_json", |text: &str| -> Result<Dynamic, Thrown> {
            let value: Value = serde_json::from_str(text)
                .map_err(|error| Error::failed("malformed", format!("this is no JSON: {error}")))?;
            Ok(from_json(&value))
        })
        .register_fn("assert", |holds: bool| {
            check(holds, || "the assertion does not hold".to_owned())
        })
        .register_fn("assert", |holds: bool, why: &str| check(holds, || why.to_owned()))
        .register_fn("assert_eq", |left: Dynamic, right: Dynamic| -> Result<(), Thrown> {
            let (one, other) = (to_json(&left)?, to_json(&right)?);
            check(equal(&one, &other), || format!("left is {one}, right is {other}"))
        });
}

fn json_text(value: &Dynamic) -> Result<String, Thrown> {
    Ok(to_json(value)?.to_string())
}

fn check(holds: bool, why: impl FnOnce() -> String) -> Result<(), Thrown> {
    if holds {
        Ok(())
    } else {
        Err(Error::failed("assertion", why()).into())
    }
}

/// Whether two documents are equal as scripts see them: `2` and `2.0` are.
fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => a == b || (a.as_f64() == b.as_f64() && (a.is_f64() || b.is_f64())),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        (a, b) => a == b,
    }
}

/// An error of ours as one of the engine's, at a position.
#[allow(clippy::unnecessary_box_returns)] // Rhai's errors are boxed wherever they are passed on.
pub fn thrown_at(error: Error, position: Position) -> Thrown {
    let mut thrown: Thrown = error.into();
    thrown.set_position(position);
    thrown
}
