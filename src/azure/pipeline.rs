//! The order in which a request passes the policies, and what they hand to each other.
//!
//! ```text
//! correlation   once per request: the ids that stay the same over all tries
//! retry         decides whether there is another try, and when
//! auth          per try: the token; a 401 fetches a fresh one, once
//! budget        per try: a place among the requests in flight, and the rate that Azure's headers leave
//! log           per try: tells the observer
//! transport     sends, and reads the answer
//! ```
//! A policy sees the call, and calls `next` as often as it likes; the first one in the list is the outermost.

use std::sync::Arc;

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
    /// Whether the caller made it depend on the state of the resource, by `If-Match` or `If-None-Match`.
    pub(crate) conditional: bool,
    /// Whose token it needs.
    pub(crate) audience: Option<String>,
    /// The number of the try, from 1.
    pub(crate) try_number: u32,
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
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            error,
            headers: HeaderMap::new(),
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
        let accept = http::HeaderValue::from_static("application/json");
        headers.entry(http::header::ACCEPT).or_insert(accept.clone());
        if request.body.is_some() {
            headers.entry(http::header::CONTENT_TYPE).or_insert(accept);
        }
        Ok(Self {
            plane: request.plane.clone(),
            method: request.method.clone(),
            url: there.url,
            target: there.target,
            headers,
            body: request.body.as_ref().map(|body| Bytes::from(body.to_string())),
            idempotent: request.idempotent,
            conditional,
            audience: there.audience,
            try_number: 1,
        })
    }
}
