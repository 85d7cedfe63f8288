//! The GUIDs of an identity, each a type of its own, so that one cannot be taken for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ParseError;

macro_rules! guid {
    ($(#[$doc:meta])* $name:ident, $expected:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }
        impl FromStr for $name {
            type Err = ParseError;
            fn from_str(text: &str) -> Result<Self, ParseError> {
                Uuid::parse_str(text)
                    .map(Self)
                    .map_err(|_| ParseError::new(text, $expected, "it must be a GUID, such as 33333333-3333-4333-8333-333333333333"))
            }
        }
    };
}

guid!(
    /// The object id of a service principal, user or group in the directory: what role assignments name.
    PrincipalId,
    "a principal id"
);
guid!(
    /// The application id of an identity: what workloads name when they ask for a token.
    ClientId,
    "a client id"
);
guid!(
    /// The id of a directory tenant.
    TenantId,
    "a tenant id"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_are_read_in_any_case_and_printed_in_lower_case() {
        let id: PrincipalId = "33333333-3333-4333-8333-33333333AAAA".parse().unwrap();
        assert_eq!(id.to_string(), "33333333-3333-4333-8333-33333333aaaa");
        assert!(
            "id-shop"
                .parse::<ClientId>()
                .unwrap_err()
                .to_string()
                .contains("a client id")
        );
    }
}
