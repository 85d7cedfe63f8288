//! Resource ids that are put together from parts: their type says what is meant, the rest may be an expression.

use std::ops::Range;

use super::mark::{Kind, Mark, Word};
use super::names::Names;
use crate::types::words::find_words;

const TYPE: &str = "userassignedidentities";

/// The name behind `userAssignedIdentities/`, and the name that `resourceId('…/userAssignedIdentities', 'NAME')` is given.
pub(super) fn marks(text: &str, names: &Names) -> Vec<Mark> {
    let mut marks = Vec::new();
    for at in types(text) {
        let behind = at + TYPE.len();
        let named = match in_path(text, behind, names) {
            Some(range) if is_the_one(text, at, names) => Some(range),
            Some(range) => {
                marks.push(Mark::another(range));
                None
            }
            None => in_call(text, at, behind, names, &mut marks),
        };
        let Some(range) = named else { continue };
        if names.new.is_none() || names.differs(Word::Name) {
            marks.push(Mark::new(range, Word::Name, Kind::Reference, names.to(Word::Name)));
        }
        if names.differs(Word::ResourceGroup)
            && let Some(range) = group_before(text, at).filter(|range| names.is_group(&text[range.clone()]))
        {
            marks.push(Mark::new(
                range,
                Word::ResourceGroup,
                Kind::Reference,
                names.to(Word::ResourceGroup),
            ));
        }
    }
    marks
}

/// Where the type's last word stands, in any case. Whatever stands around it: it is no word of any other language.
fn types(text: &str) -> impl Iterator<Item = usize> {
    let parts = text.as_bytes().windows(TYPE.len()).enumerate();
    parts
        .filter(|(_, part)| part.eq_ignore_ascii_case(TYPE.as_bytes()))
        .map(|(at, _)| at)
}

/// The old name as the next part of a path.
fn in_path(text: &str, behind: usize, names: &Names) -> Option<Range<usize>> {
    let rest = text[behind..].strip_prefix('/')?;
    let found = find_words(rest, &names.old.name)
        .into_iter()
        .next()
        .filter(|range| range.start == 0)?;
    Some(behind + 1..behind + 1 + found.end)
}

/// Whether the parts of a path before the type, as far as they are no expressions, are those of the old identity.
fn is_the_one(text: &str, at: usize, names: &Names) -> bool {
    let group = group_before(text, at);
    if group
        .as_ref()
        .is_some_and(|range| !names.is_group(&text[range.clone()]))
    {
        return false;
    }
    let subscription = part_before(text, at, "subscriptions/");
    subscription.is_none_or(|range| text[range].eq_ignore_ascii_case(names.old.subscription()))
}

fn group_before(text: &str, at: usize) -> Option<Range<usize>> {
    part_before(text, at, "resourcegroups/")
}

/// What follows `word` in the path that leads to `at`, unless it is an expression.
fn part_before(text: &str, at: usize, word: &str) -> Option<Range<usize>> {
    let mut start = super::text::line_at(text, at).start.max(at.saturating_sub(400));
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let before = text[start..at].to_ascii_lowercase();
    let from = before.rfind(word)? + word.len();
    let part = &before[from..];
    let end = part.find('/')?;
    let is_plain = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.' | '(' | ')');
    let is_literal = end > 0 && part[..end].chars().all(is_plain);
    is_literal.then_some(start + from..start + from + end)
}

/// The old name as the text that follows the type among the arguments of `resourceId`.
fn in_call(text: &str, at: usize, behind: usize, names: &Names, marks: &mut Vec<Mark>) -> Option<Range<usize>> {
    let rest = &text[behind..];
    let rest = rest.strip_prefix('/').unwrap_or(rest).strip_prefix('\'')?;
    let rest = rest.trim_start().strip_prefix(',')?.trim_start().strip_prefix('\'')?;
    let name = rest.split('\'').next().unwrap_or_default();
    if !name.eq_ignore_ascii_case(&names.old.name) {
        return None;
    }
    let line = super::text::line_at(text, at).start;
    let before = &text[line..at];
    let call = before.to_ascii_lowercase().rfind("resourceid(")? + "resourceid(".len();
    // Arguments before the type are a subscription and a group, or a group alone.
    let arguments: Vec<&str> = before[call..].split(',').map(str::trim).collect();
    let group = arguments
        .iter()
        .rev()
        .nth(1)
        .and_then(|text| text.strip_prefix('\'')?.strip_suffix('\''));
    let start = name.as_ptr() as usize - text.as_ptr() as usize;
    let range = start..start + name.len();
    if group.is_some_and(|group| !names.is_group(group)) {
        marks.push(Mark::another(range));
        return None;
    }
    Some(range)
}
