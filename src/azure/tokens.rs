//! Tokens: one for each audience, kept until shortly before they expire, fetched by one asker at a time.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use azure_core::credentials::{AccessToken, TokenCredential};
use serde_json::Value;
use time::OffsetDateTime;
use tokio::sync::Mutex;

use super::cloud::Cloud;
use super::credential::{self, Answered, AuthMethod};
use super::error::Error;

/// Makes a credential; a new one has cached nothing.
pub(crate) type Maker = Arc<dyn Fn() -> Result<Arc<dyn TokenCredential>, Error> + Send + Sync>;

/// A token in use. It never prints itself.
#[derive(Clone)]
pub(crate) struct Token {
    access: AccessToken,
    fetched: OffsetDateTime,
    number: u64,
}

impl Token {
    /// The token itself, for the header alone.
    pub(crate) fn secret(&self) -> &str {
        self.access.token.secret()
    }

    /// The token with its end, for the SDK alone.
    pub(crate) fn access(&self) -> AccessToken {
        self.access.clone()
    }

    /// A number that no other token of this process has.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Whether it is time for another: five minutes before the end, or a fifth of the life of one that lives shorter.
    ///
    /// One that had expired when it came tells of two clocks that do not agree, not of its life: it is kept for a
    /// minute, and Azure says sooner where it does not serve.
    fn is_stale(&self, now: OffsetDateTime) -> bool {
        let life: time::Duration = self.access.expires_on - self.fetched;
        if life <= time::Duration::ZERO {
            return now >= self.fetched + time::Duration::MINUTE;
        }
        let margin = std::cmp::min(life / 5_i32, time::Duration::minutes(5));
        now >= self.access.expires_on - margin
    }
}

#[derive(Default)]
struct Slot {
    token: Option<Token>,
    /// The credential that gave it; gone once Azure has refused one of its tokens.
    credential: Option<Arc<dyn TokenCredential>>,
}

struct Inner {
    method: AuthMethod,
    answered: Answered,
    maker: Maker,
    first: Mutex<Option<Arc<dyn TokenCredential>>>,
    slots: Mutex<HashMap<String, Arc<Mutex<Slot>>>>,
    numbers: AtomicU64,
    patience: Duration,
}

/// The tokens of one run. Clones share them.
#[derive(Clone)]
pub struct Tokens(Arc<Inner>);

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("method", &self.0.method)
            .finish_non_exhaustive()
    }
}

impl Tokens {
    /// Tokens for `cloud` by `method`. Nothing is fetched yet.
    ///
    /// For a cloud on this machine [`AuthMethod::Auto`] asks that cloud's own `/msi/token`, and no other credential is
    /// so much as looked for.
    ///
    /// # Errors
    /// [`Error::Auth`] where the method lacks a setting, [`Error::Refused`] where `Auto` would give a token for one of
    /// Azure's own clouds to an endpoint that is not that cloud's.
    pub fn new(cloud: &Cloud, method: AuthMethod) -> Result<Self, Error> {
        Self::with_environment(cloud, method, Arc::new(|name: &str| std::env::var(name).ok()))
    }

    /// Like [`Tokens::new`], with another source of environment variables.
    pub(crate) fn with_environment(
        cloud: &Cloud,
        method: AuthMethod,
        environment: credential::Environment,
    ) -> Result<Self, Error> {
        let answered = Answered::default();
        let maker = credential::maker(cloud, method, environment, &answered)?;
        let first = maker()?;
        let tokens = Self::from_maker(method, answered, maker);
        if let Ok(mut slot) = tokens.0.first.try_lock() {
            *slot = Some(first);
        }
        Ok(tokens)
    }

    /// Tokens of a credential of the caller's own, for embedding programs.
    pub fn from_credential(credential: Arc<dyn TokenCredential>) -> Self {
        let maker = Arc::new(move || Ok(Arc::clone(&credential)));
        Self::from_maker(AuthMethod::Auto, Answered::default(), maker)
    }

    fn from_maker(method: AuthMethod, answered: Answered, maker: Maker) -> Self {
        Self(Arc::new(Inner {
            method,
            answered,
            maker,
            first: Mutex::new(None),
            slots: Mutex::default(),
            numbers: AtomicU64::new(1),
            patience: Duration::from_mins(2),
        }))
    }

    /// How tokens are got.
    pub fn method(&self) -> AuthMethod {
        self.0.method
    }

    /// The method that has given a token, where `Auto` had several to try; else the method itself.
    pub fn answered(&self) -> AuthMethod {
        let found = self.0.answered.lock().ok().and_then(|found| *found);
        found.unwrap_or(self.0.method)
    }

    /// The token for an audience: the one at hand, else a new one. Others who ask for the same wait.
    pub(crate) async fn get(&self, audience: &str) -> Result<Token, Error> {
        let slot = self.slot(audience).await;
        let mut slot = slot.lock().await;
        let now = OffsetDateTime::now_utc();
        if let Some(token) = slot.token.as_ref().filter(|token| !token.is_stale(now)) {
            return Ok(token.clone());
        }
        match self.fetch(&mut slot, audience).await {
            Ok(token) => {
                slot.token = Some(token.clone());
                Ok(token)
            }
            // One that is about to expire still serves while no other is to be had.
            Err(error) => match slot.token.as_ref().filter(|token| token.access.expires_on > now) {
                Some(token) => Ok(token.clone()),
                None => Err(error),
            },
        }
    }

    /// Forgets the token of this number, which Azure has refused, and the credential that would give it again.
    pub(crate) async fn discard(&self, audience: &str, number: u64) {
        let slot = self.slot(audience).await;
        let mut slot = slot.lock().await;
        if slot.token.as_ref().is_some_and(|token| token.number == number) {
            slot.token = None;
            slot.credential = None;
            *self.0.first.lock().await = None;
        }
    }

    /// The claims of the token for an audience, as its middle part says them; unverified, for display.
    ///
    /// # Errors
    /// [`Error::Auth`] where there is no token, or one whose claims cannot be read.
    pub async fn claims(&self, audience: &str) -> Result<Value, Error> {
        use base64::Engine as _;
        let token = self.get(audience).await?;
        token
            .secret()
            .split('.')
            .nth(1)
            .and_then(|part| {
                base64::engine::general_purpose::URL_SAFE_NO_PAD
                    .decode(part.trim_end_matches('='))
                    .ok()
            })
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .ok_or_else(|| self.error(audience, "its token is opaque and tells no claims"))
    }

    async fn slot(&self, audience: &str) -> Arc<Mutex<Slot>> {
        Arc::clone(self.0.slots.lock().await.entry(audience.to_owned()).or_default())
    }

    async fn fetch(&self, slot: &mut Slot, audience: &str) -> Result<Token, Error> {
        let credential = match &slot.credential {
            Some(credential) => Arc::clone(credential),
            None => self.credential().await?,
        };
        slot.credential = Some(Arc::clone(&credential));
        let scope = format!("{audience}/.default");
        let scopes = [scope.as_str()];
        let asked = tokio::time::timeout(self.0.patience, credential.get_token(&scopes, None)).await;
        let access = match asked {
            Ok(Ok(access)) => access,
            Ok(Err(error)) => return Err(self.error(audience, &credential::explain(&error))),
            Err(_) => return Err(self.error(audience, &format!("it gave none in {} s", self.0.patience.as_secs()))),
        };
        let number = self.0.numbers.fetch_add(1, Ordering::Relaxed);
        Ok(Token {
            access,
            fetched: OffsetDateTime::now_utc(),
            number,
        })
    }

    /// The credential that all audiences share, made anew after one of its tokens was refused.
    async fn credential(&self) -> Result<Arc<dyn TokenCredential>, Error> {
        let mut first = self.0.first.lock().await;
        match &*first {
            Some(credential) => Ok(Arc::clone(credential)),
            None => Ok(Arc::clone(first.insert((self.0.maker)()?))),
        }
    }

    fn error(&self, audience: &str, why: &str) -> Error {
        Error::Auth {
            method: self.0.method.to_string(),
            audience: audience.to_owned(),
            why: why.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::testing::Counting;

    #[tokio::test]
    async fn many_askers_cause_one_fetch_for_each_audience() {
        let counting = Counting::lasting(3600);
        let tokens = Tokens::from_credential(counting.clone());
        let one = futures::future::join_all((0..20).map(|_| tokens.get("https://a")));
        let numbers: Vec<u64> = one.await.into_iter().map(|token| token.unwrap().number()).collect();
        assert!(numbers.iter().all(|number| *number == numbers[0]));
        tokens.get("https://b").await.unwrap();
        assert_eq!(counting.count(), 2);
    }

    #[tokio::test]
    async fn a_token_near_its_end_is_replaced_before_it_expires() {
        let token = |life: i64, age: i64| {
            let now = OffsetDateTime::now_utc();
            let fetched = now - time::Duration::seconds(age);
            let token = AccessToken::new("x", fetched + time::Duration::seconds(life));
            Token {
                access: token,
                fetched,
                number: 1,
            }
            .is_stale(now)
        };
        assert!(!token(-7200, 30) && token(-7200, 61));
        assert!(!token(3600, 3200) && token(3600, 3310) && !token(60, 40) && token(60, 50));
    }

    #[tokio::test]
    async fn a_clock_that_is_off_does_not_make_every_request_fetch_a_token() {
        let counting = Counting::lasting(-7200);
        let tokens = Tokens::from_credential(counting.clone());
        let first = tokens.get("https://a").await.unwrap().number();
        assert_eq!(tokens.get("https://a").await.unwrap().number(), first);
        assert_eq!(counting.count(), 1);
    }

    #[tokio::test]
    async fn a_token_that_another_has_replaced_already_is_not_thrown_away() {
        let counting = Counting::lasting(3600);
        let tokens = Tokens::from_credential(counting.clone());
        let old = tokens.get("https://a").await.unwrap().number();
        tokens.discard("https://a", old).await;
        let new = tokens.get("https://a").await.unwrap().number();
        tokens.discard("https://a", old).await;
        assert_eq!(tokens.get("https://a").await.unwrap().number(), new);
        assert_eq!(counting.count(), 2);
    }

    #[tokio::test]
    async fn claims_are_told_without_the_token() {
        let tokens = Tokens::from_credential(Counting::with_token("e30.eyJvaWQiOiI3In0.c2ln"));
        assert_eq!(
            tokens.claims("https://a").await.unwrap(),
            serde_json::json!({"oid": "7"})
        );
        let tokens = Tokens::from_credential(Counting::with_token("opaque-secret"));
        let error = tokens.claims("https://a").await.unwrap_err();
        assert!(!error.to_string().contains("opaque-secret"));
    }
}
