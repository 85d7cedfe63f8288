//! `:help`, the documentation.

use std::fmt::Write as _;
use std::sync::PoisonError;

use super::super::shell::{Reply, Shell};
use super::{COMMANDS, Command};
use crate::error::Error;
use crate::host::docs::PageKind;

pub(super) const COMMAND: Command = Command {
    name: "help",
    takes: "[NAME or words]",
    help: "shows what there is, what a function does, or what mentions the words",
    run,
};

fn run(shell: &mut Shell, name: &str) -> Result<Reply, Error> {
    let known = shell.known();
    let known = known.lock().unwrap_or_else(PoisonError::into_inner);
    if name.is_empty() {
        let mut text = String::new();
        for command in COMMANDS {
            let usage = format!(":{} {}", command.name, command.takes);
            let _ = writeln!(text, "{usage:<24} {}", command.help);
        }
        text.push('\n');
        for page in known.docs.pages.iter().filter(|page| page.kind == PageKind::Module) {
            let _ = writeln!(text, "{:<24} {}", format!("{}::", page.name), page.summary);
        }
        return Ok(Reply::Text(text));
    }
    match known.docs.find(name.trim_end_matches("::")) {
        Ok(entry) => Ok(Reply::Text(entry.to_text())),
        Err(error) => {
            let mut text = String::new();
            for entry in known.docs.search(name).iter().take(12) {
                let _ = writeln!(text, "{:<32} {}", entry.name(), entry.summary());
            }
            if text.is_empty() {
                Err(error)
            } else {
                Ok(Reply::Text(text))
            }
        }
    }
}
