//! Tests of scripts, in their own language: functions `test_…` of a file, each on a fresh cloud.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::run::Host;
use crate::error::Error;
use crate::run::Session;

/// What the name of a test begins with.
const PREFIX: &str = "test_";

/// One test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its file, as it was given or found.
    pub file: String,
    /// The function.
    pub name: String,
    /// The estate that it runs on: a file beside the test's, as its `const ESTATE` says; none is the demo.
    pub estate: Option<PathBuf>,
}

impl Host {
    /// The tests of a file, in the order of their names.
    ///
    /// # Errors
    /// `script-syntax`, `unknown-script`; `wrong-test` for a test that takes arguments.
    pub fn tests(&self, file: &Path) -> Result<Vec<Case>, Error> {
        let library = self.library();
        let key = library.loader().pin_file(file);
        let compiled = library.compiled_with_imports(&key)?;
        let estate = compiled
            .constant("ESTATE")
            .and_then(|name| name.into_string().ok())
            .map(|name| file.parent().unwrap_or(Path::new("")).join(name));
        let functions = compiled.ast.iter_functions();
        let mut names: Vec<(String, usize)> = functions
            .filter(|found| found.name.starts_with(PREFIX) && found.access == rhai::FnAccess::Public)
            .map(|found| (found.name.to_owned(), found.params.len()))
            .collect();
        names.sort();
        names
            .into_iter()
            .map(|(name, arity)| {
                if arity > 0 {
                    return Err(Error::refused(
                        "wrong-test",
                        format!(
                            "{}: {name} takes {arity} argument(s), and a test takes none",
                            file.display()
                        ),
                    )
                    .untouched("everything: no test was run"));
                }
                Ok(Case {
                    file: file.display().to_string(),
                    name,
                    estate: estate.clone(),
                })
            })
            .collect()
    }

    /// Runs a test in a session of its own.
    ///
    /// # Errors
    /// What it threw, with its place.
    pub fn test(&self, case: &Case, session: &Arc<Session>) -> Result<(), Error> {
        let program = self.program(session);
        let key = program.library().loader().pin_file(Path::new(&case.file));
        let script = program.library().compiled_with_imports(&key)?;
        program.call(&script, &case.name, Vec::new()).map(|_| ())
    }
}
