//! Rollback: what a run did is taken back, newest first, from the journal alone. No script runs.
//!
//! It removes what Ferry made and restores what it changed, each thing only where it still is as Ferry left it. What was
//! there before is left alone. A run that crossed the point of no return is refused before anything is sent.

use serde_json::Value;

use super::change::{Already, Before, Change, Probe, Undo};
use super::database;
use super::edit::{EditSet, Restored, covers};
use super::event::{Event, State};
use super::path;
use super::record::{self, Finding, Record, Standing};
use super::session::Session;
use crate::error::{Error, Kind};

/// The phase that a rollback's own requests belong to.
const PHASE: &str = "rollback";

/// What a rollback came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct RolledBack {
    /// Changes that were taken back, also by earlier processes.
    pub undone: usize,
    /// Changes that were so before the run, and stay.
    pub kept: usize,
    /// Changes that could not be taken back: each is a finding.
    pub left: usize,
}

/// How one change was taken back.
enum Outcome {
    /// It stands as it did before the run.
    Undone,
    /// It stands as it is, for this reason.
    Left(&'static str, String),
}

impl Session {
    /// Takes back every change of the run that is in place, newest first. Called again, it goes on where it was stopped.
    ///
    /// # Errors
    /// `point-of-no-return` before anything is sent, when a change that cannot be taken back ended the old identity;
    /// `rollback-incomplete`, a difference, when something was left as it is; those of Azure and of the journal.
    pub fn rollback(&self) -> Result<RolledBack, Error> {
        self.roll_back().map_err(|error| self.hide_error(error))
    }

    fn roll_back(&self) -> Result<RolledBack, Error> {
        self.refuse_beyond_return()?;
        if !self.ledger(|ledger| ledger.rolling_back) {
            self.write(Record::RollingBack)?;
        }
        self.settle()?;
        // What was settled may be the very deletion.
        self.refuse_beyond_return()?;
        self.tell_phase(State::Started);
        let outcome = path::with(vec![PHASE.to_owned()], || self.take_back_all());
        self.tell_phase(if outcome.is_ok() { State::Done } else { State::Failed });
        outcome
    }

    fn tell_phase(&self, state: State) {
        self.tell(&Event::Phase {
            name: PHASE.to_owned(),
            state,
        });
    }

    fn refuse_beyond_return(&self) -> Result<(), Error> {
        let crossed = self.ledger(|ledger| {
            ledger.changes.iter().find_map(|change| match &change.intended.undo {
                Undo::NoReturn(why) if change.standing == Standing::Done && !change.already => {
                    Some((change.intended.action.write().target().to_owned(), why.clone()))
                }
                _ => None,
            })
        });
        let Some((target, why)) = crossed else { return Ok(()) };
        let run = self.run_id().unwrap_or("RUN");
        Err(Error::failed(
            "point-of-no-return",
            format!("the run was not rolled back, it is past the point of no return: {why}"),
        )
        .on(target)
        .untouched("everything: no request was sent")
        .next(format!(
            "ferry show {run}      has what was done; a new relocation can carry the new identity back to its old region"
        )))
    }

    fn take_back_all(&self) -> Result<RolledBack, Error> {
        let changes = self.ledger(|ledger| ledger.changes.clone());
        let mut sum = RolledBack::default();
        let mut left = Vec::new();
        for change in changes.iter().rev() {
            match change.standing {
                Standing::Undone => sum.undone += 1,
                Standing::Done if change.already => sum.kept += 1,
                Standing::Done => match self.take_back(change, !left.is_empty())? {
                    Outcome::Undone => {
                        self.write(Record::Undone {
                            change: change.intended.change,
                        })?;
                        self.tell_taken(change, State::Undone);
                        sum.undone += 1;
                    }
                    Outcome::Left(code, why) => {
                        self.tell_taken(change, State::Failed);
                        self.finding(Finding {
                            severity: "difference".into(),
                            code: code.into(),
                            target: change.intended.action.write().target().to_owned(),
                            message: format!("{} was not taken back: {why}", change.intended.what),
                        })?;
                        left.push(change.intended.what.clone());
                        sum.left += 1;
                    }
                },
                Standing::Intended | Standing::Failed => {}
            }
        }
        if left.is_empty() {
            return Ok(sum);
        }
        let run = self.run_id().unwrap_or("RUN");
        Err(Error::failed(
            "rollback-incomplete",
            format!(
                "{} change(s) were taken back, {} stand as they are: {}",
                sum.undone,
                sum.left,
                left.join("; ")
            ),
        )
        .kind(Kind::Difference)
        .untouched("what others changed since, and what needs it")
        .next(format!("ferry show {run}      has a finding for each"))
        .next(format!(
            "ferry rollback {run}      tries those again, once they are put right"
        )))
    }

    /// Takes one change back. `behind` says that something which came later could not be taken back.
    fn take_back(&self, change: &record::Change, behind: bool) -> Result<Outcome, Error> {
        let intended = &change.intended;
        // An earlier process was about to take it back, and did not come to say whether it did.
        let edits = matches!(intended.undo, Undo::Edit(_));
        if change.undoing && !edits && intended.probe.can_tell() && !self.in_place(intended)?.0 {
            return Ok(Outcome::Undone);
        }
        let write = match &intended.undo {
            Undo::NoReturn(why) | Undo::Never(why) => return Ok(Outcome::Left("not-undone", why.clone())),
            Undo::Edit(edit) => return self.restore(change, edit),
            Undo::Send(write) => write.clone(),
            Undo::Created(collection) => match self.made(change)? {
                Some(id) => {
                    let mut write = collection.as_method("DELETE");
                    write.path = format!("{}/{id}", collection.path);
                    write
                }
                None => return Ok(Outcome::Undone),
            },
        };
        match (write.method.as_str(), &intended.probe) {
            // What Ferry made is removed, unless somebody has made it theirs.
            ("DELETE", Probe::Shows(ours)) => match self.current(&write)? {
                None => return Ok(Outcome::Undone),
                Some(now) if !covers(&now, ours) => {
                    return Ok(Outcome::Left(
                        "changed-since",
                        "it is not as Ferry wrote it any more".into(),
                    ));
                }
                Some(_) if behind && intended.op == "identity::create" => {
                    let why = "something that was left may still need it".to_owned();
                    return Ok(Outcome::Left("kept-identity", why));
                }
                Some(_) => {}
            },
            // What Ferry removed is put back, unless something else stands there now.
            ("PUT", Probe::Gone) => {
                if let Some(now) = self.current(&write)? {
                    let same = write.body.as_ref().is_some_and(|body| covers(&now, body));
                    return Ok(if same {
                        Outcome::Undone
                    } else {
                        Outcome::Left("changed-since", "something else stands there now".into())
                    });
                }
            }
            _ => {}
        }
        match self.send_back(change, Change::send(&intended.op, &intended.what, write)) {
            Ok(()) => Ok(Outcome::Undone),
            Err(error) => match database::left_by(&error) {
                Some(code) => Ok(Outcome::Left(code, error.message)),
                None => Err(error),
            },
        }
    }

    /// The id of what a change made: as Azure answered, or, where the answer was lost, as its list shows it.
    fn made(&self, change: &record::Change) -> Result<Option<String>, Error> {
        let id = |value: &Value| value.get("id").and_then(Value::as_str).map(str::to_owned);
        if let Some(id) = id(&change.outcome) {
            return Ok(Some(id));
        }
        let (Probe::Listed { list, .. }, Some(body)) = (&change.intended.probe, &change.intended.action.write().body)
        else {
            return Ok(None);
        };
        Ok(self.list(list)?.iter().find(|row| is_from(row, body)).and_then(id))
    }

    /// Restores the values of a document that still are what Ferry wrote.
    fn restore(&self, change: &record::Change, edit: &EditSet) -> Result<Outcome, Error> {
        let document = match self.whole(edit) {
            Ok(document) => document,
            // With the document all that was written in it is gone.
            Err(error) if error.is_not_found() => return Ok(Outcome::Undone),
            Err(error) => return Err(error),
        };
        let mut others = Vec::new();
        let mut ours = edit.clone();
        let mut restored = document;
        ours.edits.retain(|one| match one.restore(&mut restored) {
            Restored::Still => true,
            Restored::Already => false,
            Restored::Changed => {
                others.push(one.pointer.clone());
                false
            }
        });
        if !ours.edits.is_empty() {
            let mut back = Change::edit(&change.intended.op, &change.intended.what, ours);
            back.effect.clone_from(&change.intended.effect);
            self.send_back(change, back)?;
        }
        if others.is_empty() {
            return Ok(Outcome::Undone);
        }
        let why = format!("{} is not what Ferry wrote any more", others.join(", "));
        Ok(Outcome::Left("changed-since", why))
    }

    /// Sends the way back of a change, having written down that it is under way.
    fn send_back(&self, change: &record::Change, mut back: Change) -> Result<(), Error> {
        back.before = Before::Unreadable;
        back.already = in_place_already(back.action.method());
        self.write(Record::Undoing {
            change: change.intended.change,
        })?;
        self.tell_taken(change, State::Started);
        match self.send_with_lag(&back) {
            Ok(_) => Ok(()),
            Err(error) if error.kind == Kind::Interrupted => Err(error),
            Err(error) => {
                let run = self.run_id().unwrap_or("RUN");
                Err(error
                    .untouched(format!(
                        "{} and all changes before it stand as the run left them; later ones are taken back",
                        change.intended.what
                    ))
                    .next(format!("ferry rollback {run}      goes on from here")))
            }
        }
    }

    fn tell_taken(&self, change: &record::Change, status: State) {
        let intended = &change.intended;
        self.tell(&Event::Change {
            seq: intended.change,
            phase: PHASE.to_owned(),
            step: intended.step.clone(),
            op: intended.op.clone(),
            method: match &intended.undo {
                Undo::Send(write) => write.method.clone(),
                Undo::Edit(edit) => edit.write.method.clone(),
                Undo::Created(_) => "DELETE".to_owned(),
                Undo::Never(_) | Undo::NoReturn(_) => String::new(),
            },
            target: intended.action.write().target().to_owned(),
            what: intended.what.clone(),
            effect: intended.effect.clone(),
            status,
        });
    }
}

/// Answers that say that it is so already: the way back of a change is an ensure like any other.
fn in_place_already(method: &str) -> Vec<Already> {
    let says = |status, says| Already { status, says };
    match method {
        "DELETE" => vec![says(404, "")],
        "PUT" => vec![says(409, "RoleAssignmentExists")],
        "POST" => vec![says(400, "already exist"), says(400, "conflicting object")],
        _ => Vec::new(),
    }
}

/// Whether a row of a list is what a request asked for: every member of the body is in it.
fn is_from(row: &Value, body: &Value) -> bool {
    body.as_object().is_some_and(|body| {
        body.iter()
            .filter(|(name, _)| !name.starts_with('@'))
            .all(|(name, value)| row.get(name).is_some_and(|there| covers(there, value)))
    })
}

#[cfg(test)]
mod tests {
    use super::super::edit::Edit;
    use super::*;
    use serde_json::json;

    fn back(from: Value, to: Value) -> Edit {
        Edit {
            pointer: "/tags/owner".into(),
            from,
            to,
            key: false,
        }
    }

    #[test]
    fn a_value_is_restored_only_where_it_is_still_what_ferry_wrote() {
        let ours = json!({"tags": {"owner": "new"}});
        let restored = json!({"tags": {"owner": "old"}});
        let theirs = json!({"tags": {"owner": "somebody"}});
        let gone = json!({"tags": {}});
        for (edit, document, found) in [
            (back(json!("new"), json!("old")), &ours, Restored::Still),
            (back(json!("new"), json!("old")), &restored, Restored::Already),
            (back(json!("new"), json!("old")), &theirs, Restored::Changed),
            (back(json!("new"), json!("old")), &gone, Restored::Changed),
            // What Ferry added goes, unless it has become another's.
            (back(json!("new"), Value::Null), &ours, Restored::Still),
            (back(json!("new"), Value::Null), &gone, Restored::Already),
            (back(json!("new"), Value::Null), &theirs, Restored::Changed),
            // What Ferry removed comes back, unless something else took its place.
            (back(Value::Null, json!("old")), &gone, Restored::Still),
            (back(Value::Null, json!("old")), &restored, Restored::Already),
            (back(Value::Null, json!("old")), &theirs, Restored::Changed),
        ] {
            assert_eq!(edit.restore(&mut document.clone()), found, "{edit:?} in {document}");
        }
    }

    #[test]
    fn a_missing_parent_is_not_taken_for_something_put_back() {
        assert!(in_place_already("PUT").iter().all(|answer| answer.status != 404));
        assert!(in_place_already("DELETE").iter().any(|answer| answer.status == 404));
    }

    #[test]
    fn a_row_is_known_by_everything_that_was_asked_for() {
        let body = json!({"@odata.type": "x", "principalId": "p", "resourceId": "r"});
        assert!(is_from(
            &json!({"id": "1", "principalId": "p", "resourceId": "r"}),
            &body
        ));
        assert!(!is_from(
            &json!({"id": "2", "principalId": "p", "resourceId": "other"}),
            &body
        ));
    }
}
