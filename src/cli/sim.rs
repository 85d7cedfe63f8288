//! `ferry sim`: the simulator by itself, for rehearsals and tests.

use std::path::PathBuf;
use std::time::Duration;

use super::context::{Context, Ending};
use super::{journaled, target};
use crate::error::Error;
use crate::sim;

/// Serve an estate as Azure would: ARM, Microsoft Graph, tokens, data planes
///
/// Prints `ready http://127.0.0.1:PORT` on stdout once it listens, on loopback only, and serves until it is stopped.
/// With `--tls` that is `ready https://localhost:PORT`, for clients that insist on https: they have to trust the
/// `ca.pem` of that directory (`SSL_CERT_FILE`, `REQUESTS_CA_BUNDLE`; `--ca` for ferry itself).
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The estate file
    #[arg(long, value_name = "FILE", env = "FERRY_SIM_ESTATE", hide_env = true)]
    estate: PathBuf,
    /// The port; 0 takes a free one
    #[arg(long, value_name = "N", default_value_t = 0, env = "FERRY_SIM_PORT", hide_env = true)]
    port: u16,
    /// Delay every answer by this many milliseconds
    #[arg(
        long,
        value_name = "MS",
        default_value_t = 0,
        env = "FERRY_SIM_LATENCY",
        hide_env = true
    )]
    latency: u64,
    /// How late new principals and Resource Graph see a write, in seconds
    #[arg(long, value_name = "SECONDS|off", default_value = "2", value_parser = lag, env = "FERRY_SIM_LAG", hide_env = true)]
    lag: Duration,
    /// Throttle as Azure does, with its buckets and headers
    #[arg(long, env = "FERRY_SIM_THROTTLE", hide_env = true)]
    throttle: bool,
    /// What of Azure's behaviour is to differ, again and again: late-rights=30, locks=off
    #[arg(long, value_name = "NAME=VALUE", value_parser = sim::setting)]
    set: Vec<(String, serde_json::Value)>,
    /// Faults to begin with: a JSON array as POST /_sim/faults takes it
    #[arg(long, value_name = "FILE", env = "FERRY_SIM_FAULTS", hide_env = true)]
    faults: Option<PathBuf>,
    /// Keep every acknowledged write in this file, and go on from it
    #[arg(long, value_name = "FILE", env = "FERRY_SIM_SAVE", hide_env = true)]
    save: Option<PathBuf>,
    // It shares its name with the option of every command, so it has to be of one type with it. One that comes from
    // FERRY_AUTH is not meant for the simulator.
    /// Which tokens are taken: any, or only those that this simulator gave
    #[arg(
        long,
        value_name = "any|strict",
        default_value = "any",
        hide_possible_values = true,
        value_parser = clap::builder::PossibleValuesParser::new(["any", "strict"]),
        env = "FERRY_SIM_AUTH",
        hide_env = true
    )]
    auth: Option<String>,
    /// How long tokens last, in seconds; as long as Azure's unless given
    #[arg(long, value_name = "SECONDS", env = "FERRY_SIM_TOKEN_LIFE", hide_env = true)]
    token_life: Option<u32>,
    /// Serve https, by a certificate authority in this directory: `ca.pem`, which is made where there is none
    #[arg(long, value_name = "DIR", env = "FERRY_SIM_TLS", hide_env = true)]
    tls: Option<PathBuf>,
}

/// Runs `ferry sim`.
///
/// # Errors
/// `estate-unreadable`, `estate-malformed`, `faults-malformed`, `simulator-not-started`.
pub fn run(args: &Args, context: &Context<'_>) -> Result<Ending, Error> {
    let estate = match &args.save {
        Some(saved) if saved.exists() => target::read_estate(saved)?,
        _ => target::read_estate(&args.estate)?,
    };
    let options = sim::Options {
        port: Some(args.port),
        latency: Duration::from_millis(args.latency),
        lag: Some(args.lag),
        throttle: args.throttle,
        faults: args.faults.as_deref().map(faults).transpose()?.unwrap_or_default(),
        behaviour: args.set.iter().cloned().collect(),
        save: args.save.clone(),
        strict_auth: args.auth.as_deref() == Some("strict"),
        token_life: args.token_life.map(|seconds| Duration::from_secs(seconds.into())),
        tls: args.tls.clone(),
        estate,
        ..sim::Options::default()
    };
    let handle = context.handle()?;
    let server = handle
        .block_on(sim::Server::start(options))
        .map_err(|error| target::simulator(&error))?;
    context.ui.print(&format!("ready {}", server.url()));
    handle.block_on(journaled::asked_to_stop());
    Ok(Ending::Done)
}

fn lag(text: &str) -> Result<Duration, String> {
    if text == "off" {
        return Ok(Duration::ZERO);
    }
    let seconds: f64 = text
        .parse()
        .map_err(|_| "it is a number of seconds, or off".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

fn faults(path: &std::path::Path) -> Result<Vec<sim::Fault>, Error> {
    let wrong = |why: String| {
        Error::refused(
            "faults-malformed",
            format!("the faults {} were not read: {why}", path.display()),
        )
        .untouched("nothing was started")
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_is_seconds_or_off() {
        assert_eq!(lag("2"), Ok(Duration::from_secs(2)));
        assert_eq!(lag("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(lag("off"), Ok(Duration::ZERO));
        assert!(lag("-1").is_err() && lag("soon").is_err());
    }
}
