//! Tokens themselves: whom they are for, what they claim, and how they are told from others.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::sim::graph::GLOBAL_ADMINISTRATOR;
use crate::sim::world::{CLIENT, World};
use crate::types::is_loopback;

/// What signs tokens: no secret, but enough to tell ours from others.
const SIGNER: &str = "ferry-simulator";

/// Templates of the directory roles of the owner of everything: Global Administrator, and Attribute Assignment
/// Administrator, since custom security attributes are not even the former's.
const OWNS_ALL: [&str; 2] = [GLOBAL_ADMINISTRATOR, "58a13ea3-c632-46ae-9ee0-9c0d43cd7f3d"];

/// Whom a token is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The object id of the principal.
    pub principal: String,
    /// The id of its application.
    pub app: String,
    /// The resource that it is the managed identity of, where it is one.
    pub resource: Option<String>,
}

impl Who {
    /// The caller of this estate, under the id of the application that was asked for, if any.
    pub fn operator(world: &World, app: Option<&str>) -> Self {
        let principal = world.caller();
        let own = world.directory.app_of(&principal);
        Self {
            app: own
                .or_else(|| app.map(str::to_owned))
                .unwrap_or_else(|| CLIENT.to_owned()),
            resource: world.directory.resource_of(&principal),
            principal,
        }
    }

    /// The service principal of an application, where tokens are told apart and the directory has one; else the caller
    /// of this estate.
    pub fn client(world: &World, app: &str) -> Self {
        match world.directory.principal_of(app).filter(|_| world.strict) {
            Some(principal) => Self::principal(world, &principal),
            None => Self::operator(world, Some(app)),
        }
    }

    /// The service principal with this object id.
    pub fn principal(world: &World, principal: &str) -> Self {
        Self {
            principal: principal.to_owned(),
            app: world.directory.app_of(principal).unwrap_or_else(|| CLIENT.to_owned()),
            resource: world.directory.resource_of(principal),
        }
    }
}

/// How a client has proved itself, as the claim `appidacr` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// A secret.
    Secret,
    /// A certificate or an assertion; managed identities too.
    Assertion,
}

/// A token for `who`, to be shown to `audience`, that ends `life` seconds from now.
pub fn make(world: &World, who: &Who, audience: &str, life: i64, now: OffsetDateTime, proof: Proof) -> String {
    let issuer = format!("https://sts.windows.net/{}/", world.tenant);
    let mut claims = json!({
        "aud": audience,
        "iss": issuer,
        "iat": now.unix_timestamp() - 300,
        "nbf": now.unix_timestamp() - 300,
        "exp": now.unix_timestamp() + life,
        "aio": "k2BgYFhSGc8=",
        "appid": who.app,
        "appidacr": if proof == Proof::Secret { "1" } else { "2" },
        "idp": issuer,
        "idtyp": "app",
        "oid": who.principal,
        "rh": "1.AAAA.",
        "sub": who.principal,
        "tid": world.tenant,
        "uti": URL_SAFE_NO_PAD.encode(uuid::Uuid::new_v4().as_bytes()),
        "ver": "1.0",
        "xms_tcdt": 1_600_000_000,
    });
    if let Some(resource) = &who.resource {
        claims["xms_mirid"] = json!(resource);
        claims["xms_idrel"] = json!("7 10");
    }
    if is_graph(audience) {
        directory_rights(world, who, &mut claims);
    }
    let header = json!({"typ": "JWT", "alg": "RS256", "x5t": SIGNER, "kid": SIGNER});
    encode(&header, &claims)
}

/// Whether an audience is Microsoft Graph: its own name, or this very endpoint, which is Graph here.
fn is_graph(audience: &str) -> bool {
    audience.contains("://graph.") || url::Url::parse(audience).is_ok_and(|url| is_loopback(&url))
}

/// What a token for Graph says of rights: `roles`, the app roles of Graph that the caller holds, and `wids`, the templates
/// of its directory roles. One who holds nothing there has neither.
fn directory_rights(world: &World, who: &Who, claims: &mut Value) {
    let (roles, templates) = if world.operator.is_none() && who.principal == world.caller() {
        (Vec::new(), OWNS_ALL.map(str::to_owned).to_vec())
    } else {
        let directory = &world.directory;
        (
            directory.graph_permissions_of(&who.principal),
            directory.role_templates_of(&who.principal),
        )
    };
    for (claim, held) in [("roles", roles), ("wids", templates)] {
        if !held.is_empty() {
            claims[claim] = json!(held);
        }
    }
}

/// A JWT of header and claims, signed as all of ours are.
pub fn encode(header: &Value, claims: &Value) -> String {
    let header = URL_SAFE_NO_PAD.encode(header.to_string());
    let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
    let signature = sign(&header, &payload);
    format!("{header}.{payload}.{signature}")
}

fn sign(header: &str, payload: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{SIGNER}.{header}.{payload}")))
}

/// Whether this simulator made the token.
pub fn is_ours(token: &str) -> bool {
    let parts: Vec<&str> = token.split('.').collect();
    matches!(parts.as_slice(), [header, payload, signature] if sign(header, payload) == *signature)
}

/// The claims of a JWT, unverified.
pub fn claims(token: &str) -> Option<Value> {
    let payload = token.split('.').nth(1)?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?).ok()?;
    claims.is_object().then_some(claims)
}
