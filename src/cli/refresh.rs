//! `ferry refresh`: what has come since a run began is taken into its plan.

use serde_json::{Value, json};

use super::context::{Context, Ending};
use super::journaled::stop_on_signals;
use super::progress::Progress;
use super::reopened::{self, Begun, Opened};
use super::resume;
use crate::error::Error;
use crate::host::Host;
use crate::report::{self, Delta};
use crate::run::Event;

/// Take into an unfinished run what has come since it began: new grants, new users, new trust
///
/// The map is made anew from fresh reads and nothing is written to Azure. `ferry resume` then moves what is new, verifies
/// all of it, and asks for approval again, since what was approved was less.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run's id, the beginning of one, or `last`
    #[arg(value_name = "RUN")]
    run: String,
}

/// Runs `ferry refresh`.
///
/// # Errors
/// `nothing-to-refresh` for a run that is over or has no map yet; `not-refreshable`; those of the store and of Azure.
pub fn run(args: &Args, context: &Context<'_>) -> Result<Ending, Error> {
    take_in(args, context)
        .map_err(|error| error.or_untouched("the run's plan, and everything in Azure"))
        .inspect_err(|error| reopened::refused(context, error))
}

fn take_in(args: &Args, context: &Context<'_>) -> Result<Ending, Error> {
    let begun = Begun::read(context, &args.run)?;
    if reopened::is_over(&begun.status) {
        return Err(Error::refused(
            "nothing-to-refresh",
            format!("the run {} is over: it is {}", begun.run, begun.status),
        )
        .untouched("the journal; nothing was sent"));
    }
    let host = context.host_with(&resume::scripts(context, &begun.started)?)?;
    let progress = Progress::new(&context.ui, context.ui.json(), Vec::new());
    let opened = begun.open(context, context.session_options(), &progress)?;
    let outcome = refresh(&begun, context, &host, &opened);
    progress.end();
    let delta = outcome?;
    let next = context.command(&format!("resume {}", begun.run));
    if context.ui.json() {
        progress.result("refreshed", 0, &json!(delta));
    } else {
        context.ui.print(&report::text::delta(&delta));
        context.ui.print(&format!("next     {next}"));
    }
    Ok(Ending::Done)
}

fn refresh(begun: &Begun, context: &Context<'_>, host: &Host, opened: &Opened) -> Result<Delta, Error> {
    let session = &opened.session;
    let runbook = begun.runbook(context, host, session)?;
    session.tell(&Event::Run {
        run: Some(begun.run.clone()),
        runbook: runbook.name.clone(),
        resumed: true,
        params: begun.started.params.clone(),
    });
    stop_on_signals(&opened.handle, &session.cancel());
    let before = session.results().values().next().cloned().unwrap_or(Value::Null);
    let after = host.refresh(&runbook, &begun.params(), session)?;
    Ok(Delta::between(&before, &after))
}
