//! What every command has at hand: its options, its output, a runtime when it asks for one.

use std::sync::Arc;

use serde_json::json;
use tokio::runtime::Handle;

use super::args::Global;
use super::error_pages;
use super::render::{self, Face};
use super::state;
use super::target::{Place, Target};
use super::ui::Ui;
use crate::azure;
use crate::error::Error;
use crate::host::{Host, Scripts};
use crate::run::Options;
use crate::store::Store;
use crate::store::redact::Secrets;

/// Gives a handle to the runtime, which is built at the first call.
pub type Runtime<'a> = &'a dyn Fn() -> Result<Handle, Error>;

/// How a command ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It is done.
    Done,
    /// The run waits; `ferry resume` goes on.
    Paused,
    /// It failed or paused, and has told so itself already.
    Told(u8),
}

impl Ending {
    /// The process's exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Ending::Done => 0,
            Ending::Paused => 3,
            Ending::Told(code) => code,
        }
    }
}

/// What every command has at hand.
pub struct Context<'a> {
    /// The options that every command takes.
    pub global: Global,
    /// Where output goes.
    pub ui: Ui,
    /// The secrets that this process has seen: no line that it writes has one in it.
    secrets: Arc<Secrets>,
    runtime: Runtime<'a>,
}

impl<'a> Context<'a> {
    /// A context for these options.
    pub fn new(global: Global, runtime: Runtime<'a>) -> Self {
        Self {
            ui: Ui::new(&global),
            secrets: Arc::default(),
            global,
            runtime,
        }
    }

    /// A handle to the runtime that requests run on.
    ///
    /// # Errors
    /// `no-threads` where the system has none to give.
    pub fn handle(&self) -> Result<Handle, Error> {
        (self.runtime)()
    }

    /// The host of scripts, with the directories that the options name.
    ///
    /// # Errors
    /// Where a directory of scripts cannot be read.
    pub fn host(&self) -> Result<Host, Error> {
        self.host_with(&self.scripts())
    }

    /// The host of scripts, with these values of `--scripts`.
    ///
    /// # Errors
    /// As [`Context::host`].
    pub fn host_with(&self, scripts: &[String]) -> Result<Host, Error> {
        Host::new(Scripts::from_options(scripts))
    }

    /// The values of `--scripts`, directories in full, so that they mean the same elsewhere.
    pub fn scripts(&self) -> Vec<String> {
        self.global
            .scripts_given()
            .into_iter()
            .map(|path| {
                if path.as_os_str() == "none" {
                    path
                } else {
                    std::path::absolute(&path).unwrap_or(path)
                }
            })
            .map(|path| path.display().to_string())
            .collect()
    }

    /// The store of journals.
    ///
    /// # Errors
    /// As `state::open`.
    pub fn store(&self) -> Result<Arc<dyn Store>, Error> {
        state::open(self)
    }

    /// The target for a place; with `-v` each request is shown.
    ///
    /// # Errors
    /// As `Target::new`.
    pub fn target(&self, place: Place) -> Result<Target, Error> {
        let observer = self.ui.verbose().then(|| {
            let (ui, secrets) = (self.ui.clone(), self.secrets.clone());
            let say = move |line: &azure::LogLine| ui.say(&secrets.hide_text(&request_line(line)));
            Arc::new(say) as azure::Observer
        });
        Target::new(place, &self.global, observer)
    }

    /// How sessions of this command work.
    pub fn session_options(&self) -> Options {
        let can_ask = self.ui.can_ask();
        Options {
            yes: self.global.yes,
            until: self.global.until.clone(),
            concurrency: usize::from(self.global.concurrency),
            approver: can_ask.then(|| Arc::new(Person(self.ui.clone())) as Arc<dyn crate::run::Approver>),
            terminal: can_ask,
            with_current_scripts: self.global.with_current_scripts,
            secrets: self.secrets.clone(),
            accept_drift: Vec::new(),
            leave_out: Vec::new(),
        }
    }

    /// A command with the `--state` and `--ca` that were typed, so that what is printed can be pasted. What stands
    /// behind two blanks is a remark, and stays behind.
    pub fn command(&self, words: &str) -> String {
        let (words, remark) = words.split_at(words.find("  ").unwrap_or(words.len()));
        let mut command = format!("ferry {words}");
        let ca = self.global.ca.as_ref().map(|path| path.display().to_string());
        for (option, variable, given) in [
            ("--state", "FERRY_STATE", self.global.state.clone()),
            ("--ca", "FERRY_CA", ca),
        ] {
            if let Some(given) = given.filter(|given| std::env::var(variable).ok().as_ref() != Some(given)) {
                command.push_str(&format!(" {option} {}", quoted(&given)));
            }
        }
        command + remark
    }

    /// The error with commands that can be pasted; one that gives no advice of its own names the page about it.
    pub fn pasteable(&self, error: &Error) -> Error {
        let mut error = error.clone();
        for line in &mut error.next {
            if let Some(rest) = line.strip_prefix("ferry ") {
                *line = self.command(rest);
            }
        }
        if error.next.is_empty() && error_pages::page(&error.code).is_some() {
            error.next.push(format!("ferry doc {}      explains it", error.code));
        }
        error
    }

    /// Tells an error, on stderr.
    pub fn fail(&self, error: &Error) {
        let error = self.pasteable(error);
        if self.ui.json() {
            // An error is plain data with string keys, so it always becomes JSON.
            self.ui.say(&json!({ "error": error }).to_string());
        } else {
            self.ui
                .say(&render::text(&error, Face::of_stderr(self.ui.err_colour())));
        }
    }
}

/// One try of a request, in one line.
fn request_line(line: &azure::LogLine) -> String {
    let status = line
        .status
        .map_or_else(|| "---".to_owned(), |status| status.to_string());
    let again = if line.try_number > 1 {
        format!("  try {}", line.try_number)
    } else {
        String::new()
    };
    let problem = line
        .problem
        .as_ref()
        .map(|problem| format!("  {problem}"))
        .unwrap_or_default();
    format!(
        "  {status} {:>6} ms  {:<6} {}{again}{problem}",
        line.millis, line.method, line.target
    )
}

/// A text as a shell takes it whole.
pub fn quoted(text: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "/._-:=,@%+~\\".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// The person at the terminal.
struct Person(Ui);

impl crate::run::Approver for Person {
    fn ask(&self, gate: &str, text: &str) -> bool {
        self.0.say(&format!(
            "{}\n{text}",
            self.0.tone(super::ui::Tone::Strong, &format!("approval of \"{gate}\""))
        ));
        self.0.ask("approve?")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_can_be_pasted() {
        assert_eq!(quoted("/tmp/state"), "/tmp/state");
        assert_eq!(quoted("/tmp/my state"), "'/tmp/my state'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
    }
}
