//! What can go wrong with a journal.

/// Why a journal could not be opened, read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Another process has it.
    #[error("{what} is held by another process{}", holder.as_ref().map(|h| format!(" ({h})")).unwrap_or_default())]
    Held {
        /// The run, or what the run is about.
        what: String,
        /// Process id and machine of the holder, where it left them.
        holder: Option<String>,
    },
    /// There is no such run.
    #[error("there is no run \"{run}\" in this state directory")]
    Unknown {
        /// The name that was given.
        run: String,
    },
    /// Several runs begin so.
    #[error("\"{run}\" is the beginning of several runs: {}", candidates.join(", "))]
    Ambiguous {
        /// The prefix that was given.
        run: String,
        /// The runs that begin with it.
        candidates: Vec<String>,
    },
    /// A newer version of Ferry wrote it.
    #[error("the journal of run {run} has format {found}, this ferry reads formats up to {known}")]
    Newer {
        /// The run.
        run: String,
        /// The format of the journal.
        found: u32,
        /// The newest format that this program reads.
        known: u32,
    },
    /// It cannot be read.
    #[error("the journal of run {run} is damaged: {why}")]
    Damaged {
        /// The run.
        run: String,
        /// What is wrong with it.
        why: String,
    },
    /// The disk or the operating system refused.
    #[error("{path} could not be {verb}: {why}")]
    Io {
        /// The file or directory.
        path: String,
        /// What was tried: `read`, `written`, `created`.
        verb: &'static str,
        /// What the system said.
        why: String,
    },
}

impl Error {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Held { .. } => "run-held",
            Error::Unknown { .. } => "unknown-run",
            Error::Ambiguous { .. } => "ambiguous-run",
            Error::Newer { .. } => "journal-newer",
            Error::Damaged { .. } => "journal-damaged",
            Error::Io { .. } => "state-unwritable",
        }
    }
}
