//! Long-running operations: the three ways in which Azure tells that it is not done yet.
//!
//! 1. `Azure-AsyncOperation` (data planes: `Operation-Location`) names a status document; it goes before the others.
//! 2. 202 with `Location` names a URL that answers 202 until it answers as the request would have.
//! 3. `properties.provisioningState` of the resource itself.

use http::Method;
use serde_json::Value;

use super::client::Client;
use super::endpoint;
use super::error::{Error, OperationFailure, read_error};
use super::pace::Pace;
use super::request::{Plane, Request, Response};

/// How far an operation is.
enum State {
    Working,
    Succeeded,
    /// The word that Azure has for it, `Failed` or `Canceled`.
    Ended(String),
}

impl State {
    fn of(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "succeeded" | "completed" => Self::Succeeded,
            "failed" => Self::Ended("Failed".to_owned()),
            "canceled" | "cancelled" => Self::Ended("Canceled".to_owned()),
            _ => Self::Working,
        }
    }

    /// What a resource says of itself: providers have words of their own for rest (`Ready`, `Active`, `Online`), and
    /// those for work nearly all end alike.
    fn of_resource(word: &str) -> Self {
        match Self::of(word) {
            Self::Working if !is_working(word) => Self::Succeeded,
            state => state,
        }
    }
}

/// Whether a `provisioningState` says that an operation is under way.
pub fn is_working(word: &str) -> bool {
    let word = word.to_ascii_lowercase().replace(' ', "");
    word.ends_with("ing")
        || matches!(
            word.as_str(),
            "accepted" | "inprogress" | "notstarted" | "queued" | "started"
        )
}

/// Sends a request and waits for the end of what it began.
pub(crate) async fn complete(client: &Client, request: &Request) -> Result<Response, Error> {
    let answer = client.send(request).await?;
    if request.method == Method::GET || request.method == Method::HEAD {
        return Ok(answer);
    }
    // Whatever goes wrong from here on, the change was accepted, and must not be told as one that was not made.
    finish(client, request, answer).await.map_err(|error| match error {
        Error::OperationFailed(_) => error,
        source => Error::Unfinished {
            method: request.method.to_string(),
            target: client.target(request).unwrap_or_else(|_| request.path.clone()),
            source: Box::new(source),
        },
    })
}

async fn finish(client: &Client, request: &Request, answer: Response) -> Result<Response, Error> {
    let poll = Poll { client, request };
    let makes = request.method == Method::PUT || request.method == Method::PATCH;
    let data = matches!(request.plane, Plane::Data { .. });
    let monitor = answer
        .header("azure-asyncoperation")
        .or(answer.header("operation-location").filter(|_| data));
    if let Some(link) = monitor.map(str::to_owned) {
        return poll.monitor(&link, answer, makes).await;
    }
    match (answer.status, answer.header("location").map(str::to_owned)) {
        (202, Some(link)) => poll.location(&link, answer, makes).await,
        (202, None) if request.method == Method::DELETE => poll.gone(answer).await,
        (202, None) if makes => poll.resource(answer).await,
        (200 | 201, _) if makes && answer.body.is_null() && request.plane == Plane::Arm => poll.unsaid(answer).await,
        (200 | 201, _) if makes => match provisioning(&answer.body).map(State::of_resource) {
            Some(State::Working) => poll.resource(answer).await,
            Some(State::Ended(word)) => Err(poll.failed(word, &answer)),
            _ => Ok(answer),
        },
        _ => Ok(answer),
    }
}

struct Poll<'a> {
    client: &'a Client,
    request: &'a Request,
}

impl Poll<'_> {
    /// Asks the status document until it names an end, then fetches what was made.
    async fn monitor(&self, link: &str, first: Response, makes: bool) -> Result<Response, Error> {
        let mut pace = Pace::new(self.client.options(), self.request, self.target());
        let mut next = self.follow(link)?;
        let mut location = first.header("location").map(str::to_owned);
        let mut last = first;
        loop {
            pace.wait(&last).await?;
            let answer = match self.client.send(&next).await {
                Ok(answer) => answer,
                Err(error) => return self.lost(error, last),
            };
            if let Some(link) = answer.header("azure-asyncoperation") {
                next = self.follow(link)?;
            }
            location = answer.header("location").map(str::to_owned).or(location);
            let word = answer
                .body
                .get("status")
                .and_then(Value::as_str)
                .or_else(|| provisioning(&answer.body));
            let state = match (answer.status, word) {
                (202, None) => State::Working,
                (204, _) => State::Succeeded,
                (_, Some(word)) => State::of(word),
                (_, None) => return Err(self.unreadable(&answer, "the state of the operation has no \"status\"")),
            };
            match state {
                State::Working => last = answer,
                State::Ended(word) => return Err(self.failed(word, &answer)),
                State::Succeeded if makes => return self.made().await,
                State::Succeeded => {
                    return match location.filter(|_| self.request.method == Method::POST) {
                        Some(link) => {
                            let result = self.follow(&link)?;
                            self.client.send(&result).await
                        }
                        None => Ok(answer),
                    };
                }
            }
        }
    }

    /// Asks the `Location` until it answers anything but 202.
    async fn location(&self, link: &str, first: Response, makes: bool) -> Result<Response, Error> {
        let mut pace = Pace::new(self.client.options(), self.request, self.target());
        let mut next = self.follow(link)?;
        let mut last = first;
        loop {
            pace.wait(&last).await?;
            let answer = match self.client.send(&next).await {
                Ok(answer) => answer,
                Err(error) => return self.lost(error, last),
            };
            let state = match (answer.status, provisioning(&answer.body)) {
                (202, _) => State::Working,
                (_, Some(word)) => State::of_resource(word),
                _ => State::Succeeded,
            };
            match state {
                State::Working => {
                    if let Some(link) = answer.header("location").filter(|_| answer.status == 202) {
                        next = self.follow(link)?;
                    }
                    last = answer;
                }
                State::Ended(word) => return Err(self.failed(word, &answer)),
                State::Succeeded if makes && answer.body.is_null() => return self.made().await,
                State::Succeeded => return Ok(answer),
            }
        }
    }

    /// Reads the resource until its provisioning state names an end.
    async fn resource(&self, first: Response) -> Result<Response, Error> {
        let mut pace = Pace::new(self.client.options(), self.request, self.target());
        let mut last = first;
        loop {
            pace.wait(&last).await?;
            let answer = self.made().await?;
            match provisioning(&answer.body).map_or(State::Succeeded, State::of_resource) {
                State::Working => last = answer,
                State::Succeeded => return Ok(answer),
                State::Ended(word) => return Err(self.failed(word, &answer)),
            }
        }
    }

    /// What was made, where the answer does not show it; the answer as it is where it cannot be read, as of an action
    /// in the clothes of a document.
    async fn unsaid(&self, first: Response) -> Result<Response, Error> {
        match self.resource(first.clone()).await {
            Err(Error::Service(answer)) if matches!(answer.status, 400 | 404 | 405) => Ok(first),
            result => result,
        }
    }

    /// Reads the resource until it is not there.
    async fn gone(&self, first: Response) -> Result<Response, Error> {
        let mut pace = Pace::new(self.client.options(), self.request, self.target());
        let mut last = first;
        loop {
            pace.wait(&last).await?;
            match self.made().await {
                Ok(answer) => last = answer,
                Err(error) if error.is_not_found() => {
                    return Ok(Response {
                        body: Value::Null,
                        ..last
                    });
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The request that follows a link of the operation; its answer may have no body.
    fn follow(&self, link: &str) -> Result<Request, Error> {
        let mut next = endpoint::follow(self.client.cloud(), self.request, link)?;
        next.may_be_empty = true;
        Ok(next)
    }

    /// The resource as it is now, at the same api-version.
    async fn made(&self) -> Result<Response, Error> {
        let mut read = self.request.clone();
        read.method = Method::GET;
        read.body = None;
        read.idempotent = true;
        read.headers
            .retain(|(name, _)| !name.to_ascii_lowercase().starts_with("if-"));
        self.client.send(&read).await
    }

    /// What an error answer to a poll means: of a deletion, that all is gone; else often the operation's own failure.
    fn lost(&self, error: Error, last: Response) -> Result<Response, Error> {
        if error.is_not_found() && self.request.method == Method::DELETE {
            return Ok(Response {
                body: Value::Null,
                ..last
            });
        }
        match error {
            Error::Service(answer) if matches!(answer.status, 400 | 402 | 405..=407 | 409..=428) => {
                Err(Error::OperationFailed(Box::new(OperationFailure {
                    method: self.request.method.to_string(),
                    target: self.target(),
                    state: "Failed".to_owned(),
                    code: answer.code,
                    message: answer.message,
                    details: answer.details,
                    request_id: answer.request_id,
                    correlation_id: answer.correlation_id,
                })))
            }
            other => Err(other),
        }
    }

    fn failed(&self, state: String, answer: &Response) -> Error {
        let inner = ["provisioningError", "error"]
            .into_iter()
            .find_map(|name| {
                answer
                    .body
                    .get("properties")?
                    .get(name)
                    .filter(|value| value.is_object())
            })
            .and_then(read_error);
        let read = answer
            .body
            .get("error")
            .filter(|value| value.is_object())
            .and_then(|_| read_error(&answer.body));
        let unsaid = || (String::new(), "Azure gives no reason".to_owned(), Value::Null);
        let (code, message, details) = read.or(inner).unwrap_or_else(unsaid);
        let code = if code.is_empty() {
            format!("Operation{state}")
        } else {
            code
        };
        Error::OperationFailed(Box::new(OperationFailure {
            method: self.request.method.to_string(),
            target: self.target(),
            state,
            code,
            message,
            details,
            request_id: answer.request_id.clone(),
            correlation_id: answer.correlation_id.clone(),
        }))
    }

    fn unreadable(&self, answer: &Response, why: &str) -> Error {
        Error::Body {
            method: self.request.method.to_string(),
            target: self.target(),
            status: answer.status,
            why: why.to_owned(),
            request_id: answer.request_id.clone(),
        }
    }

    fn target(&self) -> String {
        self.client
            .target(self.request)
            .unwrap_or_else(|_| self.request.path.clone())
    }
}

/// The provisioning state of a resource, where it has one.
fn provisioning(body: &Value) -> Option<&str> {
    body.get("properties")?.get("provisioningState")?.as_str()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_resource_at_rest_is_waited_for_under_no_word_of_its_provider() {
        for word in [
            "Succeeded",
            "succeeded",
            "Failed",
            "Canceled",
            "Ready",
            "Active",
            "Online",
            "Completed",
            "",
        ] {
            assert!(!is_working(word), "{word}");
        }
        for word in [
            "Updating",
            "creating",
            "Deploying",
            "Running",
            "InProgress",
            "In Progress",
            "Accepted",
        ] {
            assert!(is_working(word), "{word}");
        }
    }
    use crate::azure::testing::{Answer, Server};
    use serde_json::json;

    fn put() -> Request {
        Request::put(Plane::Arm, "/vm?api-version=7", json!({"a": 1})).header("If-Match", "\"1\"")
    }

    fn state(word: &str) -> Answer {
        Answer::json(200, json!({"id": "/vm", "properties": {"provisioningState": word}}))
    }

    #[tokio::test]
    async fn a_status_document_is_asked_until_its_end_and_the_resource_read_anew() {
        for link in ["{base}/operations/1?api-version=9", "/operations/1?api-version=9"] {
            let server = Server::start(vec![
                Answer::json(201, json!({"properties": {"provisioningState": "Creating"}}))
                    .header("azure-asyncoperation", link)
                    .header("retry-after", "600"),
                Answer::json(200, json!({"status": "InProgress"})).header("retry-after", "0"),
                Answer::json(200, json!({"status": "Succeeded"})),
                state("Succeeded"),
            ])
            .await;
            let answer = server.client().complete(&put()).await.unwrap();
            assert_eq!(answer.body["id"], "/vm");
            let operation = "/operations/1?api-version=9";
            assert_eq!(
                server.targets(),
                ["/vm?api-version=7", operation, operation, "/vm?api-version=7"]
            );
            assert_eq!(server.seen()[3].header("if-match"), "");
        }
    }

    #[tokio::test]
    async fn a_location_is_asked_until_it_answers_as_the_request_would_have() {
        let server = Server::start(vec![
            Answer::status(202).header("location", "{base}/results/1?api-version=9"),
            Answer::status(202).header("location", "{base}/results/2?api-version=9"),
            Answer::json(200, json!({"done": true})),
        ])
        .await;
        let answer = server
            .client()
            .complete(&Request::post(Plane::Arm, "/vm/act"))
            .await
            .unwrap();
        assert_eq!(answer.body, json!({"done": true}));
        assert_eq!(
            server.targets()[1..],
            ["/results/1?api-version=9", "/results/2?api-version=9"]
        );
    }

    #[tokio::test]
    async fn a_provisioning_state_is_read_until_it_ends() {
        let server = Server::start(vec![state("Updating"), state("Updating"), state("Succeeded")]).await;
        let answer = server.client().complete(&put()).await.unwrap();
        assert_eq!(answer.body["properties"]["provisioningState"], "Succeeded");
        assert_eq!(
            server.seen().iter().map(|seen| seen.method.clone()).collect::<Vec<_>>(),
            ["PUT", "GET", "GET"]
        );
    }

    #[tokio::test]
    async fn a_resource_that_was_made_at_once_is_not_asked_for_again() {
        let made = Answer::json(201, json!({"id": "/id", "properties": {"clientId": "c"}})).header("location", "/id");
        let server = Server::start(vec![made]).await;
        server.client().complete(&put()).await.unwrap();
        assert_eq!(server.targets().len(), 1);
    }

    #[tokio::test]
    async fn what_was_made_is_read_where_the_answer_is_empty() {
        let server = Server::start(vec![Answer::status(200), state("Updating"), state("Succeeded")]).await;
        let answer = server.client().complete(&put()).await.unwrap();
        assert_eq!(answer.body["id"], "/vm");
        let no = Answer::json(405, json!({"error": {"code": "MethodNotAllowed", "message": "no"}}));
        let server = Server::start(vec![Answer::status(200), no]).await;
        assert!(server.client().complete(&put()).await.unwrap().body.is_null());
    }

    #[tokio::test]
    async fn a_failed_operation_gives_its_own_code_and_message() {
        let operation = json!({"status": "Failed", "error": {"code": "ImageMissing", "message": "No such image."}});
        let resource = json!({"properties": {"provisioningState": "Canceled"}});
        for (answers, code) in [
            (
                vec![
                    Answer::status(202).header("azure-asyncoperation", "{base}/operations/1"),
                    Answer::json(200, operation),
                ],
                "ImageMissing",
            ),
            (
                vec![state("Updating"), Answer::json(200, resource)],
                "OperationCanceled",
            ),
            (
                vec![
                    Answer::status(202).header("location", "{base}/results/1"),
                    Answer::json(409, json!({"error": {"code": "Clash", "message": "No."}})),
                ],
                "Clash",
            ),
        ] {
            let server = Server::start(answers).await;
            let error = server.client().complete(&put()).await.unwrap_err();
            assert!(matches!(error, Error::OperationFailed(_)), "{error:?}");
            assert_eq!(error.code(), code);
            assert!(
                error.to_string().starts_with("PUT /vm was accepted, and ended"),
                "{error}"
            );
        }
    }

    #[tokio::test]
    async fn a_deletion_is_done_when_nothing_is_left() {
        let missing = || Answer::json(404, json!({"error": {"code": "ResourceNotFound", "message": "gone"}}));
        for first in [
            Answer::status(202),
            Answer::status(202).header("location", "{base}/results/1"),
        ] {
            let server = Server::start(vec![first, missing()]).await;
            server
                .client()
                .complete(&Request::delete(Plane::Arm, "/vm"))
                .await
                .unwrap();
            assert_eq!(server.targets().len(), 2);
        }
    }

    #[tokio::test]
    async fn a_poll_url_on_another_host_is_refused() {
        for header in ["azure-asyncoperation", "location"] {
            let server = Server::start(vec![Answer::status(202).header(header, "https://evil.example/op")]).await;
            let error = server.client().complete(&put()).await.unwrap_err();
            assert!(matches!(error, Error::Unfinished { .. }), "{error:?}");
            assert!(error.code() == "refused" && error.may_have_happened());
        }
    }

    #[tokio::test]
    async fn an_accepted_change_whose_state_cannot_be_read_is_not_told_as_one_that_was_not_made() {
        let missing = Answer::json(
            404,
            json!({"error": {"code": "NotFound", "message": "no such operation"}}),
        );
        let forbidden = Answer::json(403, json!({"error": {"code": "AuthorizationFailed", "message": "no"}}));
        for answer in [missing, forbidden, Answer::reset()] {
            let accepted = Answer::status(202).header("azure-asyncoperation", "{base}/operations/1");
            let server = Server::start(vec![accepted, answer]).await;
            let error = server.client().complete(&put()).await.unwrap_err();
            assert!(
                error.may_have_happened() && !error.is_not_found() && !error.is_forbidden(),
                "{error:?}"
            );
            assert!(error.to_string().starts_with("PUT /vm was accepted"), "{error}");
        }
    }

    #[tokio::test]
    async fn an_operation_without_end_is_given_up() {
        let server = Server::start(vec![state("Updating")]).await;
        let options = crate::azure::Options {
            poll_total: Duration::from_millis(30),
            ..Server::options()
        };
        let error = server.client_with(options).complete(&put()).await.unwrap_err();
        assert!(
            matches!(error, Error::Unfinished { .. }) && error.code() == "timeout",
            "{error:?}"
        );
    }
}
