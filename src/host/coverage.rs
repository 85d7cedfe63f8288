//! What the permission sources and binding finders cover, as they say themselves: the page `docs/coverage.md`.

use std::fmt::Write as _;

use serde_json::Value;

use super::library::{Compiled, Library};
use super::run::Host;
use crate::error::Error;
use crate::ops::{Plugins as _, to_json};

/// The kinds of files, with what their part of the page is called and how it begins.
const PARTS: [(&str, &str, &str); 2] = [
    (
        "permissions",
        "Permission sources",
        "Where a principal can hold a permission, and what becomes of it when its identity is relocated.",
    ),
    (
        "bindings",
        "Binding finders",
        "Where an identity can be used, and how each use is turned to the new one.",
    ),
];

/// The members of `const COVERS`, with what the page calls them.
const COLUMNS: [(&str, &str); 5] = [
    ("service", "service"),
    ("api", "API"),
    ("evidence", "evidence"),
    ("turns", "turns"),
    ("hands_over", "left to people"),
];

impl Host {
    /// What every permission source and binding finder covers, in Markdown, from the scripts' own constants.
    ///
    /// # Errors
    /// When a script does not load.
    pub fn coverage(&self) -> Result<String, Error> {
        let library = self.library();
        let mut text = String::from(
            "# Coverage\n\nWhat Ferry looks into, from the scripts' own words (`const COVERS`, `NEEDS`): `ferry doc coverage` prints it \
             with your own scripts in it. What stands here under no service is found by the generic finder, wherever a visible document \
             names the identity; what a run could not look into it says at its end.\n\n\
             Evidence: *recorded* was seen in traffic of real services, *documented* is what the vendor's references say, \
             *unconfirmed* is looked at in both ways, or asked about.\n",
        );
        for (kind, title, what) in PARTS {
            let _ = write!(text, "\n## {title}\n\n{what}\n\n");
            table(&mut text, &library, kind)?;
        }
        Ok(text)
    }
}

fn table(text: &mut String, library: &Library, kind: &str) -> Result<(), Error> {
    let heads: Vec<&str> = COLUMNS.iter().map(|(_, head)| *head).collect();
    let _ = writeln!(text, "| script | {} | needs |", heads.join(" | "));
    let _ = writeln!(text, "|---|{}---|", "---|".repeat(heads.len()));
    for file in library.files(kind)? {
        let compiled = library.compiled(&format!("stdlib/{kind}/{file}.rhai"))?;
        let covers = constant(&compiled, "COVERS");
        let title = constant(&compiled, "TITLE");
        let cells: Vec<String> = COLUMNS.iter().map(|(member, _)| cell(&covers[*member])).collect();
        let needs = match constant(&compiled, "NEEDS") {
            Value::Array(needs) => needs.iter().map(cell).collect::<Vec<_>>().join("<br>"),
            other => cell(&other),
        };
        let _ = writeln!(
            text,
            "| {}<br>`{file}` | {} | {needs} |",
            cell(&title),
            cells.join(" | ")
        );
    }
    Ok(())
}

/// A literal constant of a script as JSON; null where there is none.
fn constant(compiled: &Compiled, name: &str) -> Value {
    compiled
        .constant(name)
        .and_then(|value| to_json(&value).ok())
        .unwrap_or_default()
}

/// A value as a cell of a table.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.replace('|', "\\|").replace('\n', " "),
        other => other.to_string(),
    }
}
