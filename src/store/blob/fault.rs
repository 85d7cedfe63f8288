//! Why a request of the store has no good answer.

use azure_core::error::ErrorKind;

/// Why a request has no good answer.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// No answer, or one that tells nothing: it may have been done.
    Lost(String),
    /// The service says no.
    Said {
        /// The HTTP status.
        status: u16,
        /// The service's code, as `BlobNotFound`.
        code: String,
    },
    /// There was no token.
    SignIn(String),
}

impl Fault {
    pub(super) fn of(error: &azure_core::Error) -> Self {
        match error.kind() {
            ErrorKind::HttpResponse { status, error_code, .. } => {
                let status = u16::from(*status);
                let code = error_code.clone().unwrap_or_default();
                if matches!(status, 408 | 429 | 500..) {
                    Self::Lost(format!("it answered {status} {code}"))
                } else {
                    Self::Said { status, code }
                }
            }
            ErrorKind::Credential => Self::SignIn(causes(error)),
            _ => Self::Lost(causes(error)),
        }
    }

    /// Whether the service answered with this status.
    pub(super) fn is(&self, wanted: u16) -> bool {
        matches!(self, Self::Said { status, .. } if *status == wanted)
    }

    /// Whether the service answered with this code.
    pub(super) fn says(&self, wanted: &str) -> bool {
        matches!(self, Self::Said { code, .. } if code == wanted)
    }

    /// What came of the request, for a sentence.
    pub(super) fn said(&self) -> String {
        match self {
            Self::Lost(why) | Self::SignIn(why) => why.clone(),
            Self::Said { status, code } => format!("Azure Storage answered {status} {code}"),
        }
    }

    /// Whether it says that a lease is not, or not any more, what the caller takes it for.
    pub(super) fn is_about_lease(&self) -> bool {
        matches!(self, Self::Said { status: 409 | 412, code } if code.starts_with("Lease"))
    }
}

/// What an error of the SDK comes from, on one line: the layers above that name the whole URL say nothing more.
pub(super) fn causes(error: &azure_core::Error) -> String {
    let mut told = vec![error.to_string()];
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_says = cause.to_string();
        if told.last().is_none_or(|last| !last.contains(&cause_says)) {
            told.push(cause_says);
        }
        source = cause.source();
    }
    let is_shell = |text: &String| text.starts_with("failed to execute") || text.contains(" for url (");
    if !told.iter().all(is_shell) {
        told.retain(|text| !is_shell(text));
    }
    told.join(": ").split_whitespace().collect::<Vec<_>>().join(" ")
}
