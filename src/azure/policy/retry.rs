//! Decides whether a failed try is followed by another, and when.
//!
//! Tried again: 408, 429, 500, 502, 503, 504; connections that failed; and conflicts that only say "not now". What must
//! not happen twice is tried again only where it surely did not happen. An answer that cannot be read is asked for again
//! only where it is one to a read: a write that was answered with success was received, and is not sent once more.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use rand::Rng as _;

use crate::azure::error::{Error, ServiceError};
use crate::azure::options::Options;
use crate::azure::pipeline::{Answer, Call, Failure, Next, Policy};

/// Tries again, in growing pauses, bounded in number and time.
pub(crate) struct Retry {
    tries: u32,
    base: Duration,
    cap: Duration,
    total: Duration,
}

impl Retry {
    /// The policy with the numbers of `options`.
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            tries: options.tries.max(1),
            base: options.retry_base,
            cap: options.retry_cap,
            total: options.retry_total,
        }
    }

    /// The pause after the given try: doubled each time, and somewhere between half of it and the whole.
    fn pause(&self, try_number: u32) -> Duration {
        let whole = self
            .base
            .saturating_mul(1_u32 << try_number.saturating_sub(1).min(16))
            .min(self.cap);
        whole.mul_f64(rand::rng().random_range(0.5..=1.0))
    }
}

#[async_trait]
impl Policy for Retry {
    async fn send(&self, call: &mut Call, next: Next<'_>) -> Result<Answer, Failure> {
        let begun = Instant::now();
        let mut unclear = None;
        loop {
            let mut failure = match next.send(call).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            if let Error::Service(error) = &mut failure.error {
                error.doubtful = unclear.is_some();
            }
            // A condition that fails after a try whose end nobody knows may have failed because that try succeeded.
            if call.conditional && failure.error.status() == Some(412) {
                return Err(unclear.unwrap_or(failure));
            }
            if failure.is_final || call.try_number >= self.tries || !may_retry(call, &failure.error) {
                return Err(failure);
            }
            let asked = failure.error.service().and_then(|error| error.retry_after);
            // Those who were turned away together do not come back together.
            let pause = match asked {
                Some(asked) => asked.saturating_add(self.pause(1).min(Duration::from_millis(500))),
                None => self.pause(call.try_number),
            };
            // Waiting for one's turn is no fault of the request.
            if begun.elapsed().saturating_sub(call.queued).saturating_add(pause) > self.total {
                return Err(failure);
            }
            tokio::time::sleep(pause).await;
            call.try_number += 1;
            if failure.error.may_have_happened() {
                unclear = Some(failure);
            }
        }
    }
}

/// Whether a call that failed so may be sent once more.
fn may_retry(call: &Call, error: &Error) -> bool {
    match error {
        Error::Transport { sent, .. } | Error::Timeout { sent, .. } => call.idempotent || !sent,
        Error::Body { .. } => call.reads,
        Error::Service(error) => match error.status {
            // It was turned away at the door.
            429 => true,
            408 | 500 | 502 | 503 | 504 => call.idempotent,
            409 => is_busy(error),
            // Cosmos DB says "busy" with the status of a failed condition.
            412 => !call.conditional && is_busy(error),
            _ => false,
        },
        Error::Auth { .. }
        | Error::Refused { .. }
        | Error::Withheld { .. }
        | Error::OperationFailed(_)
        | Error::Unfinished { .. } => false,
    }
}

/// Whether a conflict says only that another change is still under way, and so that this one was not begun.
fn is_busy(error: &ServiceError) -> bool {
    const CODES: [&str; 4] = [
        "AnotherOperationInProgress",
        "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
        "OperationInProgress",
        "RetryableError",
    ];
    let message = error.message.to_ascii_lowercase();
    if CODES.iter().any(|code| error.code.eq_ignore_ascii_case(code)) || message.contains("exclusive lock") {
        return true;
    }
    match error.code.as_str() {
        // A vault answers so to parallel writes, and also where a deleted vault keeps the name, which does not pass.
        "ConflictError" => !message.contains("deleted state") && !message.contains("already exists"),
        "OperationNotAllowed" | "Conflict" | "ConflictingConcurrentWriteNotAllowed" => [
            "in progress",
            "being updated",
            "try again later",
            "retry later",
            "concurrent",
        ]
        .iter()
        .any(|words| message.contains(words)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::request::{Plane, Request};
    use crate::azure::testing::{Answer, Server};
    use serde_json::json;

    fn put() -> Request {
        Request::put(Plane::Arm, "/x", json!({"a": 1}))
    }

    fn busy(status: u16, code: &str, message: &str) -> Answer {
        Answer::json(status, json!({"error": {"code": code, "message": message}}))
    }

    #[tokio::test]
    async fn a_throttled_request_waits_as_long_as_azure_asks() {
        let server = Server::start(vec![
            busy(429, "TooManyRequests", "slow down").header("x-ms-retry-after-ms", "60"),
            Answer::json(200, json!({"ok": true})),
        ])
        .await;
        let begun = Instant::now();
        let answer = server.client().send(&Request::get(Plane::Arm, "/x")).await.unwrap();
        assert_eq!(answer.body, json!({"ok": true}));
        assert!(begun.elapsed() >= Duration::from_millis(60));
        assert_eq!(server.targets().len(), 2);
    }

    #[tokio::test]
    async fn the_client_request_id_stays_over_the_tries_and_differs_between_requests() {
        let server = Server::start(vec![Answer::status(503), Answer::status(502), Answer::status(200)]).await;
        let client = server.client();
        client.send(&put()).await.unwrap();
        client.send(&put()).await.unwrap();
        let ids: Vec<String> = server
            .seen()
            .iter()
            .map(|seen| seen.header("x-ms-client-request-id"))
            .collect();
        assert_eq!(ids[0], ids[1]);
        assert_eq!(ids[1], ids[2]);
        assert_ne!(ids[2], ids[3]);
        let runs: Vec<String> = server
            .seen()
            .iter()
            .map(|seen| seen.header("x-ms-correlation-request-id"))
            .collect();
        assert!(runs.iter().all(|id| id == &runs[0] && !id.is_empty()));
    }

    #[tokio::test]
    async fn a_post_that_never_left_is_tried_again() {
        let server = Server::start(vec![Answer::status(200)]).await;
        let mut cloud = server.cloud();
        cloud.resource_manager = url::Url::parse("http://127.0.0.1:9/").unwrap();
        let tokens = crate::azure::Tokens::from_credential(crate::azure::testing::Counting::lasting(3600));
        let client = crate::azure::Client::new(cloud, tokens, Server::options()).unwrap();
        let error = client.send(&Request::post(Plane::Arm, "/x")).await.unwrap_err();
        assert!(
            matches!(
                error,
                Error::Transport {
                    sent: false,
                    tries: 4,
                    ..
                }
            ),
            "{error:?}"
        );
        assert!(error.is_unreachable() && !error.may_have_happened());
    }

    #[tokio::test]
    async fn a_conditional_write_that_may_have_succeeded_is_not_told_as_somebody_elses() {
        let stale = || busy(412, "PreconditionFailed", "The condition was not met.");
        let request = put().header("If-Match", "\"1\"");
        let server = Server::start(vec![Answer::reset(), stale()]).await;
        let error = server.client().send(&request).await.unwrap_err();
        assert!(error.may_have_happened() && error.status().is_none(), "{error:?}");
        let server = Server::start(vec![stale()]).await;
        assert_eq!(server.client().send(&request).await.unwrap_err().status(), Some(412));
    }

    #[tokio::test]
    async fn tries_are_bounded() {
        let server = Server::start(vec![Answer::status(503)]).await;
        let error = server.client().send(&put()).await.unwrap_err();
        assert_eq!(error.status(), Some(503));
        assert_eq!(server.targets().len(), 4);
    }

    #[tokio::test]
    async fn a_wait_longer_than_the_whole_is_not_begun() {
        let server = Server::start(vec![Answer::status(503).header("retry-after", "3600")]).await;
        let error = server.client().send(&put()).await.unwrap_err();
        assert_eq!(error.service().unwrap().retry_after, Some(Duration::from_hours(1)));
        assert_eq!(server.targets().len(), 1);
    }

    #[tokio::test]
    async fn a_post_that_may_have_happened_is_not_sent_again() {
        for answer in [
            Answer::reset(),
            Answer::status(500),
            Answer::status(503),
            Answer::raw(200, "{\"a\":"),
        ] {
            let server = Server::start(vec![answer, Answer::status(200)]).await;
            let error = server
                .client()
                .send(&Request::post(Plane::Arm, "/x"))
                .await
                .unwrap_err();
            assert!(error.may_have_happened(), "{error:?}");
            assert_eq!(server.targets().len(), 1);
        }
    }

    #[tokio::test]
    async fn a_post_that_was_turned_away_or_can_be_repeated_is_sent_again() {
        let server = Server::start(vec![
            Answer::status(429).header("retry-after-ms", "1"),
            Answer::status(200),
        ])
        .await;
        server.client().send(&Request::post(Plane::Arm, "/x")).await.unwrap();
        let server = Server::start(vec![Answer::reset(), Answer::json(200, json!({}))]).await;
        server
            .client()
            .send(&Request::post(Plane::Arm, "/x").idempotent(true))
            .await
            .unwrap();
        assert_eq!(server.targets().len(), 2);
    }

    #[tokio::test]
    async fn a_broken_connection_is_mended_for_what_can_be_repeated() {
        let server = Server::start(vec![Answer::reset(), Answer::status(502), Answer::status(200)]).await;
        server.client().send(&put()).await.unwrap();
        assert_eq!(server.targets().len(), 3);
    }

    #[tokio::test]
    async fn a_read_is_sent_again_where_its_answer_broke_off_or_is_empty() {
        let whole = || Answer::json(200, json!({"ok": true}));
        for answer in [
            Answer::cut(200, "{\"ok\": true}"),
            Answer::raw(200, "{\"ok\": tr"),
            Answer::html(200, "<html>Sign in</html>"),
            Answer::status(200),
        ] {
            let server = Server::start(vec![answer, whole()]).await;
            let read = server.client().send(&Request::get(Plane::Arm, "/x")).await.unwrap();
            assert_eq!(read.body, json!({"ok": true}));
        }
    }

    #[tokio::test]
    async fn a_write_that_was_answered_with_success_is_not_sent_again_for_its_unreadable_body() {
        for answer in [
            Answer::cut(200, "{\"ok\": true}"),
            Answer::raw(201, "{\"ok\": tr"),
            Answer::stuck(200, "{\"ok\": true}"),
            Answer::html(200, "<html>Sign in</html>"),
        ] {
            let server = Server::start(vec![answer.header("x-ms-request-id", "r-9")]).await;
            let options = Options {
                response_timeout: Duration::from_millis(500),
                ..Server::options()
            };
            let error = server.client_with(options).complete(&put()).await.unwrap_err();
            assert_eq!((error.code(), error.request_id()), ("unreadable-answer", Some("r-9")));
            assert!(
                error.may_have_happened() && error.to_string().contains("r-9"),
                "{error}"
            );
            assert_eq!(server.targets().len(), 1);
        }
    }

    #[tokio::test]
    async fn a_refusal_after_a_try_without_known_end_says_that_it_may_be_that_tries_doing() {
        let gone = || busy(404, "ResourceNotFound", "gone");
        let server = Server::start(vec![Answer::reset(), gone()]).await;
        let error = server
            .client()
            .send(&Request::delete(Plane::Arm, "/x"))
            .await
            .unwrap_err();
        assert!(error.service().unwrap().doubtful);
        let server = Server::start(vec![gone()]).await;
        let error = server
            .client()
            .send(&Request::delete(Plane::Arm, "/x"))
            .await
            .unwrap_err();
        assert!(!error.service().unwrap().doubtful);
    }

    #[tokio::test]
    async fn a_post_that_was_turned_away_without_a_time_is_sent_again_too() {
        let server = Server::start(vec![Answer::html(429, "<html>Slow down</html>"), Answer::status(200)]).await;
        server.client().send(&Request::post(Plane::Arm, "/x")).await.unwrap();
        assert_eq!(server.targets().len(), 2);
    }

    #[tokio::test]
    async fn a_body_that_stays_malformed_is_told_clearly() {
        for (answer, says) in [
            (Answer::raw(200, "{\"value\": \"hush"), "not whole JSON"),
            (Answer::html(200, "<html><h1>Proxy</h1></html>"), "web page"),
            (Answer::cut(200, "{\"value\": []}"), "broke off"),
        ] {
            let server = Server::start(vec![answer]).await;
            let error = server.client().send(&Request::get(Plane::Arm, "/x")).await.unwrap_err();
            assert!(matches!(error, Error::Body { .. }), "{error:?}");
            assert!(error.to_string().contains(says), "{error}");
            assert!(!error.to_string().contains("hush"), "{error}");
            assert_eq!(server.targets().len(), 4);
        }
    }

    #[tokio::test]
    async fn a_slow_answer_is_a_timeout() {
        let server = Server::start(vec![Answer::status(200).after(Duration::from_secs(30))]).await;
        let options = Options {
            tries: 2,
            response_timeout: Duration::from_millis(50),
            ..Server::options()
        };
        let error = server.client_with(options).send(&put()).await.unwrap_err();
        assert!(matches!(error, Error::Timeout { sent: true, .. }), "{error:?}");
        assert_eq!(server.targets().len(), 2);
    }

    #[tokio::test]
    async fn a_conflict_that_says_not_now_is_waited_out() {
        for answer in [
            busy(
                409,
                "AnotherOperationInProgress",
                "Another operation on this resource is in progress.",
            ),
            busy(
                409,
                "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
                "one at a time",
            ),
            busy(
                409,
                "ConflictError",
                "A conflict occurred that prevented the operation from completing.",
            ),
            busy(
                409,
                "OperationNotAllowed",
                "The operation is not allowed: an upgrade is in progress.",
            ),
            busy(
                412,
                "PreconditionFailed",
                "There is already an operation which requires exclusive lock on it.",
            ),
        ] {
            let server = Server::start(vec![answer, Answer::status(200)]).await;
            server.client().send(&put()).await.unwrap();
            assert_eq!(server.targets().len(), 2);
        }
    }

    #[tokio::test]
    async fn other_conflicts_are_answers() {
        for answer in [
            busy(409, "RoleAssignmentExists", "The role assignment already exists."),
            busy(409, "ScopeLocked", "locked"),
            busy(
                409,
                "ConflictError",
                "A vault with the same name already exists in deleted state.",
            ),
            busy(412, "PreconditionFailed", "The condition was not met."),
            busy(404, "ResourceNotFound", "gone"),
            busy(403, "AuthorizationFailed", "no"),
        ] {
            let server = Server::start(vec![answer, Answer::status(200)]).await;
            assert!(server.client().send(&put()).await.is_err());
            assert_eq!(server.targets().len(), 1);
        }
    }
}
