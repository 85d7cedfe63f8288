//! Lengths of time as people and Azure write them: `90s`, `2h`, `PT5M`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ParseError;

/// A length of time in whole seconds, read from `90s`, `10m`, `2h`, `1d`, `1h30m`, a bare number of
/// seconds, or ISO 8601 (`PT5M`, `P1DT2H`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span(u64);

impl Span {
    /// A span of so many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// The length in seconds.
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// Parses a length of time.
    ///
    /// # Errors
    /// When the text is none of the forms, or longer than a hundred years.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let fail = || ParseError::new(text, "a duration", "write 90s, 10m, 2h, 1d, 1h30m or PT5M");
        let trimmed = text.trim();
        let iso = trimmed.strip_prefix(['P', 'p']);
        let body: String = iso.unwrap_or(trimmed).to_ascii_lowercase();
        if iso.is_none() && !body.is_empty() && body.bytes().all(|b| b.is_ascii_digit()) {
            return body
                .parse()
                .ok()
                .filter(|s| *s <= Self::LONGEST)
                .map(Self)
                .ok_or_else(fail);
        }
        let (mut total, mut number, mut units) = (0_u64, String::new(), 0);
        for c in body.chars() {
            match c {
                't' if iso.is_some() && number.is_empty() => {}
                '0'..='9' => number.push(c),
                's' | 'm' | 'h' | 'd' | 'w' => {
                    let unit = match c {
                        's' => 1,
                        'm' => 60,
                        'h' => 3_600,
                        'd' => 86_400,
                        _ => 604_800,
                    };
                    let count: u64 = number.parse().map_err(|_| fail())?;
                    total = count
                        .checked_mul(unit)
                        .and_then(|n| total.checked_add(n))
                        .ok_or_else(fail)?;
                    number.clear();
                    units += 1;
                }
                ' ' if iso.is_none() && number.is_empty() => {}
                _ => return Err(fail()),
            }
        }
        if !number.is_empty() || units == 0 || total > Self::LONGEST {
            return Err(fail());
        }
        Ok(Self(total))
    }

    const LONGEST: u64 = 100 * 366 * 86_400;
}

impl From<Span> for Duration {
    fn from(span: Span) -> Duration {
        Duration::from_secs(span.0)
    }
}
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        for (unit, word) in [(86_400, 'd'), (3_600, 'h'), (60, 'm'), (1, 's')] {
            if rest >= unit {
                write!(f, "{}{word}", rest / unit)?;
                rest %= unit;
            }
        }
        Ok(())
    }
}
impl FromStr for Span {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}
impl TryFrom<String> for Span {
    type Error = ParseError;
    fn try_from(text: String) -> Result<Self, ParseError> {
        Self::parse(&text)
    }
}
impl From<Span> for String {
    fn from(span: Span) -> String {
        span.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_spellings_are_read() {
        for (text, seconds) in [
            ("90s", 90),
            ("2h", 7_200),
            ("PT5M", 300),
            ("P1DT2H", 93_600),
            ("1h30m", 5_400),
            ("45", 45),
            ("0", 0),
            ("1d", 86_400),
        ] {
            assert_eq!(Span::parse(text).unwrap(), Span::seconds(seconds), "{text}");
        }
        for text in ["", "soon", "5x", "m5", "-3s", "1.5h", "99999999999999999999s", "P"] {
            assert!(Span::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_printed_can_be_read_again() {
        for seconds in [0, 1, 59, 60, 3_661, 90_061, 700_000] {
            let span = Span::seconds(seconds);
            assert_eq!(Span::parse(&span.to_string()).unwrap(), span);
        }
    }
}
