//! Ways to get a token: which credential each `--auth` method means.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions};
use azure_core::error::ErrorKind;
use azure_core::http::{ClientOptions, Transport};
use azure_identity::{
    AzurePipelinesCredential, AzurePipelinesCredentialOptions, ClientAssertionCredential,
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions, DeveloperToolsCredential,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential,
    WorkloadIdentityCredentialOptions,
};
use tokio::sync::OnceCell;

use super::certificate::Certificate;
use super::cloud::{Cloud, builder_for};
use super::error::Error;
use super::loopback::LoopbackCredential;
use super::tokens::Maker;

/// Where environment variables come from.
pub(crate) type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Which method of several has given a token.
pub(crate) type Answered = Arc<Mutex<Option<AuthMethod>>>;

type Credential = Arc<dyn TokenCredential>;

/// How Ferry proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AuthMethod {
    /// Whatever is at hand: environment, workload identity, pipeline, managed identity of an app, developer tools,
    /// managed identity of a machine. On a loopback cloud: that cloud's own `/msi/token`, nothing else.
    #[default]
    Auto,
    /// The account of the Azure CLI, else of the Azure Developer CLI.
    Cli,
    /// A service principal: `AZURE_TENANT_ID`, `AZURE_CLIENT_ID`, and `AZURE_CLIENT_SECRET` or, for a PEM file with
    /// certificate and RSA key, `AZURE_CLIENT_CERTIFICATE_PATH`.
    Environment,
    /// Workload identity on Kubernetes: `AZURE_TENANT_ID`, `AZURE_CLIENT_ID`, `AZURE_FEDERATED_TOKEN_FILE`.
    Workload,
    /// The managed identity of the app or machine that Ferry runs on; `AZURE_CLIENT_ID` picks a user-assigned one.
    ManagedIdentity,
    /// A service connection of Azure Pipelines: `AZURESUBSCRIPTION_TENANT_ID`, `AZURESUBSCRIPTION_CLIENT_ID`,
    /// `AZURESUBSCRIPTION_SERVICE_CONNECTION_ID`, `SYSTEM_ACCESSTOKEN`.
    Pipelines,
}

impl AuthMethod {
    /// Every method.
    pub const ALL: [Self; 6] = [
        Self::Auto,
        Self::Cli,
        Self::Environment,
        Self::Workload,
        Self::ManagedIdentity,
        Self::Pipelines,
    ];

    /// The word for it on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cli => "cli",
            Self::Environment => "environment",
            Self::Workload => "workload",
            Self::ManagedIdentity => "managed-identity",
            Self::Pipelines => "pipelines",
        }
    }
}

impl fmt::Display for AuthMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for AuthMethod {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let word = text.trim().to_ascii_lowercase().replace('_', "-");
        Self::ALL
            .into_iter()
            .find(|method| method.as_str() == word)
            .ok_or_else(|| {
                let all = Self::ALL.map(Self::as_str);
                let near = all
                    .into_iter()
                    .min_by_key(|name| strsim::damerau_levenshtein(name, &word));
                let near = near.filter(|name| strsim::damerau_levenshtein(name, &word) <= 3);
                let hint = near
                    .map(|name| format!(", did you mean \"{name}\"?"))
                    .unwrap_or_default();
                Error::refused(
                    format!("the method \"{text}\""),
                    format!("--auth is one of {}{hint}", all.join(", ")),
                )
            })
    }
}

/// What makes the credential of `method` for `cloud`.
///
/// # Errors
/// [`Error::Refused`] where `Auto` would give a token for one of Azure's own clouds to a stranger.
pub(crate) fn maker(
    cloud: &Cloud,
    method: AuthMethod,
    environment: Environment,
    answered: &Answered,
) -> Result<Maker, Error> {
    if method == AuthMethod::Auto {
        if cloud.loopback {
            // Nothing else is ever looked at: what is in the environment is for real clouds.
            let loopback: Credential = Arc::new(LoopbackCredential::new(cloud)?);
            return Ok(Arc::new(move || Ok(Arc::clone(&loopback))));
        }
        refuse_strangers(cloud)?;
    }
    let (cloud, answered) = (cloud.clone(), Arc::clone(answered));
    Ok(Arc::new(move || make(&cloud, method, &environment, &answered)))
}

/// An endpoint that asks for the tokens of one of Azure's own clouds must be that cloud's.
fn refuse_strangers(cloud: &Cloud) -> Result<(), Error> {
    let host = |text: &str| {
        url::Url::parse(text)
            .ok()
            .and_then(|url| url.host_str().map(str::to_owned))
    };
    for known in [Cloud::public(), Cloud::us_government(), Cloud::china()] {
        let pairs = [
            (&cloud.resource_manager, &cloud.arm_audience, &known.resource_manager),
            (&cloud.graph, &cloud.graph_audience, &known.graph),
        ];
        for (endpoint, audience, real) in pairs {
            let asked = host(audience);
            let core = asked
                .as_deref()
                .is_some_and(|asked| asked.starts_with("management.core."));
            let theirs = asked.as_deref() == real.host_str() || (core && known.name == "AzureCloud");
            if theirs && endpoint.host_str() != real.host_str() {
                return Err(Error::refused(
                    format!("a token for {audience} to {endpoint}"),
                    format!(
                        "that is no endpoint of {}; give --auth METHOD if this is meant",
                        known.name
                    ),
                ));
            }
        }
    }
    Ok(())
}

fn make(
    cloud: &Cloud,
    method: AuthMethod,
    environment: &Environment,
    answered: &Answered,
) -> Result<Credential, Error> {
    let fail = |error: azure_core::Error| auth_error(cloud, method, explain(&error));
    let client_options = client_options(cloud, method, environment)?;
    let variable = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| environment(name).filter(|text| !text.is_empty()))
    };
    let need = |names: &[&str]| {
        variable(names).ok_or_else(|| auth_error(cloud, method, format!("{} is not set", names.join(" or "))))
    };
    let assertion_options = || ClientAssertionCredentialOptions {
        client_options: client_options.clone(),
    };
    Ok(match method {
        AuthMethod::Auto => return Ok(Arc::new(Chain::new(cloud, environment, answered))),
        AuthMethod::Cli => DeveloperToolsCredential::new(None).map_err(fail)?,
        AuthMethod::Environment => {
            let (tenant, client) = (need(&["AZURE_TENANT_ID"])?, need(&["AZURE_CLIENT_ID"])?);
            let certificate = variable(&["AZURE_CLIENT_CERTIFICATE_PATH"]);
            if let Some(path) = certificate.filter(|_| variable(&["AZURE_CLIENT_SECRET"]).is_none()) {
                let assertion = Certificate::read(path.as_ref(), &cloud.login, &tenant, &client)
                    .map_err(|why| auth_error(cloud, method, why))?;
                return Ok(
                    ClientAssertionCredential::new(tenant, client, assertion, Some(assertion_options()))
                        .map_err(fail)?,
                );
            }
            let secret = Secret::new(need(&["AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH"])?);
            let options = ClientSecretCredentialOptions { client_options };
            ClientSecretCredential::new(&tenant, client, secret, Some(options)).map_err(fail)?
        }
        AuthMethod::Workload => WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
            credential_options: assertion_options(),
            client_id: Some(need(&["AZURE_CLIENT_ID"])?),
            tenant_id: Some(need(&["AZURE_TENANT_ID"])?),
            token_file_path: Some(need(&["AZURE_FEDERATED_TOKEN_FILE"])?.into()),
        }))
        .map_err(fail)?,
        AuthMethod::ManagedIdentity => ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
            user_assigned_id: variable(&["AZURE_CLIENT_ID"]).map(UserAssignedId::ClientId),
            client_options,
        }))
        .map_err(fail)?,
        AuthMethod::Pipelines => AzurePipelinesCredential::new(
            need(&["AZURESUBSCRIPTION_TENANT_ID", "AZURE_TENANT_ID"])?,
            need(&["AZURESUBSCRIPTION_CLIENT_ID", "AZURE_CLIENT_ID"])?,
            &need(&["AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"])?,
            need(&["SYSTEM_ACCESSTOKEN"])?,
            Some(AzurePipelinesCredentialOptions {
                credential_options: assertion_options(),
            }),
        )
        .map_err(fail)?,
    })
}

/// How the SDK reaches the token endpoint of `cloud`: through a client of ours, which trusts whom Ferry trusts.
fn client_options(cloud: &Cloud, method: AuthMethod, environment: &Environment) -> Result<ClientOptions, Error> {
    let mut custom = CustomConfiguration::default();
    custom.authority_host = cloud.login.to_string();
    // Pipelines give their assertion at an endpoint of their own.
    let elsewhere = environment("SYSTEM_OIDCREQUESTURI").filter(|_| method == AuthMethod::Pipelines);
    let elsewhere = elsewhere.and_then(|text| url::Url::parse(&text).ok());
    let endpoints: Vec<&url::Url> = std::iter::once(&cloud.login).chain(&elsewhere).collect();
    let mut builder = builder_for(&endpoints, &cloud.trust)
        .connect_timeout(Duration::from_secs(10))
        .read_timeout(Duration::from_mins(1));
    if method == AuthMethod::ManagedIdentity {
        // What gives these tokens is the machine itself; a proxy would be asked for its own.
        builder = builder.no_proxy();
    }
    let http = builder
        .build()
        .map_err(|error| Error::refused("the HTTP client", error.to_string()))?;
    Ok(ClientOptions {
        cloud: Some(Arc::new(CloudConfiguration::from(custom))),
        transport: Some(Transport::new(Arc::new(http))),
        ..ClientOptions::default()
    })
}

fn auth_error(cloud: &Cloud, method: AuthMethod, why: String) -> Error {
    Error::Auth {
        method: method.to_string(),
        audience: cloud.arm_audience.clone(),
        why,
    }
}

/// An error of the SDK with its causes, on one line.
pub(crate) fn explain(error: &azure_core::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = cause.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Several credentials, of which the first that gives a token is kept.
#[derive(Debug)]
struct Chain {
    sources: Vec<(AuthMethod, Credential)>,
    skipped: Vec<String>,
    found: OnceCell<usize>,
    answered: Answered,
}

impl Chain {
    fn new(cloud: &Cloud, environment: &Environment, answered: &Answered) -> Self {
        let set = |name: &str| environment(name).is_some_and(|text| !text.is_empty());
        let mut order = Vec::new();
        for (method, wanted) in [
            (
                AuthMethod::Environment,
                set("AZURE_CLIENT_SECRET") || set("AZURE_CLIENT_CERTIFICATE_PATH"),
            ),
            (AuthMethod::Workload, set("AZURE_FEDERATED_TOKEN_FILE")),
            (
                AuthMethod::Pipelines,
                set("SYSTEM_OIDCREQUESTURI") && set("SYSTEM_ACCESSTOKEN"),
            ),
            (AuthMethod::ManagedIdentity, set("IDENTITY_ENDPOINT")),
            (AuthMethod::Cli, true),
            // Without the variable of an app service this asks the machine's metadata endpoint, which is slow to miss.
            (AuthMethod::ManagedIdentity, !set("IDENTITY_ENDPOINT")),
        ] {
            if wanted {
                order.push(method);
            }
        }
        let (mut sources, mut skipped) = (Vec::new(), Vec::new());
        for method in order {
            match make(cloud, method, environment, answered) {
                Ok(credential) => sources.push((method, credential)),
                Err(error) => skipped.push(error.to_string()),
            }
        }
        Self {
            sources,
            skipped,
            found: OnceCell::new(),
            answered: Arc::clone(answered),
        }
    }
}

#[async_trait]
impl TokenCredential for Chain {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        if let Some((_, source)) = self.found.get().and_then(|at| self.sources.get(*at)) {
            return source.get_token(scopes, options).await;
        }
        let mut problems = self.skipped.clone();
        for (at, (method, source)) in self.sources.iter().enumerate() {
            let asked = source.get_token(scopes, options.clone());
            match tokio::time::timeout(Duration::from_secs(20), asked).await {
                Ok(Ok(token)) => {
                    // Two askers may find the same at once; the first one's word stands.
                    let _ = self.found.set(at);
                    if let Ok(mut answered) = self.answered.lock() {
                        *answered = Some(*method);
                    }
                    return Ok(token);
                }
                Ok(Err(error)) => problems.push(format!("{method}: {}", explain(&error))),
                Err(_) => problems.push(format!("{method}: no answer in 20 s")),
            }
        }
        Err(azure_core::Error::with_message(
            ErrorKind::Credential,
            problems.join("; "),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::tokens::Tokens;

    fn variables(pairs: &'static [(&'static str, &'static str)]) -> Environment {
        Arc::new(move |name| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn each_method_is_read_as_it_is_written() {
        for method in AuthMethod::ALL {
            assert_eq!(method.to_string().parse::<AuthMethod>().unwrap(), method);
        }
        let error = "enviroment".parse::<AuthMethod>().unwrap_err();
        assert!(error.to_string().contains("did you mean \"environment\"?"), "{error}");
    }

    #[test]
    fn auto_gives_azures_tokens_to_azures_endpoints_alone() {
        let mut stranger = Cloud::public();
        stranger.resource_manager = url::Url::parse("https://arm.example").unwrap();
        let none = variables(&[]);
        for audience in ["https://management.azure.com", "https://management.core.windows.net/"] {
            audience.clone_into(&mut stranger.arm_audience);
            let refused = Tokens::with_environment(&stranger, AuthMethod::Auto, none.clone()).unwrap_err();
            assert!(matches!(refused, Error::Refused { .. }), "{refused:?}");
        }
        assert!(Tokens::with_environment(&stranger, AuthMethod::Cli, none.clone()).is_ok());
        assert!(Tokens::with_environment(&Cloud::public(), AuthMethod::Auto, none).is_ok());
    }

    #[test]
    fn a_missing_variable_is_named() {
        let half = variables(&[("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "c")]);
        for (method, name) in [
            (AuthMethod::Environment, "AZURE_CLIENT_SECRET"),
            (AuthMethod::Workload, "AZURE_FEDERATED_TOKEN_FILE"),
            (AuthMethod::Pipelines, "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"),
        ] {
            let error = Tokens::with_environment(&Cloud::public(), method, half.clone()).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn each_cloud_has_an_authority_of_its_own() {
        let none = variables(&[]);
        for (cloud, host) in [
            (Cloud::public(), "https://login.microsoftonline.com/"),
            (Cloud::us_government(), "https://login.microsoftonline.us/"),
            (Cloud::china(), "https://login.chinacloudapi.cn/"),
        ] {
            let options = client_options(&cloud, AuthMethod::Environment, &none).unwrap();
            let Some(CloudConfiguration::Custom(custom)) = options.cloud.as_deref() else {
                panic!("{} names no authority", cloud.name)
            };
            assert_eq!(custom.authority_host, host);
            assert!(cloud.arm_audience.contains(cloud.resource_manager.host_str().unwrap()));
        }
    }

    #[test]
    fn auto_tries_what_is_set_before_what_may_be_installed() {
        let environment = variables(&[
            ("AZURE_TENANT_ID", "t"),
            ("AZURE_CLIENT_ID", "c"),
            ("AZURE_CLIENT_SECRET", "s"),
            ("AZURE_FEDERATED_TOKEN_FILE", "/nowhere"),
        ]);
        let chain = Chain::new(&Cloud::public(), &environment, &Answered::default());
        let order: Vec<AuthMethod> = chain.sources.iter().map(|(method, _)| *method).collect();
        assert_eq!(order.first(), Some(&AuthMethod::Environment));
        assert_eq!(order.last(), Some(&AuthMethod::ManagedIdentity));
        assert!(!format!("{chain:?}").contains("\"s\""));
    }
}
