//! `ferry plan`: what a run would do, in order, with nothing written.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use super::args::Runbook;
use super::context::{Context, Ending};
use super::journaled;
use super::patch;
use super::plan_file::{self, Made};
use super::progress::Progress;
use super::target::Place;
use crate::error::Error;
use crate::host::RunOutcome;
use crate::report::{self, Plan};
use crate::run::{Options, Session};

/// Show every change that a run would make, in order; write nothing
///
/// Reads are made as in a run, and see what the planned changes would have done. The same as `ferry run --plan`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    what: Runbook,

    /// Write the plan to this file, for `ferry run --plan-file FILE`
    #[arg(long, value_name = "FILE", env = "FERRY_OUT", hide_env = true)]
    out: Option<PathBuf>,

    #[command(flatten)]
    choice: Choice,
}

/// What is left out of a plan or a run.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Choice {
    /// Leave this grant or binding on the old identity, which is then kept: its step, the end of it, or its resource (may
    /// repeat)
    #[arg(
        long,
        value_name = "ITEM",
        env = "FERRY_LEAVE_OUT",
        hide_env = true,
        value_delimiter = '\n'
    )]
    pub leave_out: Vec<String>,
}

/// Runs `ferry plan`.
///
/// # Errors
/// As [`plan`].
pub fn run(args: &Args, context: &Context<'_>) -> Result<Ending, Error> {
    plan(&args.what, &args.choice, args.out.as_deref(), context)
        .map_err(|error| error.or_untouched("everything: a plan sends no write"))
}

/// Plans a runbook, prints the plan, and writes it to a file where one is named.
///
/// # Errors
/// Whatever keeps it from being planned to its end; `file-unwritable`.
pub fn plan(
    what: &Runbook,
    choice: &Choice,
    out: Option<&std::path::Path>,
    context: &Context<'_>,
) -> Result<Ending, Error> {
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
    let target = context.target(place.clone())?;
    target.start(&handle, None)?;
    // The plan is printed whole at its end: as one object with --json, so no event is printed.
    let progress = Progress::new(&context.ui, false, Vec::new());
    let observer = if context.ui.json() {
        crate::run::nobody()
    } else {
        progress.observer()
    };
    let options = Options {
        leave_out: choice.leave_out.clone(),
        ..context.session_options()
    };
    let session = Session::plan(handle.clone(), target.connect(), options, observer);
    journaled::stop_on_signals(&handle, &session.cancel());
    let outcome = host.run(&runbook, &params, &session);
    progress.end();
    match outcome {
        Ok(outcome) => {
            let plan = print(context, &runbook.name, &session, &outcome);
            if let Some(out) = out {
                let made = Made {
                    name: &super::subject::runbook_name(&what.runbook, &runbook),
                    place: &place,
                    params: &params,
                    plan,
                    until: outcome.stopped_after.clone(),
                    leave_out: choice.leave_out.clone(),
                };
                plan_file::write(context, &host, &session, made, out)?;
            }
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

fn print(context: &Context<'_>, runbook: &str, session: &Arc<Session>, outcome: &RunOutcome) -> Plan {
    let results = if outcome.results.is_empty() {
        outcome.value.clone()
    } else {
        Value::Object(outcome.results.clone())
    };
    let mut plan = made(session, &results);
    let patch = plan.scan.as_ref().map(patch::of);
    plan.patch = patch.as_ref().map(|patch| patch.text.clone());
    if context.ui.json() {
        context.ui.print_json(&report::json::plan(&plan));
    } else {
        context.ui.print(&report::text::plan(&plan, runbook));
        if let Some(section) = patch
            .map(|patch| patch::section(&patch))
            .filter(|text| !text.is_empty())
        {
            context.ui.print(&section);
        }
    }
    plan
}

fn made(session: &Session, results: &Value) -> Plan {
    let (findings, unseen) = session.ledger(|ledger| (ledger.findings.clone(), ledger.unseen.clone()));
    Plan::new(session.planned(), findings, unseen, results)
}
