//! Which resource providers a subscription is registered to use: all, unless the estate or a request says otherwise.
//!
//! What differs is a document of type `Microsoft.Resources/registeredProviders` below the subscription.

use serde_json::{Value, json};

use super::fail::{fail, subscription_missing};
use super::route::{Result, Turn};
use super::{providers, subscriptions, versions};
use crate::sim::world::World;
use crate::types::ResourceId;

/// Namespaces that are there for everyone.
const FREE: [&str; 9] = [
    "microsoft.authorization",
    "microsoft.billing",
    "microsoft.consumption",
    "microsoft.costmanagement",
    "microsoft.features",
    "microsoft.management",
    "microsoft.portal",
    "microsoft.resourcegraph",
    "microsoft.resources",
];

fn id(subscription: &str, namespace: &str) -> Option<ResourceId> {
    ResourceId::parse(&format!(
        "/subscriptions/{subscription}/providers/Microsoft.Resources/registeredProviders/{namespace}"
    ))
    .ok()
}

/// `RegistrationFree` or `RegistrationRequired`.
pub fn policy(namespace: &str) -> &'static str {
    if FREE.contains(&namespace.to_ascii_lowercase().as_str()) {
        "RegistrationFree"
    } else {
        "RegistrationRequired"
    }
}

/// The state of a registration: `Registered`, `Registering`, `NotRegistered`, `Unregistering`.
pub fn state(world: &World, subscription: &str, namespace: &str, now: time::OffsetDateTime) -> String {
    let stored = id(subscription, namespace).and_then(|id| {
        let under_way = world.pending.get(id.key()).filter(|(until, _)| *until > now);
        if let Some((_, state)) = under_way {
            return Some((*state).to_owned());
        }
        world.read(id.key())?["registrationState"].as_str().map(str::to_owned)
    });
    stored.unwrap_or_else(|| "Registered".to_owned())
}

/// Fails where the subscription is not registered to use the namespace of what is written.
///
/// # Errors
/// 409 `MissingSubscriptionRegistration`.
pub fn needed(turn: &Turn<'_>, written: &ResourceId) -> Result<()> {
    let namespace = written.namespace();
    let Some(subscription) = written.subscription() else {
        return Ok(());
    };
    if !turn.world.behaviour.registration || policy(namespace) == "RegistrationFree" {
        return Ok(());
    }
    match state(turn.world, subscription, namespace, turn.ask.now).as_str() {
        "NotRegistered" | "Unregistered" | "Unregistering" => Err(fail(
            409,
            "MissingSubscriptionRegistration",
            format!(
                "The subscription is not registered to use namespace '{namespace}'. See https://aka.ms/rps-not-found for how \
                 to register subscriptions."
            ),
        )),
        _ => Ok(()),
    }
}

/// `POST /subscriptions/{id}/providers/{namespace}/register`, or `…/unregister`.
pub fn change(turn: &mut Turn<'_>, subscription: &str, namespace: &str, register: bool) -> Result {
    versions::own(turn.ask, "providers")?;
    let scope = format!("/subscriptions/{subscription}");
    let verb = if register { "register" } else { "unregister" };
    turn.need(&format!("{namespace}/{verb}/action"), &scope)?;
    if !subscriptions::known(turn.world, subscription) {
        return Err(subscription_missing(subscription));
    }
    let id = id(subscription, namespace).ok_or_else(|| subscription_missing(subscription))?;
    let now = turn.ask.now;
    let registered = state(turn.world, subscription, namespace, now) == "Registered";
    if registered != register {
        let (end, meanwhile) = if register {
            ("Registered", "Registering")
        } else {
            ("NotRegistered", "Unregistering")
        };
        let document: Value = json!({
            "id": id.as_str(),
            "name": namespace,
            "type": "Microsoft.Resources/registeredProviders",
            "registrationState": end,
        });
        let by = turn.ask.caller.principal.clone();
        turn.world.store.put(&id, document, now, &by);
        turn.world.writes += 1;
        let until = now + turn.world.slow;
        turn.world.pending.insert(id.key().to_owned(), (until, meanwhile));
    }
    providers::one(turn, Some(subscription), namespace)
}
