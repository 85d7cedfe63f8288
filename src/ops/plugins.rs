//! What operations need of the floor above: script files with sources, finders and constants.

use rhai::{Dynamic, EvalAltResult, NativeCallContext};
use serde_json::Value;

use crate::error::Error;

/// Script files that other scripts call by name. `kind` is a folder of the standard library:
/// `permissions` or `bindings`; `file` is a file's stem.
pub trait Plugins: Send + Sync {
    /// The stems of the files of a kind, in the order in which they claim places.
    ///
    /// # Errors
    /// When a file does not load.
    fn files(&self, kind: &str) -> Result<Vec<String>, Error>;

    /// Calls a function of a file.
    ///
    /// # Errors
    /// Whatever the function throws; `unknown-function` where the file has none of this name and arity.
    fn call(
        &self,
        context: &NativeCallContext<'_>,
        kind: &str,
        file: &str,
        function: &str,
        arguments: Vec<Dynamic>,
    ) -> Result<Dynamic, Box<EvalAltResult>>;

    /// Whether a file has a public function of this name.
    ///
    /// # Errors
    /// When the file does not load.
    fn has(&self, kind: &str, file: &str, function: &str) -> Result<bool, Error>;

    /// A literal constant of a file.
    ///
    /// # Errors
    /// When the file does not load.
    fn constant(&self, kind: &str, file: &str, name: &str) -> Result<Option<Value>, Error>;

    /// A literal constant of the file with this key, as `stdlib/permissions/key_vault.rhai`.
    ///
    /// # Errors
    /// When the file does not load.
    fn constant_of(&self, key: &str, name: &str) -> Result<Option<Value>, Error>;

    /// The value of a parameter of the file with this key: given as `STEM.NAME=value`, or its default.
    ///
    /// # Errors
    /// `unknown-parameter` where the file declares none of this name.
    fn parameter(&self, key: &str, name: &str) -> Result<Value, Error>;

    /// The text of a file of the standard library that is data, as `stdlib/resource_types.toml`.
    ///
    /// # Errors
    /// `not-found` where there is none of this key.
    fn text(&self, key: &str) -> Result<String, Error>;
}

/// No script files at all: for engines that run none.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPlugins;

impl Plugins for NoPlugins {
    fn files(&self, _kind: &str) -> Result<Vec<String>, Error> {
        Ok(Vec::new())
    }

    fn call(
        &self,
        _context: &NativeCallContext<'_>,
        kind: &str,
        file: &str,
        function: &str,
        _arguments: Vec<Dynamic>,
    ) -> Result<Dynamic, Box<EvalAltResult>> {
        Err(Error::failed(
            "unknown-function",
            format!("there is no function {function} in {kind}/{file}"),
        )
        .into())
    }

    fn has(&self, _kind: &str, _file: &str, _function: &str) -> Result<bool, Error> {
        Ok(false)
    }

    fn constant(&self, _kind: &str, _file: &str, _name: &str) -> Result<Option<Value>, Error> {
        Ok(None)
    }

    fn constant_of(&self, _key: &str, _name: &str) -> Result<Option<Value>, Error> {
        Ok(None)
    }

    fn parameter(&self, _key: &str, name: &str) -> Result<Value, Error> {
        Err(Error::failed(
            "unknown-parameter",
            format!("this script has no parameter {name}"),
        ))
    }

    fn text(&self, key: &str) -> Result<String, Error> {
        Err(Error::failed("not-found", format!("there is no file {key}")))
    }
}
