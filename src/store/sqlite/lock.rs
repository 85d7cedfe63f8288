//! OS locks on files beside journals: one process a run, one run a subject.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use super::super::Error;
use super::super::private::private_file;
use super::io;

/// An OS lock on a file: free the moment its process dies.
#[derive(Debug)]
pub(super) struct Lock(#[allow(dead_code, reason = "held for its lock")] File);

impl Lock {
    /// Takes the lock of `path`; `what` is held by whoever has it.
    pub(super) fn take(path: &Path, what: &str) -> Result<Self, Error> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).read(true).write(true);
        let mut file = private_file(&mut options, path).map_err(io(path, "written"))?;
        match file.try_lock() {
            Ok(()) => {
                let _ = file.set_len(0);
                let _ = file.rewind();
                let _ = write!(file, "process {}", std::process::id());
                Ok(Self(file))
            }
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.read_to_string(&mut holder);
                Err(Error::Held {
                    what: what.to_owned(),
                    holder: (!holder.is_empty()).then_some(holder),
                })
            }
            Err(TryLockError::Error(error)) => Err(io(path, "locked")(error)),
        }
    }
}
