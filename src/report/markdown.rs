//! The model as Markdown, for tickets and wikis.

use std::fmt::Write as _;

use serde_json::Value;

use super::coverage::Coverage;
use super::map::Map;
use super::mermaid;
use super::model::Run;
use super::text::{amount, plain, standing};

/// A run as a page: what it was, what it changed, what was found, who approved it.
pub fn run(run: &Run) -> String {
    let mut page = format!("# {} · run {}\n\n", run.runbook, run.run);
    let _ = writeln!(
        page,
        "Status **{}** · cloud {} · {} – {}\n",
        run.status,
        cell(&run.cloud),
        run.started,
        run.updated
    );
    for (name, value) in run.params.as_object().into_iter().flatten() {
        let _ = writeln!(page, "- `{name}` = `{}`", plain(value));
    }
    if let Some(map) = run.map() {
        let map = Map::read(map);
        let _ = writeln!(page, "\n## Dependency map\n\n```mermaid\n{}```", mermaid::map(&map));
    }
    for phase in &run.phases {
        let changes: Vec<_> = run.changes.iter().filter(|change| change.phase == phase.name).collect();
        let _ = writeln!(
            page,
            "\n## {} ({})\n\n{}",
            phase.name,
            phase.status,
            amount(changes.len(), "change")
        );
        if !changes.is_empty() {
            page.push_str("\n| # | status | what | request | request id |\n|---|---|---|---|---|\n");
        }
        for change in changes {
            let _ = writeln!(
                page,
                "| {} | {} | {} | {} `{}` | {} |",
                change.seq,
                standing(change.status),
                cell(&change.what),
                change.method,
                cell(&change.target),
                change.request_id.as_deref().unwrap_or_default()
            );
        }
    }
    if !run.findings.is_empty() {
        page.push_str("\n## Findings\n\n| severity | code | target | message |\n|---|---|---|---|\n");
        for finding in &run.findings {
            let _ = writeln!(
                page,
                "| {} | {} | {} | {} |",
                finding.severity,
                finding.code,
                cell(&finding.target),
                cell(&finding.message)
            );
        }
    }
    if !run.approvals.is_empty() {
        page.push_str("\n## Approvals\n\n");
        for approval in &run.approvals {
            let _ = writeln!(
                page,
                "- {} by {} at {} ({}), for `{}`",
                approval.gate, approval.by, approval.at, approval.from, approval.digest
            );
        }
    }
    if !run.hand_overs.is_empty() {
        page.push_str("\n## Hand-overs\n\n");
        for task in &run.hand_overs {
            let (standing, text) = (task.standing(), task.text.trim_end());
            let _ = writeln!(page, "### {} ({standing})\n\n```\n{text}\n```\n", task.task);
        }
    }
    if !run.unseen.is_empty() {
        page.push_str("\n## Not looked into\n\n| scope | why | needs |\n|---|---|---|\n");
        for unseen in &run.unseen {
            let _ = writeln!(
                page,
                "| {} | {} | {} |",
                cell(&unseen.scope),
                cell(&unseen.why),
                cell(&unseen.needs)
            );
        }
    }
    for (index, (head, said)) in Coverage::read(run.map().unwrap_or(&Value::Null), &run.unseen)
        .rows
        .iter()
        .enumerate()
    {
        if index == 0 {
            page.push_str("\n## Coverage\n\n");
        }
        let _ = writeln!(page, "- **{head}**: {}", said.join("; "));
    }
    page
}

/// A text that cannot leave its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
