//! Journals in SQLite: one file a run, and beside it a file whose lock says that a process has it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags, params};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Entry, Error, Journal, Store, Summary};

/// The newest format of a journal; written to `PRAGMA user_version`.
const FORMAT: u32 = 1;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS entries (
        seq  INTEGER PRIMARY KEY,
        at   TEXT NOT NULL,
        kind TEXT NOT NULL,
        body TEXT NOT NULL
    );";

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

    fn prepare_directory(&self) -> Result<(), Error> {
        make_private_directory(&self.directory)
    }
}

fn io<'a>(path: &'a Path, verb: &'static str) -> impl Fn(std::io::Error) -> Error + use<'a> {
    move |error| Error::Io {
        path: path.display().to_string(),
        verb,
        why: error.to_string(),
    }
}

/// Makes a directory that only its owner can look into.
pub(super) fn make_private_directory(path: &Path) -> Result<(), Error> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(io(path, "created"))
}

/// An OS lock on a file: free the moment its process dies.
#[derive(Debug)]
struct Lock(#[allow(dead_code, reason = "held for its lock")] File);

impl Lock {
    fn take(path: &Path, what: &str) -> Result<Self, Error> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).read(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(io(path, "written"))?;
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

/// An open journal.
struct SqliteJournal {
    run: String,
    path: PathBuf,
    connection: Mutex<Connection>,
    _locks: Vec<Lock>,
}

fn sql<'a>(path: &'a Path, verb: &'static str) -> impl Fn(rusqlite::Error) -> Error + use<'a> {
    move |error| Error::Io {
        path: path.display().to_string(),
        verb,
        why: error.to_string(),
    }
}

/// Errors of opening and reading: those that say "this is not a journal" are damage, the rest is the disk's.
fn damage(run: &str, path: &Path) -> impl Fn(rusqlite::Error) -> Error {
    let (run, path) = (run.to_owned(), path.to_owned());
    move |error| match &error {
        rusqlite::Error::SqliteFailure(code, _)
            if matches!(
                code.code,
                rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::Unknown
            ) =>
        {
            Error::Damaged {
                run: run.clone(),
                why: error.to_string(),
            }
        }
        rusqlite::Error::SqliteFailure(..) => sql(&path, "read")(error),
        _ => Error::Damaged {
            run: run.clone(),
            why: error.to_string(),
        },
    }
}

/// This moment, as journals write it.
pub(super) fn now() -> String {
    OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default()
}

impl Journal for SqliteJournal {
    fn run(&self) -> &str {
        &self.run
    }

    fn append(&self, kind: &str, body: &Value) -> Result<u64, Error> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        connection
            .prepare_cached("INSERT INTO entries (at, kind, body) VALUES (?1, ?2, ?3)")
            .and_then(|mut statement| statement.insert(params![now(), kind, body.to_string()]))
            .map(|seq| u64::try_from(seq).unwrap_or_default())
            .map_err(sql(&self.path, "written"))
    }

    fn entries(&self) -> Result<Vec<Entry>, Error> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        read_entries(&connection, &self.run, &self.path)
    }

    fn set_status(&self, status: &str) -> Result<(), Error> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        connection
            .execute(
                "INSERT OR REPLACE INTO meta (name, value) VALUES ('status', ?1)",
                [status],
            )
            .map(|_| ())
            .map_err(sql(&self.path, "written"))
    }

    fn assert_held(&self) -> Result<(), Error> {
        // The OS lock is held as long as this process lives, stopped or not: nobody else can have taken the run.
        Ok(())
    }
}

fn read_entries(connection: &Connection, run: &str, path: &Path) -> Result<Vec<Entry>, Error> {
    let damaged = damage(run, path);
    let mut statement = connection
        .prepare("SELECT seq, at, kind, body FROM entries ORDER BY seq")
        .map_err(&damaged)?;
    let rows = statement
        .query_map([], |row| {
            Ok((
                row.get::<_, i64>(0)?.cast_unsigned(),
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, String>(3)?,
            ))
        })
        .map_err(&damaged)?;
    let mut entries = Vec::new();
    for row in rows {
        let (seq, at, kind, body) = row.map_err(&damaged)?;
        let body = serde_json::from_str(&body).map_err(|error| Error::Damaged {
            run: run.to_owned(),
            why: format!("entry {seq}: {error}"),
        })?;
        if seq != entries.len() as u64 + 1 {
            let why = format!("entry {} is missing", entries.len() + 1);
            return Err(Error::Damaged {
                run: run.to_owned(),
                why,
            });
        }
        entries.push(Entry { seq, at, kind, body });
    }
    Ok(entries)
}

/// Checks the format of an existing journal.
fn check_format(connection: &Connection, run: &str, path: &Path) -> Result<(), Error> {
    let found: u32 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(damage(run, path))?;
    match found {
        FORMAT => Ok(()),
        0 => Err(Error::Damaged {
            run: run.to_owned(),
            why: "it has no format number, so it is no journal of ferry's".into(),
        }),
        _ => Err(Error::Newer {
            run: run.to_owned(),
            found,
            known: FORMAT,
        }),
    }
}

fn configure(connection: &Connection, path: &Path) -> Result<(), Error> {
    connection
        .pragma_update(None, "journal_mode", "WAL")
        .and_then(|()| connection.pragma_update(None, "synchronous", "FULL"))
        .map_err(sql(path, "written"))
}

/// A short id that can be typed: six letters and digits that cannot be mistaken for one another.
pub(super) fn new_id() -> String {
    const LETTERS: &[u8] = b"23456789abcdefghjkmnpqrstuvwxyz";
    uuid::Uuid::new_v4()
        .as_bytes()
        .iter()
        .take(6)
        .map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]))
        .collect()
}

impl Store for SqliteStore {
    fn create(&self, runbook: &str, subject: &str, lock: &str) -> Result<Box<dyn Journal>, Error> {
        self.prepare_directory()?;
        let subject_lock = Lock::take(&self.lock_path(lock), subject)?;
        let mut run = new_id();
        while self.path(&run).exists() {
            run = new_id();
        }
        let run_lock = Lock::take(&self.directory.join(format!("{run}.lock")), &format!("run {run}"))?;
        let path = self.path(&run);
        make_private_file(&path)?;
        let connection = Connection::open(&path).map_err(sql(&path, "created"))?;
        configure(&connection, &path)?;
        connection.execute_batch(SCHEMA).map_err(sql(&path, "written"))?;
        for (name, value) in [
            ("runbook", runbook),
            ("subject", subject),
            ("lock", lock),
            ("status", "running"),
            ("started", &now()),
        ] {
            connection
                .execute("INSERT INTO meta (name, value) VALUES (?1, ?2)", [name, value])
                .map_err(sql(&path, "written"))?;
        }
        // The format is written last: a journal without one was never finished, and has no entries.
        connection
            .pragma_update(None, "user_version", FORMAT)
            .map_err(sql(&path, "written"))?;
        Ok(Box::new(SqliteJournal {
            run,
            path,
            connection: Mutex::new(connection),
            _locks: vec![subject_lock, run_lock],
        }))
    }

    fn open(&self, run: &str) -> Result<Box<dyn Journal>, Error> {
        let path = self.path(run);
        if !path.exists() {
            return Err(Error::Unknown { run: run.to_owned() });
        }
        let run_lock = Lock::take(&self.directory.join(format!("{run}.lock")), &format!("run {run}"))?;
        let connection =
            Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(damage(run, &path))?;
        check_format(&connection, run, &path)?;
        configure(&connection, &path)?;
        let lock = meta(&connection, "lock").map_err(damage(run, &path))?;
        let subject = meta(&connection, "subject").map_err(damage(run, &path))?;
        let subject_lock = Lock::take(&self.lock_path(&lock), &subject)?;
        Ok(Box::new(SqliteJournal {
            run: run.to_owned(),
            path,
            connection: Mutex::new(connection),
            _locks: vec![subject_lock, run_lock],
        }))
    }

    fn read(&self, run: &str) -> Result<Vec<Entry>, Error> {
        let path = self.path(run);
        let connection = Self::open_to_read(run, &path)?;
        read_entries(&connection, run, &path)
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
        make_private_directory(&path)?;
        Ok(path)
    }
}

impl SqliteStore {
    fn lock_path(&self, lock: &str) -> PathBuf {
        let digest = crate::types::json::digest(&Value::String(lock.to_owned()));
        self.directory.join(format!("{}.subject.lock", &digest[..16]))
    }

    fn open_to_read(run: &str, path: &Path) -> Result<Connection, Error> {
        if !path.exists() {
            return Err(Error::Unknown { run: run.to_owned() });
        }
        // Not read-only: a reader of a WAL must be able to make its shared-memory file after a crash.
        let connection =
            Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(damage(run, path))?;
        check_format(&connection, run, path)?;
        Ok(connection)
    }

    fn summary(run: &str, path: &Path) -> Result<Summary, Error> {
        let connection = Self::open_to_read(run, path)?;
        let read = |name| meta(&connection, name).map_err(damage(run, path));
        Ok(Summary {
            run: run.to_owned(),
            runbook: read("runbook")?,
            subject: read("subject")?,
            status: read("status")?,
            started: read("started")?,
        })
    }
}

fn meta(connection: &Connection, name: &str) -> rusqlite::Result<String> {
    connection.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0))
}

fn make_private_file(path: &Path) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(|_| ()).map_err(io(path, "created"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::suite::{self, Damage, Lab};

    /// A directory whose journals can be spoiled.
    struct Directory(tempfile::TempDir);

    impl Directory {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn sqlite(&self) -> SqliteStore {
            SqliteStore::new(self.0.path().join("state"))
        }
    }

    impl Lab for Directory {
        fn store(&self) -> Box<dyn Store> {
            Box::new(self.sqlite())
        }

        fn spoil(&self, run: &str, damage: Damage) {
            let path = self.sqlite().path(run);
            if damage == Damage::Garbage {
                for end in ["-wal", "-shm"] {
                    let _ = fs::remove_file(format!("{}{end}", path.display()));
                }
                return fs::write(path, "this is no journal at all, it is just text that is long enough").unwrap();
            }
            let connection = Connection::open(path).unwrap();
            match damage {
                Damage::Garbage => {}
                Damage::Newer => connection.pragma_update(None, "user_version", 99).unwrap(),
                Damage::Gap => {
                    connection.execute("DELETE FROM entries WHERE seq = 2", []).unwrap();
                }
                Damage::HalfAnEntry => {
                    let cut = "UPDATE entries SET body = substr(body, 1, length(body) - 3) WHERE seq = 2";
                    connection.execute(cut, []).unwrap();
                }
            }
        }

        fn lose(&self, _run: &str) -> bool {
            // An OS lock ends with its process alone.
            false
        }

        fn cases(&self) -> u32 {
            20
        }
    }

    suite::store_suite!(Directory::new());

    #[test]
    fn a_directory_that_cannot_be_written_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, b"").unwrap();
        let Err(error) = SqliteStore::new(file.join("state")).create("r", "s", "l") else {
            panic!("it was written")
        };
        assert!(error.to_string().contains("state"), "{error}");
    }
}
