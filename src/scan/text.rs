//! Reading a file as text, and finding lines in it.

use std::io::Read as _;
use std::path::Path;

/// The largest file that is looked into.
const LARGEST: u64 = 16 << 20;
/// As much of a file as tells whether it is text.
const BEGINNING: u64 = 8 << 10;

/// What a file holds.
pub(super) enum Content {
    /// Text. It is `exact` where its bytes are the file's, so that a patch can be made of it.
    Text { text: String, exact: bool },
    /// No text: why not.
    Other(String),
}

/// Reads a file; of one that is no text, only its beginning.
///
/// # Errors
/// Those of the system.
pub(super) fn read(path: &Path) -> std::io::Result<Content> {
    let mut file = std::fs::File::open(path)?;
    let mut bytes = Vec::new();
    file.by_ref().take(BEGINNING).read_to_end(&mut bytes)?;
    let no_text = || Content::Other("it is no text".to_owned());
    if bytes.contains(&0) && !is_utf16(&bytes) {
        return Ok(no_text());
    }
    file.take(LARGEST + 1 - BEGINNING).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Ok(Content::Other(format!("it is larger than {} MiB", LARGEST >> 20)));
    }
    Ok(decode(bytes).unwrap_or_else(no_text))
}

fn is_utf16(bytes: &[u8]) -> bool {
    matches!(bytes.get(..2), Some([0xff, 0xfe] | [0xfe, 0xff]))
}

/// UTF-8, UTF-16 with its mark, or else bytes as letters; nothing for what is no text.
fn decode(bytes: Vec<u8>) -> Option<Content> {
    let utf16 = |pair: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|two| pair([two[0], two[1]])).collect();
        Some(Content::Text {
            text: String::from_utf16_lossy(&units),
            exact: false,
        })
    };
    match bytes.get(..2) {
        Some([0xff, 0xfe]) => return utf16(u16::from_le_bytes),
        Some([0xfe, 0xff]) => return utf16(u16::from_be_bytes),
        _ => {}
    }
    if bytes.contains(&0) {
        return None;
    }
    Some(match String::from_utf8(bytes) {
        Ok(text) => Content::Text { text, exact: true },
        Err(error) => Content::Text {
            text: error.as_bytes().iter().map(|byte| char::from(*byte)).collect(),
            exact: false,
        },
    })
}

/// The mark that may stand at the beginning of a text in UTF-8.
const MARK: char = '\u{feff}';

/// The text with blanks in place of a byte order mark: equally long, and of nobody's business.
pub(super) fn without_mark(text: &str) -> std::borrow::Cow<'_, str> {
    match text.strip_prefix(MARK) {
        Some(rest) => format!("{}{rest}", " ".repeat(MARK.len_utf8())).into(),
        None => text.into(),
    }
}

/// Where the lines of a text begin.
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            text,
            starts: std::iter::once(0).chain(breaks).collect(),
        }
    }

    /// Line and column, from 1, of a byte that begins a letter.
    pub(super) fn place(&self, at: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= at);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let before = self.text.get(start..at).unwrap_or_default();
        (line, before.strip_prefix(MARK).unwrap_or(before).chars().count() + 1)
    }
}

/// The line that a byte stands in, without its end.
pub(super) fn line_at(text: &str, at: usize) -> std::ops::Range<usize> {
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(bytes: &[u8]) -> Option<(String, bool)> {
        match decode(bytes.to_vec())? {
            Content::Text { text, exact } => Some((text, exact)),
            Content::Other(_) => None,
        }
    }

    #[test]
    fn a_patch_is_made_of_utf_8_alone_and_other_texts_are_read_all_the_same() {
        assert_eq!(text_of("ä".as_bytes()), Some(("ä".to_owned(), true)));
        assert_eq!(text_of(b"caf\xe9"), Some(("café".to_owned(), false)));
        assert_eq!(text_of(b"\xff\xfea\0b\0"), Some(("ab".to_owned(), false)));
        assert_eq!(text_of(b"\xfe\xff\0a"), Some(("a".to_owned(), false)));
        assert_eq!(text_of(b"a\0b"), None);
    }

    #[test]
    fn columns_are_counted_in_letters_and_without_the_mark_at_the_beginning() {
        let lines = Lines::of("\u{feff}ab\r\nä=x\n");
        assert_eq!(lines.place(3), (1, 1));
        assert_eq!(lines.place(4), (1, 2));
        assert_eq!(lines.place(10), (2, 3));
    }
}
