//! How a session works, and how a run stands at its end.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde::Serialize;

use crate::azure::{self, Client};
use crate::store::redact::Secrets;
use crate::store::{self, Journal};

/// What a session may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Everything, journaled.
    Run,
    /// Reads; writes go to the overlay and are listed.
    Plan,
    /// Reads; writes are refused until they are allowed.
    Explore,
}

/// Asks a person on a terminal.
pub trait Approver: Send + Sync {
    /// Whether the person approves `gate`, having read `text`.
    fn ask(&self, gate: &str, text: &str) -> bool;
}

/// Opens the connection to a cloud; called at the first request, once.
pub type Connect = Box<dyn Fn() -> BoxFuture<'static, Result<Client, azure::Error>> + Send + Sync>;

/// Begins a journal; called when an exploring session is first allowed to write.
pub type JournalFactory = Box<dyn Fn() -> Result<Box<dyn Journal>, store::Error> + Send + Sync>;

/// How a session works.
#[derive(Clone, Default)]
pub struct Options {
    /// Every gate is approved.
    pub yes: bool,
    /// The phase to stop after.
    pub until: Option<String>,
    /// How many requests, and so how many items of `run::each`, are under way at once.
    pub concurrency: usize,
    /// Who is asked at gates.
    pub approver: Option<Arc<dyn Approver>>,
    /// Whether a person sits at a terminal, so that waits are sat out.
    pub terminal: bool,
    /// Scripts are read anew instead of from the journal.
    pub with_current_scripts: bool,
    /// The secrets that are known, for whoever else writes something in this process.
    pub secrets: Arc<Secrets>,
    /// Items that may be otherwise than they were planned.
    pub accept_drift: Vec<String>,
    /// Items that are left out.
    pub leave_out: Vec<String>,
}

/// A script that a journal keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptScript {
    /// `embedded`, or the file that it came from.
    pub origin: String,
    /// Its text.
    pub text: String,
}

/// How a run stands at the end of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// A process works on it.
    Running,
    /// It waits for a person or for time.
    Paused,
    /// It failed, or was stopped, and can be resumed.
    Failed,
    /// It is done.
    Done,
    /// Its changes were taken back.
    RolledBack,
}

impl Status {
    /// As journals and outputs spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Running => "running",
            Status::Paused => "paused",
            Status::Failed => "failed",
            Status::Done => "done",
            Status::RolledBack => "rolled-back",
        }
    }
}
