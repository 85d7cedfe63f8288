//! Puts the token on each try, and fetches a fresh one where Azure says that this one no longer serves.

use async_trait::async_trait;
use http::HeaderValue;

use crate::azure::error::Error;
use crate::azure::pipeline::{Answer, Call, Failure, Next, Policy};
use crate::azure::tokens::Tokens;

/// Attaches tokens. Whether one may go where the call goes was decided in `endpoint.rs`.
pub(crate) struct Auth(pub(crate) Tokens);

impl Auth {
    async fn attach(&self, call: &mut Call, audience: &str) -> Result<u64, Error> {
        let token = self.0.get(audience).await?;
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.secret())).map_err(|_| Error::Auth {
            method: self.0.method().to_string(),
            audience: audience.to_owned(),
            why: "the token cannot stand in a header".to_owned(),
        })?;
        value.set_sensitive(true);
        call.headers.insert(http::header::AUTHORIZATION, value);
        Ok(token.number())
    }
}

#[async_trait]
impl Policy for Auth {
    async fn send(&self, call: &mut Call, next: Next<'_>) -> Result<Answer, Failure> {
        let Some(audience) = call.audience.clone() else {
            return next.send(call).await;
        };
        let used = self.attach(call, &audience).await?;
        let failure = match next.send(call).await {
            Err(failure) if failure.error.status() == Some(401) => failure,
            result => return result,
        };
        // Expired, revoked, or a claims challenge of continuous access evaluation: a token made from now on is
        // the answer to each. Entra ID puts into it what the challenge asks for, or refuses to give one.
        self.0.discard(&audience, used).await;
        match self.attach(call, &audience).await {
            Ok(fresh) if fresh != used => next.send(call).await,
            Ok(_) => Err(failure),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::azure::request::{Plane, Request};
    use crate::azure::testing::{Answer, Server};

    #[tokio::test]
    async fn an_expired_token_is_replaced_once_and_the_request_goes_on() {
        let server = Server::start(vec![Answer::status(401), Answer::status(200)]).await;
        server.client().send(&Request::post(Plane::Arm, "/x")).await.unwrap();
        let tokens: Vec<String> = server.seen().iter().map(|seen| seen.header("authorization")).collect();
        assert_eq!(tokens.len(), 2);
        assert_ne!(tokens[0], tokens[1]);
        assert!(tokens[0].starts_with("Bearer "));
    }

    #[tokio::test]
    async fn a_second_refusal_is_the_answer() {
        let challenge = r#"Bearer authorization_uri="https://login", error="insufficient_claims", claims="eyJ9""#;
        let server = Server::start(vec![Answer::status(401).header("www-authenticate", challenge)]).await;
        let error = server.client().send(&Request::get(Plane::Arm, "/x")).await.unwrap_err();
        assert_eq!(error.status(), Some(401));
        assert_eq!(server.targets().len(), 2);
        assert!(!format!("{error:?} {error}").contains("token-"));
    }

    #[tokio::test]
    async fn a_request_without_audience_carries_no_token() {
        let server = Server::start(vec![Answer::status(200)]).await;
        let plane = Plane::Data {
            audience: String::new(),
        };
        server
            .client()
            .send(&Request::get(plane, "https://probe.example/health"))
            .await
            .unwrap();
        let seen = server.seen();
        assert_eq!(seen[0].header("authorization"), "");
        assert_eq!(seen[0].target, "/dataplane/probe.example/health");
    }
}
