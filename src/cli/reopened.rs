//! A run that has begun, opened again: what `ferry resume`, `ferry refresh` and `ferry rollback` have in common.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::context::Context;
use super::journaled::{SIMULATOR, begun};
use super::progress::Progress;
use super::target::{Place, Target};
use crate::error::Error;
use crate::host::{Host, Params, Runbook};
use crate::run::record::Started;
use crate::run::{Ledger, Options, Session, Status};
use crate::store::Store;

/// A run that has begun, and that nobody has opened yet.
pub struct Begun {
    /// Where its journal is.
    pub store: Arc<dyn Store>,
    /// Its id.
    pub run: String,
    /// How it stands, as the store says.
    pub status: String,
    /// What its journal says.
    pub ledger: Ledger,
    /// How it began.
    pub started: Started,
}

impl Begun {
    /// Reads the journal of the run that `name` stands for.
    ///
    /// # Errors
    /// Those of the store; `journal-damaged` where it does not say how the run began.
    pub fn read(context: &Context<'_>, name: &str) -> Result<Self, Error> {
        let store = context.store()?;
        let run = store.resolve(name)?;
        let ledger = Ledger::from_entries(&run, &store.read(&run)?)?;
        let status = status(&*store, &run)?;
        let started = begun(&run, &ledger)?;
        Ok(Self {
            store,
            run,
            status,
            ledger,
            started,
        })
    }

    /// Its runbook, under the name that it was given: of the journal by the key that it is kept under, or, where current
    /// scripts are wanted, by its path.
    ///
    /// # Errors
    /// Those of [`Host::runbook_kept`].
    pub fn runbook(&self, context: &Context<'_>, host: &Host, session: &Arc<Session>) -> Result<Runbook, Error> {
        let key = self.started.key.as_ref();
        let key = key.filter(|_| !context.global.with_current_scripts);
        let mut runbook = host.runbook_kept(session, key.unwrap_or(&self.started.runbook))?;
        runbook.name.clone_from(&self.started.runbook);
        Ok(runbook)
    }

    /// The parameters that it began with.
    pub fn params(&self) -> Params {
        let members = |value: &Value| value.as_object().cloned().unwrap_or_default();
        Params {
            values: members(&self.started.params),
            files: self
                .started
                .source_params
                .iter()
                .map(|(file, values)| (file.clone(), members(values)))
                .collect(),
        }
    }

    /// Opens it: no other process can until the session ends.
    ///
    /// # Errors
    /// `run-held`; those of the simulator that a rehearsal is run against.
    pub fn open(&self, context: &Context<'_>, options: Options, progress: &Arc<Progress>) -> Result<Opened, Error> {
        let place = Place::from_journal(&self.started.cloud, &context.global)?;
        let handle = context.handle()?;
        let target = context.target(place.clone())?;
        let journal = self.store.open(&self.run)?;
        if place.is_simulated() {
            let beside = self.store.side_directory(&self.run)?;
            target.start(&handle, Some(&beside.join(SIMULATOR)))?;
        }
        progress.set_run(&self.run);
        let session = Session::run(handle.clone(), target.connect(), options, progress.observer(), journal)?;
        Ok(Opened {
            handle,
            session,
            _target: target,
        })
    }
}

/// Whether nothing is left to do for a run that stands so.
pub fn is_over(status: &str) -> bool {
    [Status::Done, Status::RolledBack]
        .iter()
        .any(|over| over.as_str() == status)
}

/// How a run stands, as the store lists it.
///
/// # Errors
/// Those of the store.
pub fn status(store: &dyn Store, run: &str) -> Result<String, Error> {
    let known = store.runs()?.into_iter().find(|known| known.run == run);
    Ok(known.map(|known| known.status).unwrap_or_default())
}

/// A run that this process works on.
pub struct Opened {
    /// The runtime.
    pub handle: Handle,
    /// The session.
    pub session: Arc<Session>,
    /// Its cloud, which lives as long as the session: an embedded simulator ends with it.
    _target: Target,
}

/// Says on stdout, where programs read, that a command ended before the run was opened.
pub fn refused(context: &Context<'_>, error: &Error) {
    let progress = Progress::new(&context.ui, context.ui.json(), Vec::new());
    let status = if error.exit_code() == 2 { "refused" } else { "failed" };
    progress.result(status, error.exit_code(), &json!({ "error": context.pasteable(error) }));
}
