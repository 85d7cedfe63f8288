//! What a runbook says about itself: its summary, what it asks for, the phases it has.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use super::library::{Compiled, Library};
use super::params::{self, Declared, ParamKind, Params};
use crate::error::Error;
use crate::ops::nearest;

/// The phases of a run, in order.
pub const PHASES: [&str; 4] = ["prepare", "move", "verify", "clean_up"];

/// A runbook that was found and parsed.
#[derive(Debug, Clone, Serialize)]
pub struct Runbook {
    /// Its name as it is given on the command line: `relocate`, or a path.
    pub name: String,
    /// Its script's key.
    pub key: String,
    /// The first sentence of its `//!` text.
    pub summary: String,
    /// The whole `//!` text, in Markdown.
    pub doc: String,
    /// What it asks for; required ones first.
    pub params: Vec<Declared>,
    /// The phases that it has, in order; `main` alone for one that explores or reports.
    pub phases: Vec<String>,
    /// SHA-256 of its text.
    pub digest: String,
}

impl Runbook {
    /// Reads a runbook's header.
    ///
    /// # Errors
    /// `not-a-runbook` where it has no phase; `malformed-params`.
    pub(super) fn read(name: &str, compiled: &Arc<Compiled>) -> Result<Self, Error> {
        let key = &compiled.script.key;
        let doc = doc_text(compiled.ast.doc());
        let mut phases = Vec::new();
        let main = compiled.arities("main");
        let fail =
            |what: String| Error::refused("not-a-runbook", format!("{key}: {what}")).untouched("nothing was run");
        for phase in PHASES {
            let arities = compiled.arities(phase);
            if arities.is_empty() {
                continue;
            }
            let most = if phase == "prepare" { 1 } else { 2 };
            if !arities.iter().any(|arity| (1..=most).contains(arity)) {
                let takes = if most == 1 { "(params)" } else { "(params, results)" };
                return Err(fail(format!("{phase} must be declared as fn {phase}{takes}")));
            }
            phases.push(phase.to_owned());
        }
        match (phases.is_empty(), main.is_empty()) {
            (true, true) => {
                return Err(
                    fail("it has none of fn prepare, move, verify, clean_up, and no fn main".to_owned())
                        .next("ferry new runbook NAME      writes one to begin with"),
                );
            }
            (false, false) => return Err(fail("it has phases and fn main; one of them is enough".to_owned())),
            (true, false) if !main.contains(&1) => {
                return Err(fail("main must be declared as fn main(params)".to_owned()));
            }
            (true, false) => phases.push("main".to_owned()),
            (false, true) => {}
        }
        Ok(Self {
            name: name.to_owned(),
            key: key.clone(),
            summary: first_sentence(&doc),
            doc,
            params: compiled.params()?,
            phases,
            digest: compiled.script.digest.clone(),
        })
    }

    /// The line that shows how to start it.
    pub fn usage(&self) -> String {
        let params = self.params.iter().map(|param| {
            let text = format!("{}={}", param.name, param.kind.placeholder());
            if param.optional { format!("[{text}]") } else { text }
        });
        std::iter::once(format!("ferry run {}", self.name))
            .chain(params)
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The files and directories that these parameters name.
    pub(super) fn paths(&self, values: &Map<String, Value>) -> Vec<PathBuf> {
        let is_path = |declared: &&Declared| match &declared.kind {
            ParamKind::Path => true,
            ParamKind::List(item) => **item == ParamKind::Path,
            _ => false,
        };
        let given = self
            .params
            .iter()
            .filter(is_path)
            .filter_map(|declared| values.get(&declared.name));
        given
            .flat_map(|value| match value {
                Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
                value => value.as_str().into_iter().collect::<Vec<_>>(),
            })
            .map(PathBuf::from)
            .collect()
    }

    /// Reads `KEY=VALUE`s. `defaults` fill what was not given: those of the demo of an estate.
    ///
    /// # Errors
    /// All of kind refused: `not-a-parameter`, `unknown-parameter` with the nearest known one,
    /// `duplicate-parameter`, `malformed-parameter`, and `missing-parameter` naming all that are missing.
    pub(super) fn params(
        &self,
        given: &[String],
        defaults: &Map<String, Value>,
        library: &Library,
    ) -> Result<Params, Error> {
        let mut made = Params::default();
        for word in given {
            let Some((name, value)) = word.split_once('=') else {
                return Err(Error::refused("not-a-parameter", format!("\"{word}\" is no KEY=VALUE"))
                    .untouched("nothing was contacted")
                    .next(self.usage()));
            };
            if let Some((stem, name)) = name.split_once('.') {
                let declared = file_parameter(library, stem, name)?;
                params::put(&declared, value, made.files.entry(stem.to_owned()).or_default())?;
                continue;
            }
            let Some(declared) = self.params.iter().find(|param| param.name == name) else {
                let known: Vec<&str> = self.params.iter().map(|param| param.name.as_str()).collect();
                let mut error = Error::refused(
                    "unknown-parameter",
                    format!("{} has no parameter \"{name}\"", self.name),
                )
                .untouched("nothing was contacted");
                error
                    .next
                    .extend(nearest(name, &known).map(|near| format!("did you mean {near}=?")));
                return Err(error.next(self.usage()));
            };
            params::put(declared, value, &mut made.values)?;
        }
        for declared in &self.params {
            if made.values.contains_key(&declared.name) {
                continue;
            }
            match defaults.get(&declared.name) {
                Some(Value::String(text)) => {
                    made.values.insert(declared.name.clone(), declared.parse(text)?);
                }
                Some(other) if !other.is_null() => {
                    made.values.insert(declared.name.clone(), other.clone());
                }
                _ => {
                    if let Some(fallback) = &declared.fallback {
                        made.values.insert(declared.name.clone(), fallback.clone());
                    }
                }
            }
        }
        let missing: Vec<&Declared> = self
            .params
            .iter()
            .filter(|param| !param.optional && !made.values.contains_key(&param.name))
            .collect();
        if missing.is_empty() {
            return Ok(made);
        }
        let names: Vec<String> = missing.iter().map(|param| format!("{}=", param.name)).collect();
        let mut error = Error::refused(
            "missing-parameter",
            format!("{} needs {}", self.name, names.join(" and ")),
        )
        .untouched("nothing was contacted");
        error.next.extend(
            missing
                .iter()
                .map(|param| format!("{}= ({}): {}", param.name, param.kind.name(), param.help)),
        );
        Err(error.next(self.usage()))
    }
}

/// A parameter that a source or finder declares itself.
fn file_parameter(library: &Library, stem: &str, name: &str) -> Result<Declared, Error> {
    let mut stems = Vec::new();
    let mut names: Vec<String> = Vec::new();
    let refuse = |message: String| Error::refused("unknown-parameter", message).untouched("nothing was contacted");
    for folder in ["stdlib/permissions", "stdlib/bindings"] {
        for file in library.loader().names(folder) {
            if file == stem {
                let declared = library.compiled(&format!("{folder}/{file}.rhai"))?.params()?;
                if let Some(found) = declared.iter().find(|declared| declared.name == name) {
                    return Ok(found.clone());
                }
                names.extend(declared.into_iter().map(|declared| declared.name));
            }
            stems.push(file);
        }
    }
    if stems.iter().any(|file| file == stem) {
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut error = refuse(format!("{stem} declares no parameter \"{name}\""));
        error
            .next
            .extend(nearest(name, &known).map(|near| format!("did you mean {stem}.{near}=?")));
        return Err(error);
    }
    let known: Vec<&str> = stems.iter().map(String::as_str).collect();
    let mut error = refuse(format!(
        "there is no source or finder \"{stem}\", which {stem}.{name}= would be for"
    ));
    error
        .next
        .extend(nearest(stem, &known).map(|near| format!("did you mean {near}.{name}=?")));
    Err(error)
}

/// `//!` text without its marks.
pub(super) fn doc_text(doc: &str) -> String {
    let lines = doc.lines().map(|line| {
        let line = line.trim_start();
        let line = line.strip_prefix("//!").unwrap_or(line);
        line.strip_prefix(' ').unwrap_or(line).trim_end()
    });
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// The first sentence of a text, or its first paragraph.
pub(super) fn first_sentence(text: &str) -> String {
    let paragraph = text.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    match paragraph.find(". ") {
        Some(end) => paragraph[..=end].to_owned(),
        None => paragraph,
    }
}
