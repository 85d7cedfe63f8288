//! Sends one try over the wire and reads the answer. It is the last policy and calls none.

use std::error::Error as _;

use async_trait::async_trait;
use http::HeaderMap;
use serde_json::Value;
use url::Url;

use crate::azure::cloud::{Cloud, builder_for};
use crate::azure::error::{Error, ServiceError, excerpt, request_id};
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
            // Its status was told, so it is no longer unknown whether the request arrived.
            Some(status) => {
                let why = if error.is_timeout() {
                    format!(
                        "it did not come to its end within {} s",
                        self.options.response_timeout.as_secs_f64()
                    )
                } else {
                    format!("it broke off before its end: {}", causes(error))
                };
                Error::Body {
                    method,
                    target,
                    status,
                    why,
                    request_id: None,
                }
            }
            None if error.is_timeout() => {
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
        let failed = |error: Error| Failure {
            error: with_id(error, &headers),
            headers: headers.clone(),
            is_final: false,
        };
        let unusable = |why: String| {
            failed(Error::Body {
                method: call.method.to_string(),
                target: call.target.clone(),
                status,
                why,
                request_id: None,
            })
        };
        let body = match collect(answer, self.options.largest_answer).await {
            Ok(Some(body)) => body,
            // Of an error answer, what arrived of the headers says more than that the text broke off.
            _ if status >= 400 => Vec::new(),
            Ok(None) => {
                let most = self.options.largest_answer >> 20;
                return Err(Failure {
                    is_final: true,
                    ..unusable(format!("it is larger than {most} MiB"))
                });
            }
            Err(error) => return Err(failed(self.broken(call, &error, Some(status)))),
        };
        if status >= 300 && status != 304 {
            return Err(failed(refused(
                call.method.as_str(),
                &call.target,
                status,
                &headers,
                &body,
            )));
        }
        if body.is_empty() && wants_body(call, status) {
            return Err(unusable("it is empty".to_owned()));
        }
        match read(call, &headers, &body) {
            Ok(body) => Ok(Answer { status, headers, body }),
            Err(why) => Err(unusable(why)),
        }
    }
}

/// The error of an answer that is none of success.
pub(crate) fn refused(method: &str, target: &str, status: u16, headers: &HeaderMap, body: &[u8]) -> Error {
    let mut error = ServiceError::read(method, target, status, headers, body);
    if status < 400 {
        error.message = redirection(headers);
    }
    Error::Service(Box::new(error))
}

/// The body of an answer, unpacked; none where it is larger than `most` bytes.
///
/// # Errors
/// What broke it off.
pub(crate) async fn collect(mut answer: reqwest::Response, most: usize) -> reqwest::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await? {
        if body.len() + part.len() > most {
            return Ok(None);
        }
        body.extend_from_slice(&part);
    }
    Ok(Some(body))
}

/// Whether a read of ours is answered by a document: in Azure Resource Manager and Graph always, but for the state of
/// an operation.
fn wants_body(call: &Call, status: u16) -> bool {
    call.reads
        && status == 200
        && call.method != http::Method::HEAD
        && !call.may_be_empty
        && !matches!(call.plane, Plane::Data { .. })
}

/// What is said of an answer that sends elsewhere. Its path and query may hold anything, its host may be told.
fn redirection(headers: &HeaderMap) -> String {
    let to = headers
        .get("location")
        .and_then(|value| value.to_str().ok())
        .and_then(|text| Url::parse(text).ok())
        .map(|url| format!(" to {}://{}", url.scheme(), url.authority()))
        .unwrap_or_default();
    format!("it redirects{to}, which is not followed")
}

/// The same error, with Azure's id of the request.
fn with_id(mut error: Error, headers: &HeaderMap) -> Error {
    if let Error::Body { request_id: id, .. } = &mut error {
        *id = request_id(headers);
    }
    error
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
    async fn an_empty_answer_is_none_where_a_document_was_asked_for() {
        let server = Server::start(vec![Answer::status(200).header("x-ms-request-id", "r-1")]).await;
        let error = server.client().send(&Request::get(Plane::Arm, "/x")).await.unwrap_err();
        assert_eq!((error.code(), error.request_id()), ("unreadable-answer", Some("r-1")));
        let server = Server::start(vec![Answer::status(200)]).await;
        server.client().send(&Request::delete(Plane::Arm, "/x")).await.unwrap();
    }

    #[tokio::test]
    async fn an_answer_without_end_is_given_up_and_not_asked_for_again() {
        let options = || crate::azure::Options {
            largest_answer: 1 << 20,
            ..Server::options()
        };
        // Some hundredths on the wire of what it unpacks to.
        let bomb = Answer::packed(200, &vec![b' '; 8 << 20]);
        let large = Answer::raw(200, &" ".repeat(2 << 20));
        for answer in [bomb, large] {
            let server = Server::start(vec![answer]).await;
            let client = server.client_with(options());
            let error = client.send(&Request::get(Plane::Arm, "/x")).await.unwrap_err();
            assert!(error.to_string().contains("larger than 1 MiB"), "{error}");
            assert_eq!(server.targets().len(), 1);
        }
        let small = Answer::packed(200, b"{\"a\": 1}");
        let server = Server::start(vec![small]).await;
        let read = server
            .client_with(options())
            .send(&Request::get(Plane::Arm, "/x"))
            .await;
        assert_eq!(read.unwrap().body, json!({"a": 1}));
    }

    #[tokio::test]
    async fn a_redirection_is_an_error_and_takes_no_token_along() {
        let other = Server::start(vec![Answer::status(200)]).await;
        let server = Server::start(vec![Answer::status(307).header("location", &other.url())]).await;
        let error = server.client().send(&Request::get(Plane::Arm, "/x")).await.unwrap_err();
        assert_eq!(error.status(), Some(307));
        assert!(error.to_string().contains("redirects to http://127.0.0.1"), "{error}");
        assert!(other.targets().is_empty());
    }
}
