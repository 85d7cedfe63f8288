//! Ids by which Azure's support finds a request: one a request, kept over its tries, and one a run.

use async_trait::async_trait;
use http::HeaderValue;

use crate::azure::error::Error;
use crate::azure::pipeline::{Answer, Call, Failure, Next, Policy};
use crate::azure::request::Plane;

/// Adds the ids.
pub(crate) struct Correlation {
    run: HeaderValue,
}

impl Correlation {
    /// Ids for the run `id`, or for one that gets a new id.
    ///
    /// # Errors
    /// [`Error::Refused`] where the id cannot stand in a header.
    pub(crate) fn new(id: Option<&str>) -> Result<Self, Error> {
        let id = id.map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned);
        let run = HeaderValue::from_str(&id)
            .map_err(|error| Error::refused(format!("the correlation id \"{id}\""), error.to_string()))?;
        Ok(Self { run })
    }
}

#[async_trait]
impl Policy for Correlation {
    async fn send(&self, call: &mut Call, next: Next<'_>) -> Result<Answer, Failure> {
        let request = uuid::Uuid::new_v4().to_string();
        // A UUID is plain ASCII; a header that could not be made is left out rather than failing the request.
        if let Ok(value) = HeaderValue::from_str(&request) {
            if call.plane == Plane::Graph {
                call.headers.insert("client-request-id", value.clone());
            }
            call.headers.insert("x-ms-client-request-id", value);
        }
        call.headers.insert("x-ms-correlation-request-id", self.run.clone());
        next.send(call).await
    }
}
