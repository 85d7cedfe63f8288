//! A session with its engine and its scripts: what runs things.

use std::sync::Arc;

use rhai::{Dynamic, Engine, EvalAltResult, Scope};
use serde_json::Value;

use super::library::{Compiled, Library};
use super::limits::Limits;
use super::{driver, engine, trace};
use crate::error::{Error, Kind};
use crate::ops::{OpModule, from_json, to_json};
use crate::run::Session;

/// Scripts get a stack of their own: deep ones must not depend on who called.
const STACK: usize = 32 << 20;

/// A session with its engine and its scripts.
pub struct Program {
    session: Arc<Session>,
    library: Arc<Library>,
    engine: Engine,
}

impl Program {
    pub(super) fn new(session: &Arc<Session>, library: Library, more: &[OpModule], limits: &Limits) -> Self {
        let library = Arc::new(library);
        let engine = engine::build(session, &library, more, limits);
        Self {
            session: session.clone(),
            library,
            engine,
        }
    }

    /// The session.
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// The engine, bound to the session.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The scripts.
    pub fn library(&self) -> &Arc<Library> {
        &self.library
    }

    /// Calls a function of a script.
    ///
    /// # Errors
    /// What the script threw, with its place; a pause or an interrupt.
    pub fn call(&self, script: &Compiled, function: &str, arguments: Vec<Dynamic>) -> Result<Value, Error> {
        self.on_script_thread(|| {
            let returned = driver::call(&self.engine, script, function, arguments);
            returned
                .and_then(|value| Ok(to_json(&value)?))
                .map_err(|error| self.explain(&error, "", ""))
        })
    }

    /// The value of an expression, or of the last statement of a script.
    ///
    /// # Errors
    /// `script-syntax`, of kind refused, where it does not parse; what it threw.
    pub fn eval(&self, text: &str) -> Result<Value, Error> {
        self.on_script_thread(|| {
            let mut ast = self
                .engine
                .compile(text)
                .map_err(|error| trace::syntax("eval", Some(text.to_owned()), &error))?;
            ast.set_source("eval");
            let value: Result<Dynamic, Box<EvalAltResult>> = self.engine.eval_ast_with_scope(&mut Scope::new(), &ast);
            value
                .and_then(|value| Ok(to_json(&value)?))
                .map_err(|error| self.explain(&error, "eval", text))
        })
    }

    /// An error of the engine as one of ours; `text` is that of the script called `name`, which is no file.
    pub fn explain(&self, error: &EvalAltResult, name: &str, text: &str) -> Error {
        self.session
            .hide_error(trace::explain(error, &self.library, (name, text)))
    }

    /// Runs `body` on a thread with room for deep scripts, and waits for it. A panic becomes an error.
    pub fn on_script_thread<T: Send>(&self, body: impl FnOnce() -> Result<T, Error> + Send) -> Result<T, Error> {
        let path = crate::run::current_path();
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("script".to_owned()).stack_size(STACK);
            let started = thread.spawn_scoped(scope, || crate::run::path::with(path, body));
            match started.map(std::thread::ScopedJoinHandle::join) {
                Ok(Ok(result)) => result,
                Ok(Err(_)) => Err(Error::failed(
                    "internal",
                    "the script's thread panicked; this is a defect of ferry",
                )),
                Err(error) => {
                    Err(Error::failed("internal", format!("no thread could be started: {error}")).kind(Kind::Failed))
                }
            }
        })
    }
}

/// A JSON value as an argument of a script.
pub(super) fn argument(value: &Value) -> Dynamic {
    from_json(value)
}
