//! Journals in Azure Blob Storage, which a team shares: append blobs, and leases as locks.
//!
//! ```text
//! CONTAINER/PREFIX/runs/RUN/000001.journal    an append blob of at most 49,000 lines; its metadata is the run's summary
//!                          /000002.journal    and so on
//!                 /locks/DIGEST.lock          an empty blob for each identity; its metadata says who holds it
//! ```
//! Whoever works on a run holds the leases of its lock, of its first segment and of the one that is written, all under one
//! id. They end 30 s after the last renewal, so that a dead process stands in nobody's way.
//!
//! Four things keep a process that lost its run, because it was stopped or cut off, from doing harm:
//! - The service refuses appends and changes of status under a lease that ended.
//! - Whoever opens a journal writes a line at its end. What an earlier holder still has under way names the place where it
//!   believes the end to be, and is refused there, too.
//! - Before each write to Azure the session asks the keeper. By the process's own clocks a lease ends earlier than by the
//!   service's, and what is in doubt is renewed first.
//! - What was on its way to Azure when the process was stopped stands in the journal as intended, and is looked up by
//!   whoever takes over.

mod address;
mod clock;
mod fault;
mod journal;
mod keeper;
mod read;
mod remote;
mod shared_key;
mod takeover;
mod tape;
#[cfg(test)]
mod tests;

pub use address::Address;
pub use remote::Access;
pub use takeover::Tell;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use azure_core::http::HttpClient;
use serde_json::Value;
use tokio::runtime::Handle;

use self::clock::Moment;
use self::fault::Fault;
use self::journal::BlobJournal;
use self::keeper::{Keeper, Timing};
use self::remote::{Metadata, Remote, size};
use self::tape::{FORMAT, LINES, Tape};
use super::private::make_private;
use super::stamp::{new_id, now};
use super::{Entry, Error, Journal, Store, Summary};
use crate::types::json::digest;

/// How this process reaches a container.
pub struct Connection {
    /// How the account knows who is calling.
    pub access: Access,
    /// What carries the requests: it follows no redirects and unpacks no bodies.
    pub http: Arc<dyn HttpClient>,
    /// The runtime that they run on.
    pub handle: Handle,
}

/// A container, or a place in one, with the journals of a team.
pub struct BlobStore {
    remote: Remote,
    handle: Handle,
    beside: PathBuf,
    tell: Tell,
    timing: Timing,
    lines: u32,
}

impl BlobStore {
    /// The store at an address. Nothing is sent yet.
    ///
    /// `beside` is a directory of this machine for what cannot be shared, see [`Store::side_directory`]; `tell` hears
    /// why the store waits.
    ///
    /// # Errors
    /// [`Error::Io`] where the address cannot be used with such a connection.
    pub fn new(address: Address, connection: Connection, beside: &Path, tell: Tell) -> Result<Self, Error> {
        let place = digest(&Value::String(address.to_string()));
        Ok(Self {
            remote: Remote::new(address, connection.access, connection.http)?,
            handle: connection.handle,
            beside: beside.join(&place[..16]),
            tell,
            timing: Timing::default(),
            lines: LINES,
        })
    }

    async fn list(&self, start: &str) -> Result<Vec<(String, Metadata)>, Error> {
        match self.remote.list(start).await {
            // Nobody has written to a container that is not there.
            Err(fault) if fault.says("ContainerNotFound") => Ok(Vec::new()),
            other => other.map_err(|fault| self.remote.error(fault, start, "read")),
        }
    }

    /// Takes the lock of what a run is about.
    async fn lock(&self, keeper: &Keeper, lock: &str, what: &str, patience: Duration) -> Result<(), Error> {
        let blob = lock_blob(lock);
        takeover::make_lock(&self.remote, &blob).await?;
        takeover::take(keeper, &self.remote, (&blob, what), patience, &self.tell).await
    }

    /// Takes the lock for a new run. A dead holder's lease is waited for; what a living one has done meanwhile may make
    /// the new run needless, so it is not begun then.
    async fn lock_anew(&self, keeper: &Keeper, lock: &str, subject: &str) -> Result<(), Error> {
        match self.lock(keeper, lock, subject, Duration::ZERO).await {
            Err(Error::Held { .. }) if !self.timing.patience.is_zero() => {}
            other => return other,
        }
        let before = self.runs_of(lock).await?;
        self.lock(keeper, lock, subject, self.timing.patience).await?;
        if self.runs_of(lock).await? == before {
            return Ok(());
        }
        Err(Error::Held {
            what: subject.to_owned(),
            holder: None,
        })
    }

    /// The runs that a lock is for, with how they stand.
    async fn runs_of(&self, lock: &str) -> Result<Vec<(String, Metadata)>, Error> {
        let mut runs = self.list("runs/").await?;
        runs.retain(|(_, metadata)| metadata.get("lock").is_some_and(|theirs| theirs == lock));
        Ok(runs)
    }

    /// A keeper of no lease yet. It is dropped outside of async code, so that a command that fails does not end before
    /// what it took is given back.
    fn keeper(&self, what: &str) -> Keeper {
        Keeper::new(self.remote.clone(), self.timing, what, &self.handle)
    }

    fn journal(&self, tape: Tape, run: &str, metadata: Metadata, keeper: Keeper) -> Result<Box<dyn Journal>, Error> {
        let machine = (self.remote.clone(), self.handle.clone(), self.lines);
        let journal = BlobJournal::new(tape, (run, metadata), keeper, machine);
        journal.begin(&here())?;
        Ok(Box::new(journal))
    }

    /// Makes a run, and takes its leases.
    async fn begin(
        &self,
        keeper: &Keeper,
        runbook: &str,
        subject: &str,
        lock: &str,
    ) -> Result<(String, Metadata), Error> {
        self.lock_anew(keeper, lock, subject).await?;
        let mut metadata = Metadata::new();
        for (name, value) in [
            ("format", FORMAT.to_string().as_str()),
            ("runbook", runbook),
            ("subject", subject),
            ("lock", lock),
            ("status", "running"),
            ("started", &now()),
            ("begun", keeper.id()),
        ] {
            metadata.insert(name.to_owned(), value.to_owned());
        }
        if size(&metadata) > 7 << 10 {
            return Err(Error::Io {
                path: self.remote.place(),
                verb: "written",
                why: "the names of the runbook and of what it is about are longer than a blob's metadata may be".into(),
            });
        }
        let run = self.make_run(&metadata).await?;
        keeper.name(&format!("run {run}"));
        let taken = keeper.take(&segment_blob(&run, 1)).await;
        taken.map_err(|fault| self.remote.error(fault, &segment_blob(&run, 1), "locked"))?;
        self.sign(keeper, &run, lock).await?;
        Ok((run, metadata))
    }

    /// Makes the first segment of a run under an id that no other has.
    async fn make_run(&self, metadata: &Metadata) -> Result<String, Error> {
        let mut run = new_id();
        let mut tries = 0;
        loop {
            let blob = segment_blob(&run, 1);
            match self.remote.make(&blob, metadata).await {
                Ok(()) => return Ok(run),
                Err(fault) if fault.is(409) || fault.is(412) => {
                    // Another run has this id; or an answer was lost, and it is this one.
                    let there = self.remote.head(&blob).await;
                    let there = there.map_err(|fault| self.remote.error(fault, &blob, "read"))?;
                    if there.metadata.get("begun") == metadata.get("begun") {
                        return Ok(run);
                    }
                    run = new_id();
                }
                Err(Fault::Lost(_)) if tries < 5 => tokio::time::sleep(self.timing.renew / 20).await,
                Err(fault) => return Err(self.remote.error(fault, &blob, "created")),
            }
            tries += 1;
        }
    }

    async fn sign(&self, keeper: &Keeper, run: &str, lock: &str) -> Result<(), Error> {
        let sign = [("run", run), ("by", &here())].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let signed = keeper.sign(Metadata::from(sign)).await;
        // It is shown again with each renewal; only a lock that is another's already is an error now.
        match signed {
            Err(fault) if !matches!(fault, Fault::Lost(_)) => {
                Err(self.remote.error(fault, &lock_blob(lock), "written"))
            }
            _ => Ok(()),
        }
    }

    /// Takes the leases of a run, and reads it to its end.
    async fn go_on(&self, keeper: &Keeper, run: &str) -> Result<(Tape, Metadata), Error> {
        let (first, what) = (segment_blob(run, 1), format!("run {run}"));
        let begun = Moment::now();
        let patience = || self.timing.patience.saturating_sub(begun.elapsed());
        let head = match self.remote.head(&first).await {
            Ok(head) => head,
            Err(fault) if fault.is(404) => return Err(read::missing(&self.remote, run, &Tape::new(run)).await?),
            Err(fault) => return Err(self.remote.error(fault, &first, "read")),
        };
        check(run, &head.metadata)?;
        let value = |name: &str| head.metadata.get(name).cloned().unwrap_or_default();
        let lock = value("lock");
        let other = match self.remote.head(&lock_blob(&lock)).await {
            Ok(there) => there.metadata.get("run").is_some_and(|holder| holder != run),
            Err(_) => false,
        };
        let subject = value("subject");
        self.lock(keeper, &lock, if other { &subject } else { &what }, patience())
            .await?;
        takeover::take(keeper, &self.remote, (&first, &what), patience(), &self.tell).await?;
        self.sign(keeper, run, &lock).await?;

        // What is read before the lease of the last segment is ours may not be all.
        let mut tape = read::whole(&self.remote, run).await?;
        loop {
            let last = segment_blob(run, tape.segment);
            takeover::take(keeper, &self.remote, (&last, &what), patience(), &self.tell).await?;
            let segment = tape.segment;
            read::further(&self.remote, run, &mut tape).await?;
            if tape.segment == segment {
                break;
            }
        }
        // Its status may have changed while we waited.
        let metadata = self.remote.head(&first).await;
        let metadata = metadata
            .map_err(|fault| self.remote.error(fault, &first, "read"))?
            .metadata;
        Ok((tape, metadata))
    }
}

impl Store for BlobStore {
    fn create(&self, runbook: &str, subject: &str, lock: &str) -> Result<Box<dyn Journal>, Error> {
        let keeper = self.keeper(subject);
        let (run, metadata) = self.handle.block_on(self.begin(&keeper, runbook, subject, lock))?;
        self.journal(Tape::new(&run), &run, metadata, keeper)
    }

    fn open(&self, run: &str) -> Result<Box<dyn Journal>, Error> {
        let keeper = self.keeper(&format!("run {run}"));
        let (tape, metadata) = self.handle.block_on(self.go_on(&keeper, run))?;
        self.journal(tape, run, metadata, keeper)
    }

    fn read(&self, run: &str) -> Result<Vec<Entry>, Error> {
        self.handle
            .block_on(read::whole(&self.remote, run))
            .map(|tape| tape.entries)
    }

    fn runs(&self) -> Result<Vec<Summary>, Error> {
        let mut segments: BTreeMap<String, Option<Metadata>> = BTreeMap::new();
        for (name, metadata) in self.handle.block_on(self.list("runs/"))? {
            let Some((run, segment)) = name.strip_prefix("runs/").and_then(|rest| rest.split_once('/')) else {
                continue;
            };
            let first = segments.entry(run.to_owned()).or_default();
            if segment_blob(run, 1).ends_with(segment) {
                *first = Some(metadata);
            }
        }
        let mut runs: Vec<Summary> = segments
            .into_iter()
            .map(|(run, metadata)| summary(&run, metadata.as_ref()))
            .collect();
        runs.sort_by(|one, other| (&one.started, &one.run).cmp(&(&other.started, &other.run)));
        Ok(runs)
    }

    /// The simulator of a rehearsal is a process's own: what it keeps stays on the machine that began the rehearsal, in
    /// a private directory for this container. A rehearsal is so resumed where it began, other runs anywhere.
    fn side_directory(&self, run: &str) -> Result<PathBuf, Error> {
        let path = self.beside.join(run);
        make_private(&path)?;
        Ok(path)
    }
}

/// The summary that a run's first segment carries; a damaged one must not hide the others, and is listed as what it is.
fn summary(run: &str, metadata: Option<&Metadata>) -> Summary {
    let checked = match metadata {
        Some(metadata) => check(run, metadata).map(|()| metadata),
        None => Err(Tape::new(run).whole("its segment 1 is missing")),
    };
    let value = |name: &str| {
        metadata
            .and_then(|metadata| metadata.get(name))
            .cloned()
            .unwrap_or_default()
    };
    match checked {
        Ok(_) => Summary {
            run: run.to_owned(),
            runbook: value("runbook"),
            subject: value("subject"),
            status: value("status"),
            started: value("started"),
        },
        Err(error) => Summary {
            run: run.to_owned(),
            runbook: error.to_string(),
            subject: String::new(),
            status: error.code().to_owned(),
            started: value("started"),
        },
    }
}

/// Checks that a run's metadata is ours, and of a format that is known.
fn check(run: &str, metadata: &Metadata) -> Result<(), Error> {
    let found = metadata.get("format").and_then(|format| format.parse::<u32>().ok());
    let whole = ["runbook", "subject", "lock", "status", "started"]
        .iter()
        .all(|name| metadata.contains_key(*name));
    match found {
        Some(found) if found > FORMAT => Err(Error::Newer {
            run: run.to_owned(),
            found,
            known: FORMAT,
        }),
        Some(FORMAT) if whole => Ok(()),
        _ => Err(Tape::new(run).whole("the metadata of its segment 1 is not what ferry wrote")),
    }
}

fn segment_blob(run: &str, segment: u32) -> String {
    format!("runs/{run}/{segment:06}.journal")
}

fn lock_blob(lock: &str) -> String {
    format!("locks/{}.lock", &digest(&Value::String(lock.to_owned()))[..16])
}

/// This process, as others are told of it.
fn here() -> String {
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let machine = machine.or_else(|| {
        ["HOSTNAME", "COMPUTERNAME"]
            .iter()
            .find_map(|name| std::env::var(name).ok())
    });
    let process = std::process::id();
    match machine.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
        Some(machine) => format!("process {process} on {machine}"),
        None => format!("process {process}"),
    }
}
