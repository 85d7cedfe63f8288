//! `ferry repl`: the interactive prompt.

use std::sync::Arc;

use serde_json::Value;

use super::context::{Context, Ending};
use super::journaled;
use super::state;
use super::target::Place;
use crate::error::Error;
use crate::repl;
use crate::run::record::{Record, Started};
use crate::run::{JournalFactory, Session, nobody};
use crate::store::Store;

/// Explore a cloud at a prompt; reads only, until `:write on`
///
/// What is written then is journaled as a run. `:help` explains everything that scripts can call.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs `ferry repl`.
///
/// # Errors
/// Where the prompt itself cannot work; what fails at the prompt is told there.
pub fn run(_args: &Args, context: &Context<'_>) -> Result<Ending, Error> {
    let host = context.host()?;
    let place = Place::from_options(&context.global)?;
    let target = context.target(place.clone())?;
    let handle = context.handle()?;
    let factory = journal(context.store()?, &place);
    let session = Session::explore(
        handle.clone(),
        target.connect(),
        context.session_options(),
        nobody(),
        Some(factory),
    );
    let options = repl::Options {
        terminal: context.ui.can_ask(),
        history: state::directory().ok().map(|directory| directory.join("history")),
        color: context.ui.err_colour(),
        render: None,
    };
    journaled::stop_each(&handle, &session);
    repl::start(&host, &session, &options)?;
    Ok(Ending::Done)
}

/// Begins a run of its own for what is written at the prompt.
fn journal(store: Arc<dyn Store>, place: &Place) -> JournalFactory {
    let (cloud, kept) = (place.to_string(), place.to_journal());
    Box::new(move || {
        let subject = serde_json::json!(["repl", cloud, null, null, uuid::Uuid::new_v4()]).to_string();
        let journal = store.create("repl", &subject, &subject)?;
        let started = Started {
            key: None,
            leave_out: Vec::new(),
            runbook: "repl".into(),
            params: Value::Object(serde_json::Map::new()),
            source_params: serde_json::Map::new(),
            cloud: kept.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let (kind, body) = Record::Started(started).columns();
        journal.append(&kind, &body)?;
        Ok(journal)
    })
}
