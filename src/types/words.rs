//! Ids as whole words of a text.

use std::borrow::Cow;

/// Where `word` stands in `text` as a whole word, in any case. A resource id ends at the next letter,
/// digit, `-`, `_` or `.` (so `id-orders` is not found in `id-orders2`), a GUID at the next letter or digit.
pub fn find_words(text: &str, word: &str) -> Vec<std::ops::Range<usize>> {
    if word.is_empty() || text.len() < word.len() {
        return Vec::new();
    }
    let is_path = word.starts_with('/');
    let (hay, needle) = (text.as_bytes(), word.as_bytes());
    let mut found = Vec::new();
    let mut at = 0;
    while at + needle.len() <= hay.len() {
        if !hay[at..at + needle.len()].eq_ignore_ascii_case(needle) {
            at += 1;
            continue;
        }
        let end = at + needle.len();
        let opens = is_path || at == 0 || !is_word(hay[at - 1], true);
        let closes = end == hay.len() || !continues(hay, end, is_path);
        if opens && closes && text.is_char_boundary(at) && text.is_char_boundary(end) {
            found.push(at..end);
            at = end;
        } else {
            at += 1;
        }
    }
    found
}

fn is_word(byte: u8, strict: bool) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii() || (strict && matches!(byte, b'-' | b'_'))
}

/// Whether a name goes on at `end`: by a letter, digit, `-` or `_`; in a path also by a dot that is not
/// the end of a sentence.
fn continues(hay: &[u8], end: usize, is_path: bool) -> bool {
    let byte = hay[end];
    is_word(byte, true) || (is_path && byte == b'.' && hay.get(end + 1).is_some_and(|next| is_word(*next, true)))
}

/// `text` with every whole-word occurrence of `from` turned into `to`.
pub fn replace_words<'a>(text: &'a str, from: &str, to: &str) -> Cow<'a, str> {
    let found = find_words(text, from);
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut made = String::with_capacity(text.len() + to.len());
    let mut at = 0;
    for range in found {
        made.push_str(&text[at..range.start]);
        made.push_str(to);
        at = range.end;
    }
    made.push_str(&text[at..]);
    Cow::Owned(made)
}
