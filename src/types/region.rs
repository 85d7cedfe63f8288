//! Azure regions, by their short names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ParseError;

/// A region such as `westeurope`. `West Europe` is the same region; whether Azure has it is asked of Azure.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region(String);

impl Region {
    /// Parses a short or a display name: blanks are dropped and letters are lowered, as Azure does.
    ///
    /// # Errors
    /// When something other than letters, digits and blanks is in it, or nothing is.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let name: String = text
            .chars()
            .filter(|c| !c.is_whitespace())
            .collect::<String>()
            .to_ascii_lowercase();
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(ParseError::new(
                text,
                "a region",
                "it must be a name such as westeurope or \"West Europe\"",
            ));
        }
        Ok(Self(name))
    }

    /// The short name, in lower case without blanks.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl FromStr for Region {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}
impl TryFrom<String> for Region {
    type Error = ParseError;
    fn try_from(text: String) -> Result<Self, ParseError> {
        Self::parse(&text)
    }
}
impl From<Region> for String {
    fn from(region: Region) -> String {
        region.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_names_and_short_names_are_one_region() {
        assert_eq!(
            Region::parse("West Europe").unwrap(),
            Region::parse("westeurope").unwrap()
        );
        assert!(Region::parse("west-europe").is_err());
        assert!(Region::parse(" ").is_err());
    }
}
