//! The interactive prompt: reads, evaluates, prints; variables and functions stay from one input to the next.

mod commands;
mod complete;
mod helper;
mod highlight;
mod hint;
mod print;
mod shell;
mod validate;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use rustyline::config::Configurer as _;
use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{CompletionType, Config, Editor};

use crate::error::Error;
use crate::host::Host;
use crate::run::Session;

pub use shell::{Reply, Shell};

/// Makes text of an error, for the terminal.
pub type Render = Arc<dyn Fn(&Error) -> String + Send + Sync>;

/// How the prompt looks and what it keeps.
#[derive(Clone, Default)]
pub struct Options {
    /// Whether a person sits at a terminal: then a greeting is shown.
    pub terminal: bool,
    /// The file that keeps what was typed; nothing is kept without one.
    pub history: Option<PathBuf>,
    /// Whether input is coloured.
    pub color: bool,
    /// How errors are shown; a plain text without one.
    pub render: Option<Render>,
}

/// Runs the prompt until its end: `:quit`, or the end of the input. Results go to stdout, errors to stderr.
///
/// # Errors
/// When the terminal or the documentation cannot be read.
pub fn start(host: &Host, session: &Arc<Session>, options: &Options) -> Result<(), Error> {
    let mut shell = Shell::new(host, session)?;
    interrupts(session)?;
    let terminal = |error: ReadlineError| Error::failed("terminal", format!("the terminal was not read: {error}"));
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .history_ignore_dups(true)
        .map_err(terminal)?;
    let mut editor = Editor::<helper::Helper, DefaultHistory>::with_config(config.build()).map_err(terminal)?;
    editor.set_helper(Some(helper::Helper::new(shell.known(), options.color)));
    editor.set_auto_add_history(true);
    if let Some(history) = &options.history {
        // A first start has no history yet.
        let _ = editor.load_history(history);
    }
    let render = options.render.clone().unwrap_or_else(|| Arc::new(print::plain));
    if options.terminal {
        say(
            &mut std::io::stderr(),
            "ferry prompt; :help shows what there is, :quit ends it\n",
        );
    }
    loop {
        match editor.readline(shell.prompt()) {
            Ok(line) => match shell.feed(&line) {
                Ok(Reply::Text(text)) => say(&mut std::io::stdout(), &text),
                Ok(Reply::Quit) => break,
                Err(error) => say(&mut std::io::stderr(), &format!("{}\n", render(&error))),
            },
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(terminal(error)),
        }
    }
    if let Some(history) = &options.history {
        if let Some(directory) = history.parent() {
            let _ = crate::store::private_directory(directory);
        }
        if editor.save_history(history).is_err() {
            say(&mut std::io::stderr(), "the history was not kept\n");
        }
    }
    Ok(())
}

/// Ctrl-C stops the call that is under way; the prompt stays.
fn interrupts(session: &Arc<Session>) -> Result<(), Error> {
    let runtime = session.block(async { Ok::<_, Error>(tokio::runtime::Handle::current()) })?;
    let weak = Arc::downgrade(session);
    runtime.spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            let Some(session) = weak.upgrade() else { break };
            session.cancel().cancel();
        }
    });
    Ok(())
}

/// Writes a text; a reader that has gone away is no error of ours.
fn say(to: &mut dyn Write, text: &str) {
    let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
}
