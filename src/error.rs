//! The one error of Ferry: what happened, to which resource, what was left untouched, what to do next.
//!
//! Errors are values with fields; `cli` makes text of them, once. Lower floors have errors of their own
//! (`azure::Error`, `store::Error`); here is where advice is added to them.

mod credential;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{azure, postgres, store, types};

/// What kind of ending an error is: it fixes the exit code of the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Refused before any cloud was contacted: usage, an unknown runbook, a script that does not load. Exit code 2.
    Refused,
    /// The command failed. Exit code 1.
    Failed,
    /// Verification found a difference. Exit code 4.
    Difference,
    /// The run pauses: an approval, a hand-over, `--until`, a wait. Exit code 3.
    Paused,
    /// Somebody pressed Ctrl-C. Exit code 130.
    Interrupted,
}

/// A place in a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct At {
    /// The script's file, as `runbooks/relocate.rhai`.
    pub file: String,
    /// Line, from 1; 0 where it is not known.
    pub line: usize,
    /// Column in characters, from 1; 0 where it is not known.
    pub column: usize,
    /// The text of that script, for showing the line.
    #[serde(skip)]
    pub source: Option<String>,
}

/// One call on the way to the place where an error arose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The function that was called.
    pub function: String,
    /// The place of the call.
    pub at: At,
}

/// What Azure itself said, verbatim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// HTTP status.
    pub status: u16,
    /// Azure's error code.
    pub code: String,
    /// Azure's message.
    pub message: String,
    /// `x-ms-request-id` or Graph's `request-id`.
    pub request_id: Option<String>,
    /// `x-ms-correlation-request-id`.
    pub correlation_id: Option<String>,
}

/// An error with everything that its reader needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    /// A stable code; `ferry doc CODE` explains it.
    pub code: String,
    /// What kind of ending this is.
    pub kind: Kind,
    /// What happened: past tense, no blame.
    pub message: String,
    /// Where in a script.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub at: Option<At>,
    /// The calls that led there, outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub calls: Vec<Frame>,
    /// The resource that it happened to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub on: Option<String>,
    /// What was left untouched.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub untouched: Option<String>,
    /// What to do next: commands to paste, or a sentence.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub next: Vec<String>,
    /// What Azure said.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub azure: Option<Said>,
    /// Whether what failed may have happened all the same: the request was sent, and its end is not known.
    #[serde(skip)]
    pub unclear: bool,
    /// Whether an earlier try of the same request had no known end: what this error complains of may be its doing.
    #[serde(skip)]
    pub doubtful: bool,
    /// Whether it tells of the way to the cloud rather than of what was asked for: another time it may be answered.
    #[serde(skip)]
    pub passing: bool,
}

impl Error {
    /// An error that fails the command.
    pub fn failed(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            kind: Kind::Failed,
            message: message.into(),
            at: None,
            calls: Vec::new(),
            on: None,
            untouched: None,
            next: Vec::new(),
            azure: None,
            unclear: false,
            doubtful: false,
            passing: false,
        }
    }

    /// An error that refuses the command before any cloud was contacted, and so before anything was begun.
    pub fn refused(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Refused,
            untouched: Some("nothing was begun".to_owned()),
            ..Self::failed(code, message)
        }
    }

    /// The same error with another kind.
    #[must_use]
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// Names the resource that it happened to.
    #[must_use]
    pub fn on(mut self, on: impl Into<String>) -> Self {
        self.on = Some(on.into());
        self
    }

    /// Says what was left untouched.
    #[must_use]
    pub fn untouched(mut self, untouched: impl Into<String>) -> Self {
        self.untouched = Some(untouched.into());
        self
    }

    /// Adds something to do next.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next.push(next.into());
        self
    }

    /// Says what was left untouched, where the error does not say so itself.
    #[must_use]
    pub fn or_untouched(mut self, untouched: &str) -> Self {
        self.untouched.get_or_insert_with(|| untouched.to_owned());
        self
    }

    /// The process's exit code for this error.
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            Kind::Failed => 1,
            Kind::Refused => 2,
            Kind::Paused => 3,
            Kind::Difference => 4,
            Kind::Interrupted => 130,
        }
    }

    /// Whether Azure answered with this error code.
    pub fn azure_code(&self) -> Option<&str> {
        self.azure.as_ref().map(|said| said.code.as_str())
    }

    /// Whether no script may catch this error and go on: a pause, an interrupt, a journal that cannot be written, a
    /// replay that is another one than the journal's, drift from the plan.
    pub fn ends_scripts(&self) -> bool {
        matches!(self.kind, Kind::Paused | Kind::Interrupted)
            || ["state-unwritable", "journal-damaged", "step-changed", "drift"].contains(&self.code.as_str())
    }

    /// Whether the resource was not there (404).
    pub fn is_not_found(&self) -> bool {
        self.azure.as_ref().is_some_and(|said| said.status == 404)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Error {}

impl From<types::ParseError> for Error {
    fn from(error: types::ParseError) -> Self {
        Error::refused("malformed", error.to_string()).untouched("nothing was sent")
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        let next = match &error {
            store::Error::Newer { .. } => "use the version of ferry that wrote this journal, or a newer one",
            store::Error::Held { .. } => "wait until the other process ends, or stop it; then run this command again",
            store::Error::Unknown { .. } | store::Error::Ambiguous { .. } => {
                "ferry runs      lists the runs of this state directory"
            }
            store::Error::LeaseLost { .. } => {
                "ferry resume RUN      goes on, once whoever holds the run now is done or has died"
            }
            store::Error::Unreachable { .. } => {
                "check the address and the network; then run the same command again, or ferry resume RUN"
            }
            store::Error::Denied { .. } => {
                "give the caller the role Storage Blob Data Contributor on the container; it takes effect within ten minutes"
            }
            store::Error::SignIn { why, .. } => credential::advice(why).1,
            store::Error::Io { path, .. } if path.contains("://") => {
                "look at what Azure Storage said; ferry doc state-unwritable      explains it"
            }
            store::Error::Io { .. } => "choose a directory that can be written: --state DIR, or FERRY_STATE",
            store::Error::Damaged { .. } => {
                "put the journal's files back as they were; Azure was not asked to do anything"
            }
        };
        let kind = match &error {
            store::Error::Unknown { .. } | store::Error::Ambiguous { .. } => Kind::Refused,
            _ => Kind::Failed,
        };
        let untouched = match &error {
            // It may have worked for hours before.
            store::Error::LeaseLost { .. } => "what was done stays done, and is in the journal; nothing more was sent",
            _ => "nothing was sent to Azure by this command",
        };
        Error::failed(error.code(), error.to_string())
            .kind(kind)
            .untouched(untouched)
            .next(next)
    }
}

impl From<azure::Error> for Error {
    fn from(error: azure::Error) -> Self {
        let message = error.to_string();
        let (unclear, passing) = (error.may_have_happened(), error.is_passing());
        let doubtful = error.service().is_some_and(|service| service.doubtful);
        let mut made = match error {
            azure::Error::Service(service) => {
                let (code, next) = advice(service.status, &service.code);
                let mut made = Error::failed(code, message).on(service.target.clone());
                made.next.extend(match (code, service.retry_after) {
                    ("throttled", Some(wait)) => Some(format!(
                        "Azure asks to wait {} s, which is longer than one request waits; then ferry resume RUN goes on from here",
                        wait.as_secs().max(1)
                    )),
                    _ => next.map(str::to_owned),
                });
                made.azure = Some(Said {
                    status: service.status,
                    code: service.code.clone(),
                    message: service.message.clone(),
                    request_id: service.request_id.clone(),
                    correlation_id: service.correlation_id.clone(),
                });
                made
            }
            azure::Error::OperationFailed(failure) => {
                let (code, next) = advice(0, &failure.code);
                let mut made = Error::failed(code, message).on(failure.target.clone());
                made.next.extend(next.map(str::to_owned));
                made.azure = Some(Said {
                    status: 0,
                    code: failure.code.clone(),
                    message: failure.message.clone(),
                    request_id: failure.request_id.clone(),
                    correlation_id: failure.correlation_id.clone(),
                });
                made
            }
            other => {
                let (code, next) = match &other {
                    azure::Error::Auth { why, .. } => credential::advice(why),
                    azure::Error::Withheld { .. } => (
                        "lease-lost",
                        "ferry resume RUN      goes on, once whoever holds the run now is done or has died",
                    ),
                    azure::Error::Refused { .. } => {
                        ("request-refused", "correct the address or the audience that is meant")
                    }
                    _ if other.is_unreachable() => (
                        "unreachable",
                        "check the address and the network, then run the same command again",
                    ),
                    azure::Error::Body { .. } => (
                        "unreadable-answer",
                        "something between here and Azure may have answered in its place: check proxies and the address",
                    ),
                    _ => ("unfinished", "ferry resume RUN      asks how it ended, and goes on"),
                };
                Error::failed(code, message).next(next)
            }
        };
        made.unclear = unclear;
        made.doubtful = doubtful;
        made.passing = passing;
        made
    }
}

impl From<postgres::Error> for Error {
    fn from(error: postgres::Error) -> Self {
        let message = error.to_string();
        let (code, untouched, next) = match &error {
            postgres::Error::Unreachable { .. } => (
                "database-unreachable",
                "the database: nothing was sent to it",
                "check host, port, sslmode and the network, then run the same command again",
            ),
            postgres::Error::SignIn { .. } => (
                "database-sign-in",
                "the database: nothing was sent to it",
                "set PGPASSWORD or PGPASSFILE, or sign in as an Entra administrator whose role `user=` names; ferry doc database-sign-in      says which is used when",
            ),
            postgres::Error::Refused { state, .. } if state == "42501" => (
                "database-not-allowed",
                "the database: the statements of one change take effect all together, and none of these did",
                "give the role that connects what the server names (for grants, membership in the owner of the object), then run the same command again",
            ),
            postgres::Error::Refused { .. } => (
                "database-refused",
                "the database: the statements of one change take effect all together, and none of these did",
                "see what the server says; ferry doc database-refused      has the usual causes",
            ),
            postgres::Error::Changed { .. } => (
                "database-changed",
                "the database: nothing was sent to it",
                "see who changed it; what is there now was left alone",
            ),
            postgres::Error::Broken { unclear, .. } => (
                "database-unreachable",
                if *unclear {
                    "it is not known whether the transaction ended; that is looked up before anything is sent again"
                } else {
                    "the database: the transaction did not come to its end, so nothing of it took effect"
                },
                "run the same command again: it asks how things stand, and goes on",
            ),
            postgres::Error::Withheld { .. } => (
                "lease-lost",
                "the database: the transaction was not ended, so nothing of it took effect",
                "ferry resume RUN      goes on, once whoever holds the run now is done or has died",
            ),
        };
        let mut made = Error::failed(code, message)
            .on(error.place())
            .untouched(untouched)
            .next(next);
        made.unclear = error.may_have_happened();
        made
    }
}

/// Ferry's code and advice for an answer of Azure's.
fn advice(status: u16, code: &str) -> (&'static str, Option<&'static str>) {
    match (status, code) {
        (300..=399, _) => (
            "redirected",
            Some("something between here and Azure may have answered in its place: check proxies and the address"),
        ),
        (_, "PrincipalNotFound") => (
            "principal-not-replicated",
            Some("the directory may need some minutes; ferry resume RUN goes on from here"),
        ),
        (_, "LinkedAuthorizationFailed") => (
            "not-allowed",
            Some(
                "grant the operator Managed Identity Operator on the identity, or mend the dead reference that Azure names",
            ),
        ),
        (401, _) => (
            "token-refused",
            Some("check the credential with --auth; az login renews the one of the Azure CLI"),
        ),
        (403, "RequestDisallowedByPolicy") => (
            "denied-by-policy",
            Some("ask for an exemption from the policy that Azure names"),
        ),
        (403, _) => (
            "not-allowed",
            Some("grant the operator the action that Azure names at that scope, then ferry resume RUN"),
        ),
        (404, _) => ("not-found", None),
        (409, "ScopeLocked") => (
            "locked",
            Some("remove the lock that Azure names, or leave that resource out"),
        ),
        (429, _) => (
            "throttled",
            Some("wait some minutes; ferry resume RUN goes on from here"),
        ),
        (_, "RoleAssignmentLimitExceeded") => (
            "assignment-limit",
            Some("remove role assignments that nobody needs, then ferry resume RUN"),
        ),
        (408 | 500.., _) => (
            "azure-unwell",
            Some("wait some minutes; ferry resume RUN goes on from here"),
        ),
        _ => ("azure-refused", None),
    }
}
