//! Commands of the prompt, which begin with a colon: one file each.

mod help;
mod load;
mod quit;
mod type_;
mod vars;
mod write;

use super::shell::{Reply, Shell};
use crate::error::Error;
use crate::ops::nearest;

/// One command.
pub(super) struct Command {
    /// Its name, without the colon.
    pub(super) name: &'static str,
    /// What it takes.
    pub(super) takes: &'static str,
    /// One line: what it does.
    pub(super) help: &'static str,
    /// What it does; it is given what stands behind its name.
    pub(super) run: fn(&mut Shell, &str) -> Result<Reply, Error>,
}

pub(super) const COMMANDS: [&Command; 6] = [
    &help::COMMAND,
    &vars::COMMAND,
    &type_::COMMAND,
    &load::COMMAND,
    &write::COMMAND,
    &quit::COMMAND,
];

/// The names of all commands.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().map(|command| command.name)
}

/// Runs a command; `line` is what was typed, without the colon.
pub(super) fn run(shell: &mut Shell, line: &str) -> Result<Reply, Error> {
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    if let Some(command) = COMMANDS.iter().find(|command| command.name == name) {
        return (command.run)(shell, rest.trim());
    }
    let known: Vec<&str> = names().collect();
    let mut error = Error::refused("unknown-command", format!("there is no command :{name}"));
    error
        .next
        .extend(nearest(name, &known).map(|near| format!("did you mean :{near}?")));
    Err(error.next(":help shows all of them"))
}
