//! Subscriptions, tenants and locations.

use http::Method;
use serde_json::{Value, json};

use super::fail::{fail, no_method, subscription_missing};
use super::paging::page;
use super::route::{Result, Turn};
use super::versions;
use crate::sim::world::World;
use crate::sim::{Answer, regions};
use crate::types::ResourceId;

/// Whether the subscription is there: as a document, or because something lies in it.
pub fn known(world: &World, id: &str) -> bool {
    let key = format!("/subscriptions/{}", id.to_ascii_lowercase());
    world.store.has(&key) || world.store.below(&key).next().is_some()
}

/// Fails where the request writes and the subscription is disabled: what is in it can be read and deleted, no more.
pub fn writable(turn: &Turn<'_>, id: &str) -> Result<()> {
    let own = turn.world.read(&format!("/subscriptions/{}", id.to_ascii_lowercase()));
    let state = own.and_then(|own| own["state"].as_str()).unwrap_or("Enabled");
    let writes = !["GET", "HEAD", "DELETE"].contains(&turn.ask.method.as_str());
    if !writes || !["Disabled", "Deleted", "Warned"].contains(&state) {
        return Ok(());
    }
    Err(fail(
        409,
        "ReadOnlyDisabledSubscription",
        format!(
            "The subscription '{id}' is disabled and therefore marked as read only. You cannot perform any write actions on \
             this subscription until it is re-enabled."
        ),
    ))
}

fn shown(world: &World, id: &str, document: Option<&Value>, version: &str) -> Value {
    let own = |name: &str, other: Value| {
        document
            .and_then(|document| document.get(name).filter(|value| !value.is_null()))
            .cloned()
            .unwrap_or(other)
    };
    let subscription = own("subscriptionId", json!(id));
    let mut row = json!({
        "id": own("id", json!(format!("/subscriptions/{id}"))),
        "authorizationSource": own("authorizationSource", json!("RoleBased")),
        "managedByTenants": own("managedByTenants", json!([])),
        "subscriptionId": subscription,
        "tenantId": own("tenantId", json!(world.tenant)),
        "displayName": own("displayName", json!(id)),
        "state": own("state", json!("Enabled")),
        "subscriptionPolicies": own("subscriptionPolicies", json!({
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        })),
    });
    if let Some(tags) = document.and_then(|document| document.get("tags")) {
        row["tags"] = tags.clone();
    }
    // Older versions know neither.
    if let (true, Some(row)) = (version < "2019-06-01", row.as_object_mut()) {
        row.shift_remove("tenantId");
        row.shift_remove("managedByTenants");
    }
    row
}

/// `GET /subscriptions`: those in which the caller may read something.
pub fn list(turn: &mut Turn<'_>) -> Result {
    if !turn.is(&Method::GET) {
        return Err(no_method(&turn.ask.method));
    }
    let version = versions::own(turn.ask, "subscriptions")?;
    let rows: Vec<Value> = turn
        .world
        .store
        .of_type("microsoft.resources/subscriptions")
        .filter(|(key, _)| {
            turn.rights.is_owner() || turn.rights.allow_near("Microsoft.Resources/subscriptions/read", key)
        })
        .map(|(key, document)| shown(turn.world, crate::sim::rights::last(key), Some(document), &version))
        .collect();
    let total = rows.len();
    let mut answer = page(turn.ask, rows, turn.world.page);
    if let Some(body) = &mut answer.body {
        body["count"] = json!({"type": "Total", "value": total});
    }
    Ok(answer)
}

/// `GET /subscriptions/{id}`.
pub fn one(turn: &mut Turn<'_>, id: &ResourceId) -> Result {
    if !turn.is(&Method::GET) {
        return Err(no_method(&turn.ask.method));
    }
    let version = versions::own(turn.ask, "subscriptions")?;
    if !turn
        .rights
        .allow_near("Microsoft.Resources/subscriptions/read", id.key())
    {
        turn.need("Microsoft.Resources/subscriptions/read", id.as_str())?;
    }
    if !known(turn.world, id.name()) {
        return Err(subscription_missing(id.name()));
    }
    Ok(Answer::json(
        200,
        shown(turn.world, id.name(), turn.world.read(id.key()), &version),
    ))
}

/// `GET /tenants`.
pub fn tenants(turn: &mut Turn<'_>) -> Result {
    versions::own(turn.ask, "tenants")?;
    let tenant = &turn.world.tenant;
    Ok(Answer::json(
        200,
        json!({"value": [{
            "id": format!("/tenants/{tenant}"),
            "tenantId": tenant,
            "countryCode": "US",
            "displayName": "Contoso",
            "domains": ["contoso.example"],
            "tenantCategory": "Home",
            "defaultDomain": "contoso.example",
            "tenantType": "AAD",
        }]}),
    ))
}

/// `GET /subscriptions/{id}/locations`.
pub fn locations(turn: &mut Turn<'_>, scope: &ResourceId) -> Result {
    versions::own(turn.ask, "subscriptions")?;
    turn.need_any("Microsoft.Resources/subscriptions/locations/read", scope.as_str())?;
    let subscription = scope.subscription().unwrap_or_default();
    if !known(turn.world, subscription) {
        return Err(subscription_missing(subscription));
    }
    let rows: Vec<Value> = regions::all()
        .iter()
        .map(|place| regions::row(place, subscription))
        .collect();
    Ok(Answer::json(200, json!({ "value": rows })))
}
