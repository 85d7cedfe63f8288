//! Ferry carries Azure user-assigned managed identities to another region.
//!
//! The library is the host behind the `ferry` program: [`host::Host`] finds runbooks and runs them in a
//! [`run::Session`], which journals every change, over an [`azure::Client`]. `docs/architecture.md` shows the floors.

pub mod azure;
pub mod cli;
pub mod error;
pub mod host;
pub mod ops;
pub mod postgres;
pub mod repl;
pub mod report;
pub mod run;
pub mod scan;
pub mod sim;
pub mod store;
pub mod types;

pub use error::Error;
