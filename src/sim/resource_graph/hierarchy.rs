//! Management groups above subscriptions, read from the documents, and what lies within named scopes.

use std::collections::{HashMap, HashSet};

use serde_json::{Value as Json, json};

use super::row::segment;
use super::tables::AuthorizationScopeFilter;
use super::text::lower;

/// The tree of management groups and subscriptions; keys are in lower case.
#[derive(Debug, Default)]
pub struct Hierarchy {
    /// Name as spelled and display name of a group.
    groups: HashMap<String, (String, String)>,
    parents: HashMap<String, String>,
    subscriptions: HashMap<String, String>,
    root: String,
}

impl Hierarchy {
    /// Reads the tree of a tenant from its documents.
    pub fn of<'d>(documents: impl Iterator<Item = &'d Json>, tenant: &str) -> Self {
        let mut tree = Hierarchy {
            root: lower(tenant),
            ..Self::default()
        };
        for document in documents {
            let Some(id) = document.get("id").and_then(Json::as_str) else {
                continue;
            };
            let Some(group) = group_of(id) else { continue };
            let rest: Vec<&str> = id.trim_start_matches('/').split('/').skip(4).collect();
            match rest.as_slice() {
                [] => {
                    let properties = document.get("properties");
                    let display = properties
                        .and_then(|p| p.get("displayName"))
                        .and_then(Json::as_str)
                        .unwrap_or(group);
                    tree.groups.insert(lower(group), (group.to_owned(), display.to_owned()));
                    let parent = document
                        .pointer("/properties/details/parent/id")
                        .and_then(Json::as_str)
                        .and_then(group_of);
                    if let Some(parent) = parent {
                        tree.parents.insert(lower(group), lower(parent));
                    }
                }
                [kind, subscription] if kind.eq_ignore_ascii_case("subscriptions") => {
                    tree.subscriptions.insert(lower(subscription), lower(group));
                }
                _ => {}
            }
        }
        tree
    }

    /// The groups above a group, nearest first, the group itself left out.
    fn above_group(&self, group: &str) -> Vec<String> {
        let mut chain: Vec<String> = Vec::new();
        let mut at = group.to_owned();
        while let Some(parent) = self.parent(&at) {
            if chain.contains(&parent) || parent == group {
                break;
            }
            chain.push(parent.clone());
            at = parent;
        }
        chain
    }

    /// A group without a parent of its own hangs below the root.
    fn parent(&self, group: &str) -> Option<String> {
        self.parents
            .get(group)
            .cloned()
            .or_else(|| (group != self.root).then(|| self.root.clone()))
    }

    /// The groups above a subscription, nearest first.
    fn above_subscription(&self, subscription: &str) -> Vec<String> {
        let nearest = self.subscriptions.get(subscription).unwrap_or(&self.root).clone();
        let above = self.above_group(&nearest);
        std::iter::once(nearest).chain(above).collect()
    }

    fn chain(&self, groups: &[String]) -> Json {
        groups
            .iter()
            .map(|group| match self.groups.get(group) {
                Some((name, display)) => json!({"displayName": display, "name": name}),
                None => {
                    json!({"displayName": if *group == self.root { "Tenant Root Group" } else { group }, "name": group})
                }
            })
            .collect()
    }

    /// `managementGroupAncestorsChain` of a subscription.
    pub fn chain_of_subscription(&self, subscription: &str) -> Json {
        self.chain(&self.above_subscription(&lower(subscription)))
    }

    /// `managementGroupAncestorsChain` of a management group.
    pub fn chain_of_group(&self, group: &str) -> Json {
        self.chain(&self.above_group(&lower(group)))
    }
}

/// The name of the management group that an id names or begins with.
pub fn group_of(id: &str) -> Option<&str> {
    let mut segments = id.trim_start_matches('/').split('/');
    let found = segments.next()?.eq_ignore_ascii_case("providers")
        && segments.next()?.eq_ignore_ascii_case("Microsoft.Management")
        && segments.next()?.eq_ignore_ascii_case("managementGroups");
    segments.next().filter(|_| found)
}

/// The scopes that a request names, with all that lies below and above them.
#[derive(Debug)]
pub struct Reach {
    /// No scope is named: the whole tenant.
    everything: bool,
    subscriptions: HashSet<String>,
    groups: HashSet<String>,
    named: HashSet<String>,
    above: HashSet<String>,
    filter: AuthorizationScopeFilter,
}

impl Reach {
    /// What the named scopes reach in a tree.
    pub fn new(
        tree: &Hierarchy,
        subscriptions: Option<&[String]>,
        groups: Option<&[String]>,
        filter: AuthorizationScopeFilter,
    ) -> Self {
        let mut reach = Reach {
            everything: subscriptions.is_none() && groups.is_none(),
            subscriptions: HashSet::new(),
            groups: HashSet::new(),
            named: HashSet::new(),
            above: HashSet::new(),
            filter,
        };
        for subscription in subscriptions.unwrap_or_default() {
            let subscription = lower(subscription);
            reach.above.extend(tree.above_subscription(&subscription));
            reach.named.insert(format!("/subscriptions/{subscription}"));
            reach.subscriptions.insert(subscription);
        }
        for group in groups.unwrap_or_default() {
            let group = lower(group);
            reach.above.extend(tree.above_group(&group));
            reach
                .named
                .insert(format!("/providers/microsoft.management/managementgroups/{group}"));
            reach.groups.insert(group);
        }
        if !reach.groups.is_empty() {
            let below = |above: Vec<String>| above.iter().any(|group| reach.groups.contains(group));
            let groups: Vec<String> = tree
                .groups
                .keys()
                .filter(|group| below(tree.above_group(group)))
                .cloned()
                .collect();
            let subscriptions: Vec<String> = tree
                .subscriptions
                .keys()
                .filter(|s| below(tree.above_subscription(s)))
                .cloned()
                .collect();
            reach.groups.extend(groups);
            reach.subscriptions.extend(subscriptions);
            if reach.groups.contains(&tree.root) {
                // Subscriptions that no document hangs anywhere are below the root.
                reach.everything = reach.filter == AuthorizationScopeFilter::AtScopeAndBelow;
            }
        }
        reach
    }

    /// Whether a row of an ordinary table lies at or below the scopes.
    pub fn holds(&self, id: &str) -> bool {
        if self.everything {
            return true;
        }
        match segment(id, "subscriptions") {
            Some(subscription) => self.subscriptions.contains(&lower(subscription)),
            None => group_of(id).is_some_and(|group| self.groups.contains(&lower(group))),
        }
    }

    /// Whether a role assignment, a policy assignment or their like at `scope` is seen through the filter.
    pub fn holds_at(&self, scope: &str) -> bool {
        let key = lower(scope);
        let key = key.trim_end_matches('/');
        let exact = || {
            if self.named.is_empty() {
                key.is_empty()
            } else {
                self.named.contains(key)
            }
        };
        let above = || {
            let is_group = key.matches('/').count() == 4;
            (key.is_empty() && !self.named.is_empty())
                || (is_group && group_of(key).is_some_and(|group| self.above.contains(group)))
        };
        match self.filter {
            AuthorizationScopeFilter::AtScopeAndBelow => self.holds(scope),
            AuthorizationScopeFilter::AtScopeExact => exact(),
            AuthorizationScopeFilter::AtScopeAndAbove => exact() || above(),
            AuthorizationScopeFilter::AtScopeAboveAndBelow => self.holds(scope) || above(),
        }
    }
}
