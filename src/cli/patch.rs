//! The patch that turns the old identity's names in files: printed with a plan, or written for a run.
//!
//! It is made of the files as they are now. They are looked through again, since no journal has their lines.

use std::path::Path;

use super::context::{Context, quoted};
use super::plan_file::private;
use crate::error::Error;
use crate::report::{Run, Scan};
use crate::scan::{self, Patch};

/// The patch of what a look through files was for, as the files are now.
pub fn of(scan: &Scan) -> Patch {
    scan::look(&scan.paths, &scan.names, &|| true).patch()
}

/// A patch under its heading, as it ends a plan, and what it leaves.
pub fn section(patch: &Patch) -> String {
    let mut text = String::new();
    if patch.turned > 0 {
        let directory = quoted(&patch.directory.display().to_string());
        text = format!(
            "\npatch  ({}; take it with `git apply` or `patch -p1` in {directory})\n{}",
            turned(patch),
            patch.text
        );
    }
    for line in left(patch) {
        text.push_str(&format!("\n{line}"));
    }
    text.trim_end_matches('\n').to_owned()
}

fn turned(patch: &Patch) -> String {
    format!("{} in {}", amount(patch.turned, "place"), amount(patch.files, "file"))
}

/// What a patch leaves, in lines.
fn left(patch: &Patch) -> Vec<String> {
    let mut lines = Vec::new();
    if patch.later > 0 {
        let places = amount(patch.later, "place");
        lines.push(format!(
            "after the move  {places} of ids that only Azure can give: ferry report RUN --patch FILE"
        ));
    }
    if patch.by_hand > 0 {
        lines.push(format!("by hand         {}", amount(patch.by_hand, "place")));
    }
    if patch.doubts > 0 {
        lines.push(format!(
            "to look at      {} that may mean it",
            amount(patch.doubts, "place")
        ));
    }
    lines
}

fn amount(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Writes the patch of a run to a file that only the user may read, or to stdout, and says what it leaves.
///
/// # Errors
/// `no-scan` where the run has none; `file-unwritable`.
pub fn write(context: &Context<'_>, run: &Run, out: &Path) -> Result<(), Error> {
    let scan = run
        .scan()
        .filter(|scan| scan.names.new.is_some() && run.status != "rolled-back");
    let Some(scan) = scan else {
        return Err(Error::refused(
            "no-scan",
            format!("the run {} has no patch: {}", run.run, why_none(run)),
        )
        .untouched("everything")
        .next("ferry plan relocate … scan=PATH      shows the patch of a relocation"));
    };
    let patch = of(&scan);
    if out == Path::new("-") {
        if !patch.text.is_empty() {
            context.ui.print(patch.text.trim_end_matches('\n'));
        }
    } else {
        private(out, patch.text.as_bytes()).map_err(|error| {
            Error::failed("file-unwritable", format!("{} was not written: {error}", out.display()))
                .untouched("the run, and the files that it looked through")
                .next("choose a file that can be written, or --patch -")
        })?;
        let directory = quoted(&patch.directory.display().to_string());
        context.ui.tell(&format!(
            "{} is written: {}; take it with `git apply` or `patch -p1` in {directory}",
            out.display(),
            turned(&patch)
        ));
    }
    for line in left(&patch) {
        context
            .ui
            .tell(&line.replace("ferry report RUN", &format!("ferry report {}", run.run)));
    }
    Ok(())
}

fn why_none(run: &Run) -> &'static str {
    match run.scan() {
        None => "it looked through no files",
        Some(_) if run.status == "rolled-back" => "it was rolled back",
        Some(_) => "it knows of no new identity",
    }
}
