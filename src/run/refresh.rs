//! Refresh: the first phase's result is replaced by one that knows what has come since; later phases are done again.

use serde_json::Value;

use super::event::{Event, State};
use super::path;
use super::record::{Record, Standing};
use super::session::Session;
use crate::error::Error;

/// The phase that a refresh's own reads belong to.
pub(super) const PHASE: &str = "refresh";
/// The phase that takes away what is old.
const LAST: &str = "clean_up";

impl Session {
    /// Replaces the result of the first phase by what `body` returns, which only reads. Changes that are done stay known,
    /// so a resumed run makes only those that are new.
    ///
    /// # Errors
    /// `nothing-to-refresh` when the first phase has not ended, or the run is being rolled back; those of `body` and of
    /// the journal.
    pub fn refresh<E: From<Error>>(&self, body: impl FnOnce() -> Result<Value, E>) -> Result<Value, E> {
        let ready = self.ledger(|ledger| {
            let mapped = ledger.phases.first().is_some_and(|(_, result)| result.is_some());
            // Where something old was taken away, a map made anew would not know what it was.
            let ending = ledger.changes.iter().any(|change| change.intended.phase == LAST);
            mapped && !ending && !ledger.rolling_back
        });
        if !ready {
            let run = self.run_id().unwrap_or("RUN");
            return Err(
                Error::refused("nothing-to-refresh", "the run has no map that could be made anew")
                    .untouched("the journal; nothing was sent")
                    .next(format!("ferry resume {run}      makes the first one"))
                    .into(),
            );
        }
        self.settle()?;
        self.allow_writes(false)?;
        self.tell_refresh(State::Started);
        let outcome = path::with(vec![PHASE.to_owned()], body);
        self.tell_refresh(if outcome.is_ok() { State::Done } else { State::Failed });
        let prepare = outcome?;
        self.refuse_secrets("the refreshed map", &prepare)?;
        self.write(Record::Refreshed {
            prepare: prepare.clone(),
        })?;
        Ok(prepare)
    }

    /// The key of a change that may be older than a refresh. What was done before and was undone by others since is
    /// another change, which is sent again.
    ///
    /// # Errors
    /// When the target of an older change cannot be read.
    pub(super) fn key_since_refresh(&self, key: String) -> Result<String, Error> {
        let older = self.ledger(|ledger| {
            let known = ledger.change(&key)?;
            let old = known.intended.change <= ledger.changes_before_refresh && known.standing == Standing::Done;
            old.then(|| (known.intended.clone(), ledger.refreshes))
        });
        match older {
            Some((intended, round)) if intended.probe.can_tell() && !self.in_place(&intended)?.0 => {
                Ok(format!("{key}#{round}"))
            }
            _ => Ok(key),
        }
    }

    fn tell_refresh(&self, state: State) {
        self.tell(&Event::Phase {
            name: PHASE.to_owned(),
            state,
        });
    }
}
