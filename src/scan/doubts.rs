//! The old identity's name where it may mean something else.

use super::mark::{Kind, Mark, Word};
use super::names::Names;
use super::text::line_at;
use crate::types::words::find_words;

const VALUE: &str = "a value that is the name of the old identity";
const BESIDE: &str = "the name of the old identity, beside a word for identities";

/// Words that a line about an identity has in it.
const HINTS: &[&str] = &[
    "identit",
    "userassigned",
    "user_assigned",
    "uami",
    "-msi",
    "_msi",
    "workload",
];

/// Where the old name is all of a value, or stands beside a word for identities.
pub(super) fn marks(text: &str, names: &Names) -> Vec<Mark> {
    let found = find_words(text, &names.old.name).into_iter();
    found
        .filter_map(|range| {
            let line = line_at(text, range.start);
            let (before, after) = (
                &text[line.start..range.start],
                &text[range.end..line.end.max(range.end)],
            );
            // A name that is part of a longer one, of a path or of an address is that of something else.
            if before.ends_with(['.', '/', '@', ':']) || after.starts_with(['/', '@', ':']) {
                return None;
            }
            let around = format!("{before} {after}").to_ascii_lowercase();
            let beside = || HINTS.iter().any(|hint| around.contains(hint)).then_some(BESIDE);
            let why = is_value(before, after).then_some(VALUE).or_else(beside)?;
            Some(Mark::look(range, Word::Name, Kind::Doubt, why))
        })
        .collect()
}

/// Whether what stands between these is a value whole: in quotes, or behind a sign to the end of the line.
fn is_value(before: &str, after: &str) -> bool {
    let quoted = ['"', '\'', '`']
        .iter()
        .any(|quote| before.ends_with(*quote) && after.starts_with(*quote));
    let sign = before.trim_end();
    let signed = sign.ends_with(['=', ':']) || sign.trim_start() == "-";
    let rest = after.trim_start();
    quoted || (signed && (rest.is_empty() || rest.starts_with([',', ';']) || rest.starts_with('#')))
}
