//! Changes of a plan: nothing is sent; the overlay takes them in, so that later reads see them.

use serde_json::{Value, json};

use super::change::{Action, Before, Change};
use super::edit::EditSet;
use super::event::{Event, State};
use super::path;
use super::placeholder;
use super::read::hidden_key;
use super::send::edit_outcome;
use super::session::{Planned, Session, lock};
use crate::error::Error;

impl Session {
    /// Lists the change in the plan and lets later reads see it.
    pub(super) fn plan_change(&self, change: Change) -> Result<Value, Error> {
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
            target: self.hide_text(&placeholder::shown_path(write.target())),
            body: placeholder::shown(&self.secrets.hide(&body)),
            edits,
            effect: self.hide_text(&change.effect),
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
        let document = self.get(&edit.read)?.ok_or_else(|| vanished(edit.read.target()))?;
        self.fill(edit, document)
    }
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
