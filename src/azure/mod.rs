//! The Azure client: clouds, credentials, transport with retries, paging, long-running operations, errors.
//!
//! Belongs here: whatever is true of HTTP to Azure Resource Manager, Microsoft Graph and data planes, whoever
//! asks. Does not belong here: what a request is for. This floor has never heard of scripts, journals or the
//! simulator.
//!
//! A [`Request`] goes through the policies in the order that `pipeline.rs` documents; [`Client::complete`]
//! waits for long-running operations, [`Client::pages`] follows lists.

mod certificate;
mod client;
mod cloud;
mod cloud_document;
mod credential;
mod endpoint;
mod error;
mod known_clouds;
mod loopback;
mod options;
mod pace;
mod pager;
mod pipeline;
mod policy;
mod poller;
mod probe;
mod request;
mod storage;
mod tokens;
mod trust;

#[cfg(test)]
mod testing;

pub use client::Client;
pub use cloud::Cloud;
pub use credential::AuthMethod;
pub use error::{Error, OperationFailure, ServiceError};
pub use options::{Guard, LogLine, Observer, Options};
pub use poller::is_working;
pub use request::{Plane, Request, Response};
pub use storage::storage_client;
pub use tokens::Tokens;
pub use trust::Trust;
