//! A simulator in this process, and the host on it: a script's functions are called as a run calls them.

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use ferry::azure::{AuthMethod, Client, Cloud as Endpoint, LogLine, Options as Wire, Tokens};
use ferry::host::{Host, Program, Scripts};
use ferry::run::{Connect, Options, Session, nobody};
use ferry::sim::{Options as Simulated, Server};
use ferry::store::{SqliteStore, Store as _};
use futures::FutureExt as _;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// An estate that is served, the identity that it is about, and another one that is to have what the first one has.
pub struct Cloud {
    /// The estate's name, for messages.
    pub name: String,
    /// The identity that has grants and bindings.
    pub old: Value,
    /// One that has none.
    pub target: Value,
    /// One that is only planned, in the session that plans.
    pub planned: Value,
    host: Host,
    sent: Sent,
    server: Server,
    /// What `references.rhai` finds for the old identity, once it was asked for.
    references: OnceLock<Vec<Value>>,
    /// What `identity_blocks.rhai` finds for it.
    blocks: OnceLock<Vec<Value>>,
    /// A session that plans, and the identity that it has planned.
    planning: Program,
    /// A session that writes at once, and keeps a journal as every one that writes does.
    writing: Program,
    _state: tempfile::TempDir,
    runtime: Runtime,
}

impl Cloud {
    /// Serves an estate, with one identity more: the target.
    pub fn start(name: &str, estate: Value, scripts: &Path) -> Self {
        Self::serve(name, estate, scripts, None)
    }

    /// The same, with lists that come in pages of so many rows.
    pub fn serve(name: &str, mut estate: Value, scripts: &Path, page_size: Option<usize>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let id = estate["demo"]["relocate"]["identity"].as_str().unwrap().to_owned();
        let made = format!("{}/id-contract", id.rsplit_once('/').unwrap().0);
        let target = json!({
            "id": made,
            "name": "id-contract",
            "type": "Microsoft.ManagedIdentity/userAssignedIdentities",
            "location": estate["demo"]["relocate"]["to"],
            "properties": {
                "tenantId": estate["tenantId"],
                "principalId": "c0117ac7-0001-4001-8001-c0117ac70001",
                "clientId": "c0117ac7-0002-4002-8002-c0117ac70002",
            },
        });
        let documents = estate["arm"]["resources"].as_array_mut().unwrap();
        // An estate that was served before has it already.
        documents.retain(|document| !document["id"].as_str().unwrap().eq_ignore_ascii_case(&made));
        documents.push(target);
        let simulated = Simulated {
            estate,
            lag: Some(Duration::ZERO),
            page_size,
            ..Simulated::default()
        };
        let server = runtime.block_on(Server::start(simulated)).unwrap();
        // Whoever writes scripts puts theirs to the test without compiling anything.
        let edited = std::env::var_os("FERRY_CONTRACT_SCRIPTS").map(Into::into);
        let scripts = Scripts {
            dirs: edited.into_iter().chain([scripts.to_owned()]).collect(),
            ignore: true,
        };
        let (host, sent) = (Host::new(scripts).unwrap(), Sent::default());
        let state = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::new(state.path()));
        let journal = Box::new(move || store.create("contract", "contract", "contract"));
        let (handle, connect) = (runtime.handle().clone(), connect(server.url(), &sent));
        let session = Session::explore(handle, connect, options(), nobody(), Some(journal));
        session.allow_writes(true).unwrap();
        let mut cloud = Self {
            name: name.to_owned(),
            old: Value::Null,
            target: Value::Null,
            planned: Value::Null,
            references: OnceLock::new(),
            blocks: OnceLock::new(),
            planning: host.program(&session),
            writing: host.program(&session),
            host,
            sent,
            server,
            _state: state,
            runtime,
        };
        cloud.old = cloud.eval(&cloud.writing, &format!("identity::get({})", text(&id)));
        cloud.target = cloud.eval(&cloud.writing, &format!("identity::get({})", text(&made)));
        cloud.plan_anew();
        cloud
    }

    /// Begins another session that plans.
    pub fn plan_anew(&mut self) {
        let (handle, connect) = (self.runtime.handle().clone(), connect(self.server.url(), &self.sent));
        self.planning = self.host.program(&Session::plan(handle, connect, options(), nobody()));
        let id = text(&format!("{}-planned", self.target["id"].as_str().unwrap()));
        let planned = format!("identity::create(#{{ id: {id}, location: \"westeurope\" }})");
        self.planned = self.eval(&self.planning, &planned);
    }

    /// How many changes were planned so far.
    pub fn changes_planned(&self) -> usize {
        self.planning.session().planned().len()
    }

    /// What a function of a file returns in the session that plans.
    ///
    /// # Errors
    /// What it throws, in words.
    pub fn plan(&self, script: (&str, &str), function: &str, arguments: &[&Value]) -> Result<Value, String> {
        call(&self.planning, script, function, arguments)
    }

    /// The references to the old identity in a document.
    pub fn references_in(&self, resource: &str) -> Vec<Value> {
        self.found_in(&self.references, "references", resource)
    }

    /// The identity block of a document, where it names the old identity and takes another one beside it.
    pub fn block_of(&self, resource: &str) -> Option<Value> {
        let mut blocks = self.found_in(&self.blocks, "identity_blocks", resource).into_iter();
        blocks.find(|block| {
            block["modes"]
                .as_array()
                .is_some_and(|modes| modes.contains(&json!("overlap")))
        })
    }

    fn found_in(&self, known: &OnceLock<Vec<Value>>, file: &str, resource: &str) -> Vec<Value> {
        let all = known.get_or_init(|| {
            let found = self.call(("bindings", file), "find", &[&self.old]);
            found.unwrap().as_array().unwrap().clone()
        });
        let here = |binding: &&Value| {
            binding["resource"]
                .as_str()
                .is_some_and(|id| id.eq_ignore_ascii_case(resource))
        };
        all.iter().filter(here).cloned().collect()
    }

    /// What waits for a person: tasks and their texts.
    pub fn handed_over(&self) -> Vec<(String, String)> {
        self.writing.session().open_hand_overs()
    }

    /// The files of a kind, shipped ones and others.
    pub fn files(&self, kind: &str) -> Vec<String> {
        let files = self.eval(&self.writing, &format!("plugin::files({})", text(kind)));
        serde_json::from_value(files).unwrap()
    }

    /// The value of an expression that must not fail.
    #[track_caller]
    fn eval(&self, program: &Program, expression: &str) -> Value {
        match program.eval(expression) {
            Ok(value) => value,
            Err(error) => panic!("{}: {expression}: {error} {:?}", self.name, error.azure),
        }
    }

    /// Whether a file has a function.
    pub fn has(&self, (kind, file): (&str, &str), function: &str) -> bool {
        let ask = format!("plugin::has({}, {}, {})", text(kind), text(file), text(function));
        self.eval(&self.writing, &ask) == json!(true)
    }

    /// What a function of a file returns in a session that writes.
    ///
    /// # Errors
    /// What it throws, in words.
    pub fn call(&self, script: (&str, &str), function: &str, arguments: &[&Value]) -> Result<Value, String> {
        call(&self.writing, script, function, arguments)
    }

    /// What `relocation/items` makes of a function of the file that found an item: what runbooks call.
    ///
    /// # Errors
    /// What it throws, in words.
    pub fn through(&self, function: &str, file: &str, item: &Value, identities: &[&Value]) -> Result<Value, String> {
        let mut item = item.clone();
        item["file"] = json!(file);
        let given = [&item].into_iter().chain(identities.iter().copied());
        let call = format!("items::{function}({})", parsed(given));
        said(
            &self.writing,
            function,
            &format!("import \"relocation/items\" as items; {call}"),
        )
    }

    /// The stored documents.
    pub fn estate(&self) -> Value {
        self.server.estate()
    }

    /// Another session on the same tenant, which reads: it knows nothing that this one has read before.
    pub fn look(&self) -> Look {
        let (handle, connect) = (self.runtime.handle().clone(), connect(self.server.url(), &self.sent));
        Look(
            self.host
                .program(&Session::explore(handle, connect, options(), nobody(), None)),
        )
    }

    /// The requests so far, those inside of batches too: a mark for [`Cloud::requests_since`].
    pub fn requests(&self) -> usize {
        self.server.log().lines().count()
    }

    /// The requests since a mark, method and path, without those by which a client finds its way in.
    pub fn requests_since(&self, mark: usize) -> Vec<(String, String)> {
        let log = self.server.log();
        let sent = log.lines().skip(mark).map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| line[name].as_str().unwrap().to_owned();
            (text("method"), text("path"))
        });
        sent.filter(|(_, path)| !path.starts_with("/msi/") && !path.starts_with("/metadata/"))
            .collect()
    }

    /// Lets every request to a path that fits a pattern fail, and no other.
    pub fn fail(&self, method: &str, pattern: &str, answer: &Value) {
        let fault = json!({ "match": { "method": method, "path": pattern }, "do": answer });
        self.server.clear_faults();
        self.server.add_faults(vec![serde_json::from_value(fault).unwrap()]);
    }

    /// How many writes were sent so far: a mark for [`Cloud::writes_since`].
    pub fn writes(&self) -> usize {
        self.sent.lock().unwrap().len()
    }

    /// The writes that were sent since a mark, as `METHOD PATH`.
    pub fn writes_since(&self, mark: usize) -> Vec<String> {
        self.sent.lock().unwrap()[mark..].to_vec()
    }
}

/// A session that only looks, and what it says beside its answers.
pub struct Look(Program);

impl Look {
    /// What a function of a file returns.
    ///
    /// # Errors
    /// What it throws, in words.
    pub fn call(&self, script: (&str, &str), function: &str, arguments: &[&Value]) -> Result<Value, String> {
        call(&self.0, script, function, arguments)
    }

    /// What it said could not be seen, and what it found, in words.
    pub fn told(&self) -> Vec<String> {
        self.0.session().ledger(|ledger| {
            let unseen = ledger.unseen.iter().map(|item| item.scope.clone());
            let found = ledger
                .findings
                .iter()
                .map(|item| format!("{} {}", item.target, item.message));
            unseen.chain(found).collect()
        })
    }
}

fn call(program: &Program, script: (&str, &str), function: &str, arguments: &[&Value]) -> Result<Value, String> {
    let (kind, file) = script;
    let ask = format!(
        "plugin::call({}, {}, {}, [{}])",
        text(kind),
        text(file),
        text(function),
        parsed(arguments.iter().copied())
    );
    said(program, function, &ask)
}

/// Values as arguments of a call.
fn parsed<'a>(values: impl Iterator<Item = &'a Value>) -> String {
    let values: Vec<String> = values
        .map(|value| format!("parse_json({})", text(&value.to_string())))
        .collect();
    values.join(", ")
}

/// The value of an expression; what it throws in words, with what it is about.
fn said(program: &Program, function: &str, ask: &str) -> Result<Value, String> {
    program.eval(ask).map_err(|error| {
        let said = error
            .azure
            .as_ref()
            .map(|said| format!(" · {}: {}", said.code, said.message));
        let on = error.on.as_ref().map(|on| format!(" · on {on}"));
        format!(
            "{function} threw {error}{}{}",
            said.unwrap_or_default(),
            on.unwrap_or_default()
        )
    })
}

fn connect(url: &str, sent: &Sent) -> Connect {
    let (url, sent) = (url.to_owned(), sent.clone());
    Box::new(move || {
        let (url, sent) = (url.clone(), sent.clone());
        async move {
            let cloud = Endpoint::resolve(&url).await?;
            let tokens = Tokens::new(&cloud, AuthMethod::Auto)?;
            Client::new(cloud, tokens, wire(sent))
        }
        .boxed()
    })
}

/// The writes that clients have sent.
type Sent = Arc<Mutex<Vec<String>>>;

/// Every write is written down. Slow operations end at once here, so they are asked about at once.
fn wire(sent: Sent) -> Wire {
    let observer = move |line: &LogLine| {
        if line.method != "GET" && !reads(&line.target) {
            sent.lock().unwrap().push(format!("{} {}", line.method, line.target));
        }
    };
    Wire {
        observer: Some(Arc::new(observer)),
        poll_interval: Duration::from_millis(2),
        poll_cap: Duration::from_millis(5),
        ..Wire::default()
    }
}

/// A POST that reads: queries, and the actions that show what documents hide.
fn reads(path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default().to_lowercase();
    let last = path.rsplit('/').next().unwrap_or_default();
    last.starts_with("list")
        || [
            "resources",
            "getbyids",
            "getmembergroups",
            "checkpolicyrestrictions",
            "$batch",
            "token",
            "mgmt",
        ]
        .contains(&last)
}

fn options() -> Options {
    Options {
        concurrency: 8,
        ..Options::default()
    }
}

/// A text as the script language takes it: JSON escapes what it escapes.
fn text(value: &str) -> String {
    Value::String(value.to_owned()).to_string()
}

/// The same identity, in other letters: ids in capitals, or with `resourcegroups` as some services spell it.
pub fn respelled(identity: &Value) -> [Value; 2] {
    let turned = |turn: &dyn Fn(&str) -> String| {
        let mut identity = identity.clone();
        for name in ["id", "principalId", "clientId"] {
            identity[name] = Value::String(turn(identity[name].as_str().unwrap()));
        }
        identity
    };
    [
        turned(&str::to_uppercase),
        turned(&|id| id.replace("/resourceGroups/", "/resourcegroups/")),
    ]
}
