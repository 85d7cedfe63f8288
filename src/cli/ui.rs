//! What a person sees: the only place that writes to stdout and stderr. It knows whether there is a terminal, and
//! whether colours are wanted.
//!
//! Stdout has results, stderr has the rest. A reader that goes away (`ferry show last | head`) is no error.

use std::io::{self, IsTerminal as _, Write as _};

use clap::builder::styling::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressDrawTarget};
use serde::Serialize;

use super::args::Global;

/// Where output goes and how it looks.
#[derive(Debug, Clone)]
pub struct Ui {
    json: bool,
    quiet: bool,
    verbose: bool,
    out_colour: bool,
    err_colour: bool,
    terminal: bool,
    bars: MultiProgress,
}

/// What a piece of text is, which decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Headings, names.
    Strong,
    /// What matters less.
    Faint,
    /// It went well.
    Good,
    /// It wants to be looked at.
    Warning,
    /// It failed.
    Bad,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Tone::Strong => Style::new().bold(),
            Tone::Faint => Style::new().dimmed(),
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Warning => AnsiColor::Yellow.on_default(),
            Tone::Bad => AnsiColor::Red.on_default().bold(),
        }
    }
}

/// Whether the environment says that colours are not wanted: <https://no-color.org>.
pub fn no_colour() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

impl Ui {
    /// The output that these options ask for.
    pub fn new(global: &Global) -> Self {
        let terminal = io::stderr().is_terminal();
        let animate = terminal && !global.json && !global.quiet && !global.verbose && !no_colour();
        let target = if animate {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            json: global.json,
            quiet: global.quiet,
            verbose: global.verbose,
            out_colour: io::stdout().is_terminal() && !no_colour(),
            err_colour: terminal && !no_colour(),
            terminal,
            bars: MultiProgress::with_draw_target(target),
        }
    }

    /// Whether results are JSON.
    pub fn json(&self) -> bool {
        self.json
    }

    /// Whether progress is not wanted.
    pub fn quiet(&self) -> bool {
        self.quiet
    }

    /// Whether each request is shown.
    pub fn verbose(&self) -> bool {
        self.verbose
    }

    /// Whether messages may have colours.
    pub fn err_colour(&self) -> bool {
        self.err_colour
    }

    /// Whether progress may move: bars instead of lines.
    pub fn animates(&self) -> bool {
        !self.bars.is_hidden()
    }

    /// Whether a person can be asked: both stdin and stderr are a terminal.
    pub fn can_ask(&self) -> bool {
        self.terminal && io::stdin().is_terminal() && !self.json
    }

    /// Where progress bars are put.
    pub fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    /// A text for stdout in a colour.
    pub fn result_tone(&self, tone: Tone, text: &str) -> String {
        painted(self.out_colour, tone, text)
    }

    /// A text for stderr in a colour.
    pub fn tone(&self, tone: Tone, text: &str) -> String {
        painted(self.err_colour, tone, text)
    }

    /// Prints a result, to stdout, with the line's end.
    pub fn print(&self, text: &str) {
        self.bars.suspend(|| {
            let mut out = io::stdout().lock();
            // The reader may have gone away; then there is nobody to tell.
            let _ = writeln!(out, "{text}").and_then(|()| out.flush());
        });
    }

    /// Prints a result as one JSON object: on one line where several follow, else laid out for people.
    pub fn print_json(&self, value: &impl Serialize) {
        // What is printed is plain data with string keys, so it always becomes JSON.
        self.print(&serde_json::to_string_pretty(value).unwrap_or_default());
    }

    /// Prints one JSON object on one line.
    pub fn print_json_line(&self, value: &impl Serialize) {
        self.print(&serde_json::to_string(value).unwrap_or_default());
    }

    /// Prints a message, to stderr, above any progress that is shown.
    pub fn say(&self, text: &str) {
        self.bars.suspend(|| {
            let _ = writeln!(io::stderr().lock(), "{text}");
        });
    }

    /// Prints a message unless `--quiet` was given.
    pub fn tell(&self, text: &str) {
        if !self.quiet {
            self.say(text);
        }
    }

    /// Asks a yes-or-no question on the terminal. No answer is no.
    pub fn ask(&self, question: &str) -> bool {
        self.bars.suspend(|| {
            let _ = write!(io::stderr().lock(), "{question} [y/N] ");
            let _ = io::stderr().flush();
            let mut answer = String::new();
            io::stdin().read_line(&mut answer).is_ok() && matches!(answer.trim(), "y" | "Y" | "yes" | "Yes")
        })
    }
}

fn painted(colour: bool, tone: Tone, text: &str) -> String {
    if !colour {
        return text.to_owned();
    }
    let style = tone.style();
    format!("{style}{text}{style:#}")
}
