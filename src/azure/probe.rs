//! Questions about a cloud before anybody signs in: does its token endpoint answer?

use std::time::Duration;

use super::cloud::{Cloud, document, fetch, plain_client, unreadable};
use super::error::Error;

impl Cloud {
    /// Asks the token endpoint of a tenant to describe itself, and gives the issuer that it names.
    ///
    /// # Errors
    /// [`Error::Transport`] where nobody answers, [`Error::Body`] where it is no token endpoint.
    pub async fn token_endpoint(&self, tenant: &str) -> Result<String, Error> {
        let http = plain_client(&self.login, &self.trust, Duration::from_secs(20))?;
        let address = format!(
            "{}/{tenant}/v2.0/.well-known/openid-configuration",
            self.login.as_str().trim_end_matches('/')
        );
        let (status, _, body) = fetch(&http, &address).await?;
        let unusable = |why: String| unreadable(&address, status, why);
        let document = document(&body).map_err(|error| unusable(format!("it is not JSON: {error}")))?;
        if let Some(why) = document["error_description"].as_str() {
            return Err(unusable(why.to_owned()));
        }
        document["issuer"]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| unusable("it names no issuer".to_owned()))
    }
}
