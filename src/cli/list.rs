//! `ferry list`: runbooks, permission sources and binding finders, shipped ones and others.

use serde_json::json;

use super::context::{Context, Ending};
use super::ui::Tone;
use crate::error::Error;
use crate::host::Host;

/// List runbooks, permission sources and binding finders
#[derive(Debug, clap::Args)]
pub struct Args {}

/// A script that the list names.
struct Listed {
    name: String,
    title: String,
    path: Option<String>,
}

/// Runs `ferry list`.
///
/// # Errors
/// Where a script cannot be read.
pub fn run(_args: &Args, context: &Context<'_>) -> Result<Ending, Error> {
    let host = context.host()?;
    let runbooks: Vec<Listed> = host
        .runbooks()?
        .into_iter()
        .map(|runbook| {
            Ok(Listed {
                path: path(&host, &runbook.key)?,
                name: runbook.name,
                title: runbook.summary,
            })
        })
        .collect::<Result<_, Error>>()?;
    let groups = [
        ("runbooks", runbooks),
        ("permissions", scripts(&host, "stdlib/permissions/")?),
        ("bindings", scripts(&host, "stdlib/bindings/")?),
    ];
    if context.ui.json() {
        let json: serde_json::Map<String, serde_json::Value> = groups
            .iter()
            .map(|(group, items)| {
                let items = items
                    .iter()
                    .map(|item| json!({ "name": item.name, "title": item.title, "path": item.path }));
                ((*group).to_owned(), items.collect())
            })
            .collect();
        context.ui.print_json(&json);
        return Ok(Ending::Done);
    }
    let width = groups
        .iter()
        .flat_map(|(_, items)| items)
        .map(|item| item.name.chars().count())
        .max()
        .unwrap_or(0);
    for (index, (group, items)) in groups.iter().enumerate() {
        let blank = if index == 0 { "" } else { "\n" };
        context
            .ui
            .print(&format!("{blank}{}", context.ui.result_tone(Tone::Strong, group)));
        for item in items {
            let from = item.path.as_ref().map(|path| format!("  ({path})")).unwrap_or_default();
            context
                .ui
                .print(format!("  {:<width$}  {}{from}", item.name, item.title).trim_end());
        }
    }
    Ok(Ending::Done)
}

/// The scripts of a folder, with their titles.
fn scripts(host: &Host, folder: &str) -> Result<Vec<Listed>, Error> {
    let mut keys: Vec<String> = host
        .scripts()
        .into_iter()
        .filter(|key| key.starts_with(folder))
        .collect();
    keys.sort();
    keys.into_iter()
        .map(|key| {
            let name = key.trim_start_matches(folder).trim_end_matches(".rhai").to_owned();
            Ok(Listed {
                title: title(&host.script(&key)?.text),
                path: path(host, &key)?,
                name,
            })
        })
        .collect()
}

/// Where a script comes from, if it is not the embedded one.
fn path(host: &Host, key: &str) -> Result<Option<String>, Error> {
    let script = host.script(key)?;
    Ok(if script.embedded {
        None
    } else {
        script.path.map(|path| path.display().to_string())
    })
}

/// The `const TITLE` of a script, else the first line of its `//!` comment.
fn title(text: &str) -> String {
    let constant = text.lines().find_map(|line| {
        let value = line.trim().trim_start_matches("export ").strip_prefix("const TITLE")?;
        value
            .trim()
            .strip_prefix('=')?
            .trim()
            .strip_prefix('"')?
            .split('"')
            .next()
    });
    let comment = || text.lines().find_map(|line| line.strip_prefix("//!"));
    constant.or_else(comment).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::title;

    #[test]
    fn a_script_is_listed_by_its_title() {
        assert_eq!(title("//! First line.\nconst TITLE = \"Key Vault\";\n"), "Key Vault");
        assert_eq!(title("//! First line.\n//! Second.\nfn list(i) {}\n"), "First line.");
        assert_eq!(title("fn list(i) {}"), "");
    }
}
