//! Journals: one small trait, and two stores: SQLite, the default, and Azure Blob Storage, which a team shares.
//!
//! A store keeps entries: a sequence number, a time, a kind, and a JSON body that it does not look into.
//! What the bodies mean is known to `run`, so that old entries survive new code.

pub mod blob;
mod chain;
mod error;
mod private;
pub mod redact;
mod sqlite;
mod stamp;
#[cfg(test)]
pub(crate) mod suite;

pub use blob::BlobStore;
pub use error::Error;
pub use private::private_directory;
pub use sqlite::SqliteStore;
pub use stamp::now;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One entry of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Position in the journal, from 1, without gaps.
    pub seq: u64,
    /// When it was written: RFC 3339, UTC.
    pub at: String,
    /// What it is: `intended`, `done`, `step`, …
    pub kind: String,
    /// What it says.
    pub body: Value,
}

/// What `ferry runs` shows of a run without reading its whole journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The run's id.
    pub run: String,
    /// The runbook's name or path.
    pub runbook: String,
    /// What the run is about, equal for two runs that would do the same: see [`Store::create`].
    pub subject: String,
    /// `running`, `paused`, `failed`, `done`, `rolled-back`.
    pub status: String,
    /// When it began: RFC 3339, UTC.
    pub started: String,
}

/// A journal that is open for writing. There is one writer at a time, across all processes.
pub trait Journal: Send + Sync {
    /// The run's id.
    fn run(&self) -> &str;

    /// Makes an entry durable, and returns its sequence number. When this returns, the entry survives a crash.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Unreachable`], when it could not be made durable: nothing that depends on it may then
    /// be done. [`Error::LeaseLost`] when another process has taken the run over.
    fn append(&self, kind: &str, body: &Value) -> Result<u64, Error>;

    /// All entries, oldest first.
    ///
    /// # Errors
    /// [`Error::Damaged`] when an entry cannot be read.
    fn entries(&self) -> Result<Vec<Entry>, Error>;

    /// Sets the status that [`Store::runs`] shows.
    ///
    /// # Errors
    /// As [`Journal::append`].
    fn set_status(&self, status: &str) -> Result<(), Error>;

    /// Whether this process still is the one that may work on the run. It is asked right before every write to Azure,
    /// and so is quick where nothing is in doubt; where something is, it may wait some seconds for the answer, and must
    /// not be called from async code.
    ///
    /// Of a store whose lock ends with the process alone it is always so; a lease ends by itself, also while the process
    /// was stopped or its machine slept.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] when another process may have taken the run over: nothing more may then be written.
    fn assert_held(&self) -> Result<(), Error>;
}

/// Where journals are kept.
pub trait Store: Send + Sync {
    /// Begins a journal for a new run.
    ///
    /// `subject` says what the run is about (runbook, cloud, identity, target); while it is open, no other
    /// process can open a run of an equal `lock`.
    ///
    /// # Errors
    /// [`Error::Held`] when another process works on the same `lock`; [`Error::Io`] and its like.
    fn create(&self, runbook: &str, subject: &str, lock: &str) -> Result<Box<dyn Journal>, Error>;

    /// Opens the journal of a run for writing.
    ///
    /// # Errors
    /// [`Error::Held`] when another process has it open; [`Error::Newer`], [`Error::Damaged`], [`Error::Io`].
    fn open(&self, run: &str) -> Result<Box<dyn Journal>, Error>;

    /// Reads the entries of a run, also while another process writes them.
    ///
    /// # Errors
    /// As [`Store::open`], but for [`Error::Held`].
    fn read(&self, run: &str) -> Result<Vec<Entry>, Error>;

    /// All runs, oldest first.
    ///
    /// # Errors
    /// [`Error::Io`] when the place cannot be read.
    fn runs(&self) -> Result<Vec<Summary>, Error>;

    /// A directory for what is kept beside a run's journal, such as the simulator of a rehearsal.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be made.
    fn side_directory(&self, run: &str) -> Result<std::path::PathBuf, Error>;

    /// The run that `name` stands for: an id, a unique prefix of one, or `last`.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::Ambiguous`].
    fn resolve(&self, name: &str) -> Result<String, Error> {
        let runs = self.runs()?;
        if name == "last" {
            return runs
                .last()
                .map(|run| run.run.clone())
                .ok_or_else(|| Error::Unknown { run: name.to_owned() });
        }
        if let Some(exact) = runs.iter().find(|run| run.run == name) {
            return Ok(exact.run.clone());
        }
        let matching: Vec<&Summary> = runs
            .iter()
            .filter(|run| !name.is_empty() && run.run.starts_with(name))
            .collect();
        match matching.as_slice() {
            [one] => Ok(one.run.clone()),
            [] => Err(Error::Unknown { run: name.to_owned() }),
            many => Err(Error::Ambiguous {
                run: name.to_owned(),
                candidates: many.iter().map(|run| run.run.clone()).collect(),
            }),
        }
    }
}
