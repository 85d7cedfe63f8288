//! The endpoints at which an app or a machine gets tokens of its managed identity.

use serde_json::json;

use super::made::{Proof, Who, make};
use super::text;
use crate::sim::world::World;
use crate::sim::{Answer, Ask};

/// How long tokens of managed identities last: a day, unless told.
const LIFE: i64 = 86_399;

/// Whom the request names by client id, object id or resource id; the caller of the estate where it names nobody.
///
/// # Errors
/// When tokens are told apart and the directory has no such identity, or had one that was deleted.
fn asked(world: &World, ask: &Ask) -> Result<Who, ()> {
    let any = |names: &[&str]| names.iter().find_map(|name| text(ask, name));
    if let Some(app) = any(&["client_id", "clientid"]) {
        let known = world.directory.principal_of(&app).is_some();
        if world.directory.is_gone(&app) || (world.strict && !known) {
            return Err(());
        }
        return Ok(Who::client(world, &app));
    }
    let named = if let Some(principal) = any(&["principal_id", "object_id"]) {
        world.directory.app_of(&principal).map(|_| principal)
    } else if let Some(resource) = any(&["mi_res_id", "msi_res_id"]) {
        let identity = world.store.get(&crate::sim::store::key_of(&resource));
        identity.and_then(|document| Some(document.pointer("/properties/principalId")?.as_str()?.to_owned()))
    } else {
        return Ok(Who::operator(world, None));
    };
    match named {
        Some(principal) => Ok(Who::principal(world, &principal)),
        None if world.strict => Err(()),
        None => Ok(Who::operator(world, None)),
    }
}

/// The App Service form: `expires_on` as a text, no `expires_in`.
pub fn app_service(world: &World, ask: &Ask) -> Answer {
    let bad = |why: &str| Answer::json(400, json!({"statusCode": 400, "message": why}));
    let Some(resource) = text(ask, "resource") else {
        return bad("The parameter 'resource' is required.");
    };
    let Ok(who) = asked(world, ask) else {
        return bad(
            "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.",
        );
    };
    let life = world.token_life(LIFE);
    let token = make(world, &who, &resource, life, ask.now, Proof::Assertion);
    Answer::json(
        200,
        json!({
            "access_token": token,
            "expires_on": (ask.now.unix_timestamp() + life).to_string(),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": who.app,
        }),
    )
}

/// The form of the instance metadata service: every value a text.
pub fn instance(world: &World, ask: &Ask) -> Answer {
    let bad = |why: &str| Answer::json(400, json!({"error": "invalid_request", "error_description": why}));
    if ask
        .header("metadata")
        .is_none_or(|value| !value.eq_ignore_ascii_case("true"))
    {
        return bad("Required metadata header not specified");
    }
    let Some(resource) = text(ask, "resource") else {
        return bad("Required query variable 'resource' is missing");
    };
    let Ok(who) = asked(world, ask) else {
        return bad("Identity not found");
    };
    let life = world.token_life(LIFE);
    let token = make(world, &who, &resource, life, ask.now, Proof::Assertion);
    Answer::json(
        200,
        json!({
            "access_token": token,
            "client_id": who.app,
            "expires_in": life.to_string(),
            "expires_on": (ask.now.unix_timestamp() + life).to_string(),
            "ext_expires_in": life.to_string(),
            "not_before": (ask.now.unix_timestamp() - 300).to_string(),
            "resource": resource,
            "token_type": "Bearer",
        }),
    )
}
