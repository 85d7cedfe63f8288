//! Plan files: written by `ferry plan --out`, carried out by `ferry run --plan-file`.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::args::Runbook;
use super::context::{Context, quoted};
use super::run::cloud;
use super::target::Place;
use crate::error::Error;
use crate::host::{Host, Params};
use crate::report::Plan;
use crate::run::{FORMAT, PlanFile, Session};

/// A plan that was made, and what for.
pub struct Made<'a> {
    /// The runbook, as journals name it.
    pub name: &'a str,
    /// The cloud.
    pub place: &'a Place,
    /// The parameters.
    pub params: &'a Params,
    /// What it says.
    pub plan: Plan,
    /// The phase that it ends with, where that is not the last.
    pub until: Option<String>,
    /// What was left out by name.
    pub leave_out: Vec<String>,
}

/// Writes a plan to a file that only the user may read, whole or not at all, and says how it is carried out.
///
/// # Errors
/// `file-unwritable`.
pub fn write(
    context: &Context<'_>,
    host: &Host,
    session: &Arc<Session>,
    made: Made<'_>,
    out: &Path,
) -> Result<(), Error> {
    let plan = file(context, host, session, made)?;
    private(out, plan.to_text().as_bytes()).map_err(|error| {
        Error::failed("file-unwritable", format!("{} was not written: {error}", out.display()))
            .untouched("everything: a plan sends no write")
            .next("name a file in a directory that can be written: --out FILE")
    })?;
    let path = quoted(&out.display().to_string());
    let lines = [
        format!("plan     {path} (digest {})", plan.digest),
        format!("next     {}", context.command(&format!("run --plan-file {path}"))),
    ];
    for line in lines {
        // With --json stdout has the plan alone.
        if context.ui.json() {
            context.ui.say(&line);
        } else {
            context.ui.print(&line);
        }
    }
    Ok(())
}

fn file(context: &Context<'_>, host: &Host, session: &Arc<Session>, made: Made<'_>) -> Result<PlanFile, Error> {
    let mut changes = session.planned_whole();
    // The report knows more of each: what the map says of its risks.
    for (change, shown) in changes.iter_mut().zip(made.plan.changes) {
        change.shown = shown;
    }
    let runbook = host.runbook(made.name)?;
    let now = time::OffsetDateTime::now_utc();
    Ok(PlanFile {
        format: FORMAT,
        digest: String::new(),
        ferry: env!("CARGO_PKG_VERSION").to_owned(),
        made: now
            .format(&time::format_description::well_known::Rfc3339)
            .unwrap_or_default(),
        runbook: made.name.to_owned(),
        params: Value::Object(made.params.values.clone()),
        source_params: made
            .params
            .files
            .iter()
            .map(|(file, values)| (file.clone(), Value::Object(values.clone())))
            .collect(),
        cloud: cloud(context, made.place),
        until: made.until,
        leave_out: made.leave_out,
        salt: session.salt().to_owned(),
        scripts: host.used_scripts(&runbook)?,
        bound: crate::run::Bound::default(),
        costs: made.plan.costs,
        changes,
        findings: made.plan.findings,
        unseen: made.plan.unseen,
        map: made.plan.map,
    }
    .sealed())
}

/// Writes a file that only the user may read: beside it first, then in its place.
pub fn private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    // It is its user's alone from its beginning, and goes where it does not come to its end.
    let mut beside = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    beside.write_all(bytes)?;
    beside.as_file().sync_all()?;
    beside.persist(path)?;
    Ok(())
}

/// Reads a plan that is to be carried out by this ferry.
///
/// # Errors
/// All refused: `plan-unreadable`, `plan-damaged`, `plan-newer`, and `plan-other` where another version of ferry made it.
pub fn read(path: &Path) -> Result<PlanFile, Error> {
    let bytes = std::fs::read(path).map_err(|error| {
        Error::refused(
            "plan-unreadable",
            format!("the plan {} was not read: {error}", path.display()),
        )
        .untouched("nothing was sent")
        .next("ferry plan RUNBOOK … --out FILE      makes a plan")
    })?;
    let plan = PlanFile::read(&bytes, &path.display().to_string())?;
    let own = env!("CARGO_PKG_VERSION");
    if plan.ferry != own {
        return Err(other(&format!("it was made by ferry {}, this is {own}", plan.ferry)));
    }
    Ok(plan)
}

/// The plan's parameters, and the directories of scripts that it was made with.
pub fn params(plan: &PlanFile) -> Params {
    Params {
        values: plan.params.as_object().cloned().unwrap_or_default(),
        files: plan
            .source_params
            .iter()
            .map(|(file, values)| (file.clone(), values.as_object().cloned().unwrap_or_default()))
            .collect(),
    }
}

/// Refuses a runbook or parameters on the command line that are not those of the plan.
///
/// # Errors
/// `plan-other`; those of reading parameters.
pub fn agree(host: &Host, plan: &PlanFile, runbook: Option<&str>, given: &[String]) -> Result<(), Error> {
    let planned = host.runbook(&plan.runbook)?;
    if let Some(named) = runbook {
        let name = super::subject::runbook_name(named, &host.runbook(named)?);
        if name != plan.runbook {
            return Err(other(&format!("it is for {}, not for {name}", plan.runbook)));
        }
    }
    let known = params(plan);
    let read = host.params_with(&planned, given, &known.values)?;
    for (name, value) in &read.values {
        if known.values.get(name) != Some(value) {
            let kept = known.values.get(name).unwrap_or(&Value::Null);
            return Err(other(&format!("it has {name}={kept}, and {value} was given")));
        }
    }
    for (file, values) in &read.files {
        if let Some((name, value)) = values
            .iter()
            .find(|(name, value)| known.files.get(file).and_then(|kept| kept.get(*name)) != Some(value))
        {
            return Err(other(&format!("it does not have {file}.{name}={value}")));
        }
    }
    Ok(())
}

/// The runbook and the parameters as they were typed: beside a plan's file the runbook may be left away.
pub fn typed(plan_file: bool, runbook: Option<&str>, params: &[String]) -> Runbook {
    let mut params = params.to_vec();
    let mut runbook = runbook.unwrap_or_default().to_owned();
    if plan_file && runbook.contains('=') {
        params.insert(0, std::mem::take(&mut runbook));
    }
    Runbook { runbook, params }
}

fn other(why: &str) -> Error {
    Error::refused("plan-other", format!("the plan was not run: {why}"))
        .untouched("nothing was sent")
        .next("leave away what the plan says already, or make a new plan")
}

/// The options of scripts that a plan was made with.
pub fn scripts(plan: &PlanFile) -> Vec<String> {
    let kept = plan.cloud.get("scripts").cloned().unwrap_or_else(|| json!([]));
    serde_json::from_value(kept).unwrap_or_default()
}
