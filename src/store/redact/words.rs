//! Which texts of a document are secrets, and which are names that everyone may know.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::SHORTEST;

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
    "securevalue",
];

/// Members that list settings in documents that every reader may see, in lower case.
const SETTINGS: &[&str] = &["env", "environmentvariables", "appsettings", "connectionstrings"];

/// Words that the name of a secret has in it, whatever it is the name of.
const OF_SECRETS: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "secret",
    "token",
    "connectionstring",
    "accountkey",
    "accesskey",
    "sharedkey",
    "apikey",
    "signature",
];

/// What was found in a document.
#[derive(Default)]
pub(super) struct Found {
    /// Values to hide.
    pub(super) secrets: Vec<String>,
    /// Names in lower case, which are none of them.
    pub(super) names: Vec<String>,
}

/// Whether a member's name says that its value is a secret.
pub(super) fn is_secret_member(name: &str) -> bool {
    SECRET_MEMBERS.contains(&name.to_lowercase().as_str())
}

/// What an answer holds that Azure gives only to those who ask for its secrets.
pub(super) fn in_secrets(answer: &Value) -> Found {
    let mut found = Found::default();
    secrets(answer, "", true, &mut found);
    found
}

/// What a document holds that every reader may see.
pub(super) fn in_document(document: &Value) -> Found {
    let mut found = Found::default();
    names(document, &mut found);
    found
}

/// The words of parameters.
pub(super) fn in_parameters(value: &Value) -> Found {
    let mut found = Found::default();
    parameters(value, &mut found);
    found
}

fn parameters(value: &Value, found: &mut Found) {
    match value {
        Value::String(text) => {
            found.names.push(text.to_lowercase());
            names_in(text, &mut found.names);
        }
        Value::Array(items) => items.iter().for_each(|item| parameters(item, found)),
        Value::Object(map) => map.values().for_each(|value| parameters(value, found)),
        _ => {}
    }
}

/// `member` is the name of the value; `described` says that the members of an object are those of a document of Azure's,
/// not settings with names of their own.
fn secrets(answer: &Value, member: &str, described: bool, found: &mut Found) {
    match answer {
        Value::String(text) => secret(text, member, found),
        Value::Array(items) => items.iter().for_each(|item| secrets(item, member, true, found)),
        Value::Object(map) => {
            let named = map.get("name").and_then(Value::as_str).unwrap_or(member);
            for (key, value) in map {
                // What Azure itself writes at the top of a document is public.
                let public = matches!(
                    key.as_str(),
                    "id" | "name" | "type" | "location" | "kind" | "tags" | "slotSetting"
                );
                if described && public {
                    continue;
                }
                found.names.push(key.to_lowercase());
                let name = if key == "value" { named } else { key };
                secrets(value, name, false, found);
            }
        }
        _ => {}
    }
}

fn secret(text: &str, member: &str, found: &mut Found) {
    names_in(text, &mut found.names);
    if is_secret(text, names_a_secret(member)) {
        found.secrets.push(text.to_owned());
    }
    found.secrets.extend(parts(text).map(str::to_owned));
}

/// The names in a document: those of its ids' segments, its name and its location, and the same of all documents in it.
fn names(value: &Value, found: &mut Found) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| names(item, found)),
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(text) if is_secret_member(key) => secret(text, "password", found),
                    Value::String(text) => {
                        names_in(text, &mut found.names);
                        if matches!(key.as_str(), "name" | "location" | "displayName") {
                            found.names.push(text.to_lowercase());
                        }
                    }
                    Value::Array(rows) if SETTINGS.contains(&key.to_lowercase().as_str()) => {
                        for row in rows {
                            settings(row, found);
                        }
                    }
                    Value::Array(_) | Value::Object(_) => names(value, found),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// A row of settings: a name, and a value that is nobody's business.
fn settings(row: &Value, found: &mut Found) {
    let name = row.get("name").and_then(Value::as_str).unwrap_or_default();
    found.names.push(name.to_lowercase());
    for member in ["value", "secureValue", "connectionString"] {
        if let Some(text) = row.get(member).and_then(Value::as_str) {
            secret(text, name, found);
        }
    }
}

/// The names in an id or in the host of an address.
fn names_in(text: &str, names: &mut Vec<String>) {
    if is_id(text) {
        names.extend(text.split('/').map(str::to_lowercase));
    } else if let Some(rest) = text.strip_prefix("https://") {
        let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default();
        if !host.contains('@') {
            names.push(host.to_lowercase());
            names.extend(host.split('.').map(str::to_lowercase));
        }
    }
}

fn names_a_secret(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_lowercase();
    OF_SECRETS.iter().any(|word| plain.contains(word))
}

/// Whether a text that stands where secrets stand is one: long enough, no id, no plain address, no date or version, and,
/// unless its name says so, no word.
fn is_secret(text: &str, named: bool) -> bool {
    let word = text.len() <= LONGEST_WORD && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    text.len() >= SHORTEST
        && !is_id(text)
        && !is_path(text)
        && !is_plain_address(text)
        && !is_date_or_version(text)
        && uuid::Uuid::try_parse(text).is_err()
        && (named || !word)
}

/// The secrets inside a connection string or an address: `Password=…;`, `?sig=…`, `https://user:password@host`.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    // Some separate by blanks what others have inside of a value, so both are looked at.
    let fields = text
        .split([';', '&', '?'])
        .chain(text.split([' ', ',']))
        .filter_map(|part| {
            let (name, value) = part.split_once('=')?;
            let name = name.trim();
            let named = names_a_secret(name)
                || ["sig", "code", "key"]
                    .iter()
                    .any(|word| name.eq_ignore_ascii_case(word));
            let value = value.trim().trim_matches(['"', '\'']);
            (named && is_secret(value, true)).then_some(value)
        });
    let user = text.split_once("://").and_then(|(_, rest)| {
        let (user, _) = rest.split('/').next()?.rsplit_once('@')?;
        let (_, password) = user.split_once(':')?;
        is_secret(password, true).then_some(password)
    });
    fields.chain(user)
}

/// Whether a text is an id of Azure Resource Manager.
pub(super) fn is_id(text: &str) -> bool {
    let begins = |start: &str| {
        text.get(..start.len())
            .is_some_and(|there| there.eq_ignore_ascii_case(start))
    };
    (begins("/subscriptions/") || begins("/providers/")) && !text.contains(char::is_whitespace)
}

/// Whether a text is an address without a query, a user, or a path that could be a key, as those of webhooks are.
pub(super) fn is_plain_address(text: &str) -> bool {
    text.strip_prefix("https://")
        .is_some_and(|rest| !rest.contains(['?', '@', ';', '#', ' ']) && rest.split('/').skip(1).all(is_plain_segment))
}

/// Whether a text is the path of a file or of an API, made of words.
fn is_path(text: &str) -> bool {
    text.strip_prefix('/')
        .is_some_and(|rest| rest.split('/').all(is_plain_segment))
}

fn is_plain_segment(segment: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_alphabetic() || b"-_.:$".contains(&byte);
    segment.len() < SHORTEST || uuid::Uuid::try_parse(segment).is_ok() || segment.bytes().all(letters)
}

fn is_date_or_version(text: &str) -> bool {
    static SHAPE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^(?:\d{4}-\d{2}-\d{2}(?:-preview|[T ][0-9:.]+(?:Z|[+-][0-9:]+)?)?|[~v]?\d+(?:\.\d+)+)$").ok()
    });
    SHAPE.as_ref().is_some_and(|shape| shape.is_match(text))
}
