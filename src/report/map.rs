//! The dependency map, read tolerantly: runbooks make it, and may put more into it than is known here.

use serde::Serialize;
use serde_json::Value;

use crate::run::Unseen;
use crate::types::ResourceId;

/// A dependency map, as far as every face shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Map {
    /// The identity's name, or what the map calls it.
    pub identity: String,
    /// The identity's resource id.
    pub id: String,
    /// What it may do.
    pub grants: Vec<Item>,
    /// Who uses it.
    pub bindings: Vec<Item>,
    /// Who may become it or manages it.
    pub trust: Vec<Item>,
    /// What could not be looked into.
    pub unseen: Vec<Unseen>,
}

/// A line of a map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    /// The script that found it.
    pub file: String,
    /// A short sentence.
    pub what: String,
    /// Where: a scope or a resource.
    pub place: String,
    /// What turning it does to workloads, where it is a binding.
    pub effect: String,
    /// What it is known by among all that its script found: its id, in lower case.
    #[serde(skip)]
    pub(super) id: String,
    /// Which places of a document it is about, as JSON.
    #[serde(skip)]
    pub(super) at: String,
}

impl Map {
    /// Reads a map: an object with `identity`, `grants`, `bindings` and, beside or below `trust`, what trusts it.
    pub fn read(map: &Value) -> Self {
        let identity = map.get("identity").unwrap_or(&Value::Null);
        let id = identity
            .get("id")
            .and_then(Value::as_str)
            .or(identity.as_str())
            .unwrap_or_default();
        let name = identity
            .get("name")
            .and_then(Value::as_str)
            .map_or_else(|| short(id), str::to_owned);
        let list = |name: &str| map.get(name).map(items).unwrap_or_default();
        let trust = match map.get("trust") {
            // Trust is a list, or an object of lists: federated credentials, locks, role assignments on it.
            Some(Value::Object(kinds)) => kinds.iter().flat_map(|(kind, list)| named(kind, list)).collect(),
            Some(list) => items(list),
            None => named(
                "federated_credentials",
                map.get("federatedCredentials").unwrap_or(&Value::Null),
            ),
        };
        Self {
            identity: name,
            id: id.to_owned(),
            grants: list("grants"),
            bindings: list("bindings"),
            trust,
            unseen: map.get("unseen").map(unseen).unwrap_or_default(),
        }
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.grants.is_empty() && self.bindings.is_empty() && self.trust.is_empty()
    }
}

/// What a map says it did not see: `unseen` or `scope`, `why`, `needs`.
fn unseen(list: &Value) -> Vec<Unseen> {
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let rows = list.as_array().into_iter().flatten();
    rows.map(|row| Unseen {
        scope: if row["unseen"].is_string() {
            text(row, "unseen")
        } else {
            text(row, "scope")
        },
        why: text(row, "why"),
        needs: text(row, "needs"),
    })
    .collect()
}

fn items(list: &Value) -> Vec<Item> {
    list.as_array().into_iter().flatten().map(item).collect()
}

fn named(kind: &str, list: &Value) -> Vec<Item> {
    let mut made = items(list);
    for item in &mut made {
        if item.file.is_empty() {
            kind.clone_into(&mut item.file);
        }
    }
    made
}

fn item(value: &Value) -> Item {
    let text = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| value.get(name).and_then(Value::as_str))
            .unwrap_or_default()
            .to_owned()
    };
    Item {
        file: text(&["file", "source", "finder"]),
        what: text(&["what", "name", "id"]),
        place: text(&["resource", "scope", "subject", "id"]),
        effect: text(&["effect"]),
        id: text(&["id"]).to_lowercase(),
        at: value.get("at").map(Value::to_string).unwrap_or_default(),
    }
}

/// A place in the words that people use for it: the resource's name and type, else the text itself.
pub(super) fn short(place: &str) -> String {
    ResourceId::parse(place).map_or_else(|_| place.to_owned(), |id| id.name().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_map_is_read_whatever_else_is_in_it() {
        let map = Map::read(&json!({
            "identity": {"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-a", "name": "id-a"},
            "grants": [{"what": "Reader", "scope": "/subscriptions/s", "odd": 1}],
            "bindings": [{"what": "identity block", "resource": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/app", "effect": "restart"}],
            "trust": {"federatedCredentials": [{"name": "ci", "subject": "repo:a/b"}]},
        }));
        assert_eq!(map.identity, "id-a");
        assert_eq!(map.grants[0].place, "/subscriptions/s");
        assert_eq!(map.bindings[0].effect, "restart");
        assert_eq!(map.trust[0].file, "federatedCredentials");
        assert!(Map::read(&Value::Null).is_empty());
    }
}
