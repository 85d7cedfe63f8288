//! Scopes of role assignments: from the tenant's root down to a resource.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ParseError, ResourceId};

/// A scope of any level: `/`, a management group, a subscription, a resource group, a resource.
///
/// ```
/// use ferry::types::{Level, Scope};
/// let scope: Scope = "/providers/Microsoft.Management/managementGroups/corp".parse().unwrap();
/// assert_eq!(scope.level(), Level::ManagementGroup);
/// assert_eq!(scope.join("Microsoft.Authorization/roleAssignments"),
///     "/providers/Microsoft.Management/managementGroups/corp/providers/Microsoft.Authorization/roleAssignments");
/// assert_eq!("/".parse::<Scope>().unwrap().level(), Level::Root);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope(Option<ResourceId>);

/// How high a scope stands; higher levels come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The tenant's root, `/`.
    Root,
    /// A management group.
    ManagementGroup,
    /// A subscription.
    Subscription,
    /// A resource group.
    ResourceGroup,
    /// A resource, a child resource, or an extension resource.
    Resource,
}

impl Scope {
    /// The tenant's root, `/`.
    pub const ROOT: Scope = Scope(None);

    /// Parses `/`, an empty text (which is the root too), or a resource id of any level.
    ///
    /// # Errors
    /// When the text is neither.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        if text.is_empty() || text == "/" {
            return Ok(Self::ROOT);
        }
        ResourceId::parse(text)
            .map(|id| Self(Some(id)))
            .map_err(|error| ParseError {
                expected: "a scope",
                ..error
            })
    }

    /// How high the scope stands.
    pub fn level(&self) -> Level {
        match &self.0 {
            None => Level::Root,
            Some(id) if id.is_type("Microsoft.Management/managementGroups") => Level::ManagementGroup,
            Some(id) if id.is_type("Microsoft.Resources/subscriptions") => Level::Subscription,
            Some(id) if id.is_type("Microsoft.Resources/resourceGroups") => Level::ResourceGroup,
            Some(_) => Level::Resource,
        }
    }

    /// The id, except of the root, which has none.
    pub fn id(&self) -> Option<&ResourceId> {
        self.0.as_ref()
    }

    /// The scope in lower case, `/` for the root.
    pub fn key(&self) -> &str {
        self.0.as_ref().map_or("/", ResourceId::key)
    }

    /// The scope as spelled, `/` for the root.
    pub fn as_str(&self) -> &str {
        self.0.as_ref().map_or("/", ResourceId::as_str)
    }

    /// The path of an extension collection at this scope: `{scope}/providers/{collection}`.
    pub fn join(&self, collection: &str) -> String {
        format!(
            "{}/providers/{collection}",
            self.0.as_ref().map_or("", ResourceId::as_str)
        )
    }
}

impl From<ResourceId> for Scope {
    fn from(id: ResourceId) -> Self {
        Self(Some(id))
    }
}
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({self})")
    }
}
impl FromStr for Scope {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}
impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_is_told_apart() {
        let level = |text: &str| Scope::parse(text).unwrap().level();
        assert_eq!(level(""), Level::Root);
        assert_eq!(level("/subscriptions/s"), Level::Subscription);
        assert_eq!(level("/subscriptions/s/resourcegroups/g"), Level::ResourceGroup);
        assert_eq!(
            level("/subscriptions/s/resourceGroups/g/providers/A.B/c/d"),
            Level::Resource
        );
        assert!(Level::Root < Level::Resource);
        assert!(Scope::parse("rg-shop").unwrap_err().to_string().contains("a scope"));
    }
}
