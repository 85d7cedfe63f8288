//! `:quit`, the end.

use super::super::shell::{Reply, Shell};
use super::Command;
use crate::error::Error;

pub(super) const COMMAND: Command = Command {
    name: "quit",
    takes: "",
    help: "ends the prompt, as Ctrl-D does",
    run,
};

#[allow(clippy::unnecessary_wraps)] // All commands have one signature.
fn run(_: &mut Shell, _: &str) -> Result<Reply, Error> {
    Ok(Reply::Quit)
}
