//! The old identity by its name. A name is a word like others, so it counts where its surroundings say what is meant.

use std::path::Path;

use super::blocks::Dialect;
use super::mark::Mark;
use super::names::Names;
use super::{commands, declared, doubts, paths};

/// Every place that names the old identity by its name, the certain ones first.
pub(super) fn marks(path: &Path, text: &str, names: &Names) -> Vec<Mark> {
    if names.old.name.is_empty() {
        return Vec::new();
    }
    let mut marks = match extension(path).as_str() {
        "tf" | "tofu" | "hcl" | "tfvars" => declared::marks(text, names, Dialect::Hcl),
        "bicep" | "bicepparam" => declared::marks(text, names, Dialect::Bicep),
        "json" | "jsonc" => declared::marks(text, names, Dialect::Json),
        "yaml" | "yml" => declared::yaml(text, names),
        _ => Vec::new(),
    };
    marks.extend(paths::marks(text, names));
    marks.extend(commands::marks(text, names));
    // Where the new identity has the same name, nothing tells one from the other but what was found above.
    if names.new.is_none() || names.differs(super::Word::Name) {
        marks.extend(doubts::marks(text, names));
    }
    marks
}

fn extension(path: &Path) -> String {
    let extension = path.extension().unwrap_or_default();
    extension.to_string_lossy().to_ascii_lowercase()
}
