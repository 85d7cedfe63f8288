//! `:write`, whether changes are sent.

use super::super::shell::{Reply, Shell};
use super::Command;
use crate::error::Error;

pub(super) const COMMAND: Command = Command {
    name: "write",
    takes: "on|off",
    help: "allows changes, which are journaled as a run; or forbids them",
    run,
};

fn run(shell: &mut Shell, word: &str) -> Result<Reply, Error> {
    let session = shell.session();
    match word {
        "on" => session.allow_writes(true)?,
        "off" => session.allow_writes(false)?,
        "" => {}
        other => {
            return Err(
                Error::refused("unknown-command", format!(":write {other} was not understood"))
                    .next(":write on, or :write off"),
            );
        }
    }
    Ok(Reply::Text(match (session.may_write(), session.run_id()) {
        (true, Some(run)) => format!("changes are sent, and journaled as run {run}\n"),
        (true, None) => "changes are sent\n".to_owned(),
        (false, _) => "changes are refused; :write on allows them\n".to_owned(),
    }))
}
