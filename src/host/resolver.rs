//! What `import` does: modules come from the library, once, and never in a circle.

use std::cell::RefCell;

use rhai::{Engine, EvalAltResult, Module, ModuleResolver, Position, Scope, Shared};

use super::border;
use super::engine::thrown_at;
use super::library::Library;
use crate::error::Error;

thread_local! {
    /// The scripts whose top level this thread is evaluating.
    static LOADING: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Marks an import path that is a key already, as the host itself writes them.
pub(super) const KEY: char = '=';

/// Resolves imports from a library.
pub struct Resolver(pub std::sync::Arc<Library>);

impl ModuleResolver for Resolver {
    fn resolve(
        &self,
        engine: &Engine,
        source: Option<&str>,
        path: &str,
        position: Position,
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        let key = match path.strip_prefix(KEY) {
            Some(key) => key.to_owned(),
            None => self.0.loader().resolve(source.unwrap_or_default(), path),
        };
        if let Some(module) = self.0.module(&key) {
            return Ok(module);
        }
        let compiled = self.0.compiled(&key).map_err(|error| thrown_at(error, position))?;
        let circle = LOADING.with_borrow(|loading| {
            let start = loading.iter().position(|loading| *loading == key)?;
            Some(
                loading[start..]
                    .iter()
                    .chain([&key])
                    .cloned()
                    .collect::<Vec<_>>()
                    .join(" → "),
            )
        });
        if let Some(circle) = circle {
            let error = Error::failed(
                "import-circle",
                format!("scripts import each other in a circle: {circle}"),
            )
            .next("move what they share to a third file");
            return Err(thrown_at(error, position));
        }
        LOADING.with_borrow_mut(|loading| loading.push(key.clone()));
        let made = Module::eval_ast_as_new(Scope::new(), &compiled.ast, engine);
        LOADING.with_borrow_mut(Vec::pop);
        let module: Shared<Module> = made
            .map_err(|error| match *error {
                // Interrupts end the script and are not dressed as a module's fault.
                EvalAltResult::ErrorTerminated(..) => error,
                _ => EvalAltResult::ErrorInModule(key.clone(), error, position).into(),
            })?
            .into();
        let module: Shared<Module> = border::enclose(&module, &compiled).into();
        self.0.keep_module(&key, &module);
        Ok(module)
    }
}
