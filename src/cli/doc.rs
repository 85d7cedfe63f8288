//! `ferry doc`: everything that scripts can call, runbooks and their parameters, error codes.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::context::{Context, Ending};
use super::error_pages;
use crate::error::Error;
use crate::host::{Host, Runbook};

/// Explain a module, a function, a runbook or an error code
///
/// `coverage` is what all sources and finders say of themselves. Without a name: what there is. With --markdown or --definitions the whole reference is written to a directory.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// `role_assignment::ensure`, `arm`, `relocate`, `not-allowed`
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Write the reference as Markdown files
    #[arg(long, value_name = "DIR", env = "FERRY_MARKDOWN", hide_env = true)]
    markdown: Option<PathBuf>,
    /// Write definitions for editors (`.d.rhai`)
    #[arg(long, value_name = "DIR", env = "FERRY_DEFINITIONS", hide_env = true)]
    definitions: Option<PathBuf>,
}

/// Runs `ferry doc`.
///
/// # Errors
/// `unknown-name` where nothing has it; `file-unwritable`.
pub fn run(args: &Args, context: &Context<'_>) -> Result<Ending, Error> {
    let host = context.host()?;
    if args.markdown.is_some() || args.definitions.is_some() {
        let docs = host.docs()?;
        if let Some(directory) = &args.markdown {
            write(context, directory, docs.to_markdown())?;
        }
        if let Some(directory) = &args.definitions {
            write(context, directory, docs.to_definitions())?;
        }
        return Ok(Ending::Done);
    }
    match &args.name {
        None => index(context, &host),
        Some(name) => explain(context, &host, name),
    }
}

fn index(context: &Context<'_>, host: &Host) -> Result<Ending, Error> {
    let docs = host.docs()?;
    if context.ui.json() {
        context.ui.print_json(&docs.to_json());
        return Ok(Ending::Done);
    }
    context.ui.print("modules");
    for page in docs
        .pages
        .iter()
        .filter(|page| page.kind == crate::host::docs::PageKind::Module)
    {
        context
            .ui
            .print(format!("  {:<22}{}", page.name, page.summary).trim_end());
    }
    context.ui.print("\nrunbooks");
    for runbook in host.runbooks()? {
        context
            .ui
            .print(format!("  {:<22}{}", runbook.name, runbook.summary).trim_end());
    }
    context
        .ui
        .print(&format!("\nerror codes\n  {}", error_pages::codes().join(" ")));
    Ok(Ending::Done)
}

fn explain(context: &Context<'_>, host: &Host, name: &str) -> Result<Ending, Error> {
    if name == "coverage" {
        let page = host.coverage()?;
        if context.ui.json() {
            context.ui.print_json(&json!({ "name": name, "markdown": page }));
        } else {
            context.ui.print(page.trim_end());
        }
        return Ok(Ending::Done);
    }
    if let Some(page) = error_pages::page(name) {
        if context.ui.json() {
            context.ui.print_json(&json!({ "code": name, "markdown": page }));
        } else {
            context.ui.print(page.trim_end());
        }
        return Ok(Ending::Done);
    }
    if let Some(runbook) = host.runbooks()?.into_iter().find(|runbook| runbook.name == name) {
        if context.ui.json() {
            context.ui.print_json(&runbook_json(&runbook));
        } else {
            context.ui.print(&runbook_text(&runbook));
        }
        return Ok(Ending::Done);
    }
    let docs = host.docs()?;
    let entry = docs.find(name)?;
    if context.ui.json() {
        context.ui.print_json(&json!({ "name": name, "text": entry.to_text() }));
    } else {
        context.ui.print(entry.to_text().trim_end());
    }
    Ok(Ending::Done)
}

fn runbook_json(runbook: &Runbook) -> serde_json::Value {
    let params: Vec<_> = runbook
        .params
        .iter()
        .map(|param| {
            json!({
                "name": param.name,
                "type": param.kind.name(),
                "help": param.help,
                "optional": param.optional,
                "values": param.values,
                "fallback": param.fallback,
            })
        })
        .collect();
    json!({ "name": runbook.name, "summary": runbook.summary, "doc": runbook.doc, "params": params, "phases": runbook.phases })
}

fn runbook_text(runbook: &Runbook) -> String {
    let doc = if runbook.doc.is_empty() {
        &runbook.summary
    } else {
        &runbook.doc
    };
    let mut text = format!("{}\n\n{}\n", runbook.name, doc.trim_end());
    if !runbook.phases.is_empty() {
        text.push_str(&format!("\nphases: {}\n", runbook.phases.join(", ")));
    }
    if !runbook.params.is_empty() {
        text.push_str("\nparameters\n");
    }
    for param in &runbook.params {
        let optional = if param.optional { ", optional" } else { "" };
        let values = if param.values.is_empty() {
            String::new()
        } else {
            format!(": {}", param.values.join("|"))
        };
        text.push_str(&format!(
            "  {}  ({}{values}{optional})\n      {}\n",
            param.name,
            param.kind.name(),
            param.help
        ));
    }
    text
}

fn write(context: &Context<'_>, directory: &Path, files: Vec<(String, String)>) -> Result<(), Error> {
    for (name, text) in files {
        let path = directory.join(&name);
        let written = path
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(&path, text));
        written.map_err(|error| {
            Error::failed(
                "file-unwritable",
                format!("{} was not written: {error}", path.display()),
            )
            .untouched("files that were written before this one stay")
            .next("choose a directory that can be written")
        })?;
        context.ui.tell(&format!("{} is written", path.display()));
    }
    Ok(())
}
