//! Keeping leases: renewed while the process lives, given back when it is done, and never taken for granted.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use futures::future::join_all;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::clock::Moment;
use super::fault::Fault;
use super::remote::{Metadata, Remote};
use crate::store::Error;

/// How leases are kept and waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timing {
    /// How long a lease lasts that nobody renews.
    pub(super) lease: Duration,
    /// How often it is renewed.
    pub(super) renew: Duration,
    /// How long somebody waits for the lease of a holder that shows no life.
    pub(super) patience: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            renew: Duration::from_secs(10),
            patience: Duration::from_secs(45),
        }
    }
}

/// A lease is taken for lost this long before it ends: a write must also arrive.
const MARGIN: Duration = Duration::from_secs(3);

/// How soon a renewal is tried again that got no answer.
const AGAIN: Duration = Duration::from_secs(1);

/// How long a writer waits to learn whether a lease that is in doubt is held.
const DOUBT: Duration = Duration::from_secs(10);

/// The leases of one open journal. They have one id, which nobody else has.
pub(super) struct Keeper {
    shared: Arc<Shared>,
    stop: CancellationToken,
    ended: Mutex<mpsc::Receiver<()>>,
}

struct Shared {
    remote: Remote,
    timing: Timing,
    /// The id of all its leases.
    id: String,
    /// What error messages call the run.
    what: Mutex<String>,
    state: Mutex<State>,
    changed: Condvar,
    doubted: Notify,
}

struct State {
    /// The blobs whose leases are held. The first one is the identity's lock, which shows to others that we live.
    blobs: Vec<String>,
    /// What the lock says of its holder.
    sign: Metadata,
    /// When all leases were renewed the last time.
    renewed: Moment,
    /// Whether that is not to be relied on, since a request was refused.
    doubted: bool,
    /// Why they are lost.
    lost: Option<String>,
    /// What came of the last renewal that got no answer.
    problem: String,
}

impl Keeper {
    /// A keeper of nothing yet.
    pub(super) fn new(remote: Remote, timing: Timing, what: &str, handle: &Handle) -> Self {
        let shared = Arc::new(Shared {
            remote,
            timing,
            id: uuid::Uuid::new_v4().to_string(),
            what: Mutex::new(what.to_owned()),
            state: Mutex::new(State {
                blobs: Vec::new(),
                sign: Metadata::new(),
                renewed: Moment::now(),
                doubted: false,
                lost: None,
                problem: String::new(),
            }),
            changed: Condvar::new(),
            doubted: Notify::new(),
        });
        let stop = CancellationToken::new();
        let (end, ended) = mpsc::channel();
        let (theirs, stopped) = (Arc::clone(&shared), stop.clone());
        handle.spawn(async move {
            theirs.keep(&stopped).await;
            theirs.release().await;
            let _ = end.send(());
        });
        Self {
            shared,
            stop,
            ended: Mutex::new(ended),
        }
    }

    /// The id of its leases.
    pub(super) fn id(&self) -> &str {
        &self.shared.id
    }

    /// What errors call what is held.
    pub(super) fn name(&self, what: &str) {
        what.clone_into(&mut lock(&self.shared.what));
    }

    /// Takes a lease, at once or not at all.
    pub(super) async fn take(&self, blob: &str) -> Result<(), Fault> {
        let asked = Moment::now();
        let seconds = i32::try_from(self.shared.timing.lease.as_secs()).unwrap_or(60);
        self.shared.remote.acquire(blob, &self.shared.id, seconds).await?;
        let mut state = lock(&self.shared.state);
        if state.blobs.is_empty() {
            state.renewed = asked;
        }
        if !state.blobs.iter().any(|known| known == blob) {
            state.blobs.push(blob.to_owned());
        }
        Ok(())
    }

    /// Writes on the lock who holds it, now and with each renewal.
    pub(super) async fn sign(&self, sign: Metadata) -> Result<(), Fault> {
        lock(&self.shared.state).sign = sign;
        self.shared.beat().await
    }

    /// Whether the leases are held, by this process's clocks; where that is in doubt, by the service's word.
    pub(super) fn assert_held(&self) -> Result<(), Error> {
        let begun = Instant::now();
        let mut state = lock(&self.shared.state);
        loop {
            if let Some(why) = &state.lost {
                let why = why.clone();
                drop(state);
                return Err(self.lost(why));
            }
            if self.shared.is_fresh(&state) {
                return Ok(());
            }
            let Some(left) = DOUBT.checked_sub(begun.elapsed()) else {
                let why = format!("its lease ended, and was not renewed: {}", state.problem);
                state.lost = Some(why.clone());
                drop(state);
                return Err(self.lost(why));
            };
            self.shared.doubted.notify_one();
            let waited = self.shared.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Asks the service whether the leases are held: a request was refused because of one.
    pub(super) fn assert_really_held(&self) -> Result<(), Error> {
        lock(&self.shared.state).doubted = true;
        self.assert_held()
    }

    /// Gives them up: somebody else writes to the journal.
    pub(super) fn lose(&self, why: &str) -> Error {
        self.shared.lose(why);
        self.lost(why.to_owned())
    }

    fn lost(&self, why: String) -> Error {
        Error::LeaseLost {
            what: lock(&self.shared.what).clone(),
            why,
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop.cancel();
        // Async code must not wait; there the leases are given back a moment later.
        if Handle::try_current().is_err() {
            let _ = lock(&self.ended).recv_timeout(Duration::from_secs(5));
        }
    }
}

impl Shared {
    fn is_fresh(&self, state: &State) -> bool {
        !state.doubted && state.renewed.elapsed() + MARGIN < self.timing.lease
    }

    /// Renews until it is told to stop, or somebody else has them.
    async fn keep(&self, stop: &CancellationToken) {
        let mut pause = self.timing.renew;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = self.doubted.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
            let round = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                round = self.round() => round,
            };
            pause = match round {
                Ok(()) => self.timing.renew,
                Err(fault) if fault.is(404) || fault.is_about_lease() => {
                    return self.lose(&format!("{} to its renewal", fault.said()));
                }
                Err(fault) => {
                    lock(&self.state).problem = fault.said();
                    AGAIN
                }
            };
        }
    }

    /// One renewal of everything. Leases count as held from when it began, and only if the lock took our sign: a
    /// request that names a lease is refused where the lease is another's.
    async fn round(&self) -> Result<(), Fault> {
        let begun = Moment::now();
        let blobs = lock(&self.state).blobs.clone();
        if blobs.is_empty() {
            return Ok(());
        }
        let renewed = join_all(blobs.iter().map(|blob| self.remote.renew(blob, &self.id))).await;
        renewed.into_iter().collect::<Result<(), Fault>>()?;
        self.beat().await?;
        let mut state = lock(&self.state);
        state.renewed = begun;
        state.doubted = false;
        drop(state);
        self.changed.notify_all();
        Ok(())
    }

    /// Shows on the lock that its holder lives.
    async fn beat(&self) -> Result<(), Fault> {
        let (blob, sign) = {
            let mut state = lock(&self.state);
            let Some(blob) = state.blobs.first().cloned() else {
                return Ok(());
            };
            if state.sign.is_empty() {
                return Ok(());
            }
            state.sign.insert("beat".into(), uuid::Uuid::new_v4().to_string());
            (blob, state.sign.clone())
        };
        self.remote.set_metadata(&blob, &self.id, &sign).await
    }

    fn lose(&self, why: &str) {
        lock(&self.state).lost.get_or_insert_with(|| why.to_owned());
        self.changed.notify_all();
    }

    /// Gives all leases back; those that are another's by now are left alone, since they have another id.
    async fn release(&self) {
        let blobs = std::mem::take(&mut lock(&self.state).blobs);
        self.lose("it was given back");
        let Some((sign, rest)) = blobs.split_first() else {
            return;
        };
        let give = async {
            // The lock last: whoever waits for it then finds the rest free.
            join_all(rest.iter().map(|blob| self.remote.release(blob, &self.id))).await;
            let _ = self.remote.release(sign, &self.id).await;
        };
        let _ = tokio::time::timeout(Duration::from_secs(4), give).await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A thread that panicked left plain values behind, whole at any time.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
