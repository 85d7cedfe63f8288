//! Which management group stands above which scope.

use std::collections::HashMap;

use serde_json::Value;

use super::store::Store;

/// Which management group stands above each subscription and management group, by keys.
#[derive(Debug, Default)]
pub struct Tree {
    parents: HashMap<String, String>,
    root: Option<String>,
}

const GROUPS: &str = "/providers/microsoft.management/managementgroups/";

impl Tree {
    /// The tree that the documents describe.
    pub fn of(store: &Store, tenant: &str) -> Self {
        let mut parents = HashMap::new();
        for (key, document) in store.of_type("microsoft.management/managementgroups") {
            if let Some(parent) = document
                .pointer("/properties/details/parent/id")
                .and_then(Value::as_str)
            {
                parents.insert(key.to_owned(), parent.to_ascii_lowercase());
            }
        }
        for (key, _) in store.of_type("microsoft.management/managementgroups/subscriptions") {
            if let Some((group, subscription)) = key.split_once("/subscriptions/") {
                parents.insert(format!("/subscriptions/{subscription}"), group.to_owned());
            }
        }
        let root = format!("{GROUPS}{}", tenant.to_ascii_lowercase());
        let root = store.has(&root).then_some(root);
        Self { parents, root }
    }

    /// The management groups above a scope, nearest first, itself among them where it is one.
    pub fn above(&self, key: &str) -> Vec<String> {
        let mut chain = Vec::new();
        let mut at = base(key);
        if at.starts_with(GROUPS) {
            chain.push(at.clone());
        }
        while let Some(parent) = self.parent(&at) {
            if chain.iter().any(|above| above == parent) {
                break;
            }
            chain.push(parent.to_owned());
            at = parent.to_owned();
        }
        chain
    }

    /// The management group right above a subscription or management group: the root where no other is named.
    pub fn parent(&self, key: &str) -> Option<&str> {
        let root = || self.root.as_deref().filter(|root| *root != key && !key.is_empty());
        self.parents.get(key).map(String::as_str).or_else(root)
    }

    /// Whether a scope is `above` or lies below it; `/` is above everything.
    pub fn is_within(&self, key: &str, above: &str) -> bool {
        above == "/" || within(key, above) || (above.starts_with(GROUPS) && self.above(key).iter().any(|g| g == above))
    }
}

/// The subscription or management group that a key lies in, as a key.
fn base(key: &str) -> String {
    let segments: Vec<&str> = key.split('/').skip(1).collect();
    let keep = match segments.first() {
        Some(&"subscriptions") => 2,
        Some(&"providers") => 4,
        _ => 0,
    };
    segments
        .iter()
        .take(keep)
        .fold(String::new(), |text, segment| format!("{text}/{segment}"))
}

fn within(key: &str, above: &str) -> bool {
    key == above || (key.starts_with(above) && key.as_bytes().get(above.len()) == Some(&b'/'))
}
