//! What a session tells, as it is told: bars on a terminal, lines elsewhere, JSON with `--json`.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::ui::{Tone, Ui};
use crate::report;
use crate::run::{Event, Observer, State, placeholder};

/// Who listens to a session.
pub struct Progress {
    ui: Ui,
    events: bool,
    run: OnceLock<String>,
    from_demo: Vec<String>,
    shown: Mutex<Shown>,
}

/// What the bars show.
#[derive(Default)]
struct Shown {
    bar: Option<ProgressBar>,
    changes: usize,
    /// The paths of steps that have items.
    lists: HashSet<String>,
    /// What is under way, oldest first.
    current: Vec<String>,
}

impl Progress {
    /// A listener; `events` prints each event as a line of JSON, `from_demo` names the parameters that the estate gave.
    pub fn new(ui: &Ui, events: bool, from_demo: Vec<String>) -> Arc<Self> {
        Arc::new(Self {
            ui: ui.clone(),
            events,
            run: OnceLock::new(),
            from_demo,
            shown: Mutex::default(),
        })
    }

    /// The run that the events are of.
    pub fn set_run(&self, run: &str) {
        let _ = self.run.set(run.to_owned());
    }

    /// What a session takes.
    pub fn observer(self: &Arc<Self>) -> Observer {
        let this = Arc::clone(self);
        Arc::new(move |event| this.take(event))
    }

    /// Ends what moves on the terminal.
    pub fn end(&self) {
        if let Some(bar) = self.shown().bar.take() {
            bar.finish_and_clear();
        }
    }

    /// The last line of `--json`: how it ended, and what came of it.
    pub fn result(&self, status: &str, exit_code: u8, result: &Value) {
        self.end();
        if self.events {
            let run = self.run.get();
            self.ui.print_json_line(
                &json!({ "event": "result", "run": run, "status": status, "exitCode": exit_code, "result": result }),
            );
        }
    }

    fn shown(&self) -> std::sync::MutexGuard<'_, Shown> {
        // What is shown is whole at any time, whoever panicked.
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, event: &Event) {
        if self.events {
            self.print(event);
        } else if self.ui.animates() {
            self.animate(event);
        } else {
            self.line(event);
        }
    }

    /// One event as a line of JSON. The result is printed by [`Progress::result`], when the exit code is known.
    fn print(&self, event: &Event) {
        if matches!(event, Event::Result { .. }) {
            return;
        }
        let mut value = placeholder::shown(&report::json::event(event));
        if let Some(members) = value.as_object_mut() {
            if let Some(run) = self.run.get() {
                members.insert("run".into(), Value::String(run.clone()));
            }
            if matches!(event, Event::Run { .. }) && !self.from_demo.is_empty() {
                members.insert("fromDemo".into(), json!(self.from_demo));
            }
        }
        self.ui.print_json_line(&value);
    }

    /// One event as a line of text; what is not worth a line is left out.
    fn line(&self, event: &Event) {
        if let Some((tone, text)) = self.text(event) {
            let always = matches!(event, Event::HandOver { .. } | Event::Unseen { .. });
            let text = match tone {
                Some(tone) => self.ui.tone(tone, &text),
                None => text,
            };
            if always {
                self.ui.say(&text);
            } else {
                self.ui.tell(&text);
            }
        }
    }

    fn text(&self, event: &Event) -> Option<(Option<Tone>, String)> {
        Some(match event {
            Event::Run {
                run, runbook, resumed, ..
            } => {
                let verb = if *resumed { "goes on" } else { "begins" };
                let run = run.as_ref().map(|run| format!("run {run}: ")).unwrap_or_default();
                (Some(Tone::Strong), format!("{run}{runbook} {verb}"))
            }
            Event::Phase { name, state } => {
                let (tone, word) = match state {
                    State::Started => (Tone::Strong, "begins"),
                    State::Done | State::Planned | State::Undone => (Tone::Good, "is done"),
                    State::Replayed => (Tone::Faint, "was done before"),
                    State::Failed => (Tone::Bad, "stopped"),
                    State::Waiting => (Tone::Warning, "waits"),
                };
                (Some(tone), format!("{name} {word}"))
            }
            Event::Step {
                path,
                state: State::Started,
                ..
            } if self.ui.verbose() => (Some(Tone::Faint), format!("  {path}")),
            Event::Change {
                seq,
                what,
                target,
                status,
                ..
            } => {
                let (tone, word) = match status {
                    State::Done => (None, "done"),
                    State::Undone => (None, "undone"),
                    State::Failed => (Some(Tone::Bad), "failed"),
                    State::Waiting => (Some(Tone::Warning), "waits"),
                    State::Replayed if self.ui.verbose() => (Some(Tone::Faint), "kept"),
                    _ => return None,
                };
                (
                    tone,
                    format!("  {seq:>4} {word:<6} {what}  {}", placeholder::shown_path(target)),
                )
            }
            Event::Finding {
                severity,
                code,
                target,
                message,
            } => {
                let tone = match severity.as_str() {
                    "error" => Some(Tone::Bad),
                    "info" => Some(Tone::Faint),
                    _ => Some(Tone::Warning),
                };
                let on = if target.is_empty() {
                    String::new()
                } else {
                    format!("  {}", placeholder::shown_path(target))
                };
                (tone, format!("  {severity} {code}: {message}{on}"))
            }
            Event::Unseen { scope, why, needs } => {
                let needs = if needs.is_empty() {
                    String::new()
                } else {
                    format!("; it needs {needs}")
                };
                (Some(Tone::Warning), format!("  not looked into: {scope}: {why}{needs}"))
            }
            Event::Wait { why, seconds } => (None, format!("  waits {seconds} s: {why}")),
            Event::Approval { gate, state, .. } if state != "asked" => {
                (Some(Tone::Good), format!("  \"{gate}\" is {state}"))
            }
            Event::HandOver { task, text } => (
                Some(Tone::Warning),
                format!("  for a person: {task}\n{}", indented(text)),
            ),
            Event::Note { text } => (None, format!("  {text}")),
            _ => return None,
        })
    }

    /// On a terminal: one bar a phase, with counts and what is under way; what is to be read stands above it.
    fn animate(&self, event: &Event) {
        match event {
            Event::Phase {
                name,
                state: State::Started,
            } => {
                let bar = self.ui.bars().add(ProgressBar::new(0));
                bar.set_style(style());
                bar.set_prefix(name.clone());
                bar.enable_steady_tick(Duration::from_millis(120));
                let mut shown = self.shown();
                *shown = Shown {
                    bar: Some(bar),
                    ..Shown::default()
                };
            }
            Event::Phase { .. } => {
                self.end();
                self.line(event);
            }
            Event::Step { path, state, items } => self.step(path, *state, *items),
            Event::Change { status, .. } => {
                if matches!(status, State::Done | State::Planned | State::Replayed | State::Undone) {
                    self.shown().changes += 1;
                }
                if *status == State::Failed {
                    self.line(event);
                }
                self.refresh();
            }
            _ => self.line(event),
        }
    }

    fn step(&self, path: &str, state: State, items: Option<usize>) {
        {
            let mut shown = self.shown();
            let parent = path.rsplit_once('/').map(|(parent, _)| parent.to_owned());
            if let (Some(items), Some(bar)) = (items, &shown.bar)
                && state == State::Started
            {
                bar.inc_length(items as u64);
                shown.lists.insert(path.to_owned());
            }
            if state == State::Started {
                shown.current.push(path.to_owned());
            } else {
                shown.current.retain(|known| known != path);
                let counts = parent.is_some_and(|parent| {
                    shown.lists.iter().any(|list| {
                        parent == *list
                            || parent
                                .strip_prefix(list.as_str())
                                .is_some_and(|rest| rest.starts_with('/'))
                    })
                });
                if let (true, Some(bar)) = (counts, &shown.bar) {
                    bar.inc(1);
                }
            }
        }
        self.refresh();
    }

    fn refresh(&self) {
        let shown = self.shown();
        let Some(bar) = &shown.bar else { return };
        let mut message = format!("{} changes", shown.changes);
        for path in shown
            .current
            .iter()
            .rev()
            .filter(|path| !shown.lists.contains(*path))
            .take(2)
        {
            let name = path.rsplit('/').next().unwrap_or_default();
            message.push_str(" · ");
            message.push_str(&name.replace("~1", "/"));
        }
        bar.set_message(message);
    }
}

fn indented(text: &str) -> String {
    text.lines()
        .map(|line| format!("      {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {prefix:<8} {bar:20} {pos}/{len} {wide_msg:.dim} {elapsed:.dim}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
