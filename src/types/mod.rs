//! Words that every floor shares, without behaviour of their own: resource ids, scopes, principals,
//! regions, durations, conditions, connections, and plain functions over JSON documents.
//!
//! Everyone may use these; they use no one. What speaks to Azure, a disk or a terminal does not belong here.

mod condition;
mod connection;
mod duration;
pub mod json;
mod loopback;
mod principal;
mod region;
mod resource_id;
mod scope;
mod wildcard;
pub mod words;

pub use condition::{Attributes, Condition};
pub use connection::{Connection, Encryption};
pub use duration::Span;
pub use loopback::is_loopback;
pub use principal::{ClientId, PrincipalId, TenantId};
pub use region::Region;
pub use resource_id::ResourceId;
pub use scope::{Level, Scope};
pub use wildcard::wildcard_matches;

/// How often a property is tried: so often, or as `PROPTEST_CASES` says, for runs that may take their time.
#[cfg(test)]
pub(crate) fn tries(cases: u32) -> proptest::prelude::ProptestConfig {
    let mut config = proptest::prelude::ProptestConfig {
        failure_persistence: None,
        ..proptest::prelude::ProptestConfig::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    config
}

/// Documents of any shape.
#[cfg(test)]
pub(crate) fn any_json() -> impl proptest::strategy::Strategy<Value = serde_json::Value> {
    use proptest::prelude::*;
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec(("\\PC{0,8}", inner), 0..5)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

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

/// One of some texts with pieces cut out, doubled or replaced: at most `longest` letters at a time, for letters that `insert`
/// gives.
#[cfg(test)]
pub(crate) fn mutated(
    texts: &'static [&'static str],
    edits: std::ops::Range<usize>,
    longest: usize,
    insert: &'static str,
) -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::{Strategy as _, any, prop};
    let edit = (
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        0..4_u8,
        insert,
    );
    (0..texts.len(), prop::collection::vec(edit, edits)).prop_map(move |(at, edits)| {
        let mut text: Vec<char> = texts[at].chars().collect();
        for (a, b, what, insert) in edits {
            let (a, b) = (a.index(text.len() + 1), b.index(text.len() + 1));
            let (start, end) = (a.min(b), a.max(b).min(a.min(b) + longest));
            match what {
                0 => drop(text.drain(start..end)),
                1 => {
                    let copy: Vec<char> = text[start..end].to_vec();
                    text.splice(start..start, copy);
                }
                2 => drop(text.splice(start..end, insert.chars())),
                _ => drop(text.splice(start..start, insert.chars())),
            }
        }
        text.into_iter().collect()
    })
}
