//! What stood at the target of a change when it was planned, in a form that may leave the process.
//!
//! The image has the document's own shape. What is public in it (ids, tags, the identity block, numbers) stands there as it
//! is; any other text is a digest with the plan's own salt. Texts of documents that only an action shows, which are settings
//! and secrets, are stretched (PBKDF2), so that guessing them is dear. What Azure changes by itself is left out: times,
//! states, versions.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::drift::Difference;
use super::like::is_id;
use crate::types::json::{escape, get_ignore_case, hex};

/// What stood at a target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Image {
    /// Nothing.
    Absent,
    /// A document.
    Document(Value),
}

/// Begins a text that stands for a digest.
const DIGEST: &str = "(digest) ";
/// Begins one that was stretched.
const STRETCHED: &str = "(slow digest) ";
/// How often a text of a secret document is hashed.
const ROUNDS: NonZeroU32 = NonZeroU32::MIN.saturating_add(1_999);
/// What is shown of a value that is not.
const NOT_SHOWN: &str = "a value that is not shown";

/// Members at the top of a document that anybody may see who sees the resource at all.
const PUBLIC: &[&str] = &[
    "id", "name", "type", "identity", "tags", "location", "sku", "kind", "zones",
];

/// Members that Azure, or the service, changes by itself.
const VOLATILE: &[&str] = &[
    "etag",
    "@odata.etag",
    "systemdata",
    "provisioningstate",
    "instanceview",
    "powerstate",
    "runningstatus",
    "operationalstate",
    "resourcestate",
    "availabilitystate",
    "usagestate",
    "state",
    "status",
    "latestrevisionname",
    "latestreadyrevisionname",
    "latestrevisionfqdn",
    "resourceguid",
    "updatedby",
];

/// How images of one plan are made, and compared with what stands there later.
pub(super) struct Images<'a> {
    /// What makes the plan's digests its own.
    pub(super) salt: &'a str,
    /// Whether a text is known to be secret.
    pub(super) is_secret: &'a dyn Fn(&str) -> bool,
    /// Whether all of both documents is printed in the open anyway.
    pub(super) open: bool,
}

impl Images<'static> {
    /// For what is printed in the open anyway: maps, and bodies whose secrets are hidden.
    pub(super) fn in_the_open() -> Self {
        Self {
            salt: "",
            is_secret: &|_| false,
            open: true,
        }
    }
}

impl Images<'_> {
    /// The image of a document. `hidden` says that only an action shows it.
    pub(super) fn of(&self, document: &Value, hidden: bool) -> Value {
        let open = is_open(document);
        match document {
            Value::Object(map) => Value::Object(
                members(map)
                    .map(|(key, value)| {
                        let public = open || PUBLIC.contains(&key.as_str());
                        (key.clone(), self.part(value, public && !hidden, hidden))
                    })
                    .collect(),
            ),
            other => self.part(other, false, hidden),
        }
    }

    fn part(&self, value: &Value, public: bool, hidden: bool) -> Value {
        match value {
            Value::Object(map) => Value::Object(
                members(map)
                    .map(|(key, value)| (key.clone(), self.part(value, public, hidden)))
                    .collect(),
            ),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.part(item, public, hidden)).collect()),
            Value::String(text) if self.is_shown(text, public, hidden) => value.clone(),
            Value::String(text) => Value::String(self.digest(text, hidden)),
            // In a document of settings a number is a setting.
            Value::Number(number) if hidden => Value::String(self.digest(&number.to_string(), true)),
            other => other.clone(),
        }
    }

    fn is_shown(&self, text: &str, public: bool, hidden: bool) -> bool {
        !hidden && (public || is_resource(text)) && (self.open || !text.starts_with('(')) && !(self.is_secret)(text)
    }

    fn digest(&self, text: &str, stretched: bool) -> String {
        let mut made = [0_u8; 16];
        // Ids are the same in any case.
        let text = if is_id(text) {
            text.to_lowercase()
        } else {
            text.to_owned()
        };
        let rounds = if stretched { ROUNDS } else { NonZeroU32::MIN };
        let algorithm = aws_lc_rs::pbkdf2::PBKDF2_HMAC_SHA256;
        aws_lc_rs::pbkdf2::derive(algorithm, rounds, self.salt.as_bytes(), text.as_bytes(), &mut made);
        format!("{}{}", if stretched { STRETCHED } else { DIGEST }, hex(&made))
    }

    /// In what a document differs from its image.
    pub(super) fn differences(&self, image: &Value, now: &Value) -> Vec<Difference> {
        let mut found = Vec::new();
        self.compare(image, now, self.open || is_open(now), "", &mut found);
        found
    }

    fn compare(&self, image: &Value, now: &Value, public: bool, pointer: &str, found: &mut Vec<Difference>) {
        match (image, now) {
            (Value::Object(planned), Value::Object(map)) => {
                for (key, planned) in members(planned) {
                    let below = format!("{pointer}/{}", escape(key));
                    let public = public || (pointer.is_empty() && PUBLIC.contains(&key.as_str()));
                    match get_ignore_case(map, key).filter(|(_, value)| is_kept(key, value)) {
                        Some((_, now)) => self.compare(planned, now, public, &below, found),
                        None => found.push(Difference::new(below, Some(shown(planned)), None)),
                    }
                }
                for (key, now) in members(map).filter(|(key, _)| get_ignore_case(planned, key).is_none()) {
                    let public = public || (pointer.is_empty() && PUBLIC.contains(&key.as_str()));
                    let below = format!("{pointer}/{}", escape(key));
                    found.push(Difference::new(below, None, Some(self.shown_now(now, public))));
                }
            }
            (Value::Array(planned), Value::Array(items)) if planned.iter().chain(items).all(is_plain) => {
                if !self.same_set(planned, items) {
                    let now = self.shown_now(now, public);
                    found.push(Difference::new(pointer.to_owned(), Some(shown(image)), Some(now)));
                }
            }
            (Value::Array(planned), Value::Array(items)) => {
                for (index, (planned, now)) in planned.iter().zip(items).enumerate() {
                    self.compare(planned, now, public, &format!("{pointer}/{index}"), found);
                }
                for (index, planned) in planned.iter().enumerate().skip(items.len()) {
                    found.push(Difference::new(
                        format!("{pointer}/{index}"),
                        Some(shown(planned)),
                        None,
                    ));
                }
                for (index, now) in items.iter().enumerate().skip(planned.len()) {
                    let now = self.shown_now(now, public);
                    found.push(Difference::new(format!("{pointer}/{index}"), None, Some(now)));
                }
            }
            (planned, now) if self.is(planned, now) => {}
            (planned, now) => {
                let now = self.shown_now(now, public);
                found.push(Difference::new(pointer.to_owned(), Some(shown(planned)), Some(now)));
            }
        }
    }

    /// Whether the texts of two lists are the same, in any order.
    fn same_set(&self, planned: &[Value], now: &[Value]) -> bool {
        let mut left: Vec<&Value> = now.iter().collect();
        planned.len() == now.len()
            && planned.iter().all(|planned| {
                let at = left.iter().position(|now| self.is(planned, now));
                at.map(|at| left.swap_remove(at)).is_some()
            })
    }

    fn is(&self, planned: &Value, now: &Value) -> bool {
        let text = match now {
            Value::String(text) => text.clone(),
            Value::Number(number) if is_digest(planned) => number.to_string(),
            _ => return planned == now,
        };
        match planned {
            Value::String(kept) if kept.starts_with(STRETCHED) => *kept == self.digest(&text, true),
            Value::String(kept) if kept.starts_with(DIGEST) => *kept == self.digest(&text, false),
            Value::String(kept) => *kept == text || (is_id(kept) && kept.eq_ignore_ascii_case(&text)),
            _ => false,
        }
    }

    /// What of a value that stands there now may be shown.
    fn shown_now(&self, value: &Value, public: bool) -> Value {
        match value {
            Value::String(text) if self.is_shown(text, public, false) => value.clone(),
            Value::String(_) => Value::String(NOT_SHOWN.into()),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.shown_now(item, public)).collect()),
            Value::Object(map) => Value::Object(
                map.iter()
                    .map(|(key, value)| (key.clone(), self.shown_now(value, public)))
                    .collect(),
            ),
            Value::Number(_) if !public => Value::String(NOT_SHOWN.into()),
            other => other.clone(),
        }
    }
}

/// An image as it is shown: without its digests.
fn shown(image: &Value) -> Value {
    match image {
        Value::String(_) if is_digest(image) => Value::String(NOT_SHOWN.into()),
        Value::Array(items) => Value::Array(items.iter().map(shown).collect()),
        Value::Object(map) => Value::Object(map.iter().map(|(key, value)| (key.clone(), shown(value))).collect()),
        other => other.clone(),
    }
}

fn is_digest(image: &Value) -> bool {
    image
        .as_str()
        .is_some_and(|text| text.starts_with(DIGEST) || text.starts_with(STRETCHED))
}

fn is_plain(value: &Value) -> bool {
    !value.is_object() && !value.is_array()
}

/// Whether all of a document is public to whoever sees it: assignments, locks and identities hold no settings.
fn is_open(document: &Value) -> bool {
    let kind = document
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_lowercase();
    kind.starts_with("microsoft.authorization/") || kind.starts_with("microsoft.managedidentity/")
}

/// The members that are compared.
fn members(map: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    map.iter().filter(|(key, value)| is_kept(key, value))
}

/// Whether a member is compared: it is set, and Azure does not change it by itself.
fn is_kept(key: &str, value: &Value) -> bool {
    !value.is_null() && !VOLATILE.contains(&key.to_lowercase().as_str()) && !value.as_str().is_some_and(is_time)
}

/// Whether a text is the id of a resource, a scope or a role: what names things is no secret.
fn is_resource(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["/subscriptions/", "/providers/"]
        .iter()
        .any(|start| lower.starts_with(start))
        && !text.contains(char::is_whitespace)
}

/// Whether a text is a moment: Azure writes those.
fn is_time(text: &str) -> bool {
    text.len() >= 20 && text.as_bytes()[4] == b'-' && OffsetDateTime::parse(text, &Rfc3339).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn images(check: impl FnOnce(&Images<'_>)) {
        check(&Images {
            salt: "s",
            is_secret: &|text| text.contains("hunter2"),
            open: false,
        });
    }

    #[test]
    fn settings_are_never_in_an_image_and_are_told_apart() {
        images(|images| {
            let settings = json!({"id": "/s/config/appsettings", "properties": {"PIN": 4711, "URL": "https://a", "DB": "Password=hunter2"}});
            let image = images.of(&settings, true);
            for value in ["4711", "https://a", "hunter2"] {
                assert!(!image.to_string().contains(value), "{image}");
            }
            assert_eq!(images.differences(&image, &settings), []);
            let mut other = settings.clone();
            other["properties"]["DB"] = json!("Password=hunter3");
            let found = images.differences(&image, &other);
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].pointer, "/properties/DB");
            assert!(!format!("{found:?}").contains("hunter"), "{found:?}");
        });
    }

    #[test]
    fn tags_ids_and_blocks_are_shown_and_what_azure_changes_is_not_compared() {
        images(|images| {
            let before = json!({"id": "/A/b", "type": "Microsoft.Web/sites", "etag": "1", "tags": {"owner": "ada"},
                "properties": {"state": "Running", "lastModifiedTimeUtc": "2026-01-01T00:00:00Z", "env": "plain", "hosts": ["a", "b"]}});
            let image = images.of(&before, false);
            assert!(
                image.to_string().contains("ada") && !image.to_string().contains("plain"),
                "{image}"
            );
            let same = json!({"id": "/a/B", "type": "Microsoft.Web/sites", "etag": "2", "tags": {"owner": "ada"},
                "properties": {"state": "Stopped", "lastModifiedTimeUtc": "2026-02-01T00:00:00Z", "env": "plain", "hosts": ["b", "a"], "x": null}});
            assert_eq!(images.differences(&image, &same), []);
            let other = json!({"id": "/a/B", "type": "Microsoft.Web/sites", "tags": {"owner": "bob", "more": "1"},
                "properties": {"env": "other", "hosts": ["b"]}});
            let found = images.differences(&image, &other);
            let told: Vec<String> = found.iter().map(ToString::to_string).collect();
            assert_eq!(
                told,
                [
                    "/tags/owner: planned \"ada\", now \"bob\"",
                    "/tags/more: planned nothing, now \"1\"",
                    "/properties/env: planned a value that is not shown, now a value that is not shown",
                    "/properties/hosts: planned a list of 2, now a list of 1",
                ]
            );
        });
    }

    proptest::proptest! {
        #[test]
        fn a_document_does_not_differ_from_its_own_image(texts in proptest::collection::vec("\\PC{0,12}", 0..6), hidden: bool) {
            let items: Vec<Value> = texts.iter().map(|text| json!({"text": text, "list": texts})).collect();
            let document = json!({"id": "/x", "properties": {"items": items, "n": texts.len()}});
            images(|images| {
                let image = images.of(&document, hidden);
                assert_eq!(images.differences(&image, &document), []);
            });
        }
    }
}
