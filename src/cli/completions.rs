//! `ferry completions`: the script that completes command lines in a shell.

use clap_complete::Shell;

use super::context::{Context, Ending};
use crate::error::Error;

/// Print the completions of a shell, to be sourced or installed
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
}

/// Runs `ferry completions`.
///
/// # Errors
/// None.
#[allow(clippy::unnecessary_wraps, reason = "every subcommand has one signature")]
pub fn run(args: &Args, context: &Context<'_>) -> Result<Ending, Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "ferry", &mut script);
    context.ui.print(String::from_utf8_lossy(&script).trim_end());
    Ok(Ending::Done)
}
