//! A run under way, new or resumed: what `ferry run` and `ferry resume` have in common.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::context::{Context, Ending};
use super::progress::Progress;
use super::ui::Tone;
use crate::error::{Error, Kind};
use crate::host::{Host, Params, RunOutcome, Runbook};
use crate::report;
use crate::run::record::Started;
use crate::run::{Ledger, Session};
use crate::store::Store;

/// The file beside a journal in which a rehearsal keeps its simulator.
pub const SIMULATOR: &str = "sim.json";

/// A run under way.
pub struct Journaled<'a> {
    /// The command's context.
    pub context: &'a Context<'a>,
    /// The host of its scripts.
    pub host: &'a Host,
    /// Its runbook.
    pub runbook: &'a Runbook,
    /// Its parameters.
    pub params: &'a Params,
    /// Where its journal is.
    pub store: &'a dyn Store,
    /// Who listens.
    pub progress: Arc<Progress>,
    /// Its session.
    pub session: Arc<Session>,
}

impl Journaled<'_> {
    /// Runs what is left of the runbook, and tells how it ended.
    ///
    /// # Errors
    /// Those of the store, after the run's own have been told.
    pub fn finish(self, handle: &Handle) -> Result<Ending, Error> {
        let run = self.session.run_id().unwrap_or_default().to_owned();
        stop_on_signals(handle, &self.session.cancel());
        let outcome = self.host.run(self.runbook, self.params, &self.session);
        let outcome = outcome.map_err(|error| advised(error, &run));
        self.progress.end();
        let status = status(&outcome);
        let (code, result) = match &outcome {
            Ok(outcome) if outcome.stopped_after.is_some() => (3, outcome_value(outcome)),
            Ok(outcome) => (0, outcome_value(outcome)),
            Err(error) => (error.exit_code(), json!({ "error": self.context.pasteable(error) })),
        };
        if self.context.ui.json() {
            self.progress.result(status, code, &result);
        } else {
            self.tell(&run, &outcome)?;
        }
        match outcome {
            // With --json the last line on stdout has said it already; stderr says it to whoever watches.
            Err(error) => {
                self.context.fail(&error);
                Ok(Ending::Told(code))
            }
            Ok(outcome) if outcome.stopped_after.is_some() => Ok(Ending::Paused),
            Ok(_) => Ok(Ending::Done),
        }
    }

    /// The few lines at the end, on stdout.
    fn tell(&self, run: &str, outcome: &Result<RunOutcome, Error>) -> Result<(), Error> {
        let ui = &self.context.ui;
        let shown = load(self.store, run)?;
        if let Ok(outcome) = outcome {
            if self.runbook.phases == ["main"] {
                print_value(self.context, &outcome.value);
            }
            if let Some(phase) = &outcome.stopped_after {
                ui.print(&ui.result_tone(Tone::Warning, &format!("stopped after {phase}, as --until asks")));
                ui.print(&format!("next     {}", self.context.command(&format!("resume {run}"))));
            } else {
                ui.print(&ui.result_tone(Tone::Good, &format!("{} is done", self.runbook.name)));
            }
        }
        ui.print(&report::text::ending(&shown));
        Ok(())
    }
}

/// An error of a run that says what it left and how to go on: whatever fails, the journal is whole, and the run goes on.
fn advised(error: Error, run: &str) -> Error {
    let mut error = error.or_untouched("what was done stays done, and is in the journal; nothing else was sent");
    for line in &mut error.next {
        let resume = format!("ferry resume {run}");
        *line = line
            .replace("`ferry resume`", &resume)
            .replace("ferry resume RUN", &resume)
            .replace("ferry refresh RUN", &format!("ferry refresh {run}"));
    }
    // Where another run is advised, because this one was told the wrong thing, going on is no way out.
    let says = |words: &str| error.next.iter().any(|line| line.contains(words));
    if !["ferry resume", "ferry run", "did you mean"].into_iter().any(says) {
        error.next.push(format!("ferry resume {run}      goes on from here"));
    }
    error
}

/// The word for how a command on a run ended.
fn status(outcome: &Result<RunOutcome, Error>) -> &'static str {
    match outcome {
        Ok(outcome) if outcome.stopped_after.is_some() => "paused",
        Ok(_) => "done",
        Err(error) => stopped(error),
    }
}

/// The word for how an error ended a command on a run.
pub fn stopped(error: &Error) -> &'static str {
    match error.kind {
        Kind::Paused => "paused",
        Kind::Difference => "difference",
        Kind::Interrupted => "interrupted",
        Kind::Failed | Kind::Refused => "failed",
    }
}

/// How a run began, as its journal tells it.
///
/// # Errors
/// `journal-damaged` where it does not say.
pub fn begun(run: &str, ledger: &Ledger) -> Result<Started, Error> {
    ledger.started.clone().ok_or_else(|| {
        Error::failed(
            "journal-damaged",
            format!("the journal of run {run} does not say how it began"),
        )
        .untouched("nothing was sent: the run ended before it did anything")
        .next("ferry run RUNBOOK      begins it anew")
    })
}

/// What a runbook returned: the phases' results by name, or the value of `main`.
fn outcome_value(outcome: &RunOutcome) -> Value {
    if outcome.results.is_empty() {
        outcome.value.clone()
    } else {
        Value::Object(outcome.results.clone())
    }
}

/// Prints what a runbook without phases found: a dependency map in lines, anything else as JSON.
pub fn print_value(context: &Context<'_>, value: &Value) {
    match (report::map_in(value), value) {
        (Some(map), _) => context.ui.print(&report::text::map(map)),
        (None, Value::Null) => {}
        (None, Value::String(text)) => context.ui.print(text.as_str()),
        (None, value) => context.ui.print_json(value),
    }
}

/// The run as its journal tells it.
///
/// # Errors
/// Those of the store.
pub fn load(store: &dyn Store, run: &str) -> Result<report::Run, Error> {
    let status = store
        .runs()?
        .into_iter()
        .find(|summary| summary.run == run)
        .map(|summary| summary.status);
    report::Run::from_entries(run, status.as_deref().unwrap_or("running"), &store.read(run)?)
}

/// Ctrl-C and SIGTERM stop a session at its next operation; a second Ctrl-C ends the process, whose journal is whole
/// at any time.
pub fn stop_on_signals(handle: &Handle, cancel: &CancellationToken) {
    let cancel = cancel.clone();
    handle.spawn(async move {
        asked_to_stop().await;
        cancel.cancel();
        asked_to_stop().await;
        std::process::exit(130);
    });
}

/// Returns when somebody asks the process to stop.
pub async fn asked_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        // Without a handler for it SIGTERM does what it always does: it ends the process.
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

/// The parameters that the demo of an estate gave, as they are typed.
pub fn from_demo(runbook: &Runbook, given: &[String], demo: &Map<String, Value>) -> Vec<String> {
    let is_given = |name: &str| given.iter().any(|text| text.split('=').next() == Some(name));
    runbook
        .params
        .iter()
        .filter(|declared| !is_given(&declared.name))
        .filter_map(|declared| Some((declared, demo.get(&declared.name)?)))
        .map(|(declared, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            format!("{}={}", declared.name, super::context::quoted(&value))
        })
        .collect()
}

/// Each Ctrl-C stops what a session is doing, and the session goes on: for the prompt.
pub fn stop_each(handle: &Handle, session: &Arc<Session>) {
    let session = Arc::clone(session);
    handle.spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            session.cancel().cancel();
        }
    });
}
