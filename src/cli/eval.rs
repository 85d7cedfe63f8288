//! `ferry eval`: one expression, and what it is worth.

use serde_json::Value;

use super::context::{Context, Ending};
use super::journaled;
use super::target::Place;
use crate::error::Error;
use crate::run::{Session, nobody};

/// Evaluate an expression; reads are allowed, writes are not
///
/// No cloud is contacted unless the expression asks for one: `ferry eval '1 + 1'`,
/// `ferry eval --sim 'identity::list()'`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The expression
    #[arg(value_name = "EXPR")]
    expression: String,
}

/// Runs `ferry eval`.
///
/// # Errors
/// Those of the expression.
pub fn run(args: &Args, context: &Context<'_>) -> Result<Ending, Error> {
    let host = context.host()?;
    let target = context.target(Place::from_options(&context.global)?)?;
    let handle = context.handle()?;
    let session = Session::explore(
        handle.clone(),
        target.connect(),
        context.session_options(),
        nobody(),
        None,
    );
    journaled::stop_on_signals(&handle, &session.cancel());
    let value = host
        .eval(&session, &args.expression)
        .map_err(|error| error.or_untouched("everything: an expression only reads"))?;
    match value {
        value if context.ui.json() => context.ui.print_json(&value),
        Value::Null => {}
        Value::String(text) => context.ui.print(&text),
        value => context.ui.print_json(&value),
    }
    Ok(Ending::Done)
}
