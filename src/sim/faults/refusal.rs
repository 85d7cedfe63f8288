//! Answers that a fault gives instead of the service's own.

use super::Deed;
use crate::sim::arm::fail::fail;
use crate::sim::{Answer, Ask, headers};

/// The answer with the status that a fault asks for.
pub fn injected(status: u16, deed: &Deed, now: time::OffsetDateTime) -> Answer {
    let (code, message) = match status {
        429 => ("TooManyRequests", "The request was throttled."),
        500 => ("InternalServerError", "The server encountered an internal error."),
        502 => ("BadGateway", "The gateway did not get a good answer."),
        503 => ("ServiceUnavailable", "The service is temporarily unavailable."),
        504 => (
            "GatewayTimeout",
            "The gateway did not receive a response from the provider within the specified time period.",
        ),
        _ => ("InjectedFault", "A fault that was asked for."),
    };
    let code = deed.code.as_deref().unwrap_or(code);
    let message = deed.message.as_deref().unwrap_or(message);
    let mut answer = fail(status, code, message);
    if let Some(body) = &deed.body {
        answer.body = Some(body.clone());
    }
    let date = deed
        .retry_after_date
        .map(|seconds| headers::date(deed.clock(now) + time::Duration::seconds(seconds)));
    match date.or(deed.retry_after.map(|seconds| seconds.to_string())) {
        Some(wait) => answer.with("retry-after", wait),
        None => answer,
    }
}

/// The answer that sends the client on to another host.
pub fn redirected(host: &str, ask: &Ask, target: &str) -> Answer {
    let target = target.strip_prefix(&ask.base).unwrap_or(target);
    Answer::empty(307).with("location", format!("{host}{target}"))
}
