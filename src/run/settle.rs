//! Settling: what an earlier process, or a broken connection, left without an end is looked up before anything is sent.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::change::{Action, Probe, Write};
use super::edit::{covers, holds};
use super::event::Event;
use super::record::{self, Intended, Record, Standing};
use super::send::edit_outcome;
use super::session::Session;
use crate::error::Error;

/// How long an accepted write may take to become a terminal state while it is settled.
const SETTLE: Duration = Duration::from_mins(30);

impl Session {
    /// Settles what an earlier process left without an end: the target is read and compared with what
    /// should stand there. What is in place is done; what is not will be asked for again by the script.
    ///
    /// # Errors
    /// When the target cannot be read: nothing is guessed.
    pub fn settle(&self) -> Result<(), Error> {
        let open: Vec<record::Change> = self.ledger(|ledger| {
            ledger
                .changes
                .iter()
                .filter(|change| change.standing == Standing::Intended)
                .cloned()
                .collect()
        });
        for change in open {
            let intended = &change.intended;
            let (in_place, outcome) = self.in_place(intended).map_err(|error| {
                error
                    .untouched("nothing was sent since the run was cut off")
                    .next("mend what hinders this read, then run the same command again")
            })?;
            if in_place {
                self.record_settled(intended, &outcome)?;
            } else {
                let error = Error::failed(
                    "not-in-effect",
                    format!("{} had not taken effect when the run was cut off", intended.what),
                );
                self.write(Record::Failed {
                    change: intended.change,
                    error: Box::new(error),
                })?;
            }
        }
        Ok(())
    }

    /// Whether an intended change is in place, by a fresh read; and what it would have answered.
    pub(super) fn in_place(&self, intended: &Intended) -> Result<(bool, Value), Error> {
        let write = intended.action.write();
        match &intended.probe {
            Probe::Shows(wanted) => {
                let Some(document) = self.terminal_state(write)? else {
                    return Ok((false, Value::Null));
                };
                Ok((covers(&document, wanted), document))
            }
            Probe::Gone => Ok((self.terminal_state(write)?.is_none(), Value::Null)),
            Probe::Listed {
                list,
                member,
                value,
                also,
                there,
            } => {
                let is = |row: &Value, member: &str, value: &str| {
                    row.get(member)
                        .and_then(Value::as_str)
                        .is_some_and(|found| found.eq_ignore_ascii_case(value))
                };
                let listed = self
                    .list(list)?
                    .iter()
                    .any(|row| is(row, member, value) && also.iter().all(|(member, value)| is(row, member, value)));
                Ok((listed == *there, Value::Null))
            }
            Probe::Holds { read, wanted, there } => {
                let shown = self.terminal_state(read)?;
                let holds = shown.is_some_and(|document| holds(&document, wanted));
                Ok((holds == *there, Value::Null))
            }
            Probe::Edits => {
                let Action::Edit(edit) = &intended.action else {
                    return Ok((false, Value::Null));
                };
                if !edit.read.method.eq_ignore_ascii_case("POST") {
                    self.terminal_state(&edit.read)?;
                }
                let document = self.whole(edit)?;
                Ok((edit.in_place(&document), edit_outcome(edit, edit.edits.len())))
            }
            Probe::True { connection, query } => Ok((self.holds_in_database(connection, query)?, Value::Null)),
            Probe::Unknowable => Ok((false, Value::Null)),
        }
    }

    /// The document at the target once no operation is under way on it any more; none where there is nothing.
    ///
    /// # Errors
    /// `unfinished` where the operation does not end: what it will leave there is not guessed.
    fn terminal_state(&self, write: &Write) -> Result<Option<Value>, Error> {
        let begun = Instant::now();
        let options = self.client()?.options().clone();
        let patience = SETTLE.min(options.poll_total);
        let pause = options.poll_interval.mul_f64(1.5).min(options.poll_cap);
        loop {
            let Some(document) = self.current(write)? else {
                return Ok(None);
            };
            let state = document
                .pointer("/properties/provisioningState")
                .and_then(Value::as_str)
                .unwrap_or("Succeeded");
            if !crate::azure::is_working(state) {
                return Ok(Some(document));
            }
            if begun.elapsed() > patience {
                return Err(Error::failed(
                    "unfinished",
                    format!("{} is still {state} after {} s", write.target(), patience.as_secs()),
                )
                .on(write.target())
                .next("ferry resume RUN      asks how it ended, and goes on"));
            }
            self.tell(&Event::Wait {
                why: format!("{} is {state}", write.target()),
                seconds: pause.as_secs().max(1),
            });
            self.pause(pause)?;
        }
    }
}
