//! Resource groups.

use http::Method;
use serde_json::{Value, json};

use super::fail::{fail, group_missing, no_method, subscription_missing};
use super::paging::page;
use super::route::{Result, Turn};
use super::{lists, locks, operations, policy, preconditions, show, subscriptions, versions};
use crate::sim::{Answer, regions};
use crate::types::ResourceId;

const KIND: &str = "Microsoft.Resources/subscriptions/resourceGroups";

fn shown(id: &ResourceId, document: &Value) -> Value {
    let mut shown = document.clone();
    show::complete(&mut shown, id);
    // Whatever segment was sent, this is how Resource Manager spells it.
    let subscription = id.subscription().unwrap_or_default();
    let name = shown["name"].as_str().unwrap_or_else(|| id.name());
    shown["id"] = json!(format!("/subscriptions/{subscription}/resourceGroups/{name}"));
    shown["type"] = json!("Microsoft.Resources/resourceGroups");
    if shown.pointer("/properties/provisioningState").is_none() {
        if !shown["properties"].is_object() {
            shown["properties"] = json!({});
        }
        shown["properties"]["provisioningState"] = json!("Succeeded");
    }
    shown
}

/// Answers a request for one group.
pub fn one(turn: &mut Turn<'_>, asked: &ResourceId) -> Result {
    let version = versions::own(turn.ask, "resourceGroups")?;
    let method = turn.ask.method.clone();
    let verb = match method {
        Method::GET | Method::HEAD => "read",
        Method::PUT | Method::PATCH => "write",
        Method::DELETE => "delete",
        _ => return Err(no_method(&method)),
    };
    turn.need(&format!("{KIND}/{verb}"), asked.as_str())?;
    let subscription = asked.subscription().unwrap_or_default();
    if !subscriptions::known(turn.world, subscription) {
        return Err(subscription_missing(subscription));
    }
    subscriptions::writable(turn, subscription)?;
    let stored = turn.world.read(asked.key()).cloned();
    let missing = || group_missing(asked.name());
    match method {
        Method::HEAD => Ok(Answer::empty(if stored.is_some() { 204 } else { 404 })),
        Method::GET => stored
            .map(|document| Answer::json(200, shown(asked, &document)))
            .ok_or_else(missing),
        Method::PUT => put(turn, asked, stored),
        Method::PATCH => {
            let mut document = stored.ok_or_else(missing)?;
            locks::guard(turn, asked, false)?;
            let body = turn.body()?.clone();
            preconditions::check(turn, asked, &body)?;
            if let Some(tags) = body.get("tags") {
                document["tags"] = tags.clone();
            }
            Ok(store(turn, asked, document, 200))
        }
        _ => {
            stored.ok_or_else(missing)?;
            locks::guard(turn, asked, true)?;
            Ok(operations::delete_group(turn, asked, &version))
        }
    }
}

fn store(turn: &mut Turn<'_>, id: &ResourceId, document: Value, status: u16) -> Answer {
    let answer = Answer::json(status, shown(id, &document));
    let (now, by) = (turn.ask.now, turn.ask.caller.principal.clone());
    turn.world.store.put(id, document, now, &by);
    turn.world.writes += 1;
    answer
}

fn put(turn: &mut Turn<'_>, asked: &ResourceId, stored: Option<Value>) -> Result {
    let body = turn.body()?.clone();
    let name = asked.name();
    let good = name.len() <= 90
        && !name.ends_with('.')
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '(' | ')'));
    if !good {
        return Err(fail(
            400,
            "InvalidResourceGroup",
            "The provided resource group name has these invalid characters. The name can only be a letter, digit, '-', '.', \
             '(', ')' or '_', and cannot end with '.'.",
        ));
    }
    let Some(sent) = body["location"].as_str() else {
        return Err(fail(
            400,
            "LocationRequired",
            "The location property is required for this definition.",
        ));
    };
    if let Some(own) = stored.as_ref().and_then(|document| document["location"].as_str())
        && regions::normal(own) != regions::normal(sent)
    {
        return Err(fail(
            409,
            "InvalidResourceGroupLocation",
            format!(
                "Invalid resource group location '{}'. The Resource group already exists in location '{}'.",
                regions::normal(sent),
                regions::normal(own)
            ),
        ));
    }
    if regions::find(sent).is_none() {
        let places: Vec<&str> = regions::all().iter().map(|place| place.name.as_str()).collect();
        return Err(fail(
            400,
            "LocationNotAvailableForResourceGroup",
            format!(
                "The provided location '{sent}' is not available for resource group. List of available regions is '{}'.",
                places.join(",")
            ),
        ));
    }
    locks::guard(turn, asked, false)?;
    preconditions::check(turn, asked, &body)?;
    let first = stored.is_none();
    let mut document = stored.unwrap_or_else(|| {
        json!({
            "id": asked.as_str(),
            "name": name,
            "type": "Microsoft.Resources/resourceGroups",
            "location": regions::normal(sent),
        })
    });
    if let Some(map) = document.as_object_mut() {
        // A PUT is the whole: tags that are not sent are gone.
        for member in ["tags", "managedBy"] {
            match body.get(member).filter(|value| !value.is_null()) {
                Some(value) => map.insert(member.into(), value.clone()),
                None => map.shift_remove(member),
            };
        }
    }
    policy::guard(turn, asked, &document)?;
    Ok(store(turn, asked, document, if first { 201 } else { 200 }))
}

/// `GET /subscriptions/{id}/resourceGroups`.
pub fn list(turn: &mut Turn<'_>, scope: &ResourceId) -> Result {
    if !turn.is(&Method::GET) {
        return Err(no_method(&turn.ask.method));
    }
    versions::own(turn.ask, "resourceGroups")?;
    turn.need_any(&format!("{KIND}/read"), scope.as_str())?;
    let subscription = scope.subscription().unwrap_or_default();
    if !subscriptions::known(turn.world, subscription) {
        return Err(subscription_missing(subscription));
    }
    let filter = lists::Filter::read(turn.ask.parameter("$filter").unwrap_or_default())?;
    let start = format!("{}/", scope.key());
    let rows = turn
        .world
        .store
        .of_type("microsoft.resources/resourcegroups")
        .filter(|(key, _)| key.starts_with(&start))
        .filter(|(key, _)| turn.rights.is_owner() || turn.rights.allow_near(&format!("{KIND}/read"), key))
        .filter_map(|(_, document)| Some((ResourceId::parse(document["id"].as_str()?).ok()?, document)))
        .filter(|(id, document)| filter.holds(id, document))
        .map(|(id, document)| shown(&id, document))
        .collect();
    Ok(page(turn.ask, rows, turn.world.page))
}
