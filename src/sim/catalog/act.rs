//! What a resource type does beside GET, PUT, PATCH and DELETE of documents: actions, views, children that come with it.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Slow;

/// Statuses that differ from the usual ones: 201 or 200 of a PUT, 202 or 200 of a PATCH, 200 or 202 of a DELETE.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Statuses {
    /// Of a PUT, whether it makes or changes.
    pub put: Option<u16>,
    /// Of a PATCH.
    pub patch: Option<u16>,
    /// Of a DELETE that is done at once.
    pub delete: Option<u16>,
}

/// A POST action.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Act {
    /// What it answers, as a template, see `arm/added.rs`; nothing where there is none.
    pub answer: Option<Value>,
    /// What it changes in the document: templates by pointer.
    pub set: Map<String, Value>,
    /// How its end is told.
    #[serde(rename = "async")]
    pub slow: Slow,
}

/// Children that a parent has without anybody having written them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Implied {
    /// Those with fixed names: their documents, as templates, by name.
    pub named: Map<String, Value>,
    /// The pointer, in the parent, to an array whose items they are; a write of one changes the other.
    pub within: Option<String>,
    /// The pointer, in the parent, to how many there are: `0`, `1`, …; `document` is what each is like.
    pub count: Option<String>,
    /// What a counted one is like, as a template.
    pub document: Value,
}

impl Implied {
    /// Whether there are any.
    pub fn is_empty(&self) -> bool {
        self.named.is_empty() && self.within.is_none() && self.count.is_none()
    }
}

/// What names of a type must be like.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// A regular expression for the whole name.
    pub pattern: String,
    /// The code of the refusal of another name.
    pub code: String,
    /// Its message, with `{name}`.
    pub message: String,
    /// The code of the refusal of a name that is used anywhere in Azure, where names are those of hosts.
    #[serde(default)]
    pub unique: Option<String>,
    /// What is said of a name that is used, with `{name}`.
    #[serde(default)]
    pub taken: String,
}
