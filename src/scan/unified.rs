//! Unified patches, as `git apply` and `patch -p1` take them.
//!
//! A place is turned within its line, so old and new text have the same lines, and a patch needs no comparison. There is
//! no `diff --git` line: with one git takes a path from the top of the repository, without it from the directory that it
//! is called in, which is the one that was looked into.

use std::fmt::Write as _;
use std::ops::Range;

/// What is to stand at a place of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The place, in bytes; it has no end of a line in it.
    pub range: Range<usize>,
    /// What is to stand there, on one line.
    pub to: String,
}

/// How many lines stand around a change.
const AROUND: usize = 3;

/// The text with every edit made. Edits are in order and do not overlap.
pub fn applied(text: &str, edits: &[Edit]) -> String {
    let mut made = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        made.push_str(&text[at..edit.range.start]);
        made.push_str(&edit.to);
        at = edit.range.end;
    }
    made + &text[at..]
}

/// The patch that makes edits in the file `path`, which has `text`; empty where there are none.
pub fn unified(path: &str, text: &str, edits: &[Edit]) -> String {
    let after = applied(text, edits);
    let (old, new): (Vec<&str>, Vec<&str>) = (lines(text), lines(&after));
    let changed: Vec<usize> = (0..old.len().min(new.len()))
        .filter(|at| old[*at] != new[*at])
        .collect();
    if changed.is_empty() {
        return String::new();
    }
    let mut patch = format!("--- {}\n+++ {}\n", named("a", path), named("b", path));
    for hunk in hunks(&changed, old.len()) {
        let (first, count) = (hunk.start + 1, hunk.len());
        // There is always a line, so counting begins at 1. A count of one is left away, as git does.
        let side = if count == 1 {
            first.to_string()
        } else {
            format!("{first},{count}")
        };
        let _ = writeln!(patch, "@@ -{side} +{side} @@");
        let mut at = hunk.start;
        while at < hunk.end {
            if old[at] == new[at] {
                line(&mut patch, ' ', old[at]);
                at += 1;
                continue;
            }
            let end = (at..hunk.end).find(|at| old[*at] == new[*at]).unwrap_or(hunk.end);
            old[at..end].iter().for_each(|text| line(&mut patch, '-', text));
            new[at..end].iter().for_each(|text| line(&mut patch, '+', text));
            at = end;
        }
    }
    patch
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// The lines that are shown: those around changes, together where they meet.
fn hunks(changed: &[usize], count: usize) -> Vec<Range<usize>> {
    let mut hunks: Vec<Range<usize>> = Vec::new();
    for at in changed {
        let (start, end) = (at.saturating_sub(AROUND), (at + AROUND + 1).min(count));
        match hunks.last_mut() {
            Some(last) if start <= last.end => last.end = end,
            _ => hunks.push(start..end),
        }
    }
    hunks
}

fn line(patch: &mut String, sign: char, text: &str) {
    patch.push(sign);
    patch.push_str(text);
    if !text.ends_with('\n') {
        patch.push_str("\n\\ No newline at end of file\n");
    }
}

/// A path as git writes it: one with a blank ends with a tab, one with quotes or control characters is quoted.
fn named(side: &str, path: &str) -> String {
    let path = format!("{side}/{path}");
    if path
        .chars()
        .any(|letter| matches!(letter, '"' | '\\') || letter.is_control())
    {
        let mut quoted = String::from("\"");
        for letter in path.chars() {
            match letter {
                '"' | '\\' => {
                    quoted.push('\\');
                    quoted.push(letter);
                }
                letter if letter.is_control() => {
                    let mut bytes = [0; 4];
                    for byte in letter.encode_utf8(&mut bytes).bytes() {
                        let _ = write!(quoted, "\\{byte:03o}");
                    }
                }
                letter => quoted.push(letter),
            }
        }
        return quoted + "\"";
    }
    if path.contains(' ') { path + "\t" } else { path }
}
