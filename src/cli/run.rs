//! `ferry run`: a new run of a runbook.

use serde_json::{Value, json};

use super::args::Runbook;
use super::context::{Context, Ending};
use super::journaled::{self, Journaled, SIMULATOR};
use super::progress::Progress;
use super::subject::{self, Earlier, Subject};
use super::target::Place;
use super::{plan, target};
use crate::error::Error;
use crate::host::{Host, Params};
use crate::run::{Event, Session, nobody, record::Started};
use crate::store::Store;

/// Run a runbook
///
/// Every change is written to a journal before it is made, so that the run can be stopped at any time and resumed.
/// A run that pauses (exit code 3) prints the command that goes on.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    what: Runbook,
}

/// Runs `ferry run`.
///
/// # Errors
/// Whatever keeps the run from beginning; what stops it later is told, and ends as [`Ending::Told`].
pub fn run(args: &Args, context: &Context<'_>) -> Result<Ending, Error> {
    if context.global.plan {
        return plan::plan(&args.what, context)
            .map_err(|error| error.or_untouched("everything: a plan sends no write"));
    }
    let begun = begin(&args.what, context).map_err(|error| error.or_untouched("nothing was begun"));
    begun.inspect_err(|error| {
        // Whoever reads the lines of --json finds its last one in any case.
        let progress = Progress::new(&context.ui, context.ui.json(), Vec::new());
        let status = if error.exit_code() == 2 { "refused" } else { "failed" };
        progress.result(status, error.exit_code(), &json!({ "error": context.pasteable(error) }));
    })
}

fn begin(what: &Runbook, context: &Context<'_>) -> Result<Ending, Error> {
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
    let store = context.store()?;
    let handle = context.handle()?;

    if place.is_simulated() {
        // An estate that is none is told before anything is asked of it, and before there is a journal.
        target::check(&place, &handle)?;
    }
    let name = subject::runbook_name(&what.runbook, &runbook);
    let identity = find_identity(context, &host, &*store, &name, &place, &params)?;
    let subject = Subject::new(&name, &place.to_string(), identity.as_deref(), &params.values);
    if let Earlier::Done(done) = subject.earlier(&*store, &params.values)? {
        return already_done(context, &*store, &done.run);
    }

    let target = context.target(place.clone())?;
    let journal = store.create(&name, &subject.text, &subject.lock)?;
    let run = journal.run().to_owned();
    if place.is_simulated() {
        target.start(&handle, Some(&store.side_directory(&run)?.join(SIMULATOR)))?;
    }
    let progress = Progress::new(&context.ui, context.ui.json(), given_by_demo);
    progress.set_run(&run);
    let session = Session::run(
        handle.clone(),
        target.connect(),
        context.session_options(),
        progress.observer(),
        journal,
    )?;
    let shown = Value::Object(params.values.clone());
    session.begin(started(context, (&name, &runbook.key), &place, &params))?;
    session.tell(&Event::Run {
        run: Some(run),
        runbook: runbook.name.clone(),
        resumed: false,
        params: shown,
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

/// How a run begins, as its journal keeps it.
fn started(context: &Context<'_>, (runbook, key): (&str, &str), place: &Place, params: &Params) -> Started {
    let mut cloud = place.to_journal();
    if let (Some(members), false) = (cloud.as_object_mut(), context.scripts().is_empty()) {
        members.insert("scripts".into(), json!(context.scripts()));
    }
    Started {
        runbook: runbook.to_owned(),
        key: Some(key.to_owned()),
        params: Value::Object(params.values.clone()),
        source_params: params
            .files
            .iter()
            .map(|(file, values)| (file.clone(), Value::Object(values.clone())))
            .collect(),
        cloud,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// The identity that the parameters name, by its resource id. A name is looked up in the cloud before there is a journal.
fn find_identity(
    context: &Context<'_>,
    host: &Host,
    store: &dyn Store,
    runbook: &str,
    place: &Place,
    params: &Params,
) -> Result<Option<String>, Error> {
    let target = context.target(place.clone())?;
    let handle = context.handle()?;
    let session = Session::explore(handle, target.connect(), context.session_options(), nobody(), None);
    subject::identity(host, &session, store, (runbook, &place.to_string()), &params.values)
}

fn already_done(context: &Context<'_>, store: &dyn Store, run: &str) -> Result<Ending, Error> {
    let shown = journaled::load(store, run)?;
    if context.ui.json() {
        let progress = Progress::new(&context.ui, true, Vec::new());
        progress.set_run(run);
        let results: serde_json::Map<String, Value> = shown
            .phases
            .iter()
            .map(|phase| (phase.name.clone(), phase.result.clone()))
            .collect();
        progress.result("done", 0, &Value::Object(results));
    } else {
        context.ui.print(&format!(
            "run {run} has done this already, on {}; nothing was sent",
            shown.updated
        ));
        context
            .ui
            .print(&format!("next     {}", context.command(&format!("show {run}"))));
    }
    Ok(Ending::Done)
}
