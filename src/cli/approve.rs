//! `ferry approve`: a person approves a gate, or says that handed-over work is done.

use serde_json::json;

use super::context::{Context, Ending};
use super::target::Place;
use crate::error::Error;
use crate::run::{Approved, Ledger, Session, nobody};

/// Approve a gate, or say that handed-over work is done
///
/// The journal keeps who did so, when, from where, and for what. Without a name the only one that is open is meant.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run's id, the beginning of one, or `last`
    #[arg(value_name = "RUN")]
    run: String,
    /// The gate or the task, as `ferry show RUN` names it
    #[arg(value_name = "GATE|TASK")]
    name: Option<String>,
    /// Approve the gate only if what it asks for has a digest that begins so: see `ferry show RUN`
    #[arg(long, value_name = "DIGEST")]
    digest: Option<String>,
    /// What the check of a task answered: kept in the journal beside who said so, and shown in the report
    #[arg(long, value_name = "TEXT")]
    answer: Option<String>,
}

/// Runs `ferry approve`.
///
/// # Errors
/// `nothing-to-approve` where none of that name is open; `wrong-argument` for a gate with an answer; those of the store.
pub fn run(args: &Args, context: &Context<'_>) -> Result<Ending, Error> {
    let store = context.store()?;
    let run = store.resolve(&args.run)?;
    let started = Ledger::from_entries(&run, &store.read(&run)?)?.started;
    let journal = store.open(&run)?;
    // Nothing is asked of the cloud: the session only keeps the journal.
    let place = match &started {
        Some(started) => Place::from_journal(&started.cloud, &context.global)?,
        None => Place::from_options(&context.global)?,
    };
    let connect = context.target(place)?.connect();
    let session = Session::run(context.handle()?, connect, context.session_options(), nobody(), journal)?;
    let Approved { name, digest } =
        session.approve_open(args.name.as_deref(), args.digest.as_deref(), args.answer.as_deref())?;
    if context.ui.json() {
        context
            .ui
            .print_json(&json!({ "run": run, "approved": name, "digest": digest }));
    } else {
        context.ui.print(&format!("\"{name}\" of run {run} is approved"));
        context
            .ui
            .print(&format!("next     {}", context.command(&format!("resume {run}"))));
    }
    Ok(Ending::Done)
}
