//! The policies, one a file, and the bucket that the budget counts with. Their order stands in `pipeline.rs`.

pub(crate) mod auth;
mod bucket;
pub(crate) mod budget;
pub(crate) mod correlation;
pub(crate) mod guard;
pub(crate) mod log;
pub(crate) mod retry;
pub(crate) mod transport;
