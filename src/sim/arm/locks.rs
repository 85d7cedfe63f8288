//! Management locks: the resource, and what it forbids.

use http::Method;
use serde_json::{Value, json};

use super::fail::{bad_content, fail, verb};
use super::paging::page;
use super::route::{Result, Turn};
use super::{lists, show, versions};
use crate::sim::Answer;
use crate::types::ResourceId;

const KIND: &str = "Microsoft.Authorization/locks";

/// The scope of a lock, from its key.
fn scope_of(key: &str) -> &str {
    key.rfind("/providers/microsoft.authorization/locks/")
        .map_or("", |at| &key[..at])
}

fn below(key: &str, above: &str) -> bool {
    key == above || (key.starts_with(above) && key.as_bytes().get(above.len()) == Some(&b'/'))
}

/// Fails where a lock at, above or (for a delete) below the target forbids the write.
pub fn guard(turn: &Turn<'_>, target: &ResourceId, delete: bool) -> Result<()> {
    if !turn.world.behaviour.locks {
        return Ok(());
    }
    let key = target.key();
    let mut scopes = Vec::new();
    for (lock, document) in turn.world.store.of_type("microsoft.authorization/locks") {
        let scope = scope_of(lock);
        let level = document
            .pointer("/properties/level")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let read_only = level.eq_ignore_ascii_case("ReadOnly");
        let covers = below(key, scope);
        let covered = delete && below(scope, key);
        let forbids = read_only || (delete && level.eq_ignore_ascii_case("CanNotDelete"));
        if forbids && (covers || covered) {
            let own = document["id"].as_str().unwrap_or_default();
            scopes.push(own.get(..scope.len()).unwrap_or(scope).to_owned());
        }
    }
    if scopes.is_empty() {
        return Ok(());
    }
    let verb = if delete { "delete" } else { "write" };
    Err(fail(
        409,
        "ScopeLocked",
        format!(
            "The scope '{target}' cannot perform {verb} operation because following scope(s) are locked: '{}'. Please remove \
             the lock and try again.",
            scopes.join(",")
        ),
    ))
}

/// Answers a request for one lock.
pub fn one(turn: &mut Turn<'_>, asked: &ResourceId) -> Result {
    versions::of_type(turn.world, turn.ask, KIND, None)?;
    let method = turn.ask.method.clone();
    let verb = verb(&method)?;
    turn.need(&format!("{KIND}/{verb}"), asked.as_str())?;
    let stored = turn.world.read(asked.key()).cloned();
    match method {
        Method::GET => stored
            .map(|document| Answer::json(200, shown(asked, &document)))
            .ok_or_else(|| {
                fail(
                    404,
                    "LockNotFound",
                    format!("The lock '{}' could not be found.", asked.name()),
                )
            }),
        Method::DELETE => {
            if stored.is_none() {
                return Ok(Answer::empty(204));
            }
            turn.world.store.remove(asked.key(), turn.ask.now);
            turn.world.writes += 1;
            Ok(Answer::empty(200))
        }
        _ => put(turn, asked, stored),
    }
}

fn put(turn: &mut Turn<'_>, asked: &ResourceId, stored: Option<Value>) -> Result {
    if let Some(scope) = asked.extended().or_else(|| asked.parent()) {
        lists::exists(turn, &scope)?;
    }
    let properties = turn.body()?["properties"].clone();
    let level = properties["level"].as_str().unwrap_or_default();
    if !["CanNotDelete", "ReadOnly"]
        .iter()
        .any(|known| level.eq_ignore_ascii_case(known))
    {
        return Err(bad_content(&format!(
            "'{level}' is not a lock level: CanNotDelete or ReadOnly"
        )));
    }
    let status = if stored.is_some() { 200 } else { 201 };
    let mut document = stored.unwrap_or_else(|| {
        let scope = asked.as_str().get(..scope_of(asked.key()).len()).unwrap_or_default();
        json!({"id": format!("{scope}/providers/{KIND}/{}", asked.name()), "name": asked.name(), "type": KIND})
    });
    document["properties"] = properties;
    let (now, by) = (turn.ask.now, turn.ask.caller.principal.clone());
    let answer = shown(asked, &document);
    turn.world.store.put(asked, document, now, &by);
    turn.world.writes += 1;
    Ok(Answer::json(status, answer))
}

fn shown(id: &ResourceId, document: &Value) -> Value {
    let mut shown = document.clone();
    show::complete(&mut shown, id);
    shown
}

/// The locks at, above and, unless `$filter=atScope()`, below a scope.
pub fn list(turn: &mut Turn<'_>, parent: &str) -> Result {
    versions::of_type(turn.world, turn.ask, KIND, None)?;
    turn.need(&format!("{KIND}/read"), parent)?;
    if let Ok(scope) = ResourceId::parse(parent) {
        lists::exists(turn, &scope)?;
    }
    let at = crate::sim::store::key_of(parent);
    let only = turn
        .ask
        .parameter("$filter")
        .is_some_and(|filter| filter.to_ascii_lowercase().contains("atscope()"));
    let rows = turn
        .world
        .store
        .of_type("microsoft.authorization/locks")
        .filter(|(key, _)| {
            let scope = scope_of(key);
            below(&at, scope) || (!only && below(scope, &at))
        })
        .filter_map(|(key, document)| {
            Some(shown(
                &ResourceId::parse(document["id"].as_str().unwrap_or(key)).ok()?,
                document,
            ))
        })
        .collect();
    Ok(page(turn.ask, rows, turn.world.page))
}
