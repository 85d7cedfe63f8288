//! `docs/reliability.md`: the matrix as a page, and back.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Totals;
use super::faults::FAULTS;
use super::kinds::KINDS;

/// What a cell says: the outcome of a fault that hits once, and of one that hits every time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    pub once: String,
    pub always: String,
}

/// The cells by kind and fault.
pub type Matrix = BTreeMap<(String, String), Words>;

pub fn file() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reliability.md")
}

/// Puts the matrix into the page, before the part that another command writes.
pub fn write(text: &str) {
    let page = std::fs::read_to_string(file()).unwrap_or_default();
    let rest = page.find(CRASHES).map_or("", |at| &page[at..]);
    std::fs::write(file(), format!("{text}{rest}")).unwrap();
}

/// What begins the part about crashes.
pub const CRASHES: &str = "\n## When the plug is pulled\n";

pub fn render(matrix: &Matrix, totals: &Totals) -> String {
    let mut page = format!(
        "{}{}",
        include_str!("page.md"),
        format_args!(
            "\n## Totals\n\n| count | |\n|---|--:|\n\
             | relocations with a fault | {} |\n\
             | ended in success at once | {} |\n\
             | ended in one error, and in success after `ferry resume` | {} |\n\
             | ended otherwise | {} |\n\
             | hangs | {} |\n\
             | writes sent again after a success that could be read | {} |\n\
             | writes sent again after a success that could not be read | {} |\n\
             | writes sent again because nobody knew how they had ended | {} |\n\
             | requests, or tokens, sent to another host | {} |\n",
            totals.cells,
            totals.ok,
            totals.resumed,
            totals.otherwise,
            totals.hangs,
            totals.repeated,
            totals.again_unread,
            totals.again_unknown,
            totals.visitors,
        )
    );
    let mut groups: Vec<&str> = Vec::new();
    for fault in FAULTS {
        if !groups.contains(&fault.group) {
            groups.push(fault.group);
        }
    }
    for group in groups {
        let columns: Vec<_> = FAULTS.iter().filter(|fault| fault.group == group).collect();
        let _ = write!(page, "\n## {group}\n\n");
        for fault in &columns {
            let _ = writeln!(page, "- **{}**: {}", fault.name, fault.what);
        }
        let heads: Vec<&str> = columns.iter().map(|fault| fault.name).collect();
        let _ = write!(
            page,
            "\n| request | {} |\n|---|{}\n",
            heads.join(" | "),
            "---|".repeat(heads.len())
        );
        for kind in KINDS {
            let cells: Vec<String> = columns
                .iter()
                .map(|fault| {
                    let words = matrix.get(&(kind.name.to_owned(), fault.name.to_owned()));
                    words.map_or_else(|| "–".to_owned(), Words::text)
                })
                .collect();
            let _ = writeln!(page, "| {} | {} |", kind.name, cells.join(" | "));
        }
    }
    page
}

impl Words {
    fn text(&self) -> String {
        if self.once == self.always {
            self.once.clone()
        } else {
            format!("{}, {}", self.once, self.always)
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if text == "–" {
            return None;
        }
        let (once, always) = text.split_once(", ").unwrap_or((text, text));
        Some(Self {
            once: once.to_owned(),
            always: always.to_owned(),
        })
    }
}

/// The cells that a page shows.
pub fn parse(page: &str) -> Matrix {
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|')
            .split(" | ")
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    let mut matrix = Matrix::new();
    let mut heads: Vec<String> = Vec::new();
    for line in page.lines().filter(|line| line.starts_with('|')) {
        let row = cells(line);
        if row.first().is_some_and(|first| first == "request") {
            heads = row;
        } else if KINDS
            .iter()
            .any(|kind| row.first().is_some_and(|first| first == kind.name))
        {
            for (head, cell) in heads.iter().zip(&row).skip(1) {
                if let Some(words) = Words::parse(cell) {
                    matrix.insert((row[0].clone(), head.clone()), words);
                }
            }
        }
    }
    matrix
}
