//! What a journal says: typed records, and the ledger that they add up to.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::change::{Action, Probe, Undo};
use super::plan_file::PlanFile;
use crate::error::Error;
use crate::store::{self, Entry};

/// One record of a run's journal. The names and members are a format: new ones may be added, none changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "body", rename_all = "kebab-case")]
pub enum Record {
    /// The run began.
    Started(Started),
    /// The plan that the run is held to.
    Plan(Box<PlanFile>),
    /// A script that the run uses, with its whole text.
    Script {
        /// Its key, as `stdlib/permissions/key_vault`.
        key: String,
        /// `embedded`, or the file that it came from.
        origin: String,
        /// Its text.
        text: String,
    },
    /// A phase began, or began again.
    Phase {
        /// Its name.
        name: String,
    },
    /// A phase ended well.
    PhaseDone {
        /// Its name.
        name: String,
        /// What it returned.
        result: Value,
    },
    /// A step ended well.
    Step {
        /// Its path, printed.
        path: String,
        /// The digest of what it worked on, where it had something.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        input: Option<String>,
        /// What it returned.
        value: Value,
    },
    /// A change is about to be sent.
    Intended(Box<Intended>),
    /// A change is in place.
    Done {
        /// The change's number.
        change: u64,
        /// What it answered, as far as a journal may hold it.
        outcome: Value,
        /// Azure's request id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request_id: Option<String>,
        /// It was so already: not ours, left alone by rollback.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        already: bool,
        /// It was found in place by a later process, which sent nothing.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        settled: bool,
    },
    /// A change was refused, or did not take effect.
    Failed {
        /// The change's number.
        change: u64,
        /// What happened.
        error: Box<Error>,
    },
    /// The first phase was done again, to take in what has come since; later phases are done again with it.
    Refreshed {
        /// Its new result.
        prepare: Value,
    },
    /// The run is being rolled back: from here on it goes back only.
    RollingBack,
    /// The way back of a change is about to be sent.
    Undoing {
        /// The change's number.
        change: u64,
    },
    /// A change was taken back.
    Undone {
        /// The change's number.
        change: u64,
    },
    /// Something was found.
    Finding(Finding),
    /// Something could not be looked into.
    Unseen(Unseen),
    /// A remark of a script.
    Note {
        /// The text.
        text: String,
    },
    /// A gate asks for approval.
    Gate {
        /// Its name.
        gate: String,
        /// What is asked.
        text: String,
        /// The digest of what the approval is for.
        digest: String,
        /// The run has not come to it yet; it can be approved all the same.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        ahead: bool,
    },
    /// A gate was approved.
    Approved(Approval),
    /// Work was handed over to a person.
    HandOver {
        /// Its name.
        task: String,
        /// What to do.
        text: String,
    },
    /// Handed-over work was done.
    HandOverClosed {
        /// Its name.
        task: String,
        /// Who said so: a person, or `check`.
        by: String,
        /// What its check answered, as that person says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<String>,
    },
    /// A wait began.
    Wait {
        /// The step's path, printed.
        path: String,
        /// When it ends: RFC 3339.
        until: String,
    },
    /// The run's status changed.
    Status {
        /// `running`, `paused`, `failed`, `done`, `rolled-back`.
        status: String,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
}

/// How a run began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Started {
    /// The runbook: a shipped name, or a path.
    pub runbook: String,
    /// The key that its script is kept under, where it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Its parameters, parsed, as the phases get them.
    pub params: Value,
    /// The parameters of sources and finders: `FILESTEM.NAME` → value.
    #[serde(default)]
    pub source_params: Map<String, Value>,
    /// Which cloud, in a form that the command line can open again.
    pub cloud: Value,
    /// The version of ferry.
    pub version: String,
    /// What the operator leaves out by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leave_out: Vec<String>,
}

/// A change that is about to be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Intended {
    /// Its number in the run, from 1.
    pub change: u64,
    /// The key by which a replay finds it.
    pub key: String,
    /// The phase.
    pub phase: String,
    /// The step's path, printed.
    pub step: String,
    /// The operation.
    pub op: String,
    /// What it does, in a sentence.
    pub what: String,
    /// What it does to workloads.
    pub effect: String,
    /// How it is sent, without secrets.
    pub action: Action,
    /// How it is told whether it is in place.
    pub probe: Probe,
    /// How it is taken back.
    pub undo: Undo,
    /// What stood there before, without secrets; absent for edits, `null` where there was nothing.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "double")]
    pub before: Option<Value>,
    /// The principal that it names, where that may lag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
}

/// Keeps "nothing stood there" (null) apart from "it was not read" (absent).
mod double {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::Value;

    #[allow(clippy::ref_option, reason = "the signature is serde's")]
    pub(super) fn serialize<S: Serializer>(value: &Option<Value>, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
        Value::deserialize(deserializer).map(Some)
    }
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// `info`, `warning`, `difference`, `error`.
    pub severity: String,
    /// A stable code.
    pub code: String,
    /// What it is about.
    pub target: String,
    /// What was found, and what follows.
    pub message: String,
}

/// Something that could not be looked into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unseen {
    /// Where.
    pub scope: String,
    /// Why not.
    pub why: String,
    /// Which permission is missing.
    pub needs: String,
}

/// An approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The gate.
    pub gate: String,
    /// Who: `user@host`.
    pub by: String,
    /// From where: `--yes`, `terminal`, `ferry approve`; and the pipeline or pod, where it was one.
    #[serde(default)]
    pub from: String,
    /// When: RFC 3339.
    #[serde(default)]
    pub at: String,
    /// The digest of what was approved.
    pub digest: String,
}

/// How a change stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Intended, without an end: nobody knows.
    Intended,
    /// In place.
    Done,
    /// Not in place.
    Failed,
    /// Taken back.
    Undone,
}

/// A change with its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// What was intended.
    pub intended: Intended,
    /// How it stands.
    pub standing: Standing,
    /// What it answered.
    pub outcome: Value,
    /// Azure's request id.
    pub request_id: Option<String>,
    /// It was so already.
    pub already: bool,
    /// When that was written down: RFC 3339; none while it is not in place.
    pub done_at: Option<String>,
    /// A rollback was about to send its way back; whether it did, nobody wrote down.
    pub undoing: bool,
    /// Why it failed.
    pub error: Option<Error>,
}

/// A hand-over and whether it is closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HandOver {
    /// Its name.
    pub task: String,
    /// What to do.
    pub text: String,
    /// What proves that it was done, to be pasted: the part of the text that begins with `Check`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// Who closed it: `user@host`, or `check`.
    pub closed: Option<String>,
    /// When: RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<String>,
    /// What the check answered, as who closed it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

impl HandOver {
    /// How it stands, in a word or two: `open`, `closed by ada@host`, with what the check answered.
    pub fn standing(&self) -> String {
        match (&self.closed, &self.answer) {
            (None, _) => "open".to_owned(),
            (Some(by), None) => format!("closed by {by}"),
            (Some(by), Some(answer)) => format!("closed by {by}, whose check answered: {answer}"),
        }
    }
}

/// The check in a hand-over's text: the line that begins with `Check`, and the commands set in below it.
fn check_in(text: &str) -> Option<String> {
    let mut lines = text.lines().skip_while(|line| !line.starts_with("Check"));
    let mut check = lines.next()?.to_owned();
    for command in lines.take_while(|line| line.starts_with("  ")) {
        check.push('\n');
        check.push_str(command);
    }
    Some(check)
}

/// A gate that asked for approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// Its name.
    pub name: String,
    /// What is asked.
    pub text: String,
    /// The digest of what the approval is for.
    pub digest: String,
    /// The run has not come to it yet.
    pub ahead: bool,
}

/// What all records of a run add up to.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// How it began.
    pub started: Option<Started>,
    /// The plan that it is held to.
    pub plan: Option<Arc<PlanFile>>,
    /// The scripts: key → (origin, text).
    pub scripts: BTreeMap<String, (String, String)>,
    /// The phases that began, in order, with their results where they ended.
    pub phases: Vec<(String, Option<Value>)>,
    /// When phases ended: RFC 3339.
    pub ended: BTreeMap<String, String>,
    /// The steps that ended: path → (digest of input, value).
    pub steps: HashMap<String, (Option<String>, Value)>,
    /// The changes, in order.
    pub changes: Vec<Change>,
    by_key: HashMap<String, usize>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// What could not be looked into.
    pub unseen: Vec<Unseen>,
    /// How much of it was known before the phase that is under way.
    unseen_before: usize,
    /// The gates that asked, each once, as it asked last.
    pub gates: Vec<Gate>,
    /// The approvals.
    pub approvals: Vec<Approval>,
    /// The hand-overs.
    pub hand_overs: Vec<HandOver>,
    /// The waits: path → end.
    pub waits: BTreeMap<String, String>,
    /// The remarks.
    pub notes: Vec<String>,
    /// The last status and why.
    pub status: Option<(String, Option<String>)>,
    /// Whether the run is being rolled back, or was.
    pub rolling_back: bool,
    /// How often it was refreshed.
    pub refreshes: u64,
    /// How many changes there were when it was refreshed last.
    pub changes_before_refresh: u64,
}

impl Ledger {
    /// Adds up the entries of a journal.
    ///
    /// # Errors
    /// When an entry is of a kind or shape that this version does not know.
    pub fn from_entries(run: &str, entries: &[Entry]) -> Result<Ledger, Error> {
        let mut ledger = Ledger::default();
        for entry in entries {
            let record = serde_json::from_value(serde_json::json!({ "kind": entry.kind, "body": entry.body }))
                .map_err(|error| store::Error::Damaged {
                    run: run.to_owned(),
                    why: format!("entry {} ({}): {error}", entry.seq, entry.kind),
                })?;
            ledger.take(record, &entry.at);
        }
        Ok(ledger)
    }

    /// Takes one more record in.
    pub fn take(&mut self, record: Record, at: &str) {
        match record {
            Record::Started(started) => self.started = Some(started),
            Record::Plan(plan) => self.plan = Some(Arc::new(*plan)),
            Record::Script { key, origin, text } => {
                self.scripts.insert(key, (origin, text));
            }
            Record::Phase { name } => {
                if self.phases.iter().any(|(known, _)| *known == name) {
                    // It looks anew, and says again what it does not see.
                    self.unseen.truncate(self.unseen_before);
                } else {
                    self.unseen_before = self.unseen.len();
                    self.phases.push((name, None));
                }
            }
            Record::PhaseDone { name, result } => {
                self.ended.insert(name.clone(), at.to_owned());
                match self.phases.iter_mut().find(|(known, _)| *known == name) {
                    Some(phase) => phase.1 = Some(result),
                    None => self.phases.push((name, Some(result))),
                }
            }
            Record::Step { path, input, value } => {
                self.steps.insert(path, (input, value));
            }
            Record::Intended(intended) => {
                let change = Change {
                    intended: *intended,
                    standing: Standing::Intended,
                    outcome: Value::Null,
                    request_id: None,
                    already: false,
                    done_at: None,
                    undoing: false,
                    error: None,
                };
                self.by_key.insert(change.intended.key.clone(), self.changes.len());
                self.changes.push(change);
            }
            Record::Done {
                change,
                outcome,
                request_id,
                already,
                ..
            } => {
                if let Some(known) = self.numbered(change) {
                    known.standing = Standing::Done;
                    known.outcome = outcome;
                    known.request_id = request_id;
                    known.already = already;
                    known.done_at = Some(at.to_owned());
                    known.error = None;
                }
            }
            Record::Failed { change, error } => {
                if let Some(known) = self.numbered(change) {
                    known.standing = Standing::Failed;
                    known.request_id = error.azure.as_ref().and_then(|said| said.request_id.clone());
                    known.error = Some(*error);
                }
            }
            Record::Refreshed { prepare } => self.refresh(prepare),
            Record::RollingBack => self.rolling_back = true,
            // What is under way is told by its end; until then the change stands.
            Record::Undoing { change } => {
                if let Some(known) = self.numbered(change) {
                    known.undoing = true;
                }
            }
            Record::Undone { change } => {
                if let Some(known) = self.numbered(change) {
                    known.standing = Standing::Undone;
                }
            }
            Record::Finding(finding) => {
                if !self.findings.contains(&finding) {
                    self.findings.push(finding);
                }
            }
            Record::Unseen(unseen) => {
                if !self.unseen.contains(&unseen) {
                    self.unseen.push(unseen);
                }
            }
            Record::Note { text } => self.notes.push(text),
            Record::Gate {
                gate: name,
                text,
                digest,
                ahead,
            } => {
                self.gates.retain(|known| known.name != name);
                self.gates.push(Gate {
                    name,
                    text,
                    digest,
                    ahead,
                });
            }
            Record::Approved(approval) => {
                let at = if approval.at.is_empty() {
                    at.to_owned()
                } else {
                    approval.at.clone()
                };
                self.approvals.push(Approval { at, ..approval });
            }
            Record::HandOver { task, text } => {
                let check = check_in(&text);
                let open = HandOver {
                    task,
                    text,
                    check,
                    closed: None,
                    closed_at: None,
                    answer: None,
                };
                match self.hand_overs.iter_mut().find(|known| known.task == open.task) {
                    Some(known) => *known = open,
                    None => self.hand_overs.push(open),
                }
            }
            Record::HandOverClosed { task, by, answer } => {
                if let Some(known) = self.hand_overs.iter_mut().find(|known| known.task == task) {
                    known.closed = Some(by);
                    known.closed_at = Some(at.to_owned());
                    known.answer = answer;
                }
            }
            Record::Wait { path, until } => {
                self.waits.insert(path, until);
            }
            Record::Status { status, why } => self.status = Some((status, why)),
        }
    }

    /// Takes the first phase's new result, and forgets that later ones were done. Their changes are known as before, so
    /// what is in place is not sent again; their steps are taken anew, since they may work on something else now.
    fn refresh(&mut self, prepare: Value) {
        self.refreshes += 1;
        self.changes_before_refresh = self.changes.len() as u64;
        for (index, (_, result)) in self.phases.iter_mut().enumerate() {
            *result = (index == 0).then(|| prepare.clone());
        }
        let first = self.phases.first().map(|(name, _)| format!("{name}/"));
        let of_first = |path: &str| first.as_ref().is_some_and(|first| path.starts_with(first));
        self.steps.retain(|path, _| of_first(path));
        self.waits.retain(|path, _| of_first(path));
    }

    /// The gates that nobody has approved as they ask now.
    pub fn open_gates(&self) -> impl Iterator<Item = &Gate> {
        self.gates
            .iter()
            .filter(|gate| !self.is_approved(&gate.name, &gate.digest))
    }

    /// Whether a gate was approved for what this digest stands for.
    pub fn is_approved(&self, gate: &str, digest: &str) -> bool {
        self.approvals
            .iter()
            .any(|given| given.gate == gate && given.digest == digest)
    }

    /// When the last change of a phase was in place that was made for an item of this file: RFC 3339.
    pub fn last_done(&self, phase: &str, file: &str) -> Option<&str> {
        let of_file = |change: &&Change| {
            let mut segments = change.intended.step.split('/');
            change.intended.phase == phase && change.standing == Standing::Done && segments.nth(2) == Some(file)
        };
        let times = self
            .changes
            .iter()
            .filter(of_file)
            .filter_map(|change| change.done_at.as_deref());
        times.max()
    }

    fn numbered(&mut self, number: u64) -> Option<&mut Change> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.changes.get_mut(index)
    }

    /// The change of this key.
    pub fn change(&self, key: &str) -> Option<&Change> {
        self.by_key.get(key).and_then(|index| self.changes.get(*index))
    }

    /// The result of a phase that ended.
    pub fn phase_result(&self, name: &str) -> Option<&Value> {
        self.phases
            .iter()
            .find(|(known, _)| known == name)
            .and_then(|(_, result)| result.as_ref())
    }
}

impl Record {
    /// The two columns of a journal: kind and body.
    pub fn columns(&self) -> (String, Value) {
        // A record is plain data with string keys, so it always becomes JSON.
        let mut value = serde_json::to_value(self).unwrap_or_default();
        let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
        (kind, value.get_mut("body").map(Value::take).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::super::change::Write;
    use super::*;
    use serde_json::json;

    fn intended(change: u64, before: Option<Value>) -> Record {
        Record::Intended(Box::new(Intended {
            change,
            key: format!("key-{change}"),
            phase: "move".into(),
            step: "move/x".into(),
            op: "arm::put".into(),
            what: "Put x".into(),
            effect: "none".into(),
            action: Action::Send(Write::arm("PUT", "/x", "v").with_body(json!({}))),
            probe: Probe::Gone,
            undo: Undo::Never("because".into()),
            before,
            principal: None,
        }))
    }

    #[test]
    fn every_record_can_be_read_back() {
        let records = [
            intended(1, None),
            intended(2, Some(Value::Null)),
            Record::Done {
                change: 1,
                outcome: json!({"id": "/x"}),
                request_id: None,
                already: false,
                settled: true,
            },
            Record::Failed {
                change: 2,
                error: Box::new(Error::failed("x", "y")),
            },
            Record::Note { text: "n".into() },
            Record::Refreshed {
                prepare: json!({"grants": []}),
            },
            Record::RollingBack,
            Record::Undoing { change: 2 },
            Record::PhaseDone {
                name: "move".into(),
                result: json!([1]),
            },
        ];
        let mut ledger = Ledger::default();
        for record in records {
            let (kind, body) = record.columns();
            let read: Record = serde_json::from_value(json!({"kind": kind, "body": body})).unwrap();
            assert_eq!(read, record);
            ledger.take(read, "now");
        }
        assert_eq!(ledger.change("key-1").unwrap().standing, Standing::Done);
        assert_eq!(ledger.change("key-2").unwrap().standing, Standing::Failed);
        assert_eq!(ledger.phase_result("move"), Some(&json!([1])));
    }

    #[test]
    fn a_phase_that_begins_again_says_anew_what_it_does_not_see() {
        let unseen = |scope: &str| {
            Record::Unseen(Unseen {
                scope: scope.into(),
                why: "503".into(),
                needs: String::new(),
            })
        };
        let phase = |name: &str| Record::Phase { name: name.into() };
        let mut ledger = Ledger::default();
        for record in [
            phase("prepare"),
            unseen("a"),
            unseen("b"),
            phase("prepare"),
            unseen("b"),
        ] {
            ledger.take(record, "now");
        }
        ledger.take(
            Record::PhaseDone {
                name: "prepare".into(),
                result: json!({}),
            },
            "now",
        );
        for record in [phase("verify"), unseen("c"), phase("verify")] {
            ledger.take(record, "now");
        }
        assert_eq!(
            ledger
                .unseen
                .iter()
                .map(|unseen| unseen.scope.as_str())
                .collect::<Vec<_>>(),
            ["b"]
        );
    }

    #[test]
    fn an_entry_of_an_unknown_kind_is_told_not_guessed() {
        let entries = [Entry {
            seq: 1,
            at: String::new(),
            kind: "tomorrow".into(),
            body: json!({}),
        }];
        assert_eq!(Ledger::from_entries("r", &entries).unwrap_err().code, "journal-damaged");
    }

    proptest::proptest! {
        #[test]
        fn any_prefix_of_a_journal_adds_up(cut in 0_usize..6) {
            let records = [Record::Phase { name: "move".into() }, intended(1, None),
                Record::Done { change: 1, outcome: json!(1), request_id: None, already: false, settled: false },
                intended(2, None), Record::PhaseDone { name: "move".into(), result: json!({}) }];
            let entries: Vec<Entry> = records.iter().take(cut).enumerate().map(|(i, record)| {
                let (kind, body) = record.columns();
                Entry { seq: i as u64 + 1, at: String::new(), kind, body }
            }).collect();
            proptest::prop_assert!(Ledger::from_entries("r", &entries).is_ok());
        }
    }
}
