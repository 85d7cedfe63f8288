//! `ferry doctor`: who asks which cloud, with which rights, what answers, and what is wrong.

mod cloud;
mod facts;
mod here;
mod rights;
mod text;

use super::context::{Context, Ending};
use super::target::Place;
use crate::error::Error;

use facts::Report;

/// Tell which credential answers, for whom, with which rights, what is reachable, and what is wrong
///
/// Nothing is changed, and what is printed holds no secret: paste it into a ticket. Exit codes: 0 all is well, 1 otherwise.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs `ferry doctor`.
///
/// # Errors
/// Those of the options alone; whatever else is wrong is part of the report.
pub fn run(_args: &Args, context: &Context<'_>) -> Result<Ending, Error> {
    let target = context.target(Place::from_options(&context.global)?)?;
    let handle = context.handle()?;
    let mut report = Report::default();
    here::environment(&mut report);
    here::scripts(&mut report, context);
    here::state(&mut report, context);
    handle.block_on(cloud::ask(&mut report, &target));
    for finding in &mut report.findings {
        for line in &mut finding.next {
            if let Some(rest) = line.strip_prefix("ferry ") {
                *line = context.command(rest);
            }
        }
    }
    report.ok = report.findings.is_empty();
    if context.ui.json() {
        context.ui.print_json(&report);
    } else {
        context.ui.print(&text::write(&report, &context.ui));
    }
    Ok(if report.ok { Ending::Done } else { Ending::Told(1) })
}
