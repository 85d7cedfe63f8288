//! The `identity` block of any resource: how what is sent meets what stands, and what is filled in. What is refused
//! stands in `identity_rules`.

use serde_json::{Map, Value, json};

use super::fail::bad_content;
use super::identity_rules::{self as rules, invalid};
use super::resource::Work;
use super::route::{Result, Turn};
use super::show::lower_group;
use crate::sim::catalog::{Identity, Keys};
use crate::sim::regions;
use crate::sim::world::system_client;

/// How a sent map meets the stored one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// PUT: the sent map is the whole.
    Put,
    /// PATCH that replaces: the sent map is the whole.
    Replace,
    /// PATCH that merges: `{}` adds, `null` removes, absent keys stay.
    Merge,
}

/// What a type asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parts {
    /// A system-assigned identity.
    pub system: bool,
    /// User-assigned identities.
    pub user: bool,
}

fn parts(text: &str) -> Result<Parts> {
    let mut parts = Parts::default();
    for word in text.split(',').map(|word| word.trim().to_ascii_lowercase()) {
        match word.as_str() {
            "systemassigned" => parts.system = true,
            "userassigned" => parts.user = true,
            "none" => {}
            _ => {
                return Err(bad_content(&format!(
                    "Error converting value \"{text}\" to type 'ResourceIdentityType'"
                )));
            }
        }
    }
    Ok(parts)
}

/// Brings the identity block of `document` to what was sent (none: as it stands) and checks what stays.
pub fn settle(turn: &Turn<'_>, work: &Work, document: &mut Value, sent: Option<&Value>, mode: Mode) -> Result<()> {
    let before = work
        .stored
        .as_ref()
        .map_or(Value::Null, |stored| stored["identity"].clone());
    let Some(sent) = sent else {
        rules::dangling(turn, work, &before, &[])?;
        return rules::uses(work, &Map::new(), document);
    };
    let old: Map<String, Value> = before["userAssignedIdentities"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    let named = match sent.get("userAssignedIdentities") {
        None | Some(Value::Null) => None,
        Some(Value::Object(map)) => Some(map),
        Some(_) => return Err(bad_content("userAssignedIdentities must be an object")),
    };
    rules::read_only(work, sent, named)?;
    let map = meet(&old, named, mode, sent, &spelling(work));
    let old_parts = parts(before["type"].as_str().unwrap_or("None"))?;
    let wanted = match sent.get("type").and_then(Value::as_str) {
        Some(text) => Some(parts(text)?),
        None if sent.is_null() => Some(Parts::default()),
        None => None,
    };
    let mut now = wanted.unwrap_or(Parts {
        user: !map.is_empty(),
        ..old_parts
    });
    let adds = named.is_some_and(|named| named.values().any(|value| !value.is_null()));
    if wanted.is_some_and(|wanted| !wanted.user) && adds {
        return Err(invalid(
            "The property 'userAssignedIdentities' is only allowed where the identity type has 'UserAssigned'.",
        ));
    }
    let map = if now.user { map } else { Map::new() };
    if now.user && map.is_empty() {
        if wanted.is_some() {
            return Err(invalid(
                "The identity type 'UserAssigned' requires at least one user assigned identity: to remove the last one, \
                 set the type to 'None' or 'SystemAssigned' in the same request.",
            ));
        }
        now.user = false;
    }
    rules::limits(work, now, &map)?;
    let sent_keys: Vec<&str> = named
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, _)| key.as_str())
        .collect();
    let here = document["location"].as_str().map(regions::normal);
    rules::linked(turn, work, &sent_keys, here.as_deref())?;
    let block = block(turn, work, &before, now, &map);
    let Some(target) = document.as_object_mut() else {
        return Ok(());
    };
    if now.system || now.user {
        target.insert("identity".into(), block.clone());
    } else {
        target.shift_remove("identity");
    }
    rules::dangling(turn, work, &block, &sent_keys)?;
    rules::uses(work, &old, document)
}

/// The block as it is stored.
fn block(turn: &Turn<'_>, work: &Work, before: &Value, now: Parts, map: &Map<String, Value>) -> Value {
    let mut block = json!({});
    spell(&mut block, work, now);
    if now.system {
        // Kept where it stands, made where it is new.
        let own = |name: &str| before.get(name).filter(|id| id.is_string()).cloned();
        block["principalId"] = own("principalId").unwrap_or_else(|| json!(uuid::Uuid::new_v4().to_string()));
        block["tenantId"] = own("tenantId").unwrap_or_else(|| json!(turn.world.tenant));
    }
    if !map.is_empty() {
        let filled = map
            .iter()
            .map(|(key, value)| (key.clone(), identity_values(turn, key, value)));
        block["userAssignedIdentities"] = Value::Object(filled.collect());
    }
    block
}

/// How the type's service spells the key of an identity that is new on a resource.
fn spelling(work: &Work) -> impl Fn(&str) -> String {
    let keys = work
        .kind
        .identity
        .as_ref()
        .map_or(Keys::AsSent, |identity| identity.keys);
    move |key| match keys {
        Keys::AsSent => key.to_owned(),
        Keys::LowerGroup => lower_group(key),
        Keys::Lower => key.to_ascii_lowercase(),
    }
}

/// The map that comes of the stored and the sent one; stored keys keep their spelling.
fn meet(
    old: &Map<String, Value>,
    sent: Option<&Map<String, Value>>,
    mode: Mode,
    block: &Value,
    spelling: &impl Fn(&str) -> String,
) -> Map<String, Value> {
    let spelled = |key: &str| {
        old.keys()
            .find(|own| own.eq_ignore_ascii_case(key))
            .cloned()
            .unwrap_or_else(|| spelling(key))
    };
    let Some(sent) = sent else {
        let cleared = block.is_null() || block.get("userAssignedIdentities").is_some();
        return if cleared { Map::new() } else { old.clone() };
    };
    let mut map = if mode == Mode::Merge { old.clone() } else { Map::new() };
    for (key, value) in sent {
        let key = spelled(key);
        if value.is_null() {
            map.shift_remove(&key);
        } else {
            let kept = old.get(&key).cloned().unwrap_or_else(|| json!({}));
            map.insert(key, kept);
        }
    }
    map
}

fn identity_values(turn: &Turn<'_>, key: &str, stored: &Value) -> Value {
    let found = turn
        .world
        .store
        .get(&crate::sim::store::key_of(key))
        .map(|identity| &identity["properties"]);
    match found {
        Some(properties) => json!({"principalId": properties["principalId"], "clientId": properties["clientId"]}),
        None => stored.clone(),
    }
}

fn spell(block: &mut Value, work: &Work, now: Parts) {
    let combined = work
        .kind
        .identity
        .as_ref()
        .map_or("SystemAssigned, UserAssigned", |identity: &Identity| {
            identity.combined.as_str()
        });
    block["type"] = json!(match (now.system, now.user) {
        (true, true) => combined,
        (true, false) => "SystemAssigned",
        (false, true) => "UserAssigned",
        (false, false) => "None",
    });
}

/// Tells the directory of the principals that came and went with a write.
pub fn tell(turn: &mut Turn<'_>, work: &Work, document: &Value) {
    let pointer = if super::managed_identity::is(&work.id) {
        "/properties/principalId"
    } else {
        "/identity/principalId"
    };
    let principal = |document: &Value| document.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let (old, new) = (work.stored.as_ref().and_then(principal), principal(document));
    if old == new {
        return;
    }
    if let Some(old) = old {
        turn.world.directory.identity_deleted(&old);
    }
    if let Some(new) = new {
        let client = document
            .pointer("/properties/clientId")
            .and_then(Value::as_str)
            .map(str::to_owned);
        let client = client.unwrap_or_else(|| system_client(&new));
        let from = turn.ask.now + turn.world.lag;
        turn.world
            .directory
            .identity_created(work.id.name(), &new, &client, work.id.as_str(), Some(from));
    }
}
