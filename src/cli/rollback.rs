//! `ferry rollback`: what a run did is taken back, newest first.

use serde_json::json;

use super::context::{Context, Ending};
use super::journaled::{load, stop_on_signals, stopped};
use super::progress::Progress;
use super::reopened::{self, Begun};
use super::ui::Tone;
use crate::error::Error;
use crate::report;
use crate::run::{Event, RolledBack, Status};

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
    take_back(args, context).inspect_err(|error| reopened::refused(context, error))
}

fn take_back(args: &Args, context: &Context<'_>) -> Result<Ending, Error> {
    let begun = Begun::read(context, &args.run)?;
    let progress = Progress::new(&context.ui, context.ui.json(), Vec::new());
    let opened = begun.open(context, context.session_options(), &progress)?;
    let (session, run) = (&opened.session, begun.run.as_str());
    session.tell(&Event::Run {
        run: Some(begun.run.clone()),
        runbook: begun.started.runbook.clone(),
        resumed: true,
        params: begun.started.params.clone(),
    });
    stop_on_signals(&opened.handle, &session.cancel());
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
    tell(context, &progress, run, &outcome);
    if !context.ui.json() {
        context.ui.print(&report::text::ending(&load(&*begun.store, run)?));
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
