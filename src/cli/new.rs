//! `ferry new`: a script that works, to begin with.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::context::{Context, Ending};
use crate::error::Error;

/// Write a script to begin with, its test, and an estate for the test
///
/// What is written works: `ferry test` passes, and then you make it yours.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What it is to be
    #[arg(value_name = "KIND")]
    kind: ScriptKind,
    /// Its name: small letters, digits, `_` and `-`
    #[arg(value_name = "NAME")]
    name: String,
}

/// What can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScriptKind {
    /// A permission source: `stdlib/permissions/NAME.rhai`
    Permission,
    /// A binding finder: `stdlib/bindings/NAME.rhai`
    Binding,
    /// A runbook: `NAME.rhai`
    Runbook,
}

/// Runs `ferry new`.
///
/// # Errors
/// `name-invalid`; `file-exists`; `file-unwritable`.
pub fn run(args: &Args, context: &Context<'_>) -> Result<Ending, Error> {
    let name = args.name.as_str();
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(good) {
        return Err(Error::refused(
            "name-invalid",
            format!("\"{name}\" cannot be a script's name: small letters, digits, _ and -, beginning with a letter"),
        )
        .untouched("nothing was written"));
    }
    let files = match args.kind {
        ScriptKind::Permission => source("permissions", name, include_str!("templates/permission.rhai"), TESTS.0),
        ScriptKind::Binding => source("bindings", name, include_str!("templates/binding.rhai"), TESTS.1),
        ScriptKind::Runbook => vec![(
            format!("{name}.rhai"),
            include_str!("templates/runbook.rhai").to_owned(),
        )],
    };
    if let Some((path, _)) = files.iter().find(|(path, _)| Path::new(path).exists()) {
        return Err(exists(Path::new(path)));
    }
    for (path, text) in &files {
        write_new(Path::new(path), text)?;
        context.ui.print(path);
    }
    let next = if args.kind == ScriptKind::Runbook {
        format!("run ./{name}.rhai --sim")
    } else {
        "test".to_owned()
    };
    context.ui.tell(&format!("next     {}", context.command(&next)));
    Ok(Ending::Done)
}

const TESTS: (&str, &str) = (
    include_str!("templates/permission_test.rhai"),
    include_str!("templates/binding_test.rhai"),
);

/// The files of a source or finder: itself, its test, and the estate that the test runs on.
fn source(kind: &str, name: &str, script: &str, test: &str) -> Vec<(String, String)> {
    let named = |text: &str| text.replace("NAME", name);
    vec![
        (format!("stdlib/{kind}/{name}.rhai"), named(script)),
        (format!("stdlib/tests/{name}.rhai"), named(test)),
        (
            format!("stdlib/tests/{name}.json"),
            include_str!("templates/estate.json").to_owned(),
        ),
    ]
}

/// Writes a file that must not be there yet, and the directories that it stands in.
///
/// # Errors
/// `file-exists`, `file-unwritable`.
pub fn write_new(path: &Path, text: &str) -> Result<(), Error> {
    let parent = path.parent().map(PathBuf::from).unwrap_or_default();
    let written = if parent.as_os_str().is_empty() {
        Ok(())
    } else {
        std::fs::create_dir_all(&parent)
    }
    .and_then(|()| std::fs::File::create_new(path))
    .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            return exists(path);
        }
        Error::failed(
            "file-unwritable",
            format!("{} was not written: {error}", path.display()),
        )
        .untouched("files that were written before this one stay")
        .next("choose a directory that can be written")
    })
}

fn exists(path: &Path) -> Error {
    Error::refused("file-exists", format!("{} is there already", path.display()))
        .untouched("the file, and everything else: nothing was written")
        .next("choose another name, or move the file away")
}
