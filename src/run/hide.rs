//! What leaves a session has no secret in it: every record, every event and every error goes through here.

use serde_json::Value;

use super::change::{Action, Undo, Write};
use super::event::Event;
use super::record::{Finding, Intended, Record, Unseen};
use super::session::Session;
use crate::error::Error;
use crate::store::redact::HIDDEN;

impl Session {
    /// The text without the secrets that this session knows, or that have the shape of one.
    pub fn hide_text(&self, text: &str) -> String {
        self.secrets.hide_text(text)
    }

    /// The error without secrets: Azure may repeat in its message what it was sent, and a script may throw anything.
    #[must_use]
    pub fn hide_error(&self, mut error: Error) -> Error {
        let hide = |text: &mut String| *text = self.hide_text(text);
        hide(&mut error.code);
        hide(&mut error.message);
        error.on.iter_mut().for_each(hide);
        error.untouched.iter_mut().for_each(hide);
        error.next.iter_mut().for_each(hide);
        if let Some(said) = &mut error.azure {
            hide(&mut said.code);
            hide(&mut said.message);
        }
        error
    }

    /// Remembers that these words are no secrets, whatever settings hold them: what the run was told by its operator.
    pub fn learn_words(&self, value: &Value) {
        self.secrets.learn_words(value);
    }

    /// Refuses a value that would put a secret into the journal.
    pub(super) fn refuse_secrets(&self, what: &str, value: &Value) -> Result<(), Error> {
        if self.secrets.any(value) {
            return Err(Error::failed(
                "secret-in-result",
                format!("{what} was not written down: it holds a value that was read as a secret"),
            )
            .untouched("the journal; changes that were done stay done")
            .next("return only what later steps need: ids and pointers, not the values of settings"));
        }
        Ok(())
    }

    /// Refuses a name that would put a secret into the journal, where it could not be hidden: by it steps are found again.
    pub(super) fn refuse_secret_names(&self, names: &[String]) -> Result<(), Error> {
        let Some(name) = names.iter().find(|name| self.secrets.holds(name)) else {
            return Ok(());
        };
        Err(Error::failed(
            "secret-in-name",
            format!(
                "the step \"{}\" was not begun: its name holds a value that was read as a secret",
                self.hide_text(name)
            ),
        )
        .untouched("the journal; nothing was sent")
        .next("name steps and items by ids, not by the values of settings"))
    }

    /// Refuses a change whose journaled part would have to be hidden, though it is needed to settle it or to find it again.
    pub(super) fn refuse_secret_change(&self, what: &str, action: &Action) -> Result<(), Error> {
        let write = action.write();
        let place = if self.secrets.holds(&write.path) {
            Some("its path")
        } else {
            match action {
                Action::Edit(edit)
                    if edit
                        .edits
                        .iter()
                        .any(|edit| self.secrets.any(&edit.from) || self.secrets.any(&edit.to)) =>
                {
                    Some("one of its edits")
                }
                _ => None,
            }
        };
        let Some(place) = place else { return Ok(()) };
        Err(Error::failed(
            "secret-in-change",
            format!(
                "{} was not done: {place} holds a value that was read as a secret",
                self.hide_text(what)
            ),
        )
        .on(self.hide_text(write.target()))
        .untouched("nothing was sent, and the journal has nothing of it")
        .next("edit only the id inside a longer value: `from` and `to` are ids"))
    }

    /// The way back as a journal may hold it: one that would need a secret is none.
    pub(super) fn undo_without_secrets(&self, undo: Undo) -> Undo {
        let holds = |write: &Write| {
            let body = write.body.as_ref().is_some_and(|body| self.secrets.any(body));
            body || self.secrets.holds(&write.path) || self.hidden_parts(write) != *write
        };
        let needs = match &undo {
            Undo::Send(write) | Undo::Created(write) => holds(write),
            Undo::Edit(edit) => {
                let turned = |edit: &super::edit::Edit| self.secrets.any(&edit.from) || self.secrets.any(&edit.to);
                holds(&edit.read) || holds(&edit.write) || edit.edits.iter().any(turned)
            }
            Undo::Never(_) | Undo::NoReturn(_) => false,
        };
        if needs {
            Undo::Never("what stood there holds secrets, which are never stored".into())
        } else {
            undo
        }
    }

    /// The request with the secrets in its headers and its query hidden.
    pub(super) fn hidden_parts(&self, write: &Write) -> Write {
        const OF_KEYS: &[&str] = &[
            "authorization",
            "cookie",
            "key",
            "token",
            "secret",
            "password",
            "signature",
            "sig",
            "code",
        ];
        let hide = |pairs: &[(String, String)]| {
            let hidden = pairs.iter().map(|(name, value)| {
                let lower = name.to_lowercase();
                let named = OF_KEYS
                    .iter()
                    .any(|word| lower == *word || lower.ends_with(&format!("-{word}")));
                let value = if named {
                    HIDDEN.to_owned()
                } else {
                    self.hide_text(value)
                };
                (name.clone(), value)
            });
            hidden.collect()
        };
        Write {
            query: hide(&write.query),
            headers: hide(&write.headers),
            ..write.clone()
        }
    }

    /// A record as a journal may hold it. How a run began, and its scripts, are kept as they were given.
    pub(super) fn hidden_record(&self, record: Record) -> Record {
        match record {
            Record::Intended(intended) => Record::Intended(Box::new(Intended {
                what: self.hide_text(&intended.what),
                effect: self.hide_text(&intended.effect),
                ..*intended
            })),
            Record::Failed { change, error } => Record::Failed {
                change,
                error: Box::new(self.hide_error(*error)),
            },
            Record::Finding(finding) => Record::Finding(self.hidden_finding(finding)),
            Record::Unseen(unseen) => Record::Unseen(self.hidden_unseen(unseen)),
            Record::Note { text } => Record::Note {
                text: self.hide_text(&text),
            },
            Record::Gate {
                gate,
                text,
                digest,
                ahead,
            } => Record::Gate {
                ahead,
                gate: self.hide_text(&gate),
                text: self.hide_text(&text),
                digest,
            },
            Record::HandOver { task, text } => Record::HandOver {
                task: self.hide_text(&task),
                text: self.hide_text(&text),
            },
            Record::HandOverClosed { task, by, answer } => Record::HandOverClosed {
                task: self.hide_text(&task),
                by,
                answer: answer.map(|answer| self.hide_text(&answer)),
            },
            Record::Status { status, why } => Record::Status {
                status,
                why: why.map(|why| self.hide_text(&why)),
            },
            other => other,
        }
    }

    pub(super) fn hidden_finding(&self, finding: Finding) -> Finding {
        Finding {
            severity: finding.severity,
            code: self.hide_text(&finding.code),
            target: self.hide_text(&finding.target),
            message: self.hide_text(&finding.message),
        }
    }

    pub(super) fn hidden_unseen(&self, unseen: Unseen) -> Unseen {
        Unseen {
            scope: self.hide_text(&unseen.scope),
            why: self.hide_text(&unseen.why),
            needs: self.hide_text(&unseen.needs),
        }
    }

    /// An event as it may be shown.
    pub(super) fn hidden_event(&self, event: &Event) -> Event {
        let mut event = event.clone();
        let texts: Vec<&mut String> = match &mut event {
            // What the operator typed, and what `refuse_secrets` has let pass.
            Event::Run { .. } | Event::Result { .. } => Vec::new(),
            Event::Phase { name, .. } => vec![name],
            Event::Step { path, .. } => vec![path],
            Event::Change {
                step,
                op,
                target,
                what,
                effect,
                ..
            } => vec![step, op, target, what, effect],
            Event::Finding {
                code, target, message, ..
            } => vec![code, target, message],
            Event::Unseen { scope, why, needs } => vec![scope, why, needs],
            Event::Wait { why, .. } => vec![why],
            Event::Approval { gate, text, .. } => vec![gate, text],
            Event::HandOver { task, text } => vec![task, text],
            Event::Note { text } => vec![text],
        };
        for text in texts {
            *text = self.hide_text(text);
        }
        event
    }
}
