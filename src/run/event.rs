//! What a session tells while it works: for progress, for `--json`, for tests.

use std::sync::Arc;

use serde::Serialize;

/// Who listens to a session.
pub type Observer = Arc<dyn Fn(&Event) + Send + Sync>;

/// How far a phase, a step or a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It has begun.
    Started,
    /// Only planned; nothing is sent.
    Planned,
    /// Done now.
    Done,
    /// Done in an earlier process: the journal answers.
    Replayed,
    /// It failed.
    Failed,
    /// It waits: for a person or for time.
    Waiting,
    /// It was taken back.
    Undone,
}

/// One thing that happened, as `run --json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub enum Event {
    /// A run began, or went on.
    Run {
        /// The run's id; none for a plan.
        run: Option<String>,
        /// The runbook.
        runbook: String,
        /// Whether it goes on from a journal.
        resumed: bool,
        /// Its parameters, as they are shown.
        params: serde_json::Value,
    },
    /// A phase.
    Phase {
        /// `prepare`, `move`, …
        name: String,
        /// How far it is.
        state: State,
    },
    /// A step.
    Step {
        /// Its path, printed with `/`.
        path: String,
        /// How far it is.
        state: State,
        /// For `run::each`: how many items it has.
        #[serde(skip_serializing_if = "Option::is_none")]
        items: Option<usize>,
    },
    /// A change.
    Change {
        /// Its number in the run.
        seq: u64,
        /// The phase.
        phase: String,
        /// The step's path.
        step: String,
        /// The operation.
        op: String,
        /// The method.
        method: String,
        /// The path, without query.
        target: String,
        /// What it does, in a sentence.
        what: String,
        /// What it does to workloads.
        effect: String,
        /// How far it is.
        status: State,
    },
    /// Something that was found.
    Finding {
        /// `info`, `warning`, `difference`, `error`.
        severity: String,
        /// A stable code.
        code: String,
        /// What it is about.
        target: String,
        /// What was found.
        message: String,
    },
    /// Something that could not be looked into.
    Unseen {
        /// Where.
        scope: String,
        /// Why not.
        why: String,
        /// Which permission is missing.
        needs: String,
    },
    /// The run waits for time to pass.
    Wait {
        /// What for.
        why: String,
        /// How long, in seconds.
        seconds: u64,
    },
    /// A gate.
    Approval {
        /// The gate.
        gate: String,
        /// What is asked.
        text: String,
        /// `asked`, `approved`, `refused`.
        state: String,
    },
    /// Work that only a person can do.
    HandOver {
        /// The task.
        task: String,
        /// What to do, with the commands.
        text: String,
    },
    /// A remark of a script.
    Note {
        /// The text.
        text: String,
    },
    /// The end.
    Result {
        /// `done`, `paused`, `failed`, `difference`, `planned`.
        status: String,
        /// The run's id.
        run: Option<String>,
        /// What the runbook returned, or what stopped it.
        result: serde_json::Value,
    },
}

/// A listener that hears nothing.
pub fn nobody() -> Observer {
    Arc::new(|_| {})
}
