//! Faults that tests ask for: errors, broken connections, delays, stale reads.

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

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

/// When the connection breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Break {
    /// Before the request took effect.
    Before,
    /// After it took effect, before the answer.
    After,
}

/// What a fault does.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Deed {
    /// Answers with this status; nothing takes effect.
    #[serde(default)]
    pub status: Option<u16>,
    /// `Retry-After` of that answer, in seconds.
    #[serde(default)]
    pub retry_after: Option<u64>,
    /// The error code of that answer.
    #[serde(default)]
    pub code: Option<String>,
    /// The error message of that answer.
    #[serde(default)]
    pub message: Option<String>,
    /// The body of that answer, instead of code and message.
    #[serde(default)]
    pub body: Option<Value>,
    /// Breaks the connection.
    #[serde(default)]
    pub reset: Option<Break>,
    /// Delays the answer, in milliseconds.
    #[serde(default)]
    pub delay_ms: Option<u64>,
    /// Answers a read as things stood so many seconds ago.
    #[serde(default)]
    pub stale: Option<f64>,
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
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Adds faults behind those in force.
    pub fn add(&mut self, faults: Vec<Fault>) {
        self.0.extend(faults);
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// What the first fault that fits does to a request; it is used up by one.
    pub fn take(&mut self, method: &str, path: &str) -> Option<Deed> {
        let at = self.0.iter().position(|fault| {
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
        let fault = &mut self.0[at];
        let deed = fault.deed.clone();
        if let Some(times) = &mut fault.times {
            *times -= 1;
            if *times == 0 {
                self.0.remove(at);
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
        let mut faults = Faults(read(given).unwrap());
        assert!(faults.take("GET", "/x/roleAssignments/y").is_none());
        assert_eq!(faults.take("PUT", "/x/roleAssignments/y").unwrap().retry_after, Some(1));
        assert!(faults.take("put", "/x/roleAssignments/y").is_some());
        assert!(faults.take("PUT", "/x/roleAssignments/y").is_none());
        assert!(read(json!([{"do": {"reset": "sideways"}}])).is_err());
    }
}
