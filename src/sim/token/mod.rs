//! Tokens: the endpoints that give them, and what a token that comes back says.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};

use super::arm::fail::fail;
use super::faults::TokenTrouble;
use super::world::{CLIENT, World};
use super::{Answer, Ask};

const MANAGEMENT: [&str; 2] = ["https://management.core.windows.net", "https://management.azure.com"];
/// What signs tokens: no secret, but enough to tell ours from others.
const SIGNER: &str = "ferry-simulator";

/// Answers where the path is that of a token or discovery endpoint.
pub fn answer(world: &World, ask: &Ask) -> Option<Answer> {
    let path = ask.path.trim_end_matches('/').to_ascii_lowercase();
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    match segments.as_slice() {
        ["msi", "token"] => Some(app_service(world, ask)),
        ["metadata", "identity", "oauth2", "token"] => Some(instance(world, ask)),
        [_, "discovery", "instance"] => Some(discovery(ask)),
        [tenant, "oauth2", "v2.0", "token"] => Some(issue(world, ask, tenant, true)),
        [tenant, "oauth2", "token"] => Some(issue(world, ask, tenant, false)),
        [tenant, "v2.0", ".well-known", "openid-configuration"] => Some(openid(world, ask, tenant, true)),
        [tenant, ".well-known", "openid-configuration"] => Some(openid(world, ask, tenant, false)),
        [_, "discovery", "keys"] | [_, "discovery", "v2.0", "keys"] => Some(Answer::json(200, json!({"keys": []}))),
        _ => None,
    }
}

fn text(ask: &Ask, name: &str) -> Option<String> {
    let form = ask
        .body
        .as_ref()
        .and_then(|body| body[name].as_str())
        .map(str::to_owned);
    form.or_else(|| ask.parameter(name).map(str::to_owned))
        .filter(|text| !text.is_empty())
}

fn sign(header: &str, payload: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{SIGNER}.{header}.{payload}")))
}

/// A token for the caller of this estate.
fn make(world: &World, audience: &str, life: i64, now: OffsetDateTime, client: Option<&str>, managed: bool) -> String {
    let (caller, tenant) = (world.caller(), &world.tenant);
    let issuer = format!("https://sts.windows.net/{tenant}/");
    let mut claims = json!({
        "aud": audience,
        "iss": issuer,
        "iat": now.unix_timestamp() - 300,
        "nbf": now.unix_timestamp() - 300,
        "exp": now.unix_timestamp() + life,
        "aio": "k2BgYFhSGc8=",
        "appid": client.unwrap_or(CLIENT),
        "appidacr": "2",
        "idp": issuer,
        "idtyp": "app",
        "oid": caller,
        "rh": "1.AAAA.",
        "sub": caller,
        "tid": tenant,
        "uti": URL_SAFE_NO_PAD.encode(uuid::Uuid::new_v4().as_bytes()),
        "ver": "1.0",
        "xms_tcdt": 1_600_000_000,
    });
    if managed {
        let identity = world
            .store
            .of_type("microsoft.managedidentity/userassignedidentities")
            .find(|(_, document)| {
                document
                    .pointer("/properties/principalId")
                    .and_then(Value::as_str)
                    .is_some_and(|p| p.eq_ignore_ascii_case(&caller))
            });
        if let Some((_, document)) = identity {
            claims["xms_mirid"] = document["id"].clone();
            claims["appid"] = document["properties"]["clientId"].clone();
        }
        claims["xms_idrel"] = json!("7 10");
    }
    let header =
        URL_SAFE_NO_PAD.encode(json!({"typ": "JWT", "alg": "RS256", "x5t": SIGNER, "kid": SIGNER}).to_string());
    let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
    let signature = sign(&header, &payload);
    format!("{header}.{payload}.{signature}")
}

/// The App Service form: `expires_on` as a text, no `expires_in`.
fn app_service(world: &World, ask: &Ask) -> Answer {
    let Some(resource) = text(ask, "resource") else {
        return Answer::json(
            400,
            json!({"statusCode": 400, "message": "The parameter 'resource' is required."}),
        );
    };
    let life = 86_399;
    let client = text(ask, "client_id").or_else(|| text(ask, "clientid"));
    let token = make(world, &resource, life, ask.now, client.as_deref(), true);
    let expires = (ask.now.unix_timestamp() + life).to_string();
    Answer::json(
        200,
        json!({
            "access_token": token,
            "expires_on": expires,
            "resource": resource,
            "token_type": "Bearer",
            "client_id": client.unwrap_or_else(|| CLIENT.to_owned()),
        }),
    )
}

/// The form of the instance metadata service: every value a text.
fn instance(world: &World, ask: &Ask) -> Answer {
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
    let life = 86_399;
    let client = text(ask, "client_id");
    Answer::json(
        200,
        json!({
            "access_token": make(world, &resource, life, ask.now, client.as_deref(), true),
            "client_id": client.unwrap_or_else(|| CLIENT.to_owned()),
            "expires_in": life.to_string(),
            "expires_on": (ask.now.unix_timestamp() + life).to_string(),
            "ext_expires_in": life.to_string(),
            "not_before": (ask.now.unix_timestamp() - 300).to_string(),
            "resource": resource,
            "token_type": "Bearer",
        }),
    )
}

/// A refusal of the token endpoint.
fn refuse(ask: &Ask, status: u16, error: &str, code: u32, message: &str) -> Answer {
    let stamp = ask
        .now
        .format(time::macros::format_description!(
            "[year]-[month]-[day] [hour]:[minute]:[second]Z"
        ))
        .unwrap_or_default();
    let (trace, correlation) = (uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
    Answer::json(
        status,
        json!({
            "error": error,
            "error_description":
                format!("AADSTS{code}: {message} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}"),
            "error_codes": [code],
            "timestamp": stamp,
            "trace_id": trace.to_string(),
            "correlation_id": correlation.to_string(),
            "error_uri": format!("{}/error?code={code}", ask.base),
        }),
    )
}

fn issue(world: &World, ask: &Ask, tenant: &str, modern: bool) -> Answer {
    let known = [
        world.tenant.to_ascii_lowercase(),
        "common".into(),
        "organizations".into(),
    ];
    if !known.contains(&tenant.to_owned()) && uuid::Uuid::try_parse(tenant).is_ok() {
        return refuse(
            ask,
            400,
            "invalid_request",
            90_002,
            &format!("Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID."),
        );
    }
    let Some(client) = text(ask, "client_id") else {
        return refuse(
            ask,
            400,
            "invalid_request",
            900_144,
            "The request body must contain the following parameter: 'client_id'.",
        );
    };
    let audience = if modern {
        let scope = text(ask, "scope").unwrap_or_default();
        let wanted = scope
            .split_whitespace()
            .find(|part| part.contains("/.default"))
            .map(str::to_owned);
        match wanted {
            Some(wanted) => wanted
                .trim_end_matches(".default")
                .strip_suffix('/')
                .unwrap_or(&wanted)
                .to_owned(),
            None => {
                return refuse(
                    ask,
                    400,
                    "invalid_scope",
                    1_002_012,
                    &format!(
                        "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
                    ),
                );
            }
        }
    } else {
        match text(ask, "resource") {
            Some(resource) => resource,
            None => {
                return refuse(
                    ask,
                    400,
                    "invalid_request",
                    900_144,
                    "The request body must contain the following parameter: 'resource'.",
                );
            }
        }
    };
    if world.strict {
        if text(ask, "client_secret").is_none()
            && text(ask, "client_assertion").is_none()
            && text(ask, "refresh_token").is_none()
        {
            return refuse(
                ask,
                401,
                "invalid_client",
                7_000_218,
                "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
            );
        }
        let expired = text(ask, "client_assertion")
            .and_then(|assertion| claims(&assertion))
            .and_then(|claims| claims["exp"].as_i64());
        if expired.is_some_and(|exp| exp < ask.now.unix_timestamp()) {
            return refuse(
                ask,
                401,
                "invalid_client",
                700_024,
                "Client assertion is not within its valid time range.",
            );
        }
    }
    let life = 3599;
    let token = make(world, &audience, life, ask.now, Some(&client), false);
    if modern {
        return Answer::json(
            200,
            json!({"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": token}),
        );
    }
    Answer::json(
        200,
        json!({
            "token_type": "Bearer",
            "expires_in": life.to_string(),
            "ext_expires_in": life.to_string(),
            "expires_on": (ask.now.unix_timestamp() + life).to_string(),
            "not_before": (ask.now.unix_timestamp() - 300).to_string(),
            "resource": audience,
            "access_token": token,
        }),
    )
}

fn openid(world: &World, ask: &Ask, tenant: &str, modern: bool) -> Answer {
    let base = &ask.base;
    let own = if ["common", "organizations"].contains(&tenant) {
        "{tenantid}"
    } else {
        world.tenant.as_str()
    };
    let word = if modern { "oauth2/v2.0" } else { "oauth2" };
    let issuer = if modern {
        format!("{base}/{own}/v2.0")
    } else {
        format!("https://sts.windows.net/{own}/")
    };
    Answer::json(
        200,
        json!({
            "token_endpoint": format!("{base}/{tenant}/{word}/token"),
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": format!("{base}/{tenant}/discovery/v2.0/keys"),
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": issuer,
            "request_uri_parameter_supported": false,
            "userinfo_endpoint": format!("{base}/oidc/userinfo"),
            "authorization_endpoint": format!("{base}/{tenant}/{word}/authorize"),
            "device_authorization_endpoint": format!("{base}/{tenant}/{word}/devicecode"),
            "http_logout_supported": true,
            "frontchannel_logout_supported": true,
            "end_session_endpoint": format!("{base}/{tenant}/{word}/logout"),
            "claims_supported": ["sub", "iss", "aud", "exp", "iat", "oid", "tid", "ver"],
            "kerberos_endpoint": format!("{base}/{tenant}/kerberos"),
            "tenant_region_scope": "EU",
            "cloud_instance_name": "microsoftonline.com",
            "cloud_graph_host_name": "graph.windows.net",
            "msgraph_host": "graph.microsoft.com",
            "rbac_url": "https://pas.windows.net",
        }),
    )
}

fn discovery(ask: &Ask) -> Answer {
    let host = ask.base.split("://").nth(1).unwrap_or_default();
    let asked = ask.parameter("authorization_endpoint").unwrap_or_default();
    if !asked.is_empty() && !asked.contains(host) && !asked.contains("login.microsoftonline.com") {
        return Answer::json(400, json!({"error": "invalid_instance"}));
    }
    Answer::json(
        200,
        json!({
            "tenant_discovery_endpoint": format!("{}/common/v2.0/.well-known/openid-configuration", ask.base),
            "api-version": "1.1",
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        }),
    )
}

fn claims(token: &str) -> Option<Value> {
    let payload = token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?).ok()
}

/// Which service a token has to be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plane {
    /// Azure Resource Manager.
    Arm,
    /// Microsoft Graph.
    Graph,
    /// A data plane: any audience.
    Data,
}

/// The audience of the request's token.
///
/// # Errors
/// 401 where there is none, and, where tokens are looked into, where it is not ours, is over, or is for another service.
pub fn check(world: &World, ask: &Ask, plane: Plane) -> Result<String, Answer> {
    let Some(header) = ask.header("authorization") else {
        return Err(challenge(
            world,
            plane,
            "AuthenticationFailed",
            "Authentication failed. The 'Authorization' header is missing.",
        ));
    };
    let token = header
        .split_once(' ')
        .filter(|(word, token)| word.eq_ignore_ascii_case("bearer") && !token.trim().is_empty());
    let Some((_, token)) = token else {
        return Err(challenge(
            world,
            plane,
            "AuthenticationFailedInvalidHeader",
            "Authentication failed. The 'Authorization' header is provided in an invalid format.",
        ));
    };
    let token = token.trim();
    let found = claims(token);
    let audience = found
        .as_ref()
        .and_then(|claims| claims["aud"].as_str())
        .unwrap_or_default()
        .to_owned();
    if !world.strict {
        return Ok(audience);
    }
    let parts: Vec<&str> = token.split('.').collect();
    let ours = matches!(parts.as_slice(), [header, payload, signature] if sign(header, payload) == *signature);
    let Some(found) = found.filter(|_| ours) else {
        return Err(challenge(
            world,
            plane,
            "InvalidAuthenticationToken",
            "The access token is invalid.",
        ));
    };
    let end =
        OffsetDateTime::from_unix_timestamp(found["exp"].as_i64().unwrap_or(0)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    if end + Duration::seconds(0) < ask.now {
        let stamp = |at: OffsetDateTime| {
            at.format(&time::format_description::well_known::Rfc2822)
                .unwrap_or_default()
        };
        let message = format!(
            "The access token expiry UTC time '{}' is earlier than current UTC time '{}'.",
            stamp(end),
            stamp(ask.now)
        );
        return Err(challenge(world, plane, "ExpiredAuthenticationToken", &message));
    }
    let bare = audience.trim_end_matches('/');
    let fits = match plane {
        Plane::Arm => MANAGEMENT.contains(&bare) || bare == ask.base,
        Plane::Graph => [
            "https://graph.microsoft.com",
            "00000003-0000-0000-c000-000000000000",
            ask.base.as_str(),
        ]
        .contains(&bare),
        Plane::Data => true,
    };
    if fits {
        return Ok(audience);
    }
    let message = format!(
        "The access token has been obtained for wrong audience or resource '{audience}'. It should exactly match with one of the \
         allowed audiences 'https://management.core.windows.net/','https://management.core.windows.net',\
         'https://management.azure.com/','https://management.azure.com'."
    );
    Err(challenge(world, plane, "InvalidAuthenticationTokenAudience", &message))
}

/// The refusal of a token that a fault has spoiled.
pub fn trouble(world: &World, ask: &Ask, plane: Plane, why: TokenTrouble) -> Answer {
    let stamp = ask
        .now
        .format(&time::format_description::well_known::Rfc2822)
        .unwrap_or_default();
    match why {
        TokenTrouble::Expired => challenge(
            world,
            plane,
            "ExpiredAuthenticationToken",
            &format!("The access token expiry UTC time '{stamp}' is earlier than current UTC time '{stamp}'."),
        ),
        TokenTrouble::Claims => {
            let wanted =
                json!({"access_token": {"nbf": {"essential": true, "value": ask.now.unix_timestamp().to_string()}}});
            let claims = base64::engine::general_purpose::STANDARD.encode(wanted.to_string());
            fail(
                401,
                "InvalidAuthenticationToken",
                "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: \
                 TokenIssuedBeforeRevocationTimestamp",
            )
            .with(
                "www-authenticate",
                format!(
                    "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", \
                     client_id=\"00000003-0000-0000-c000-000000000000\", error=\"insufficient_claims\", claims=\"{claims}\""
                ),
            )
        }
    }
}

fn challenge(world: &World, plane: Plane, code: &str, message: &str) -> Answer {
    if plane == Plane::Graph {
        let id = uuid::Uuid::new_v4().to_string();
        let text = match code {
            "AuthenticationFailed" | "AuthenticationFailedInvalidHeader" => "Access token is empty.",
            "ExpiredAuthenticationToken" => "Lifetime validation failed, the token is expired.",
            "InvalidAuthenticationTokenAudience" => "Access token validation failure. Invalid audience.",
            _ => "CompactToken parsing failed with error code: 80049217",
        };
        let body = json!({"error": {"code": "InvalidAuthenticationToken", "message": text,
            "innerError": {"request-id": id, "client-request-id": id}}});
        return Answer::json(401, body).with(
            "www-authenticate",
            "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", \
             client_id=\"00000003-0000-0000-c000-000000000000\"",
        );
    }
    let description = if code == "AuthenticationFailed" {
        "The authentication failed because of missing 'Authorization' header.".to_owned()
    } else {
        message.replace('"', "'")
    };
    fail(401, code, message).with(
        "www-authenticate",
        format!(
            "Bearer authorization_uri=\"https://login.windows.net/{}\", error=\"invalid_token\", error_description=\"{description}\"",
            world.tenant
        ),
    )
}
