//! The token of a request: whether there is one that serves, and who asks by it.

use base64::Engine as _;
use serde_json::json;
use time::OffsetDateTime;

use super::made::{claims, is_ours};
use crate::sim::arm::fail::fail;
use crate::sim::faults::TokenTrouble;
use crate::sim::world::World;
use crate::sim::{Answer, Ask};

const MANAGEMENT: [&str; 2] = ["https://management.core.windows.net", "https://management.azure.com"];

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

/// What the token of a request says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// Whom it was asked for.
    pub audience: String,
    /// The principal and the application that it stands for, where tokens are told apart; else the caller of the estate.
    pub who: Option<(String, String)>,
}

/// What the request's token says.
///
/// # Errors
/// 401 where there is none, and, where tokens are looked into, where it is not ours, is over, or is for another service.
pub fn check(world: &World, ask: &Ask, plane: Plane) -> Result<Checked, Answer> {
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
        return Ok(Checked { audience, who: None });
    }
    let Some(found) = found.filter(|_| is_ours(token)) else {
        return Err(challenge(
            world,
            plane,
            "InvalidAuthenticationToken",
            "The access token is invalid.",
        ));
    };
    let end =
        OffsetDateTime::from_unix_timestamp(found["exp"].as_i64().unwrap_or(0)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    if end < ask.now {
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
        let text = |name: &str| found[name].as_str().map(str::to_owned);
        let who = text("oid").zip(text("appid"));
        return Ok(Checked { audience, who });
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
