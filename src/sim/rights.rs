//! What the caller may do: the role assignments in the estate, inherited from above, through groups, with wildcards
//! and `notActions`, less deny assignments.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::store::Store;
use super::world::World;
use super::{Answer, builtin_roles};

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

/// One permission of a role definition.
#[derive(Debug, Clone, Default)]
pub struct Permission {
    actions: Vec<String>,
    not_actions: Vec<String>,
}

impl Permission {
    /// Reads `{actions, notActions}`.
    pub fn read(value: &Value) -> Self {
        let list = |name: &str| {
            value[name]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_ascii_lowercase)
                .collect()
        };
        Self {
            actions: list("actions"),
            not_actions: list("notActions"),
        }
    }

    /// Whether it allows the action, given in lower case.
    pub fn allows(&self, action: &str) -> bool {
        self.actions.iter().any(|pattern| matches(pattern, action))
            && !self.not_actions.iter().any(|pattern| matches(pattern, action))
    }
}

/// Whether a pattern with `*` matches an action, both in lower case.
fn matches(pattern: &str, action: &str) -> bool {
    let mut rest = action;
    let mut parts = pattern.split('*');
    let Some(first) = parts.next() else { return false };
    let Some(tail) = rest.strip_prefix(first) else {
        return false;
    };
    rest = tail;
    let mut last = None;
    for part in parts {
        if let Some(part) = last.replace(part) {
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
    }
    match last {
        Some(part) => rest.ends_with(part),
        None => rest.is_empty(),
    }
}

/// A role that the caller holds at a scope.
#[derive(Debug, Clone)]
pub struct Held {
    /// The scope's key.
    pub scope: String,
    /// The definition's GUID.
    pub role: String,
    permissions: Vec<Permission>,
}

/// The rights of one principal at one time.
#[derive(Debug)]
pub struct Rights {
    owner: bool,
    held: Vec<Held>,
    denied: Vec<(String, bool, Vec<Permission>)>,
    tree: std::sync::Arc<Tree>,
}

/// The permissions of a role definition, built-in or custom, by its GUID.
pub fn permissions_of(store: &Store, role: &str) -> Option<Vec<Value>> {
    if let Some(found) = builtin_roles::by_guid(role) {
        return found
            .pointer("/properties/permissions")
            .and_then(Value::as_array)
            .cloned();
    }
    let found = store
        .of_type("microsoft.authorization/roledefinitions")
        .find(|(key, _)| {
            key.rsplit('/')
                .next()
                .is_some_and(|name| name.eq_ignore_ascii_case(role))
        });
    found
        .and_then(|(_, document)| document.pointer("/properties/permissions"))
        .and_then(Value::as_array)
        .cloned()
}

/// The scope's key of an assignment: what its `scope` says, else what its id lies in.
pub fn assignment_scope(document: &Value) -> String {
    if let Some(scope) = document.pointer("/properties/scope").and_then(Value::as_str) {
        let scope = scope.trim_end_matches('/').to_ascii_lowercase();
        return if scope.is_empty() { "/".to_owned() } else { scope };
    }
    let id = document["id"].as_str().unwrap_or_default().to_ascii_lowercase();
    match id.rfind("/providers/microsoft.authorization/") {
        Some(0) | None => "/".to_owned(),
        Some(at) => id[..at].to_owned(),
    }
}

/// The last segment of a path.
pub fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

impl Rights {
    /// The rights of a principal. Where the estate names no operator, everybody owns everything.
    pub fn of(world: &mut World, principal: &str) -> Self {
        let tree = world.tree();
        if world.operator.is_none() {
            return Self {
                owner: true,
                held: Vec::new(),
                denied: Vec::new(),
                tree,
            };
        }
        let mut who: BTreeSet<String> = world
            .directory
            .groups_of(principal)
            .into_iter()
            .map(|id| id.to_ascii_lowercase())
            .collect();
        who.insert(principal.to_ascii_lowercase());
        let mut held = Vec::new();
        for id in &who {
            for assignment in world.store.assignments_of(id) {
                let role = last(
                    assignment
                        .pointer("/properties/roleDefinitionId")
                        .and_then(Value::as_str)
                        .unwrap_or(""),
                );
                let permissions = permissions_of(&world.store, role).unwrap_or_default();
                held.push(Held {
                    scope: assignment_scope(assignment),
                    role: role.to_owned(),
                    permissions: permissions.iter().map(Permission::read).collect(),
                });
            }
        }
        let names = |list: &Value| -> Vec<String> {
            list.as_array()
                .into_iter()
                .flatten()
                .filter_map(|p| p["id"].as_str())
                .map(str::to_ascii_lowercase)
                .collect()
        };
        let everyone = "00000000-0000-0000-0000-000000000000";
        let denied = world
            .store
            .of_type("microsoft.authorization/denyassignments")
            .filter(|(_, document)| {
                let properties = &document["properties"];
                names(&properties["principals"])
                    .iter()
                    .any(|id| id == everyone || who.contains(id))
                    && !names(&properties["excludePrincipals"])
                        .iter()
                        .any(|id| who.contains(id))
            })
            .map(|(_, document)| {
                let rows = document.pointer("/properties/permissions").and_then(Value::as_array);
                (
                    assignment_scope(document),
                    document.pointer("/properties/doNotApplyToChildScopes") == Some(&Value::Bool(true)),
                    rows.into_iter().flatten().map(Permission::read).collect(),
                )
            })
            .collect();
        Self {
            owner: false,
            held,
            denied,
            tree,
        }
    }

    /// Whether everything is allowed.
    pub fn is_owner(&self) -> bool {
        self.owner
    }

    /// Whether the action is allowed at the scope with this key.
    pub fn allow(&self, action: &str, key: &str) -> bool {
        if self.owner {
            return true;
        }
        let action = action.to_ascii_lowercase();
        let denied = self.denied.iter().any(|(scope, alone, permissions)| {
            (if *alone {
                key == scope
            } else {
                self.tree.is_within(key, scope)
            }) && permissions.iter().any(|permission| permission.allows(&action))
        });
        !denied
            && self
                .held
                .iter()
                .any(|held| self.tree.is_within(key, &held.scope) && held.permissions.iter().any(|p| p.allows(&action)))
    }

    /// Whether the action is allowed somewhere at, above or below the scope: what lists of subscriptions and groups show.
    pub fn allow_near(&self, action: &str, key: &str) -> bool {
        self.allow(action, key)
            || self.held.iter().any(|held| {
                self.tree.is_within(&held.scope, key)
                    && held.permissions.iter().any(|p| p.allows(&action.to_ascii_lowercase()))
            })
    }

    /// The roles held that apply at the scope with this key.
    pub fn held_at<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a Held> {
        self.held
            .iter()
            .filter(move |held| self.tree.is_within(key, &held.scope))
    }
}

/// `AuthorizationFailed`, as Azure words it.
pub fn refused(principal: &str, action: &str, scope: &str) -> Answer {
    super::arm::fail::fail(
        403,
        "AuthorizationFailed",
        format!(
            "The client '{principal}' with object id '{principal}' does not have authorization to perform action \
             '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh \
             your credentials."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn wildcards_of_actions_match_across_segments() {
        assert!(matches("*", "microsoft.web/sites/read"));
        assert!(matches("*/read", "microsoft.web/sites/config/read"));
        assert!(matches(
            "microsoft.authorization/*/write",
            "microsoft.authorization/roleassignments/write"
        ));
        assert!(matches(
            "microsoft.managedidentity/userassignedidentities/*/assign/action",
            "microsoft.managedidentity/userassignedidentities/x/assign/action"
        ));
        assert!(!matches("*/read", "microsoft.web/sites/write"));
        assert!(!matches("microsoft.web/sites/read", "microsoft.web/sites/readx"));
    }

    #[test]
    fn what_a_role_leaves_out_is_not_allowed() {
        let contributor =
            Permission::read(&json!({"actions": ["*"], "notActions": ["Microsoft.Authorization/*/Write"]}));
        assert!(contributor.allows("microsoft.web/sites/write"));
        assert!(!contributor.allows("microsoft.authorization/roleassignments/write"));
    }
}
