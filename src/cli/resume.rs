//! `ferry resume`: a run goes on where its journal ends.

use serde_json::Value;

use super::context::{Context, Ending};
use super::journaled::Journaled;
use super::progress::Progress;
use super::reopened::{self, Begun};
use crate::error::Error;
use crate::run::{Event, Options, Status, record::Started};

/// Go on with a run where its journal ends
///
/// Cloud, scripts and parameters are those that the run began with. A run that is done says so.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run's id, the beginning of one, or `last`
    #[arg(value_name = "RUN")]
    run: String,
    /// Go on although this item is otherwise than planned: its step or its target (may repeat)
    #[arg(
        long,
        value_name = "ITEM",
        env = "FERRY_ACCEPT_DRIFT",
        hide_env = true,
        value_delimiter = '\n'
    )]
    accept_drift: Vec<String>,
}

/// Runs `ferry resume`.
///
/// # Errors
/// Whatever keeps the run from going on; what stops it later is told, and ends as [`Ending::Told`].
pub fn run(args: &Args, context: &Context<'_>) -> Result<Ending, Error> {
    go_on(args, context).inspect_err(|error| reopened::refused(context, error))
}

fn go_on(args: &Args, context: &Context<'_>) -> Result<Ending, Error> {
    if context.global.plan {
        return Err(
            Error::refused("plan-of-a-run", "a run that has begun has no plan any more")
                .untouched("nothing was sent")
                .next(format!("ferry show {}", args.run)),
        );
    }
    let begun = Begun::read(context, &args.run)?;
    if reopened::is_over(&begun.status) {
        return Ok(over(context, &begun.run, &begun.status));
    }
    if begun.ledger.rolling_back {
        let run = &begun.run;
        return Err(Error::failed(
            "rolling-back",
            format!("the run {run} was not resumed: it is being rolled back"),
        )
        .untouched("nothing was sent")
        .next(format!("ferry rollback {run}      takes back what is left of it")));
    }
    if begun.ledger.plan.is_none() && !args.accept_drift.is_empty() {
        let run = &begun.run;
        return Err(Error::refused(
            "no-plan",
            format!("the run {run} is held to no plan, so nothing in it can be otherwise than planned"),
        )
        .untouched("nothing was sent")
        .next(format!("ferry resume {run}")));
    }
    let host = context.host_with(&scripts(context, &begun.started)?)?;
    let progress = Progress::new(&context.ui, context.ui.json(), Vec::new());
    let options = Options {
        accept_drift: args.accept_drift.clone(),
        ..context.session_options()
    };
    let opened = begun.open(context, options, &progress)?;
    // Shared state may have waited for somebody who has brought the run to its end meanwhile.
    let status = reopened::status(&*begun.store, &begun.run)?;
    if reopened::is_over(&status) {
        return Ok(over(context, &begun.run, &status));
    }
    let session = opened.session.clone();
    let runbook = begun.runbook(context, &host, &session)?;
    let plan = begun.ledger.plan.as_ref();
    if let Some(plan) = plan.filter(|_| context.global.with_current_scripts) {
        plan.insist_on_scripts(&host.used_scripts(&host.runbook(&begun.started.runbook)?)?)?;
    }
    session.finish(Status::Running, None)?;
    session.tell(&Event::Run {
        run: Some(begun.run.clone()),
        runbook: runbook.name.clone(),
        resumed: true,
        params: begun.started.params.clone(),
    });
    Journaled {
        context,
        host: &host,
        runbook: &runbook,
        params: &begun.params(),
        store: &*begun.store,
        progress,
        session,
    }
    .finish(&opened.handle)
}

/// The directories of scripts that the run began with. Options may repeat them; with `--with-current-scripts` they may
/// name others.
pub fn scripts(context: &Context<'_>, started: &Started) -> Result<Vec<String>, Error> {
    let kept: Vec<String> = started
        .cloud
        .get("scripts")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|text| text.as_str().map(str::to_owned))
        .collect();
    let given = context.scripts();
    if context.global.with_current_scripts {
        return Ok(if given.is_empty() { kept } else { given });
    }
    if given.is_empty() || given == kept {
        // The journal has all scripts, so a directory may have gone.
        let there = |dir: &String| dir == "none" || std::path::Path::new(dir).is_dir();
        return Ok(kept.into_iter().filter(there).collect());
    }
    Err(Error::refused(
        "other-scripts",
        "the run began with other directories of scripts than --scripts names",
    )
    .untouched("nothing was sent")
    .next("leave --scripts away: a run goes on with the scripts that it began with")
    .next("or say so on purpose: --with-current-scripts"))
}

fn over(context: &Context<'_>, run: &str, status: &str) -> Ending {
    if context.ui.json() {
        let progress = Progress::new(&context.ui, true, Vec::new());
        progress.set_run(run);
        progress.result(status, 0, &Value::Null);
    } else {
        let word = if status == "done" { "is done" } else { "was rolled back" };
        context
            .ui
            .print(&format!("run {run} {word}; there is nothing to resume"));
        context
            .ui
            .print(&format!("next     {}", context.command(&format!("show {run}"))));
    }
    Ending::Done
}
