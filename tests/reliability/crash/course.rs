//! A relocation by the real binary, on a simulator behind a proxy, that is struck at one place and goes on.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ferry::run::record::Ledger;
use ferry::sim;
use ferry::store::{Entry, SqliteStore, Store as _};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::proxy::{Proxy, When};
use super::shim::{self, How};
use super::victim::{Ended, Victim};
use crate::reliability::faults::Told;
use crate::reliability::judge::{self, Seen};
use crate::support::{Ferry, Ran, demo, estate_file, relocation};

/// Small, quick, and with everything: credentials, grants in four services, settings, blocks of several kinds.
const ESTATE: &str = "two-regions";

/// Where a process is struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strike {
    /// Nowhere.
    Nowhere,
    /// At this act on the disk.
    Disk(usize, How),
    /// At this request.
    Request(usize, When),
    /// After so long.
    Time(Duration),
}

/// What all courses share.
pub struct Grounds {
    runtime: Runtime,
    estate: Value,
    middle: OnceLock<usize>,
}

impl Grounds {
    pub fn new() -> Self {
        let text = std::fs::read_to_string(estate_file(ESTATE)).unwrap();
        Self {
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap(),
            estate: serde_json::from_str(&text).unwrap(),
            middle: OnceLock::new(),
        }
    }

    /// The number of a request in the middle of the move: there a run is cut off that is struck while it resumes.
    pub fn middle(&self) -> usize {
        *self.middle.get_or_init(|| {
            let course = self.course();
            course.begin(&["--yes"], Strike::Nowhere);
            let log = course.server.log();
            let rows = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            let requests = rows.filter(|row| row["batch"].is_null()).enumerate();
            let writes = requests.filter(|(_, row)| {
                let text = |name: &str| row[name].as_str().unwrap().to_owned();
                !judge::reads(&text("method"), &text("path"))
            });
            writes.map(|(index, _)| index + 1).nth(5).unwrap()
        })
    }

    /// A tenant in which nothing has happened yet.
    pub fn course(&self) -> Course {
        let options = sim::Options {
            estate: self.estate.clone(),
            lag: Some(Duration::ZERO),
            ..sim::Options::default()
        };
        let server = self.runtime.block_on(sim::Server::start(options)).unwrap();
        let ferry = Ferry::new();
        Course {
            proxy: Proxy::start(server.url()),
            log: ferry.directory().join("acts"),
            server,
            ferry,
        }
    }
}

/// A relocation and its tenant.
pub struct Course {
    pub server: sim::Server,
    pub proxy: Proxy,
    ferry: Ferry,
    log: PathBuf,
}

impl Course {
    /// Runs a command that is struck there.
    pub fn go(&self, args: &[&str], strike: Strike) -> Ended {
        let _ = std::fs::remove_file(&self.log);
        let mut command = self.ferry.command(args);
        shim::watch(&mut command, &self.ferry.directory().join("state"), &self.log);
        let victim = Arc::new(Victim::unborn());
        let (mut at_request, mut at_most) = (None, None);
        match strike {
            Strike::Nowhere => {}
            Strike::Disk(act, how) => shim::strike(&mut command, act, how),
            Strike::Request(number, when) => at_request = Some((number, when)),
            Strike::Time(time) => at_most = Some(time),
        }
        self.proxy.arm(&victim, at_request);
        victim.start(&mut command);
        let ended = victim.wait(at_most);
        self.proxy.drain();
        ended
    }

    /// Begins the relocation, with further options.
    pub fn begin(&self, more: &[&str], strike: Strike) -> Ended {
        let (identity, to) = demo(ESTATE);
        let more = [&["--concurrency", "1"], more].concat();
        self.go(&relocation(&identity, &to, &self.proxy.url, &more), strike)
    }

    /// A command on the last run.
    pub fn last(&self, command: &str, more: &[&str], strike: Strike) -> Ended {
        self.go(&[&[command, "last", "--concurrency", "1"], more].concat(), strike)
    }

    /// Goes on to the end of the relocation, as whoever comes back after a power cut does. Answers what went wrong.
    pub fn go_on(&self) -> Vec<String> {
        let begun = self.ledger().is_some_and(|ledger| ledger.started.is_some());
        let (word, ended) = if begun {
            ("resume", self.last("resume", &["--yes"], Strike::Nowhere))
        } else {
            ("run", self.begin(&["--yes"], Strike::Nowhere))
        };
        match ended.code {
            Some(0) => Vec::new(),
            code => vec![format!("{word} ended with {code:?}: {}", ended.err)],
        }
    }

    /// Runs a command while another one is at work.
    pub fn beside(&self, args: &[&str]) -> Ran {
        self.ferry.run(args)
    }

    /// How many acts on the disk the last command has had.
    pub fn acts(&self) -> Vec<String> {
        shim::acts(&self.log)
    }

    /// What the journal says; none where there is none.
    pub fn ledger(&self) -> Option<Ledger> {
        let entries = self.entries();
        (!entries.is_empty()).then(|| Ledger::from_entries("", &entries).unwrap())
    }

    fn entries(&self) -> Vec<Entry> {
        let store = SqliteStore::new(self.ferry.directory().join("state"));
        let run = store.runs().unwrap().pop();
        run.map_or_else(Vec::new, |run| store.read(&run.run).unwrap())
    }

    /// How far the journal is: `beginning`, a phase, or `end`.
    pub fn state(&self) -> String {
        let Some(ledger) = self.ledger() else {
            return "beginning".to_owned();
        };
        if ledger.status.as_ref().is_some_and(|(status, _)| status == "done") {
            return "end".to_owned();
        }
        let phase = ledger.phases.last().map(|(name, _)| name.clone());
        phase.unwrap_or_else(|| "beginning".to_owned())
    }

    /// The file that the shim's directory is, for looking at what a message names.
    pub fn directory(&self) -> String {
        self.ferry.directory().display().to_string()
    }

    /// Writes that took effect and of which the journal knows nothing: nothing may be sent that is not in it first.
    pub fn unintended(&self) -> Vec<String> {
        let log = self.server.log();
        let rows = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
        let mut sent: Vec<(String, String)> = rows
            .filter(|row| matches!(row["status"].as_u64(), Some(200..300)))
            .map(|row| (text(&row, "method"), text(&row, "path")))
            .filter(|(method, path)| !judge::reads(method, path))
            .map(|(method, path)| (method, path.split('?').next().unwrap_or_default().to_lowercase()))
            .collect();
        let entries = self.entries();
        let ledger = Ledger::from_entries("", &entries).unwrap();
        for change in &ledger.changes {
            let write = change.intended.action.write();
            let is = |(method, path): &(String, String)| *method == write.method && *path == write.path.to_lowercase();
            if let Some(index) = sent.iter().position(is) {
                sent.remove(index);
            }
        }
        // The ways back stand in the journal by the numbers of their changes.
        let undoing = entries.iter().filter(|entry| entry.kind == "undoing").count();
        if sent.len() <= undoing {
            return Vec::new();
        }
        sent.iter()
            .map(|(method, path)| format!("sent without being in the journal: {method} {path}"))
            .collect()
    }

    pub fn seen(&self) -> Seen {
        let ledger = self.ledger().unwrap_or_default();
        Seen::new(&self.server.estate(), &self.server.log(), Told::Read, &ledger)
    }
}
