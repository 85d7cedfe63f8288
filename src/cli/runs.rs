//! `ferry runs`: the runs of a state directory.

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Value, json};

use super::context::{Context, Ending};
use super::subject;
use crate::error::Error;
use crate::store::Summary;

/// List the runs, oldest first
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs `ferry runs`.
///
/// # Errors
/// Those of the store.
pub fn run(_args: &Args, context: &Context<'_>) -> Result<Ending, Error> {
    let runs = context.store()?.runs()?;
    if context.ui.json() {
        context.ui.print_json(&Value::Array(runs.iter().map(json_of).collect()));
    } else if runs.is_empty() {
        context.ui.say("there are no runs in this state directory yet");
    } else {
        context.ui.print(&table(&runs));
    }
    Ok(Ending::Done)
}

fn json_of(run: &Summary) -> Value {
    json!({
        "run": run.run,
        "status": run.status,
        "runbook": run.runbook,
        "cloud": subject::cloud(&run.subject),
        "subject": subject::shown(&run.subject),
        "started": run.started,
    })
}

fn table(runs: &[Summary]) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["RUN", "STATUS", "RUNBOOK", "SUBJECT", "CLOUD", "STARTED"]);
    for run in runs {
        let started = run.started.split('.').next().unwrap_or_default();
        table.add_row([
            run.run.clone(),
            run.status.clone(),
            run.runbook.clone(),
            subject::shown(&run.subject),
            subject::cloud(&run.subject),
            started.trim_end_matches('Z').replace('T', " "),
        ]);
    }
    table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}
