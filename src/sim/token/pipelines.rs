//! Azure Pipelines: where a job exchanges its access token for an assertion of its service connection.

use serde_json::json;

use super::made::encode;
use super::text;
use crate::sim::{Answer, Ask};

/// How long an assertion lasts: ten minutes.
const LIFE: i64 = 600;

/// `POST …/oidctoken?serviceConnectionId=…`. Azure Pipelines names the connection in the subject; the simulator, which
/// knows none, puts the id there.
pub fn assertion(ask: &Ask, organization: &str) -> Answer {
    let refused = |status: u16, why: &str| Answer::json(status, json!({"$id": "1", "message": why}));
    if ask.method != http::Method::POST {
        return refused(405, "The requested resource does not support this http method.");
    }
    let bearer = ask.header("authorization").and_then(|text| text.split_once(' '));
    if bearer.is_none_or(|(word, token)| !word.eq_ignore_ascii_case("bearer") || token.trim().is_empty()) {
        return refused(401, "TF400813: The user is not authorized to access this resource.");
    }
    let Some(connection) = text(ask, "serviceConnectionId") else {
        return refused(400, "The parameter 'serviceConnectionId' is missing.");
    };
    let project = ask.path.trim_start_matches('/').split('/').nth(1).unwrap_or_default();
    let now = ask.now.unix_timestamp();
    let claims = json!({
        "jti": uuid::Uuid::new_v4().to_string(),
        "sub": format!("sc://{organization}/{project}/{connection}"),
        "aud": "api://AzureADTokenExchange",
        "iss": format!("https://vstoken.dev.azure.com/{organization}"),
        "nbf": now,
        "iat": now,
        "exp": now + LIFE,
    });
    let header = json!({"typ": "JWT", "alg": "RS256", "kid": "pipelines"});
    Answer::json(200, json!({"oidcToken": encode(&header, &claims)}))
}
