//! What users of the store see.

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
