//! The words of a filter.

/// A word and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) at: usize,
    pub(super) word: Word,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Word {
    /// A name, a path, a keyword, a number, a date or a GUID: told apart by the parser.
    Bare(String),
    Text(String),
    Open,
    Close,
    Comma,
    Colon,
}

/// Cuts the text; an error is OData's sentence about it.
pub(super) fn lex(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let word = match letter {
            letter if letter.is_whitespace() => continue,
            '(' => Word::Open,
            ')' => Word::Close,
            ',' => Word::Comma,
            ':' => Word::Colon,
            '\'' => {
                let mut inside = String::new();
                loop {
                    match letters.next() {
                        Some((_, '\'')) if letters.next_if(|(_, next)| *next == '\'').is_some() => inside.push('\''),
                        Some((_, '\'')) => break,
                        Some((_, letter)) => inside.push(letter),
                        None => {
                            return Err(format!(
                                "There is an unterminated string literal at position {} in '{text}'.",
                                text.chars().count()
                            ));
                        }
                    }
                }
                Word::Text(inside)
            }
            letter if is_bare(letter) => {
                let mut word = letter.to_string();
                // A colon belongs to a time of day, and parts the variable of a lambda from its condition.
                while let Some((_, next)) = letters.next_if(|(_, next)| {
                    is_bare(*next)
                        || (*next == ':' && word.contains('T') && word.starts_with(|c: char| c.is_ascii_digit()))
                }) {
                    word.push(next);
                }
                Word::Bare(word)
            }
            _ => {
                return Err(format!(
                    "Syntax error: character '{letter}' is not valid at position {at} in '{text}'."
                ));
            }
        };
        tokens.push(Token { at, word });
    }
    Ok(tokens)
}

fn is_bare(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | '/' | '$' | '+' | '@' | '#')
}
