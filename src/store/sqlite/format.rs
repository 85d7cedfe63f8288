//! The file of a journal: its tables, its format number, and how it is told that it is whole.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::super::Error;
use super::super::chain::Chain;
use super::witness::Reach;
use super::{damage, writing};

/// The format that is written, in `PRAGMA user_version`. Format 1 had no checks: it is read, and becomes format 2 when
/// a run of it goes on.
pub(super) const FORMAT: u32 = 2;

/// The oldest format that is read.
const OLDEST: u32 = 1;

pub(super) const SCHEMA: &str = r#"
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE entries (
        seq     INTEGER PRIMARY KEY,
        at      TEXT NOT NULL,
        kind    TEXT NOT NULL,
        body    TEXT NOT NULL,
        "check" TEXT NOT NULL
    );"#;

/// The rows of `meta` that never change: the chain begins with them.
pub(super) const FACTS: [&str; 4] = ["runbook", "subject", "lock", "started"];

/// The row of `meta` that a journal has while no process works on it: how far it reaches. One that was killed leaves
/// it without.
pub(super) const CLOSED: &str = "closed";

/// Opens the file of a journal. The log of a process that was killed stays beside it when it is closed: one that cannot
/// be read is what a person may want to look at.
pub(super) fn connect(run: &str, path: &Path) -> Result<Connection, Error> {
    // SQLite takes away the log beside a file that is empty, and it may be all that is left.
    if std::fs::metadata(path).is_ok_and(|file| file.len() == 0) {
        return Err(damaged(run, "its file is empty"));
    }
    let keeps = has_log(path);
    // Not read-only: a reader of a write-ahead log must be able to make its shared-memory file after a crash.
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .and_then(|connection| {
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keeps)?;
            Ok(connection)
        })
        .map_err(damage(run, path))
}

/// Whether last writes are in a log beside the file of a journal.
pub(super) fn has_log(path: &Path) -> bool {
    std::fs::metadata(path.with_extension("sqlite-wal")).is_ok_and(|log| log.len() > 0)
}

/// The format of an existing journal, if it is one that is read.
pub(super) fn of(connection: &Connection, run: &str, path: &Path) -> Result<u32, Error> {
    let found: u32 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(damage(run, path))?;
    match found {
        OLDEST..=FORMAT => Ok(found),
        0 => Err(damaged(run, "it has no format number, so it is no journal of ferry's")),
        _ => Err(Error::Newer {
            run: run.to_owned(),
            found,
            known: FORMAT,
        }),
    }
}

/// Refuses a file whose pages do not hang together: an entry added to it might be lost.
pub(super) fn check_pages(connection: &Connection, run: &str, path: &Path) -> Result<(), Error> {
    let said: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(damage(run, path))?;
    if said == "ok" {
        return Ok(());
    }
    Err(damaged(run, said.lines().next_back().unwrap_or(&said)))
}

/// A row of `meta`.
pub(super) fn meta(connection: &Connection, name: &str) -> rusqlite::Result<String> {
    connection.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0))
}

/// An entry as it is stored.
pub(super) struct Stored {
    pub(super) seq: u64,
    pub(super) at: String,
    pub(super) kind: String,
    pub(super) body: String,
    pub(super) check: String,
}

/// Goes through all entries, oldest first, and answers their chain. In a journal that has checks each entry is
/// compared with its own; and the journal reaches as far as `known` says, and as itself says where it is closed.
pub(super) fn walk(
    connection: &Connection,
    run: &str,
    path: &Path,
    known: Option<&Reach>,
    mut look: impl FnMut(Stored) -> Result<(), Error>,
) -> Result<Chain, Error> {
    let damaged_by = damage(run, path);
    // One view of the file for everything that is read, also while another process writes.
    let view = connection.unchecked_transaction().map_err(&damaged_by)?;
    let format = of(&view, run, path)?;
    let facts = FACTS
        .iter()
        .map(|name| meta(&view, name))
        .collect::<rusqlite::Result<Vec<String>>>()
        .map_err(&damaged_by)?;
    let facts: Vec<&str> = facts.iter().map(String::as_str).collect();
    let closed = closed(&view, run, path)?;
    let mut chain = Chain::begin(run, &facts);
    let column = if format == OLDEST { "''" } else { "\"check\"" };
    let mut statement = view
        .prepare(&format!(
            "SELECT seq, at, kind, body, {column} FROM entries ORDER BY seq"
        ))
        .map_err(&damaged_by)?;
    let mut rows = statement.query([]).map_err(&damaged_by)?;
    while let Some(row) = rows.next().map_err(&damaged_by)? {
        let text = |index| row.get::<_, String>(index).map_err(&damaged_by);
        let mut stored = Stored {
            seq: row.get::<_, i64>(0).map_err(&damaged_by)?.cast_unsigned(),
            at: text(1)?,
            kind: text(2)?,
            body: text(3)?,
            check: text(4)?,
        };
        if format == OLDEST {
            stored.check = chain.next(&stored.at, &stored.kind, &stored.body).1;
        }
        chain.verify(stored.seq, &stored.at, &stored.kind, &stored.body, &stored.check)?;
        if known.is_some_and(|known| known.seq == chain.seq() && known.head != chain.head()) {
            let why = format!("entry {} is another one than was written", stored.seq);
            return Err(damaged(run, &why));
        }
        look(stored)?;
    }
    if let Some(known) = known {
        chain.reaches(known.seq)?;
    }
    match closed {
        Some(closed) if closed != Reach::of(&chain) => {
            chain.reaches(closed.seq)?;
            Err(damaged(run, "it goes on behind its end"))
        }
        _ => Ok(chain),
    }
}

/// How far a journal says itself that it reaches; nothing where a process has it, or was killed.
fn closed(connection: &Connection, run: &str, path: &Path) -> Result<Option<Reach>, Error> {
    match meta(connection, CLOSED) {
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
        Err(error) => Err(damage(run, path)(error)),
        Ok(text) => match Reach::parse(&text) {
            Some(reach) => Ok(Some(reach)),
            None => Err(damaged(run, "what it says of its own end cannot be read")),
        },
    }
}

/// Refuses a journal whose last entries may be in a file that was left behind: a process had it when it was last
/// written, and neither the log of its last writes nor the witness is beside it.
pub(super) fn refuse_torn_off(connection: &Connection, run: &str, path: &Path) -> Result<(), Error> {
    if of(connection, run, path)? == OLDEST || closed(connection, run, path)?.is_some() {
        return Ok(());
    }
    Err(damaged(
        run,
        &format!(
            "its process did not end well, and {run}.sqlite-wal and {run}.head are not beside it: its last entries may be there"
        ),
    ))
}

/// Makes a journal of format 1 one of format 2, in one act.
pub(super) fn migrate(connection: &mut Connection, run: &str, path: &Path) -> Result<(), Error> {
    let mut checks = Vec::new();
    walk(connection, run, path, None, |stored| {
        checks.push((stored.seq, stored.check));
        Ok(())
    })?;
    let written = (|| {
        let act = connection.transaction()?;
        act.execute_batch("ALTER TABLE entries ADD COLUMN \"check\" TEXT NOT NULL DEFAULT ''")?;
        for (seq, check) in &checks {
            act.execute(
                "UPDATE entries SET \"check\" = ?1 WHERE seq = ?2",
                rusqlite::params![check, seq.cast_signed()],
            )?;
        }
        act.pragma_update(None, "user_version", FORMAT)?;
        act.commit()
    })();
    written.map_err(writing(run, path))
}

pub(super) fn damaged(run: &str, why: &str) -> Error {
    Error::Damaged {
        run: run.to_owned(),
        why: why.to_owned(),
    }
}
