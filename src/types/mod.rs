//! Words that every floor shares, without behaviour of their own: resource ids, scopes, principals,
//! regions, durations, and plain functions over JSON documents.
//!
//! Everyone may use these; they use no one. What speaks to Azure, a disk or a terminal does not belong here.

mod duration;
pub mod json;
mod loopback;
mod principal;
mod region;
mod resource_id;
mod scope;

pub use duration::Span;
pub use loopback::is_loopback;
pub use principal::{ClientId, PrincipalId, TenantId};
pub use region::Region;
pub use resource_id::ResourceId;
pub use scope::{Level, Scope};

/// Why a text is not the word that it was taken for: what was given, and what is expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{given}\" is not {expected}: {why}")]
pub struct ParseError {
    /// The text as it was given.
    pub given: String,
    /// What was expected, with its article: "a resource id".
    pub expected: &'static str,
    /// What is wrong with it, and the form that would be right.
    pub why: String,
}

impl ParseError {
    /// A parse error of `given`, which is not `expected` because of `why`.
    pub fn new(given: &str, expected: &'static str, why: impl Into<String>) -> Self {
        Self {
            given: given.to_owned(),
            expected,
            why: why.into(),
        }
    }
}
