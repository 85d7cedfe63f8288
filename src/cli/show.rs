//! `ferry show`: a run as its journal tells it.

use super::context::{Context, Ending};
use super::journaled;
use crate::error::Error;
use crate::report;

/// Show a run: how it stands, every change, what was found, what a person must do
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run's id, the beginning of one, or `last`
    #[arg(value_name = "RUN")]
    run: String,
}

/// Runs `ferry show`.
///
/// # Errors
/// Those of the store.
pub fn run(args: &Args, context: &Context<'_>) -> Result<Ending, Error> {
    let store = context.store()?;
    let run = journaled::load(&*store, &store.resolve(&args.run)?)?;
    if context.ui.json() {
        context.ui.print_json(&report::json::run(&run));
    } else {
        context.ui.print(&report::text::run(&run));
    }
    Ok(Ending::Done)
}
