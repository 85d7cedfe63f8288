//! The scripts of one session, compiled once: what imports and calls by file name are answered from.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rhai::{AST, ASTNode, Dynamic, Engine, EvalAltResult, Expr, Module, NativeCallContext, Shared, Stmt};
use serde_json::{Map, Value};

use super::loader::{Loader, Script};
use super::params::{self, Declared};
use super::{driver, trace};
use crate::error::Error;
use crate::ops::{Plugins, nearest, to_json};
use crate::run::{Mode, Session, UsedScript};

/// What operations know of resource types: data, and as good as a script.
const TYPES: &str = "stdlib/resource_types.toml";

/// A script and its syntax tree.
pub struct Compiled {
    /// The script.
    pub script: Script,
    /// Its tree, whose source is the script's key.
    pub ast: AST,
}

impl Compiled {
    /// A literal constant of the script's top level.
    pub fn constant(&self, name: &str) -> Option<Dynamic> {
        self.ast
            .iter_literal_variables(true, false)
            .find(|(found, ..)| *found == name)
            .map(|(.., value)| value)
    }

    /// With how many arguments a public function of the script may be called; empty where there is none.
    pub fn arities(&self, function: &str) -> Vec<usize> {
        let mut arities: Vec<usize> = self
            .ast
            .iter_functions()
            .filter(|found| found.name == function && found.access == rhai::FnAccess::Public)
            .map(|found| found.params.len())
            .collect();
        arities.sort_unstable();
        arities
    }

    /// The paths of its imports that are plain strings, wherever they stand.
    fn imports(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.ast.walk(&mut |path: &[ASTNode<'_>]| {
            if let Some(ASTNode::Stmt(Stmt::Import(import, _))) = path.last()
                && let Expr::StringConstant(text, _) = &import.0
            {
                paths.push(text.to_string());
            }
            true
        });
        paths
    }

    /// What the script declares as its own parameters.
    ///
    /// # Errors
    /// `malformed-params`.
    pub fn params(&self) -> Result<Vec<Declared>, Error> {
        match self.constant("PARAMS") {
            None => Ok(Vec::new()),
            Some(params) => params::declared(&self.script.key, &params),
        }
    }
}

/// The scripts of one session.
pub struct Library {
    loader: Loader,
    parser: Arc<Engine>,
    session: Option<Arc<Session>>,
    compiled: Mutex<BTreeMap<String, Arc<Compiled>>>,
    modules: Mutex<BTreeMap<String, Shared<Module>>>,
    /// Values of the scripts' own parameters, by file stem.
    params: Mutex<BTreeMap<String, Map<String, Value>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Library {
    /// The scripts that a loader finds. Those that are loaded in a run are kept in its journal.
    pub fn new(loader: Loader, parser: Arc<Engine>, session: Option<Arc<Session>>) -> Self {
        Self {
            loader,
            parser,
            session,
            compiled: Mutex::default(),
            modules: Mutex::default(),
            params: Mutex::default(),
        }
    }

    /// Where the scripts are found.
    pub fn loader(&self) -> &Loader {
        &self.loader
    }

    /// Sets the values of scripts' own parameters, by file stem.
    pub fn set_params(&self, files: BTreeMap<String, Map<String, Value>>) {
        *lock(&self.params) = files;
    }

    /// A script, compiled at its first use and kept in the run's journal.
    ///
    /// # Errors
    /// `unknown-script`, `script-unreadable`, `script-syntax`.
    pub fn compiled(&self, key: &str) -> Result<Arc<Compiled>, Error> {
        if let Some(found) = lock(&self.compiled).get(key) {
            return Ok(found.clone());
        }
        let script = self.loader.read(key)?;
        let mut ast = self
            .parser
            .compile(&*script.text)
            .map_err(|error| trace::syntax(&script.key, Some(script.text.to_string()), &error))?;
        ast.set_source(key);
        if let Some(session) = self.session.as_ref().filter(|session| session.mode() == Mode::Run) {
            let origin = match &script.path {
                Some(path) => path.display().to_string(),
                None => "embedded".to_owned(),
            };
            session.keep_script(key, &origin, &script.text)?;
        }
        let made = Arc::new(Compiled { script, ast });
        lock(&self.compiled).insert(key.to_owned(), made.clone());
        Ok(made)
    }

    /// Compiles a script and everything that it imports by a plain string, so that a run has all of it from the
    /// beginning.
    ///
    /// # Errors
    /// As [`Library::compiled`].
    pub fn compiled_with_imports(&self, key: &str) -> Result<Arc<Compiled>, Error> {
        let compiled = self.compiled(key)?;
        let (mut open, mut seen) = (vec![compiled.clone()], vec![key.to_owned()]);
        while let Some(script) = open.pop() {
            for path in script.imports() {
                let imported = self.loader.resolve(&script.script.key, &path);
                if !seen.contains(&imported) {
                    seen.push(imported.clone());
                    open.push(
                        self.compiled(&imported)
                            .map_err(|error| import_failed(&script.script, &path, error))?,
                    );
                }
            }
        }
        Ok(compiled)
    }

    /// What was compiled so far, and the data that operations read, each with its origin and its digest.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn used(&self) -> Result<Vec<UsedScript>, Error> {
        let mut used: Vec<UsedScript> = lock(&self.compiled)
            .values()
            .map(|compiled| compiled.script.used())
            .collect();
        used.push(self.loader.read(TYPES)?.used());
        Ok(used)
    }

    /// The module of a script, if it was evaluated already.
    pub(super) fn module(&self, key: &str) -> Option<Shared<Module>> {
        lock(&self.modules).get(key).cloned()
    }

    pub(super) fn keep_module(&self, key: &str, module: &Shared<Module>) {
        lock(&self.modules).insert(key.to_owned(), module.clone());
    }

    /// The text of a script that was loaded, for showing its lines.
    pub fn text(&self, key: &str) -> Option<String> {
        lock(&self.compiled)
            .get(key)
            .map(|compiled| compiled.script.text.to_string())
    }

    /// Whether a script that was loaded has this in its text.
    pub fn says(&self, text: &str) -> bool {
        lock(&self.compiled)
            .values()
            .any(|compiled| compiled.script.text.contains(text))
    }

    /// All functions of the scripts that were loaded, as `name`, with their parameters.
    pub fn functions(&self) -> Vec<(String, Vec<String>)> {
        let compiled = lock(&self.compiled);
        let functions = compiled.values().flat_map(|script| {
            let functions = script.ast.iter_functions();
            functions.map(|f| (f.name.to_owned(), f.params.iter().map(ToString::to_string).collect()))
        });
        functions.collect()
    }

    fn file(&self, kind: &str, file: &str) -> Result<Arc<Compiled>, Error> {
        let folder = folder(kind)?;
        let names = self.loader.names(&folder);
        if !names.iter().any(|name| name == file) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let mut error = Error::failed("unknown-file", format!("there is no file {file} in {folder}"));
            error
                .next
                .extend(nearest(file, &names).map(|near| format!("did you mean \"{near}\"?")));
            return Err(error);
        }
        self.compiled(&format!("{folder}/{file}.rhai"))
    }
}

/// The error of a script that could not be imported, with the importing script named.
fn import_failed(importer: &Script, path: &str, mut error: Error) -> Error {
    if error.at.is_none() {
        error.message = format!("{} imports \"{path}\": {}", importer.key, error.message);
    }
    error
}

/// The folder of a kind of files.
fn folder(kind: &str) -> Result<String, Error> {
    match kind {
        "permissions" | "bindings" => Ok(format!("stdlib/{kind}")),
        other => Err(Error::failed(
            "wrong-argument",
            format!("there is no kind of files called \"{other}\""),
        )
        .next("the kinds are \"permissions\" and \"bindings\"")),
    }
}

impl Plugins for Library {
    fn files(&self, kind: &str) -> Result<Vec<String>, Error> {
        let folder = folder(kind)?;
        let mut names = self.loader.names(&folder);
        let mut last = Vec::new();
        for name in &names {
            let compiled = self.compiled(&format!("{folder}/{name}.rhai"))?;
            if compiled
                .constant("LAST")
                .is_some_and(|value| value.as_bool() == Ok(true))
            {
                last.push(name.clone());
            }
        }
        names.retain(|name| !last.contains(name));
        names.extend(last);
        Ok(names)
    }

    fn call(
        &self,
        context: &NativeCallContext<'_>,
        kind: &str,
        file: &str,
        function: &str,
        arguments: Vec<Dynamic>,
    ) -> Result<Dynamic, Box<EvalAltResult>> {
        let compiled = self.file(kind, file)?;
        driver::call(context.engine(), &compiled, function, arguments)
            .map_err(|error| driver::called_at(error, context.call_position()))
    }

    fn has(&self, kind: &str, file: &str, function: &str) -> Result<bool, Error> {
        Ok(!self.file(kind, file)?.arities(function).is_empty())
    }

    fn constant(&self, kind: &str, file: &str, name: &str) -> Result<Option<Value>, Error> {
        self.file(kind, file)?
            .constant(name)
            .map(|value| to_json(&value))
            .transpose()
    }

    fn constant_of(&self, key: &str, name: &str) -> Result<Option<Value>, Error> {
        if !self.loader.has(key) {
            return Ok(None);
        }
        self.compiled(key)?
            .constant(name)
            .map(|value| to_json(&value))
            .transpose()
    }

    fn text(&self, key: &str) -> Result<String, Error> {
        let script = self.loader.read(key)?;
        if let Some(session) = self.session.as_ref().filter(|session| session.mode() == Mode::Run) {
            let origin = script
                .path
                .as_ref()
                .map_or_else(|| "embedded".to_owned(), |path| path.display().to_string());
            session.keep_script(key, &origin, &script.text)?;
        }
        Ok(script.text.to_string())
    }

    fn parameter(&self, key: &str, name: &str) -> Result<Value, Error> {
        let declared = if self.loader.has(key) {
            self.compiled(key)?.params()?
        } else {
            Vec::new()
        };
        let stem = super::params::stem(key);
        let Some(found) = declared.iter().find(|declared| declared.name == name) else {
            let names: Vec<&str> = declared.iter().map(|declared| declared.name.as_str()).collect();
            let mut error = Error::failed("unknown-parameter", format!("{key} declares no parameter \"{name}\""));
            error
                .next
                .extend(nearest(name, &names).map(|near| format!("did you mean \"{near}\"?")));
            return Err(error);
        };
        let given = lock(&self.params)
            .get(stem)
            .and_then(|values| values.get(name))
            .cloned();
        match given.or_else(|| found.fallback.clone()) {
            Some(value) => Ok(value),
            None if found.optional => Ok(Value::Null),
            None => Err(Error::failed(
                "missing-parameter",
                format!("{key} needs {stem}.{name}: {}", found.help),
            )
            .next(format!(
                "give {stem}.{name}={} on the command line",
                found.kind.placeholder()
            ))),
        }
    }
}
