//! Ferry carries Azure user-assigned managed identities to another region.
pub mod azure;
pub mod cli;
pub mod error;
pub mod host;
pub mod ops;
pub mod repl;
pub mod report;
pub mod run;
pub mod sim;
pub mod store;
pub mod types;
