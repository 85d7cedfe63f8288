//! `ferry report`: a run as a page, for tickets, wikis and auditors.

use std::path::PathBuf;

use super::context::{Context, Ending};
use super::{journaled, patch};
use crate::error::Error;
use crate::report;

/// Show a run as a page: what it was, what it changed, what was found, who approved it
///
/// Markdown, unless something else is asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run's id, the beginning of one, or `last`
    #[arg(value_name = "RUN")]
    run: String,
    /// Write a page for browsers, whole in one file
    #[arg(long, value_name = "FILE", env = "FERRY_HTML", hide_env = true)]
    html: Option<PathBuf>,
    /// Print the dependency map as a Mermaid flowchart
    #[arg(long)]
    mermaid: bool,
    /// Print the page in Markdown
    #[arg(long)]
    markdown: bool,
    /// Write a patch that turns the old identity's names in the files of scan=, as they are now; `-` is stdout
    #[arg(long, value_name = "FILE", env = "FERRY_PATCH", hide_env = true)]
    patch: Option<PathBuf>,
}

/// Runs `ferry report`.
///
/// # Errors
/// `no-map` for a flowchart of a run that made none; `no-scan` for a patch; `file-unwritable`; those of the store.
pub fn run(args: &Args, context: &Context<'_>) -> Result<Ending, Error> {
    let store = context.store()?;
    let run = journaled::load(&*store, &store.resolve(&args.run)?)?;
    if let Some(out) = &args.patch {
        patch::write(context, &run, out)?;
        return Ok(Ending::Done);
    }
    if context.ui.json() {
        context.ui.print_json(&report::json::run(&run));
        return Ok(Ending::Done);
    }
    if let Some(path) = &args.html {
        std::fs::write(path, report::html::run(&run)).map_err(|error| {
            Error::failed(
                "file-unwritable",
                format!("{} was not written: {error}", path.display()),
            )
            .untouched("the run")
            .next("choose a file that can be written")
        })?;
        context.ui.tell(&format!("{} is written", path.display()));
    }
    if args.mermaid {
        let map = run.map().ok_or_else(|| {
            Error::refused("no-map", format!("the run {} has made no dependency map", run.run))
                .untouched("everything")
                .next(format!("ferry report {}      has the rest of it", run.run))
        })?;
        context
            .ui
            .print(report::mermaid::map(&report::Map::read(map)).trim_end());
    }
    if args.markdown || (args.html.is_none() && !args.mermaid) {
        context.ui.print(report::markdown::run(&run).trim_end());
    }
    Ok(Ending::Done)
}
