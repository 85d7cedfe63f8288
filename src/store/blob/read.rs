//! Reading a journal, from its first segment on, also while another process writes it.

use super::remote::Remote;
use super::segment_blob;
use super::tape::Tape;
use crate::store::Error;

/// The whole journal of a run.
///
/// # Errors
/// [`Error::Unknown`], [`Error::Damaged`], [`Error::Newer`]; those of the service.
pub(super) async fn whole(remote: &Remote, run: &str) -> Result<Tape, Error> {
    let mut tape = Tape::new(run);
    further(remote, run, &mut tape).await?;
    Ok(tape)
}

/// What has come since the tape was read.
///
/// # Errors
/// As [`whole`].
pub(super) async fn further(remote: &Remote, run: &str, tape: &mut Tape) -> Result<(), Error> {
    loop {
        let blob = segment_blob(run, tape.segment);
        let bytes = match remote.read(&blob, tape.position).await {
            Ok(bytes) => bytes,
            Err(fault) if fault.is(404) => return Err(missing(remote, run, tape).await?),
            Err(fault) => return Err(remote.error(fault, &blob, "read")),
        };
        if !tape.read(&bytes)? {
            return Ok(());
        }
    }
}

/// What a segment that is not there means: there is no such run, or a part of it is missing.
pub(super) async fn missing(remote: &Remote, run: &str, tape: &Tape) -> Result<Error, Error> {
    let damaged = tape.whole(&format!("its segment {} is missing", tape.segment));
    if tape.segment > 1 {
        return Ok(damaged);
    }
    let start = format!("runs/{run}/");
    let there = match remote.list(&start).await {
        Ok(there) => there,
        Err(fault) if fault.is(404) => Vec::new(),
        Err(fault) => return Err(remote.error(fault, &start, "read")),
    };
    Ok(if there.is_empty() {
        Error::Unknown { run: run.to_owned() }
    } else {
        damaged
    })
}
