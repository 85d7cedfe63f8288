//! Drift: what is otherwise than the plan saw it. It is shown item by item, and stops the run, unless it is accepted by name.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::gate::quoted;
use super::item::Item;
use crate::error::Error;
use crate::types::json;

/// One place that is otherwise than planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Where: an RFC 6901 pointer; empty for the whole document.
    pub pointer: String,
    /// What the plan saw there; none where it saw nothing.
    pub planned: Option<Value>,
    /// What stands there now; none where nothing does.
    pub now: Option<Value>,
}

impl Difference {
    /// A difference at a pointer.
    pub fn new(pointer: String, planned: Option<Value>, now: Option<Value>) -> Self {
        Self { pointer, planned, now }
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = if self.pointer.is_empty() {
            "the whole"
        } else {
            &self.pointer
        };
        write!(
            f,
            "{place}: planned {}, now {}",
            side(self.planned.as_ref()),
            side(self.now.as_ref())
        )
    }
}

/// A side of a difference, in few words.
fn side(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "nothing".to_owned(),
        Some(Value::String(text)) if text.starts_with("a value that") => text.clone(),
        Some(Value::Array(items)) => format!("a list of {}", items.len()),
        Some(Value::Object(map)) if map.is_empty() => "{}".to_owned(),
        Some(Value::Object(map)) => {
            let names: Vec<&str> = map.keys().take(4).map(String::as_str).collect();
            let more = if map.len() > names.len() { ", …" } else { "" };
            format!("something with {}{more}", names.join(", "))
        }
        Some(other) => other.to_string(),
    }
}

/// An item that is otherwise than planned.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// Its name: the path of its step, printed, or of its place in the map.
    pub item: String,
    /// What it is about: the target of a request, or a resource.
    pub target: String,
    /// What happened to it, in a sentence.
    pub what: String,
    /// In what it differs.
    pub differences: Vec<Difference>,
    /// Further names that it can be accepted by.
    pub aliases: Vec<String>,
    /// Whether it is about what stands at a target, rather than about what is asked for.
    pub standing: bool,
}

impl Drift {
    /// The item, as it can be named.
    pub(super) fn named(&self) -> Item {
        let aliases = self.aliases.iter().map(String::as_str);
        Item::of_step(&self.item, aliases.chain([self.target.as_str()]))
    }

    /// What an acceptance of it is for: another drift of the same item has another digest.
    pub(super) fn digest(&self) -> String {
        json::digest(&serde_json::json!({ "item": self.item, "what": self.what, "differences": self.differences }))
    }

    /// In one line and one more a difference.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{}: {}", self.item, self.what);
        for difference in &self.differences {
            let _ = write!(text, "\n    {difference}");
        }
        text
    }
}

/// The error of a run that drift has stopped. `made` and `all` count the changes of the plan.
pub(super) fn stopped(drifts: &[Drift], run: &str, made: usize, all: usize) -> Error {
    let count = match drifts.len() {
        1 => "1 thing is".to_owned(),
        many => format!("{many} things are"),
    };
    let mut message = format!("the run was stopped, {count} not as planned");
    for drift in drifts {
        let _ = write!(message, "\n  {}", drift.text());
    }
    let mut error = Error::failed("drift", message);
    if let Some(first) = drifts.first() {
        error = error.on(first.target.clone());
    }
    error = error.untouched(format!(
        "what differs, and everything after it: of the plan's {all} change(s) {made} were made, and nothing else was sent"
    ));
    let accepted: Vec<String> = drifts
        .iter()
        .take(5)
        .map(|drift| format!("--accept-drift {}", quoted(&drift.item)))
        .collect();
    error
        .next(format!("ferry resume {run}      once it is as planned again"))
        .next(format!(
            "ferry resume {run} {}      takes it as it is now",
            accepted.join(" ")
        ))
        .next(format!(
            "ferry rollback {run}      takes back what was made; then make a new plan"
        ))
}
