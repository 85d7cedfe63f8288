//! `ferry rollback`: what a run did is taken back, newest first.

use serde_json::json;

use super::context::{Context, Ending};
use super::journaled::{SIMULATOR, begun, load, stop_on_signals, stopped};
use super::progress::Progress;
use super::target::Place;
use super::ui::Tone;
use crate::error::Error;
use crate::report;
use crate::run::{Event, Ledger, RolledBack, Session, Status};

/// Take back what a run did, newest first
///
/// What the run made is removed, what it changed is restored where it still is what Ferry wrote, what was there before
/// is left alone. It can be stopped, and goes on when called again. The deletion of the old identity is the point of no
/// return: behind it a run cannot be rolled back.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run's id, the beginning of one, or `last`
    #[arg(value_name = "RUN")]
    run: String,
}

/// Runs `ferry rollback`.
///
/// # Errors
/// `point-of-no-return`, `rollback-incomplete`; those of the store and of Azure.
pub fn run(args: &Args, context: &Context<'_>) -> Result<Ending, Error> {
    let progress = Progress::new(&context.ui, context.ui.json(), Vec::new());
    let store = context.store()?;
    let run = store.resolve(&args.run)?;
    let ledger = Ledger::from_entries(&run, &store.read(&run)?)?;
    let started = begun(&run, &ledger)?;
    let place = Place::from_journal(&started.cloud, &context.global)?;
    let handle = context.handle()?;
    let target = context.target(place.clone())?;
    let journal = store.open(&run)?;
    if place.is_simulated() {
        target.start(&handle, Some(&store.side_directory(&run)?.join(SIMULATOR)))?;
    }
    progress.set_run(&run);
    let session = Session::run(
        handle.clone(),
        target.connect(),
        context.session_options(),
        progress.observer(),
        journal,
    )?;
    session.tell(&Event::Run {
        run: Some(run.clone()),
        runbook: started.runbook,
        resumed: true,
        params: started.params,
    });
    stop_on_signals(&handle, &session.cancel());
    let outcome = session.rollback();
    // A refusal leaves the run as it is: done, say.
    let refused = matches!(&outcome, Err(error) if error.code == "point-of-no-return");
    if !refused {
        let (status, why) = match &outcome {
            Ok(_) => (Status::RolledBack, None),
            Err(error) => (Status::Failed, Some(error.code.clone())),
        };
        match (session.finish(status, why), &outcome) {
            (Err(error), Ok(_)) => return Err(error),
            // What stopped it first is told.
            (Err(_), Err(_)) | (Ok(()), _) => {}
        }
    }
    progress.end();
    tell(context, &progress, &run, &outcome);
    if !context.ui.json() {
        context.ui.print(&report::text::ending(&load(&*store, &run)?));
    }
    match outcome {
        Ok(_) => Ok(Ending::Done),
        Err(error) => {
            context.fail(&error);
            Ok(Ending::Told(error.exit_code()))
        }
    }
}

/// Says how it ended, on stdout.
fn tell(context: &Context<'_>, progress: &Progress, run: &str, outcome: &Result<RolledBack, Error>) {
    if context.ui.json() {
        match outcome {
            Ok(sum) => progress.result("rolled-back", 0, &json!(sum)),
            Err(error) => {
                let told = json!({ "error": context.pasteable(error) });
                progress.result(stopped(error), error.exit_code(), &told);
            }
        }
        return;
    }
    if let Ok(sum) = outcome {
        let kept = if sum.kept == 0 {
            String::new()
        } else {
            format!("; {} that stood before the run were left alone", sum.kept)
        };
        context.ui.print(&context.ui.result_tone(
            Tone::Good,
            &format!(
                "run {run} was rolled back: {} change(s) were taken back{kept}",
                sum.undone
            ),
        ));
    }
}
