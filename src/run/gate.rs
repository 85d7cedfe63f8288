//! Approvals, hand-overs and waits: they outlive the process.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::event::Event;
use super::record::{Approval, HandOver, Record};
use super::session::{Mode, Session, interrupted, lock, now, printed_path};
use crate::error::{Error, Kind};
use crate::types::{Span, json};

/// Who closes a hand-over whose work was seen to be done.
pub const BY_CHECK: &str = "check";

/// Waits up to this length never pause a run.
const SHORT: u64 = 60;

impl Session {
    /// Asks for approval of `gate`; returns once it is given.
    ///
    /// # Errors
    /// `approval-needed`, which pauses the run, when nobody is there to ask or the answer is no.
    pub fn approve(&self, gate: &str, text: &str) -> Result<(), Error> {
        if self.mode() != Mode::Run {
            return Ok(());
        }
        let text = &self.with_plan(text);
        let digest = json::digest(&serde_json::json!({ "gate": gate, "text": text, "results": self.results() }));
        let approved = |session: &Session| {
            session.ledger(|ledger| ledger.approvals.iter().any(|a| a.gate == gate && a.digest == digest))
        };
        if approved(self) {
            return Ok(());
        }
        let _one = lock(&self.asking);
        if approved(self) {
            return Ok(());
        }
        let asked = self.ledger(|l| l.gates.iter().any(|(known, _, d)| known == gate && *d == digest));
        if !asked {
            self.write(Record::Gate {
                gate: gate.to_owned(),
                text: self.hide_text(text),
                digest: digest.clone(),
            })?;
        }
        self.tell(&Event::Approval {
            gate: gate.to_owned(),
            text: text.to_owned(),
            state: "asked".into(),
        });
        let by = if self.options.yes {
            Some("--yes".to_owned())
        } else {
            self.options
                .approver
                .as_ref()
                .and_then(|person| person.ask(gate, text).then(who))
        };
        let Some(by) = by else {
            let run = self.run_id().unwrap_or("RUN");
            return Err(Error::failed(
                "approval-needed",
                format!("the run waits for approval of \"{gate}\": {text}"),
            )
            .kind(Kind::Paused)
            .untouched("everything behind this gate; what was done before it is in the journal")
            .next(format!("ferry approve {run} {gate}"))
            .next(format!("ferry resume {run}")));
        };
        self.write(Record::Approved(Approval {
            gate: gate.to_owned(),
            by,
            at: now(),
            digest,
        }))?;
        self.tell(&Event::Approval {
            gate: gate.to_owned(),
            text: text.to_owned(),
            state: "approved".into(),
        });
        Ok(())
    }

    /// Approves a gate that asked, or closes a hand-over, for a run that no process works on.
    /// Without a name, the only one that is open is meant. Answers the name.
    ///
    /// # Errors
    /// `nothing-to-approve` when none of that name is open.
    pub fn approve_open(&self, name: Option<&str>) -> Result<String, Error> {
        let open: Vec<(String, Option<String>)> = self.ledger(|ledger| {
            let gates = ledger
                .gates
                .iter()
                .filter(|(gate, _, digest)| !ledger.approvals.iter().any(|a| a.gate == *gate && a.digest == *digest))
                .map(|(gate, _, digest)| (gate.clone(), Some(digest.clone())));
            let tasks = ledger
                .hand_overs
                .iter()
                .filter(|task| task.closed.is_none())
                .map(|task| (task.task.clone(), None));
            gates.chain(tasks).collect()
        });
        let names = open.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>().join(", ");
        let chosen = match (name, open.as_slice()) {
            (None, [one]) => Some(one.clone()),
            (None, _) => None,
            (Some(name), _) => open.iter().find(|(known, _)| known == name).cloned(),
        };
        let Some((name, digest)) = chosen else {
            let message = if open.is_empty() {
                "nothing waits for approval in this run".to_owned()
            } else {
                format!("say which: {names}")
            };
            let run = self.run_id().unwrap_or("RUN");
            return Err(Error::refused("nothing-to-approve", message)
                .untouched("the journal")
                .next(format!("ferry show {run}      says what the run waits for")));
        };
        match digest {
            Some(digest) => self.write(Record::Approved(Approval {
                gate: name.clone(),
                by: who(),
                at: now(),
                digest,
            }))?,
            None => self.close_hand_over(&name, &who())?,
        }
        Ok(name)
    }

    /// Hands work over that only a person can do, with the exact commands. A task that a check has closed is opened
    /// again; one that a person has closed stays closed.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn hand_over(&self, task: &str, text: &str) -> Result<(), Error> {
        let stands = |known: &HandOver| known.task == task && known.closed.as_deref() != Some(BY_CHECK);
        if self.ledger(|ledger| ledger.hand_overs.iter().any(stands)) {
            return Ok(());
        }
        let text = self.hide_text(text);
        self.tell(&Event::HandOver {
            task: task.to_owned(),
            text: text.clone(),
        });
        self.write(Record::HandOver {
            task: task.to_owned(),
            text,
        })
    }

    /// Writes down that handed-over work is done.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn close_hand_over(&self, task: &str, by: &str) -> Result<(), Error> {
        self.write(Record::HandOverClosed {
            task: task.to_owned(),
            by: by.to_owned(),
        })
    }

    /// Pauses the run while hand-overs are open.
    ///
    /// # Errors
    /// `hand-over-open`, which pauses the run, when some are.
    pub fn require_hand_overs(&self) -> Result<(), Error> {
        let open: Vec<_> = self
            .hand_overs()
            .into_iter()
            .filter(|task| task.closed.is_none())
            .collect();
        if open.is_empty() || self.mode() != Mode::Run {
            return Ok(());
        }
        let run = self.run_id().unwrap_or("RUN");
        let names = open.iter().map(|task| task.task.clone()).collect::<Vec<_>>().join(", ");
        let mut error = Error::failed(
            "hand-over-open",
            format!("the run waits for work that a person has to do: {names}"),
        )
        .kind(Kind::Paused)
        .untouched("everything of the old identity");
        for task in &open {
            error = error.next(format!(
                "ferry approve {run} {}      once this is done: {}",
                quoted(&task.task),
                task.text
            ));
        }
        Err(error.next(format!("ferry resume {run}")))
    }

    /// Waits. Up to a minute the process sits it out; longer waits are written down, and a run without a
    /// terminal pauses until then.
    ///
    /// # Errors
    /// `waiting`, which pauses the run; `interrupted`.
    pub fn wait(&self, span: Span) -> Result<(), Error> {
        if self.mode() == Mode::Plan || span.as_secs() == 0 {
            return Ok(());
        }
        let path = printed_path();
        let known = self.ledger(|ledger| ledger.waits.get(&path).cloned());
        let until = known.and_then(|text| OffsetDateTime::parse(&text, &Rfc3339).ok());
        let until = if let Some(until) = until {
            until
        } else {
            let until = OffsetDateTime::now_utc() + std::time::Duration::from(span);
            if self.mode() == Mode::Run {
                self.write(Record::Wait {
                    path,
                    until: until.format(&Rfc3339).unwrap_or_default(),
                })?;
            }
            until
        };
        let left = until - OffsetDateTime::now_utc();
        if left.is_negative() {
            return Ok(());
        }
        if span.as_secs() > SHORT && !self.options.terminal && self.mode() == Mode::Run {
            let run = self.run_id().unwrap_or("RUN");
            let when = until.format(&Rfc3339).unwrap_or_default();
            return Err(Error::failed("waiting", format!("the run waits until {when}"))
                .kind(Kind::Paused)
                .untouched("everything behind this wait")
                .next(format!("ferry resume {run}      at that time, or later")));
        }
        self.tell(&Event::Wait {
            why: "the runbook asks for it".into(),
            seconds: left.whole_seconds().unsigned_abs(),
        });
        self.pause(left.unsigned_abs())
    }

    /// Lets time pass, unless the session is cancelled.
    pub(super) fn pause(&self, time: std::time::Duration) -> Result<(), Error> {
        let cancel = self.cancel();
        self.block::<(), Error>(async move {
            tokio::time::sleep(time).await;
            Ok(())
        })
        .map_err(|error| {
            if cancel.is_cancelled() {
                interrupted(self.run_id())
            } else {
                error
            }
        })
    }
}

/// A name as a shell takes it.
pub(super) fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,".contains(c);
    if !name.is_empty() && name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', r"'\''"))
    }
}

/// Who sits here: `user@host`.
pub(super) fn who() -> String {
    let user = std::env::var("USER")
        .or_else(|_| std::env::var("LOGNAME"))
        .unwrap_or_else(|_| "somebody".into());
    let host = std::fs::read_to_string("/etc/hostname")
        .map(|name| name.trim().to_owned())
        .or_else(|_| std::env::var("HOSTNAME"))
        .or_else(|_| std::env::var("COMPUTERNAME"))
        .unwrap_or_else(|_| "somewhere".into());
    format!("{user}@{host}")
}
