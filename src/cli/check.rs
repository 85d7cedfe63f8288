//! `ferry check`: do scripts load, and do they have what their kind must have?

use std::path::{Path, PathBuf};

use super::context::{Context, Ending};
use super::ui::Tone;
use crate::error::Error;
use crate::host::Checked;

/// Look into scripts without running them
///
/// Without a path: all that this host would use. A directory stands for the scripts in it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files or directories
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// Runs `ferry check`.
///
/// # Errors
/// `unknown-script` for a path that is not there; `scripts-wrong`, refused, when something is wrong in one.
pub fn run(args: &Args, context: &Context<'_>) -> Result<Ending, Error> {
    let host = context.host()?;
    let mut all = Vec::new();
    if args.paths.is_empty() {
        all = host.check(None)?;
    }
    for path in &args.paths {
        for file in scripts_at(path)? {
            all.extend(host.check(Some(&file))?);
        }
    }
    let wrong = all.iter().filter(|checked| !checked.is_fine()).count();
    if context.ui.json() {
        context.ui.print_json(&all);
    } else {
        for checked in &all {
            tell(context, checked);
        }
    }
    if wrong == 0 {
        return Ok(Ending::Done);
    }
    Err(Error::refused(
        "scripts-wrong",
        format!("{wrong} of {} script(s) would not run", all.len()),
    )
    .untouched("everything: nothing was run")
    .next("mend what stands above"))
}

/// The scripts at a path: the file itself, or those of a directory and the directories in it, in order.
///
/// # Errors
/// `unknown-script` where nothing is there.
pub fn scripts_at(path: &Path) -> Result<Vec<PathBuf>, Error> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let unreadable = |error: std::io::Error| {
        Error::refused("script-unreadable", format!("{} was not read: {error}", path.display()))
    };
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> = std::fs::read_dir(path)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(unreadable)?;
    entries.sort();
    for entry in entries {
        // A link may lead around in a circle.
        if entry.is_dir() && !entry.is_symlink() {
            found.extend(scripts_at(&entry)?);
        } else if entry.extension().is_some_and(|end| end == "rhai") {
            found.push(entry);
        }
    }
    Ok(found)
}

fn tell(context: &Context<'_>, checked: &Checked) {
    let ui = &context.ui;
    if checked.is_fine() {
        ui.print(&format!("{} {}", ui.result_tone(Tone::Good, "ok   "), checked.file));
        return;
    }
    ui.print(&format!("{} {}", ui.result_tone(Tone::Bad, "wrong"), checked.file));
    if let Some(error) = &checked.error {
        context.fail(error);
    }
    for problem in &checked.problems {
        ui.print(&format!("      {problem}"));
    }
}
