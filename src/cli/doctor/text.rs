//! The report as text: one fact a line, what is wrong at the end, ready to paste.

use super::facts::{Assignment, Finding, Reach, Report};
use crate::cli::ui::{Tone, Ui};

/// How wide the names of facts are.
const WIDTH: usize = 12;

/// Writes the report.
pub fn write(report: &Report, ui: &Ui) -> String {
    let mut lines = Lines(Vec::new());
    lines.fact("ferry", &format!("{} on {}", report.version, report.platform));
    if let Some(cloud) = &report.cloud {
        lines.fact("cloud", &format!("{} at {}", cloud.name, cloud.resource_manager));
    }
    lines.fact("variables", &report.variables.join(", "));
    if let Some(credential) = &report.credential {
        lines.fact("credential", &credential.answered);
        if let Some(end) = &credential.expires {
            lines.more(&format!("its token ends {end}"));
        }
    }
    if let Some(who) = &report.who {
        let (name, kind) = (
            who.name.as_deref().unwrap_or("(no name)"),
            who.kind.as_deref().unwrap_or("principal"),
        );
        lines.fact("who", &format!("{name}, {kind}"));
        lines.more(&format!("object id {}", who.object_id));
        if let Some(app) = &who.app_id {
            lines.more(&format!("app id    {app}"));
        }
        if let Some(identity) = &who.identity {
            lines.more(&format!("identity  {identity}"));
        }
        let name = who
            .tenant_name
            .as_ref()
            .map(|name| format!(", {name}"))
            .unwrap_or_default();
        lines.fact("tenant", &format!("{}{name}", who.tenant));
    }
    lines.list("roles", &report.roles.iter().map(role).collect::<Vec<_>>());
    lines.list("directory", &report.directory_roles);
    lines.list("app roles", &report.app_roles);
    let subscriptions: Vec<String> = report
        .subscriptions
        .iter()
        .map(|one| {
            let lacks = match one.lacks.as_slice() {
                [] => "may relocate".to_owned(),
                lacks => format!("lacks {}", lacks.join(", ")),
            };
            format!("{} {}: {lacks}", one.id, one.name)
        })
        .collect();
    lines.list("rights", &subscriptions);
    if report.subscriptions_left_out > 0 {
        lines.more(&format!("and {} more, not looked into", report.subscriptions_left_out));
    }
    lines.list(
        "reach",
        &report.reach.iter().map(|one| reached(one, ui)).collect::<Vec<_>>(),
    );
    if let Some(ahead) = report.clock_ahead_seconds {
        let way = if ahead < 0.0 { "behind" } else { "ahead of" };
        lines.fact("clock", &format!("{:.1} s {way} the cloud's", ahead.abs()));
    }
    if let Some(state) = &report.state {
        let runs = state.runs.map(|runs| format!(", {runs} runs")).unwrap_or_default();
        lines.fact("state", &format!("{}{runs}", state.place));
    }
    lines.fact(
        "scripts",
        &format!("{}, {} of your own", report.scripts.count, report.scripts.own.len()),
    );
    for own in &report.scripts.own {
        lines.more(own);
    }
    lines.list("notes", &report.notes);
    lines.0.push(String::new());
    if report.findings.is_empty() {
        lines.0.push(ui.result_tone(Tone::Good, "all is well"));
    }
    for finding in &report.findings {
        wrong(&mut lines.0, finding, ui);
    }
    lines.0.join("\n")
}

struct Lines(Vec<String>);

impl Lines {
    fn fact(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.0.push(format!("{name:<WIDTH$}{text}"));
        }
    }

    fn more(&mut self, text: &str) {
        self.0.push(format!("{:<WIDTH$}{text}", ""));
    }

    fn list(&mut self, name: &str, items: &[String]) {
        for (at, item) in items.iter().enumerate() {
            if at == 0 {
                self.fact(name, item);
            } else {
                self.more(item);
            }
        }
    }
}

fn role(role: &Assignment) -> String {
    let through = if role.through_group { ", through a group" } else { "" };
    let condition = if role.conditional { ", on a condition" } else { "" };
    format!("{} at {}{through}{condition}", role.role, role.scope)
}

fn reached(one: &Reach, ui: &Ui) -> String {
    let mark = if one.ok {
        ui.result_tone(Tone::Good, "ok")
    } else {
        ui.result_tone(Tone::Bad, "no")
    };
    format!("{mark}  {:<17} {:>5} ms  {}", one.what, one.millis, one.said)
}

fn wrong(lines: &mut Vec<String>, finding: &Finding, ui: &Ui) {
    let code = ui.result_tone(Tone::Bad, &finding.code);
    lines.push(format!("wrong       {code}: {}", finding.message));
    for (at, next) in finding.next.iter().enumerate() {
        let name = if at == 0 { "  next" } else { "" };
        lines.push(format!("{name:<WIDTH$}{next}"));
    }
}
