//! Parsed ids of Azure Resource Manager: compared without case, printed as they were spelled.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ParseError;

/// The id of anything that Azure Resource Manager knows: a subscription, a resource group, a
/// resource, a child or an extension resource, a management group.
///
/// Two ids are equal when they differ in case alone; the spelling that was given is kept.
///
/// ```
/// use ferry::types::ResourceId;
/// let id: ResourceId = "/subscriptions/S/resourcegroups/RG/providers/Microsoft.Web/sites/app/slots/blue".parse().unwrap();
/// assert_eq!(id.resource_type(), "Microsoft.Web/sites/slots");
/// assert_eq!(id.name(), "blue");
/// assert_eq!(id.resource_group(), Some("RG"));
/// assert_eq!(id, "/SUBSCRIPTIONS/s/resourceGroups/rg/providers/microsoft.web/sites/APP/slots/Blue".parse().unwrap());
/// ```
#[derive(Clone)]
pub struct ResourceId {
    text: String,
    key: String,
}

const EXPECTED: &str = "a resource id";

impl ResourceId {
    /// Parses the text of an id, which begins with `/subscriptions/…` or `/providers/…`.
    ///
    /// # Errors
    /// When a segment is empty, a name is missing behind its type, or the id begins with something else.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let fail = |why: &str| Err(ParseError::new(text, EXPECTED, why));
        if text
            .chars()
            .any(|c| c.is_control() || matches!(c, '?' | '#' | '<' | '>' | '\\'))
        {
            return fail("it has a character that no resource id has");
        }
        let Some(rest) = text.strip_prefix('/') else {
            return fail("it must begin with /subscriptions/… or /providers/…");
        };
        let trimmed = rest.strip_suffix('/').unwrap_or(rest);
        let segments: Vec<&str> = trimmed.split('/').collect();
        if segments.iter().any(|s| s.is_empty()) {
            return fail("it has an empty segment");
        }
        let mut at = 0;
        if segments[0].eq_ignore_ascii_case("subscriptions") {
            if segments.len() < 2 {
                return fail("the subscription's id is missing");
            }
            at = 2;
            if segments
                .get(2)
                .is_some_and(|s| s.eq_ignore_ascii_case("resourceGroups"))
            {
                if segments.len() < 4 {
                    return fail("the resource group's name is missing");
                }
                at = 4;
            }
        }
        while at < segments.len() {
            if !segments[at].eq_ignore_ascii_case("providers") {
                return fail("\"providers\" is expected before a namespace, or a name is missing behind its type");
            }
            let end = (at + 1..segments.len())
                .find(|&i| segments[i].eq_ignore_ascii_case("providers") && (i - at) % 2 == 0)
                .unwrap_or(segments.len());
            if end < at + 4 || (end - at) % 2 != 0 {
                return fail(
                    "behind a namespace come types and names in pairs, as in providers/Microsoft.Web/sites/NAME",
                );
            }
            at = end;
        }
        let text = format!("/{trimmed}");
        Ok(Self {
            key: text.to_lowercase(),
            text,
        })
    }

    /// The id as it was spelled.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The id in lower case: equal for equal ids, fit as a key of maps and journals.
    pub fn key(&self) -> &str {
        &self.key
    }

    fn segments(&self) -> Vec<&str> {
        self.text[1..].split('/').collect()
    }

    /// The subscription's id, where the id lies in a subscription.
    pub fn subscription(&self) -> Option<&str> {
        let segments = self.segments();
        (segments[0].eq_ignore_ascii_case("subscriptions")).then(|| segments[1])
    }

    /// The resource group's name, where the id lies in one.
    pub fn resource_group(&self) -> Option<&str> {
        let segments = self.segments();
        (segments.len() >= 4
            && segments[0].eq_ignore_ascii_case("subscriptions")
            && segments[2].eq_ignore_ascii_case("resourceGroups"))
        .then(|| segments[3])
    }

    /// Where the last `providers` segment stands.
    fn last_provider(&self) -> Option<usize> {
        let segments = self.segments();
        let mut at = match segments[0].to_ascii_lowercase().as_str() {
            "subscriptions"
                if segments
                    .get(2)
                    .is_some_and(|s| s.eq_ignore_ascii_case("resourceGroups")) =>
            {
                4
            }
            "subscriptions" => 2,
            _ => 0,
        };
        let mut last = None;
        while at < segments.len() {
            last = Some(at);
            at = (at + 1..segments.len())
                .find(|&i| segments[i].eq_ignore_ascii_case("providers") && (i - at) % 2 == 0)
                .unwrap_or(segments.len());
        }
        last
    }

    /// The namespace of the resource's own provider: `Microsoft.Web`.
    pub fn namespace(&self) -> &str {
        match self.last_provider() {
            Some(at) => self.segments()[at + 1],
            None => "Microsoft.Resources",
        }
    }

    /// The full type, children included: `Microsoft.Web/sites/slots`; of groups and subscriptions
    /// `Microsoft.Resources/resourceGroups` and `Microsoft.Resources/subscriptions`.
    pub fn resource_type(&self) -> String {
        let segments = self.segments();
        let Some(at) = self.last_provider() else {
            let word = if segments.len() >= 4 {
                "resourceGroups"
            } else {
                "subscriptions"
            };
            return format!("Microsoft.Resources/{word}");
        };
        let types: Vec<&str> = segments[at + 2..].iter().step_by(2).copied().collect();
        format!("{}/{}", segments[at + 1], types.join("/"))
    }

    /// Whether the full type is `expected`, in any case.
    pub fn is_type(&self, expected: &str) -> bool {
        self.resource_type().eq_ignore_ascii_case(expected)
    }

    /// The last segment.
    pub fn name(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or_default()
    }

    /// What the resource lies in: the parent of a child, the scope of an extension resource, the
    /// group of a resource, the subscription of a group; none for a subscription and for what lies
    /// at the tenant's root.
    pub fn parent(&self) -> Option<ResourceId> {
        let segments = self.segments();
        let keep = match self.last_provider() {
            Some(at) if segments.len() - at > 4 => segments.len() - 2,
            Some(at) => at,
            None => segments.len() - 2,
        };
        (keep > 0).then(|| self.cut(keep))
    }

    fn cut(&self, keep: usize) -> ResourceId {
        let text = format!("/{}", self.segments()[..keep].join("/"));
        ResourceId {
            key: text.to_lowercase(),
            text,
        }
    }

    /// For an extension resource, the id of what it extends: everything before the last `/providers/`.
    /// For other ids none.
    pub fn extended(&self) -> Option<ResourceId> {
        let at = self.last_provider()?;
        let segments = self.segments();
        let lies_in_group_or_subscription = at <= 4
            && segments[0].eq_ignore_ascii_case("subscriptions")
            && at == if self.resource_group().is_some() { 4 } else { 2 };
        (at > 0 && !lies_in_group_or_subscription).then(|| self.cut(at))
    }

    /// The resource itself or the one that it is a child of, without children and extensions:
    /// `…/sites/app` for `…/sites/app/config/web`.
    #[must_use]
    pub fn top_level(&self) -> ResourceId {
        let segments = self.segments();
        let base = match segments[0].to_ascii_lowercase().as_str() {
            "subscriptions" if self.resource_group().is_some() => 4,
            "subscriptions" => 2,
            _ => 0,
        };
        self.cut((base + 4).min(segments.len()))
    }

    /// Whether `self` is `other` or lies somewhere below it.
    pub fn is_within(&self, other: &ResourceId) -> bool {
        self.key == other.key
            || (self.key.starts_with(&other.key) && self.key.as_bytes().get(other.key.len()) == Some(&b'/'))
    }

    /// A child of this id: `id.child("config", "web")`.
    ///
    /// # Errors
    /// When `kind` or `name` hold what no id may hold.
    pub fn child(&self, kind: &str, name: &str) -> Result<ResourceId, ParseError> {
        Self::parse(&format!("{}/{kind}/{name}", self.text))
    }
}

impl PartialEq for ResourceId {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}
impl Eq for ResourceId {}
impl Hash for ResourceId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}
impl PartialOrd for ResourceId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for ResourceId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}
impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
impl fmt::Debug for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResourceId({})", self.text)
    }
}
impl FromStr for ResourceId {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}
impl Serialize for ResourceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}
impl<'de> Deserialize<'de> for ResourceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> ResourceId {
        text.parse().unwrap()
    }

    #[test]
    fn an_extension_resource_knows_what_it_extends() {
        let vault = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv";
        let assignment = id(&format!("{vault}/providers/Microsoft.Authorization/roleAssignments/g"));
        assert_eq!(assignment.extended(), Some(id(vault)));
        assert_eq!(assignment.parent(), Some(id(vault)));
        assert_eq!(assignment.resource_type(), "Microsoft.Authorization/roleAssignments");
        assert_eq!(assignment.top_level(), id(vault));
        assert_eq!(id(vault).extended(), None);
        assert_eq!(id(vault).parent(), Some(id("/subscriptions/s/resourceGroups/rg")));
    }

    #[test]
    fn ids_at_every_level_are_read() {
        assert_eq!(
            id("/subscriptions/s").resource_type(),
            "Microsoft.Resources/subscriptions"
        );
        assert_eq!(
            id("/subscriptions/s/resourceGroups/rg").resource_type(),
            "Microsoft.Resources/resourceGroups"
        );
        assert_eq!(
            id("/subscriptions/s/resourceGroups/rg").parent(),
            Some(id("/subscriptions/s"))
        );
        let root = id("/providers/Microsoft.Authorization/roleAssignments/g");
        assert_eq!((root.parent(), root.extended()), (None, None));
        let in_group = id(
            "/providers/Microsoft.Management/managementGroups/m/providers/Microsoft.Authorization/roleAssignments/g",
        );
        assert_eq!(
            in_group.parent(),
            Some(id("/providers/Microsoft.Management/managementGroups/m"))
        );
        let in_subscription = id("/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/g");
        assert_eq!(in_subscription.parent(), Some(id("/subscriptions/s")));
    }

    #[test]
    fn malformed_ids_say_what_is_wrong() {
        for text in [
            "",
            "subscriptions/s",
            "/subscriptions",
            "/subscriptions/s/resourceGroups",
            "/subscriptions/s//x",
            "/subscriptions/s/foo/bar",
            "/subscriptions/s/providers",
            "/subscriptions/s/providers/Microsoft.Web/sites",
            "/providers/Microsoft.Web",
            "/a/b",
        ] {
            let error = ResourceId::parse(text).unwrap_err();
            assert!(!error.why.is_empty(), "{text}");
        }
    }

    #[test]
    fn within_respects_segment_boundaries() {
        let group = id("/subscriptions/s/resourceGroups/rg");
        assert!(id("/subscriptions/S/resourcegroups/RG/providers/Microsoft.Web/sites/a").is_within(&group));
        assert!(!id("/subscriptions/s/resourceGroups/rg-two").is_within(&group));
    }
}
