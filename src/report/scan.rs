//! What was found in files of the operator's machine, as a runbook wrote it down.

use std::path::PathBuf;

use serde_json::Value;

use super::text::{amount, line};
use crate::scan::{Identity, Names};

/// A look through files.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scan {
    /// What was looked through.
    pub paths: Vec<PathBuf>,
    /// Which identity was looked for, and what takes its place.
    pub names: Names,
    /// Every place, as scripts have it.
    pub places: Vec<Value>,
}

impl Scan {
    /// Reads what `files::scan` gave, in what a phase returned.
    pub fn in_result(result: &Value) -> Option<Self> {
        let scan = result.get("scan")?;
        let list = |name: &str| scan.get(name).and_then(Value::as_array).cloned();
        let target = scan.get("target").filter(|target| target.is_object());
        Some(Self {
            paths: list("paths")?
                .iter()
                .filter_map(Value::as_str)
                .map(PathBuf::from)
                .collect(),
            names: Names {
                old: Identity::read(scan.get("identity")?),
                new: target.map(Identity::read),
            },
            places: list("places")?,
        })
    }

    /// How many places name the old identity for certain.
    pub fn named(&self) -> usize {
        self.places
            .iter()
            .filter(|place| place.get("doubtful").is_none())
            .count()
    }

    /// How many files have places in them.
    pub fn files(&self) -> usize {
        let mut files: Vec<&str> = self.places.iter().map(|place| text(place, "file")).collect();
        files.dedup();
        files.len()
    }
}

fn text<'a>(place: &'a Value, member: &str) -> &'a str {
    place.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// Every place, file by file, as lines.
pub fn section(scan: &Scan) -> String {
    let mut lines = String::new();
    let name = &scan.names.old.name;
    let (places, files) = (amount(scan.places.len(), "place"), amount(scan.files(), "file"));
    line(&mut lines, &format!("files that name {name}  ({places} in {files})"));
    let mut file = "";
    let mut said: Vec<&str> = Vec::new();
    for place in &scan.places {
        if text(place, "file") != file {
            file = text(place, "file");
            said.clear();
            line(&mut lines, &format!("  {file}"));
        }
        let number = |member: &str| place.get(member).and_then(Value::as_u64).unwrap_or_default();
        let at = format!("{}:{}", number("line"), number("column"));
        let turned = match (text(place, "from"), text(place, "to")) {
            (from, "") => from.to_owned(),
            (from, to) => format!("{from} → {to}"),
        };
        line(
            &mut lines,
            &format!(
                "{at:>10}  {:<11}  {:<13}  {turned}",
                text(place, "kind"),
                text(place, "word")
            ),
        );
        let why = text(place, "why");
        // Once a file is enough.
        if !why.is_empty() && !said.contains(&why) {
            line(&mut lines, &format!("{:12}{why}", ""));
            said.push(why);
        }
    }
    lines.trim_end().to_owned()
}
