//! What is asked of Azure and what it answers, as plain data.

use std::fmt;
use std::time::Duration;

use http::Method;
use serde_json::Value;

/// Which endpoint of the cloud a request goes to, and so which token it carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plane {
    /// Azure Resource Manager.
    Arm,
    /// Microsoft Graph.
    Graph,
    /// A service's own host.
    Data {
        /// The resource that the token is for, as `https://vault.azure.net`; empty sends no token.
        audience: String,
    },
}

/// One logical request. It may be sent several times; that is the client's affair.
#[derive(Clone, PartialEq)]
pub struct Request {
    /// Where it goes.
    pub plane: Plane,
    /// The HTTP method.
    pub method: Method,
    /// `/subscriptions/…` relative to the cloud's endpoint (ARM), `/v1.0/groups/…` (Graph), `https://host/…`
    /// (data planes), or an absolute link that the same endpoint has given.
    pub path: String,
    /// Query parameters, not encoded, in order.
    pub query: Vec<(String, String)>,
    /// Headers beyond those that the client sets (authorization, request ids, content type).
    pub headers: Vec<(String, String)>,
    /// The JSON body, if any.
    pub body: Option<Value>,
    /// Whether sending it twice gives one result. Where it does not, a failure after which nobody knows
    /// whether Azure acted is reported, not retried.
    pub idempotent: bool,
    /// Whether the caller vouches for the host of a data plane that the cloud's metadata does not name.
    pub allow_host: bool,
    /// Whether an answer of 200 without a body is one, though it is read: the state of an operation may be told so.
    pub may_be_empty: bool,
}

impl Request {
    /// A request without body or headers. A `?query` in `path` is taken apart into `query`.
    pub fn new(plane: Plane, method: Method, path: impl Into<String>) -> Self {
        let mut path = path.into();
        let mut query = Vec::new();
        if let Some(at) = path.find('?') {
            query = url::form_urlencoded::parse(&path.as_bytes()[at + 1..])
                .map(|(key, value)| (key.into_owned(), value.into_owned()))
                .collect();
            path.truncate(at);
        }
        let idempotent = method != Method::POST;
        Self {
            plane,
            method,
            path,
            query,
            headers: Vec::new(),
            body: None,
            idempotent,
            allow_host: false,
            may_be_empty: false,
        }
    }

    /// A GET.
    pub fn get(plane: Plane, path: impl Into<String>) -> Self {
        Self::new(plane, Method::GET, path)
    }

    /// A PUT of `body`.
    pub fn put(plane: Plane, path: impl Into<String>, body: Value) -> Self {
        Self::new(plane, Method::PUT, path).body(body)
    }

    /// A PATCH with `body`.
    pub fn patch(plane: Plane, path: impl Into<String>, body: Value) -> Self {
        Self::new(plane, Method::PATCH, path).body(body)
    }

    /// A POST without a body; see [`Request::body`].
    pub fn post(plane: Plane, path: impl Into<String>) -> Self {
        Self::new(plane, Method::POST, path)
    }

    /// A DELETE.
    pub fn delete(plane: Plane, path: impl Into<String>) -> Self {
        Self::new(plane, Method::DELETE, path)
    }

    /// The request with one more query parameter; neither part is encoded by the caller.
    #[must_use]
    pub fn query(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((key.into(), value.into()));
        self
    }

    /// The request with `api-version` set, in place of one that is there.
    #[must_use]
    pub fn api_version(mut self, version: impl Into<String>) -> Self {
        self.query.retain(|(key, _)| !key.eq_ignore_ascii_case("api-version"));
        self.query("api-version", version)
    }

    /// The request with one more header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The request with this JSON body.
    #[must_use]
    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// The request, marked as safe or unsafe to send twice.
    #[must_use]
    pub fn idempotent(mut self, yes: bool) -> Self {
        self.idempotent = yes;
        self
    }

    /// The request, whose data-plane host the caller vouches for.
    #[must_use]
    pub fn allow_host(mut self, yes: bool) -> Self {
        self.allow_host = yes;
        self
    }

    /// Whether it changes nothing: a GET, or a POST that can be repeated, as queries and `list…` actions can.
    pub fn reads(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD || (self.method == Method::POST && self.idempotent)
    }

    /// The value of a query parameter, whatever the case of its name.
    pub fn query_value(&self, key: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(key))
            .map(|(_, value)| value.as_str())
    }

    /// Whether the request carries a header of this name, in any case.
    pub fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|(key, _)| key.eq_ignore_ascii_case(name))
    }
}

// Bodies and headers may hold what no log should show.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("plane", &self.plane)
            .field("method", &self.method)
            .field("path", &self.path.split('?').next().unwrap_or_default())
            .field("idempotent", &self.idempotent)
            .finish_non_exhaustive()
    }
}

/// What Azure answered to a request that it accepted (status below 300, or 304).
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case; cookies are left out.
    pub headers: Vec<(String, String)>,
    /// The body; null where there is none.
    pub body: Value,
    /// Azure's id of the request, for support.
    pub request_id: Option<String>,
    /// The id that ties the requests of one run together.
    pub correlation_id: Option<String>,
}

impl Response {
    /// The value of a header, whatever the case of `name`.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// How long Azure asks to wait before it is asked again.
    pub fn retry_after(&self) -> Option<Duration> {
        const NAMES: [&str; 4] = ["retry-after-ms", "x-ms-retry-after-ms", "retry-after", "date"];
        let mut headers = http::HeaderMap::new();
        for name in NAMES {
            if let Some(value) = self.header(name).and_then(|value| value.parse().ok()) {
                headers.insert(name, value);
            }
        }
        super::error::retry_after(&headers)
    }

    /// The version of the answered resource: the `ETag` header, else the body's `etag` or `@odata.etag`.
    pub fn etag(&self) -> Option<&str> {
        self.header("etag")
            .or_else(|| self.body.get("etag").and_then(Value::as_str))
            .or_else(|| self.body.get("@odata.etag").and_then(Value::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_query_in_the_path_becomes_parameters() {
        let request = Request::get(Plane::Graph, "/v1.0/groups?$filter=displayName%20eq+'a'&$top=5");
        assert_eq!(request.path, "/v1.0/groups");
        assert_eq!(request.query_value("$filter"), Some("displayName eq 'a'"));
        assert_eq!(request.query_value("$TOP"), Some("5"));
    }

    #[test]
    fn only_a_post_is_taken_for_one_that_must_not_be_repeated() {
        assert!(!Request::post(Plane::Arm, "/x").idempotent);
        assert!(Request::put(Plane::Arm, "/x", json!({})).idempotent);
        assert!(Request::delete(Plane::Arm, "/x").idempotent);
    }

    #[test]
    fn printing_a_request_shows_neither_body_nor_headers() {
        let request = Request::put(Plane::Arm, "/x", json!({"p": "hush"})).header("x-key", "hush");
        assert!(!format!("{request:?}").contains("hush"));
    }

    #[test]
    fn a_new_api_version_takes_the_place_of_the_old_one() {
        let request = Request::get(Plane::Arm, "/x?Api-Version=1").api_version("2");
        assert_eq!(request.query, [("api-version".to_owned(), "2".to_owned())]);
    }
}
