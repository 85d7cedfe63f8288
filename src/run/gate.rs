//! Approvals, hand-overs and waits: they outlive the process.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::event::Event;
use super::person;
use super::placeholder;
use super::record::{Approval, Gate, HandOver, Record};
use super::session::{Mode, Session, interrupted, lock, now, printed_path};
use crate::error::{Error, Kind};
use crate::types::{Span, json};

/// Who closes a hand-over whose work was seen to be done.
pub const BY_CHECK: &str = "check";

/// Waits up to this length never pause a run.
const SHORT: u64 = 60;

/// Commands of a check up to this length are told where the run pauses.
const LONGEST_CHECK: usize = 240;

/// What `ferry approve` approved.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Approved {
    /// The gate or the task.
    pub name: String,
    /// The digest of what the gate asked for; none for a task.
    pub digest: Option<String>,
}

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
        let (gate, text) = (&*self.hide_text(gate), &*self.hide_text(text));
        let digest = self.digest_of(gate, text);
        let approved = |session: &Session| session.ledger(|ledger| ledger.is_approved(gate, &digest));
        if approved(self) {
            return Ok(());
        }
        let _one = lock(&self.asking);
        if approved(self) {
            return Ok(());
        }
        self.open_gate(gate, text, &digest, false)?;
        self.tell(&Event::Approval {
            gate: gate.to_owned(),
            text: text.to_owned(),
            state: "asked".into(),
        });
        let from = if self.options.yes {
            Some("--yes")
        } else {
            let person = self.options.approver.as_ref();
            person.and_then(|person| person.ask(gate, text).then_some("terminal"))
        };
        let Some(from) = from else {
            let run = self.run_id().unwrap_or("RUN");
            let mut error = Error::failed(
                "approval-needed",
                format!("the run waits for approval of \"{gate}\": {text}"),
            )
            .kind(Kind::Paused)
            .untouched("everything behind this gate; what was done before it is in the journal")
            .next(format!("ferry approve {run} {}", quoted(gate)));
            let ahead: Vec<Gate> =
                self.ledger(|ledger| ledger.open_gates().filter(|gate| gate.ahead).cloned().collect());
            for gate in ahead {
                error = error.next(format!(
                    "ferry approve {run} {}      now or when the run comes to it: {}",
                    quoted(&gate.name),
                    gate.text
                ));
            }
            return Err(error.next(format!("ferry resume {run}")));
        };
        self.write(Record::Approved(Approval {
            gate: gate.to_owned(),
            by: person::who(),
            from: person::whence(from),
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

    /// Announces a gate that the run will come to in this phase, so that it can be approved now.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn announce(&self, gate: &str, text: &str) -> Result<(), Error> {
        if self.mode() != Mode::Run {
            return Ok(());
        }
        let text = &self.with_plan(text);
        let (gate, text) = (&*self.hide_text(gate), &*self.hide_text(text));
        let digest = self.digest_of(gate, text);
        self.open_gate(gate, text, &digest, true)
    }

    /// What an approval of a gate is for: what was asked, and what the phases before have found and done.
    fn digest_of(&self, gate: &str, text: &str) -> String {
        json::digest(&serde_json::json!({ "gate": gate, "text": text, "results": self.results() }))
    }

    /// Writes down that a gate asks, unless it asked just so before.
    fn open_gate(&self, gate: &str, text: &str, digest: &str, ahead: bool) -> Result<(), Error> {
        let asked = self.ledger(|ledger| {
            let known = ledger.gates.iter().find(|known| known.name == gate);
            known.is_some_and(|known| known.digest == digest && (known.ahead == ahead || ahead))
        });
        if asked {
            return Ok(());
        }
        self.write(Record::Gate {
            gate: gate.to_owned(),
            text: text.to_owned(),
            digest: digest.to_owned(),
            ahead,
        })
    }

    /// Approves a gate that asked, or closes a hand-over, for a run that no process works on.
    /// Without a name, the gate that the run waits at is meant, or else the only thing that is open.
    ///
    /// With `digest`, a gate is approved only if what it asks has a digest that begins so. `answer` is what the check
    /// of a hand-over gave, for whoever reads the journal; a gate has none.
    ///
    /// # Errors
    /// `nothing-to-approve` when none of that name is open; `approval-outdated` when it asks for something else;
    /// `wrong-argument` for a gate with an answer.
    pub fn approve_open(
        &self,
        name: Option<&str>,
        digest: Option<&str>,
        answer: Option<&str>,
    ) -> Result<Approved, Error> {
        let (gates, tasks) = self.ledger(|ledger| {
            let gates: Vec<Gate> = ledger.open_gates().cloned().collect();
            let open = ledger.hand_overs.iter().filter(|task| task.closed.is_none());
            (gates, open.map(|task| task.task.clone()).collect::<Vec<_>>())
        });
        let gate = match name {
            Some(name) => gates.iter().find(|gate| gate.name == name),
            None if tasks.is_empty() => match gates.iter().filter(|gate| !gate.ahead).collect::<Vec<_>>()[..] {
                [waited_for] => Some(waited_for),
                _ => gates.first().filter(|_| gates.len() == 1),
            },
            None => None,
        };
        if let Some(gate) = gate {
            if answer.is_some() {
                let run = self.run_id().unwrap_or("RUN");
                return Err(Error::refused(
                    "wrong-argument",
                    format!(
                        "\"{}\" is a gate, and only work that was handed over has a check to answer",
                        gate.name
                    ),
                )
                .untouched("the journal")
                .next(format!(
                    "ferry approve {run} {}      without --answer",
                    quoted(&gate.name)
                )));
            }
            return self.approve_gate(gate, digest);
        }
        let task = match (name, tasks.as_slice()) {
            (Some(name), _) => tasks.iter().find(|task| *task == name),
            (None, [one]) if gates.is_empty() => Some(one),
            (None, _) => None,
        };
        if let Some(task) = task {
            self.close_hand_over(task, &person::who(), answer)?;
            return Ok(Approved {
                name: task.clone(),
                digest: None,
            });
        }
        let names: Vec<String> = gates.into_iter().map(|gate| gate.name).chain(tasks).collect();
        let message = if names.is_empty() {
            "nothing waits for approval in this run".to_owned()
        } else {
            format!("say which: {}", names.join(", "))
        };
        let run = self.run_id().unwrap_or("RUN");
        Err(Error::refused("nothing-to-approve", message)
            .untouched("the journal")
            .next(format!("ferry show {run}      says what the run waits for")))
    }

    fn approve_gate(&self, gate: &Gate, digest: Option<&str>) -> Result<Approved, Error> {
        if let Some(wanted) = digest.filter(|wanted| !gate.digest.starts_with(*wanted)) {
            let run = self.run_id().unwrap_or("RUN");
            return Err(Error::refused(
                "approval-outdated",
                format!(
                    "\"{}\" was not approved: it asks for {} now, and {wanted} was meant",
                    gate.name, gate.digest
                ),
            )
            .untouched("the journal")
            .next(format!("ferry show {run}      shows what it asks for now")));
        }
        self.write(Record::Approved(Approval {
            gate: gate.name.clone(),
            by: person::who(),
            from: person::whence("ferry approve"),
            at: now(),
            digest: gate.digest.clone(),
        }))?;
        Ok(Approved {
            name: gate.name.clone(),
            digest: Some(gate.digest.clone()),
        })
    }

    /// Hands work over that only a person can do, with the exact commands. A task that a check has closed is opened
    /// again; one that a person has closed stays closed.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn hand_over(&self, task: &str, text: &str) -> Result<(), Error> {
        let (task, text) = (&*self.hide_text(task), self.hide_text(text));
        let stands = |known: &HandOver| known.task == task && known.closed.as_deref() != Some(BY_CHECK);
        if self.ledger(|ledger| ledger.hand_overs.iter().any(stands)) {
            return Ok(());
        }
        let text = placeholder::shown_text(&text);
        self.tell(&Event::HandOver {
            task: task.to_owned(),
            text: text.clone(),
        });
        self.write(Record::HandOver {
            task: task.to_owned(),
            text,
        })
    }

    /// Writes down that handed-over work is done, and what its check answered.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn close_hand_over(&self, task: &str, by: &str, answer: Option<&str>) -> Result<(), Error> {
        self.write(Record::HandOverClosed {
            task: task.to_owned(),
            by: by.to_owned(),
            answer: answer.map(str::to_owned),
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
            let answer = if task.check.is_some() { " --answer TEXT" } else { "" };
            error = error.next(format!(
                "ferry approve {run} {}{answer}      once this is done: {}",
                quoted(&task.task),
                first_line(&task.text, run)
            ));
            if let Some(check) = &task.check {
                error = error.next(format!("TEXT is what this answered: {}", check_line(check, run)));
            }
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

/// What a hand-over is about; its commands stand in the run.
fn first_line(text: &str, run: &str) -> String {
    match text.split_once('\n') {
        Some((first, _)) => format!("{first} (ferry show {run} has the commands)"),
        None => text.to_owned(),
    }
}

/// A hand-over's check in one line; one that is too long for that stands in the run.
fn check_line(check: &str, run: &str) -> String {
    let mut parts = check.lines().map(str::trim);
    let first = parts.next().unwrap_or_default();
    let commands = parts.collect::<Vec<_>>().join("; ");
    if commands.chars().count() > LONGEST_CHECK {
        return format!("{first} (ferry show {run} has it)");
    }
    format!("{first} {commands}").trim_end().to_owned()
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
