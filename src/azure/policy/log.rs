//! Tells the observer of every try, without bodies, queries or tokens.

use std::time::Instant;

use async_trait::async_trait;

use crate::azure::error::request_id;
use crate::azure::options::{LogLine, Observer};
use crate::azure::pipeline::{Answer, Call, Failure, Next, Policy};

/// Tells, if someone listens.
pub(crate) struct Log(pub(crate) Option<Observer>);

#[async_trait]
impl Policy for Log {
    async fn send(&self, call: &mut Call, next: Next<'_>) -> Result<Answer, Failure> {
        let Some(observer) = &self.0 else {
            return next.send(call).await;
        };
        let begun = Instant::now();
        let result = next.send(call).await;
        let (status, request_id, problem) = match &result {
            Ok(answer) => (Some(answer.status), request_id(&answer.headers), None),
            Err(failure) => (
                failure.error.status(),
                request_id(&failure.headers),
                Some(failure.error.code().to_owned()),
            ),
        };
        observer(&LogLine {
            method: call.method.to_string(),
            target: call.target.clone(),
            status,
            millis: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            try_number: call.try_number,
            request_id,
            problem,
        });
        result
    }
}
