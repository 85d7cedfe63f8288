//! Faults that tests ask for: which requests they hit, and how often. What they do is in `deed`, and how in its
//! neighbours: `refusal` answers in the service's place, `links` and `body` spoil what it answers.

mod body;
mod deed;
mod links;
mod refusal;

use std::collections::HashMap;

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

pub use body::{Body, Broken, spoilt};
pub use deed::{Break, Deed, Host, Links, Spoil, TokenTrouble};
pub use links::turn;
pub use refusal::{injected, redirected};

/// A fault: which requests it hits, how often, and what it does to them.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// Which requests it hits.
    #[serde(rename = "match", default)]
    pub matches: Match,
    /// How many requests it hits before it is spent; every one where it is absent.
    #[serde(default)]
    pub times: Option<u32>,
    /// What it does.
    #[serde(rename = "do")]
    pub deed: Deed,
}

/// Which requests a fault hits: those that fit all that is given.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// The method, in any case.
    #[serde(default)]
    pub method: Option<String>,
    /// A regular expression, found anywhere in path and query, in any case.
    #[serde(default)]
    pub path: Option<Pattern>,
}

/// A regular expression that ignores case.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern(Regex);

impl TryFrom<String> for Pattern {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        regex::RegexBuilder::new(&text)
            .case_insensitive(true)
            .build()
            .map(Self)
            .map_err(|error| error.to_string())
    }
}

/// Reads faults from a JSON array, or one from an object.
///
/// # Errors
/// What is wrong with them.
pub fn read(value: Value) -> Result<Vec<Fault>, String> {
    let value = if value.is_object() {
        Value::Array(vec![value])
    } else {
        value
    };
    serde_json::from_value(value).map_err(|error| error.to_string())
}

/// The faults in force.
#[derive(Debug, Default)]
pub struct Faults {
    armed: Vec<Fault>,
    /// The tokens that are refused, and why.
    refused: HashMap<String, TokenTrouble>,
}

impl Faults {
    /// Adds faults behind those in force.
    pub fn add(&mut self, faults: Vec<Fault>) {
        self.armed.extend(faults);
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.armed.clear();
        self.refused.clear();
    }

    /// Whether a fault in force answers from the past.
    pub fn look_back(&self) -> bool {
        self.armed.iter().any(|fault| fault.deed.stale.is_some())
    }

    /// Refuses a token from now on.
    pub fn refuse(&mut self, token: &str, why: TokenTrouble) {
        self.refused.insert(token.to_owned(), why);
    }

    /// Why a token is refused, if it is.
    pub fn refused(&self, token: &str) -> Option<TokenTrouble> {
        self.refused.get(token).copied()
    }

    /// What the first fault that fits does to a request; it is used up by one.
    pub fn take(&mut self, method: &str, path: &str) -> Option<Deed> {
        let at = self.armed.iter().position(|fault| {
            fault.times != Some(0)
                && fault
                    .matches
                    .method
                    .as_ref()
                    .is_none_or(|own| own.eq_ignore_ascii_case(method))
                && fault
                    .matches
                    .path
                    .as_ref()
                    .is_none_or(|pattern| pattern.0.is_match(path))
        })?;
        let fault = &mut self.armed[at];
        let deed = fault.deed.clone();
        if let Some(times) = &mut fault.times {
            *times -= 1;
            if *times == 0 {
                self.armed.remove(at);
            }
        }
        Some(deed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_fault_hits_as_often_as_it_says() {
        let given = json!([{"match": {"method": "PUT", "path": "roleassignments"}, "times": 2, "do": {"status": 503, "retryAfter": 1}}]);
        let mut faults = Faults::default();
        faults.add(read(given).unwrap());
        assert!(faults.take("GET", "/x/roleAssignments/y").is_none());
        assert_eq!(faults.take("PUT", "/x/roleAssignments/y").unwrap().retry_after, Some(1));
        assert!(faults.take("put", "/x/roleAssignments/y").is_some());
        assert!(faults.take("PUT", "/x/roleAssignments/y").is_none());
        for wrong in [
            json!({"reset": "sideways"}),
            json!({"answer": "odd"}),
            json!({"links": "nowhere"}),
            json!({"redirect": "evil.example"}),
            json!({"token": "lost"}),
        ] {
            assert!(read(json!([{"do": wrong}])).is_err(), "{wrong}");
        }
    }
}
