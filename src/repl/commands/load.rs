//! `:load`, a script's variables and functions.

use super::super::print;
use super::super::shell::{Reply, Shell};
use super::Command;
use crate::error::Error;

pub(super) const COMMAND: Command = Command {
    name: "load",
    takes: "FILE",
    help: "runs a script here: its variables and functions stay",
    run,
};

fn run(shell: &mut Shell, file: &str) -> Result<Reply, Error> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Error::refused("script-unreadable", format!("{file} was not read: {error}")))?;
    Ok(Reply::Text(print::value(&shell.eval(&text)?)))
}
