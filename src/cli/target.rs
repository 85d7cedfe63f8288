//! From options to what a command works on: cloud, credential, state directory, embedded simulator.
//!
//! Beside `sim.rs` this is the only place that starts a simulator.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use serde_json::{Map, Value, json};
use tokio::runtime::Handle;
use tokio::sync::Mutex;

use super::args::Global;
use crate::azure::{self, AuthMethod, Client, Cloud, Tokens, Trust};
use crate::error::Error;
use crate::run::Connect;
use crate::sim;

/// Which Azure a command works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A cloud by name, or the URL of an ARM endpoint.
    Cloud(String),
    /// The embedded simulator with the demo estate.
    Demo,
    /// The embedded simulator with the estate of this file.
    Estate(PathBuf),
}

impl Place {
    /// The place that the options name; the public cloud where they name none.
    ///
    /// # Errors
    /// `unknown-cloud` for a name that is none, `estate-unreadable` for a file that is not there.
    pub fn from_options(global: &Global) -> Result<Self, Error> {
        Self::given(global).map(|given| given.unwrap_or_else(|| Place::Cloud("public".into())))
    }

    /// The place that the options name, if they name one.
    fn given(global: &Global) -> Result<Option<Self>, Error> {
        match (&global.sim, &global.cloud) {
            (Some(estate), _) if matches!(estate.as_str(), "" | "1" | "true" | "demo") => Ok(Some(Place::Demo)),
            (Some(estate), _) => {
                let path = std::fs::canonicalize(estate).map_err(|error| unreadable(Path::new(estate), &error))?;
                Ok(Some(Place::Estate(path)))
            }
            (None, Some(cloud)) => known_cloud(cloud).map(|cloud| Some(Place::Cloud(cloud))),
            (None, None) => Ok(None),
        }
    }

    /// The place that a journal names. Options may repeat it, and may not name another.
    ///
    /// # Errors
    /// `other-cloud` where they do; `journal-damaged` where the journal names none.
    pub fn from_journal(cloud: &Value, global: &Global) -> Result<Self, Error> {
        let member = |name: &str| cloud.get(name).and_then(Value::as_str);
        let place = match (member("cloud"), member("estate"), cloud.get("demo")) {
            (Some(cloud), ..) => Place::Cloud(cloud.to_owned()),
            (None, Some(estate), _) => Place::Estate(PathBuf::from(estate)),
            (None, None, Some(_)) => Place::Demo,
            (None, None, None) => {
                return Err(
                    Error::failed("journal-damaged", "the journal does not say which cloud the run is for")
                        .untouched("nothing was sent to Azure by this command"),
                );
            }
        };
        // The file of an estate may be gone: the run has its own copy of it.
        let same = match (&global.sim, &place) {
            (Some(estate), Place::Estate(path)) => {
                Path::new(estate) == path || std::fs::canonicalize(estate).is_ok_and(|given| given == *path)
            }
            _ => Self::given(global)?.is_none_or(|given| given == place),
        };
        if !same {
            return Err(Error::refused(
                "other-cloud",
                format!("the run is for {place}, the options name another cloud"),
            )
            .untouched("nothing was sent")
            .next("leave --cloud and --sim away: a run goes on where it began"));
        }
        Ok(place)
    }

    /// As a journal keeps it.
    pub fn to_journal(&self) -> Value {
        match self {
            Place::Cloud(cloud) => json!({ "cloud": cloud }),
            Place::Demo => json!({ "demo": true }),
            Place::Estate(path) => json!({ "estate": path.display().to_string() }),
        }
    }

    /// Whether it is the embedded simulator.
    pub fn is_simulated(&self) -> bool {
        !matches!(self, Place::Cloud(_))
    }

    /// The parameters that the estate's `demo` gives for a runbook; none for a cloud.
    ///
    /// # Errors
    /// `estate-unreadable`, `estate-malformed`.
    pub fn demo(&self, runbook: &str) -> Result<Map<String, Value>, Error> {
        let estate = match self {
            Place::Cloud(_) => return Ok(Map::new()),
            Place::Demo => demo_estate()?,
            Place::Estate(path) => read_estate(path)?,
        };
        Ok(estate
            .get("demo")
            .and_then(|demo| demo.get(runbook))
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default())
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Cloud(cloud) => f.write_str(cloud),
            Place::Demo => f.write_str("sim:demo"),
            Place::Estate(path) => write!(f, "sim:{}", path.display()),
        }
    }
}

/// A cloud's name in its short form, or the URL of an endpoint without a slash at its end.
fn known_cloud(text: &str) -> Result<String, Error> {
    let wrong = |why: &str| {
        Error::refused("unknown-cloud", format!("\"{text}\" is no cloud: {why}"))
            .untouched("nothing was sent")
            .next("--cloud public, --cloud usgov, --cloud china, or --cloud https://HOST of an ARM endpoint")
    };
    if let Some(known) = Cloud::named(text) {
        return Ok(match known.name.as_str() {
            "AzureUSGovernment" => "usgov",
            "AzureChinaCloud" => "china",
            _ => "public",
        }
        .to_owned());
    }
    let url = url::Url::parse(text).map_err(|_| wrong("it is neither a name nor a URL"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(wrong("the URL of an endpoint begins with https://"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Reads an estate file as JSON; whether it is an estate, the simulator says.
///
/// # Errors
/// `estate-unreadable`, `estate-malformed`.
pub fn read_estate(path: &Path) -> Result<Value, Error> {
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    serde_json::from_str(&text).map_err(|error| {
        Error::refused("estate-malformed", format!("{} is not JSON: {error}", path.display()))
            .untouched("nothing was started")
    })
}

fn demo_estate() -> Result<Value, Error> {
    serde_json::from_str(include_str!("../sim/estates/demo.json"))
        .map_err(|error| Error::refused("estate-malformed", format!("the demo estate is not JSON: {error}")))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    Error::refused(
        "estate-unreadable",
        format!("the estate {} was not read: {error}", path.display()),
    )
    .untouched("nothing was started")
    .next("--sim alone takes the demo estate, --sim=FILE another")
}

/// A connection to a place that is opened at the first request, with the simulator where the place is one.
#[derive(Clone)]
pub struct Target {
    place: Place,
    auth: AuthMethod,
    trust: Trust,
    options: azure::Options,
    server: Arc<Mutex<Option<sim::Server>>>,
}

impl Target {
    /// The target for a place. Nothing is contacted, and nothing started, yet.
    ///
    /// # Errors
    /// `unknown-credential` for a method that is none, `ca-unreadable` for authorities that cannot be read.
    pub fn new(place: Place, global: &Global, observer: Option<azure::Observer>) -> Result<Self, Error> {
        let (auth, trust) = (auth(global)?, trust(global)?);
        let options = azure::Options {
            concurrency: usize::from(global.concurrency),
            observer,
            ..azure::Options::default()
        };
        Ok(Self {
            place,
            auth,
            trust,
            options,
            server: Arc::default(),
        })
    }

    /// The place.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Starts the simulator, if the place is one, so that what is wrong with its estate is told before anything else.
    ///
    /// `kept` is the file that keeps what was written: it is read where it is there, and kept up to date. Without one
    /// the simulator forgets everything when the command ends.
    ///
    /// # Errors
    /// `estate-malformed`, `estate-unreadable`, `simulator-not-started`.
    pub fn start(&self, handle: &Handle, kept: Option<&Path>) -> Result<(), Error> {
        handle.block_on(self.serve(kept)).map(|_| ())
    }

    /// Starts the simulator unless it serves already, and answers its URL; none where the place is a cloud.
    async fn serve(&self, kept: Option<&Path>) -> Result<Option<String>, Error> {
        let mut server = self.server.lock().await;
        if let Some(server) = server.as_ref() {
            return Ok(Some(server.url().to_owned()));
        }
        let estate = match (&self.place, kept) {
            (Place::Cloud(_), _) => return Ok(None),
            (_, Some(kept)) if kept.exists() => read_estate(kept)?,
            (Place::Demo, _) => demo_estate()?,
            (Place::Estate(path), _) => read_estate(path)?,
        };
        let options = sim::Options {
            save: kept.map(Path::to_owned),
            estate,
            ..sim::Options::default()
        };
        let started = sim::Server::start(options).await.map_err(|error| simulator(&error))?;
        Ok(Some(server.insert(started).url().to_owned()))
    }

    /// What a session calls at its first request.
    pub fn connect(&self) -> Connect {
        let this = self.clone();
        Box::new(move || this.clone().open().boxed())
    }

    async fn open(self) -> Result<Client, azure::Error> {
        let cloud = self.cloud().await?;
        let tokens = self.tokens(&cloud)?;
        Client::new(cloud, tokens, self.options)
    }

    /// The cloud of the place, with the simulator started where it is one.
    ///
    /// # Errors
    /// Those of `Cloud::resolve`; a simulator that does not start is refused.
    pub async fn cloud(&self) -> Result<Cloud, azure::Error> {
        let refused = |error: Error| azure::Error::Refused {
            what: self.place.to_string(),
            why: error.to_string(),
        };
        match (self.serve(None).await.map_err(refused)?, &self.place) {
            (Some(url), _) => Cloud::resolve(&url).await,
            (None, place) => Cloud::resolve_trusting(&place.to_string(), self.trust.clone()).await,
        }
    }

    /// The tokens that the options ask for.
    ///
    /// # Errors
    /// Those of `Tokens::new`.
    pub fn tokens(&self, cloud: &Cloud) -> Result<Tokens, azure::Error> {
        Tokens::new(cloud, self.auth)
    }

    /// A client of the cloud that gives up soon: for questions where no answer is one, too.
    ///
    /// # Errors
    /// Those of `Client::new`.
    pub fn hasty_client(&self, cloud: Cloud, tokens: Tokens) -> Result<Client, azure::Error> {
        let options = azure::Options {
            tries: 2,
            response_timeout: Duration::from_secs(30),
            retry_total: Duration::from_secs(40),
            ..self.options.clone()
        };
        Client::new(cloud, tokens, options)
    }
}

/// The error of a simulator that did not start.
pub fn simulator(error: &sim::Error) -> Error {
    let code = if matches!(error, sim::Error::Estate(_)) {
        "estate-malformed"
    } else {
        "simulator-not-started"
    };
    let next = match error {
        sim::Error::Estate(_) => "mend that document of the estate; docs/simulator.md says what an estate is",
        sim::Error::Listen { .. } => "leave --port away: a free port is taken then",
        _ => "name another file with --save",
    };
    Error::refused(code, error.to_string())
        .untouched("nothing was started")
        .next(next)
}

/// The method of `--auth`.
pub fn auth(global: &Global) -> Result<AuthMethod, Error> {
    let auth = global.auth.as_deref().unwrap_or("auto");
    auth.parse::<AuthMethod>()
        .map_err(|error| Error::refused("unknown-credential", error.to_string()))
}

/// The authorities of `--ca`.
pub fn trust(global: &Global) -> Result<Trust, Error> {
    let Some(path) = &global.ca else {
        return Ok(Trust::default());
    };
    Trust::read(path).map_err(|error| {
        Error::refused("ca-unreadable", error.to_string())
            .untouched("nothing was sent")
            .next("--ca FILE takes certificates in PEM form, as the ca.pem of ferry sim --tls DIR")
    })
}

/// Tells what is wrong with an estate, by starting its simulator for a moment.
///
/// # Errors
/// As [`Target::start`].
pub fn check(place: &Place, handle: &Handle) -> Result<(), Error> {
    let Place::Estate(path) = place else { return Ok(()) };
    let estate = read_estate(path)?;
    handle
        .block_on(sim::Server::start(sim::Options {
            estate,
            ..sim::Options::default()
        }))
        .map(|_| ())
        .map_err(|error| simulator(&error))
}
