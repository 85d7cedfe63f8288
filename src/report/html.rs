//! A run as one page for browsers: no script, nothing loaded from elsewhere.

use std::fmt::Write as _;

use serde_json::Value;

use super::coverage::Coverage;
use super::escape::markup;
use super::map::{Item, Map};
use super::model::Run;
use super::text::{amount, plain, standing};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1b1b1b;background:#fff}\
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem;border-bottom:1px solid #ccc}\
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0;border-bottom:1px solid #eee}\
code,pre{font:13px/1.4 ui-monospace,monospace;overflow-wrap:anywhere}pre{background:#f5f5f5;padding:.6rem;white-space:pre-wrap}\
.done{color:#17692f}.failed,.error,.difference{color:#a11}.warning,.intended{color:#8a5a00}.undone{color:#666}\
@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}h2,td,th{border-color:#333}pre{background:#222}\
.done{color:#6fd08c}.failed,.error,.difference{color:#ff8f8f}.warning,.intended{color:#e5b55c}}";

/// A run as a page: what it was, what it changed, what was found, who approved it.
pub fn run(run: &Run) -> String {
    let title = markup(&format!("{} · run {}", run.runbook, run.run));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title><style>{STYLE}</style></head><body>\n\
         <h1>{title}</h1>\n<p>Status <strong class=\"{0}\">{0}</strong> · cloud {1} · {2} – {3}</p>\n",
        markup(&run.status),
        markup(&run.cloud),
        markup(&run.started),
        markup(&run.updated)
    );
    let params = run.params.as_object().into_iter().flatten();
    table(
        &mut page,
        "Parameters",
        &["name", "value"],
        params.map(|(name, value)| vec![code(name), code(&plain(value))]),
    );
    if let Some(map) = run.map() {
        let map = Map::read(map);
        for (name, items) in [
            ("Grants", &map.grants),
            ("Bindings", &map.bindings),
            ("Trust", &map.trust),
        ] {
            table(&mut page, name, &["what", "where", "found by"], items.iter().map(item));
        }
    }
    for phase in &run.phases {
        let changes: Vec<_> = run.changes.iter().filter(|change| change.phase == phase.name).collect();
        let head = format!("{} ({}, {})", phase.name, phase.status, amount(changes.len(), "change"));
        let rows = changes.iter().map(|change| {
            let word = standing(change.status);
            vec![
                change.seq.to_string(),
                format!("<span class=\"{word}\">{word}</span>"),
                markup(&change.what),
                code(&format!("{} {}", change.method, change.target)),
                code(change.request_id.as_deref().unwrap_or_default()),
            ]
        });
        table(
            &mut page,
            &head,
            &["#", "status", "what", "request", "request id"],
            rows,
        );
    }
    let findings = run.findings.iter().map(|finding| {
        vec![
            format!("<span class=\"{0}\">{0}</span>", markup(&finding.severity)),
            markup(&finding.code),
            code(&finding.target),
            markup(&finding.message),
        ]
    });
    table(&mut page, "Findings", &["severity", "code", "where", "what"], findings);
    let approvals = run.approvals.iter().map(|approval| {
        [
            &approval.gate,
            &approval.by,
            &approval.at,
            &approval.from,
            &approval.digest,
        ]
        .map(|text| markup(text))
        .to_vec()
    });
    table(&mut page, "Approvals", &["gate", "by", "at", "from", "for"], approvals);
    for task in &run.hand_overs {
        let _ = writeln!(
            page,
            "<h2>Hand-over {} ({})</h2>\n<pre>{}</pre>",
            markup(&task.task),
            markup(&task.standing()),
            markup(task.text.trim_end())
        );
    }
    let unseen = run
        .unseen
        .iter()
        .map(|unseen| vec![code(&unseen.scope), markup(&unseen.why), code(&unseen.needs)]);
    table(&mut page, "Not looked into", &["where", "why", "needs"], unseen);
    let coverage = Coverage::read(run.map().unwrap_or(&Value::Null), &run.unseen);
    let rows = coverage
        .rows
        .iter()
        .map(|(head, said)| vec![markup(head), markup(&said.join("; "))]);
    table(&mut page, "Coverage", &["", "what"], rows);
    page.push_str("</body></html>\n");
    page
}

fn item(item: &Item) -> Vec<String> {
    vec![markup(&item.what), code(&item.place), markup(&item.file)]
}

fn code(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    format!("<code>{}</code>", markup(text))
}

/// A table with its heading; none where there are no rows. Cells are markup.
fn table(page: &mut String, title: &str, heads: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return;
    }
    let _ = writeln!(page, "<h2>{}</h2>\n<table>\n<tr>", markup(title));
    for head in heads {
        let _ = write!(page, "<th>{head}</th>");
    }
    page.push_str("</tr>\n");
    for row in rows {
        page.push_str("<tr>");
        for cell in row {
            let _ = write!(page, "<td>{cell}</td>");
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</table>\n");
}
