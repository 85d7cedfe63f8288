//! Looks into scripts without running them: do they parse, and do they have what their kind must have?

use std::path::Path;

use serde::Serialize;

use super::library::{Compiled, Library};
use super::runbook::Runbook;
use crate::error::Error;

/// What was found in one script.
#[derive(Debug, Clone, Serialize)]
pub struct Checked {
    /// The script's key.
    pub file: String,
    /// Why it does not load.
    pub error: Option<Error>,
    /// What it lacks.
    pub problems: Vec<String>,
}

impl Checked {
    /// Whether nothing is wrong.
    pub fn is_fine(&self) -> bool {
        self.error.is_none() && self.problems.is_empty()
    }
}

/// Functions that a permission source must have, with the number of their arguments.
const SOURCE: [(&str, usize); 4] = [("list", 1), ("grant", 2), ("check", 2), ("revoke", 2)];
/// The same for a binding finder; `swap` may stand for attach and detach.
const FINDER: [(&str, usize); 2] = [("find", 1), ("check", 3)];

pub(super) fn check(library: &Library, path: Option<&Path>) -> Result<Vec<Checked>, Error> {
    let keys = match path {
        None => library.loader().keys(),
        Some(path) => {
            if !path.is_file() {
                return Err(Error::refused(
                    "unknown-script",
                    format!("there is no file {}", path.display()),
                ));
            }
            vec![library.loader().pin_file(path)]
        }
    };
    Ok(keys.iter().map(|key| one(library, key)).collect())
}

fn one(library: &Library, key: &str) -> Checked {
    match library.compiled_with_imports(key) {
        Err(error) => Checked {
            file: key.to_owned(),
            error: Some(error),
            problems: Vec::new(),
        },
        Ok(script) => match problems(&script) {
            Ok(problems) => Checked {
                file: key.to_owned(),
                error: None,
                problems,
            },
            Err(error) => Checked {
                file: key.to_owned(),
                error: Some(error),
                problems: Vec::new(),
            },
        },
    }
}

fn problems(script: &std::sync::Arc<Compiled>) -> Result<Vec<String>, Error> {
    let mut problems = Vec::new();
    let folder = script.script.key.rsplit('/').nth(1).unwrap_or_default();
    let mut need = |functions: &[(&str, usize)]| {
        for (name, arity) in functions {
            if !script.arities(name).contains(arity) {
                problems.push(format!("it lacks fn {name} with {arity} arguments"));
            }
        }
    };
    match folder {
        "permissions" => need(&SOURCE),
        "bindings" => {
            need(&FINDER);
            if !script.arities("swap").contains(&3) {
                need(&[("attach", 3), ("detach", 3)]);
            }
        }
        _ => {}
    }
    if ["permissions", "bindings"].contains(&folder) {
        if script.constant("TITLE").is_none_or(|title| !title.is_string()) {
            problems.push("it lacks const TITLE, a string".to_owned());
        }
        script.params()?;
    } else if folder == "runbooks" || !script.script.key.starts_with("stdlib/") {
        Runbook::read(&script.script.key, script)?;
    }
    if script.ast.doc().is_empty() {
        problems.push("it does not begin with a //! text that says what it is for".to_owned());
    }
    Ok(problems)
}
