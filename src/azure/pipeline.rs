//! The order in which a request passes the policies, and what they hand to each other.
//!
//! ```text
//! correlation   once per request: the ids that stay the same over all tries
//! retry         decides whether there is another try, and when
//! budget        per try: a place among the requests in flight, and the rate that Azure's headers leave
//! auth          per try, once its turn has come, since a token may end in the queue; a 401 fetches a fresh one, once
//! guard         per try of a write: whether it still may be sent, where somebody is to be asked
//! log           per try: tells the observer
//! transport     sends, and reads the answer
//! ```
//! A policy sees the call, and calls `next` as often as it likes; the first one in the list is the outermost.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::Value;
use url::Url;

use super::error::Error;
use super::request::{Plane, Request};

/// One logical request on its way.
pub(crate) struct Call {
    pub(crate) plane: Plane,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
    pub(crate) idempotent: bool,
    /// Whether it changes nothing.
    pub(crate) reads: bool,
    /// Whether an answer without a body is one.
    pub(crate) may_be_empty: bool,
    /// Whether the caller made it depend on the state of the resource, by `If-Match` or `If-None-Match`.
    pub(crate) conditional: bool,
    /// Whose token it needs.
    pub(crate) audience: Option<String>,
    /// The number of the try, from 1.
    pub(crate) try_number: u32,
    /// How long it has waited for its turn, over all tries.
    pub(crate) queued: Duration,
}

/// An answer that was accepted.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

/// An answer that was not, with the headers that came with it, if any did.
pub(crate) struct Failure {
    pub(crate) error: Error,
    pub(crate) headers: HeaderMap,
    /// Whether another try would surely end the same.
    pub(crate) is_final: bool,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            error,
            headers: HeaderMap::new(),
            is_final: false,
        }
    }
}

/// One step on the way of a request.
#[async_trait]
pub(crate) trait Policy: Send + Sync {
    /// Does its part, and hands the call on.
    async fn send(&self, call: &mut Call, next: Next<'_>) -> Result<Answer, Failure>;
}

/// The policies that are still to come.
#[derive(Clone, Copy)]
pub(crate) struct Next<'a>(pub(crate) &'a [Arc<dyn Policy>]);

impl Next<'_> {
    /// Hands the call to the next policy.
    pub(crate) async fn send(self, call: &mut Call) -> Result<Answer, Failure> {
        match self.0.split_first() {
            Some((policy, rest)) => policy.send(call, Next(rest)).await,
            None => Err(Error::refused("a request", "the pipeline has no transport").into()),
        }
    }
}

impl Call {
    /// The call that carries a request to where it goes.
    ///
    /// # Errors
    /// [`Error::Refused`] for a header that HTTP does not allow.
    pub(crate) fn new(request: &Request, there: super::endpoint::Destination) -> Result<Self, Error> {
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let bad = |why: String| Error::refused(format!("the header \"{name}\""), why);
            let name = http::HeaderName::try_from(name).map_err(|error| bad(error.to_string()))?;
            if name == http::header::AUTHORIZATION || name == http::header::HOST {
                return Err(bad("the client sets it".to_owned()));
            }
            headers.insert(
                name,
                http::HeaderValue::try_from(value).map_err(|error| bad(error.to_string()))?,
            );
        }
        let conditional =
            headers.contains_key(http::header::IF_MATCH) || headers.contains_key(http::header::IF_NONE_MATCH);
        let json = http::HeaderValue::from_static("application/json");
        headers.entry(http::header::ACCEPT).or_insert(json.clone());
        let body = match &request.body {
            Some(body) => {
                let kind = headers.entry(http::header::CONTENT_TYPE).or_insert(json);
                let is_json = kind.to_str().is_ok_and(|kind| kind.contains("json"));
                Some(match body {
                    // What the caller calls something else than JSON is sent as it is: XML, a form, text.
                    Value::String(text) if !is_json => Bytes::from(text.clone()),
                    body => Bytes::from(body.to_string()),
                })
            }
            // A service that waits for a body otherwise answers 411.
            None if matches!(request.method, Method::POST | Method::PUT | Method::PATCH) => {
                headers.insert(http::header::CONTENT_LENGTH, http::HeaderValue::from_static("0"));
                None
            }
            None => None,
        };
        Ok(Self {
            plane: request.plane.clone(),
            method: request.method.clone(),
            url: there.url,
            target: there.target,
            headers,
            body,
            idempotent: request.idempotent,
            reads: request.reads(),
            may_be_empty: request.may_be_empty,
            conditional,
            audience: there.audience,
            try_number: 1,
            queued: Duration::ZERO,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::azure::request::{Plane, Request};
    use crate::azure::testing::{Answer, Server};
    use serde_json::json;

    #[tokio::test]
    async fn bodies_are_json_unless_the_caller_names_another_kind() {
        let server = Server::start(vec![Answer::status(200)]).await;
        let client = server.client();
        client.send(&Request::put(Plane::Arm, "/x", json!("a"))).await.unwrap();
        let xml = Request::put(Plane::Arm, "/x", json!("<a/>")).header("Content-Type", "application/xml");
        client.send(&xml).await.unwrap();
        client.send(&Request::post(Plane::Arm, "/x")).await.unwrap();
        let seen = server.seen();
        assert_eq!(
            (seen[0].header("content-type").as_str(), seen[0].text().as_str()),
            ("application/json", "\"a\"")
        );
        assert_eq!(seen[1].text(), "<a/>");
        assert_eq!(seen[2].header("content-length"), "0");
    }

    #[tokio::test]
    async fn a_caller_sets_no_header_that_is_the_clients() {
        let server = Server::start(vec![Answer::status(200)]).await;
        let request = Request::get(Plane::Arm, "/x").header("Authorization", "Bearer mine");
        let error = server.client().send(&request).await.unwrap_err();
        assert!(!error.to_string().contains("mine") && server.targets().is_empty());
    }

    #[tokio::test]
    async fn every_try_is_told_to_the_observer_without_queries_and_tokens() {
        let server = Server::start(vec![
            Answer::status(503).header("x-ms-request-id", "r-1"),
            Answer::reset(),
            Answer::json(200, json!({})),
        ])
        .await;
        let lines = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let kept = std::sync::Arc::clone(&lines);
        let options = crate::azure::Options {
            observer: Some(std::sync::Arc::new(move |line: &crate::azure::LogLine| {
                kept.lock().unwrap().push(line.clone());
            })),
            ..Server::options()
        };
        server
            .client_with(options)
            .send(&Request::get(Plane::Arm, "/x?sig=hush"))
            .await
            .unwrap();
        let lines = lines.lock().unwrap().clone();
        let told: Vec<_> = lines
            .iter()
            .map(|line| (line.try_number, line.status, line.target.as_str()))
            .collect();
        assert_eq!(told, [(1, Some(503), "/x"), (2, None, "/x"), (3, Some(200), "/x")]);
        assert_eq!(lines[0].request_id.as_deref(), Some("r-1"));
        assert!(!format!("{lines:?}").contains("hush") && !format!("{lines:?}").contains("token-"));
    }
}
