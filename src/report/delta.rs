//! What one dependency map has and another has not.

use serde::Serialize;
use serde_json::Value;

use super::map::{Item, Map};

/// The difference of two maps of one identity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Delta {
    /// What only the later map has, or has more places of.
    pub added: Vec<Item>,
    /// What only the earlier map has.
    pub removed: Vec<Item>,
}

impl Delta {
    /// From an earlier map to a later one.
    pub fn between(before: &Value, after: &Value) -> Self {
        let (before, after) = (all(before), all(after));
        let same = |one: &Item, other: &Item| one.file == other.file && one.id == other.id;
        let is_new = |item: &&Item| !before.iter().any(|known| same(known, item) && known.at == item.at);
        let is_gone = |item: &&Item| !after.iter().any(|left| same(left, item));
        Self {
            added: after.iter().filter(is_new).cloned().collect(),
            removed: before.iter().filter(is_gone).cloned().collect(),
        }
    }

    /// Whether both maps say the same.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}

fn all(map: &Value) -> Vec<Item> {
    let map = Map::read(map);
    [map.grants, map.bindings, map.trust].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_came_and_what_went_is_told_apart() {
        let grant =
            |what: &str| json!({"file": "role_assignments", "id": what, "what": what, "scope": "/subscriptions/s"});
        let before = json!({"grants": [grant("Reader"), grant("Owner")]});
        let after = json!({"grants": [grant("Owner"), grant("Contributor")], "trust": {"locks": [{"id": "L"}]}});
        let delta = Delta::between(&before, &after);
        let names = |items: &[Item]| items.iter().map(|item| item.what.clone()).collect::<Vec<_>>();
        assert_eq!(names(&delta.added), ["Contributor", "L"]);
        assert_eq!(names(&delta.removed), ["Reader"]);
        assert!(Delta::between(&after, &after).is_empty());
    }
}
