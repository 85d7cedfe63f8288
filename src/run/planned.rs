//! Changes of a plan: nothing is sent; the overlay takes them in, so that later reads see them.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::change::{Action, Before, Change, Probe, Write};
use super::costs::risk_of;
use super::database;
use super::edit::EditSet;
use super::event::{Event, State};
use super::image::{Image, Images};
use super::path;
use super::placeholder;
use super::plan_file::PlannedChange;
use super::read::hidden_key;
use super::send::edit_outcome;
use super::session::{Session, lock};
use crate::error::Error;

/// A change that a plan lists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// Its number.
    pub seq: u64,
    /// The phase.
    pub phase: String,
    /// The step's path, printed.
    pub step: String,
    /// The operation.
    pub op: String,
    /// The method.
    pub method: String,
    /// The path as sent, without query.
    pub target: String,
    /// The body, without secrets.
    pub body: Value,
    /// For edits: what is turned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<Value>,
    /// What it does to workloads.
    pub effect: String,
    /// What is risky about it, each in a sentence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub risks: Vec<String>,
    /// What it is for, in a sentence.
    pub why: String,
}

impl Session {
    /// Lists the change in the plan and lets later reads see it.
    pub(super) fn plan_change(&self, change: Change) -> Result<Value, Error> {
        if self.holds_already(&change)? {
            return Ok(database::outcome(false));
        }
        let write = change.action.write().clone();
        let before = self.planned_before(&change)?;
        let (image, risk) = (
            self.image(&change, before.as_ref()),
            self.risk(&change, before.as_ref()),
        );
        let (body, edits, outcome) = match (&change.action, before) {
            (Action::Send(write), before) => {
                let shown = lock(&self.overlay).write(write, before.as_ref(), change.shows.as_ref());
                (write.body.clone().unwrap_or(Value::Null), Vec::new(), shown)
            }
            (Action::Edit(edit), before) => {
                let before = before.unwrap_or_default();
                let mut after = before.clone();
                if edit.apply(&mut after) == 0 {
                    return Ok(edit_outcome(edit, 0));
                }
                let body = edit.body(&before, &after);
                lock(&self.overlay).set(&read_key(&edit.read), after);
                let edits = edit.edits.iter().map(|edit| placeholder::shown(&json!(edit))).collect();
                (
                    if is_hidden(edit) { Value::Null } else { body },
                    edits,
                    edit_outcome(edit, edit.edits.len()),
                )
            }
        };
        let planned = Planned {
            seq: self.next_change(),
            phase: path::current().first().cloned().unwrap_or_default(),
            step: shown_step(&path::current()),
            op: change.op,
            method: write.method.clone(),
            target: self.hide_text(&placeholder::shown_path(write.target())),
            body: placeholder::shown(&self.secrets.hide(&body)),
            edits,
            effect: self.hide_text(&change.effect),
            risks: risk
                .map(|risk| self.hide_text(&shown_text(&risk)))
                .into_iter()
                .collect(),
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
        let probe = match &change.probe {
            // These follow from the method and the body.
            Probe::Edits | Probe::Gone | Probe::Shows(_) => None,
            other => shown_as(&self.probe_without_secrets(other)),
        };
        let read = match &change.action {
            Action::Send(_) => None,
            Action::Edit(edit) => Some(placeholder_free(&edit.read)),
        };
        self.add_planned(PlannedChange {
            shown: planned,
            query: placeholder_free(&write).query,
            plane: write.plane,
            read,
            probe,
            before: image,
        });
        Ok(outcome)
    }

    /// The document that a request meets, as the plan's overlay, or else the cloud, shows it.
    fn planned_before(&self, change: &Change) -> Result<Option<Value>, Error> {
        match (&change.action, &change.before) {
            (Action::Edit(edit), _) => self.for_edit(edit).map(Some),
            (_, Before::Known(document)) => Ok(document.clone()),
            (Action::Send(write), Before::Read) if !placeholder::is_in(&write.path) => self.current(write),
            _ => Ok(None),
        }
    }

    /// What stands at the target in the cloud, for the plan's file; none where it cannot be read, or where the plan itself
    /// has changed it before.
    fn image(&self, change: &Change, before: Option<&Value>) -> Option<Image> {
        let (read, hidden) = match &change.action {
            Action::Send(write) => (read_key(&write.as_method("GET")), false),
            Action::Edit(edit) => (read_key(&edit.read), is_hidden(edit)),
        };
        let unread = matches!(change.action, Action::Send(_)) && change.before == Before::Unreadable;
        if unread || lock(&self.overlay).knows(&read) {
            return None;
        }
        let is_secret = |text: &str| self.secrets.holds(text);
        let images = Images {
            salt: &self.salt,
            is_secret: &is_secret,
            open: false,
        };
        Some(match before.filter(|document| !document.is_null()) {
            Some(document) => Image::Document(images.of(document, hidden)),
            None => Image::Absent,
        })
    }

    /// What is risky about how the change would be taken back.
    fn risk(&self, change: &Change, before: Option<&Value>) -> Option<String> {
        if let Some(undo) = &change.undo {
            return risk_of(undo);
        }
        let nothing = Value::Null;
        let before = (change.before != Before::Unreadable).then(|| before.unwrap_or(&nothing));
        risk_of(&self.derive_undo(&change.action, before))
    }

    /// The document of an edit as the plan's overlay, or else the cloud, shows it.
    fn for_edit(&self, edit: &EditSet) -> Result<Value, Error> {
        if edit.read.method.eq_ignore_ascii_case("POST") {
            return self.read_by_post(&edit.read);
        }
        let document = self.get(&edit.read)?.ok_or_else(|| vanished(edit.read.target()))?;
        self.fill(edit, document)
    }
}

/// Where the overlay keeps what a request reads.
fn read_key(read: &Write) -> String {
    if read.method.eq_ignore_ascii_case("POST") {
        hidden_key(read.target())
    } else {
        read.target().to_owned()
    }
}

/// Whether a document holds what only an action shows.
pub(super) fn is_hidden(edit: &EditSet) -> bool {
    edit.read.method.eq_ignore_ascii_case("POST") || !edit.fills.is_empty()
}

/// A step's path as it is printed in a plan.
pub(super) fn shown_step(path: &[String]) -> String {
    let shown: Vec<String> = path
        .iter()
        .map(|segment| {
            if placeholder::is_in(segment) {
                placeholder::SHOWN.to_owned()
            } else {
                segment.clone()
            }
        })
        .collect();
    path::printed(&shown)
}

/// Plain data in which what only Azure can give is shown so.
fn shown_as<T: Serialize + DeserializeOwned>(data: &T) -> Option<T> {
    let value = serde_json::to_value(data).ok()?;
    serde_json::from_value(placeholder::shown(&value)).ok()
}

/// A request without its body and headers, in which what only Azure can give is shown so.
fn placeholder_free(write: &Write) -> Write {
    Write {
        path: placeholder::shown_path(&write.path),
        query: shown_as(&write.query).unwrap_or_default(),
        headers: Vec::new(),
        body: None,
        ..write.clone()
    }
}

fn vanished(target: &str) -> Error {
    Error::failed("vanished", "the document that was to be edited is not there any more")
        .on(target)
        .untouched("nothing was sent for it")
        .next("leave it out, or restore it; then ferry resume RUN")
}

pub(super) fn shown_text(text: &str) -> String {
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
