//! Ids as whole words: what needs no context.

use std::ops::Range;

use super::mark::{Kind, Mark, To, Word};
use super::names::Names;
use crate::types::words::find_words;

/// The ids by which an identity is named.
const IDS: [Word; 3] = [Word::Id, Word::ClientId, Word::PrincipalId];

/// Every id of the old identity.
pub(super) fn marks(text: &str, names: &Names) -> Vec<Mark> {
    let mut marks = Vec::new();
    for word in IDS {
        let (id, to) = (old(names, word), names.to(word));
        if id.is_empty() {
            continue;
        }
        for range in find(text, id) {
            let to = with_the_slash_of(&text[range.clone()], &to);
            marks.push(Mark::new(range, word, Kind::Word, to));
        }
        if word == Word::Id {
            // As it stands in links and queries.
            let escaped = |text: &str| text.replace('/', "%2F");
            let to = match &to {
                To::Text(text) => To::Text(escaped(text)),
                other => other.clone(),
            };
            let found = find_words(text, &escaped(id)).into_iter();
            marks.extend(found.map(|range| Mark::new(range, word, Kind::Word, to.clone())));
        }
    }
    marks
}

/// Which id of the old identity a text holds, if one.
pub(super) fn first(text: &str, names: &Names) -> Option<Word> {
    let holds = |word: &Word| !old(names, *word).is_empty() && !find(text, old(names, *word)).is_empty();
    IDS.into_iter().find(holds)
}

fn old(names: &Names, word: Word) -> &str {
    match word {
        Word::ClientId => &names.old.client_id,
        Word::PrincipalId => &names.old.principal_id,
        _ => &names.old.id,
    }
}

/// Where an id stands. A resource id may lack its first slash, where something else ends with one.
fn find(text: &str, id: &str) -> Vec<Range<usize>> {
    let Some(rest) = id.strip_prefix('/') else {
        return find_words(text, id);
    };
    let found = find_words(text, rest).into_iter();
    found
        .map(|range| {
            let slash = text[..range.start].ends_with('/');
            range.start - usize::from(slash)..range.end
        })
        .collect()
}

fn with_the_slash_of(found: &str, to: &To) -> To {
    match to {
        To::Text(text) if !found.starts_with('/') => To::Text(text.trim_start_matches('/').to_owned()),
        other => other.clone(),
    }
}
