//! Asks whoever may forbid it before each try of a request that changes something.
//!
//! It stands behind the policies that wait, for a place among the requests in flight or for another try: what was allowed
//! before such a wait may be forbidden after it.

use async_trait::async_trait;

use crate::azure::error::Error;
use crate::azure::options::Guard as Ask;
use crate::azure::pipeline::{Answer, Call, Failure, Next, Policy};

/// Asks, and sends nothing where the answer is no.
pub(crate) struct Guard(pub(crate) Ask);

#[async_trait]
impl Policy for Guard {
    async fn send(&self, call: &mut Call, next: Next<'_>) -> Result<Answer, Failure> {
        if !call.reads {
            (self.0)().await.map_err(|why| Error::Withheld {
                method: call.method.to_string(),
                target: call.target.clone(),
                why,
            })?;
        }
        next.send(call).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures::FutureExt as _;
    use serde_json::json;

    use crate::azure::Error;
    use crate::azure::request::{Plane, Request};
    use crate::azure::testing::{Answer, Server};

    #[tokio::test]
    async fn a_write_that_is_forbidden_meanwhile_is_not_sent_again_and_reads_are_never_asked_about() {
        let server = Server::start(vec![Answer::status(503), Answer::json(200, json!({}))]).await;
        let asked = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&asked);
        let client = server.client().guarded(Arc::new(move || {
            let allowed = count.fetch_add(1, Ordering::SeqCst) == 0;
            let answer = if allowed { Ok(()) } else { Err("taken over".to_owned()) };
            std::future::ready(answer).boxed()
        }));
        let error = client
            .send(&Request::put(Plane::Arm, "/x", json!({})))
            .await
            .unwrap_err();
        assert!(
            matches!(&error, Error::Withheld { why, .. } if why == "taken over"),
            "{error:?}"
        );
        assert_eq!((server.targets().len(), asked.load(Ordering::SeqCst)), (1, 2));
        client.send(&Request::get(Plane::Arm, "/x")).await.unwrap();
        assert_eq!((server.targets().len(), asked.load(Ordering::SeqCst)), (2, 2));
    }
}
