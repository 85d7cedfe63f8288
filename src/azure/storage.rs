//! What journals in Azure Blob Storage need of this floor: a carrier of requests, and the credential of everything else.
//! The requests themselves are the store's.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::error::ErrorKind;
use azure_core::http::HttpClient;
use url::Url;

use super::cloud::{Cloud, builder_for};
use super::error::Error;
use super::tokens::Tokens;
use super::trust::Trust;

/// Whom tokens for Azure Storage are for, in every cloud.
const AUDIENCE: &str = "https://storage.azure.com";

/// Accounts with endpoints in a DNS zone of their own are below this, in the public cloud.
const ZONES: &str = ".blob.storage.azure.net";

impl Cloud {
    /// The known cloud whose storage accounts have hosts like this one.
    pub fn of_storage(host: &str) -> Option<Self> {
        if host.ends_with(ZONES) {
            return Some(Self::public());
        }
        let known = [Self::public(), Self::us_government(), Self::china()];
        known.into_iter().find(|cloud| cloud.has_storage(host))
    }

    /// Whether a token for Azure Storage may go to this host.
    pub fn has_storage(&self, host: &str) -> bool {
        self.ties(host, AUDIENCE)
    }
}

/// What carries the requests to a storage account: it follows no redirects, unpacks no bodies, and trusts whom Ferry
/// trusts.
///
/// # Errors
/// [`Error::Refused`] where TLS cannot be set up.
pub fn storage_client(account: &Url, trust: &Trust) -> Result<Arc<dyn HttpClient>, Error> {
    let client = builder_for(&[account], trust)
        .gzip(false)
        .connect_timeout(Duration::from_secs(5))
        .read_timeout(Duration::from_secs(30))
        .build()
        .map_err(|error| Error::refused("the HTTP client", error.to_string()))?;
    Ok(Arc::new(client))
}

impl Tokens {
    /// These tokens as a credential of the official crates.
    pub fn as_credential(&self) -> Arc<dyn TokenCredential> {
        Arc::new(Shared(self.clone()))
    }
}

#[derive(Debug)]
struct Shared(Tokens);

#[async_trait]
impl TokenCredential for Shared {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        let scope = scopes.first().copied().unwrap_or_default();
        let token = self.0.get(scope.strip_suffix("/.default").unwrap_or(scope)).await;
        token
            .map(|token| token.access())
            .map_err(|error| azure_core::Error::with_message(ErrorKind::Credential, error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::testing::Counting;

    #[test]
    fn the_cloud_of_a_storage_account_is_told_by_its_host() {
        let name = |host: &str| Cloud::of_storage(host).map(|cloud| cloud.name);
        assert_eq!(name("acc.blob.core.windows.net").as_deref(), Some("AzureCloud"));
        assert_eq!(
            name("acc.privatelink.blob.core.windows.net").as_deref(),
            Some("AzureCloud")
        );
        assert_eq!(name("acc.z12.blob.storage.azure.net").as_deref(), Some("AzureCloud"));
        assert_eq!(
            name("acc.blob.core.usgovcloudapi.net").as_deref(),
            Some("AzureUSGovernment")
        );
        assert_eq!(
            name("acc.blob.core.chinacloudapi.cn").as_deref(),
            Some("AzureChinaCloud")
        );
        for stranger in [
            "acc.blob.core.windows.net.example",
            "blob.example",
            "core.windows.net",
            "127.0.0.1",
        ] {
            assert_eq!(name(stranger), None, "{stranger}");
        }
    }

    #[tokio::test]
    async fn the_account_is_given_the_token_that_everything_else_has() {
        let credential = Tokens::from_credential(Counting::with_token("t-7")).as_credential();
        let scope = format!("{AUDIENCE}/.default");
        let token = credential.get_token(&[&scope], None).await.unwrap();
        assert_eq!(token.token.secret(), "t-7");
    }
}
