//! The command line: one file a subcommand; it parses and prints, and decides nothing.

mod approve;
mod args;
mod check;
mod completions;
mod context;
mod doc;
mod doctor;
mod eject;
mod error_pages;
mod eval;
mod journaled;
mod list;
mod new;
mod panics;
mod patch;
mod plan;
mod plan_file;
mod progress;
mod refresh;
mod render;
mod reopened;
mod repl;
mod report;
mod resume;
mod rollback;
mod run;
mod runs;
mod show;
mod sim;
mod state;
mod subject;
mod target;
mod test;
mod ui;

use std::ffi::OsString;

use clap::{CommandFactory as _, Parser, Subcommand};

pub use context::{Context, Ending, Runtime};
pub use panics::hush;

/// Carries Azure user-assigned managed identities to another region, with scripted, durable runbooks.
///
/// A run is a journal: it can be stopped anywhere, resumed, and asked what it did. `ferry plan` shows every change
/// before it is made. Exit codes: 0 done, 1 failed, 2 refused, 3 paused, 4 a difference was found, 130 interrupted.
#[derive(Debug, Parser)]
#[command(name = "ferry", version, arg_required_else_help = true, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    global: args::Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Args),
    Plan(plan::Args),
    Resume(resume::Args),
    Refresh(refresh::Args),
    Rollback(rollback::Args),
    Approve(approve::Args),
    Show(show::Args),
    Runs(runs::Args),
    Report(report::Args),
    List(list::Args),
    Eval(eval::Args),
    Repl(repl::Args),
    Check(check::Args),
    Test(test::Args),
    New(new::Args),
    Eject(eject::Args),
    Doc(doc::Args),
    Doctor(doctor::Args),
    Sim(sim::Args),
    Completions(completions::Args),
}

/// The whole command line as clap knows it: for completions and for the test that holds the help.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Does what the arguments say, and returns the exit code of the process.
///
/// It is called on a plain thread, never inside a runtime; `runtime` gives a handle to one when a command needs it.
pub fn main(args: impl IntoIterator<Item = OsString>, runtime: Runtime<'_>) -> u8 {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Clap prints help and versions to stdout, the rest to stderr; where nobody reads, nobody is told.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    let context = Context::new(cli.global, runtime);
    let ended = match &cli.command {
        Command::Run(args) => run::run(args, &context),
        Command::Plan(args) => plan::run(args, &context),
        Command::Resume(args) => resume::run(args, &context),
        Command::Refresh(args) => refresh::run(args, &context),
        Command::Rollback(args) => rollback::run(args, &context),
        Command::Approve(args) => approve::run(args, &context),
        Command::Show(args) => show::run(args, &context),
        Command::Runs(args) => runs::run(args, &context),
        Command::Report(args) => report::run(args, &context),
        Command::List(args) => list::run(args, &context),
        Command::Eval(args) => eval::run(args, &context),
        Command::Repl(args) => repl::run(args, &context),
        Command::Check(args) => check::run(args, &context),
        Command::Test(args) => test::run(args, &context),
        Command::New(args) => new::run(args, &context),
        Command::Eject(args) => eject::run(args, &context),
        Command::Doc(args) => doc::run(args, &context),
        Command::Doctor(args) => doctor::run(args, &context),
        Command::Sim(args) => sim::run(args, &context),
        Command::Completions(args) => completions::run(args, &context),
    };
    match ended {
        Ok(ending) => ending.exit_code(),
        Err(error) => {
            context.fail(&error);
            error.exit_code()
        }
    }
}
