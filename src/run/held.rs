//! The plan that a run is held to, and how far it has been carried out: which planned change a change of the run is.
//!
//! A change is known by its step, method, target and content, never by its number: a run works in parallel, and what is so
//! already it does not ask for. What only Azure gives is like anything in its place.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::change::{Action, Probe, WritePlane};
use super::like;
use super::placeholder::SHOWN;
use super::plan_file::{PlanFile, PlannedChange};
use super::record::{self, Standing};
use super::session::lock;

/// A plan and how far it has been carried out.
pub(super) struct Held {
    pub(super) plan: Arc<PlanFile>,
    /// The planned changes by step and method, in lower case.
    by_step: HashMap<(String, String), Vec<usize>>,
    /// Those in whose step something stands that only Azure gives.
    open: Vec<usize>,
    /// The planned changes that were asked for, with the keys of the run's changes.
    pub(super) taken: Mutex<BTreeMap<usize, String>>,
    /// What this run has written, or was about to: paths in lower case.
    written: Mutex<BTreeSet<String>>,
}

/// A change that a run asks for, in the form in which it is compared.
pub(super) struct Asked {
    pub(super) step: String,
    method: String,
    pub(super) target: String,
    plane: WritePlane,
    query: Vec<(String, String)>,
    pub(super) content: Value,
}

impl Asked {
    pub(super) fn new(step: String, action: &Action, hide: impl Fn(&Value) -> Value) -> Self {
        let write = action.write();
        let content = match action {
            Action::Send(write) => json!({ "body": hide(write.body.as_ref().unwrap_or(&Value::Null)) }),
            Action::Edit(edit) => json!({ "edits": edit.edits }),
        };
        Self {
            step,
            method: write.method.clone(),
            target: write.path.clone(),
            plane: write.plane.clone(),
            query: write.query.clone(),
            content,
        }
    }

    /// Whether it goes where a planned change goes.
    fn goes_like(&self, planned: &PlannedChange) -> bool {
        like::path(&planned.shown.step, &self.step)
            && planned.shown.method.eq_ignore_ascii_case(&self.method)
            && planned.plane == self.plane
            && like::path(&planned.shown.target, &self.target)
            && like::document(&json!(planned.query), &json!(self.query))
    }

    /// Whether it does what a planned change does.
    fn does_like(&self, planned: &PlannedChange) -> bool {
        like::document(&content(planned), &self.content)
    }
}

/// What a planned change does: its edits, or its body.
pub(super) fn content(planned: &PlannedChange) -> Value {
    if planned.read.is_some() {
        json!({ "edits": planned.shown.edits })
    } else {
        json!({ "body": planned.shown.body })
    }
}

impl Held {
    pub(super) fn new(plan: Arc<PlanFile>) -> Self {
        let (mut by_step, mut open) = (HashMap::<_, Vec<usize>>::new(), Vec::new());
        for (index, planned) in plan.changes.iter().enumerate() {
            if planned.shown.step.contains(SHOWN) {
                open.push(index);
            } else {
                by_step
                    .entry(key(&planned.shown.step, &planned.shown.method))
                    .or_default()
                    .push(index);
            }
        }
        Self {
            plan,
            by_step,
            open,
            taken: Mutex::default(),
            written: Mutex::default(),
        }
    }

    /// Takes what an earlier process has asked for.
    pub(super) fn take_done(&self, changes: &[record::Change]) {
        for change in changes {
            let intended = &change.intended;
            let asked = Asked::new(intended.step.clone(), &intended.action, Value::clone);
            if let Ok(index) = self.find(&asked, &intended.key) {
                lock(&self.taken).insert(index, intended.key.clone());
            }
            // What failed changed nothing.
            if change.standing != Standing::Failed {
                self.note_written(&intended.action, &intended.probe);
            }
        }
    }

    /// The planned change that this one is; else the one that goes where it goes, if there is one.
    pub(super) fn find(&self, asked: &Asked, change: &str) -> Result<usize, Option<usize>> {
        let taken = lock(&self.taken);
        let fits = |index: &&usize| asked.goes_like(&self.plan.changes[**index]);
        let at_step = self.by_step.get(&key(&asked.step, &asked.method)).into_iter().flatten();
        let candidates: Vec<usize> = at_step.chain(&self.open).filter(fits).copied().collect();
        let same = |index: &&usize| asked.does_like(&self.plan.changes[**index]);
        let own = candidates
            .iter()
            .find(|index| taken.get(index).is_some_and(|known| known == change));
        let free = candidates.iter().filter(|index| !taken.contains_key(index)).find(same);
        own.or(free).copied().ok_or_else(|| candidates.first().copied())
    }

    /// Remembers what a change writes: that, and what lies above it, is not as the plan saw it any more.
    pub(super) fn note_written(&self, action: &Action, probe: &Probe) {
        let mut written = lock(&self.written);
        written.insert(action.write().target_key());
        // An action in the clothes of a document changes another document.
        if let Probe::Holds { read, .. } = probe {
            written.insert(read.target_key());
        }
    }

    /// Whether this run has changed a document itself, or something below it that is a part of it.
    pub(super) fn has_written(&self, target: &str) -> bool {
        let (target, written) = (target.to_lowercase(), lock(&self.written));
        if written.contains(&target) {
            return true;
        }
        let below = format!("{target}/");
        written
            .range::<String, _>((Bound::Included(&below), Bound::Unbounded))
            .take_while(|path| path.starts_with(&below))
            .any(|path| !path[below.len()..].starts_with("providers/"))
    }

    /// How many planned changes were asked for.
    pub(super) fn made(&self) -> usize {
        lock(&self.taken).len()
    }
}

fn key(step: &str, method: &str) -> (String, String) {
    (step.to_lowercase(), method.to_lowercase())
}
