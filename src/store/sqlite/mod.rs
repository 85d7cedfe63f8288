//! Journals in SQLite: one file a run, and beside it a file whose lock says that a process has it.
//!
//! `RUN.sqlite` is the journal, `RUN.sqlite-wal` its last writes while a process has it or after one was killed,
//! `RUN.head` the witness of how far it reaches. Of a journal that nobody has open the first alone is whole.

mod format;
mod journal;
mod lock;
mod witness;

#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod tests;

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags};
use serde_json::Value;

use super::chain::Chain;
use super::private::{make_private, private_file};
use super::stamp::{new_id, now};
use super::{Entry, Error, Journal, Store, Summary};
use journal::SqliteJournal;
use lock::Lock;
use witness::Reach;

/// A directory with one SQLite file a run.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    directory: PathBuf,
}

impl SqliteStore {
    /// A store in `directory`, which is made when the first run is.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
        }
    }

    fn path(&self, run: &str) -> PathBuf {
        self.directory.join(format!("{run}.sqlite"))
    }

    fn run_lock(&self, run: &str) -> Result<Lock, Error> {
        Lock::take(&self.directory.join(format!("{run}.lock")), &format!("run {run}"))
    }

    fn subject_lock(&self, lock: &str, subject: &str) -> Result<Lock, Error> {
        let digest = crate::types::json::digest(&Value::String(lock.to_owned()));
        Lock::take(&self.directory.join(format!("{}.subject.lock", &digest[..16])), subject)
    }

    fn summary(run: &str, path: &Path) -> Result<Summary, Error> {
        let connection = format::connect(run, path)?;
        format::of(&connection, run, path)?;
        let read = |name| format::meta(&connection, name).map_err(damage(run, path));
        Ok(Summary {
            run: run.to_owned(),
            runbook: read("runbook")?,
            subject: read("subject")?,
            status: read("status")?,
            started: read("started")?,
        })
    }

    /// Opens an existing journal to read it, with what the files beside it say of its end.
    fn look(&self, run: &str) -> Result<(Connection, PathBuf, Option<Reach>), Error> {
        let path = self.path(run);
        if !path.exists() {
            return Err(Error::Unknown { run: run.to_owned() });
        }
        // Before the entries: a process that writes them says afterwards how far it is.
        let known = witness::read(&path);
        let has_log = format::has_log(&path);
        let connection = format::connect(run, &path)?;
        if known.is_none() && !has_log {
            let whole = format::refuse_torn_off(&connection, run, &path);
            // A process may have begun to write meanwhile.
            if witness::read(&path).is_none() && !format::has_log(&path) {
                whole?;
            }
        }
        Ok((connection, path, known))
    }
}

impl Store for SqliteStore {
    fn create(&self, runbook: &str, subject: &str, lock: &str) -> Result<Box<dyn Journal>, Error> {
        make_private(&self.directory)?;
        let subject_lock = self.subject_lock(lock, subject)?;
        let mut run = new_id();
        while self.path(&run).exists() {
            run = new_id();
        }
        let run_lock = self.run_lock(&run)?;
        let path = self.path(&run);
        let facts = [runbook, subject, lock, &now()];
        self.make(&run, &path, facts)?;
        SqliteJournal::open(&run, &path, None, vec![subject_lock, run_lock])
    }

    fn open(&self, run: &str) -> Result<Box<dyn Journal>, Error> {
        if !self.path(run).exists() {
            return Err(Error::Unknown { run: run.to_owned() });
        }
        let run_lock = self.run_lock(run)?;
        let (connection, path, known) = self.look(run)?;
        format::of(&connection, run, &path)?;
        let read = |name| format::meta(&connection, name).map_err(damage(run, &path));
        let subject_lock = self.subject_lock(&read("lock")?, &read("subject")?)?;
        drop(connection);
        SqliteJournal::open(run, &path, known.as_ref(), vec![subject_lock, run_lock])
    }

    fn read(&self, run: &str) -> Result<Vec<Entry>, Error> {
        let (connection, path, known) = self.look(run)?;
        journal::read_entries(&connection, run, &path, known.as_ref())
    }

    fn runs(&self) -> Result<Vec<Summary>, Error> {
        let listing = match fs::read_dir(&self.directory) {
            Ok(listing) => listing,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io(&self.directory, "read")(error)),
        };
        let mut runs = Vec::new();
        for item in listing {
            let path = item.map_err(io(&self.directory, "read"))?.path();
            if path.extension().is_none_or(|extension| extension != "sqlite") {
                continue;
            }
            let run = path
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned())
                .unwrap_or_default();
            // A damaged journal must not hide the others: it is listed as what it is.
            runs.push(Self::summary(&run, &path).unwrap_or_else(|error| Summary {
                run,
                runbook: error.to_string(),
                subject: String::new(),
                status: error.code().to_owned(),
                started: String::new(),
            }));
        }
        runs.sort_by(|a, b| (&a.started, &a.run).cmp(&(&b.started, &b.run)));
        Ok(runs)
    }

    fn side_directory(&self, run: &str) -> Result<PathBuf, Error> {
        let path = self.directory.join(run);
        make_private(&path)?;
        Ok(path)
    }
}

impl SqliteStore {
    /// Makes the file of a journal without entries. It gets its name when it is whole, so that a process that is
    /// killed meanwhile leaves none.
    fn make(&self, run: &str, path: &Path, facts: [&str; 4]) -> Result<(), Error> {
        let unfinished = path.with_extension("new");
        // Its name was never a run's, so it is what a process left that was killed at this very place.
        let _ = fs::remove_file(&unfinished);
        make_private_file(&unfinished)?;
        let opened = Connection::open_with_flags(&unfinished, OpenFlags::SQLITE_OPEN_READ_WRITE);
        let mut connection = opened.map_err(writing(run, &unfinished))?;
        let made = (|| {
            connection.pragma_update(None, "synchronous", "FULL")?;
            let act = connection.transaction()?;
            act.execute_batch(format::SCHEMA)?;
            let end = Reach::of(&Chain::begin(run, &facts)).text();
            let more = [(&"status", "running"), (&format::CLOSED, end.as_str())];
            for (name, value) in format::FACTS.iter().zip(facts).chain(more) {
                act.execute("INSERT INTO meta (name, value) VALUES (?1, ?2)", [*name, value])?;
            }
            act.pragma_update(None, "user_version", format::FORMAT)?;
            act.commit()
        })();
        made.map_err(writing(run, &unfinished))?;
        connection
            .close()
            .map_err(|(_, error)| writing(run, &unfinished)(error))?;
        fs::rename(&unfinished, path).map_err(io(path, "created"))?;
        sync_directory(&self.directory)
    }
}

/// Makes the names in a directory durable.
fn sync_directory(path: &Path) -> Result<(), Error> {
    // Elsewhere directories cannot be opened, and need not be.
    if cfg!(unix) {
        fs::File::open(path)
            .and_then(|directory| directory.sync_all())
            .map_err(io(path, "written"))?;
    }
    Ok(())
}

fn io<'a>(path: &'a Path, verb: &'static str) -> impl Fn(std::io::Error) -> Error + use<'a> {
    move |error| Error::Io {
        path: path.display().to_string(),
        verb,
        why: error.to_string(),
    }
}

fn make_private_file(path: &Path) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    private_file(&mut options, path)
        .map(|_| ())
        .map_err(io(path, "created"))
}

/// Errors of opening and reading: those that say "this is not a journal" are damage, the rest is the disk's.
fn damage(run: &str, path: &Path) -> impl Fn(rusqlite::Error) -> Error + use<> {
    let (run, path) = (run.to_owned(), path.to_owned());
    move |error| match &error {
        rusqlite::Error::SqliteFailure(code, _) if !is_damage(code.code) => failed(&path, "read", &error),
        _ => Error::Damaged {
            run: run.clone(),
            why: error.to_string(),
        },
    }
}

/// Errors of writing: those that say that the file is broken are damage, the rest is the disk's.
fn writing(run: &str, path: &Path) -> impl Fn(rusqlite::Error) -> Error + use<> {
    let (run, path) = (run.to_owned(), path.to_owned());
    move |error| match &error {
        rusqlite::Error::SqliteFailure(code, _) if is_damage(code.code) => Error::Damaged {
            run: run.clone(),
            why: error.to_string(),
        },
        _ => failed(&path, "written", &error),
    }
}

fn is_damage(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt | ErrorCode::Unknown
    )
}

fn failed(path: &Path, verb: &'static str, error: &rusqlite::Error) -> Error {
    Error::Io {
        path: path.display().to_string(),
        verb,
        why: error.to_string(),
    }
}
