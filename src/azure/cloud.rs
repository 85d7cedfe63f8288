//! Clouds: which endpoints, audiences and host suffixes belong together.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::cloud_document;
use super::error::{Error, excerpt};
use super::known_clouds::PUBLIC_SUFFIXES;
use super::policy::transport;
use super::trust::Trust;
pub(crate) use crate::types::is_loopback;

/// One Azure cloud: where it is called, for whom its tokens are, and which hosts its services have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cloud {
    /// The cloud's own name, as `AzureCloud`.
    pub name: String,
    /// Azure Resource Manager.
    pub resource_manager: Url,
    /// Microsoft Graph, without its version.
    pub graph: Url,
    /// Where Entra ID gives tokens.
    pub login: Url,
    /// Whom a token for Azure Resource Manager is for.
    pub arm_audience: String,
    /// Whom a token for Microsoft Graph is for.
    pub graph_audience: String,
    /// Host suffixes of data planes by the name that the metadata gives them: `keyVaultDns` → `vault.azure.net`.
    pub suffixes: BTreeMap<String, String>,
    /// Services that the metadata names by one URL, audience and host at once: `logAnalyticsResourceId`.
    pub services: BTreeMap<String, String>,
    /// Where all data planes are called instead of at their own hosts.
    pub data_plane_gateway: Option<Url>,
    /// Whether the endpoint is on this very machine.
    pub loopback: bool,
    /// Certificate authorities of its endpoints that the system does not know.
    pub trust: Trust,
}

/// Audiences that do not spell their service's host suffix, by the suffix that they belong to.
const OTHER_AUDIENCES: [(&str, &str); 5] = [
    ("storage", "storage.azure.com"),
    ("acrLoginServer", "containerregistry.azure.net"),
    ("mysqlServerEndpoint", "ossrdbms-aad.database.windows.net"),
    ("postgresqlServerEndpoint", "ossrdbms-aad.database.windows.net"),
    ("azureDataLakeStoreFileSystem", "datalake.azure.net"),
];

/// The most bytes that are read of what should be a cloud's metadata.
const MOST: usize = 1 << 20;

/// The names that a cloud answers to, by the short one.
const NAMES: [(&str, &[&str]); 3] = [
    ("public", &["azurecloud", "azurepubliccloud", "azurepublic"]),
    (
        "usgov",
        &["azureusgovernment", "azureusgovernmentcloud", "usgovernment"],
    ),
    ("china", &["azurechinacloud", "azurechina"]),
];

impl Cloud {
    /// The cloud of this name (`public`, `usgov`, `china`, or Azure's own name for one), or at this URL.
    ///
    /// # Errors
    /// [`Error::Refused`] for a name that is none; whatever [`Cloud::discover`] finds wrong with a URL.
    pub async fn resolve(name_or_url: &str) -> Result<Self, Error> {
        Self::resolve_trusting(name_or_url, Trust::default()).await
    }

    /// Like [`Cloud::resolve`], where the certificates of the endpoints may also be by authorities of the caller's own.
    ///
    /// # Errors
    /// Those of [`Cloud::resolve`].
    pub async fn resolve_trusting(name_or_url: &str, trust: Trust) -> Result<Self, Error> {
        match Self::named(name_or_url) {
            Some(cloud) => Ok(Self { trust, ..cloud }),
            None if name_or_url.contains("://") => Self::discover(name_or_url, trust).await,
            None => {
                let near = NAMES
                    .iter()
                    .map(|(short, _)| {
                        (
                            strsim::damerau_levenshtein(short, &name_or_url.to_ascii_lowercase()),
                            short,
                        )
                    })
                    .min()
                    .filter(|(distance, _)| *distance <= 2)
                    .map(|(_, short)| format!(", did you mean \"{short}\"?"))
                    .unwrap_or_default();
                let why = format!("a cloud is public, usgov, china or the URL of an ARM endpoint{near}");
                Err(Error::refused(format!("the cloud \"{name_or_url}\""), why))
            }
        }
    }

    /// The cloud of this name, without asking anyone.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase();
        let (short, _) = NAMES
            .iter()
            .find(|(short, long)| *short == name || long.contains(&name.as_str()))?;
        Some(match *short {
            "usgov" => Self::us_government(),
            "china" => Self::china(),
            _ => Self::public(),
        })
    }

    /// Asks an ARM endpoint for its metadata: `GET /metadata/endpoints`, at 2022-09-01, else in the older forms.
    ///
    /// # Errors
    /// [`Error::Refused`] for plain http beyond this machine, or metadata that would lead a loopback cloud away from
    /// it; [`Error::Transport`] where nobody answers; [`Error::Body`] where the answer describes no cloud.
    pub async fn discover(url: &str, trust: Trust) -> Result<Self, Error> {
        let base = parse_endpoint(url)?;
        let http = plain_client(&base, &trust, Duration::from_secs(30))?;
        let mut last = None;
        for version in ["2022-09-01", "2019-05-01", "2015-01-01"] {
            let address = format!(
                "{}/metadata/endpoints?api-version={version}",
                base.as_str().trim_end_matches('/')
            );
            let (status, headers, body) = fetch(&http, &address).await?;
            let unusable = |why: String| unreadable(&address, status, why);
            if matches!(status, 300..=399 | 429 | 500..) {
                let target = address.split('?').next().unwrap_or(&address);
                return Err(transport::refused("GET", target, status, &headers, &body));
            }
            if status != 200 {
                last.get_or_insert(unusable(format!(
                    "it says {}, not the cloud's metadata",
                    excerpt(&body)
                )));
                if status == 401 || status == 403 {
                    break;
                }
                continue;
            }
            let document =
                document(&body).map_err(|error| unusable(format!("it is not JSON ({error}): {}", excerpt(&body))))?;
            let cloud = cloud_document::read(&base, &document).map_err(unusable)?;
            return Ok(Self { trust, ..cloud });
        }
        Err(last.unwrap_or_else(|| Error::refused(url, "it answered nothing")))
    }

    /// Whether this cloud ties `host` to `audience`, so that a token for the one may go to the other.
    pub fn ties(&self, host: &str, audience: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let audience = audience_host(audience);
        if self
            .services
            .values()
            .any(|service| audience_host(service) == audience && audience == host)
        {
            return true;
        }
        self.suffixes
            .iter()
            .filter(|(_, suffix)| below(&host, suffix))
            .any(|(key, suffix)| {
                audience == suffix.to_ascii_lowercase()
                    || audience == host
                    || OTHER_AUDIENCES
                        .iter()
                        .any(|(of, other)| of == key && *other == audience)
            })
    }

    /// What a token is for that a PostgreSQL server of this cloud takes in place of a password; none where the host is no such
    /// server's. The metadata names it; clouds that are known without asking have it below the domain of their SQL servers.
    pub fn database_audience(&self, host: &str) -> Option<String> {
        let suffix = self.suffixes.get("postgresqlServerEndpoint")?;
        if self.loopback || !below(&host.to_ascii_lowercase(), suffix) {
            return None;
        }
        let named = self.services.get("ossrdbmsResourceId").cloned();
        named.or_else(|| {
            Some(format!(
                "https://ossrdbms-aad.{}",
                self.suffixes.get("sqlServerHostname")?
            ))
        })
    }

    /// The audience as this cloud calls it: scripts may name the public cloud's, `https://vault.azure.net`.
    pub fn audience_here(&self, audience: &str) -> String {
        let asked = audience_host(audience);
        PUBLIC_SUFFIXES
            .iter()
            .find(|(_, suffix)| *suffix == asked)
            .and_then(|(key, suffix)| self.suffixes.get(*key).filter(|here| here.as_str() != *suffix))
            .map_or_else(|| audience.to_owned(), |here| format!("https://{here}"))
    }
}

/// Whether `host` is a name below the domain `suffix`.
fn below(host: &str, suffix: &str) -> bool {
    let suffix = suffix.trim_start_matches('.').to_ascii_lowercase();
    !suffix.is_empty()
        && host
            .strip_suffix(suffix.as_str())
            .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

/// The host of an audience that is a URL, in lower case; the audience itself where it is none.
fn audience_host(audience: &str) -> String {
    let rest = audience.split_once("://").map_or(audience, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default().to_ascii_lowercase()
}

/// Parses the URL of an endpoint: https, or plain http on this machine.
pub(crate) fn parse_endpoint(text: &str) -> Result<Url, Error> {
    let url = Url::parse(text).map_err(|error| Error::refused(format!("the URL \"{text}\""), error.to_string()))?;
    let what = || format!("the endpoint {text}");
    match url.scheme() {
        _ if url.host().is_none() => Err(Error::refused(what(), "it names no host")),
        _ if !url.username().is_empty() || url.password().is_some() => Err(Error::refused(
            "an endpoint",
            "its URL carries a user name or a password",
        )),
        _ if url.query().is_some() || url.fragment().is_some() => {
            Err(Error::refused(what(), "an endpoint has neither query nor fragment"))
        }
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(Error::refused(
            what(),
            "plain http is for this machine alone, use https",
        )),
        other => Err(Error::refused(what(), format!("{other} is not https"))),
    }
}

/// An HTTP client without policies, for what comes before the pipeline: metadata and loopback tokens.
pub(crate) fn plain_client(endpoint: &Url, trust: &Trust, timeout: Duration) -> Result<reqwest::Client, Error> {
    let builder = builder_for(&[endpoint], trust)
        .connect_timeout(Duration::from_secs(10))
        .timeout(timeout);
    builder
        .build()
        .map_err(|error| Error::refused("the HTTP client", error.to_string()))
}

/// The beginning of every HTTP client. It follows no redirects, which would carry the token along. For endpoints on
/// this machine it asks no proxy, and where none of them speaks TLS it does not read the system's certificates, which
/// takes longer than the whole rest.
pub(crate) fn builder_for(endpoints: &[&Url], trust: &Trust) -> reqwest::ClientBuilder {
    let mut builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    if endpoints.iter().all(|url| is_loopback(url)) {
        builder = builder.no_proxy();
    }
    if endpoints.iter().all(|url| url.scheme() == "http") {
        builder = builder.tls_certs_only([]);
    } else if !trust.is_empty() {
        builder = builder.tls_certs_merge(trust.certificates());
    }
    builder
}

/// The JSON of a body that may begin with a mark.
pub(crate) fn document(body: &[u8]) -> serde_json::Result<Value> {
    serde_json::from_slice(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body))
}

pub(crate) fn unreadable(address: &str, status: u16, why: String) -> Error {
    Error::Body {
        method: "GET".to_owned(),
        target: address.split('?').next().unwrap_or(address).to_owned(),
        status,
        why,
        request_id: None,
    }
}

/// Gets a document without a token, three times where the connection fails, the server is unwell, or what it says is
/// no JSON.
pub(crate) async fn fetch(http: &reqwest::Client, address: &str) -> Result<(u16, http::HeaderMap, Vec<u8>), Error> {
    let mut tries = 0;
    loop {
        tries += 1;
        let answer = async {
            let answer = http.get(address).header("accept", "application/json").send().await?;
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            Ok::<_, reqwest::Error>((status, headers, transport::collect(answer, MOST).await?))
        };
        match answer.await {
            Ok((status, _, None)) => {
                return Err(unreadable(address, status, "it is no cloud's, by its size".to_owned()));
            }
            Ok((status, _, Some(body)))
                if tries < 3 && (status == 429 || status >= 500 || (status == 200 && document(&body).is_err())) => {}
            Ok((status, headers, Some(body))) => return Ok((status, headers, body)),
            Err(error) if tries == 3 => {
                return Err(Error::Transport {
                    method: "GET".to_owned(),
                    target: address.split('?').next().unwrap_or(address).to_owned(),
                    why: transport::causes(&error),
                    sent: !error.is_connect(),
                    tries,
                });
            }
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(200 * u64::from(tries))).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::testing::{Answer, Server};
    use serde_json::json;

    #[test]
    fn each_known_cloud_is_found_by_its_names() {
        for (name, host) in [
            ("public", "management.azure.com"),
            ("AzureCloud", "management.azure.com"),
            ("usgov", "management.usgovcloudapi.net"),
            ("AzureUSGovernment", "management.usgovcloudapi.net"),
            ("china", "management.chinacloudapi.cn"),
        ] {
            assert_eq!(Cloud::named(name).unwrap().resource_manager.host_str(), Some(host));
        }
    }

    #[tokio::test]
    async fn a_mistyped_cloud_is_told_its_neighbour() {
        let error = Cloud::resolve("pubic").await.unwrap_err();
        assert!(error.to_string().contains("did you mean \"public\"?"), "{error}");
    }

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        for good in [
            "http://127.0.0.1:80",
            "http://localhost:1",
            "http://[::1]:9/",
            "https://arm.example",
        ] {
            assert!(parse_endpoint(good).is_ok(), "{good}");
        }
        for bad in [
            "http://arm.example",
            "http://127.0.0.1.example",
            "http://localhost.example",
            "ftp://localhost",
            "https://user:secret@arm.example",
        ] {
            let error = parse_endpoint(bad).unwrap_err();
            assert!(matches!(error, Error::Refused { .. }), "{bad}");
            assert!(!error.to_string().contains("secret"));
        }
    }

    #[test]
    fn a_token_is_tied_to_hosts_below_its_suffix() {
        let cloud = Cloud::public();
        assert!(cloud.ties("kv-a.vault.azure.net", "https://vault.azure.net"));
        assert!(cloud.ties("KV-A.vault.azure.net", "https://vault.azure.net/"));
        assert!(cloud.ties("acc.blob.core.windows.net", "https://storage.azure.com"));
        assert!(cloud.ties("acc.blob.core.windows.net", "https://acc.blob.core.windows.net"));
        assert!(cloud.ties("api.loganalytics.io", "https://api.loganalytics.io"));
        assert!(!cloud.ties("vault.azure.net.example", "https://vault.azure.net"));
        assert!(!cloud.ties("evilvault.azure.net", "https://vault.azure.net"));
        assert!(!cloud.ties("vault.azure.net", "https://vault.azure.net"));
        assert!(!cloud.ties("acc.blob.core.windows.net", "https://vault.azure.net"));
        assert!(!cloud.ties("kv-a.vault.azure.net", "https://management.azure.com"));
    }

    #[test]
    fn scripts_written_for_the_public_cloud_ask_the_right_audience_in_others() {
        let china = Cloud::china();
        assert_eq!(china.audience_here("https://vault.azure.net"), "https://vault.azure.cn");
        assert_eq!(
            china.audience_here("https://storage.azure.com"),
            "https://storage.azure.com"
        );
        assert_eq!(
            Cloud::public().audience_here("https://vault.azure.net"),
            "https://vault.azure.net"
        );
    }

    #[tokio::test]
    async fn an_older_endpoint_is_asked_for_its_older_metadata() {
        let server = Server::start(vec![
            Answer::json(
                400,
                json!({"error": {"code": "InvalidApiVersionParameter", "message": "no"}}),
            ),
            Answer::json(
                200,
                json!([{"name": "Old", "authentication": {"audiences": ["https://arm.old"]}}]),
            ),
        ])
        .await;
        let cloud = Cloud::discover(&server.url(), Trust::default()).await.unwrap();
        assert_eq!(
            (cloud.name.as_str(), cloud.arm_audience.as_str()),
            ("Old", "https://arm.old")
        );
        assert!(cloud.loopback);
        assert_eq!(
            server.targets(),
            [
                "/metadata/endpoints?api-version=2022-09-01",
                "/metadata/endpoints?api-version=2019-05-01"
            ]
        );
    }

    #[tokio::test]
    async fn something_that_is_no_cloud_is_told_from_one() {
        let server = Server::start(vec![Answer::html(200, "<html>Sign in</html>")]).await;
        let error = Cloud::discover(&server.url(), Trust::default()).await.unwrap_err();
        assert!(error.to_string().contains("Sign in"), "{error}");
    }

    #[tokio::test]
    async fn an_endpoint_that_nobody_serves_is_unreachable() {
        let error = Cloud::discover("http://127.0.0.1:9", Trust::default())
            .await
            .unwrap_err();
        assert!(error.is_unreachable(), "{error:?}");
    }

    #[test]
    fn a_token_for_databases_is_for_servers_of_the_cloud_alone() {
        let public = Cloud::public();
        let audience = "https://ossrdbms-aad.database.windows.net";
        assert_eq!(
            public.database_audience("PG.postgres.database.azure.com").as_deref(),
            Some(audience)
        );
        for host in [
            "postgres.database.azure.com",
            "pg.example.com",
            "postgres.database.azure.com.example.com",
        ] {
            assert_eq!(public.database_audience(host), None, "{host}");
        }
        let government = Cloud::us_government().database_audience("pg.postgres.database.usgovcloudapi.net");
        assert_eq!(
            government.as_deref(),
            Some("https://ossrdbms-aad.database.usgovcloudapi.net")
        );
    }
}
