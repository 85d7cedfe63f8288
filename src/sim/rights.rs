//! What the caller may do: the role assignments in the estate, inherited from above, through groups, with wildcards
//! and `notActions`, bound by their conditions, less deny assignments. Assignments give, and their deletion takes, late.

use std::collections::BTreeSet;

use serde_json::Value;
use time::OffsetDateTime;

use super::builtin_roles;
use super::store::Store;
pub use super::tree::Tree;
use super::world::World;
use crate::types::{Attributes, Condition, wildcard_matches as matches};

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

/// A role that the caller holds at a scope.
#[derive(Debug, Clone)]
pub struct Held {
    /// The scope's key.
    pub scope: String,
    /// The definition's GUID.
    pub role: String,
    /// The text of its condition.
    pub condition: Option<String>,
    bound: Bound,
    permissions: Vec<Permission>,
}

/// What a condition leaves of a role.
#[derive(Debug, Clone)]
enum Bound {
    Free,
    When(Condition),
    /// A condition that cannot be judged here: the role gives nothing.
    Unknown,
}

impl Held {
    fn allows(&self, action: &str, of: &Attributes) -> bool {
        let bound = match &self.bound {
            Bound::Free => true,
            Bound::When(condition) => condition.holds(action, of),
            Bound::Unknown => false,
        };
        bound && self.permissions.iter().any(|p| p.allows(action))
    }
}

/// A deny assignment that names the caller.
#[derive(Debug, Clone)]
pub struct Denied {
    /// Its name, as it is shown.
    pub name: String,
    /// Its id.
    pub id: String,
    /// The scope's key.
    pub scope: String,
    alone: bool,
    permissions: Vec<Permission>,
}

/// The rights of one principal at one time.
#[derive(Debug)]
pub struct Rights {
    owner: bool,
    held: Vec<Held>,
    denied: Vec<Denied>,
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
    /// The rights of a principal at a time. Where the estate names no operator, everybody owns everything.
    pub fn of(world: &mut World, principal: &str, now: OffsetDateTime) -> Self {
        let tree = world.tree();
        if world.operator.is_none() || !world.behaviour.rights {
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
        let world = &*world;
        let seen = now - time::Duration::seconds_f64(world.behaviour.late_rights);
        let held = who
            .iter()
            .flat_map(|id| world.store.assignments_at(id, seen))
            .map(|assignment| held(world, assignment))
            .collect();
        let denied = if world.behaviour.deny_assignments {
            denied(&world.store, &who)
        } else {
            Vec::new()
        };
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
        self.judge(action, key, &Attributes::default()).is_ok()
    }

    /// Whether the action is allowed at the scope with this key, for a request that says this of itself; else the deny
    /// assignment that stands in the way of a right, where it is that.
    pub fn judge(&self, action: &str, key: &str, of: &Attributes) -> Result<(), Option<&Denied>> {
        if self.owner {
            return Ok(());
        }
        let action = action.to_ascii_lowercase();
        let held = self
            .held
            .iter()
            .any(|held| self.tree.is_within(key, &held.scope) && held.allows(&action, of));
        if !held {
            return Err(None);
        }
        let denied = self.denied.iter().find(|denied| {
            let covers = if denied.alone {
                key == denied.scope
            } else {
                self.tree.is_within(key, &denied.scope)
            };
            covers && denied.permissions.iter().any(|permission| permission.allows(&action))
        });
        denied.map_or(Ok(()), |denied| Err(Some(denied)))
    }

    /// Whether the action is allowed somewhere at, above or below the scope: what lists of subscriptions and groups show.
    pub fn allow_near(&self, action: &str, key: &str) -> bool {
        let lower = action.to_ascii_lowercase();
        self.allow(action, key)
            || self
                .held
                .iter()
                .any(|held| self.tree.is_within(&held.scope, key) && held.permissions.iter().any(|p| p.allows(&lower)))
    }

    /// Whether the caller has any right at all at, above or below the scope.
    pub fn any_near(&self, key: &str) -> bool {
        let near = |held: &Held| self.tree.is_within(&held.scope, key) || self.tree.is_within(key, &held.scope);
        self.owner || self.held.iter().any(near)
    }

    /// The roles held that apply at the scope with this key.
    pub fn held_at<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a Held> {
        self.held
            .iter()
            .filter(move |held| self.tree.is_within(key, &held.scope))
    }
}

fn held(world: &World, assignment: &Value) -> Held {
    let text = |name: &str| assignment["properties"][name].as_str().filter(|text| !text.is_empty());
    let role = last(text("roleDefinitionId").unwrap_or_default());
    let permissions = permissions_of(&world.store, role).unwrap_or_default();
    let bound = match text("condition").map(Condition::read) {
        None => Bound::Free,
        Some(Some(condition)) => Bound::When(condition),
        Some(None) => Bound::Unknown,
    };
    Held {
        scope: assignment_scope(assignment),
        role: role.to_owned(),
        condition: text("condition").map(str::to_owned),
        bound,
        permissions: permissions.iter().map(Permission::read).collect(),
    }
}

/// The deny assignments that name one of these principals, or everyone, and exclude none of them.
fn denied(store: &Store, who: &BTreeSet<String>) -> Vec<Denied> {
    const EVERYONE: &str = "00000000-0000-0000-0000-000000000000";
    let names = |list: &Value| -> Vec<String> {
        list.as_array()
            .into_iter()
            .flatten()
            .filter_map(|p| p["id"].as_str())
            .map(str::to_ascii_lowercase)
            .collect()
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    store
        .of_type("microsoft.authorization/denyassignments")
        .filter(|(_, document)| {
            let properties = &document["properties"];
            let mut named = names(&properties["principals"]).into_iter();
            let mut excluded = names(&properties["excludePrincipals"]).into_iter();
            named.any(|id| id == EVERYONE || who.contains(&id)) && !excluded.any(|id| who.contains(&id))
        })
        .map(|(_, document)| {
            let properties = &document["properties"];
            let rows = properties["permissions"].as_array();
            Denied {
                name: text(&properties["denyAssignmentName"]),
                id: text(&document["id"]),
                scope: assignment_scope(document),
                alone: properties["doNotApplyToChildScopes"] == Value::Bool(true),
                permissions: rows.into_iter().flatten().map(Permission::read).collect(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_role_leaves_out_is_not_allowed() {
        let contributor =
            Permission::read(&json!({"actions": ["*"], "notActions": ["Microsoft.Authorization/*/Write"]}));
        assert!(contributor.allows("microsoft.web/sites/write"));
        assert!(!contributor.allows("microsoft.authorization/roleassignments/write"));
    }
}
