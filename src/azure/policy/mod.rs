//! The policies, one a file. Their order stands in `pipeline.rs`.

pub(crate) mod auth;
pub(crate) mod budget;
pub(crate) mod correlation;
pub(crate) mod log;
pub(crate) mod retry;
pub(crate) mod transport;
