//! What clients read before they ask for a token: the OpenID configuration, and who shares an authority.

use serde_json::json;

use super::entra::known_tenant;
use crate::sim::world::World;
use crate::sim::{Answer, Ask};

/// The keys that sign tokens: none, since nobody outside verifies the simulator's.
pub fn keys() -> Answer {
    Answer::json(200, json!({"keys": []}))
}

/// The OpenID configuration of a tenant.
pub fn openid(world: &World, ask: &Ask, tenant: &str, modern: bool) -> Answer {
    if let Err(refusal) = known_tenant(world, tenant) {
        return refusal.answer(ask);
    }
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

/// Instance discovery: which hosts are one authority.
pub fn instance(ask: &Ask) -> Answer {
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
