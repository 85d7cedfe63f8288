//! `:vars`, the variables.

use std::fmt::Write as _;

use super::super::print;
use super::super::shell::{Reply, Shell};
use super::Command;
use crate::error::Error;
use crate::ops::kind;

pub(super) const COMMAND: Command = Command {
    name: "vars",
    takes: "",
    help: "shows the variables",
    run,
};

#[allow(clippy::unnecessary_wraps)] // All commands have one signature.
fn run(shell: &mut Shell, _: &str) -> Result<Reply, Error> {
    let mut text = String::new();
    for (name, _, value) in shell.variables() {
        let _ = writeln!(text, "{name}  {}  {}", kind(&value), print::short(&value));
    }
    Ok(Reply::Text(text))
}
