//! The model: a run as its journal tells it, and a plan as the overlay lists it.

use serde::Serialize;
use serde_json::Value;

use super::scan::Scan;
use crate::error::Error;
use crate::run::change::Action;
pub use crate::run::map_in;
use crate::run::record::{self, Approval, HandOver, Standing};
use crate::run::{Costs, Finding, Ledger, Planned, Unseen};
use crate::store::Entry;

/// A run: what `ferry show` prints.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// Its id.
    pub run: String,
    /// The runbook.
    pub runbook: String,
    /// Its parameters.
    pub params: Value,
    /// The digest of the plan that it is held to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// The cloud, as `public`, `https://…` or `sim:demo`.
    pub cloud: String,
    /// `running`, `paused`, `failed`, `done`, `rolled-back`.
    pub status: String,
    /// Why it stands so, where that was written down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// When it began: RFC 3339, UTC.
    pub started: String,
    /// When the last record was written: RFC 3339, UTC.
    pub updated: String,
    /// The phases that began, in order.
    pub phases: Vec<Phase>,
    /// The changes, in order.
    pub changes: Vec<Change>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// Who approved what, and when.
    pub approvals: Vec<Approval>,
    /// The gates that nobody has approved yet, as they ask now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<Gate>,
    /// Work for a person.
    pub hand_overs: Vec<HandOver>,
    /// What could not be looked into.
    pub unseen: Vec<Unseen>,
}

/// A gate that waits for approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gate {
    /// Its name.
    #[serde(rename = "gate")]
    pub name: String,
    /// What is asked.
    pub text: String,
    /// The digest of what an approval is for.
    pub digest: String,
    /// The run has not come to it yet.
    pub ahead: bool,
}

/// A phase of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Phase {
    /// `prepare`, `move`, …
    pub name: String,
    /// `done`, or how the run stands in which it is the last one.
    pub status: String,
    /// What it returned; null while it has not ended.
    pub result: Value,
}

/// A change of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Its number in the run, from 1.
    pub seq: u64,
    /// The phase.
    pub phase: String,
    /// The step's path.
    pub step: String,
    /// The operation, as `role_assignment::ensure`.
    pub op: String,
    /// The HTTP method.
    pub method: String,
    /// The path as sent, without query.
    pub target: String,
    /// What it does, in a sentence.
    pub what: String,
    /// What it does to workloads.
    pub effect: String,
    /// `intended`, `done`, `failed`, `undone`.
    pub status: Standing,
    /// It was so already: not Ferry's, and left alone by rollback.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub already: bool,
    /// What was turned: `{pointer, from, to}`; empty where the change is not an edit.
    pub edits: Vec<Value>,
    /// Azure's request id.
    pub request_id: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
}

/// How many of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Changes that are in place and were made by this run.
    pub done: usize,
    /// Changes that were in place already.
    pub already: usize,
    /// Changes that failed.
    pub failed: usize,
    /// Changes without an end.
    pub intended: usize,
    /// Changes that were taken back.
    pub undone: usize,
}

/// What a plan says.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Plan {
    /// Every change that would be made, in order.
    pub changes: Vec<Planned>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// What could not be looked into.
    pub unseen: Vec<Unseen>,
    /// The dependency map, as the runbook gives it; an empty object where it gives none.
    pub map: Value,
    /// What the changes cost, and where they are risky.
    pub costs: Costs,
    /// What was found in files, where there was a look.
    #[serde(skip)]
    pub scan: Option<Scan>,
    /// The patch that turns it, as far as that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch: Option<String>,
}

impl Run {
    /// A run from its journal.
    ///
    /// `status` is the one that the store shows, which counts where the journal says nothing of it.
    ///
    /// # Errors
    /// `journal-damaged` when an entry is of a kind or shape that this version does not know.
    pub fn from_entries(run: &str, status: &str, entries: &[Entry]) -> Result<Self, Error> {
        let ledger = Ledger::from_entries(run, entries)?;
        let mut made = Self::from_ledger(run, status, &ledger);
        made.started = entries.first().map(|entry| entry.at.clone()).unwrap_or_default();
        made.updated = entries.last().map(|entry| entry.at.clone()).unwrap_or_default();
        Ok(made)
    }

    fn from_ledger(run: &str, status: &str, ledger: &Ledger) -> Self {
        // The store's word is the newer one: a run that goes on is `running` again before its journal says so.
        let why = ledger
            .status
            .as_ref()
            .and_then(|(_, why)| why.clone())
            .filter(|_| status != "running");
        let started = ledger.started.as_ref();
        Self {
            run: run.to_owned(),
            runbook: started.map(|started| started.runbook.clone()).unwrap_or_default(),
            params: started.map(|started| started.params.clone()).unwrap_or_default(),
            plan: ledger.plan.as_ref().map(|plan| plan.digest.clone()),
            cloud: started.map(|started| cloud(&started.cloud)).unwrap_or_default(),
            status: status.to_owned(),
            why,
            started: String::new(),
            updated: String::new(),
            phases: ledger
                .phases
                .iter()
                .map(|(name, result)| Phase::new(name, result.as_ref(), status))
                .collect(),
            changes: ledger.changes.iter().map(Change::new).collect(),
            findings: ledger.findings.clone(),
            approvals: ledger.approvals.clone(),
            gates: ledger.open_gates().map(Gate::new).collect(),
            hand_overs: ledger.hand_overs.clone(),
            unseen: ledger.unseen.clone(),
        }
    }

    /// How many changes stand how.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for change in &self.changes {
            match change.status {
                Standing::Done if change.already => counts.already += 1,
                Standing::Done => counts.done += 1,
                Standing::Failed => counts.failed += 1,
                Standing::Intended => counts.intended += 1,
                Standing::Undone => counts.undone += 1,
            }
        }
        counts
    }

    /// The hand-overs that nobody has closed.
    pub fn open_hand_overs(&self) -> impl Iterator<Item = &HandOver> {
        self.hand_overs.iter().filter(|task| task.closed.is_none())
    }

    /// The newest look through files.
    pub fn scan(&self) -> Option<Scan> {
        self.phases
            .iter()
            .rev()
            .find_map(|phase| Scan::in_result(&phase.result))
    }

    /// The dependency map that the run's first phase made, where it made one.
    pub fn map(&self) -> Option<&Value> {
        self.phases.iter().find_map(|phase| map_in(&phase.result))
    }
}

impl Gate {
    fn new(gate: &record::Gate) -> Self {
        Self {
            name: gate.name.clone(),
            text: gate.text.clone(),
            digest: gate.digest.clone(),
            ahead: gate.ahead,
        }
    }
}

impl Phase {
    fn new(name: &str, result: Option<&Value>, status: &str) -> Self {
        Self {
            name: name.to_owned(),
            status: if result.is_some() { "done" } else { status }.to_owned(),
            result: result.cloned().unwrap_or_default(),
        }
    }
}

impl Change {
    fn new(change: &record::Change) -> Self {
        let intended = &change.intended;
        let edits = match &intended.action {
            Action::Send(_) => Vec::new(),
            // An edit is plain data, so it always becomes JSON.
            Action::Edit(set) => set
                .edits
                .iter()
                .map(|edit| serde_json::to_value(edit).unwrap_or_default())
                .collect(),
        };
        Self {
            seq: intended.change,
            phase: intended.phase.clone(),
            step: intended.step.clone(),
            op: intended.op.clone(),
            method: intended.action.method().to_owned(),
            target: intended.action.write().target().to_owned(),
            what: intended.what.clone(),
            effect: intended.effect.clone(),
            status: change.standing,
            already: change.already,
            edits,
            request_id: change.request_id.clone(),
            error: change.error.clone(),
        }
    }
}

impl Plan {
    /// A plan from what was planned and what the phases returned.
    ///
    /// `results` is the phases' results by name, or what a runbook of one function returned.
    pub fn new(mut changes: Vec<Planned>, findings: Vec<Finding>, unseen: Vec<Unseen>, results: &Value) -> Self {
        let mut map = map_in(results)
            .or_else(|| results.as_object().and_then(|phases| phases.values().find_map(map_in)))
            .cloned()
            .unwrap_or_else(|| Value::Object(serde_json::Map::new()));
        let scan = Scan::in_result(&map);
        if let Some(members) = map.as_object_mut().filter(|_| scan.is_some()) {
            // It has a place of its own.
            members.remove("scan");
        }
        let costs = Costs::of(&mut changes, &map);
        Self {
            changes,
            findings,
            unseen,
            map,
            costs,
            scan,
            patch: None,
        }
    }
}

/// A journal's cloud in the words of the command line.
fn cloud(kept: &Value) -> String {
    let member = |name: &str| kept.get(name).and_then(Value::as_str);
    match (member("cloud"), member("estate")) {
        (Some(cloud), _) => cloud.to_owned(),
        (None, Some(estate)) => format!("sim:{estate}"),
        (None, None) => "sim:demo".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entry(seq: u64, kind: &str, body: Value) -> Entry {
        Entry {
            seq,
            at: format!("2026-01-01T00:00:0{seq}Z"),
            kind: kind.into(),
            body,
        }
    }

    #[test]
    fn a_run_is_shown_with_the_members_that_others_rely_on() {
        let entries = [
            entry(
                1,
                "started",
                json!({"runbook": "relocate", "params": {"to": "westeurope"}, "cloud": {"demo": true}, "version": "0"}),
            ),
            entry(2, "phase", json!({"name": "prepare"})),
            entry(
                3,
                "phase-done",
                json!({"name": "prepare", "result": {"map": {"grants": [], "bindings": []}}}),
            ),
            entry(4, "phase", json!({"name": "move"})),
        ];
        let run = Run::from_entries("abc234", "paused", &entries).unwrap();
        let shown = serde_json::to_value(&run).unwrap();
        for member in [
            "run",
            "runbook",
            "params",
            "cloud",
            "status",
            "phases",
            "changes",
            "findings",
            "approvals",
            "handOvers",
            "unseen",
        ] {
            assert!(shown.get(member).is_some(), "{member} is missing");
        }
        assert_eq!(shown["cloud"], "sim:demo");
        assert_eq!(shown["phases"][0]["status"], "done");
        assert_eq!(
            shown["phases"][1],
            json!({"name": "move", "status": "paused", "result": null})
        );
        assert_eq!(run.map(), Some(&json!({"grants": [], "bindings": []})));
        assert_eq!(run.updated, "2026-01-01T00:00:04Z");
    }

    #[test]
    fn a_plan_always_has_a_map() {
        assert_eq!(Plan::new(vec![], vec![], vec![], &json!({})).map, json!({}));
        let results = json!({"prepare": {"map": {"grants": [1]}}, "move": null});
        assert_eq!(Plan::new(vec![], vec![], vec![], &results).map, json!({"grants": [1]}));
        assert_eq!(
            Plan::new(vec![], vec![], vec![], &json!({"grants": [], "bindings": []})).map,
            json!({"grants": [], "bindings": []})
        );
    }
}
