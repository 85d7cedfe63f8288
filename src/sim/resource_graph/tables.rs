//! What a query may read: the estate behind the tables.

use serde_json::{Map, Value as Json};

/// The documents of a tenant, and who may read them.
pub trait Tables {
    /// ARM documents as stored, whole bodies with `id`, `type`, `location`, `properties`, in estate order; the
    /// built-in role definitions among them.
    fn documents<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Json> + 'a>;

    /// The tenant's id.
    fn tenant_id(&self) -> &str;

    /// What is known of a role assignment beside its document: when and by whom it was made and changed.
    fn noted(&self, _id: &str) -> Map<String, Json> {
        Map::new()
    }

    /// Whether the caller may read the resource with this id, spelled as stored.
    fn may_read(&self, id: &str) -> bool;
}

/// Which rows of `authorizationresources` and `policyresources` a query sees, seen from the scopes that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuthorizationScopeFilter {
    /// At the scopes and below them.
    #[default]
    AtScopeAndBelow,
    /// At the scopes and above them.
    AtScopeAndAbove,
    /// Only at the scopes themselves.
    AtScopeExact,
    /// All of them.
    AtScopeAboveAndBelow,
}

impl AuthorizationScopeFilter {
    /// The filter of that name, as a request spells it.
    pub fn named(name: &str) -> Option<Self> {
        [
            ("AtScopeAndBelow", Self::AtScopeAndBelow),
            ("AtScopeAndAbove", Self::AtScopeAndAbove),
            ("AtScopeExact", Self::AtScopeExact),
            ("AtScopeAboveAndBelow", Self::AtScopeAboveAndBelow),
        ]
        .into_iter()
        .find(|(text, _)| text.eq_ignore_ascii_case(name))
        .map(|(_, filter)| filter)
    }
}
