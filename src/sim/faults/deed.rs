//! What a fault does to a request, a small type a kind; all of it is data, as `/_sim/faults` takes it.

use serde::Deserialize;
use serde_json::Value;

/// When the connection breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Break {
    /// Before the request took effect.
    Before,
    /// After it took effect, before the answer.
    After,
}

/// How the body of an answer is spoiled. Its status stands, and what the request did stays done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Spoil {
    /// `content-length` tells of more than is sent: the connection breaks in the middle of the body.
    Truncated,
    /// It is half of its JSON, of the length that it tells.
    Malformed,
    /// It is a web page, as of a proxy or a sign-in.
    Html,
    /// There is none.
    Empty,
}

/// Why the token of a request no longer serves. It is refused from then on, and another one is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenTrouble {
    /// It has expired on its way.
    Expired,
    /// Continuous access evaluation asks for one with further claims.
    Claims,
}

/// Where the links of an answer lead: its next page, the state of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Links {
    /// The next page is the page itself.
    Repeat,
    /// To another host: `https://host`, with path and query as they were.
    Elsewhere(String),
}

impl TryFrom<String> for Links {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "repeat" => Ok(Self::Repeat),
            host => host_of(host).map(Self::Elsewhere),
        }
    }
}

/// Another host that a request is sent on to, as `https://host`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Host(pub String);

impl TryFrom<String> for Host {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        host_of(&text).map(Self)
    }
}

fn host_of(text: &str) -> Result<String, String> {
    match url::Url::parse(text) {
        Ok(url) if url.has_host() => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err(format!("\"{text}\" is not the URL of a host")),
    }
}

/// What a fault does. Everything that is given is done, in the order of the members here.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Deed {
    /// Delays the request, in milliseconds, before anything else happens to it.
    #[serde(default)]
    pub delay_ms: Option<u64>,
    /// Breaks the connection.
    #[serde(default)]
    pub reset: Option<Break>,
    /// Sends the client on to this host with 307; nothing takes effect.
    #[serde(default)]
    pub redirect: Option<Host>,
    /// Answers with this status; nothing takes effect, unless `took_effect` says so.
    #[serde(default)]
    pub status: Option<u16>,
    /// Whether the request takes effect before `status` is answered, as behind a gateway that lost patience.
    #[serde(default)]
    pub took_effect: bool,
    /// `Retry-After` of that answer, in seconds.
    #[serde(default)]
    pub retry_after: Option<u64>,
    /// `Retry-After` of that answer as an HTTP date, so many seconds after the answer's own `Date`.
    #[serde(default)]
    pub retry_after_date: Option<i64>,
    /// The error code of that answer.
    #[serde(default)]
    pub code: Option<String>,
    /// The error message of that answer.
    #[serde(default)]
    pub message: Option<String>,
    /// The body of that answer, instead of code and message.
    #[serde(default)]
    pub body: Option<Value>,
    /// Refuses the token, now and from now on.
    #[serde(default)]
    pub token: Option<TokenTrouble>,
    /// Answers a read as things stood so many seconds ago.
    #[serde(default)]
    pub stale: Option<f64>,
    /// The operation that the request begins does not end before the faults are cleared.
    #[serde(default)]
    pub endless: bool,
    /// How far the clock is off by which the answer is dated, and a token's life is reckoned, in seconds.
    #[serde(default)]
    pub clock_skew: Option<i64>,
    /// Where the answer's links lead.
    #[serde(default)]
    pub links: Option<Links>,
    /// How the answer's body is spoiled.
    #[serde(default)]
    pub answer: Option<Spoil>,
    /// Sends the answer's body in 64 pieces, with so many milliseconds before each.
    #[serde(default)]
    pub drip_ms: Option<u64>,
}

impl Deed {
    /// The status that is answered instead of what the request asks for.
    pub fn instead(&self) -> Option<u16> {
        self.status.filter(|_| !self.took_effect)
    }

    /// The clock's moment that this fault makes of `now`.
    pub fn clock(&self, now: time::OffsetDateTime) -> time::OffsetDateTime {
        now + time::Duration::seconds(self.clock_skew.unwrap_or(0))
    }
}
