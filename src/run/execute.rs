//! Making changes: intent before the request, the end after it.

use std::time::Duration;

use serde_json::{Value, json};

use super::change::{Action, Before, Change, Probe, SQL, Write};
use super::database;
use super::edit::EditSet;
use super::event::{Event, State};
use super::overlay::Seen;
use super::path;
use super::record::{Intended, Record, Standing};
use super::send::{Sent, edit_outcome};
use super::session::{Mode, Session, lock, printed_path};
use crate::error::Error;
use crate::store::redact::HIDDEN;
use crate::types::json as documents;

/// How often a request is sent at most whose end was looked up each time.
const SENDS: u32 = 3;
/// The pause between two of them.
const AGAIN: Duration = Duration::from_millis(500);

impl Session {
    /// Makes a change: in a run by a request that is journaled before and after, in a plan by listing it.
    /// Answers what the operation gives to the script; a replay gets the same without a request.
    ///
    /// # Errors
    /// Azure's refusal, `read-only` in a session that may not write, those of the journal.
    pub fn change(&self, change: Change) -> Result<Value, Error> {
        if !self.may_write() {
            return Err(Error::failed(
                "read-only",
                format!("{} was not done: writes are off in this session", change.what),
            )
            .on(change.action.write().target())
            .untouched("nothing was sent")
            .next(":write on      at the prompt; or write a runbook and run it"));
        }
        if path::reads_only() {
            return Err(Error::failed(
                "read-only",
                format!(
                    "{} was not done: this function of a source or finder may only read",
                    change.what
                ),
            )
            .on(change.action.write().target())
            .untouched("nothing was sent")
            .next("write in grant, revoke, attach, detach or swap"));
        }
        if self.is_rehearsal() {
            return self.rehearse_change(change);
        }
        self.refuse_secret_change(&change.what, &change.action)?;
        if self.mode() == Mode::Plan {
            return self.plan_change(change);
        }
        let key = self.key_since_refresh(self.key(&change.action))?;
        let known = self.ledger(|ledger| {
            ledger
                .change(&key)
                .map(|c| (c.standing, c.outcome.clone(), c.intended.clone()))
        });
        match known {
            Some((Standing::Done, outcome, intended)) => {
                self.tell_change(&intended, State::Replayed);
                return Ok(outcome);
            }
            Some((Standing::Intended, ..)) => {
                return Err(Error::failed(
                    "unsettled",
                    format!("{} is under way in another branch of this run", change.what),
                )
                .on(change.action.write().target())
                .untouched("nothing more was sent"));
            }
            _ => {}
        }
        self.send_new(change, key)
    }

    fn send_new(&self, change: Change, key: String) -> Result<Value, Error> {
        // An edit that has nothing left to do is no change.
        let mut edited = None;
        if let Action::Edit(edit) = &change.action {
            let document = self.whole(edit)?;
            if edit.in_place(&document) {
                return Ok(edit_outcome(edit, 0));
            }
            edited = Some(document);
        }
        if self.holds_already(&change)? {
            return Ok(database::outcome(false));
        }
        let before = match change.before.clone() {
            Before::Read => self.current(change.action.write())?.map_or(Some(Value::Null), Some),
            Before::Known(document) => Some(document.unwrap_or(Value::Null)),
            Before::Unreadable => None,
        };
        self.hold_to_plan(&change, &key, edited.as_ref().or(before.as_ref()))?;
        let undo = change
            .undo
            .clone()
            .unwrap_or_else(|| self.derive_undo(&change.action, before.as_ref()));
        let undo = self.undo_without_secrets(undo);
        let action = self.without_secrets(&change.action);
        let intended = {
            // Number and record are one act, so that the number is the position in the ledger.
            let _one = lock(&self.asking_changes);
            let intended = Intended {
                change: self.next_change(),
                key,
                phase: path::current().first().cloned().unwrap_or_default(),
                step: printed_path(),
                op: change.op.clone(),
                what: change.what.clone(),
                effect: change.effect.clone(),
                probe: self.probe_without_secrets(&change.probe),
                undo,
                before: before.map(|document| self.secrets.hide(&document)),
                principal: change.principal.clone(),
                action,
            };
            self.write(Record::Intended(Box::new(intended.clone())))?;
            intended
        };
        self.tell_change(&intended, State::Started);
        for sends in 1.. {
            let error = match self.send_with_lag(&change) {
                Ok(Sent {
                    outcome,
                    request_id,
                    already,
                }) => {
                    let outcome = self.secrets.hide(&outcome);
                    self.write(Record::Done {
                        change: intended.change,
                        outcome: outcome.clone(),
                        request_id,
                        already,
                        settled: false,
                    })?;
                    self.tell_change(&intended, State::Done);
                    return Ok(outcome);
                }
                Err(error) => error,
            };
            // A request that was cut off by Ctrl-C has no end yet: it is settled when the run goes on.
            // So it is where another process has taken the run over: there the journal is not ours any more.
            if error.kind == crate::error::Kind::Interrupted || error.code == "lease-lost" {
                return Err(error);
            }
            if !error.unclear {
                return self.record_failed(&intended, error);
            }
            // Sent, and its end not known: Azure itself is asked.
            match self.in_place(&intended) {
                Ok((true, outcome)) => return self.record_settled(&intended, &outcome),
                // What was looked for and is not there did not happen, so it may be sent again.
                Ok((false, _))
                    if sends < SENDS && intended.probe.can_tell() && is_left_to_us(&error, &change.action) =>
                {
                    self.pause(AGAIN)?;
                }
                Ok((false, _)) => return self.record_failed(&intended, error),
                // Nobody knows. It stays intended, and is settled when the run goes on.
                Err(_) => return Err(error),
            }
        }
        unreachable!("the loop returns")
    }

    fn record_failed(&self, intended: &Intended, error: Error) -> Result<Value, Error> {
        self.write(Record::Failed {
            change: intended.change,
            error: Box::new(error.clone()),
        })?;
        self.tell_change(intended, State::Failed);
        Err(error)
    }

    /// Writes down that a change was found in place; answers what it would have answered.
    pub(super) fn record_settled(&self, intended: &Intended, outcome: &Value) -> Result<Value, Error> {
        let outcome = self.secrets.hide(outcome);
        let change = intended.change;
        self.write(Record::Done {
            change,
            outcome: outcome.clone(),
            request_id: None,
            already: false,
            settled: true,
        })?;
        self.tell_change(intended, State::Done);
        Ok(outcome)
    }

    /// The key by which a replay finds a change.
    pub(super) fn key(&self, action: &Action) -> String {
        let write = action.write();
        let content = match action {
            Action::Send(write) => json!({ "query": write.query, "body": write.body }),
            Action::Edit(edit) => json!({ "edits": edit.edits, "read": edit.read.path }),
        };
        let base = json!([
            printed_path(),
            write.method,
            write.target_key(),
            documents::digest(&content)
        ]);
        let base = documents::digest(&base);
        let mut occurrences = lock(&self.occurrences);
        let occurrence = occurrences.entry(base.clone()).or_insert(0);
        *occurrence += 1;
        format!("{}-{occurrence}", &base[..32])
    }

    /// What stands at the target of a write now, past the overlay: none where there is nothing.
    pub(super) fn current(&self, write: &Write) -> Result<Option<Value>, Error> {
        let read = write.as_method("GET");
        if self.mode() == Mode::Plan {
            match lock(&self.overlay).get(read.target()) {
                Seen::Document(document) => return Ok(Some(document)),
                Seen::Gone => return Ok(None),
                Seen::Cloud => {}
            }
        }
        match self.fetch(&read) {
            Ok(document) => Ok(Some(lock(&self.overlay).tagged(read.target(), document))),
            Err(error) if error.is_not_found() => Ok(None),
            // What cannot be read (405 of an action's path) has no before-image; the write itself decides.
            Err(error)
                if error
                    .azure
                    .as_ref()
                    .is_some_and(|said| said.status == 405 || said.status == 400) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn without_secrets(&self, action: &Action) -> Action {
        match action {
            Action::Send(write) => Action::Send(Write {
                body: write.body.as_ref().map(|body| self.secrets.hide(body)),
                ..self.hidden_parts(write)
            }),
            // Edits that hold a secret are refused before.
            Action::Edit(edit) => Action::Edit(EditSet {
                read: self.hidden_parts(&edit.read),
                write: self.hidden_parts(&edit.write),
                ..edit.clone()
            }),
        }
    }

    pub(super) fn probe_without_secrets(&self, probe: &Probe) -> Probe {
        match probe {
            Probe::Shows(wanted) => Probe::Shows(drop_hidden(&self.secrets.hide(wanted))),
            Probe::True { query, .. } if self.secrets.any(&json!(query)) => Probe::Unknowable,
            Probe::Holds { read, wanted, there } => Probe::Holds {
                read: self.hidden_parts(read),
                wanted: drop_hidden(&self.secrets.hide(wanted)),
                there: *there,
            },
            other => other.clone(),
        }
    }

    fn tell_change(&self, intended: &Intended, status: State) {
        let write = intended.action.write();
        self.tell(&Event::Change {
            seq: intended.change,
            phase: intended.phase.clone(),
            step: intended.step.clone(),
            op: intended.op.clone(),
            method: write.method.clone(),
            target: write.path.clone(),
            what: intended.what.clone(),
            effect: intended.effect.clone(),
            status,
        });
    }
}

/// Whether the client has not tried this request again, because it could not know whether it may: a POST, or a write
/// whose answer said success and could not be read.
fn is_left_to_us(error: &Error, action: &Action) -> bool {
    let status = error.azure.as_ref().map(|said| said.status);
    match status {
        None => error.code == "unreadable-answer" || ["POST", SQL].contains(&action.method()),
        Some(status) => action.method() == "POST" && (status == 408 || status >= 500),
    }
}

/// A document without its hidden members, so that comparing does not stumble over them.
fn drop_hidden(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.iter()
                .filter(|(_, v)| v.as_str() != Some(HIDDEN))
                .map(|(k, v)| (k.clone(), drop_hidden(v)))
                .collect(),
        ),
        other => other.clone(),
    }
}
