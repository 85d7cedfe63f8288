//! Text to tokens.

use super::super::moment;
use super::super::value::Kind;
use super::SyntaxError;
use super::token::{Token, Word};

/// Signs, longer ones first.
const SIGNS: [&str; 28] = [
    "==", "=~", "!=", "!~", "<=", ">=", "<>", "..", "=>", "|", ",", "(", ")", "[", "]", "{", "}", ".", "=", "<", ">",
    "+", "-", "*", "/", "%", ";", ":",
];

/// Names with a hyphen in them.
const HYPHENATED: [&str; 13] = [
    "project-away",
    "project-keep",
    "project-rename",
    "project-reorder",
    "project-smart",
    "mv-expand",
    "mv-apply",
    "make-series",
    "parse-where",
    "parse-kv",
    "sample-distinct",
    "top-nested",
    "top-hitters",
];

/// Names that open a literal when a bracket follows.
const TYPED: [&str; 12] = [
    "datetime", "date", "time", "timespan", "dynamic", "guid", "bool", "boolean", "int", "long", "real", "double",
];

/// Cuts a query into tokens, the last of them `Word::End`.
pub fn tokens(query: &str) -> Result<Vec<Token>, SyntaxError> {
    let mut lexer = Lexer {
        rest: query,
        line: 1,
        column: 0,
    };
    let mut found = Vec::new();
    loop {
        lexer.blanks();
        let (line, column, before) = (lexer.line, lexer.column, lexer.rest);
        let word = lexer.word()?;
        let text = &before[..before.len() - lexer.rest.len()];
        let text = if word == Word::End { "<EOF>" } else { text };
        let end = word == Word::End;
        found.push(Token {
            word,
            text: text.to_owned(),
            line,
            column,
        });
        if end {
            return Ok(found);
        }
    }
}

struct Lexer<'q> {
    rest: &'q str,
    line: usize,
    column: usize,
}

impl<'q> Lexer<'q> {
    /// Takes `bytes` bytes, which must end at a character's end.
    fn take(&mut self, bytes: usize) -> &'q str {
        let (taken, rest) = self.rest.split_at(bytes);
        for c in taken.chars() {
            if c == '\n' {
                self.line += 1;
                self.column = 0;
            } else {
                self.column += 1;
            }
        }
        self.rest = rest;
        taken
    }

    fn take_while(&mut self, holds: impl Fn(char) -> bool) -> &'q str {
        let end = self.rest.find(|c| !holds(c)).unwrap_or(self.rest.len());
        self.take(end)
    }

    fn blanks(&mut self) {
        loop {
            self.take_while(|c| c.is_whitespace() || c == '\u{feff}');
            if !self.rest.starts_with("//") {
                return;
            }
            self.take_while(|c| c != '\n');
        }
    }

    fn fail<T>(&self, token: &str, expected: Option<&str>) -> Result<T, SyntaxError> {
        Err(SyntaxError {
            line: self.line,
            column: self.column,
            token: token.to_owned(),
            expected: expected.map(str::to_owned),
            unsupported: false,
        })
    }

    fn word(&mut self) -> Result<Word, SyntaxError> {
        let Some(first) = self.rest.chars().next() else {
            return Ok(Word::End);
        };
        if matches!(first, '\'' | '"') {
            return self.quoted();
        }
        if first == '@' && self.rest[1..].starts_with(['\'', '"']) {
            self.take(1);
            return self.verbatim();
        }
        if matches!(first, 'h' | 'H') && self.rest[1..].starts_with(['\'', '"']) {
            self.take(1);
            return self.quoted();
        }
        if first.is_ascii_digit() {
            return self.number();
        }
        if first.is_alphabetic() || first == '_' || first == '$' {
            return self.name();
        }
        if first == '!' && self.rest[1..].starts_with(|c: char| c.is_ascii_alphabetic()) {
            self.take(1);
            return Ok(Word::Name(format!("!{}", self.plain_name())));
        }
        match SIGNS.iter().find(|sign| self.rest.starts_with(**sign)) {
            Some(sign) => {
                self.take(sign.len());
                Ok(Word::Sign(sign))
            }
            None => self.fail(&first.to_string(), None),
        }
    }

    /// Letters, digits and underscores, and the `~` of `in~`.
    fn plain_name(&mut self) -> &'q str {
        let end = self
            .rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
            .unwrap_or(self.rest.len());
        let tilde = self.rest[..end].eq_ignore_ascii_case("in") && self.rest[end..].starts_with('~');
        self.take(end + usize::from(tilde))
    }

    fn name(&mut self) -> Result<Word, SyntaxError> {
        let whole = |word: &&&str| {
            self.rest
                .strip_prefix(**word)
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '-'))
        };
        if let Some(word) = HYPHENATED.iter().find(whole) {
            return Ok(Word::Name(self.take(word.len()).to_owned()));
        }
        let name = self.plain_name();
        if TYPED.contains(&name)
            && let Some(kind) = Kind::named(name)
            && self.rest.trim_start().starts_with('(')
        {
            self.blanks();
            return self.typed(kind);
        }
        Ok(Word::Name(name.to_owned()))
    }

    /// What stands in the brackets of a typed literal, unread; strings within may hold brackets.
    fn typed(&mut self, kind: Kind) -> Result<Word, SyntaxError> {
        let (mut depth, mut quote, mut escaped) = (0_usize, None, false);
        for (at, c) in self.rest.char_indices() {
            match (quote, c) {
                (Some(_), _) if escaped => escaped = false,
                (Some(_), '\\') => escaped = true,
                (Some(open), _) if open == c => quote = None,
                (None, '\'' | '"') => quote = Some(c),
                (None, '(') => depth += 1,
                (None, ')') => {
                    depth -= 1;
                    if depth == 0 {
                        let raw = self.take(at + 1);
                        return Ok(Word::Typed(kind, raw[1..raw.len() - 1].trim().to_owned()));
                    }
                }
                _ => {}
            }
        }
        self.take(self.rest.len());
        self.fail("<EOF>", Some(")"))
    }

    fn number(&mut self) -> Result<Word, SyntaxError> {
        if self.rest.starts_with("0x") || self.rest.starts_with("0X") {
            let end = self.rest[2..]
                .find(|c: char| !c.is_ascii_hexdigit())
                .map_or(self.rest.len(), |at| at + 2);
            let text = &self.rest[..end];
            return match i64::from_str_radix(&text[2..], 16) {
                Ok(number) => {
                    self.take(end);
                    Ok(Word::Long(number))
                }
                Err(_) => self.fail(text, None),
            };
        }
        let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let mut end = digits(self.rest);
        let mut real = false;
        let fraction = self.rest[end..].strip_prefix('.').map_or(0, digits);
        if fraction > 0 {
            end += 1 + fraction;
            real = true;
        }
        if let Some(exponent) = self.rest[end..].strip_prefix(['e', 'E']) {
            let sign = usize::from(exponent.starts_with(['+', '-']));
            let power = digits(&exponent[sign..]);
            if power > 0 {
                end += 1 + sign + power;
                real = true;
            }
        }
        let unit = self.rest[end..]
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .map_or(self.rest.len(), |at| end + at);
        let text = &self.rest[..unit];
        let word = if unit > end {
            moment::parse_timespan(text).map(Word::Timespan)
        } else if real {
            text.parse()
                .ok()
                .filter(|number: &f64| number.is_finite())
                .map(Word::Real)
        } else {
            text.parse().ok().map(Word::Long)
        };
        match word {
            Some(word) => {
                self.take(unit);
                Ok(word)
            }
            None => self.fail(text, None),
        }
    }

    fn quoted(&mut self) -> Result<Word, SyntaxError> {
        let mut chars = self.rest.char_indices();
        let Some((_, quote)) = chars.next() else {
            return Ok(Word::End);
        };
        let mut text = String::new();
        while let Some((at, c)) = chars.next() {
            match c {
                '\n' | '\r' => break,
                '\\' => {
                    let Some((_, escaped)) = chars.next() else { break };
                    let hex = |chars: &mut std::str::CharIndices<'_>, digits: usize| {
                        let code = chars.as_str().get(..digits)?;
                        let found = u32::from_str_radix(code, 16).ok().and_then(char::from_u32)?;
                        chars.nth(digits - 1);
                        Some(found)
                    };
                    let found = match escaped {
                        'n' => Some('\n'),
                        't' => Some('\t'),
                        'r' => Some('\r'),
                        '0' => Some('\0'),
                        'b' => Some('\u{8}'),
                        'f' => Some('\u{c}'),
                        'u' => hex(&mut chars, 4),
                        'x' => hex(&mut chars, 2),
                        '\\' | '\'' | '"' => Some(escaped),
                        _ => None,
                    };
                    let Some(found) = found else {
                        return self.fail(&format!("\\{escaped}"), None);
                    };
                    text.push(found);
                }
                c if c == quote => {
                    self.take(at + 1);
                    return Ok(Word::Str(text));
                }
                c => text.push(c),
            }
        }
        self.fail(self.rest.lines().next().unwrap_or("<EOF>"), Some(&quote.to_string()))
    }

    /// `@'…'`: no escapes, a doubled quote is one.
    fn verbatim(&mut self) -> Result<Word, SyntaxError> {
        let mut chars = self.rest.char_indices().peekable();
        let Some((_, quote)) = chars.next() else {
            return Ok(Word::End);
        };
        let mut text = String::new();
        while let Some((at, c)) = chars.next() {
            if c != quote {
                text.push(c);
            } else if chars.peek().is_some_and(|(_, next)| *next == quote) {
                chars.next();
                text.push(quote);
            } else {
                self.take(at + 1);
                return Ok(Word::Str(text));
            }
        }
        self.fail("<EOF>", Some(&quote.to_string()))
    }
}
