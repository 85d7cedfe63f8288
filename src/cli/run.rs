//! `ferry run`: a new run of a runbook.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::args::Runbook;
use super::context::{Context, Ending};
use super::journaled::{self, Journaled, SIMULATOR};
use super::plan::Choice;
use super::progress::Progress;
use super::subject::{self, Earlier, Subject};
use super::target::Place;
use super::{plan, plan_file, target};
use crate::error::Error;
use crate::host::{Host, Params};
use crate::run::{Event, Options, PlanFile, Session, nobody, record::Started};
use crate::store::Store;

/// Run a runbook
///
/// Every change is written to a journal before it is made, so that the run can be stopped at any time and resumed.
/// A run that pauses (exit code 3) prints the command that goes on.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A shipped runbook by name (`ferry list`), or a file by path
    #[arg(value_name = "RUNBOOK", required_unless_present = "plan_file")]
    runbook: Option<String>,

    /// Parameters, as `identity=id-orders to=westeurope` (`ferry doc RUNBOOK` names them)
    #[arg(value_name = "KEY=VALUE")]
    params: Vec<String>,

    /// Make exactly the changes of this plan, and stop where something is otherwise than it was planned
    #[arg(long, value_name = "FILE", env = "FERRY_PLAN_FILE", hide_env = true)]
    plan_file: Option<PathBuf>,

    /// Go on although this item is otherwise than planned: its step or its target (may repeat)
    #[arg(
        long,
        value_name = "ITEM",
        env = "FERRY_ACCEPT_DRIFT",
        hide_env = true,
        value_delimiter = '\n',
        requires = "plan_file"
    )]
    accept_drift: Vec<String>,

    #[command(flatten)]
    choice: Choice,
}

/// Runs `ferry run`.
///
/// # Errors
/// Whatever keeps the run from beginning; what stops it later is told, and ends as [`Ending::Told`].
pub fn run(args: &Args, context: &Context<'_>) -> Result<Ending, Error> {
    let what = plan_file::typed(args.plan_file.is_some(), args.runbook.as_deref(), &args.params);
    if context.global.plan {
        if args.plan_file.is_some() {
            return Err(
                Error::refused("plan-other", "a plan is carried out, or a new one is made: not both")
                    .untouched("nothing was sent")
                    .next("leave --plan away, or --plan-file"),
            );
        }
        return plan::plan(&what, &args.choice, None, context)
            .map_err(|error| error.or_untouched("everything: a plan sends no write"));
    }
    let begun = begin(args, what, context).map_err(|error| error.or_untouched("nothing was begun"));
    begun.inspect_err(|error| {
        // Whoever reads the lines of --json finds its last one in any case.
        let progress = Progress::new(&context.ui, context.ui.json(), Vec::new());
        let status = if error.exit_code() == 2 { "refused" } else { "failed" };
        progress.result(status, error.exit_code(), &json!({ "error": context.pasteable(error) }));
    })
}

/// What a run is to do: a runbook with its parameters, on a cloud, and the plan that it is held to.
struct Work {
    host: Host,
    place: Place,
    runbook: crate::host::Runbook,
    params: Params,
    /// The runbook as journals name it.
    name: String,
    from_demo: Vec<String>,
    plan: Option<PlanFile>,
}

/// The work as it is typed.
fn as_typed(what: &Runbook, context: &Context<'_>) -> Result<Work, Error> {
    let host = context.host()?;
    let place = Place::from_options(&context.global)?;
    let runbook = host.runbook(&what.runbook)?;
    let demo = place.demo(&runbook.name)?;
    let params = host.params_with(&runbook, &what.params, &demo)?;
    let from_demo = journaled::from_demo(&runbook, &what.params, &demo);
    if !from_demo.is_empty() {
        context
            .ui
            .say(&format!("from the demo of {place}: {}", from_demo.join(" ")));
    }
    let name = subject::runbook_name(&what.runbook, &runbook);
    Ok(Work {
        host,
        place,
        runbook,
        params,
        name,
        from_demo,
        plan: None,
    })
}

/// The work of a plan's file; what is typed beside it must agree.
fn as_planned(file: &std::path::Path, what: &Runbook, context: &Context<'_>) -> Result<Work, Error> {
    let plan = plan_file::read(file)?;
    let place = Place::from_journal(&plan.cloud, &context.global)?;
    let given = context.scripts();
    let host = context.host_with(&if given.is_empty() {
        plan_file::scripts(&plan)
    } else {
        given
    })?;
    let named = Some(what.runbook.as_str()).filter(|named| !named.is_empty());
    plan_file::agree(&host, &plan, named, &what.params)?;
    let runbook = host.runbook(&plan.runbook)?;
    plan.insist_on_scripts(&host.used_scripts(&runbook)?)?;
    Ok(Work {
        host,
        place,
        runbook,
        params: plan_file::params(&plan),
        name: plan.runbook.clone(),
        from_demo: Vec::new(),
        plan: Some(plan),
    })
}

fn begin(args: &Args, what: Runbook, context: &Context<'_>) -> Result<Ending, Error> {
    let work = match &args.plan_file {
        Some(file) => as_planned(file, &what, context)?,
        None => as_typed(&what, context)?,
    };
    let Work {
        host,
        place,
        runbook,
        params,
        name,
        from_demo,
        plan,
    } = work;
    let mut leave_out = plan.as_ref().map(|plan| plan.leave_out.clone()).unwrap_or_default();
    for item in &args.choice.leave_out {
        if !leave_out.contains(item) {
            leave_out.push(item.clone());
        }
    }
    let options = Options {
        accept_drift: args.accept_drift.clone(),
        leave_out: leave_out.clone(),
        ..context.session_options()
    };
    let store = context.store()?;
    let handle = context.handle()?;

    if place.is_simulated() {
        // An estate that is none is told before anything is asked of it, and before there is a journal.
        target::check(&place, &handle)?;
    }
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
    let progress = Progress::new(&context.ui, context.ui.json(), from_demo);
    progress.set_run(&run);
    let session = Session::run(handle.clone(), target.connect(), options, progress.observer(), journal)?;
    let shown = Value::Object(params.values.clone());
    if let Some(plan) = plan {
        // Before the run can be resumed at all, so that none is ever resumed without its plan.
        session.hold_to(plan)?;
    }
    session.begin(Started {
        leave_out,
        ..started(context, (&name, &runbook.key), &place, &params)
    })?;
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

/// A cloud as journals and plans keep it, with the directories of scripts that were named.
pub(super) fn cloud(context: &Context<'_>, place: &Place) -> Value {
    let mut cloud = place.to_journal();
    if let (Some(members), false) = (cloud.as_object_mut(), context.scripts().is_empty()) {
        members.insert("scripts".into(), json!(context.scripts()));
    }
    cloud
}

/// How a run begins, as its journal keeps it.
fn started(context: &Context<'_>, (runbook, key): (&str, &str), place: &Place, params: &Params) -> Started {
    Started {
        runbook: runbook.to_owned(),
        key: Some(key.to_owned()),
        params: Value::Object(params.values.clone()),
        source_params: params
            .files
            .iter()
            .map(|(file, values)| (file.clone(), Value::Object(values.clone())))
            .collect(),
        cloud: cloud(context, place),
        leave_out: Vec::new(),
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
