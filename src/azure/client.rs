//! The client: one logical request, its pages, and its end.

use std::sync::Arc;

use futures::TryStreamExt as _;
use futures::stream::Stream;
use serde_json::{Value, json};

use super::cloud::Cloud;
use super::endpoint;
use super::error::Error;
use super::options::{Guard, Options};
use super::pager;
use super::pipeline::{Call, Next, Policy};
use super::policy::{
    self, auth::Auth, budget::Budget, correlation::Correlation, log::Log, retry::Retry, transport::Transport,
};
use super::poller;
use super::request::{Plane, Request, Response};
use super::tokens::Tokens;

struct Inner {
    cloud: Cloud,
    tokens: Tokens,
    options: Options,
    policies: Vec<Arc<dyn Policy>>,
}

/// A client of one cloud. Clones share connections, tokens and budget.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

impl Client {
    /// A client of `cloud` with these tokens. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Refused`] where TLS cannot be set up, or the correlation id cannot stand in a header.
    pub fn new(cloud: Cloud, tokens: Tokens, options: Options) -> Result<Self, Error> {
        let policies: Vec<Arc<dyn Policy>> = vec![
            Arc::new(Correlation::new(options.correlation_id.as_deref())?),
            Arc::new(Retry::new(&options)),
            Arc::new(Budget::new(options.concurrency)),
            Arc::new(Auth(tokens.clone())),
            Arc::new(Log(options.observer.clone())),
            Arc::new(Transport::new(&cloud, &options)?),
        ];
        Ok(Self(Arc::new(Inner {
            cloud,
            tokens,
            options,
            policies,
        })))
    }

    /// The same client, which asks `guard` before each try of a request that changes something. Connections, tokens and
    /// budget are shared with this one.
    #[must_use]
    pub fn guarded(&self, guard: Guard) -> Self {
        let mut policies = self.0.policies.clone();
        // Behind everything that waits, before what tells and what sends.
        let at = policies.len().saturating_sub(2);
        policies.insert(at, Arc::new(policy::guard::Guard(guard)));
        Self(Arc::new(Inner {
            cloud: self.0.cloud.clone(),
            tokens: self.0.tokens.clone(),
            options: self.0.options.clone(),
            policies,
        }))
    }

    /// The cloud that it speaks to.
    pub fn cloud(&self) -> &Cloud {
        &self.0.cloud
    }

    /// The numbers that it works with.
    pub fn options(&self) -> &Options {
        &self.0.options
    }

    /// What people and journals call the destination of a request: its path without query, `https://host/path` for
    /// data planes.
    ///
    /// # Errors
    /// [`Error::Refused`] where the request may not be sent at all.
    pub fn target(&self, request: &Request) -> Result<String, Error> {
        Ok(endpoint::destination(&self.0.cloud, request)?.target)
    }

    /// Sends one logical request, with whatever tries it takes. A long-running operation is only begun.
    ///
    /// # Errors
    /// [`Error::Service`] for an error answer (status 300 and above, but for 304), and every other [`Error`].
    pub async fn send(&self, request: &Request) -> Result<Response, Error> {
        let there = endpoint::destination(&self.0.cloud, request)?;
        let mut call = Call::new(request, there)?;
        let answer = Next(&self.0.policies)
            .send(&mut call)
            .await
            .map_err(|failure| failure.error)?;
        let headers: Vec<(String, String)> = answer
            .headers
            .iter()
            .filter(|(name, _)| name.as_str() != "set-cookie")
            .map(|(name, value)| {
                (
                    name.as_str().to_owned(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect();
        let mut response = Response {
            status: answer.status,
            headers,
            body: answer.body,
            request_id: None,
            correlation_id: None,
        };
        response.request_id = response
            .header("x-ms-request-id")
            .or(response.header("request-id"))
            .map(str::to_owned);
        response.correlation_id = response.header("x-ms-correlation-request-id").map(str::to_owned);
        Ok(response)
    }

    /// Sends a request and, where Azure goes on working on it, waits for the end. Answers the final resource of a PUT
    /// or PATCH, the result of a POST or DELETE.
    ///
    /// # Errors
    /// [`Error::OperationFailed`] where the operation ended badly, [`Error::Timeout`] where it did not end within
    /// `poll_total`, and those of [`Client::send`].
    pub async fn complete(&self, request: &Request) -> Result<Response, Error> {
        poller::complete(self, request).await
    }

    /// The pages of a list, each fetched when the one before has been taken: `value` and `nextLink` (ARM, data
    /// planes) or `@odata.nextLink` (Graph).
    ///
    /// # Errors
    /// In the stream: those of [`Client::send`]; [`Error::Body`] for a page that is no list, and for links that go in a
    /// circle or to another host. After an error the stream ends.
    pub fn pages(&self, request: Request) -> impl Stream<Item = Result<Vec<Value>, Error>> + Send + use<> {
        pager::pages(self.clone(), request)
    }

    /// All pages of a list, in one.
    ///
    /// # Errors
    /// Those of [`Client::pages`]; there is no half list.
    pub async fn list(&self, request: &Request) -> Result<Vec<Value>, Error> {
        self.pages(request.clone()).try_concat().await
    }

    /// The rows of a Resource Graph query over everything that the caller can see in the tenant
    /// (`Microsoft.ResourceGraph/resources` 2022-10-01, pages of 1000). A query of more than a page has to give `id`.
    ///
    /// # Errors
    /// Those of [`Client::send`]; [`Error::Body`] where Resource Graph cut the result off, since half an answer looks
    /// like a whole one.
    pub async fn resource_graph(&self, query: &str) -> Result<Vec<Value>, Error> {
        pager::resource_graph(self, query).await
    }

    /// The token that a PostgreSQL server takes in place of a password; none where the host is no server of this cloud's: a
    /// token goes nowhere else.
    ///
    /// # Errors
    /// [`Error::Auth`] where there is no token.
    pub(crate) async fn database_token(&self, host: &str) -> Result<Option<String>, Error> {
        let Some(audience) = self.cloud().database_audience(host) else {
            return Ok(None);
        };
        Ok(Some(self.0.tokens.get(&audience).await?.secret().to_owned()))
    }

    /// The claims of the token in use (`oid`, `tid`, `appid`, `xms_mirid`, …), never the token itself.
    ///
    /// # Errors
    /// [`Error::Auth`] where there is no token or one without readable claims.
    pub async fn token_claims(&self, plane: &Plane) -> Result<Value, Error> {
        let cloud = self.cloud();
        match plane {
            Plane::Arm => self.0.tokens.claims(&cloud.arm_audience).await,
            Plane::Graph => self.0.tokens.claims(&cloud.graph_audience).await,
            Plane::Data { audience } if audience.is_empty() => Ok(json!({})),
            Plane::Data { audience } => self.0.tokens.claims(&cloud.audience_here(audience)).await,
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("cloud", &self.0.cloud.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::testing::{Answer, Counting, Server};

    #[tokio::test]
    async fn a_client_can_be_shared_between_tasks() {
        let server = Server::start(vec![Answer::json(200, json!({"value": [1]}))]).await;
        let client = server.client();
        let other = client.clone();
        let task = tokio::spawn(async move { other.list(&Request::get(Plane::Arm, "/items")).await });
        assert_eq!(task.await.unwrap().unwrap(), [1]);
        let ended = client.clone();
        let task = tokio::spawn(async move { ended.complete(&Request::delete(Plane::Arm, "/x")).await });
        assert!(task.await.unwrap().is_ok());
    }

    #[tokio::test]
    async fn an_answer_has_its_ids_and_its_version() {
        let answer = Answer::json(200, json!({"etag": "\"2\""}))
            .header("x-ms-request-id", "r")
            .header("X-Ms-Correlation-Request-Id", "c")
            .header("set-cookie", "hush");
        let server = Server::start(vec![answer]).await;
        let answer = server.client().send(&Request::get(Plane::Arm, "/x")).await.unwrap();
        assert_eq!(
            (answer.request_id.as_deref(), answer.correlation_id.as_deref()),
            (Some("r"), Some("c"))
        );
        assert_eq!((answer.etag(), answer.header("Set-Cookie")), (Some("\"2\""), None));
    }

    #[tokio::test]
    async fn who_one_is_is_read_from_the_token() {
        let server = Server::start(vec![Answer::status(200)]).await;
        let tokens = Tokens::from_credential(Counting::with_token("e30.eyJvaWQiOiI3In0.c2ln"));
        let client = Client::new(server.cloud(), tokens, Server::options()).unwrap();
        assert_eq!(client.token_claims(&Plane::Arm).await.unwrap()["oid"], "7");
        assert!(server.targets().is_empty());
    }
}
