//! Making changes: intent before the request, the end after it, and what a dead process left settled first.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::change::{Action, Before, Change, Probe, Undo, Write};
use super::edit::{Edit, EditSet, Form, covers};
use super::event::{Event, State};
use super::overlay::Seen;
use super::path;
use super::placeholder;
use super::read::hidden_key;
use super::record::{self, Intended, Record, Standing};
use super::session::{Mode, Planned, Session, lock, printed_path};
use crate::error::Error;
use crate::store::redact::HIDDEN;
use crate::types::json as documents;

/// How long a new principal may take to be known everywhere.
const LAG: Duration = Duration::from_secs(600);
/// How long an accepted write may take to become a terminal state while it is settled.
const SETTLE: Duration = Duration::from_secs(1_800);

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
        if self.mode() == Mode::Plan {
            return self.plan_change(change);
        }
        let key = self.key(&change.action);
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
        if let Action::Edit(edit) = &change.action {
            let document = self.fetch(&edit.read)?;
            if edit.in_place(&document) {
                return Ok(edit_outcome(edit, 0));
            }
        }
        let before = match change.before.clone() {
            Before::Read => self.current(change.action.write())?.map_or(Some(Value::Null), Some),
            Before::Known(document) => Some(document.unwrap_or(Value::Null)),
            Before::Unreadable => None,
        };
        let undo = change
            .undo
            .clone()
            .unwrap_or_else(|| self.derive_undo(&change.action, before.as_ref()));
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
                what: self.hide_text(&change.what),
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
        match self.send_with_lag(&change) {
            Ok(Sent {
                outcome,
                request_id,
                already,
            }) => {
                let outcome = self.secrets.hide(&outcome);
                let number = intended.change;
                self.write(Record::Done {
                    change: number,
                    outcome: outcome.clone(),
                    request_id,
                    already,
                    settled: false,
                })?;
                self.tell_change(&intended, State::Done);
                Ok(outcome)
            }
            // A request that was cut off by Ctrl-C has no end yet: it is settled when the run goes on.
            Err(error) if error.kind == crate::error::Kind::Interrupted => Err(error),
            // Sent, and its end not known: Azure itself is asked.
            Err(error) if error.unclear => match self.in_place(&intended) {
                Ok((true, outcome)) => self.record_settled(&intended, &outcome),
                Ok((false, _)) => self.record_failed(&intended, error),
                // Nobody knows. It stays intended, and is settled when the run goes on.
                Err(_) => Err(error),
            },
            Err(error) => self.record_failed(&intended, error),
        }
    }

    fn record_failed(&self, intended: &Intended, error: Error) -> Result<Value, Error> {
        let mut shown = error.clone();
        shown.message = self.hide_text(&shown.message);
        self.write(Record::Failed { change: intended.change, error: Box::new(shown) })?;
        self.tell_change(intended, State::Failed);
        Err(error)
    }

    /// Writes down that a change was found in place; answers what it would have answered.
    fn record_settled(&self, intended: &Intended, outcome: &Value) -> Result<Value, Error> {
        let outcome = self.secrets.hide(outcome);
        let change = intended.change;
        self.write(Record::Done { change, outcome: outcome.clone(), request_id: None, already: false, settled: true })?;
        self.tell_change(intended, State::Done);
        Ok(outcome)
    }

    /// Lists the change in the plan and lets later reads see it.
    fn plan_change(&self, change: Change) -> Result<Value, Error> {
        let write = change.action.write().clone();
        let (body, edits, outcome) = match &change.action {
            Action::Send(write) => {
                let before = match &change.before {
                    Before::Known(document) => document.clone(),
                    Before::Read if !placeholder::is_in(&write.path) => self.current(write)?,
                    _ => None,
                };
                let shown = lock(&self.overlay).write(write, before.as_ref(), change.shows.as_ref());
                (write.body.clone().unwrap_or(Value::Null), Vec::new(), shown)
            }
            Action::Edit(edit) => {
                let before = self.for_edit(edit)?;
                let mut after = before.clone();
                if edit.apply(&mut after) == 0 {
                    return Ok(edit_outcome(edit, 0));
                }
                let body = edit.body(&before, &after);
                let hidden = edit.read.method.eq_ignore_ascii_case("POST") || !edit.fills.is_empty();
                let key = if edit.read.method.eq_ignore_ascii_case("POST") {
                    hidden_key(edit.read.target())
                } else {
                    edit.read.target().to_owned()
                };
                lock(&self.overlay).set(&key, after);
                let edits = edit.edits.iter().map(|edit| placeholder::shown(&json!(edit))).collect();
                (
                    if hidden { Value::Null } else { body },
                    edits,
                    edit_outcome(edit, edit.edits.len()),
                )
            }
        };
        let planned = Planned {
            seq: self.next_change(),
            phase: path::current().first().cloned().unwrap_or_default(),
            step: path::printed(
                &path::current()
                    .iter()
                    .map(|s| {
                        if placeholder::is_in(s) {
                            placeholder::SHOWN.to_owned()
                        } else {
                            s.clone()
                        }
                    })
                    .collect::<Vec<_>>(),
            ),
            op: change.op,
            method: write.method.clone(),
            target: placeholder::shown_path(write.target()),
            body: placeholder::shown(&self.secrets.hide(&body)),
            edits,
            effect: change.effect,
            why: self.hide_text(&shown_text(&change.what)),
        };
        self.tell(&Event::Change {
            seq: planned.seq,
            phase: planned.phase.clone(),
            step: planned.step.clone(),
            op: planned.op.clone(),
            method: planned.method.clone(),
            target: planned.target.clone(),
            what: planned.why.clone(),
            effect: planned.effect.clone(),
            status: State::Planned,
        });
        self.add_planned(planned);
        Ok(outcome)
    }

    /// The document of an edit as the plan's overlay, or else the cloud, shows it.
    fn for_edit(&self, edit: &EditSet) -> Result<Value, Error> {
        if edit.read.method.eq_ignore_ascii_case("POST") {
            return self.read_by_post(&edit.read);
        }
        self.get(&edit.read)?.ok_or_else(|| vanished(edit.read.target()))
    }

    /// The key by which a replay finds a change.
    fn key(&self, action: &Action) -> String {
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
    fn current(&self, write: &Write) -> Result<Option<Value>, Error> {
        let read = write.as_method("GET");
        if self.mode() == Mode::Plan {
            match lock(&self.overlay).get(read.target()) {
                Seen::Document(document) => return Ok(Some(document)),
                Seen::Gone => return Ok(None),
                Seen::Cloud => {}
            }
        }
        match self.fetch(&read) {
            Ok(document) => Ok(Some(document)),
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

    /// The way back that follows from the method and from what stood there before.
    fn derive_undo(&self, action: &Action, before: Option<&Value>) -> Undo {
        let Action::Send(write) = action else {
            return Undo::Never("an edit brings its own way back".into());
        };
        match (write.method.as_str(), before) {
            ("PUT", Some(Value::Null)) => Undo::Send(write.as_method("DELETE")),
            ("PUT" | "PATCH", Some(before)) => {
                let body = write.body.clone().unwrap_or(Value::Null);
                let mut edits = Vec::new();
                leaf_edits(before, &body, write.method == "PUT", String::new(), &mut edits);
                if edits
                    .iter()
                    .any(|edit| self.secrets.any(&edit.from) || self.secrets.any(&edit.to))
                {
                    return Undo::Never("what stood there holds secrets, which are never stored".into());
                }
                let form = if write.method == "PUT" {
                    Form::Whole
                } else {
                    Form::Merge
                };
                let set = EditSet {
                    read: write.as_method("GET"),
                    write: Write {
                        body: None,
                        ..write.clone()
                    },
                    form,
                    edits,
                    fills: vec![],
                    read_only: vec![],
                };
                Undo::Edit(set.reversed())
            }
            ("DELETE", Some(before)) if !before.is_null() => {
                if self.secrets.any(before) {
                    return Undo::Never("what stood there holds secrets, which are never stored".into());
                }
                Undo::Send(write.as_method("PUT").with_body(before.clone()))
            }
            _ => Undo::Never(format!("a {} whose way back is not known", write.method)),
        }
    }

    fn without_secrets(&self, action: &Action) -> Action {
        match action {
            Action::Send(write) => Action::Send(Write {
                body: write.body.as_ref().map(|body| self.secrets.hide(body)),
                ..write.clone()
            }),
            Action::Edit(edit) => {
                let edits = edit
                    .edits
                    .iter()
                    .map(|e| Edit {
                        from: self.secrets.hide(&e.from),
                        to: self.secrets.hide(&e.to),
                        ..e.clone()
                    })
                    .collect();
                Action::Edit(EditSet { edits, ..edit.clone() })
            }
        }
    }

    fn probe_without_secrets(&self, probe: &Probe) -> Probe {
        match probe {
            Probe::Shows(wanted) => Probe::Shows(drop_hidden(&self.secrets.hide(wanted))),
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

    /// Sends a change; a principal that has not replicated yet is waited for, visibly and not forever.
    fn send_with_lag(&self, change: &Change) -> Result<Sent, Error> {
        let begun = Instant::now();
        let mut pause = Duration::from_millis(400);
        let mut known = false;
        loop {
            let error = match self.send_once(change) {
                Ok(sent) => return Ok(sent),
                Err(error) => error,
            };
            let Some(principal) = change.principal.as_deref().filter(|_| lags(&error)) else {
                return Err(error);
            };
            if !known {
                known = self.principal_exists(principal)?;
            }
            if !known || begun.elapsed() > LAG {
                return Err(error);
            }
            let left = (LAG - begun.elapsed().min(LAG)).as_secs();
            self.tell(&Event::Wait {
                why: format!(
                    "the directory does not show the new principal {principal} everywhere yet (at most {left} s more)"
                ),
                seconds: pause.as_secs().max(1),
            });
            self.pause(pause)?;
            pause = (pause * 3 / 2).min(Duration::from_secs(15));
        }
    }

    /// Whether a principal exists, though not everywhere yet: its identity shows it, or Graph knows it.
    fn principal_exists(&self, principal: &str) -> Result<bool, Error> {
        if let Some(resource) = self.resource_of(principal) {
            let read = Write::arm("GET", &resource, super::IDENTITY_API);
            let shown = self.get(&read)?.is_some_and(|identity| {
                identity
                    .pointer("/properties/principalId")
                    .and_then(Value::as_str)
                    .is_some_and(|id| id.eq_ignore_ascii_case(principal))
            });
            if shown {
                return Ok(true);
            }
        }
        let read = Write::graph("GET", &format!("/v1.0/servicePrincipals/{principal}"));
        Ok(self.get(&read)?.is_some())
    }

    fn send_once(&self, change: &Change) -> Result<Sent, Error> {
        let sent = match &change.action {
            Action::Send(write) => self.transmit(write),
            Action::Edit(edit) => return self.send_edit(edit),
        };
        match sent {
            Ok(response) => Ok(Sent {
                outcome: response.body,
                request_id: response.request_id,
                already: false,
            }),
            Err(error) => {
                let already = error.azure.as_ref().is_some_and(|said| {
                    change.already.iter().any(|known| {
                        said.status == known.status
                            && (said.message.to_lowercase().contains(&known.says.to_lowercase())
                                || said.code.eq_ignore_ascii_case(known.says))
                    })
                });
                if already {
                    let request_id = error.azure.and_then(|said| said.request_id);
                    return Ok(Sent {
                        outcome: Value::Null,
                        request_id,
                        already: true,
                    });
                }
                Err(error)
            }
        }
    }

    fn transmit(&self, write: &Write) -> Result<crate::azure::Response, Error> {
        let client = self.client()?;
        let request = write.request();
        self.block(client.complete(&request))
    }

    /// Fresh read, edits, conditional write; again when somebody else wrote in between.
    fn send_edit(&self, edit: &EditSet) -> Result<Sent, Error> {
        for attempt in 1.. {
            let client = self.client()?;
            let request = edit.read.request();
            let (before, etag) = if edit.read.method.eq_ignore_ascii_case("POST") {
                (self.read_by_post(&edit.read)?, None)
            } else {
                let response = self.block(client.send(&request))?;
                let etag = response
                    .etag()
                    .map(str::to_owned)
                    .or_else(|| response.body.get("etag").and_then(Value::as_str).map(str::to_owned));
                (response.body, etag)
            };
            let before = self.fill(edit, before)?;
            let mut after = before.clone();
            let changed = edit.apply(&mut after);
            if changed == 0 {
                return Ok(Sent {
                    outcome: edit_outcome(edit, 0),
                    request_id: None,
                    already: true,
                });
            }
            let mut write = Write {
                body: Some(edit.body(&before, &after)),
                ..edit.write.clone()
            };
            if let Some(etag) = etag {
                write.headers.push(("if-match".into(), etag));
            }
            match self.transmit(&write) {
                Ok(response) => {
                    return Ok(Sent {
                        outcome: edit_outcome(edit, changed),
                        request_id: response.request_id,
                        already: false,
                    });
                }
                Err(error) if attempt < 4 && error.azure.as_ref().is_some_and(|said| said.status == 412) => {}
                Err(error) => return Err(error),
            }
        }
        unreachable!("the loop returns")
    }

    /// Puts values in that the read hides and an action shows: without them a write would lose them.
    fn fill(&self, edit: &EditSet, mut document: Value) -> Result<Value, Error> {
        for fill in &edit.fills {
            let Some(Value::Array(items)) = document.pointer(&fill.at).cloned() else {
                continue;
            };
            if items.iter().all(|item| item.get(&fill.value).is_some()) {
                continue;
            }
            let shown = self.read_by_post(&fill.action)?;
            let rows = shown
                .get("value")
                .or_else(|| shown.pointer("/properties/value"))
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default();
            let filled = items
                .into_iter()
                .map(|mut item| {
                    let row = rows
                        .iter()
                        .find(|row| row.get(&fill.by).is_some() && row.get(&fill.by) == item.get(&fill.by));
                    if let (Some(value), Some(map)) = (row.and_then(|row| row.get(&fill.value)), item.as_object_mut()) {
                        map.entry(fill.value.clone()).or_insert_with(|| value.clone());
                    }
                    item
                })
                .collect();
            if let Some(place) = document.pointer_mut(&fill.at) {
                *place = Value::Array(filled);
            }
        }
        Ok(document)
    }

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
    fn in_place(&self, intended: &Intended) -> Result<(bool, Value), Error> {
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
                there,
            } => {
                let listed = self.list(list)?.iter().any(|row| {
                    row.get(member)
                        .and_then(Value::as_str)
                        .is_some_and(|found| found.eq_ignore_ascii_case(value))
                });
                Ok((listed == *there, Value::Null))
            }
            Probe::Edits => {
                let Action::Edit(edit) = &intended.action else {
                    return Ok((false, Value::Null));
                };
                if !edit.read.method.eq_ignore_ascii_case("POST") {
                    self.terminal_state(&edit.read)?;
                }
                let document = self.fetch(&edit.read)?;
                Ok((edit.in_place(&document), edit_outcome(edit, edit.edits.len())))
            }
            Probe::Unknowable => Ok((false, Value::Null)),
        }
    }

    /// The document at the target once no operation is under way on it any more; none where there is nothing.
    fn terminal_state(&self, write: &Write) -> Result<Option<Value>, Error> {
        let begun = Instant::now();
        loop {
            let Some(document) = self.current(write)? else {
                return Ok(None);
            };
            let state = document
                .pointer("/properties/provisioningState")
                .and_then(Value::as_str)
                .unwrap_or("Succeeded");
            if matches!(state, "Succeeded" | "Failed" | "Canceled") || begun.elapsed() > SETTLE {
                return Ok(Some(document));
            }
            self.tell(&Event::Wait {
                why: format!("{} is {state}", write.target()),
                seconds: 2,
            });
            self.pause(Duration::from_millis(1_500))?;
        }
    }
}

/// What a request answered.
struct Sent {
    outcome: Value,
    request_id: Option<String>,
    already: bool,
}

fn edit_outcome(edit: &EditSet, changed: usize) -> Value {
    json!({ "id": edit.write.path, "changed": changed })
}

fn vanished(target: &str) -> Error {
    Error::failed("vanished", "the document that was to be edited is not there any more")
        .on(target)
        .untouched("nothing was sent for it")
        .next("leave it out, or restore it; then ferry resume RUN")
}

fn shown_text(text: &str) -> String {
    if placeholder::is_in(text) {
        return text
            .split(' ')
            .map(|word| {
                if placeholder::is_in(word) {
                    placeholder::SHOWN
                } else {
                    word
                }
            })
            .collect::<Vec<_>>()
            .join(" ");
    }
    text.to_owned()
}

/// Whether an error is how a plane says that a principal has not replicated yet.
fn lags(error: &Error) -> bool {
    error.azure.as_ref().is_some_and(|said| {
        said.code == "PrincipalNotFound"
            || (said.status == 404 && said.code == "Request_ResourceNotFound")
            || (said.status == 400 && said.message.contains("not a valid reference"))
    })
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

/// The edits that lead from `before` to what `body` sets. A PUT also removes what it does not name, but what
/// Azure adds by itself is not told apart from that, so only members that are named count.
fn leaf_edits(before: &Value, body: &Value, whole: bool, pointer: String, edits: &mut Vec<Edit>) {
    match (before, body) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in new {
                let below = format!("{pointer}/{}", documents::escape(key));
                match documents::get_ignore_case(old, key) {
                    Some((_, was)) => leaf_edits(was, value, whole, below, edits),
                    None if value.is_null() => {}
                    None => edits.push(Edit {
                        pointer: below,
                        from: Value::Null,
                        to: value.clone(),
                        key: false,
                    }),
                }
            }
        }
        (was, now) if was == now => {}
        (was, now) => edits.push(Edit {
            pointer,
            from: was.clone(),
            to: now.clone(),
            key: false,
        }),
    }
}
