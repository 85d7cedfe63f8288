//! Whether a secret or an assertion proves the client. Signatures are not looked at: the simulator has nobody's keys.

use serde_json::Value;
use time::OffsetDateTime;

use super::entra::{Refusal, unknown_application};
use super::made::{Proof, claims};
use super::text;
use crate::sim::Ask;
use crate::sim::world::World;

/// Assertions are looked into, and secrets where the directory says something about them. A client that the directory
/// does not know stands for the caller of the estate, and any secret or certificate will do.
///
/// # Errors
/// What Entra ID would say.
pub fn check(world: &World, ask: &Ask, client: &str) -> Result<Proof, Refusal> {
    if let Some(assertion) = text(ask, "client_assertion") {
        asserted(world, ask, client, &assertion)?;
        return Ok(Proof::Assertion);
    }
    let Some(secret) = text(ask, "client_secret") else {
        return Err(Refusal::client(
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        ));
    };
    secret_fits(world, ask.now, client, &secret)?;
    Ok(Proof::Secret)
}

/// Of a secret the directory knows when it ends, and its first letters: the hint.
fn secret_fits(world: &World, now: OffsetDateTime, client: &str, secret: &str) -> Result<(), Refusal> {
    let wrong = || {
        let message = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the \
             client secret ID, for a secret added to app '{client}'."
        );
        Err(Refusal::client(7_000_215, message))
    };
    let known = world
        .directory
        .of_application(client, "passwordCredentials")
        .and_then(Value::as_array);
    let Some(known) = known else {
        // A managed identity has no secret at all.
        let managed = world
            .directory
            .principal_of(client)
            .and_then(|principal| world.directory.resource_of(&principal));
        return if managed.is_some() { wrong() } else { Ok(()) };
    };
    let fitting: Vec<&Value> = known
        .iter()
        .filter(|one| match (one["secretText"].as_str(), one["hint"].as_str()) {
            (Some(whole), _) => whole == secret,
            (None, Some(hint)) => secret.starts_with(hint),
            (None, None) => true,
        })
        .collect();
    if fitting.is_empty() {
        return wrong();
    }
    let over = |one: &Value| {
        let end = one["endDateTime"].as_str();
        end.and_then(|end| OffsetDateTime::parse(end, &time::format_description::well_known::Rfc3339).ok())
            .is_some_and(|end| end <= now)
    };
    if fitting.into_iter().all(over) {
        let message = format!(
            "The provided client secret keys for app '{client}' are expired. Visit the Azure portal to create new keys for your \
             app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: \
             https://aka.ms/certCreds."
        );
        return Err(Refusal::client(7_000_222, message));
    }
    Ok(())
}

fn asserted(world: &World, ask: &Ask, client: &str, assertion: &str) -> Result<(), Refusal> {
    let said = claims(assertion).ok_or_else(|| Refusal::client(50_027, "JWT token is invalid or malformed."))?;
    let now = ask.now.unix_timestamp();
    let within =
        said["exp"].as_i64().is_some_and(|end| end > now - SKEW) && said["nbf"].as_i64().unwrap_or(0) <= now + SKEW;
    if !within {
        let message = "Client assertion is not within its valid time range. Review the documentation at \
                       https://learn.microsoft.com/entra/identity-platform/certificate-credentials.";
        return Err(Refusal::client(700_024, message));
    }
    let text = |name: &str| said[name].as_str().unwrap_or_default();
    if text("iss").eq_ignore_ascii_case(client) && text("sub").eq_ignore_ascii_case(client) {
        return certified(world, ask, &said);
    }
    let issuer = text("iss");
    if issuer.starts_with("https://sts.windows.net/") || issuer.starts_with("https://login.microsoftonline.com/") {
        let message = "AAD-issued tokens may not be used for federated identity flows.";
        return Err(Refusal::client(700_222, message));
    }
    federated(world, ask.now, client, &said)
}

/// How far the clocks of two machines may be apart, in seconds.
const SKEW: i64 = 300;

/// A certificate's assertion has to be meant for this endpoint.
fn certified(world: &World, ask: &Ask, said: &Value) -> Result<(), Refusal> {
    let meant = said["aud"].as_str().unwrap_or_default();
    let path = meant
        .strip_prefix(ask.base.as_str())
        .unwrap_or_default()
        .trim_matches('/')
        .to_ascii_lowercase();
    let tenant = path.split('/').next().unwrap_or_default();
    if world.tenant.eq_ignore_ascii_case(tenant) || ["common", "organizations"].contains(&tenant) {
        return Ok(());
    }
    let message = format!(
        "Client assertion audience claim does not match Realm issuer. Review the documentation at \
         https://learn.microsoft.com/entra/identity-platform/certificate-credentials. The audience was '{meant}'."
    );
    Err(Refusal::client(700_023, message))
}

/// An assertion of another issuer has to fit one federated credential, each part exactly.
fn federated(world: &World, now: OffsetDateTime, client: &str, said: &Value) -> Result<(), Refusal> {
    if world.directory.principal_of(client).is_none() && world.directory.of_application(client, "appId").is_none() {
        return Err(unknown_application(world, client));
    }
    let records = records(world, now, client);
    let none = |what: &str, value: &str, code: u32| {
        let message = format!(
            "No matching federated identity record found for presented assertion {what} '{value}'. Check your federated \
             identity credential Subject, Audience and Issuer against the presented assertion. \
             https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
        );
        Err(Refusal::client(code, message))
    };
    let text = |name: &str| said[name].as_str().unwrap_or_default();
    let same = |record: &&Value, name: &str, value: &str| record[name].as_str() == Some(value);
    let mut fitting: Vec<&Value> = records
        .iter()
        .filter(|record| same(record, "issuer", text("iss")))
        .collect();
    if fitting.is_empty() {
        return none("issuer", text("iss"), 700_211);
    }
    fitting.retain(|record| match record["claimsMatchingExpression"]["value"].as_str() {
        Some(expression) => matches(expression, said),
        None => same(record, "subject", text("sub")),
    });
    if fitting.is_empty() {
        return none("subject", text("sub"), 700_213);
    }
    let audiences: Vec<&str> = match &said["aud"] {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    fitting.retain(|record| {
        let wanted = record["audiences"].as_array().into_iter().flatten();
        wanted
            .filter_map(Value::as_str)
            .any(|wanted| audiences.contains(&wanted))
    });
    if fitting.is_empty() {
        return none("audience", &audiences.join(" "), 700_212);
    }
    Ok(())
}

/// The federated credentials of a client that every token endpoint knows by now.
fn records(world: &World, now: OffsetDateTime, client: &str) -> Vec<Value> {
    let identities = world.store.of_type("microsoft.managedidentity/userassignedidentities");
    let own = |document: &Value| {
        let id = document.pointer("/properties/clientId").and_then(Value::as_str);
        id.is_some_and(|id| id.eq_ignore_ascii_case(client))
    };
    let mut found: Vec<Value> = identities
        .filter(|(_, document)| own(document))
        .flat_map(|(key, _)| world.store.below(key))
        .filter(|(key, _)| key.contains("/federatedidentitycredentials/"))
        .filter(|(key, _)| {
            world
                .store
                .note(key)
                .changed
                .is_none_or(|changed| changed + world.lag <= now)
        })
        .map(|(_, document)| document["properties"].clone())
        .collect();
    let of_app = world.directory.of_application(client, "federatedIdentityCredentials");
    found.extend(of_app.and_then(Value::as_array).into_iter().flatten().cloned());
    found
}

/// A flexible credential's expression: `claims['sub'] matches 'repo:contoso/*'`, several joined by `and`.
fn matches(expression: &str, said: &Value) -> bool {
    let Ok(part) = regex::Regex::new(r"^\s*claims\['([^']+)'\]\s+(eq|matches)\s+'([^']*)'\s*$") else {
        return false;
    };
    expression.split(" and ").all(|text| {
        let Some(found) = part.captures(text) else { return false };
        let claim = said[&found[1]].as_str().unwrap_or_default();
        if &found[2] == "eq" {
            return claim == &found[3];
        }
        let pattern = regex::escape(&found[3]).replace(r"\*", ".*").replace(r"\?", ".");
        regex::Regex::new(&format!("^{pattern}$")).is_ok_and(|pattern| pattern.is_match(claim))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_flexible_credential_takes_what_its_expression_describes() {
        let said = json!({"sub": "repo:contoso/shop:ref:refs/heads/main", "job_workflow_ref": "contoso/x"});
        assert!(matches(
            "claims['sub'] matches 'repo:contoso/*:ref:refs/heads/main'",
            &said
        ));
        assert!(matches(
            "claims['sub'] matches 'repo:contoso/*' and claims['job_workflow_ref'] eq 'contoso/x'",
            &said
        ));
        assert!(!matches("claims['sub'] matches 'repo:fabrikam/*'", &said));
        assert!(!matches("claims['sub'] eq 'repo:contoso/*'", &said));
        assert!(!matches("anything else", &said));
    }
}
