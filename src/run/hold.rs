//! Holding a run to its plan: each change that it asks for must be one of the plan's, and must meet what the plan saw.

use std::sync::Arc;

use serde_json::{Value, json};

use super::change::{Action, Change, Probe, Undo, Write};
use super::drift::{Difference, Drift, stopped};
use super::edit::{Edit, EditSet, Form};
use super::held::{Asked, Held, content};
use super::image::{Image, Images};
use super::item::Item;
use super::like;
use super::person;
use super::placeholder::SHOWN;
use super::plan_file::{PlanFile, PlannedChange};
use super::planned_map;
use super::record::{Approval, Finding, Intended, Record};
use super::session::{Session, lock, now, printed_path};
use crate::error::Error;

/// The phase whose result is compared with the plan's map.
const PREPARE: &str = "prepare";
/// What begins the names of items of a map.
const MAP: &[&str] = &["grants/", "bindings/", "trust/"];

impl Session {
    /// Holds the run to a plan, and keeps it in the journal: a resumed run is held to it too.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn hold_to(&self, plan: PlanFile) -> Result<(), Error> {
        self.write(Record::Plan(Box::new(plan.clone())))?;
        let _ = self.held.set(Held::new(Arc::new(plan)));
        Ok(())
    }

    /// The digest of the plan that the run is held to.
    pub fn plan_digest(&self) -> Option<&str> {
        Some(self.held.get()?.plan.digest.as_str())
    }

    /// The drift that has stopped the run.
    pub fn drifted(&self) -> Option<Error> {
        lock(&self.drifted).clone()
    }

    /// What a gate asks, with the plan that it belongs to.
    pub(super) fn with_plan(&self, text: &str) -> String {
        match self.plan_digest() {
            Some(digest) => format!("{text} The run is held to the plan {digest}."),
            None => text.to_owned(),
        }
    }

    /// Compares a change with the plan, and what stands at its target with what the plan saw there.
    ///
    /// `now` is what stands there: null where nothing does, none where it cannot be read.
    ///
    /// # Errors
    /// `drift`, which stops the run.
    pub(super) fn hold_to_plan(&self, change: &Change, key: &str, now: Option<&Value>) -> Result<(), Error> {
        let Some(held) = self.held.get() else { return Ok(()) };
        if let Some(error) = self.drifted() {
            return Err(error);
        }
        let asked = Asked::new(printed_path(), &change.action, |body| self.secrets.hide(body));
        let drift = |what: String, differences: Vec<Difference>| Drift {
            item: asked.step.clone(),
            target: asked.target.clone(),
            what,
            differences,
            aliases: Vec::new(),
            standing: false,
        };
        let found = match held.find(&asked, key) {
            Ok(index) => {
                let planned = &held.plan.changes[index];
                let differences = self.differences_from(held, planned, change, now);
                let found = (!differences.is_empty()).then(|| Drift {
                    standing: true,
                    ..drift(format!("{}, which is not as it was planned", change.what), differences)
                });
                (Some(index), found)
            }
            Err(Some(index)) => {
                let planned = content(&held.plan.changes[index]);
                let differences = open_differences(&planned, &asked.content);
                (
                    Some(index),
                    Some(drift(
                        format!("{}, and other than it was planned", change.what),
                        differences,
                    )),
                )
            }
            Err(None) => (
                None,
                Some(drift(
                    format!("{}, which the plan does not have", change.what),
                    Vec::new(),
                )),
            ),
        };
        if let Some(drift) = found.1 {
            self.stop_or_accept(vec![drift])?;
        }
        if let Some(index) = found.0 {
            lock(&held.taken).entry(index).or_insert_with(|| key.to_owned());
        }
        held.note_written(&change.action, &change.probe);
        Ok(())
    }

    /// In what that which stands at a target differs from what the plan saw there.
    fn differences_from(
        &self,
        held: &Held,
        planned: &PlannedChange,
        change: &Change,
        now: Option<&Value>,
    ) -> Vec<Difference> {
        let (Some(image), Some(now)) = (&planned.before, now) else {
            return Vec::new();
        };
        if held.has_written(change.action.write().target()) {
            return Vec::new();
        }
        let something = || Some(Value::String("a value that is not shown".into()));
        match (image, now) {
            (Image::Absent, Value::Null) => Vec::new(),
            (Image::Absent, _) => vec![Difference::new(String::new(), None, something())],
            (Image::Document(_), Value::Null) => vec![Difference::new(String::new(), something(), None)],
            (Image::Document(image), now) => {
                let is_secret = |text: &str| self.secrets.holds(text);
                let images = Images {
                    salt: &held.plan.salt,
                    is_secret: &is_secret,
                    open: false,
                };
                images.differences(image, now)
            }
        }
    }

    /// At the end of a phase: compares the map that it made with the plan's, and tells of planned changes that the phase did
    /// not ask for.
    ///
    /// # Errors
    /// `drift`, which stops the run.
    pub(super) fn hold_phase_to_plan(&self, phase: &str, result: &Value) -> Result<(), Error> {
        let Some(held) = self.held.get() else { return Ok(()) };
        if let Some(error) = self.drifted() {
            return Err(error);
        }
        let map = planned_map::map_in(result).filter(|_| phase == PREPARE);
        if let Some(map) = map.filter(|_| planned_map::map_in(&held.plan.map).is_some()) {
            self.stop_or_accept(planned_map::drifts(&held.plan.map, map))?;
        }
        let taken: Vec<usize> = lock(&held.taken).keys().copied().collect();
        let fewer = self.leave_out().len() > held.plan.leave_out.len();
        let mut missing = Vec::new();
        for (index, planned) in held.plan.changes.iter().enumerate() {
            if planned.shown.phase != phase || taken.contains(&index) {
                continue;
            }
            let tell = |code: &str, why: &str| {
                self.finding(Finding {
                    severity: "info".into(),
                    code: code.into(),
                    target: planned.shown.target.clone(),
                    message: format!(
                        "planned change {} was not made, {why}: {}",
                        planned.shown.seq, planned.shown.why
                    ),
                })
            };
            if fewer {
                tell("left-out", "because of what is left out")?;
            } else if self.is_in_place(planned) {
                tell("already-so", "because it is so already")?;
            } else {
                missing.push(Drift {
                    item: planned.shown.step.clone(),
                    target: planned.shown.target.clone(),
                    what: format!(
                        "planned change {} was not asked for: {}",
                        planned.shown.seq, planned.shown.why
                    ),
                    differences: Vec::new(),
                    aliases: Vec::new(),
                    standing: false,
                });
            }
        }
        self.stop_or_accept(missing)
    }

    /// Whether a planned change is in place, as far as a fresh read can tell.
    fn is_in_place(&self, planned: &PlannedChange) -> bool {
        let write = Write {
            plane: planned.plane.clone(),
            method: planned.shown.method.clone(),
            path: planned.shown.target.clone(),
            query: planned.query.clone(),
            headers: Vec::new(),
            body: None,
        };
        let known = |write: &Write| !write.path.contains(SHOWN) && !json!(write.query).to_string().contains(SHOWN);
        if let Some(probe) = &planned.probe {
            let whole = serde_json::to_string(probe).is_ok_and(|text| !text.contains(SHOWN));
            return whole && probe.can_tell() && self.probe_holds(planned, write, probe.clone());
        }
        if let Some(read) = &planned.read {
            let edits: Result<Vec<Edit>, _> = serde_json::from_value(json!(planned.shown.edits));
            let whole = !json!(planned.shown.edits).to_string().contains(SHOWN);
            let (Ok(edits), true, true) = (edits, whole, known(read)) else {
                return false;
            };
            let set = EditSet {
                read: read.clone(),
                write,
                form: Form::Merge,
                edits,
                fills: Vec::new(),
                read_only: Vec::new(),
            };
            return match self.fetch(read) {
                Ok(document) => set.in_place(&document),
                // With the document all that would be turned in it is gone.
                Err(error) => error.is_not_found(),
            };
        }
        if !known(&write) {
            return false;
        }
        match (planned.shown.method.as_str(), self.current(&write)) {
            ("DELETE", Ok(None)) => true,
            ("PUT" | "PATCH", Ok(Some(document))) => like::covers(&document, &planned.shown.body),
            _ => false,
        }
    }

    fn probe_holds(&self, planned: &PlannedChange, write: Write, probe: Probe) -> bool {
        let intended = Intended {
            change: 0,
            key: String::new(),
            phase: planned.shown.phase.clone(),
            step: planned.shown.step.clone(),
            op: planned.shown.op.clone(),
            what: planned.shown.why.clone(),
            effect: planned.shown.effect.clone(),
            action: Action::Send(write),
            probe,
            undo: Undo::Never(String::new()),
            before: None,
            principal: None,
        };
        self.in_place(&intended).is_ok_and(|(in_place, _)| in_place)
    }

    /// Lets drift pass that is accepted by name, and writes that down; stops the run at what is not.
    fn stop_or_accept(&self, drifts: Vec<Drift>) -> Result<(), Error> {
        let mut left = Vec::new();
        for drift in drifts {
            if !self.accept(&drift)? {
                left.push(drift);
            }
        }
        let Some(held) = self.held.get().filter(|_| !left.is_empty()) else {
            return Ok(());
        };
        let run = self.run_id().unwrap_or("RUN");
        let error = stopped(&left, run, held.made(), held.plan.changes.len());
        // The first one counts: others are found again when the run goes on.
        Err(lock(&self.drifted).get_or_insert(error).clone())
    }

    /// Whether a drift is accepted: by this command, or by an earlier one.
    fn accept(&self, drift: &Drift) -> Result<bool, Error> {
        let (item, digest) = (drift.named(), drift.digest());
        let (gate, earlier) = (format!("drift {}", drift.item), |approval: &Approval| {
            let gate = approval.gate.strip_prefix("drift ")?;
            Some((gate.to_owned(), approval.digest.clone()))
        });
        let known: Vec<_> = self.ledger(|ledger| ledger.approvals.iter().filter_map(earlier).collect());
        if known
            .iter()
            .any(|(known, for_what)| *known == drift.item && *for_what == digest)
        {
            return Ok(true);
        }
        let named = self.options.accept_drift.iter().any(|given| item.is_named(given));
        // What an accepted grant or binding brings with it is accepted too.
        let in_map = |known: &str| MAP.iter().any(|part| known.starts_with(part));
        let brought = !drift.standing
            && known
                .iter()
                .any(|(known, _)| in_map(known) && Item::of_step(known, []).is_about(&item));
        if !named && !brought {
            return Ok(false);
        }
        let mut message = format!("{}: accepted as it is now", drift.what);
        for difference in &drift.differences {
            message.push_str(&format!("; {difference}"));
        }
        self.finding(Finding {
            severity: "warning".into(),
            code: "drift-accepted".into(),
            target: drift.target.clone(),
            message,
        })?;
        self.write(Record::Approved(Approval {
            gate,
            by: person::who(),
            from: person::whence("--accept-drift"),
            at: now(),
            digest,
        }))?;
        Ok(true)
    }
}

/// In what a request differs from the planned one. Both may be shown: what is secret in them is hidden already.
fn open_differences(planned: &Value, asked: &Value) -> Vec<Difference> {
    let images = Images::in_the_open();
    let found = images.differences(planned, asked);
    found
        .into_iter()
        .filter(|difference| difference.planned.as_ref().and_then(Value::as_str) != Some(SHOWN))
        .collect()
}
