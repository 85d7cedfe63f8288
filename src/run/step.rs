//! Phases and steps: what ended is not done again; the journal answers with what it returned.

use std::collections::HashMap;

use serde_json::Value;

use super::event::{Event, State};
use super::path;
use super::record::{Record, Standing};
use super::session::{Mode, Session, lock};
use crate::error::Error;
use crate::types::json;

/// The phases whose steps are not replayed: what they saw earlier proves nothing.
const SEEN_ANEW: [&str; 2] = ["verify", super::refresh::PHASE];
/// The phase that looks, which a run that is held to a plan does anew each time.
const PREPARE: &str = "prepare";

impl Session {
    /// Runs a phase, unless it has ended: then its recorded result is given.
    ///
    /// # Errors
    /// Those of `body`; `step-changed` when a finished step was not asked for again; those of the journal.
    pub fn phase<E: From<Error>>(&self, name: &str, body: impl FnOnce() -> Result<Value, E>) -> Result<Value, E> {
        if let Some(result) = self.ledger(|ledger| ledger.phase_result(name).cloned()) {
            self.tell(&Event::Phase {
                name: name.to_owned(),
                state: State::Replayed,
            });
            return Ok(result);
        }
        self.write(Record::Phase { name: name.to_owned() })?;
        self.settle()?;
        self.tell(&Event::Phase {
            name: name.to_owned(),
            state: State::Started,
        });
        let outcome = path::with(vec![name.to_owned()], body);
        match outcome {
            Ok(result) => {
                self.refuse_secrets(&format!("the result of {name}"), &result)?;
                self.refuse_vanished(name)?;
                self.hold_phase_to_plan(name, &result)?;
                self.write(Record::PhaseDone {
                    name: name.to_owned(),
                    result: result.clone(),
                })?;
                let state = if self.mode() == Mode::Plan {
                    State::Planned
                } else {
                    State::Done
                };
                self.tell(&Event::Phase {
                    name: name.to_owned(),
                    state,
                });
                Ok(result)
            }
            Err(error) => {
                self.tell(&Event::Phase {
                    name: name.to_owned(),
                    state: State::Failed,
                });
                Err(error)
            }
        }
    }

    /// Runs a step below the one that this thread is in, unless it has ended: then its recorded value is given.
    ///
    /// `input` is what the step works on, where it is known: a finished step that gets another one is an error.
    ///
    /// # Errors
    /// Those of `body`; `step-twice` when the path was used already; `step-changed`; those of the journal.
    pub fn step<E: From<Error>>(
        &self,
        name: &str,
        input: Option<&Value>,
        body: impl FnOnce() -> Result<Value, E>,
    ) -> Result<Value, E> {
        self.step_at(&[name.to_owned()], input, body)
    }

    /// Runs a step whose result, and those of the steps in it, are not kept: a resumed run does it again. For what must
    /// be seen as it is now.
    ///
    /// # Errors
    /// As [`Session::step`].
    pub fn step_afresh<E: From<Error>>(&self, name: &str, body: impl FnOnce() -> Result<Value, E>) -> Result<Value, E> {
        let mut segments = path::current();
        segments.push(name.to_owned());
        lock(&self.fresh).insert(path::printed(&segments));
        self.step_at(&[name.to_owned()], None, body)
    }

    /// Whether the result of a step is written down: not in verification, which proves nothing later, nor below a
    /// step that is taken afresh, nor where a look is compared with a plan.
    pub(super) fn is_kept(&self, segments: &[String]) -> bool {
        let fresh = lock(&self.fresh);
        let below_fresh =
            !fresh.is_empty() && (1..=segments.len()).any(|n| fresh.contains(&path::printed(&segments[..n])));
        let anew =
            |phase: &String| SEEN_ANEW.contains(&phase.as_str()) || (phase == PREPARE && self.held.get().is_some());
        !segments.first().is_some_and(anew) && !below_fresh
    }

    /// As [`Session::step`], with several segments below the current step.
    ///
    /// # Errors
    /// As [`Session::step`], and `secret-in-name`.
    pub fn step_at<E: From<Error>>(
        &self,
        below: &[String],
        input: Option<&Value>,
        body: impl FnOnce() -> Result<Value, E>,
    ) -> Result<Value, E> {
        self.refuse_secret_names(below)?;
        let mut segments = path::current();
        segments.extend_from_slice(below);
        let printed = path::printed(&segments);
        // Outside of a run nothing is replayed, and a prompt may use a name again and again.
        if self.mode() != Mode::Explore && !lock(&self.visited).insert(printed.clone()) {
            return Err(
                Error::failed("step-twice", format!("the step {printed} was begun twice"))
                    .untouched("nothing was sent by the second one")
                    .next("give each step its own name, and each item of run::each its own id")
                    .into(),
            );
        }
        let digest = input.map(json::digest);
        let kept = self.is_kept(&segments);
        let recorded = self.ledger(|ledger| ledger.steps.get(&printed).cloned());
        if let Some((recorded, value)) = recorded.filter(|_| kept) {
            if is_other(recorded.as_ref(), digest.as_ref()) {
                return Err(self.step_changed(&printed, OTHER_INPUT).into());
            }
            if self.is_rehearsal() {
                self.rehearse(segments, body)?;
                return Ok(value);
            }
            self.tell(&Event::Step {
                path: printed,
                state: State::Replayed,
                items: None,
            });
            return Ok(value);
        }
        self.tell(&Event::Step {
            path: printed.clone(),
            state: State::Started,
            items: None,
        });
        match path::with(segments, body) {
            Ok(value) => {
                self.refuse_secrets(&format!("the result of {printed}"), &value)?;
                if kept && self.mode() != Mode::Explore {
                    self.write(Record::Step {
                        path: printed.clone(),
                        input: digest,
                        value: value.clone(),
                    })?;
                }
                let state = if self.mode() == Mode::Plan {
                    State::Planned
                } else {
                    State::Done
                };
                self.tell(&Event::Step {
                    path: printed,
                    state,
                    items: None,
                });
                Ok(value)
            }
            Err(error) => {
                self.tell(&Event::Step {
                    path: printed,
                    state: State::Failed,
                    items: None,
                });
                Err(error)
            }
        }
    }

    /// Refuses a list of items before any of them is begun, where the journal has finished ones that now look
    /// different, or that are not in it any more. `items` are the segments below `name`, each with its input.
    ///
    /// # Errors
    /// `step-changed`.
    pub fn refuse_changed_items(&self, name: &str, items: &[(&[String], &Value)]) -> Result<(), Error> {
        let mut list = path::current();
        list.push(name.to_owned());
        if !self.is_kept(&list) {
            return Ok(());
        }
        let within = format!("{}/", path::printed(&list));
        let inputs: HashMap<String, &Value> = items
            .iter()
            .map(|(segments, input)| (format!("{within}{}", path::printed(segments)), *input))
            .collect();
        let finished: Vec<(String, Option<String>)> = self.ledger(|ledger| {
            let steps = ledger.steps.iter().filter(|(path, _)| path.starts_with(&within));
            steps.map(|(path, (input, _))| (path.clone(), input.clone())).collect()
        });
        for (path, recorded) in finished {
            match inputs.get(&path) {
                Some(input) if is_other(recorded.as_ref(), Some(&json::digest(input))) => {
                    return Err(self.step_changed(&path, OTHER_INPUT));
                }
                Some(_) => {}
                // Steps inside an item are asked for, or not, when the item is begun.
                None if above(&path).any(|item| inputs.contains_key(item)) => {}
                None => return Err(self.step_changed(&path, VANISHED)),
            }
        }
        Ok(())
    }

    /// A finished step that the script did not ask for again means that the script is another one.
    fn refuse_vanished(&self, phase: &str) -> Result<(), Error> {
        let visited = lock(&self.visited);
        let prefix = format!("{phase}/");
        let vanished = self.ledger(|ledger| {
            let unasked = ledger
                .steps
                .keys()
                .filter(|path| path.starts_with(&prefix) && !visited.contains(*path));
            // Steps inside a finished step are not visited again, and need not be.
            let is_inside =
                |path: &str| above(path).any(|outer| visited.contains(outer) && ledger.steps.contains_key(outer));
            unasked.filter(|path| !is_inside(path)).min().cloned()
        });
        match vanished {
            Some(path) => Err(self.step_changed(&path, VANISHED)),
            None => Ok(()),
        }
    }

    /// The error of a replay that is another one than the journal's.
    pub(super) fn step_changed(&self, path: &str, how: &str) -> Error {
        let done = self.ledger(|ledger| {
            let done = ledger.changes.iter().filter(|change| change.standing == Standing::Done);
            done.filter(|change| !change.already).count()
        });
        let mut error = Error::failed(
            "step-changed",
            format!("the run was not resumed: the finished step {path} {how}"),
        );
        if self.is_rehearsal() {
            error = error.untouched("the journal and Azure; no request was sent that changes something");
        } else {
            error = error.untouched("what was done stays done, and is in the journal; nothing more was sent");
        }
        if self.options.with_current_scripts {
            error = error.next(
                "ferry resume RUN      without --with-current-scripts: finishes with the scripts that the run began with",
            );
        }
        if done > 0 {
            error = error.next(format!(
                "ferry rollback RUN      undoes its {done} change(s), newest first"
            ));
        }
        error
    }
}

const OTHER_INPUT: &str = "now works on something else";
const VANISHED: &str = "is not asked for any more";

/// Whether a step that had this input now has another one. One of the two may not be known.
fn is_other(recorded: Option<&String>, now: Option<&String>) -> bool {
    recorded.is_some() && now.is_some() && recorded != now
}

/// The printed paths that a printed path lies below, outermost first.
fn above(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}
