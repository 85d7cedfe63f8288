//! What may stand in a journal: values that were read as secrets, and members whose names say that they
//! are, are replaced before anything is written.
//!
//! This is the second line of defence. The first is that documents with secret values are changed by edits
//! alone, and that answers of `…/list` actions are never journaled.

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};

use serde_json::Value;

/// What stands in place of a secret.
pub const HIDDEN: &str = "(hidden)";

/// Shorter texts are words that stand everywhere (`prod`, `true`, `eastus`), not secrets.
const SHORTEST: usize = 8;

/// Texts of letters alone up to this length are names and words, as `westeurope` or `managedidentity`.
const LONGEST_WORD: usize = 20;

/// Members whose values are hidden wherever they stand, in lower case.
const SECRET_MEMBERS: &[&str] = &[
    "password",
    "adminpassword",
    "administratorloginpassword",
    "secret",
    "clientsecret",
    "connectionstring",
    "primarykey",
    "secondarykey",
    "primaryconnectionstring",
    "secondaryconnectionstring",
    "accesskey",
    "accountkey",
    "sharedaccesskey",
    "storageaccountkey",
    "apikey",
    "access_token",
    "refresh_token",
    "authorization",
    "protectedsettings",
    "customdata",
];

/// The secret values that a session has seen, kept in memory alone.
#[derive(Default)]
pub struct Secrets {
    seen: RwLock<HashSet<String>>,
    public: RwLock<HashSet<String>>,
}

impl Secrets {
    /// Remembers every text in an answer that holds secrets. Ids and plain addresses are no secrets.
    pub fn learn(&self, answer: &Value) {
        match answer {
            Value::String(text) if is_secret(text) => {
                self.seen
                    .write()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(text.clone());
            }
            Value::Array(items) => items.iter().for_each(|item| self.learn(item)),
            Value::Object(map) => {
                for (key, value) in map {
                    // What Azure itself writes at the top of a document is public.
                    if !matches!(
                        key.as_str(),
                        "id" | "name" | "type" | "location" | "kind" | "tags" | "slotSetting"
                    ) {
                        self.learn(value);
                    }
                }
            }
            _ => {}
        }
    }

    /// Remembers the names that an answer without secrets shows: settings name resources, and a name is no secret.
    pub fn learn_public(&self, answer: &Value) {
        let mut public = self.public.write().unwrap_or_else(PoisonError::into_inner);
        learn_names(answer, &mut public);
    }

    /// Whether a text is, or holds, a value that was read as a secret.
    pub fn holds(&self, text: &str) -> bool {
        // An id, a GUID or a plain address is no secret, whatever settings name parts of it.
        if text.len() < SHORTEST || !is_secret(text) {
            return false;
        }
        let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
        let public = self.public.read().unwrap_or_else(PoisonError::into_inner);
        seen.iter()
            .any(|secret| text.contains(secret.as_str()) && !public.contains(&secret.to_lowercase()))
    }

    /// The document with its secrets replaced by [`HIDDEN`].
    pub fn hide(&self, value: &Value) -> Value {
        match value {
            Value::String(text) if self.holds(text) => Value::String(HIDDEN.into()),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.hide(item)).collect()),
            Value::Object(map) => Value::Object(
                map.iter()
                    .map(|(key, value)| {
                        let hidden = SECRET_MEMBERS.contains(&key.to_lowercase().as_str()) && is_filled(value);
                        (
                            key.clone(),
                            if hidden {
                                Value::String(HIDDEN.into())
                            } else {
                                self.hide(value)
                            },
                        )
                    })
                    .collect(),
            ),
            other => other.clone(),
        }
    }

    /// Whether something in the document would be hidden.
    pub fn any(&self, value: &Value) -> bool {
        self.hide(value) != *value
    }
}

/// The names in a document: those of its ids' segments, its name and its location, and the same of all documents in it.
fn learn_names(value: &Value, names: &mut HashSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| learn_names(item, names)),
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(text) if text.starts_with('/') && !text.contains(char::is_whitespace) => {
                        names.extend(text.split('/').map(str::to_lowercase));
                    }
                    Value::String(text) if matches!(key.as_str(), "name" | "location" | "displayName") => {
                        names.insert(text.to_lowercase());
                    }
                    Value::Array(_) | Value::Object(_) => learn_names(value, names),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

fn is_filled(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.is_empty() && text != HIDDEN,
        Value::Object(map) => !map.is_empty(),
        _ => false,
    }
}

/// Whether a text that stands where secrets stand is one: long enough, no id, no plain address.
fn is_secret(text: &str) -> bool {
    let plain_address = text.starts_with("https://") && !text.contains(['?', '@', ';', '#', ' ']);
    let path = text.starts_with('/') && !text.contains(char::is_whitespace);
    let word = text.len() <= LONGEST_WORD && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    text.len() >= SHORTEST && !path && !plain_address && !word && uuid::Uuid::try_parse(text).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_read_as_a_secret_is_hidden_wherever_it_turns_up() {
        let secrets = Secrets::default();
        secrets.learn(
            &json!({"id": "/subscriptions/s", "properties": {"DB": "Server=x;Password=hunter2secret", "MODE": "prod"}}),
        );
        let hidden = secrets.hide(&json!({"why": "setting is Server=x;Password=hunter2secret!", "mode": "prod"}));
        assert_eq!(hidden, json!({"why": HIDDEN, "mode": "prod"}));
    }

    #[test]
    fn the_name_of_a_resource_in_a_setting_is_no_secret() {
        let secrets = Secrets::default();
        secrets.learn(&json!({"properties": {"ACCOUNT": "stordersprod01", "KEY": "abc123def456"}}));
        secrets.learn_public(&json!([{"id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/stOrdersProd01"}]));
        assert!(!secrets.holds("blobs of stordersprod01"));
        assert!(secrets.holds("the key abc123def456"));
    }

    #[test]
    fn members_that_are_secrets_by_name_are_hidden_and_ids_are_not() {
        let secrets = Secrets::default();
        secrets.learn(&json!({"properties": {"AZURE_CLIENT_ID": "44444444-4444-4444-8444-444444444444", "URL": "https://kv.vault.azure.net/"}}));
        let document = json!({"adminPassword": "x", "clientId": "44444444-4444-4444-8444-444444444444", "uri": "https://kv.vault.azure.net/"});
        let hidden = secrets.hide(&document);
        assert_eq!(hidden["adminPassword"], HIDDEN);
        assert_eq!(hidden["clientId"], document["clientId"]);
        assert_eq!(hidden["uri"], document["uri"]);
    }
}
