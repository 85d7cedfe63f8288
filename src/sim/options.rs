//! How a simulator is started, and why it could not be.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};

use super::estate::EstateError;
use super::faults::Fault;

/// How a simulator is to behave.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The estate to serve.
    pub estate: Value,
    /// The port on 127.0.0.1; any free one where none is given.
    pub port: Option<u16>,
    /// How long every answer is delayed.
    pub latency: Duration,
    /// How late new principals and Resource Graph see a write; 2 s where none is given.
    pub lag: Option<Duration>,
    /// Whether Azure's throttling buckets are real: 429 when they are empty.
    pub throttle: bool,
    /// Faults from the start.
    pub faults: Vec<Fault>,
    /// Where every acknowledged write is kept; what it holds already is served instead of `estate`.
    pub save: Option<PathBuf>,
    /// How many rows a page of a list holds, where the client does not say; 100 where none is given.
    pub page_size: Option<usize>,
    /// What of Azure's behaviour is on, where it is to differ: members as `GET /_sim/behaviour` shows them.
    pub behaviour: Map<String, Value>,
    /// Whether tokens are looked into: issued here, not expired, for the audience. Else any will do.
    pub strict_auth: bool,
    /// How long tokens last; as long as Azure's where none is given.
    pub token_life: Option<Duration>,
    /// The directory of the certificate authority, where it is served over TLS; made where there is none.
    pub tls: Option<PathBuf>,
}

/// Why a simulator could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The estate is malformed.
    #[error("the estate cannot be served: {0}")]
    Estate(#[from] EstateError),
    /// There is no such behaviour, or its value is of another kind.
    #[error("the simulator cannot behave so: {0}")]
    Behaviour(String),
    /// The port is taken, or cannot be had.
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Listen {
        /// The port that was asked for; 0 for any.
        port: u16,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file of `save` cannot be read or written.
    #[error("cannot keep the estate in {path}: {why}")]
    Save {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The certificate authority of `tls` cannot be read or made.
    #[error("cannot serve over TLS with {path}: {why}")]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}
