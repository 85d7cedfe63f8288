//! Sends one try over the wire and reads the answer. It is the last policy and calls none.

use std::error::Error as _;

use async_trait::async_trait;
use http::HeaderMap;
use serde_json::Value;
use url::Url;

use crate::azure::cloud::{Cloud, builder_for};
use crate::azure::error::{Error, ServiceError, excerpt};
use crate::azure::options::Options;
use crate::azure::pipeline::{Answer, Call, Failure, Next, Policy};
use crate::azure::request::Plane;

/// A pool of connections: TLS by rustls, HTTP/2 where the server offers it.
pub(crate) struct Transport {
    http: reqwest::Client,
    options: Options,
}

impl Transport {
    /// Connections to the endpoints of `cloud`.
    ///
    /// # Errors
    /// [`Error::Refused`] where TLS cannot be set up.
    pub(crate) fn new(cloud: &Cloud, options: &Options) -> Result<Self, Error> {
        let endpoints: Vec<&Url> = [&cloud.resource_manager, &cloud.graph]
            .into_iter()
            .chain(&cloud.data_plane_gateway)
            .collect();
        let builder = builder_for(&endpoints, &cloud.trust)
            .user_agent(concat!("ferry/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(options.connect_timeout)
            .timeout(options.response_timeout)
            .pool_max_idle_per_host(options.concurrency)
            .tcp_nodelay(true);
        let http = builder
            .build()
            .map_err(|error| Error::refused("the HTTP client", causes(&error)))?;
        Ok(Self {
            http,
            options: options.clone(),
        })
    }

    /// What became of a try that has no whole answer.
    fn broken(&self, call: &Call, error: &reqwest::Error, status: Option<u16>) -> Error {
        let (method, target) = (call.method.to_string(), call.target.clone());
        let sent = !error.is_connect() && !error.is_builder() && !error.is_request_unsent();
        match status {
            _ if error.is_timeout() => {
                let (why, after) = if sent {
                    ("the answer did not come", self.options.response_timeout)
                } else {
                    ("no connection came about", self.options.connect_timeout)
                };
                Error::Timeout {
                    method,
                    target,
                    why: why.to_owned(),
                    after,
                    sent,
                }
            }
            Some(status) => {
                let why = format!("it broke off before its end: {}", causes(error));
                Error::Body {
                    method,
                    target,
                    status,
                    why,
                }
            }
            None => Error::Transport {
                method,
                target,
                why: causes(error),
                sent,
                tries: call.try_number,
            },
        }
    }
}

/// Names the one question that reqwest has no word for.
trait Unsent {
    fn is_request_unsent(&self) -> bool;
}

impl Unsent for reqwest::Error {
    /// Whether the request was given up before a byte of it was written: a pooled connection that had closed.
    fn is_request_unsent(&self) -> bool {
        let mut source = self.source();
        while let Some(error) = source {
            if error
                .downcast_ref::<hyper::Error>()
                .is_some_and(hyper::Error::is_canceled)
            {
                return true;
            }
            source = error.source();
        }
        false
    }
}

/// The chain of causes of a transport error in one line, without URLs, whose query may hold anything. A certificate
/// that nobody known has issued comes with the way out.
pub(crate) fn causes(error: &reqwest::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        // "client error (Connect)" names a layer of the library, not a cause.
        if !parts.contains(&text) && !text.contains("://") && !text.starts_with("client error") {
            parts.push(text);
        }
        source = cause.source();
    }
    if parts.is_empty() {
        let kind = if error.is_timeout() {
            "it took too long"
        } else {
            "the connection failed"
        };
        parts.push(kind.to_owned());
    }
    let advice = if parts.iter().any(|part| part.contains("UnknownIssuer")) {
        " (--ca FILE, or SSL_CERT_FILE, names the certificate authority that issued it)"
    } else {
        ""
    };
    parts.join(": ") + advice
}

#[async_trait]
impl Policy for Transport {
    async fn send(&self, call: &mut Call, _: Next<'_>) -> Result<Answer, Failure> {
        let mut request = self
            .http
            .request(call.method.clone(), call.url.clone())
            .headers(call.headers.clone());
        if let Some(body) = &call.body {
            request = request.body(body.clone());
        }
        let answer = request.send().await.map_err(|error| self.broken(call, &error, None))?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = match answer.bytes().await {
            Ok(body) => body,
            // Of an error answer, what arrived of the headers says more than that the text broke off.
            Err(_) if status >= 400 => bytes::Bytes::new(),
            Err(error) => {
                return Err(Failure {
                    error: self.broken(call, &error, Some(status)),
                    headers,
                });
            }
        };
        let method = call.method.as_str();
        if status >= 300 && status != 304 {
            let mut error = ServiceError::read(method, &call.target, status, &headers, &body);
            if status < 400 {
                "it redirects, which is not followed".clone_into(&mut error.message);
            }
            return Err(Failure {
                error: Error::Service(Box::new(error)),
                headers,
            });
        }
        match read(call, &headers, &body) {
            Ok(body) => Ok(Answer { status, headers, body }),
            Err(why) => {
                let error = Error::Body {
                    method: method.to_owned(),
                    target: call.target.clone(),
                    status,
                    why,
                };
                Err(Failure { error, headers })
            }
        }
    }
}

/// Reads a body: JSON; on data planes also text, where the answer says that it is no JSON.
fn read(call: &Call, headers: &HeaderMap, body: &[u8]) -> Result<Value, String> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Null);
    }
    let kind = headers
        .get("content-type")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kind = kind.to_ascii_lowercase();
    match serde_json::from_slice(body) {
        Ok(value) => Ok(value),
        Err(error) => {
            let page = kind.contains("html") && call.audience.is_some();
            let text = std::str::from_utf8(body)
                .ok()
                .filter(|_| !kind.contains("json") && !page);
            match text {
                Some(text) if matches!(call.plane, Plane::Data { .. }) => Ok(Value::String(text.to_owned())),
                _ if kind.contains("html") => Err(format!("it is a web page, not JSON: {}", excerpt(body))),
                // What can be read of it may be a key or a password: nothing of it is repeated.
                _ => Err(format!("it is not whole JSON: {error}, after {} bytes", body.len())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::azure::request::{Plane, Request};
    use crate::azure::testing::{Answer, Server};
    use serde_json::{Value, json};

    fn secret() -> Request {
        let plane = Plane::Data {
            audience: "https://vault.azure.net".to_owned(),
        };
        Request::get(plane, "https://kv.vault.azure.net/secrets/a")
    }

    #[tokio::test]
    async fn data_planes_may_answer_in_text_and_arm_may_not() {
        let server = Server::start(vec![Answer::raw(200, "<a/>").header("content-type", "application/xml")]).await;
        assert_eq!(server.client().send(&secret()).await.unwrap().body, json!("<a/>"));
        assert!(server.client().send(&Request::get(Plane::Arm, "/x")).await.is_err());
        let server = Server::start(vec![Answer::html(200, "<html>Sign in</html>")]).await;
        assert!(server.client().send(&secret()).await.is_err());
        let probe = Request::get(
            Plane::Data {
                audience: String::new(),
            },
            "https://shop.example/",
        );
        assert_eq!(
            server.client().send(&probe).await.unwrap().body,
            json!("<html>Sign in</html>")
        );
    }

    #[tokio::test]
    async fn a_mark_before_the_json_and_an_empty_body_are_no_errors() {
        let server = Server::start(vec![Answer::raw(200, "\u{feff}{\"a\": 1}"), Answer::raw(200, " \r\n")]).await;
        assert_eq!(server.client().send(&secret()).await.unwrap().body, json!({"a": 1}));
        assert_eq!(server.client().send(&secret()).await.unwrap().body, Value::Null);
    }

    #[tokio::test]
    async fn a_redirection_is_an_error_and_takes_no_token_along() {
        let other = Server::start(vec![Answer::status(200)]).await;
        let server = Server::start(vec![Answer::status(307).header("location", &other.url())]).await;
        let error = server.client().send(&Request::get(Plane::Arm, "/x")).await.unwrap_err();
        assert_eq!(error.status(), Some(307));
        assert!(other.targets().is_empty());
    }
}
