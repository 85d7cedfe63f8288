//! Finds scripts: the journal's snapshot, then `--scripts`, the project, the user's directory, the embedded ones.
//!
//! A script has a key, which is its name in messages and journals: `stdlib/permissions/key_vault.rhai`,
//! `runbooks/relocate.rhai`, or the path of a file that was given by path.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use etcetera::BaseStrategy as _;
use include_dir::{Dir, include_dir};
use sha2::{Digest as _, Sha256};

use super::fence;
use crate::error::Error;
use crate::ops::nearest;
use crate::run::{KeptScript, UsedScript};
use crate::types::json::hex;

static STDLIB: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/stdlib");
static RUNBOOKS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/runbooks");

/// Where scripts are looked for before the embedded ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scripts {
    /// The directories of `--scripts`, first one first.
    pub dirs: Vec<PathBuf>,
    /// Whether `./stdlib` and the user's directory are ignored (`--scripts none`).
    pub ignore: bool,
}

impl Scripts {
    /// From the values of `--scripts`, as they were typed.
    pub fn from_options<S: AsRef<str>>(values: &[S]) -> Self {
        let words = || values.iter().map(AsRef::as_ref);
        Self {
            dirs: words().filter(|word| *word != "none").map(PathBuf::from).collect(),
            ignore: words().any(|word| word == "none"),
        }
    }

    /// The embedded scripts and nothing else.
    pub fn embedded() -> Self {
        Self {
            dirs: Vec::new(),
            ignore: true,
        }
    }
}

/// The text of a script, and where it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// Its name in messages and journals.
    pub key: String,
    /// The file that it was read from; nothing for one that is embedded or comes out of a journal.
    pub path: Option<PathBuf>,
    /// Its text.
    pub text: Arc<str>,
    /// SHA-256 of the text, lower-case hex.
    pub digest: String,
    /// Whether the text is that of an embedded script, wherever it was read from.
    pub embedded: bool,
}

impl Script {
    /// As a plan is bound to it.
    pub fn used(&self) -> UsedScript {
        let file = self.path.as_ref().map(|path| path.display().to_string());
        UsedScript {
            key: self.key.clone(),
            origin: file.unwrap_or_else(|| "embedded".to_owned()),
            digest: self.digest.clone(),
        }
    }
}

/// A script that is not embedded.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Foreign {
    /// Its name in messages and journals.
    pub key: String,
    /// Its file.
    pub path: String,
    /// SHA-256 of its text.
    pub digest: String,
}

/// Finds scripts by key.
#[derive(Debug, Default)]
pub struct Loader {
    scripts: Scripts,
    /// Directories that hold `permissions/`, `bindings/`, …, first one first.
    roots: Vec<PathBuf>,
    snapshot: BTreeMap<String, KeptScript>,
    /// Keys that stand for a file given by path, or imported by one.
    files: Mutex<BTreeMap<String, Pinned>>,
}

/// A file that a key stands for.
#[derive(Debug, Clone)]
struct Pinned {
    path: PathBuf,
    /// The directory that its imports may not leave.
    home: PathBuf,
    /// Whether the operator named it; else a script did.
    given: bool,
}

impl Loader {
    /// A loader over these directories.
    ///
    /// # Errors
    /// `no-such-directory` for a directory of `--scripts` that is not there.
    pub fn new(scripts: Scripts) -> Result<Self, Error> {
        let mut roots = Vec::new();
        for dir in &scripts.dirs {
            if !dir.is_dir() {
                return Err(Error::refused(
                    "no-such-directory",
                    format!("--scripts {} is no directory", dir.display()),
                )
                .next("name a directory with permissions/, bindings/ or runbooks/ in it"));
            }
            roots.push(dir.clone());
            roots.push(dir.join("stdlib"));
        }
        if !scripts.ignore {
            roots.push(PathBuf::from("stdlib"));
            if let Ok(strategy) = etcetera::choose_base_strategy() {
                roots.push(strategy.config_dir().join("ferry").join("stdlib"));
            }
        }
        Ok(Self {
            scripts,
            roots,
            ..Self::default()
        })
    }

    /// The same places, with the scripts of a journal before everything.
    #[must_use]
    pub fn with_snapshot(&self, snapshot: BTreeMap<String, KeptScript>) -> Self {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Self {
            scripts: self.scripts.clone(),
            roots: self.roots.clone(),
            snapshot,
            files: Mutex::new(files),
        }
    }

    /// Makes a file that the operator named known under its path, and answers the key that it then has.
    pub fn pin_file(&self, path: &Path) -> String {
        let key = path.to_string_lossy().replace('\\', "/");
        let key = key.strip_prefix("./").unwrap_or(&key).to_owned();
        self.pin(&key, path);
        key
    }

    /// Makes a key stand for a file that the operator named.
    pub fn pin(&self, key: &str, path: &Path) {
        let pinned = Pinned {
            path: path.to_owned(),
            home: fence::home(path),
            given: true,
        };
        self.files
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key.to_owned(), pinned);
    }

    fn pinned(&self, key: &str) -> Option<Pinned> {
        self.files
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)
            .cloned()
    }

    /// The key of a runbook that was given by name or by path.
    ///
    /// # Errors
    /// `unknown-runbook`, with the nearest known one.
    pub fn runbook(&self, name: &str) -> Result<String, Error> {
        if self.snapshot.contains_key(name) {
            return Ok(name.to_owned());
        }
        // A shipped runbook by its key, as journals name it.
        if name.starts_with("runbooks/") && !Path::new(name).is_file() && self.candidates(name).next().is_some() {
            return Ok(name.to_owned());
        }
        let looks_like_path = is_script(name) || name.contains(['/', '\\']);
        if looks_like_path {
            let path = Path::new(name);
            if path.is_file() {
                return Ok(self.pin_file(path));
            }
            return Err(Error::refused("unknown-runbook", format!("there is no file {name}"))
                .next("ferry list      shows the shipped runbooks"));
        }
        let key = format!("runbooks/{name}.rhai");
        if self.candidates(&key).next().is_some() {
            return Ok(key);
        }
        let known = self.names("runbooks");
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let mut error = Error::refused("unknown-runbook", format!("there is no runbook \"{name}\""));
        error
            .next
            .extend(nearest(name, &known).map(|near| format!("did you mean \"{near}\"?")));
        Err(error.next("ferry list      shows all of them; a file is given by its path, as ./my.rhai"))
    }

    /// Reads a script.
    ///
    /// # Errors
    /// `unknown-script`, `script-unreadable`, `script-outside`.
    pub fn read(&self, key: &str) -> Result<Script, Error> {
        if let Some(kept) = self.snapshot.get(key) {
            return Ok(script(key, None, &kept.text));
        }
        match self.candidates(key).next() {
            Some(Source::File { path, home }) => {
                if let Some(home) = home {
                    fence::check(&path, &home)?;
                }
                let text = std::fs::read_to_string(&path).map_err(|error| {
                    Error::refused("script-unreadable", format!("{} was not read: {error}", path.display()))
                })?;
                Ok(script(key, Some(path), &text))
            }
            Some(Source::Embedded(text)) => Ok(script(key, None, text)),
            None => {
                let known = self.keys();
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                let mut error = Error::refused("unknown-script", format!("there is no script {key}"));
                error
                    .next
                    .extend(nearest(key, &known).map(|near| format!("did you mean {near}?")));
                Err(error)
            }
        }
    }

    /// Whether there is a script with this key.
    pub fn has(&self, key: &str) -> bool {
        self.snapshot.contains_key(key) || self.candidates(key).next().is_some()
    }

    /// The key that `import "path"` means in the script `importer`.
    pub fn resolve(&self, importer: &str, path: &str) -> String {
        let file = if is_script(path) {
            path.to_owned()
        } else {
            format!("{path}.rhai")
        };
        if path.starts_with("./") || path.starts_with("../") {
            return self.beside(importer, &file);
        }
        if is_shipped(&file) {
            return file;
        }
        let shared = format!("stdlib/{file}");
        // What a journal keeps that is not shipped was a file once, which may not be there any more.
        let is_file =
            self.pinned(importer).is_some() || (self.snapshot.contains_key(importer) && !is_shipped(importer));
        if self.has(&shared) || !is_file {
            shared
        } else {
            self.beside(importer, &file)
        }
    }

    /// A path relative to the importing script; what is beside a file is a file too.
    fn beside(&self, importer: &str, file: &str) -> String {
        let mut segments: Vec<&str> = importer.split('/').collect();
        segments.pop();
        for segment in file.split('/') {
            match segment {
                "." | "" => {}
                ".." if segments.last().is_some_and(|last| *last != "..") => drop(segments.pop()),
                other => segments.push(other),
            }
        }
        let key = segments.join("/");
        if let Some(importer) = self.pinned(importer)
            && let Some(directory) = importer.path.parent()
        {
            let path = directory.join(file);
            if path.is_file() {
                let pinned = Pinned {
                    path,
                    home: importer.home,
                    given: false,
                };
                let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
                files.entry(key.clone()).or_insert(pinned);
            }
        }
        key
    }

    /// The stems of the scripts of a folder: `stdlib/permissions`, `runbooks`.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let stem = |name: &str| {
            name.strip_suffix(".rhai")
                .filter(|stem| !stem.contains('/'))
                .map(str::to_owned)
        };
        let inside = format!("{folder}/");
        let kept: BTreeSet<String> = self
            .snapshot
            .keys()
            .filter_map(|key| stem(key.strip_prefix(&inside)?))
            .collect();
        if !kept.is_empty() {
            // A resumed run goes on with the files that it began with.
            return kept.into_iter().collect();
        }
        let mut names = BTreeSet::new();
        for directory in self.directories(folder) {
            for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
                if entry.path().is_file() {
                    names.extend(entry.file_name().to_str().and_then(stem));
                }
            }
        }
        names.extend(embedded_keys().filter_map(|key| stem(key.strip_prefix(&inside)?)));
        names.into_iter().collect()
    }

    /// The keys of all scripts, in order.
    pub fn keys(&self) -> Vec<String> {
        let mut folders: BTreeSet<String> = [
            "stdlib",
            "stdlib/permissions",
            "stdlib/bindings",
            "stdlib/tests",
            "runbooks",
        ]
        .map(str::to_owned)
        .into();
        folders.extend(embedded_keys().filter_map(|key| Some(key.rsplit_once('/')?.0.to_owned())));
        for root in &self.roots {
            for entry in std::fs::read_dir(root).into_iter().flatten().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if entry.path().is_dir() && !["runbooks", "stdlib"].contains(&name.as_str()) {
                    folders.insert(format!("stdlib/{name}"));
                }
            }
        }
        let keys = folders.iter().flat_map(|folder| {
            self.names(folder)
                .into_iter()
                .map(move |name| format!("{folder}/{name}.rhai"))
        });
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        keys.chain(files.keys().cloned())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    }

    /// Every script that is not embedded, with its file and digest.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn foreign(&self) -> Result<Vec<Foreign>, Error> {
        let mut foreign = Vec::new();
        for key in self.keys() {
            let script = self.read(&key)?;
            if !script.embedded {
                let kept = self.snapshot.get(&key).map(|kept| kept.origin.clone());
                let path = script
                    .path
                    .map(|path| path.display().to_string())
                    .or(kept)
                    .unwrap_or_default();
                foreign.push(Foreign {
                    key,
                    path,
                    digest: script.digest,
                });
            }
        }
        Ok(foreign)
    }

    fn directories(&self, folder: &str) -> Vec<PathBuf> {
        match folder.strip_prefix("stdlib") {
            Some(rest) => self
                .roots
                .iter()
                .map(|root| root.join(rest.trim_start_matches('/')))
                .collect(),
            None => self.scripts.dirs.iter().map(|dir| dir.join(folder)).collect(),
        }
    }

    /// Where the script may be read from, best first.
    fn candidates(&self, key: &str) -> impl Iterator<Item = Source> {
        let pinned = self.pinned(key).map(|pinned| Source::File {
            home: (!pinned.given).then_some(pinned.home),
            path: pinned.path,
        });
        let (folder, file) = key.rsplit_once('/').unwrap_or(("", key));
        let shipped = (folder == "runbooks" || folder.split('/').next() == Some("stdlib"))
            && !folder.split('/').any(|segment| segment == "..");
        let overrides: Vec<Source> = if shipped {
            let homes = match folder.strip_prefix("stdlib") {
                Some(_) => &self.roots,
                None => &self.scripts.dirs,
            };
            let places = self.directories(folder).into_iter().zip(homes);
            places
                .map(|(dir, home)| Source::File {
                    path: dir.join(file),
                    home: Some(home.clone()),
                })
                .collect()
        } else {
            Vec::new()
        };
        pinned
            .into_iter()
            .chain(overrides)
            .filter(|source| matches!(source, Source::File { path, .. } if path.is_file()))
            .chain(embedded(key).map(Source::Embedded))
    }
}

/// Whether a key is that of a script that ships with ferry, or takes the place of one.
fn is_shipped(key: &str) -> bool {
    key.starts_with("stdlib/") || key.starts_with("runbooks/")
}

/// Whether a path is that of a script: its extension is `rhai`, in this spelling.
fn is_script(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "rhai")
}

enum Source {
    /// A file, and the directory that it must lie in; none for one that the operator named.
    File {
        path: PathBuf,
        home: Option<PathBuf>,
    },
    Embedded(&'static str),
}

fn script(key: &str, path: Option<PathBuf>, text: &str) -> Script {
    Script {
        key: key.to_owned(),
        path,
        text: text.into(),
        digest: hex(&Sha256::digest(text.as_bytes())),
        embedded: embedded(key) == Some(text),
    }
}

/// The text of the embedded script with this key.
pub fn embedded(key: &str) -> Option<&'static str> {
    let file = match key.split_once('/')? {
        ("stdlib", rest) => STDLIB.get_file(rest),
        ("runbooks", rest) => RUNBOOKS.get_file(rest),
        _ => None,
    };
    file.and_then(|file| file.contents_utf8())
}

/// The keys of all embedded scripts.
fn embedded_keys() -> impl Iterator<Item = String> {
    fn walk(prefix: &str, dir: &Dir<'static>, keys: &mut Vec<String>) {
        for file in dir.files() {
            let path = file.path().to_string_lossy().replace('\\', "/");
            if is_script(&path) {
                keys.push(format!("{prefix}/{path}"));
            }
        }
        for dir in dir.dirs() {
            walk(prefix, dir, keys);
        }
    }
    let mut keys = Vec::new();
    walk("stdlib", &STDLIB, &mut keys);
    walk("runbooks", &RUNBOOKS, &mut keys);
    keys.into_iter()
}
