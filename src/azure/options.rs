//! The numbers that shape the client, all of them bounded, so that tests are quick and runs polite.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

/// One try of a request, as it may be shown: no body, no query, no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The HTTP method.
    pub method: String,
    /// The path; `https://host/path` for data planes.
    pub target: String,
    /// The status, where there was an answer.
    pub status: Option<u16>,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// Which try this was, from 1.
    pub try_number: u32,
    /// Azure's id of the request.
    pub request_id: Option<String>,
    /// Why there was no usable answer.
    pub problem: Option<String>,
}

/// Who is told of every try.
pub type Observer = Arc<dyn Fn(&LogLine) + Send + Sync>;

/// Who is asked before each try of a request that changes something; what it says instead of yes is why not.
pub type Guard = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// How the client behaves.
#[derive(Clone)]
pub struct Options {
    /// Requests in flight at once, at least 1.
    pub concurrency: usize,
    /// The longest wait for a connection.
    pub connect_timeout: Duration,
    /// The longest wait for a whole answer. Azure Resource Manager itself gives up on a provider after 60 s.
    pub response_timeout: Duration,
    /// Tries of one request, the first included.
    pub tries: u32,
    /// The pause before the second try, doubled before each further one.
    pub retry_base: Duration,
    /// The longest pause between tries that nobody asked for.
    pub retry_cap: Duration,
    /// The longest time that all tries and pauses of one request may take together.
    pub retry_total: Duration,
    /// The first pause before a long-running operation is asked again, where Azure names none; it grows up to
    /// `poll_cap`.
    pub poll_interval: Duration,
    /// The longest pause between two questions about a long-running operation, whatever Azure asks for.
    pub poll_cap: Duration,
    /// The longest time that a long-running operation is waited for.
    pub poll_total: Duration,
    /// The most bytes of an answer that are read, unpacked. What is larger is no answer of Azure's.
    pub largest_answer: usize,
    /// The id that ties all requests of a run together; one is made up where there is none.
    pub correlation_id: Option<String>,
    /// Who is told of every try.
    pub observer: Option<Observer>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            concurrency: 16,
            connect_timeout: Duration::from_secs(10),
            response_timeout: Duration::from_secs(100),
            tries: 7,
            retry_base: Duration::from_millis(500),
            retry_cap: Duration::from_secs(30),
            retry_total: Duration::from_mins(5),
            poll_interval: Duration::from_secs(1),
            poll_cap: Duration::from_secs(30),
            poll_total: Duration::from_hours(2),
            largest_answer: 64 << 20,
            correlation_id: None,
            observer: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("concurrency", &self.concurrency)
            .field("tries", &self.tries)
            .field("correlation_id", &self.correlation_id)
            .finish_non_exhaustive()
    }
}
