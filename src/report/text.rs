//! The model as plain text, for terminals and logs. Colours are the business of whoever prints it.

use std::fmt::Write as _;

use serde_json::Value;

use super::costs;
use super::coverage::Coverage;
use super::delta::Delta;
use super::map::{Item, Map};
use super::model::{Plan, Run};
use super::scan::{self, Scan};
use crate::run::record::{HandOver, Standing};
use crate::run::{Finding, Unseen, placeholder};

/// A plan: every change in order, what was found, what was not looked into.
pub fn plan(plan: &Plan, runbook: &str) -> String {
    let mut text = String::new();
    let mut phase = "";
    for change in &plan.changes {
        if change.phase != phase {
            phase = &change.phase;
            let count = plan.changes.iter().filter(|other| other.phase == phase).count();
            let gap = blank(&text);
            line(&mut text, &format!("{gap}{phase}  ({})", amount(count, "change")));
        }
        let why = shown(&change.why);
        line(&mut text, &format!("{:>5}  {:<6}  {why}", change.seq, change.method));
        line(
            &mut text,
            &format!("{:15}{}", "", placeholder::shown_path(&change.target)),
        );
        for edit in &change.edits {
            line(&mut text, &format!("{:15}{}", "", edit_text(edit)));
        }
        if change.effect != "none" && !change.effect.is_empty() {
            line(&mut text, &format!("{:15}effect: {}", "", change.effect));
        }
        for risk in &change.risks {
            line(&mut text, &format!("{:15}risk: {}", "", shown(risk)));
        }
    }
    costs::section(&mut text, &plan.costs);
    files(&mut text, plan.scan.as_ref());
    found(&mut text, &plan.findings);
    not_seen(&mut text, &plan.unseen);
    covered(&mut text, &Coverage::read(&plan.map, &plan.unseen));
    let restarts = plan
        .changes
        .iter()
        .filter(|change| change.effect != "none" && !change.effect.is_empty())
        .count();
    let mut end = format!("{runbook} would make {}", amount(plan.changes.len(), "change"));
    if restarts > 0 {
        let _ = write!(end, ", {restarts} of them with an effect on workloads");
    }
    let gap = blank(&text);
    line(&mut text, &format!("{gap}{end}. Nothing was written."));
    text.trim_end().to_owned()
}

/// A run, whole: `ferry show`.
pub fn run(run: &Run) -> String {
    let mut text = String::new();
    for (name, value) in [
        ("run", run.run.as_str()),
        ("runbook", &run.runbook),
        ("plan", run.plan.as_deref().unwrap_or_default()),
        ("cloud", &run.cloud),
        ("status", &run.status),
        ("why", run.why.as_deref().unwrap_or_default()),
        ("started", &run.started),
        ("updated", &run.updated),
    ] {
        if !value.is_empty() {
            line(&mut text, &format!("{name:<9}{value}"));
        }
    }
    for (index, (name, value)) in run.params.as_object().into_iter().flatten().enumerate() {
        let head = if index == 0 { "params" } else { "" };
        line(&mut text, &format!("{head:<9}{name}={}", plain(value)));
    }
    for phase in &run.phases {
        let changes: Vec<_> = run.changes.iter().filter(|change| change.phase == phase.name).collect();
        let counted = if changes.is_empty() {
            String::new()
        } else {
            format!(", {}", amount(changes.len(), "change"))
        };
        line(&mut text, &format!("\n{}  ({}{counted})", phase.name, phase.status));
        for change in changes {
            let already = if change.already { " (was so already)" } else { "" };
            line(
                &mut text,
                &format!(
                    "{:>5}  {:<8}  {}{already}",
                    change.seq,
                    standing(change.status),
                    change.what
                ),
            );
            line(&mut text, &format!("{:17}{} {}", "", change.method, change.target));
            for edit in &change.edits {
                line(&mut text, &format!("{:17}{}", "", edit_text(edit)));
            }
            if let Some(error) = &change.error {
                line(&mut text, &format!("{:17}{error}", ""));
            }
        }
    }
    found(&mut text, &run.findings);
    not_seen(&mut text, &run.unseen);
    if !run.approvals.is_empty() {
        line(&mut text, "\napprovals");
        for approval in &run.approvals {
            line(
                &mut text,
                &format!(
                    "  {}  by {} at {} ({}), for {}",
                    approval.gate,
                    approval.by,
                    approval.at,
                    approval.from,
                    approval.digest.get(..12).unwrap_or(&approval.digest)
                ),
            );
        }
    }
    if !run.gates.is_empty() {
        line(&mut text, "\nwaits for approval");
        for gate in &run.gates {
            line(&mut text, &format!("  {}  {}", gate.name, gate.text));
            line(&mut text, &format!("{:4}digest {}", "", gate.digest));
        }
    }
    if !run.hand_overs.is_empty() {
        line(&mut text, "\nhand-overs");
        for task in &run.hand_overs {
            hand_over(&mut text, task);
        }
    }
    text.trim_end().to_owned()
}

fn files(text: &mut String, scan: Option<&Scan>) {
    if let Some(scan) = scan.filter(|scan| !scan.places.is_empty()) {
        let gap = blank(text);
        line(text, &format!("{gap}{}", scan::section(scan)));
    }
}

/// The few lines at the end of `ferry run`: what moved, what was found, what a person must still do.
pub fn ending(run: &Run) -> String {
    let counts = run.counts();
    let mut text = String::new();
    let mut parts = vec![format!("{} made", amount(counts.done, "change"))];
    for (count, word) in [
        (counts.already, "in place already"),
        (counts.failed, "failed"),
        (counts.intended, "without an answer yet"),
        (counts.undone, "taken back"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    line(&mut text, &format!("{:<9}{}", "changes", parts.join(", ")));
    for phase in run
        .phases
        .iter()
        .filter(|phase| run.changes.iter().any(|change| change.phase == phase.name))
    {
        let mut kinds: Vec<(String, usize)> = Vec::new();
        for change in run
            .changes
            .iter()
            .filter(|change| change.phase == phase.name && change.status == Standing::Done)
        {
            match kinds.iter_mut().find(|(op, _)| *op == change.op) {
                Some((_, count)) => *count += 1,
                None => kinds.push((change.op.clone(), 1)),
            }
        }
        let kinds: Vec<String> = kinds.iter().map(|(op, count)| format!("{op} {count}")).collect();
        if !kinds.is_empty() {
            line(&mut text, &format!("{:<9}{}: {}", "", phase.name, kinds.join(", ")));
        }
    }
    if !run.findings.is_empty() {
        let severities = ["error", "difference", "warning", "info"]
            .iter()
            .filter_map(|severity| {
                let count = run
                    .findings
                    .iter()
                    .filter(|finding| finding.severity == *severity)
                    .count();
                (count > 0).then(|| format!("{count} {severity}"))
            });
        line(
            &mut text,
            &format!("{:<9}{}", "findings", severities.collect::<Vec<_>>().join(", ")),
        );
        for finding in run.findings.iter().filter(|finding| finding.severity != "info") {
            line(
                &mut text,
                &format!("{:<9}{}  {}: {}", "", finding.severity, finding.code, finding.message),
            );
        }
    }
    let open: Vec<&HandOver> = run.open_hand_overs().collect();
    if !open.is_empty() || !run.unseen.is_empty() {
        line(&mut text, "still to be done by a person");
        for task in open {
            hand_over(&mut text, task);
        }
        for unseen in &run.unseen {
            line(
                &mut text,
                &format!("  look into {}: {}", unseen.scope, unseen_why(unseen)),
            );
        }
    }
    if let Some(scan) = run.scan().filter(|scan| scan.named() > 0 && scan.names.new.is_some()) {
        let named = format!(
            "{} in files still named {}",
            amount(scan.named(), "place"),
            scan.names.old.name
        );
        line(
            &mut text,
            &format!(
                "{:<9}{named}: ferry report {} --patch FILE writes the patch",
                "files", run.run
            ),
        );
    }
    line(
        &mut text,
        &format!("{:<9}{}      ferry show {} has all of it", "journal", run.run, run.run),
    );
    text.trim_end().to_owned()
}

/// A dependency map: what the identity may do, who uses it, who trusts it.
pub fn map(map: &Value) -> String {
    let scan = Scan::in_result(map);
    let (raw, map) = (map, Map::read(map));
    let mut text = String::new();
    line(&mut text, &format!("{}  {}", map.identity, map.id));
    for (title, items) in [
        ("grants", &map.grants),
        ("bindings", &map.bindings),
        ("trust", &map.trust),
    ] {
        line(&mut text, &format!("\n{title}  ({})", items.len()));
        for item in items {
            map_item(&mut text, item);
        }
    }
    files(&mut text, scan.as_ref());
    not_seen(&mut text, &map.unseen);
    covered(&mut text, &Coverage::read(raw, &map.unseen));
    text.trim_end().to_owned()
}

/// What has come and gone between two maps.
pub fn delta(delta: &Delta) -> String {
    if delta.is_empty() {
        return "nothing has come since: the plan stands as it was".to_owned();
    }
    let mut text = String::new();
    for (title, items) in [("taken in", &delta.added), ("not there any more", &delta.removed)] {
        if !items.is_empty() {
            let gap = blank(&text);
            line(&mut text, &format!("{gap}{title}  ({})", items.len()));
        }
        for item in items {
            map_item(&mut text, item);
        }
    }
    text.trim_end().to_owned()
}

fn map_item(text: &mut String, item: &Item) {
    let effect = if item.effect.is_empty() || item.effect == "none" {
        String::new()
    } else {
        format!("  effect: {}", item.effect)
    };
    let file = if item.file.is_empty() {
        String::new()
    } else {
        format!("{}  ", item.file)
    };
    line(text, &format!("  {file}{}{effect}", shown(&item.what)));
    if !item.place.is_empty() && item.place != item.what {
        line(text, &format!("      {}", shown(&item.place)));
    }
}

/// Findings, by weight.
fn found(text: &mut String, findings: &[Finding]) {
    if findings.is_empty() {
        return;
    }
    line(text, &format!("{}findings  ({})", blank(text), findings.len()));
    for severity in ["error", "difference", "warning", "info"] {
        for finding in findings.iter().filter(|finding| finding.severity == severity) {
            line(
                text,
                &format!("  {severity:<10}  {}: {}", finding.code, shown(&finding.message)),
            );
            if !finding.target.is_empty() {
                line(text, &format!("{:14}{}", "", shown(&finding.target)));
            }
        }
    }
}

fn not_seen(text: &mut String, unseen: &[Unseen]) {
    if unseen.is_empty() {
        return;
    }
    line(text, &format!("{}not looked into  ({})", blank(text), unseen.len()));
    for unseen in unseen {
        line(text, &format!("  {}: {}", unseen.scope, unseen_why(unseen)));
    }
}

/// What a map covers and what it does not.
fn covered(text: &mut String, coverage: &Coverage) {
    for (index, (head, said)) in coverage.rows.iter().enumerate() {
        if index == 0 {
            line(text, &format!("{}coverage", blank(text)));
        }
        for (number, part) in said.iter().enumerate() {
            let head = if number == 0 { head } else { "" };
            line(text, &format!("  {head:<13} {part}"));
        }
    }
}

fn unseen_why(unseen: &Unseen) -> String {
    if unseen.needs.is_empty() {
        unseen.why.clone()
    } else {
        format!("{}; it needs {}", unseen.why, unseen.needs)
    }
}

fn hand_over(text: &mut String, task: &HandOver) {
    line(text, &format!("  {}  ({})", task.task, task.standing()));
    for part in task.text.lines() {
        line(text, &format!("      {part}"));
    }
}

/// A text in which what only Azure can give is said to be known after the move.
fn shown(text: &str) -> String {
    if !placeholder::is_in(text) {
        return text.to_owned();
    }
    text.split(' ')
        .map(|word| {
            if placeholder::is_in(word) {
                placeholder::shown_path(word)
            } else {
                word.to_owned()
            }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

fn edit_text(edit: &Value) -> String {
    let edit = placeholder::shown(edit);
    let pointer = edit.get("pointer").and_then(Value::as_str).unwrap_or_default();
    let side = |name: &str| edit.get(name).map(plain).unwrap_or_default();
    match (edit.get("from"), edit.get("to")) {
        (None | Some(Value::Null), _) => format!("{pointer}: add {}", side("to")),
        (_, None | Some(Value::Null)) => format!("{pointer}: remove {}", side("from")),
        _ => format!("{pointer}: {} → {}", side("from"), side("to")),
    }
}

/// A value as it is typed on the command line.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

pub(super) fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Intended => "intended",
        Standing::Done => "done",
        Standing::Failed => "failed",
        Standing::Undone => "undone",
    }
}

pub(super) fn amount(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

pub(super) fn blank(text: &str) -> &'static str {
    if text.is_empty() { "" } else { "\n" }
}

pub(super) fn line(text: &mut String, line: &str) {
    text.push_str(line.trim_end());
    text.push('\n');
}
