//! Edits of a document at JSON pointers: what is journaled of a document that may hold secrets is only
//! these, never the document.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::change::{Write, WritePlane};
use crate::types::json;
pub use crate::types::words::{find_words, replace_words};

/// One edit. Of a string, every whole-word occurrence of `from` becomes `to`, in any spelling of `from`;
/// without `from` a member is added; without `to` it is removed; with `key` the members of the object at
/// `pointer` are renamed whose key names `from`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edit {
    /// Where: an RFC 6901 pointer.
    pub pointer: String,
    /// What stands there before: of a longer string just the id inside it.
    pub from: Value,
    /// What stands there afterwards.
    pub to: Value,
    /// Whether keys are renamed rather than a value turned.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub key: bool,
}

/// What the way back of an edit finds at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restored {
    /// What Ferry wrote: it is turned back.
    Still,
    /// What stood there before.
    Already,
    /// Something else: it is left alone.
    Changed,
}

impl Edit {
    /// What this edit, which leads back, finds in a document, where it is applied if it fits.
    pub fn restore(&self, document: &mut Value) -> Restored {
        let there = lookup(document, &self.pointer).filter(|value| !value.is_null());
        match (&self.from, &self.to, there) {
            // Ferry removed it.
            (Value::Null, to, Some(value)) => {
                return if covers(value, to) {
                    Restored::Already
                } else {
                    Restored::Changed
                };
            }
            // Ferry added it.
            (_, Value::Null, None) => return Restored::Already,
            (from, Value::Null, Some(value)) if !covers(value, from) => return Restored::Changed,
            _ => {}
        }
        if apply(document, self) {
            return Restored::Still;
        }
        let forward = Edit {
            from: self.to.clone(),
            to: self.from.clone(),
            ..self.clone()
        };
        if apply(&mut document.clone(), &forward) {
            Restored::Already
        } else {
            Restored::Changed
        }
    }
}

/// How the changed document is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Only what changes, as a merge patch (RFC 7396).
    Merge,
    /// As a merge patch, with every identity that stays in an identity map named too, for providers that replace it.
    MergeAllIdentities,
    /// The whole document, without what is read-only.
    Whole,
}

/// Values that the read hides and an action shows: they are put in before the document is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fill {
    /// The action, usually `POST …/listSecrets`.
    pub action: Write,
    /// Pointer of the array whose items lack the value.
    pub at: String,
    /// The member that says which item is which.
    pub by: String,
    /// The member that is hidden.
    pub value: String,
    /// The member of items whose value is somebody else's, as `keyVaultUrl`: they are sent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unless: Option<String>,
}

/// A fresh read, edits, and a conditional write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EditSet {
    /// The request that reads the document.
    pub read: Write,
    /// The request that writes it; its body is made from the read at the time of sending.
    pub write: Write,
    /// How it is sent.
    pub form: Form,
    /// The edits.
    pub edits: Vec<Edit>,
    /// Hidden values to put in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fills: Vec<Fill>,
    /// Pointers that are read-only for this type and left out of a whole document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub read_only: Vec<String>,
}

impl EditSet {
    /// The same edits the other way round, last first.
    #[must_use]
    pub fn reversed(&self) -> EditSet {
        let edits = self
            .edits
            .iter()
            .rev()
            .map(|edit| Edit {
                from: edit.to.clone(),
                to: edit.from.clone(),
                ..edit.clone()
            })
            .collect();
        EditSet { edits, ..self.clone() }
    }

    /// Applies the edits to a document that was just read; answers how many changed something.
    pub fn apply(&self, document: &mut Value) -> usize {
        self.edits.iter().filter(|edit| apply(document, edit)).count()
    }

    /// Whether every edit is in place in this document.
    pub fn in_place(&self, document: &Value) -> bool {
        let mut copy = document.clone();
        self.apply(&mut copy) == 0
    }

    /// The body to send, from the document as read and as edited.
    pub fn body(&self, before: &Value, after: &Value) -> Value {
        match self.form {
            Form::Merge | Form::MergeAllIdentities => {
                let mut patch = json::merge_patch(before, after);
                // A PATCH replaces the tags as a whole, unlike everything else in a merge patch.
                if let (Some(tags), Some(wanted)) = (patch.get_mut("tags"), after.get("tags")) {
                    *tags = wanted.clone();
                }
                complete_identity(&mut patch, after, self.form == Form::MergeAllIdentities);
                patch
            }
            // Other planes than Resource Manager want back what they gave: a policy without its id is none.
            Form::Whole if self.write.plane != WritePlane::Arm => after.clone(),
            Form::Whole => writable(after, &self.read_only),
        }
    }
}

/// Members at the top of an ARM document that Azure alone writes.
const READ_ONLY: &[&str] = &[
    "id",
    "name",
    "type",
    "systemData",
    "etag",
    "resourceGroup",
    "subscriptionId",
    "tenantId",
    "apiVersion",
];

/// The document without what Azure alone writes, as a PUT takes it.
pub(super) fn writable(document: &Value, read_only: &[String]) -> Value {
    let mut made = document.clone();
    if let Value::Object(map) = &mut made {
        for name in READ_ONLY {
            map.shift_remove(*name);
        }
        if let Some(Value::Object(identity)) = map.get_mut("identity") {
            identity.shift_remove("principalId");
            identity.shift_remove("tenantId");
            if let Some(Value::Object(ids)) = identity.get_mut("userAssignedIdentities") {
                ids.values_mut().for_each(|value| *value = Value::Object(Map::new()));
            }
        }
        if let Some(Value::Object(properties)) = map.get_mut("properties") {
            properties.shift_remove("provisioningState");
        }
    }
    for pointer in read_only {
        set(&mut made, pointer, None);
    }
    made
}

/// A patch of an identity map always names the type; values in it are empty objects; for providers that
/// replace the map, the identities that stay are named too.
fn complete_identity(patch: &mut Value, after: &Value, all: bool) {
    let Some(Value::Object(identity)) = patch.get_mut("identity") else {
        return;
    };
    if let Some(kind) = after.pointer("/identity/type") {
        identity.insert("type".into(), kind.clone());
    }
    if let Some(Value::Object(ids)) = identity.get_mut("userAssignedIdentities") {
        ids.values_mut()
            .filter(|value| !value.is_null())
            .for_each(|value| *value = Value::Object(Map::new()));
        if all && let Some(Value::Object(kept)) = after.pointer("/identity/userAssignedIdentities") {
            for key in kept.keys() {
                ids.entry(key.clone()).or_insert_with(|| Value::Object(Map::new()));
            }
        }
    }
}

/// Applies one edit; answers whether it changed the document.
fn apply(document: &mut Value, edit: &Edit) -> bool {
    if edit.key {
        return rename_keys(document, edit);
    }
    match (&edit.from, &edit.to) {
        (Value::Null, to) => {
            if lookup(document, &edit.pointer).is_some_and(|value| covers(value, to)) {
                return false;
            }
            set(document, &edit.pointer, Some(to.clone()))
        }
        (from, Value::Null) => match lookup(document, &edit.pointer) {
            Some(value) if covers(value, from) => set(document, &edit.pointer, None),
            _ => false,
        },
        (Value::String(from), Value::String(to)) => {
            let Some(Value::String(text)) = lookup_mut(document, &edit.pointer) else {
                return false;
            };
            match replace_words(text, from, to) {
                Cow::Borrowed(_) => false,
                Cow::Owned(turned) => {
                    let changed = turned != *text;
                    *text = turned;
                    changed
                }
            }
        }
        (from, to) => match lookup_mut(document, &edit.pointer) {
            Some(value) if value == from => {
                *value = to.clone();
                true
            }
            _ => false,
        },
    }
}

/// Whether `value` is at least `wanted`: equal, or an object with all of its members. Strings that are
/// ids compare without case.
pub fn covers(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::Object(map), Value::Object(wanted)) => {
            wanted
                .iter()
                .all(|(key, wanted)| match json::get_ignore_case(map, key) {
                    Some((_, value)) => covers(value, wanted),
                    None => wanted.is_null(),
                })
        }
        (Value::Array(items), Value::Array(wanted)) => {
            items.len() == wanted.len() && items.iter().zip(wanted).all(|(item, wanted)| covers(item, wanted))
        }
        (Value::String(a), Value::String(b)) => {
            a == b || (looks_like_id(a) && a.eq_ignore_ascii_case(b)) || same_role(a, b)
        }
        (a, b) => a == b,
    }
}

/// Whether `value` has at least what is `wanted`, arrays taken as sets and texts without regard to case.
pub fn holds(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::Object(map), Value::Object(wanted)) => {
            wanted
                .iter()
                .all(|(key, wanted)| match json::get_ignore_case(map, key) {
                    Some((_, value)) => holds(value, wanted),
                    None => wanted.is_null(),
                })
        }
        (Value::Array(items), Value::Array(wanted)) => {
            wanted.iter().all(|wanted| items.iter().any(|item| holds(item, wanted)))
        }
        (Value::String(a), Value::String(b)) => a.eq_ignore_ascii_case(b),
        (a, b) => a == b,
    }
}

/// Whether two texts are ids of one role definition: Azure shows it below the scope that was asked, whatever was sent.
fn same_role(a: &str, b: &str) -> bool {
    const ROLES: &str = "/providers/microsoft.authorization/roledefinitions/";
    let guid = |text: &str| {
        let lower = text.to_ascii_lowercase();
        lower.find(ROLES).map(|at| lower[at + ROLES.len()..].to_owned())
    };
    guid(a).is_some_and(|role| guid(b) == Some(role))
}

fn looks_like_id(text: &str) -> bool {
    text.starts_with('/') || uuid::Uuid::try_parse(text).is_ok()
}

fn rename_keys(document: &mut Value, edit: &Edit) -> bool {
    let (Some(from), Some(to)) = (edit.from.as_str(), edit.to.as_str()) else {
        return false;
    };
    let Some(Value::Object(map)) = lookup_mut(document, &edit.pointer) else {
        return false;
    };
    let mut changed = false;
    let renamed: Map<String, Value> = std::mem::take(map)
        .into_iter()
        .map(|(key, value)| {
            let turned = replace_words(&key, from, to).into_owned();
            changed |= turned != key;
            (turned, value)
        })
        .collect();
    *map = renamed;
    changed
}

/// Follows a pointer; the keys of objects are found in any case, since ids are keys.
fn lookup<'a>(document: &'a Value, pointer: &str) -> Option<&'a Value> {
    json::pointer_segments(pointer)
        .iter()
        .try_fold(document, |value, segment| match value {
            Value::Object(map) => json::get_ignore_case(map, segment).map(|(_, value)| value),
            Value::Array(items) => segment.parse::<usize>().ok().and_then(|index| items.get(index)),
            _ => None,
        })
}

fn lookup_mut<'a>(document: &'a mut Value, pointer: &str) -> Option<&'a mut Value> {
    json::pointer_segments(pointer)
        .iter()
        .try_fold(document, |value, segment| match value {
            Value::Object(map) => {
                let key = json::get_ignore_case(map, segment).map(|(key, _)| key.clone())?;
                map.get_mut(&key)
            }
            Value::Array(items) => segment.parse::<usize>().ok().and_then(|index| items.get_mut(index)),
            _ => None,
        })
}

/// Sets or removes the member at a pointer; parents that are missing are made where something is set.
fn set(document: &mut Value, pointer: &str, value: Option<Value>) -> bool {
    let mut segments = json::pointer_segments(pointer);
    let Some(last) = segments.pop() else { return false };
    let mut at = document;
    for segment in segments {
        if value.is_some()
            && (at.is_null()
                || (at.is_object() && at.get(&segment).is_none_or(Value::is_null) && child_key(at, &segment).is_none()))
        {
            if at.is_null() {
                *at = Value::Object(Map::new());
            }
            if let Value::Object(map) = at {
                map.insert(segment.clone(), Value::Object(Map::new()));
            }
        }
        let key = child_key(at, &segment).unwrap_or(segment);
        let next = match at {
            Value::Object(map) => map.get_mut(&key),
            Value::Array(items) => key.parse::<usize>().ok().and_then(|index| items.get_mut(index)),
            _ => None,
        };
        match next {
            Some(next) => at = next,
            None => return false,
        }
    }
    match at {
        Value::Object(map) => {
            let key = json::get_ignore_case(map, &last).map_or(last, |(key, _)| key.clone());
            match value {
                Some(value) => {
                    map.insert(key, value);
                    true
                }
                None => map.shift_remove(&key).is_some(),
            }
        }
        Value::Array(items) => match (value, last.parse::<usize>()) {
            (Some(value), _) if last == "-" => {
                items.push(value);
                true
            }
            (Some(value), Ok(index)) if index < items.len() => {
                items[index] = value;
                true
            }
            (None, Ok(index)) if index < items.len() => {
                items.remove(index);
                true
            }
            _ => false,
        },
        _ => false,
    }
}

fn child_key(value: &Value, segment: &str) -> Option<String> {
    match value {
        Value::Object(map) => json::get_ignore_case(map, segment).map(|(key, _)| key.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::change::WritePlane;
    use super::*;
    use serde_json::json;

    const OLD: &str =
        "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-orders";
    const NEW: &str =
        "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-orders-we";

    fn set_of(form: Form, edits: Value) -> EditSet {
        let write = Write::new(WritePlane::Arm, "PATCH", "/x");
        EditSet {
            read: write.as_method("GET"),
            write,
            form,
            edits: serde_json::from_value(edits).unwrap(),
            fills: vec![],
            read_only: vec![],
        }
    }

    #[test]
    fn a_document_holds_what_stands_anywhere_in_its_sets() {
        let vault = json!({"properties": {"accessPolicies": [
            {"objectId": "A", "applicationId": "x", "permissions": {"secrets": ["get"]}},
            {"objectId": "a", "permissions": {"secrets": ["Get", "list", "set"], "keys": []}},
        ]}});
        let entry = |entry: Value| json!({"properties": {"accessPolicies": [entry]}});
        let own = json!({"objectId": "A", "applicationId": null, "permissions": {"secrets": ["list", "get"]}});
        assert!(holds(&vault, &entry(own)));
        let more = json!({"objectId": "a", "applicationId": null, "permissions": {"keys": ["get"]}});
        assert!(!holds(&vault, &entry(more)));
        assert!(!holds(&vault, &entry(json!({"objectId": "b"}))));
    }

    #[test]
    fn an_id_is_turned_in_any_spelling_and_names_that_begin_alike_are_left() {
        let text = format!(
            "a={};b={OLD}2;c={OLD}-eu;d={OLD}/federatedIdentityCredentials/x",
            OLD.to_uppercase()
        );
        let turned = replace_words(&text, OLD, NEW);
        assert_eq!(
            turned,
            format!("a={NEW};b={OLD}2;c={OLD}-eu;d={NEW}/federatedIdentityCredentials/x")
        );
    }

    #[test]
    fn a_guid_inside_a_longer_word_is_left() {
        let id = "44444444-4444-4444-8444-444444444444";
        assert_eq!(find_words(&format!("User Id={id};x"), id).len(), 1);
        assert!(find_words(&format!("a{id}"), id).is_empty());
        assert!(find_words(&format!("{id}-x"), id).is_empty());
        assert_eq!(find_words(&format!("{id}@{id}"), id).len(), 2);
    }

    #[test]
    fn attaching_and_detaching_restores_the_document() {
        let before = json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {OLD.to_lowercase(): {"principalId": "p", "clientId": "c"}}}, "properties": {"a": 1}});
        let pointer = format!("/identity/userAssignedIdentities/{}", json::escape(NEW));
        let edits = set_of(Form::Merge, json!([{"pointer": pointer, "from": null, "to": {}}]));
        let mut after = before.clone();
        assert_eq!(edits.apply(&mut after), 1);
        assert!(edits.in_place(&after));
        assert_eq!(
            edits.body(&before, &after),
            json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {NEW: {}}}})
        );
        let all = set_of(
            Form::MergeAllIdentities,
            json!([{"pointer": pointer, "from": null, "to": {}}]),
        );
        assert_eq!(
            all.body(&before, &after)["identity"]["userAssignedIdentities"],
            json!({NEW: {}, OLD.to_lowercase(): {}})
        );
        assert_eq!(edits.reversed().apply(&mut after), 1);
        assert_eq!(after, before);
    }

    #[test]
    fn a_swap_sends_both_keys_in_one_patch() {
        let before = json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {OLD: {"principalId": "p", "clientId": "c"}}}});
        let edits = set_of(
            Form::Merge,
            json!([
            {"pointer": format!("/identity/userAssignedIdentities/{}", json::escape(NEW)), "from": null, "to": {}},
            {"pointer": format!("/identity/userAssignedIdentities/{}", json::escape(OLD)), "from": {}, "to": null}]),
        );
        let mut after = before.clone();
        assert_eq!(edits.apply(&mut after), 2);
        assert_eq!(
            edits.body(&before, &after)["identity"]["userAssignedIdentities"],
            json!({OLD: null, NEW: {}})
        );
    }

    #[test]
    fn keys_that_name_an_id_are_renamed_in_their_place() {
        let mut document = json!({"tags": {"a": "1", format!("hidden-link:{OLD}"): "Resource", "z": "2"}});
        let edits = set_of(
            Form::Merge,
            json!([{"pointer": "/tags", "from": OLD, "to": NEW, "key": true}]),
        );
        assert_eq!(edits.apply(&mut document), 1);
        assert_eq!(
            document,
            json!({"tags": {"a": "1", format!("hidden-link:{NEW}"): "Resource", "z": "2"}})
        );
        assert!(edits.in_place(&document));
    }

    #[test]
    fn a_whole_document_goes_without_what_azure_writes() {
        let edits = set_of(
            Form::Whole,
            json!([{"pointer": "/properties/x", "from": "one", "to": "two"}]),
        );
        let before = json!({"id": "/x", "name": "x", "type": "T", "location": "eastus", "identity": {"type": "UserAssigned", "principalId": "p", "userAssignedIdentities": {"/i": {"clientId": "c"}}}, "properties": {"provisioningState": "Succeeded", "x": "one"}});
        let mut after = before.clone();
        edits.apply(&mut after);
        assert_eq!(
            edits.body(&before, &after),
            json!({"location": "eastus", "identity": {"type": "UserAssigned", "userAssignedIdentities": {"/i": {}}}, "properties": {"x": "two"}})
        );
    }

    proptest::proptest! {
        #[test]
        fn turning_there_and_back_restores_any_text(prefix in "[ -~]{0,20}", suffix in "[ -~]{0,20}") {
            let (old, new) = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222");
            let text = format!("{prefix}{old}{suffix}");
            let there = replace_words(&text, old, new).into_owned();
            let back = replace_words(&there, new, old).into_owned();
            proptest::prop_assert_eq!(back, text);
        }
    }
}
