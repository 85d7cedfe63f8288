//! A relocation in this process, on a simulator of its own: a cell of the matrix.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ferry::azure::{self, AuthMethod, Client, Cloud, Tokens};
use ferry::error::{Error, Kind as Ending};
use ferry::host::{Host, Params, Scripts};
use ferry::run::record::{Ledger, Started};
use ferry::run::{self, Connect, Session, Status, nobody};
use ferry::sim;
use ferry::store::{SqliteStore, Store};
use futures::FutureExt as _;
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

use super::faults::{Fault, Setting, Told};
use super::judge::{self, Seen};
use super::kinds::Kind;

/// Whoever is not done by then hangs.
const HANGS: Duration = Duration::from_mins(4);

/// What all cells share.
pub struct Lab {
    runtime: Runtime,
    estate: Value,
    foreign: String,
    visitors: Arc<AtomicUsize>,
}

/// What came of a cell.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// `ok`, or the code of the error that the run ended with before it was resumed.
    pub word: String,
    /// What is wrong: nothing of it may be.
    pub problems: Vec<String>,
    /// What was seen.
    pub seen: Seen,
}

impl Lab {
    pub fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let text = std::fs::read_to_string(crate::support::estate_file("every-kind")).unwrap();
        let visitors = Arc::new(AtomicUsize::new(0));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let foreign = format!("http://{}", listener.local_addr().unwrap());
        let count = Arc::clone(&visitors);
        runtime.spawn(async move {
            while listener.accept().await.is_ok() {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self {
            runtime,
            estate: serde_json::from_str(&text).unwrap(),
            foreign,
            visitors,
        }
    }

    /// How often somebody has called at the host that is not the cloud's.
    pub fn visitors(&self) -> usize {
        self.visitors.load(Ordering::SeqCst)
    }

    /// A relocation that nothing disturbs.
    pub fn undisturbed(&self) -> Seen {
        let cell = self.cell(&json!([]));
        assert_eq!(cell.attempt(false).map_err(|error| error.to_string()), Ok(()));
        let seen = cell.seen(Told::Read);
        assert!(seen.repeated.is_empty(), "{:?}", seen.repeated);
        seen
    }

    /// A relocation with a fault; one that fails is resumed when the fault is gone.
    pub fn disturbed(&self, kind: &Kind, fault: &Fault, once: bool, calm: &Seen) -> Outcome {
        let setting = Setting {
            once,
            foreign: &self.foreign,
        };
        let cell = self.cell(&json!([fault.armed(kind, &setting)]));
        let mut problems = Vec::new();
        let word = match cell.attempt(false) {
            Ok(()) => "ok".to_owned(),
            Err(error) if error.kind == Ending::Interrupted => {
                problems.push("it hangs".to_owned());
                "hangs".to_owned()
            }
            Err(error) => {
                cell.server.clear_faults();
                if let Err(second) = cell.attempt(true) {
                    problems.push(format!("after {error}: resume ended with {second}"));
                }
                error.code
            }
        };
        // What was held up takes effect in the end, and must then change nothing.
        std::thread::sleep(fault.aftermath());
        let seen = cell.seen(fault.told());
        problems.extend(judge::compare(calm, &seen));
        if seen.hits == 0 {
            problems.push("the fault hit nothing".to_owned());
        }
        Outcome { word, problems, seen }
    }

    /// A relocation to come, with faults as `/_sim/faults` takes them.
    pub fn cell(&self, faults: &Value) -> Cell<'_> {
        Cell::new(self, serde_json::from_value(faults.clone()).unwrap())
    }
}

/// A simulator and a state directory.
pub struct Cell<'a> {
    lab: &'a Lab,
    pub server: sim::Server,
    directory: tempfile::TempDir,
}

impl<'a> Cell<'a> {
    fn new(lab: &'a Lab, faults: Vec<sim::Fault>) -> Self {
        let options = sim::Options {
            estate: lab.estate.clone(),
            lag: Some(Duration::from_millis(60)),
            faults,
            ..sim::Options::default()
        };
        Self {
            lab,
            server: lab.runtime.block_on(sim::Server::start(options)).unwrap(),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn store(&self) -> SqliteStore {
        SqliteStore::new(self.directory.path())
    }

    /// The relocation from its beginning, or from where its journal ends.
    pub fn attempt(&self, resumed: bool) -> Result<(), Error> {
        let host = Host::new(Scripts::embedded())?;
        let store = self.store();
        let journal = if resumed {
            store.open(&store.resolve("last")?)?
        } else {
            store.create("relocate", "matrix", "matrix")?
        };
        let options = run::Options {
            yes: true,
            concurrency: 1,
            ..run::Options::default()
        };
        let session = Session::run(
            self.lab.runtime.handle().clone(),
            self.connect(),
            options,
            nobody(),
            journal,
        )?;
        let runbook = host.runbook("relocate")?;
        let demo = self.lab.estate["demo"]["relocate"].as_object().unwrap().clone();
        let params = host.params_with(&runbook, &[], &demo)?;
        if resumed {
            session.finish(Status::Running, None)?;
        } else {
            session.begin(self.started(&params))?;
        }
        let cancel = session.cancel();
        let watch = self.lab.runtime.spawn(async move {
            tokio::time::sleep(HANGS).await;
            cancel.cancel();
        });
        let outcome = host.run(&runbook, &params, &session);
        watch.abort();
        outcome.map(|_| ())
    }

    fn started(&self, params: &Params) -> Started {
        Started {
            leave_out: Vec::new(),
            runbook: "relocate".to_owned(),
            key: None,
            params: Value::Object(params.values.clone()),
            source_params: Map::new(),
            cloud: json!({ "cloud": self.server.url() }),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    fn connect(&self) -> Connect {
        let url = self.server.url().to_owned();
        Box::new(move || {
            let url = url.clone();
            async move {
                let cloud = Cloud::resolve(&url).await?;
                let tokens = Tokens::new(&cloud, AuthMethod::Auto)?;
                Client::new(cloud, tokens, patience())
            }
            .boxed()
        })
    }

    fn seen(&self, told: Told) -> Seen {
        Seen::new(&self.server.estate(), &self.log(), told, &self.ledger())
    }

    /// The requests so far, a JSON line each.
    pub fn log(&self) -> String {
        self.server.log()
    }

    /// What the journal adds up to.
    pub fn ledger(&self) -> Ledger {
        let store = self.store();
        let run = store.resolve("last").unwrap();
        Ledger::from_entries(&run, &store.read(&run).unwrap()).unwrap()
    }
}

/// A client whose patience is short, so that a matrix takes minutes.
fn patience() -> azure::Options {
    azure::Options {
        concurrency: 4,
        response_timeout: Duration::from_secs(2),
        tries: 3,
        retry_base: Duration::from_millis(5),
        retry_cap: Duration::from_millis(20),
        retry_total: Duration::from_secs(5),
        poll_interval: Duration::from_millis(10),
        poll_cap: Duration::from_millis(50),
        poll_total: Duration::from_millis(800),
        ..azure::Options::default()
    }
}
