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
    /// The lock of a run ended while this process worked on it.
    #[error("this process no longer holds {what}: {why}")]
    LeaseLost {
        /// The run.
        what: String,
        /// How that is known.
        why: String,
    },
    /// The service that keeps the journals gave no answer.
    #[error("the shared state {place} could not be reached: {why}")]
    Unreachable {
        /// Its URL.
        place: String,
        /// What went wrong on the way.
        why: String,
    },
    /// The service that keeps the journals knows the caller, and says no.
    #[error("the shared state {place} refused access: {why}")]
    Denied {
        /// Its URL.
        place: String,
        /// What it said.
        why: String,
    },
    /// There is no token for the service that keeps the journals.
    #[error("there is no sign-in for the shared state {place}: {why}")]
    SignIn {
        /// Its URL.
        place: String,
        /// What each credential said.
        why: String,
    },
    /// The disk, the operating system or the service that keeps the journals refused.
    #[error("{path} could not be {verb}: {why}")]
    Io {
        /// The file or directory, or the URL of a blob.
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
            Error::LeaseLost { .. } => "lease-lost",
            Error::Unreachable { .. } => "state-unreachable",
            Error::Denied { .. } => "state-denied",
            Error::SignIn { .. } => "no-credential",
            Error::Io { .. } => "state-unwritable",
        }
    }
}
