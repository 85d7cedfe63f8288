//! What the front doors (ARM, Microsoft Graph, Resource Graph, tokens, data planes) share: a request as it was
//! asked, who asks, and an answer as it will be sent.

use serde_json::Value;

/// A request, read wholly and not yet looked into.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The HTTP method.
    pub method: http::Method,
    /// The path as it came over the wire, percent-encoded, without query.
    pub path: String,
    /// The query's names and values, decoded, in order.
    pub query: Vec<(String, String)>,
    /// The request's headers.
    pub headers: http::HeaderMap,
    /// The body where there is one and it is JSON; a form as an object of texts.
    pub body: Option<Value>,
    /// Scheme and authority that the client called, without a slash at the end: `http://127.0.0.1:PORT`.
    pub base: String,
    /// Who asks.
    pub caller: Caller,
    /// When it was asked, UTC.
    pub now: time::OffsetDateTime,
}

/// The principal behind a request's token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The object id of the principal.
    pub principal: String,
    /// The application's id, where the principal is a service principal.
    pub app_id: Option<String>,
    /// The audience that the token was asked for.
    pub audience: String,
}

/// An answer before it is put on the wire.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers beyond those that every answer of the service has.
    pub headers: Vec<(String, String)>,
    /// The JSON body; none for an empty one.
    pub body: Option<Value>,
}

impl Answer {
    /// An answer with a JSON body.
    pub fn json(status: u16, body: Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Some(body),
        }
    }

    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: None,
        }
    }

    /// The same answer with one header more.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

impl Ask {
    /// The value of a query parameter, whose name is compared without case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The value of a header, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}
