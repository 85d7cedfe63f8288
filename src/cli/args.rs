//! The options that every command takes, each with its environment variable.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;

/// Options that stand before or after the command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// The cloud: public, usgov, china, or the URL of an ARM endpoint
    #[arg(
        long,
        global = true,
        value_name = "NAME|URL",
        env = "FERRY_CLOUD",
        hide_env = true,
        conflicts_with = "sim"
    )]
    pub cloud: Option<String>,

    /// Run against an embedded simulator: the demo estate, or an estate file
    #[arg(
        long,
        global = true,
        value_name = "ESTATE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        env = "FERRY_SIM",
        hide_env = true
    )]
    pub sim: Option<String>,

    /// Where tokens come from: auto, cli, environment, workload, managed-identity, pipelines
    #[arg(
        long,
        global = true,
        value_name = "METHOD",
        hide_possible_values = true,
        value_parser = PossibleValuesParser::new(AUTH_METHODS),
        env = "FERRY_AUTH",
        hide_env = true
    )]
    pub auth: Option<String>,

    /// Trust the certificate authorities in this PEM file, beside those of the system
    #[arg(long, global = true, value_name = "FILE", env = "FERRY_CA", hide_env = true)]
    pub ca: Option<PathBuf>,

    /// Where journals are kept [default: the platform's state directory]
    #[arg(long, global = true, value_name = "DIR|URL", env = "FERRY_STATE", hide_env = true)]
    pub state: Option<String>,

    /// Overrides of and additions to the embedded scripts; `none` for the embedded ones alone (may repeat)
    // Its variable, FERRY_SCRIPTS, holds a list as PATH does: `scripts_given` reads it.
    #[arg(long, global = true, value_name = "DIR|none")]
    pub scripts: Vec<PathBuf>,

    /// Write nothing: show every change that would be made, in order
    #[arg(long, global = true, env = "FERRY_PLAN", hide_env = true)]
    pub plan: bool,

    /// Stop after this phase, with exit code 3
    #[arg(long, global = true, value_name = "PHASE", value_parser = PHASES, hide_possible_values = true, env = "FERRY_UNTIL", hide_env = true)]
    pub until: Option<String>,

    /// Approve every gate; hand-overs still wait for a person
    #[arg(long, global = true, env = "FERRY_YES", hide_env = true)]
    pub yes: bool,

    /// Print results as JSON
    #[arg(long, global = true, env = "FERRY_JSON", hide_env = true)]
    pub json: bool,

    /// Requests in flight at once
    #[arg(
        long,
        global = true,
        value_name = "N",
        default_value_t = 16,
        value_parser = clap::value_parser!(u16).range(1..=256),
        env = "FERRY_CONCURRENCY",
        hide_env = true
    )]
    pub concurrency: u16,

    /// Resume with the scripts as they are now, not with those that the run began with
    #[arg(long, global = true, env = "FERRY_WITH_CURRENT_SCRIPTS", hide_env = true)]
    pub with_current_scripts: bool,

    /// Show more: each request as it is answered
    #[arg(
        short,
        long,
        global = true,
        env = "FERRY_VERBOSE",
        hide_env = true,
        conflicts_with = "quiet"
    )]
    pub verbose: bool,

    /// Show less: no progress, only results and what needs a person
    #[arg(short, long, global = true, env = "FERRY_QUIET", hide_env = true)]
    pub quiet: bool,
}

impl Global {
    /// The `--scripts` that were given, else what `FERRY_SCRIPTS` lists in the manner of `PATH`.
    pub fn scripts_given(&self) -> Vec<PathBuf> {
        if !self.scripts.is_empty() {
            return self.scripts.clone();
        }
        let listed = std::env::var_os("FERRY_SCRIPTS").unwrap_or_default();
        std::env::split_paths(&listed)
            .filter(|path| !path.as_os_str().is_empty())
            .collect()
    }
}

/// What `--auth` knows; the client parses the same words.
const AUTH_METHODS: [&str; 6] = [
    "auto",
    "cli",
    "environment",
    "workload",
    "managed-identity",
    "pipelines",
];

/// The phases of a runbook in their order.
pub const PHASES: [&str; 4] = ["prepare", "move", "verify", "clean_up"];

/// A runbook and its parameters, as `run` and `plan` take them.
#[derive(Debug, Clone, Args)]
pub struct Runbook {
    /// A shipped runbook by name (`ferry list`), or a file by path
    #[arg(value_name = "RUNBOOK")]
    pub runbook: String,

    /// Parameters, as `identity=id-orders to=westeurope` (`ferry doc RUNBOOK` names them)
    #[arg(value_name = "KEY=VALUE")]
    pub params: Vec<String>,
}
