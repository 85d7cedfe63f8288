//! An open journal: entries are appended under a lease, each at the place where the last one ended.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::runtime::Handle;

use super::clock::Moment;
use super::fault::Fault;
use super::keeper::Keeper;
use super::remote::{Metadata, Remote};
use super::tape::{FORMAT, Line, Tape};
use super::{now, segment_blob};
use crate::store::{Entry, Error, Journal};

/// How long an entry is tried to be written whose answer was lost.
const PATIENCE: Duration = Duration::from_mins(1);

/// The most bytes of an entry: an append block takes 100 MiB.
const LARGEST: usize = 96 << 20;

/// An open journal.
pub(super) struct BlobJournal {
    run: String,
    remote: Remote,
    handle: Handle,
    /// Lines of a segment, at most.
    lines: u32,
    tail: Mutex<Tail>,
    metadata: Mutex<Metadata>,
    /// Dropped last: it gives the leases back.
    keeper: Keeper,
}

/// Where the journal ends.
struct Tail {
    segment: u32,
    position: u64,
    lines: u32,
    seq: u64,
    /// What was read when it was opened, for whoever asks first.
    read: Option<Vec<Entry>>,
    /// Why nothing more can be written: what came of an entry is not known.
    broken: Option<Error>,
}

impl BlobJournal {
    /// The journal that a tape was read of, whose leases the keeper has.
    pub(super) fn new(
        tape: Tape,
        (run, metadata): (&str, Metadata),
        keeper: Keeper,
        (remote, handle, lines): (Remote, Handle, u32),
    ) -> Self {
        let tail = Tail {
            segment: tape.segment,
            position: tape.position,
            lines: tape.lines,
            seq: tape.next_seq(),
            read: Some(tape.entries),
            broken: None,
        };
        Self {
            run: run.to_owned(),
            remote,
            handle,
            lines: lines.max(4),
            tail: Mutex::new(tail),
            metadata: Mutex::new(metadata),
            keeper,
        }
    }

    /// Writes the first line of a journal, and, into one that was written before, who goes on with it: whoever wrote
    /// before finds the place of its next entry taken.
    pub(super) fn begin(&self, by: &str) -> Result<(), Error> {
        let mut tail = lock(&self.tail);
        if tail.lines == 0 {
            self.write(&mut tail, &self.head(1))?;
        }
        let opened = Line::Opened {
            by: by.to_owned(),
            lease: self.keeper.id().to_owned(),
        };
        self.write(&mut tail, &opened)
    }

    fn head(&self, segment: u32) -> Line {
        Line::Ferry {
            format: FORMAT,
            run: self.run.clone(),
            segment,
        }
    }

    /// Goes on in the next segment, which is made and leased before this one names it.
    fn roll_over(&self, tail: &mut Tail) -> Result<(), Error> {
        let next = tail.segment + 1;
        let blob = segment_blob(&self.run, next);
        self.insist(&blob, || {
            self.handle.block_on(async {
                match self.remote.make(&blob, &Metadata::new()).await {
                    // One that is there was begun by somebody who came no further.
                    Err(fault) if !(fault.is(409) || fault.is(412)) => Err(fault),
                    _ => self.keeper.take(&blob).await,
                }
            })
        })?;
        let begun = self.handle.block_on(self.remote.read(&blob, 0));
        let begun = begun.map_err(|fault| self.remote.error(fault, &blob, "read"))?;
        let mut ahead = Tail {
            segment: next,
            position: begun.len() as u64,
            lines: 1,
            seq: tail.seq,
            read: None,
            broken: None,
        };
        if begun.is_empty() {
            self.write(&mut ahead, &self.head(next))?;
            ahead.lines = 1;
        } else if begun != self.head(next).bytes() {
            return Err(Error::Damaged {
                run: self.run.clone(),
                why: format!(
                    "segment {next} holds entries, and segment {} does not name it",
                    tail.segment
                ),
            });
        }
        self.write(tail, &Line::Continues(next))?;
        ahead.read = tail.read.take();
        *tail = ahead;
        Ok(())
    }

    /// Makes a line durable at the end of the segment: once, whatever becomes of the answers.
    fn write(&self, tail: &mut Tail, line: &Line) -> Result<(), Error> {
        if let Some(error) = &tail.broken {
            return Err(error.clone());
        }
        let bytes = Bytes::from(line.bytes());
        let blob = segment_blob(&self.run, tail.segment);
        if bytes.len() > LARGEST {
            return Err(Error::Io {
                path: self.remote.url(&blob),
                verb: "written",
                why: format!("an entry of {} MiB is more than a block takes", bytes.len() >> 20),
            });
        }
        let sent = || {
            let appended = self
                .remote
                .append(&blob, tail.position, self.keeper.id(), bytes.clone());
            self.handle.block_on(async {
                match appended.await {
                    // Whether it was written, the blob itself tells: nothing else can stand there but ours, unless
                    // somebody has taken the run over.
                    Err(fault @ Fault::Lost(_)) => self.look(&blob, tail.position, &bytes, fault).await,
                    Err(fault) if fault.says("AppendPositionConditionNotMet") => {
                        self.look(&blob, tail.position, &bytes, fault).await
                    }
                    other => other,
                }
            })
        };
        match self.insist(&blob, sent) {
            Ok(()) => {
                tail.position += bytes.len() as u64;
                tail.lines += 1;
                Ok(())
            }
            Err(error) => {
                // It may have been written: what comes next would not know its place.
                tail.broken = Some(error.clone());
                Err(error)
            }
        }
    }

    /// Looks whether a line stands where it was sent to; answers the fault of sending where nothing stands there.
    async fn look(&self, blob: &str, position: u64, ours: &[u8], fault: Fault) -> Result<(), Fault> {
        let there = self.remote.read(blob, position).await?;
        if there.is_empty() {
            return Err(fault);
        }
        if there.starts_with(ours) {
            return Ok(());
        }
        Err(Fault::Said {
            status: 412,
            code: TAKEN.to_owned(),
        })
    }

    /// Does what may be done twice until it is done, or surely will not be.
    fn insist(&self, blob: &str, mut request: impl FnMut() -> Result<(), Fault>) -> Result<(), Error> {
        let begun = Moment::now();
        let mut pause = Duration::from_millis(100);
        loop {
            let fault = match request() {
                Ok(()) => return Ok(()),
                Err(fault) => fault,
            };
            if fault.says(TAKEN) || fault.is(404) {
                return Err(self.keeper.lose(match fault {
                    Fault::Said { status: 404, .. } => "its blobs were deleted",
                    _ => "another process has written to the journal",
                }));
            }
            if fault.is_about_lease() {
                // A lease that ran out while nobody wanted it can be renewed; one that is another's cannot.
                self.keeper.assert_really_held()?;
            }
            let again = matches!(fault, Fault::Lost(_)) || fault.is_about_lease();
            if !again || begun.elapsed() > PATIENCE {
                return Err(self.remote.error(fault, blob, "written"));
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_secs(2));
        }
    }
}

/// What [`BlobJournal::look`] says of a place where somebody else has written.
const TAKEN: &str = "ferry:PlaceTaken";

impl Journal for BlobJournal {
    fn run(&self) -> &str {
        &self.run
    }

    fn append(&self, kind: &str, body: &Value) -> Result<u64, Error> {
        let mut tail = lock(&self.tail);
        // The last line of a segment names the next one.
        if tail.lines + 1 >= self.lines {
            self.roll_over(&mut tail)?;
        }
        let seq = tail.seq;
        let entry = Entry {
            seq,
            at: now(),
            kind: kind.to_owned(),
            body: body.clone(),
        };
        self.write(&mut tail, &Line::Entry(entry))?;
        tail.seq += 1;
        tail.read = None;
        Ok(seq)
    }

    fn entries(&self) -> Result<Vec<Entry>, Error> {
        let mut tail = lock(&self.tail);
        match tail.read.take() {
            Some(entries) => Ok(entries),
            None => self
                .handle
                .block_on(super::read::whole(&self.remote, &self.run))
                .map(|tape| tape.entries),
        }
    }

    fn set_status(&self, status: &str) -> Result<(), Error> {
        let mut metadata = lock(&self.metadata);
        metadata.insert("status".into(), status.to_owned());
        let blob = segment_blob(&self.run, 1);
        self.insist(&blob, || {
            self.handle
                .block_on(self.remote.set_metadata(&blob, self.keeper.id(), &metadata))
        })
    }

    fn assert_held(&self) -> Result<(), Error> {
        self.keeper.assert_held()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A thread that panicked while it wrote left the place of the last entry behind, and the next one looks there.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
