//! Colours of what is typed.

use super::complete::KEYWORDS;

const KEYWORD: &str = "\x1b[35m";
const STRING: &str = "\x1b[32m";
const NUMBER: &str = "\x1b[36m";
const COMMENT: &str = "\x1b[90m";
const MODULE: &str = "\x1b[34m";
const PLAIN: &str = "\x1b[0m";

/// The line with escape sequences for its words; every character of the line stays.
pub(super) fn highlight(line: &str) -> String {
    let mut made = String::with_capacity(line.len() * 2);
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let (length, color) = if rest.starts_with("//") {
            (rest.find('\n').unwrap_or(rest.len()), Some(COMMENT))
        } else if first == '"' || first == '`' {
            (string_end(rest, first), Some(STRING))
        } else if first.is_ascii_digit() {
            (
                word_end(rest, |c| c.is_ascii_alphanumeric() || c == '_' || c == '.'),
                Some(NUMBER),
            )
        } else if first.is_alphabetic() || first == '_' {
            let end = word_end(rest, |c| c.is_alphanumeric() || c == '_');
            let color = if KEYWORDS.contains(&&rest[..end]) {
                Some(KEYWORD)
            } else if rest[end..].starts_with("::") {
                Some(MODULE)
            } else {
                None
            };
            (end, color)
        } else {
            (first.len_utf8(), None)
        };
        match color {
            Some(color) => {
                made.push_str(color);
                made.push_str(&rest[..length]);
                made.push_str(PLAIN);
            }
            None => made.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    made
}

fn word_end(text: &str, inside: impl Fn(char) -> bool) -> usize {
    text.find(|c| !inside(c)).unwrap_or(text.len())
}

fn string_end(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (index, c) in text.char_indices().skip(1) {
        match c {
            '\\' if quote == '"' && !escaped => escaped = true,
            c if c == quote && !escaped => return index + c.len_utf8(),
            _ => escaped = false,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    #[test]
    fn colours_leave_every_character_in_its_place() {
        for line in [
            "let x = arm::get(\"a\\\"ü\", 1.5); // so",
            "`open",
            "\"",
            "é::ß 0x1F",
            "",
        ] {
            let shown = super::highlight(line);
            let mut plain = String::new();
            let mut rest = shown.as_str();
            while let Some(start) = rest.find('\x1b') {
                plain.push_str(&rest[..start]);
                let end = rest[start..].find('m').unwrap();
                rest = &rest[start + end + 1..];
            }
            plain.push_str(rest);
            assert_eq!(plain, line);
        }
    }
}
