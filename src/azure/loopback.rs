//! The one credential of a cloud on this machine: what that cloud itself gives to anybody.

use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::error::ErrorKind;
use serde_json::Value;
use time::OffsetDateTime;

use super::cloud::{Cloud, is_loopback, plain_client};
use super::error::{Error, excerpt};
use super::policy::transport::{causes, collect};

/// The most bytes that are read of what should be a token.
const MOST: usize = 1 << 20;

/// The credential of a cloud on this machine: its own managed-identity endpoint, in the form of App Service.
#[derive(Debug)]
pub(crate) struct LoopbackCredential {
    address: url::Url,
    http: reqwest::Client,
}

impl LoopbackCredential {
    /// The credential of a loopback cloud.
    ///
    /// # Errors
    /// [`Error::Refused`] for a cloud that is somewhere else.
    pub(crate) fn new(cloud: &Cloud) -> Result<Self, Error> {
        if !cloud.loopback || !is_loopback(&cloud.resource_manager) {
            return Err(Error::refused(
                "a loopback token",
                format!("{} is not on this machine", cloud.name),
            ));
        }
        let mut address = cloud.resource_manager.clone();
        address.set_path(&format!("{}/msi/token", address.path().trim_end_matches('/')));
        Ok(Self {
            address,
            http: plain_client(&cloud.resource_manager, &cloud.trust, Duration::from_secs(20))?,
        })
    }

    async fn ask(&self, resource: &str) -> Result<AccessToken, String> {
        let mut address = self.address.clone();
        address
            .query_pairs_mut()
            .append_pair("api-version", "2019-08-01")
            .append_pair("resource", resource);
        let answer = self.http.get(address).header("x-identity-header", "ferry").send().await;
        let answer = answer.map_err(|error| causes(&error))?;
        let status = answer.status();
        let body = collect(answer, MOST).await.map_err(|error| causes(&error))?;
        let body = body.ok_or_else(|| format!("{} gave more than a token", self.address))?;
        if !status.is_success() {
            return Err(format!("{} answered {status}: {}", self.address, excerpt(&body)));
        }
        // No excerpt here: what cannot be read may still be a token.
        let document: Value = serde_json::from_slice(&body).map_err(|_| format!("{} gave no JSON", self.address))?;
        let token = document.get("access_token").and_then(Value::as_str);
        let token = token.ok_or_else(|| format!("{} gave no access_token", self.address))?;
        let number = |name: &str| match document.get(name)? {
            Value::String(text) => text.parse::<i64>().ok(),
            other => other.as_i64(),
        };
        let expires = number("expires_on")
            .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
            .or_else(|| Some(OffsetDateTime::now_utc() + time::Duration::seconds(number("expires_in")?)));
        let expires = expires.ok_or_else(|| format!("{} does not say when its token expires", self.address))?;
        Ok(AccessToken::new(token.to_owned(), expires))
    }
}

#[async_trait]
impl TokenCredential for LoopbackCredential {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        let scope = scopes.first().copied().unwrap_or_default();
        let resource = scope.strip_suffix("/.default").unwrap_or(scope);
        let mut tries = 0;
        loop {
            tries += 1;
            match self.ask(resource).await {
                Ok(token) => return Ok(token),
                Err(why) if tries == 4 => {
                    return Err(azure_core::Error::with_message(ErrorKind::Credential, why));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50 << tries)).await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::azure::credential::{AuthMethod, Environment};
    use crate::azure::testing::{Answer, Server};
    use crate::azure::tokens::Tokens;
    use serde_json::json;

    #[tokio::test]
    async fn a_loopback_cloud_is_asked_for_its_own_token_and_the_environment_is_never_read() {
        let server = Server::start(vec![Answer::json(
            200,
            json!({"access_token": "t-1", "expires_on": "4102444800", "resource": "r", "token_type": "Bearer"}),
        )])
        .await;
        let nobody: Environment = Arc::new(|name| panic!("{name} was read for a loopback cloud"));
        let tokens = Tokens::with_environment(&server.cloud(), AuthMethod::Auto, nobody).unwrap();
        assert_eq!(tokens.get("https://vault.azure.net").await.unwrap().secret(), "t-1");
        let seen = server.seen();
        assert_eq!(
            seen[0].target,
            "/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fvault.azure.net"
        );
        assert!(!seen[0].header("x-identity-header").is_empty());
    }

    #[tokio::test]
    async fn a_loopback_cloud_without_a_token_has_no_other_way() {
        let server = Server::start(vec![Answer::json(500, json!({"statusCode": 500, "message": "no"}))]).await;
        let nobody: Environment = Arc::new(|name| panic!("{name} was read for a loopback cloud"));
        let tokens = Tokens::with_environment(&server.cloud(), AuthMethod::Auto, nobody).unwrap();
        let Err(error) = tokens.get("https://a").await else {
            panic!("a token came from nowhere")
        };
        assert!(matches!(error, Error::Auth { .. }), "{error:?}");
        assert!(server.targets().iter().all(|target| target.starts_with("/msi/token")));
    }

    #[test]
    fn a_distant_cloud_has_no_loopback_credential() {
        assert!(LoopbackCredential::new(&Cloud::public()).is_err());
        let lying = Cloud {
            loopback: true,
            ..Cloud::public()
        };
        assert!(LoopbackCredential::new(&lying).is_err());
    }
}
