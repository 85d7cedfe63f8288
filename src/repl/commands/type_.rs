//! `:type`, the type of an expression's value.

use super::super::shell::{Reply, Shell};
use super::Command;
use crate::error::Error;
use crate::ops::kind;

pub(super) const COMMAND: Command = Command {
    name: "type",
    takes: "EXPRESSION",
    help: "shows the type of an expression's value",
    run,
};

fn run(shell: &mut Shell, expression: &str) -> Result<Reply, Error> {
    Ok(Reply::Text(format!("{}\n", kind(&shell.eval(expression)?))))
}
