//! The token endpoint of Entra ID: client credentials, in the forms of both versions.

use serde_json::json;

use super::made::{Proof, Who, make};
use super::{proof, text};
use crate::sim::world::World;
use crate::sim::{Answer, Ask};

/// How long tokens of service principals last, unless told.
const LIFE: i64 = 3599;
/// What a resource that exists ends in, here where nobody can register another.
const RESOURCES: [&str; 12] = [
    "azure.com",
    "azure.net",
    "azure.cn",
    "azure.us",
    "windows.net",
    "microsoft.com",
    "microsoft.us",
    "chinacloudapi.cn",
    "usgovcloudapi.net",
    "loganalytics.io",
    "applicationinsights.io",
    "azuresynapse.net",
];

/// Why no token is given.
#[derive(Debug)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// OAuth's word for it.
    pub error: &'static str,
    /// The number of `AADSTS`.
    pub code: u32,
    /// The text behind it.
    pub message: String,
}

impl Refusal {
    /// A refusal with status 400.
    pub fn bad(error: &'static str, code: u32, message: impl Into<String>) -> Self {
        Self {
            status: 400,
            error,
            code,
            message: message.into(),
        }
    }

    /// A refusal of the client's proof.
    pub fn client(code: u32, message: impl Into<String>) -> Self {
        Self {
            status: 401,
            ..Self::bad("invalid_client", code, message)
        }
    }

    /// The refusal as the endpoint words it.
    pub fn answer(self, ask: &Ask) -> Answer {
        let stamp = ask
            .now
            .format(time::macros::format_description!(
                "[year]-[month]-[day] [hour]:[minute]:[second]Z"
            ))
            .unwrap_or_default();
        let (trace, correlation) = (uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
        let Self {
            status,
            error,
            code,
            message,
        } = self;
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
}

/// Answers the token endpoint of a tenant; `modern` for version 2, which takes `scope` instead of `resource`.
pub fn issue(world: &World, ask: &Ask, tenant: &str, modern: bool) -> Answer {
    granted(world, ask, tenant, modern).unwrap_or_else(|refusal| refusal.answer(ask))
}

/// Whether the tenant is the estate's, or a word for any. The estate does not list domain names, so each may be its.
///
/// # Errors
/// AADSTS90002 for the id of another.
pub fn known_tenant(world: &World, tenant: &str) -> Result<(), Refusal> {
    if uuid::Uuid::try_parse(tenant).is_err() || world.tenant.eq_ignore_ascii_case(tenant) {
        return Ok(());
    }
    let message = format!(
        "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. \
         Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant."
    );
    Err(Refusal::bad("invalid_request", 90_002, message))
}

fn need(ask: &Ask, name: &str) -> Result<String, Refusal> {
    text(ask, name).ok_or_else(|| {
        let message = format!("The request body must contain the following parameter: '{name}'.");
        Refusal::bad("invalid_request", 900_144, message)
    })
}

fn granted(world: &World, ask: &Ask, tenant: &str, modern: bool) -> Result<Answer, Refusal> {
    if ask.method != http::Method::POST {
        let message = format!(
            "The endpoint only accepts POST requests. Received a {} request.",
            ask.method
        );
        return Err(Refusal::bad("invalid_request", 900_561, message));
    }
    known_tenant(world, tenant)?;
    let client = need(ask, "client_id")?;
    let grant = need(ask, "grant_type")?;
    if grant != "client_credentials" {
        // People sign in nowhere here.
        let message = format!("The app requested an unsupported grant type '{grant}'.");
        return Err(Refusal::bad("unsupported_grant_type", 70_003, message));
    }
    let audience = if modern {
        from_scope(ask)?
    } else {
        need(ask, "resource")?
    };
    if world.directory.is_gone(&client) {
        return Err(unknown_application(world, &client));
    }
    let mut proof = Proof::Secret;
    if world.strict {
        proof = proof::check(world, ask, &client)?;
        if !exists(&audience, ask) {
            let message = format!(
                "The resource principal named {audience} was not found in the tenant named {}. This can happen if the \
                 application has not been installed by the administrator of the tenant or consented to by any user in the \
                 tenant. You might have sent your authentication request to the wrong tenant.",
                world.tenant
            );
            return Err(Refusal::bad("invalid_resource", 500_011, message));
        }
    } else if text(ask, "client_assertion").is_some() {
        proof = Proof::Assertion;
    }
    let life = world.token_life(LIFE);
    let token = make(world, &Who::client(world, &client), &audience, life, ask.now, proof);
    if modern {
        let body = json!({"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": token});
        return Ok(Answer::json(200, body));
    }
    Ok(Answer::json(
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
    ))
}

/// The refusal of an application that the directory does not know.
pub fn unknown_application(world: &World, client: &str) -> Refusal {
    let message = format!(
        "Application with identifier '{client}' was not found in the directory '{}'. This can happen if the application has \
         not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent \
         your authentication request to the wrong tenant.",
        world.tenant
    );
    Refusal::bad("unauthorized_client", 700_016, message)
}

/// The audience that a scope asks for: what stands before `/.default`, with the slash that it may end in.
fn from_scope(ask: &Ask) -> Result<String, Refusal> {
    let scope = need(ask, "scope")?;
    let wanted = scope.split_whitespace().find_map(|part| part.strip_suffix("/.default"));
    wanted.filter(|wanted| !wanted.is_empty()).map(str::to_owned).ok_or_else(|| {
        let message = format!(
            "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default \
             suffixed to the resource identifier (application ID URI)."
        );
        Refusal::bad("invalid_scope", 1_002_012, message)
    })
}

/// Whether a token can be for this audience: a service of Azure's, this very endpoint, or an application by its id.
fn exists(audience: &str, ask: &Ask) -> bool {
    let bare = audience.trim_end_matches('/');
    let rest = bare.split_once("://").map_or(bare, |(_, rest)| rest);
    let host = rest.split(['/', ':']).next().unwrap_or_default().to_ascii_lowercase();
    bare == ask.base
        || uuid::Uuid::try_parse(bare.trim_start_matches("api://")).is_ok()
        || RESOURCES.iter().any(|suffix| {
            host.strip_suffix(suffix)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
}
