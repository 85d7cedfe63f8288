//! `ferry resume`: a run goes on where its journal ends.

use serde_json::{Value, json};

use super::context::{Context, Ending};
use super::journaled::{Journaled, SIMULATOR, begun};
use super::progress::Progress;
use super::target::Place;
use crate::error::Error;
use crate::host::Params;
use crate::run::{Event, Ledger, Options, Session, Status, record::Started};

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
    go_on(args, context).inspect_err(|error| {
        let progress = Progress::new(&context.ui, context.ui.json(), Vec::new());
        let status = if error.exit_code() == 2 { "refused" } else { "failed" };
        progress.result(status, error.exit_code(), &json!({ "error": context.pasteable(error) }));
    })
}

fn go_on(args: &Args, context: &Context<'_>) -> Result<Ending, Error> {
    if context.global.plan {
        return Err(
            Error::refused("plan-of-a-run", "a run that has begun has no plan any more")
                .untouched("nothing was sent")
                .next(format!("ferry show {}", args.run)),
        );
    }
    let store = context.store()?;
    let run = store.resolve(&args.run)?;
    let status = store
        .runs()?
        .into_iter()
        .find(|known| known.run == run)
        .map(|known| known.status)
        .unwrap_or_default();
    if let "done" | "rolled-back" = status.as_str() {
        return Ok(over(context, &run, &status));
    }
    let ledger = Ledger::from_entries(&run, &store.read(&run)?)?;
    let started = begun(&run, &ledger).map_err(|error| error.next("ferry run RUNBOOK      begins it anew"))?;
    if ledger.rolling_back {
        return Err(Error::failed(
            "rolling-back",
            format!("the run {run} was not resumed: it is being rolled back"),
        )
        .untouched("nothing was sent")
        .next(format!("ferry rollback {run}      takes back what is left of it")));
    }
    if ledger.plan.is_none() && !args.accept_drift.is_empty() {
        return Err(Error::refused(
            "no-plan",
            format!("the run {run} is held to no plan, so nothing in it can be otherwise than planned"),
        )
        .untouched("nothing was sent")
        .next(format!("ferry resume {run}")));
    }
    let place = Place::from_journal(&started.cloud, &context.global)?;
    let host = context.host_with(&scripts(context, &started)?)?;
    let handle = context.handle()?;
    let target = context.target(place.clone())?;

    let journal = store.open(&run)?;
    if place.is_simulated() {
        target.start(&handle, Some(&store.side_directory(&run)?.join(SIMULATOR)))?;
    }
    let progress = Progress::new(&context.ui, context.ui.json(), Vec::new());
    progress.set_run(&run);
    let session = Session::run(
        handle.clone(),
        target.connect(),
        Options {
            accept_drift: args.accept_drift.clone(),
            ..context.session_options()
        },
        progress.observer(),
        journal,
    )?;
    let runbook = host.runbook_kept(&session, &started.runbook)?;
    if let Some(plan) = ledger.plan.as_ref().filter(|_| context.global.with_current_scripts) {
        plan.insist_on_scripts(&host.used_scripts(&host.runbook(&started.runbook)?)?)?;
    }
    let params = params(&started);
    session.finish(Status::Running, None)?;
    session.tell(&Event::Run {
        run: Some(run),
        runbook: runbook.name.clone(),
        resumed: true,
        params: started.params,
    });
    Journaled {
        context,
        host: &host,
        runbook: &runbook,
        params: &params,
        store: &*store,
        progress,
        session,
    }
    .finish(&handle)
}

fn params(started: &Started) -> Params {
    Params {
        values: started.params.as_object().cloned().unwrap_or_default(),
        files: started
            .source_params
            .iter()
            .map(|(file, values)| (file.clone(), values.as_object().cloned().unwrap_or_default()))
            .collect(),
    }
}

/// The directories of scripts that the run began with. Options may repeat them; with `--with-current-scripts` they may
/// name others.
fn scripts(context: &Context<'_>, started: &Started) -> Result<Vec<String>, Error> {
    let kept: Vec<String> = started
        .cloud
        .get("scripts")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|text| text.as_str().map(str::to_owned))
        .collect();
    let given = context.scripts();
    if given.is_empty() || given == kept {
        return Ok(kept);
    }
    if context.global.with_current_scripts {
        return Ok(given);
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
