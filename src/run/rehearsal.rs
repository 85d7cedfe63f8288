//! Rehearsals: before a run goes on with other scripts than it began with, what they ask for is compared with the
//! journal, and nothing is sent.
//!
//! A rehearsal is a plan that knows the journal. Changes that are done answer as they did, new ones go to the overlay.
//! Unlike a replay it also goes through steps that have ended: one that asks for a change which the journal does not
//! have there is another step than the one that ended.

use std::sync::Arc;

use futures::FutureExt as _;
use serde_json::Value;

use super::change::{Action, Change};
use super::event::nobody;
use super::options::{Connect, Mode, Options};
use super::path;
use super::record::Standing;
use super::send::edit_outcome;
use super::session::{Session, lock};
use crate::error::Error;

impl Session {
    /// A session that rehearses this one up to the end of phase `until`: it reads through the same client, begins
    /// with what the journal says, and writes neither to Azure nor to the journal.
    pub fn rehearsal(self: &Arc<Self>, until: Option<String>) -> Arc<Self> {
        let this = Arc::clone(self);
        let connect: Connect = Box::new(move || match this.client.get() {
            Some(client) => futures::future::ready(Ok(client.clone())).boxed(),
            None => (this.connect)(),
        });
        let options = Options {
            until,
            ..self.options.clone()
        };
        let mut session = Self::new(self.handle.clone(), connect, Mode::Plan, options, nobody());
        session.rehearsal = true;
        *lock(&session.ledger) = lock(&self.ledger).clone();
        lock(&session.paths).clone_from(&lock(&self.paths));
        *lock(&session.cancel) = self.cancel();
        lock(&session.hosts).clone_from(&lock(&self.hosts));
        Arc::new(session)
    }

    /// Whether this is a rehearsal, in which scripts behave as in a run.
    pub fn is_rehearsal(&self) -> bool {
        self.rehearsal
    }

    /// Goes through a step that has ended. What it returns, and how it fails, is of no interest; what it asks for is.
    pub(super) fn rehearse<E>(
        &self,
        segments: Vec<String>,
        body: impl FnOnce() -> Result<Value, E>,
    ) -> Result<(), Error> {
        // Reads are fresh, and what the step found then may be gone now: by its own doing, for one.
        let _ = path::with(segments, body);
        match &*lock(&self.noticed) {
            Some(noticed) => Err(noticed.clone()),
            None => Ok(()),
        }
    }

    /// A change in a rehearsal.
    pub(super) fn rehearse_change(&self, change: Change) -> Result<Value, Error> {
        let key = self.key(&change.action);
        let done = self.ledger(|ledger| {
            let known = ledger.change(&key)?;
            (known.standing == Standing::Done).then(|| known.outcome.clone())
        });
        if let Some(outcome) = done {
            return Ok(outcome);
        }
        let Some(step) = self.ended_step() else {
            return self.plan_change(change);
        };
        // An edit that has nothing left to do is no change.
        if let Action::Edit(edit) = &change.action
            && edit.in_place(&self.fetch(&edit.read)?)
        {
            return Ok(edit_outcome(edit, 0));
        }
        let write = change.action.write();
        let how = format!(
            "now asks for another change, {} {}; {}",
            write.method,
            write.target(),
            self.journaled_in(&step)
        );
        let error = self.step_changed(&step, &how);
        *lock(&self.noticed) = Some(error.clone());
        Err(error)
    }

    /// The outermost step around this place that has ended.
    fn ended_step(&self) -> Option<String> {
        let current = path::current();
        (1..=current.len())
            .map(|n| &current[..n])
            .filter(|segments| self.is_kept(segments))
            .map(path::printed)
            .find(|printed| self.ledger(|ledger| ledger.steps.contains_key(printed)))
    }

    /// What the journal has in a step, for a sentence.
    fn journaled_in(&self, step: &str) -> String {
        let below = format!("{step}/");
        let known = self.ledger(|ledger| {
            let mut inside = ledger
                .changes
                .iter()
                .map(|change| &change.intended)
                .filter(|intended| intended.step == step || intended.step.starts_with(&below));
            inside.next().map(|intended| {
                let write = intended.action.write();
                (intended.op.clone(), write.method.clone(), write.target().to_owned())
            })
        });
        match known {
            Some((op, method, target)) => format!("the journal has {op} there, {method} {target}"),
            None => "the journal has none there".to_owned(),
        }
    }
}
