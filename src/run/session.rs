//! Private scaffolding: a session without journal or cloud.
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use serde::Serialize;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Kind};
use crate::types::Span;

/// What the session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// For real.
    Run,
    /// A plan.
    Plan,
    /// Eval and REPL.
    Explore,
}
/// Asks a person.
pub trait Approver: Send + Sync {
    /// Asks.
    fn ask(&self, gate: &str, text: &str) -> bool;
}
/// Options.
#[derive(Clone)]
pub struct Options {
    /// Approve every gate.
    pub yes: bool,
    /// Stop after.
    pub until: Option<String>,
    /// How many at once.
    pub concurrency: usize,
    /// Who is asked.
    pub approver: Option<Arc<dyn Approver>>,
    /// Whether there is a terminal.
    pub terminal: bool,
    /// Use current scripts.
    pub with_current_scripts: bool,
}
/// Connects.
pub type Connect = Box<dyn Fn() -> BoxFuture<'static, Result<crate::azure::Client, Error>> + Send + Sync>;
/// Sees events.
pub type Observer = Arc<dyn Fn(&Event) + Send + Sync>;
/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Severity.
    pub severity: String,
    /// Code.
    pub code: String,
    /// Target.
    pub target: String,
    /// Message.
    pub message: String,
}
/// What happens.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Event {
    /// Phase.
    Phase {
        /// Name.
        name: String,
        /// State.
        state: String,
    },
    /// Step.
    Step {
        /// Path.
        path: String,
        /// State.
        state: String,
    },
    /// Finding.
    Finding(Finding),
    /// Note.
    Note {
        /// Text.
        text: String,
    },
}
/// A script of the journal.
#[derive(Debug, Clone)]
pub struct KeptScript {
    /// Where from.
    pub origin: String,
    /// Text.
    pub text: String,
}
/// Status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Running.
    Running,
    /// Paused.
    Paused,
    /// Failed.
    Failed,
    /// Done.
    Done,
    /// Rolled back.
    RolledBack,
}
/// A session.
pub struct Session {
    handle: tokio::runtime::Handle,
    mode: Mode,
    options: Options,
    observer: Observer,
    cancel: Mutex<CancellationToken>,
    seen: Mutex<BTreeSet<String>>,
    done: Mutex<BTreeMap<String, Value>>,
    results: Mutex<Map<String, Value>>,
    scripts: Mutex<BTreeMap<String, KeptScript>>,
    hand_overs: Mutex<Vec<(String, String)>>,
    unseen: Mutex<Vec<Value>>,
    findings: Mutex<Vec<Finding>>,
    writes: std::sync::atomic::AtomicBool,
}
fn lock<T>(m: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}
#[allow(missing_docs, clippy::type_complexity)]
impl Session {
    fn make(handle: tokio::runtime::Handle, mode: Mode, options: Options, observer: Observer) -> Arc<Session> {
        Arc::new(Session {
            handle,
            mode,
            options,
            observer,
            cancel: Mutex::new(CancellationToken::new()),
            seen: Mutex::default(),
            done: Mutex::default(),
            results: Mutex::default(),
            scripts: Mutex::default(),
            hand_overs: Mutex::default(),
            unseen: Mutex::default(),
            findings: Mutex::default(),
            writes: std::sync::atomic::AtomicBool::new(false),
        })
    }
    pub fn explore(h: tokio::runtime::Handle, _c: Connect, options: Options, observer: Observer) -> Arc<Session> {
        Self::make(h, Mode::Explore, options, observer)
    }
    pub fn plan(h: tokio::runtime::Handle, _c: Connect, options: Options, observer: Observer) -> Arc<Session> {
        Self::make(h, Mode::Plan, options, observer)
    }
    pub fn fake_run(h: tokio::runtime::Handle, options: Options, observer: Observer) -> Arc<Session> {
        Self::make(h, Mode::Run, options, observer)
    }
    pub fn mode(&self) -> Mode {
        self.mode
    }
    pub fn options(&self) -> &Options {
        &self.options
    }
    pub fn cancel(&self) -> CancellationToken {
        lock(&self.cancel).clone()
    }
    pub fn run_id(&self) -> Option<&str> {
        None
    }
    pub fn concurrency(&self) -> usize {
        self.options.concurrency
    }
    pub fn allow_writes(&self, on: bool) {
        self.writes.store(on, std::sync::atomic::Ordering::Relaxed);
    }
    pub fn block<T, E: Into<Error>>(&self, future: impl Future<Output = Result<T, E>>) -> Result<T, Error> {
        let cancel = self.cancel();
        self.handle.block_on(async {
            tokio::select! { r = future => r.map_err(Into::into), () = cancel.cancelled() => Err(Error::failed("interrupted", "stopped").kind(Kind::Interrupted)) }
        })
    }
    pub fn phase<E: From<Error>>(&self, name: &str, body: impl FnOnce() -> Result<Value, E>) -> Result<Value, E> {
        let mut path = crate::run::current_path();
        path.push(name.to_owned());
        let value = crate::run::path::with(path, body)?;
        lock(&self.results).insert(name.to_owned(), value.clone());
        Ok(value)
    }
    pub fn step<E: From<Error>>(
        &self,
        name: &str,
        _input: Option<&Value>,
        body: impl FnOnce() -> Result<Value, E>,
    ) -> Result<Value, E> {
        let mut path = crate::run::current_path();
        path.push(name.replace('/', "~1"));
        let key = path.join("/");
        if !lock(&self.seen).insert(key.clone()) {
            return Err(Error::failed("step-twice", format!("two steps are called {key}")).into());
        }
        if let Some(done) = lock(&self.done).get(&key) {
            return Ok(done.clone());
        }
        (self.observer)(&Event::Step {
            path: key.clone(),
            state: "started".into(),
        });
        let value = crate::run::path::with(path, body)?;
        lock(&self.done).insert(key, value.clone());
        Ok(value)
    }
    pub fn results(&self) -> Map<String, Value> {
        lock(&self.results).clone()
    }
    pub fn finish(&self, _status: Status) {}
    pub fn approve(&self, gate: &str, _text: &str) -> Result<(), Error> {
        if self.options.yes || self.mode == Mode::Plan {
            return Ok(());
        }
        Err(Error::failed("approval", format!("the run waits for the approval \"{gate}\"")).kind(Kind::Paused))
    }
    pub fn wait(&self, span: Span) -> Result<(), Error> {
        if span.as_secs() > 60 {
            return Err(Error::failed("waiting", format!("the run waits for {span}")).kind(Kind::Paused));
        }
        Ok(())
    }
    pub fn hand_over(&self, task: &str, text: &str) -> Result<(), Error> {
        lock(&self.hand_overs).push((task.to_owned(), text.to_owned()));
        Ok(())
    }
    pub fn open_hand_overs(&self) -> Vec<(String, String)> {
        lock(&self.hand_overs).clone()
    }
    pub fn close_hand_over(&self, task: &str) -> Result<(), Error> {
        lock(&self.hand_overs).retain(|(name, _)| name != task);
        Ok(())
    }
    pub fn note(&self, text: &str) {
        (self.observer)(&Event::Note { text: text.to_owned() });
    }
    pub fn warn(&self, code: &str, target: &str, text: &str) -> Result<(), Error> {
        self.finding(Finding {
            severity: "warning".into(),
            code: code.into(),
            target: target.into(),
            message: text.into(),
        })
    }
    pub fn finding(&self, finding: Finding) -> Result<(), Error> {
        (self.observer)(&Event::Finding(finding.clone()));
        lock(&self.findings).push(finding);
        Ok(())
    }
    pub fn findings(&self) -> Vec<Finding> {
        lock(&self.findings).clone()
    }
    pub fn unseen(&self, scope: &str, why: &str, needs: &str) -> Result<(), Error> {
        lock(&self.unseen).push(serde_json::json!({"scope": scope, "why": why, "needs": needs}));
        Ok(())
    }
    pub fn unseen_items(&self) -> Vec<Value> {
        lock(&self.unseen).clone()
    }
    pub fn keep_script(&self, key: &str, origin: &str, text: &str) -> Result<(), Error> {
        lock(&self.scripts).entry(key.to_owned()).or_insert_with(|| KeptScript {
            origin: origin.to_owned(),
            text: text.to_owned(),
        });
        Ok(())
    }
    pub fn kept_scripts(&self) -> BTreeMap<String, KeptScript> {
        lock(&self.scripts).clone()
    }
}
