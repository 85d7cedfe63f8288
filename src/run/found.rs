//! What a run tells beside its changes: findings, what could not be looked into, remarks; and what may be told at all.

use std::sync::atomic::Ordering;

use super::event::Event;
use super::record::{Finding, HandOver, Record, Unseen};
use super::session::{Session, lock};
use crate::error::Error;

impl Session {
    /// Writes down something that was found; the same finding is written once.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn finding(&self, finding: Finding) -> Result<(), Error> {
        if finding.severity == "difference" {
            self.differences.fetch_add(1, Ordering::SeqCst);
        }
        let finding = self.hidden_finding(finding);
        let known = self.ledger(|ledger| ledger.findings.contains(&finding));
        // A difference is told as often as it is found: it is why the run stops here.
        if !known || finding.severity == "difference" {
            self.tell(&Event::Finding {
                severity: finding.severity.clone(),
                code: finding.code.clone(),
                target: finding.target.clone(),
                message: finding.message.clone(),
            });
        }
        if known {
            return Ok(());
        }
        self.write(Record::Finding(finding))
    }

    /// How many differences this process has found, those included that the journal knew before.
    pub fn differences(&self) -> u64 {
        self.differences.load(Ordering::SeqCst)
    }

    /// Writes down a warning.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn warn(&self, code: &str, target: &str, text: &str) -> Result<(), Error> {
        self.finding(Finding {
            severity: "warning".into(),
            code: code.into(),
            target: target.into(),
            message: text.into(),
        })
    }

    /// Writes down something that could not be looked into.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn unseen(&self, scope: &str, why: &str, needs: &str) -> Result<(), Error> {
        let unseen = self.hidden_unseen(Unseen {
            scope: scope.into(),
            why: why.into(),
            needs: needs.into(),
        });
        if let Some(since) = lock(&self.unseen_since).as_mut()
            && !since.contains(&unseen)
        {
            since.push(unseen.clone());
        }
        if self.ledger(|ledger| ledger.unseen.contains(&unseen)) {
            return Ok(());
        }
        self.tell(&Event::Unseen {
            scope: unseen.scope.clone(),
            why: unseen.why.clone(),
            needs: unseen.needs.clone(),
        });
        self.write(Record::Unseen(unseen))
    }

    /// A remark.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn note(&self, text: &str) -> Result<(), Error> {
        self.tell(&Event::Note { text: text.to_owned() });
        self.write(Record::Note { text: text.to_owned() })
    }

    /// The hand-overs of this run.
    pub fn hand_overs(&self) -> Vec<HandOver> {
        self.ledger(|ledger| ledger.hand_overs.clone())
    }

    /// The hand-overs that are open: task and text.
    pub fn open_hand_overs(&self) -> Vec<(String, String)> {
        let open = self.hand_overs().into_iter().filter(|task| task.closed.is_none());
        open.map(|task| (task.task, task.text)).collect()
    }

    /// What could not be looked into, since the list was begun anew or in the whole run.
    pub fn unseen_items(&self) -> Vec<Unseen> {
        match &*lock(&self.unseen_since) {
            Some(since) => since.clone(),
            None => self.ledger(|ledger| ledger.unseen.clone()),
        }
    }

    /// Begins the list of what could not be looked into anew, for a look that replaces an earlier one. The journal
    /// keeps everything.
    pub fn reset_unseen(&self) {
        *lock(&self.unseen_since) = Some(Vec::new());
    }
}
