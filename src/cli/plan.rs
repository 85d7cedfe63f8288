//! `ferry plan`: what a run would do, in order, with nothing written.

use std::sync::Arc;

use serde_json::Value;

use super::args::Runbook;
use super::context::{Context, Ending};
use super::journaled;
use super::progress::Progress;
use super::target::Place;
use crate::error::Error;
use crate::host::RunOutcome;
use crate::report::{self, Plan};
use crate::run::Session;

/// Show every change that a run would make, in order; write nothing
///
/// Reads are made as in a run, and see what the planned changes would have done. The same as `ferry run --plan`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    what: Runbook,
}

/// Runs `ferry plan`.
///
/// # Errors
/// As [`plan`].
pub fn run(args: &Args, context: &Context<'_>) -> Result<Ending, Error> {
    plan(&args.what, context).map_err(|error| error.or_untouched("everything: a plan sends no write"))
}

/// Plans a runbook and prints the plan.
///
/// # Errors
/// Whatever keeps it from being planned to its end.
pub fn plan(what: &Runbook, context: &Context<'_>) -> Result<Ending, Error> {
    let host = context.host()?;
    let place = Place::from_options(&context.global)?;
    let runbook = host.runbook(&what.runbook)?;
    let demo = place.demo(&runbook.name)?;
    let params = host.params_with(&runbook, &what.params, &demo)?;
    let given_by_demo = journaled::from_demo(&runbook, &what.params, &demo);
    if !given_by_demo.is_empty() {
        context
            .ui
            .say(&format!("from the demo of {place}: {}", given_by_demo.join(" ")));
    }
    let handle = context.handle()?;
    let target = context.target(place)?;
    target.start(&handle, None)?;
    // The plan is printed whole at its end: as one object with --json, so no event is printed.
    let progress = Progress::new(&context.ui, false, Vec::new());
    let observer = if context.ui.json() {
        crate::run::nobody()
    } else {
        progress.observer()
    };
    let session = Session::plan(handle.clone(), target.connect(), context.session_options(), observer);
    journaled::stop_on_signals(&handle, &session.cancel());
    let outcome = host.run(&runbook, &params, &session);
    progress.end();
    match outcome {
        Ok(outcome) => {
            print(context, &runbook.name, &session, &outcome);
            Ok(if outcome.stopped_after.is_some() {
                Ending::Paused
            } else {
                Ending::Done
            })
        }
        // What was planned until then is worth reading; for programs only a whole plan is one.
        Err(error) if !context.ui.json() && !session.planned().is_empty() => {
            context
                .ui
                .print(&report::text::plan(&made(&session, &Value::Null), &runbook.name));
            Err(error)
        }
        Err(error) => Err(error),
    }
}

fn print(context: &Context<'_>, runbook: &str, session: &Arc<Session>, outcome: &RunOutcome) {
    let results = if outcome.results.is_empty() {
        outcome.value.clone()
    } else {
        Value::Object(outcome.results.clone())
    };
    let plan = made(session, &results);
    if context.ui.json() {
        context.ui.print_json(&report::json::plan(&plan));
    } else {
        context.ui.print(&report::text::plan(&plan, runbook));
    }
}

fn made(session: &Session, results: &Value) -> Plan {
    let (findings, unseen) = session.ledger(|ledger| (ledger.findings.clone(), ledger.unseen.clone()));
    Plan::new(session.planned(), findings, unseen, results)
}
