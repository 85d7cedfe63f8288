//! What a running script is tied to: the client, the run's journal, the mode.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use futures::FutureExt as _;
use serde_json::{Map, Value};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::event::{Event, Observer};
use super::held::Held;
pub(super) use super::options::Mode;
use super::options::{Connect, JournalFactory, KeptScript, Options, Status};
use super::overlay::Overlay;
use super::path;
use super::plan_file::PlannedChange;
use super::planned::Planned;
use super::record::{Ledger, Record, Started, Unseen};
use crate::azure::{self, Client};
use crate::error::{Error, Kind};
use crate::postgres::Pool;
use crate::store;
use crate::store::Journal;
pub(super) use crate::store::now;
use crate::store::redact::Secrets;

/// What a running script is tied to. It is shared by all threads of a run; every call blocks, and is made
/// from plain threads, never from async code.
pub struct Session {
    pub(super) handle: Handle,
    pub(super) connect: Connect,
    pub(super) client: OnceLock<Client>,
    connecting: Mutex<()>,
    mode: Mode,
    writes: AtomicBool,
    /// Whether this is a rehearsal: see [`Session::rehearsal`].
    pub(super) rehearsal: bool,
    /// What a rehearsal has noticed.
    pub(super) noticed: Mutex<Option<Error>>,
    pub(super) options: Options,
    observer: Observer,
    pub(super) cancel: Mutex<CancellationToken>,
    /// Shared with the guard of the client, which asks it before every write.
    journal: Arc<OnceLock<Box<dyn Journal>>>,
    factory: Option<JournalFactory>,
    pub(super) ledger: Mutex<Ledger>,
    pub(super) overlay: Mutex<Overlay>,
    planned: Mutex<Vec<PlannedChange>>,
    /// What makes the digests of this plan its own.
    pub(super) salt: String,
    /// The plan that the run is held to, if it is held to one.
    pub(super) held: OnceLock<Held>,
    /// The drift that stopped the run.
    pub(super) drifted: Mutex<Option<Error>>,
    planned_items: Mutex<HashSet<String>>,
    pub(super) occurrences: Mutex<HashMap<String, u64>>,
    pub(super) visited: Mutex<HashSet<String>>,
    /// Steps whose results are not kept, printed.
    pub(super) fresh: Mutex<HashSet<String>>,
    pub(super) differences: AtomicU64,
    /// Whether the journal knew of a phase when this process took it up.
    resumed: AtomicBool,
    /// What could not be looked into since the list was begun anew; none where it never was.
    pub(super) unseen_since: Mutex<Option<Vec<Unseen>>>,
    next_change: AtomicU64,
    memo: Mutex<HashMap<String, Arc<Value>>>,
    principals: Mutex<HashMap<String, String>>,
    /// Hosts of addresses that the operator named.
    pub(super) hosts: Mutex<HashSet<String>>,
    /// Files and directories that the operator named, as absolute paths without links.
    pub(super) paths: Mutex<Vec<PathBuf>>,
    /// The secret values that were seen.
    pub(super) secrets: Arc<Secrets>,
    /// Open connections to databases.
    pub(super) databases: Pool,
    pub(super) asking: Mutex<()>,
    pub(super) asking_changes: Mutex<()>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A poisoned lock means that another thread panicked; what it guards are plain collections, whole at any time.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Session {
    pub(super) fn new(handle: Handle, connect: Connect, mode: Mode, options: Options, observer: Observer) -> Self {
        let secrets = options.secrets.clone();
        Self {
            handle,
            connect,
            client: OnceLock::new(),
            connecting: Mutex::new(()),
            mode,
            writes: AtomicBool::new(mode == Mode::Run),
            rehearsal: false,
            noticed: Mutex::new(None),
            options: Options {
                concurrency: options.concurrency.max(1),
                ..options
            },
            observer,
            cancel: Mutex::new(CancellationToken::new()),
            journal: Arc::default(),
            factory: None,
            ledger: Mutex::new(Ledger::default()),
            overlay: Mutex::new(Overlay::default()),
            planned: Mutex::new(Vec::new()),
            salt: uuid::Uuid::new_v4().simple().to_string(),
            held: OnceLock::new(),
            drifted: Mutex::new(None),
            planned_items: Mutex::new(HashSet::new()),
            occurrences: Mutex::new(HashMap::new()),
            visited: Mutex::new(HashSet::new()),
            fresh: Mutex::new(HashSet::new()),
            differences: AtomicU64::new(0),
            resumed: AtomicBool::new(false),
            unseen_since: Mutex::new(None),
            next_change: AtomicU64::new(1),
            memo: Mutex::new(HashMap::new()),
            principals: Mutex::new(HashMap::new()),
            hosts: Mutex::new(HashSet::new()),
            paths: Mutex::new(Vec::new()),
            secrets,
            databases: Pool::default(),
            asking: Mutex::new(()),
            asking_changes: Mutex::new(()),
        }
    }

    /// A session that reads; for `eval` and the prompt. With a `journal` it may be allowed to write.
    pub fn explore(
        handle: Handle,
        connect: Connect,
        options: Options,
        observer: Observer,
        journal: Option<JournalFactory>,
    ) -> Arc<Self> {
        let mut session = Self::new(handle, connect, Mode::Explore, options, observer);
        session.factory = journal;
        Arc::new(session)
    }

    /// A session that sends no write: later reads see the planned ones.
    pub fn plan(handle: Handle, connect: Connect, options: Options, observer: Observer) -> Arc<Self> {
        Arc::new(Self::new(handle, connect, Mode::Plan, options, observer))
    }

    /// A session of a run, new or resumed: what the journal says is taken in.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn run(
        handle: Handle,
        connect: Connect,
        options: Options,
        observer: Observer,
        journal: Box<dyn Journal>,
    ) -> Result<Arc<Self>, Error> {
        let session = Self::new(handle, connect, Mode::Run, options, observer);
        let entries = journal.entries()?;
        let ledger = Ledger::from_entries(journal.run(), &entries)?;
        session
            .next_change
            .store(ledger.changes.len() as u64 + 1, Ordering::SeqCst);
        session.resumed.store(!ledger.phases.is_empty(), Ordering::SeqCst);
        if let Some(plan) = ledger.plan.clone() {
            let held = Held::new(plan);
            held.take_done(&ledger.changes);
            let _ = session.held.set(held);
        }
        *lock(&session.ledger) = ledger;
        let _ = session.journal.set(journal);
        Ok(Arc::new(session))
    }

    /// How the session works.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The phase to stop after: the option's, or that at which the plan of the run ends.
    pub fn until(&self) -> Option<&str> {
        let planned = || self.held.get()?.plan.until.as_deref();
        self.options.until.as_deref().or_else(planned)
    }

    /// What the operator leaves out by name: for this command, or since the run began.
    pub fn leave_out(&self) -> Vec<String> {
        let kept = self.ledger(|ledger| ledger.started.as_ref().map(|started| started.leave_out.clone()));
        let mut all = kept.unwrap_or_default();
        for item in &self.options.leave_out {
            if !all.contains(item) {
                all.push(item.clone());
            }
        }
        all
    }

    /// What the session may do.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// How many items of `run::each` work at once: one in a plan, so that its order is one that can be read.
    pub fn concurrency(&self) -> usize {
        if self.mode == Mode::Plan {
            1
        } else {
            self.options.concurrency
        }
    }

    /// The run's id, where there is a journal.
    pub fn run_id(&self) -> Option<&str> {
        self.journal.get().map(|journal| journal.run())
    }

    /// Whether an earlier process began the run.
    pub fn resumed(&self) -> bool {
        self.resumed.load(Ordering::SeqCst)
    }

    /// The token whose cancellation stops the session at its next operation.
    pub fn cancel(&self) -> CancellationToken {
        lock(&self.cancel).clone()
    }

    /// Lets a session that was interrupted go on: the prompt survives Ctrl-C.
    pub fn renew_cancel(&self) {
        *lock(&self.cancel) = CancellationToken::new();
    }

    /// Allows an exploring session to write, or forbids it again. Allowed writes are journaled as a run.
    ///
    /// # Errors
    /// When there is no place for a journal.
    pub fn allow_writes(&self, allowed: bool) -> Result<(), Error> {
        if allowed && self.mode == Mode::Explore && self.journal.get().is_none() {
            let Some(factory) = &self.factory else {
                return Err(
                    Error::refused("read-only", "this session cannot write: it has no place for a journal")
                        .next("write a runbook, and run it with: ferry run FILE"),
                );
            };
            let _ = self.journal.set(factory()?);
        }
        self.writes.store(allowed, Ordering::SeqCst);
        Ok(())
    }

    /// Whether a write would be sent (or, in a plan, listed).
    pub fn may_write(&self) -> bool {
        self.mode == Mode::Plan || self.writes.load(Ordering::SeqCst)
    }

    /// Tells the observer, without secrets.
    pub fn tell(&self, event: &Event) {
        (self.observer)(&self.hidden_event(event));
    }

    /// Runs a future to its end on the runtime, or stops when the session is cancelled.
    ///
    /// # Errors
    /// The future's own, and `interrupted`.
    pub fn block<T, E: Into<Error>>(&self, future: impl Future<Output = Result<T, E>>) -> Result<T, Error> {
        let cancel = self.cancel();
        self.handle.block_on(async {
            tokio::select! {
                biased;
                () = cancel.cancelled() => Err(interrupted(self.run_id())),
                result = future => result.map_err(Into::into),
            }
        })
    }

    /// The client; connects at the first call.
    ///
    /// # Errors
    /// When the cloud cannot be reached or the credential is refused.
    pub fn client(&self) -> Result<Client, Error> {
        if let Some(client) = self.client.get() {
            return Ok(client.clone());
        }
        let _one = lock(&self.connecting);
        if let Some(client) = self.client.get() {
            return Ok(client.clone());
        }
        let client = self.block((self.connect)())?.guarded(self.guard());
        Ok(self.client.get_or_init(|| client).clone())
    }

    /// Asks the journal, before each try of a write, whether the run still is this process's.
    pub(super) fn guard(&self) -> azure::Guard {
        let journal = Arc::clone(&self.journal);
        Arc::new(move || {
            let journal = Arc::clone(&journal);
            let ask = move || journal.get().map_or(Ok(()), |journal| journal.assert_held());
            // Where the answer is in doubt the journal waits for it, which async code must not.
            tokio::task::spawn_blocking(ask)
                .map(|asked| match asked {
                    Ok(answer) => answer.map_err(|error| error.to_string()),
                    Err(error) => Err(error.to_string()),
                })
                .boxed()
        })
    }

    /// A value that is fetched once in a session: metadata that does not change while it works.
    ///
    /// # Errors
    /// Those of `fetch`.
    pub fn memo(&self, key: &str, fetch: impl FnOnce() -> Result<Value, Error>) -> Result<Arc<Value>, Error> {
        if let Some(known) = lock(&self.memo).get(key) {
            return Ok(Arc::clone(known));
        }
        let value = Arc::new(fetch()?);
        lock(&self.memo).insert(key.to_owned(), Arc::clone(&value));
        Ok(value)
    }

    /// Makes a record durable and takes it into the ledger. Without a journal only the ledger takes it.
    pub(super) fn write(&self, record: Record) -> Result<(), Error> {
        let record = self.hidden_record(record);
        // The ledger stays locked while the journal is written, so that both have one order.
        let mut ledger = lock(&self.ledger);
        if let Some(journal) = self.journal.get() {
            let (kind, body) = record.columns();
            journal
                .append(&kind, &body)
                .map_err(|error| unwritten(error, journal.run(), ledger.rolling_back))?;
        }
        ledger.take(record, &now());
        Ok(())
    }

    /// What is known of the run, at this moment.
    pub fn ledger<T>(&self, look: impl FnOnce(&Ledger) -> T) -> T {
        look(&lock(&self.ledger))
    }

    pub(super) fn next_change(&self) -> u64 {
        self.next_change.fetch_add(1, Ordering::SeqCst)
    }

    /// Writes down how the run began.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn begin(&self, started: Started) -> Result<(), Error> {
        self.write(Record::Started(started))
    }

    /// Keeps the text of a script that the run uses.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn keep_script(&self, key: &str, origin: &str, text: &str) -> Result<(), Error> {
        let kept = self.ledger(|ledger| ledger.scripts.get(key).is_some_and(|(_, known)| known == text));
        if kept {
            return Ok(());
        }
        self.write(Record::Script {
            key: key.to_owned(),
            origin: origin.to_owned(),
            text: text.to_owned(),
        })
    }

    /// The scripts that the journal keeps.
    pub fn kept_scripts(&self) -> BTreeMap<String, KeptScript> {
        self.ledger(|ledger| {
            ledger
                .scripts
                .iter()
                .map(|(key, (origin, text))| {
                    (
                        key.clone(),
                        KeptScript {
                            origin: origin.clone(),
                            text: text.clone(),
                        },
                    )
                })
                .collect()
        })
    }

    /// The results of the phases that ended.
    pub fn results(&self) -> Map<String, Value> {
        self.ledger(|ledger| {
            ledger
                .phases
                .iter()
                .filter_map(|(name, result)| Some((name.clone(), result.clone()?)))
                .collect()
        })
    }

    /// Writes down how the run stands.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn finish(&self, status: Status, why: Option<String>) -> Result<(), Error> {
        self.write(Record::Status {
            status: status.as_str().to_owned(),
            why,
        })?;
        if let Some(journal) = self.journal.get() {
            journal.set_status(status.as_str())?;
        }
        Ok(())
    }

    /// The changes that a plan lists, in order.
    pub fn planned(&self) -> Vec<Planned> {
        lock(&self.planned)
            .iter()
            .map(|planned| planned.shown.clone())
            .collect()
    }

    /// The same with all that a plan file keeps of each.
    pub fn planned_whole(&self) -> Vec<PlannedChange> {
        lock(&self.planned).clone()
    }

    /// What makes the digests of this session's plan its own.
    pub fn salt(&self) -> &str {
        &self.salt
    }

    pub(super) fn add_planned(&self, planned: PlannedChange) {
        lock(&self.planned).push(planned);
    }

    /// Remembers that something was planned for an item of a source: its check is then taken as true.
    pub fn mark_planned(&self, item: &str) {
        lock(&self.planned_items).insert(item.to_owned());
    }

    /// Whether something was planned for this item of a source.
    pub fn is_planned(&self, item: &str) -> bool {
        lock(&self.planned_items).contains(item)
    }

    /// Allows requests without a token to the hosts of the addresses in these parameters.
    pub fn allow_hosts(&self, params: &Value) {
        match params {
            Value::String(text) => {
                let host = url::Url::parse(text)
                    .ok()
                    .and_then(|url| url.host_str().map(str::to_owned));
                lock(&self.hosts).extend(host);
            }
            Value::Array(items) => items.iter().for_each(|item| self.allow_hosts(item)),
            Value::Object(map) => map.values().for_each(|value| self.allow_hosts(value)),
            _ => {}
        }
    }

    /// Whether the operator named an address of this host.
    pub fn is_host_allowed(&self, host: &str) -> bool {
        lock(&self.hosts).contains(&host.to_lowercase())
    }

    /// Allows to read at and below these paths of this machine: those that the operator named, and no script.
    pub fn allow_paths(&self, paths: impl IntoIterator<Item = PathBuf>) {
        lock(&self.paths).extend(paths);
    }

    /// The path without links, if the operator named it or something above it. One that has gone is itself.
    pub fn allowed_path(&self, given: &str) -> Option<PathBuf> {
        let given = PathBuf::from(given);
        let is_plain = given.components().all(|part| part != std::path::Component::ParentDir);
        let path = std::fs::canonicalize(&given).unwrap_or(given);
        let allowed = lock(&self.paths).iter().any(|allowed| path.starts_with(allowed));
        (is_plain && allowed).then_some(path)
    }

    /// Remembers which resource a principal belongs to, so that lag can be told from error.
    pub fn remember_principal(&self, principal: &str, resource: &str) {
        lock(&self.principals).insert(principal.to_lowercase(), resource.to_owned());
    }

    pub(super) fn resource_of(&self, principal: &str) -> Option<String> {
        lock(&self.principals).get(&principal.to_lowercase()).cloned()
    }
}

/// The error of a record that was not made durable. What the record was to allow is not done; where it was to tell of
/// an end, that is looked up when the run goes on.
fn unwritten(error: store::Error, run: &str, rolling_back: bool) -> Error {
    let goes_on = if rolling_back { "rollback" } else { "resume" };
    let mend = match &error {
        store::Error::Io { path, .. } => format!("make room for {path}, or mend what keeps it from being written"),
        _ => "keep the file, and look at the disk".to_owned(),
    };
    let mut error = Error::from(error)
        .untouched("what was done is in the journal, or is looked up when the run goes on; nothing else was sent");
    error.next = vec![mend, format!("ferry {goes_on} {run}      goes on from here")];
    error
}

/// The error of a session that somebody stopped.
pub(super) fn interrupted(run: Option<&str>) -> Error {
    let error = Error::failed("interrupted", "the run was stopped by Ctrl-C").kind(Kind::Interrupted);
    match run {
        Some(run) => error
            .untouched("the journal is whole; a request that was under way is settled when the run goes on")
            .next(format!("ferry resume {run}")),
        None => error,
    }
}

pub(super) fn printed_path() -> String {
    path::printed(&path::current())
}
