//! An open journal: entries are added to it, each durable when it is told to be.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, params};
use serde_json::Value;

use super::super::chain::Chain;
use super::super::stamp::now;
use super::super::{Entry, Error, Journal};
use super::lock::Lock;
use super::witness::{Reach, Witness};
use super::{format, writing};

/// An open journal. Its locks are the last to go.
pub(super) struct SqliteJournal {
    run: String,
    path: PathBuf,
    open: Mutex<Open>,
    _locks: Vec<Lock>,
}

/// What writing needs, and what changes with it.
struct Open {
    connection: Connection,
    chain: Chain,
    witness: Witness,
}

impl SqliteJournal {
    /// Opens a journal for writing that is whole, and makes one of the format that is written of it.
    pub(super) fn open(
        run: &str,
        path: &Path,
        known: Option<&Reach>,
        locks: Vec<Lock>,
    ) -> Result<Box<dyn Journal>, Error> {
        let mut connection = format::connect(run, path)?;
        format::check_pages(&connection, run, path)?;
        let chain = format::walk(&connection, run, path, known, |_| Ok(()))?;
        // Beyond this line something is written: the witness before the journal says of itself that it is open.
        let witness = Witness::open(path, &Reach::of(&chain))?;
        if format::of(&connection, run, path)? < format::FORMAT {
            format::migrate(&mut connection, run, path)?;
        }
        let opened = (|| {
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.execute("DELETE FROM meta WHERE name = ?1", [format::CLOSED])?;
            // That a process has it stands in the file itself, so that a copy of the file alone says so.
            checkpoint(&connection)
        })();
        opened.map_err(writing(run, path))?;
        Ok(Box::new(Self {
            run: run.to_owned(),
            path: path.to_owned(),
            open: Mutex::new(Open {
                connection,
                chain,
                witness,
            }),
            _locks: locks,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Moves what is in the log into the file itself.
fn checkpoint(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

impl Journal for SqliteJournal {
    fn run(&self) -> &str {
        &self.run
    }

    fn append(&self, kind: &str, body: &Value) -> Result<u64, Error> {
        let mut open = self.lock();
        let (at, body) = (now(), body.to_string());
        let (seq, check) = open.chain.next(&at, kind, &body);
        open.connection
            .prepare_cached("INSERT INTO entries (seq, at, kind, body, \"check\") VALUES (?1, ?2, ?3, ?4, ?5)")
            .and_then(|mut statement| statement.execute(params![seq.cast_signed(), at, kind, body, check]))
            .map_err(writing(&self.run, &self.path))?;
        open.chain.take(check);
        let reach = Reach::of(&open.chain);
        open.witness.say(&reach);
        Ok(seq)
    }

    fn entries(&self) -> Result<Vec<Entry>, Error> {
        read_entries(&self.lock().connection, &self.run, &self.path, None)
    }

    fn assert_held(&self) -> Result<(), Error> {
        // The OS lock is held as long as this process lives, stopped or not: nobody else can have taken the run.
        Ok(())
    }

    fn set_status(&self, status: &str) -> Result<(), Error> {
        self.lock()
            .connection
            .execute(
                "INSERT OR REPLACE INTO meta (name, value) VALUES ('status', ?1)",
                [status],
            )
            .map(|_| ())
            .map_err(writing(&self.run, &self.path))
    }
}

impl Drop for SqliteJournal {
    /// Closes the journal, so that its file alone is all of it. Where that fails it stays as a killed process leaves
    /// it, which is whole too.
    fn drop(&mut self) {
        let open = self.lock();
        let closed = open.connection.execute(
            "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)",
            [format::CLOSED, &Reach::of(&open.chain).text()],
        );
        if closed.and_then(|_| checkpoint(&open.connection)).is_ok() {
            // The log is empty now, and goes with the connection.
            let _ = open
                .connection
                .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false);
        }
    }
}

/// All entries, oldest first.
pub(super) fn read_entries(
    connection: &Connection,
    run: &str,
    path: &Path,
    known: Option<&Reach>,
) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    format::walk(connection, run, path, known, |stored| {
        let body = serde_json::from_str(&stored.body)
            .map_err(|error| format::damaged(run, &format!("entry {}: {error}", stored.seq)))?;
        entries.push(Entry {
            seq: stored.seq,
            at: stored.at,
            kind: stored.kind,
            body,
        });
        Ok(())
    })?;
    Ok(entries)
}
