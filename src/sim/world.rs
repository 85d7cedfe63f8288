//! The state of one simulated cloud: documents, directory, and what is under way.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Map, Value};
use time::{Duration, OffsetDateTime};

use super::estate::{EstateError, Parts};
use super::graph::Directory;
use super::rights::Tree;
use super::store::Store;

/// Everything that requests read and write.
#[derive(Debug)]
pub struct World {
    /// The tenant's id.
    pub tenant: String,
    /// The principal that every caller is; none for an owner of the root.
    pub operator: Option<String>,
    /// The ARM documents.
    pub store: Store,
    /// The directory: users, groups, service principals.
    pub directory: Directory,
    /// Documents of data planes by URL.
    pub data: Map<String, Value>,
    /// How late new principals and Resource Graph are.
    pub lag: Duration,
    /// How many rows a page of a list holds where the client does not say.
    pub page: usize,
    /// How long a slow operation takes.
    pub slow: Duration,
    /// Whether tokens are looked into.
    pub strict: bool,
    /// The time that reads are answered from, where a fault makes them stale.
    pub as_of: Option<OffsetDateTime>,
    /// When it was started.
    pub started: OffsetDateTime,
    /// What is under way, by key of the resource: until when, and the state that is shown meanwhile.
    pub pending: HashMap<String, (OffsetDateTime, &'static str)>,
    /// The resources whose operations a fault keeps from ending, by key.
    pub endless: HashSet<String>,
    /// The directory as it was before a write, and when that came: kept while a fault answers from the past.
    past: Vec<(OffsetDateTime, Directory)>,
    shell: Map<String, Value>,
    tree: Option<(u64, Arc<Tree>)>,
    /// Grows with every write of any kind.
    pub writes: u64,
}

/// The caller where the estate names no operator.
pub const OWNER: &str = "00000000-0000-4000-8000-00000000f00d";
/// The application of the caller.
pub const CLIENT: &str = "00000000-0000-4000-8000-0000000c11e0";

impl World {
    /// A cloud of this estate.
    ///
    /// # Errors
    /// When the estate is malformed.
    pub fn load(estate: Value, lag: Duration, now: OffsetDateTime) -> Result<Self, EstateError> {
        let mut parts = Parts::load(estate)?;
        let graph = parts.shell.get("graph").cloned().unwrap_or(Value::Null);
        let mut directory = Directory::load(&graph, &parts.tenant).map_err(|why| EstateError {
            place: "/graph".to_owned(),
            why,
        })?;
        for (_, document) in parts.store.all() {
            imply(&mut directory, document);
        }
        if let Some(graph) = parts.shell.get_mut("graph") {
            *graph = Value::Null;
        }
        Ok(Self {
            operator: parts.shell.get("operator").and_then(Value::as_str).map(str::to_owned),
            tenant: parts.tenant,
            store: parts.store,
            directory,
            data: parts.data,
            lag,
            page: 100,
            slow: lag.min(Duration::milliseconds(500)),
            strict: false,
            as_of: None,
            started: now,
            pending: HashMap::new(),
            endless: HashSet::new(),
            past: Vec::new(),
            shell: parts.shell,
            tree: None,
            writes: 0,
        })
    }

    /// The estate as it stands, in the form in which it was loaded.
    pub fn estate(&self) -> Value {
        Parts::save(&self.shell, self.store.shared(), &self.data, self.directory.save())
    }

    /// The object id of the caller.
    pub fn caller(&self) -> String {
        self.operator.clone().unwrap_or_else(|| OWNER.to_owned())
    }

    /// What is shown of a resource while an operation of its is under way.
    pub fn state_of(&self, key: &str, now: OffsetDateTime) -> Option<&'static str> {
        let (until, state) = self.pending.get(key)?;
        (*until > now || self.endless.contains(key)).then_some(*state)
    }

    /// Keeps the directory as it is now, before a write.
    pub fn remember_directory(&mut self, now: OffsetDateTime) {
        self.past.push((now, self.directory.clone()));
    }

    /// The directory as it was at a time, as far back as it was kept.
    pub fn directory_at(&self, at: OffsetDateTime) -> Directory {
        let kept = self.past.iter().find(|(written, _)| *written > at);
        kept.map_or_else(|| self.directory.clone(), |(_, directory)| directory.clone())
    }

    /// Ends what faults keep from ending, and forgets what was kept for them.
    pub fn calm(&mut self) {
        self.endless.clear();
        self.past.clear();
    }

    /// The tree of management groups and subscriptions.
    pub fn tree(&mut self) -> Arc<Tree> {
        match &self.tree {
            Some((generation, tree)) if *generation == self.store.generation => tree.clone(),
            _ => {
                let tree = Arc::new(Tree::of(&self.store, &self.tenant));
                self.tree = Some((self.store.generation, tree.clone()));
                tree
            }
        }
    }

    /// The document under a key, as reads are to see it.
    pub fn read(&self, key: &str) -> Option<&Value> {
        self.store.get_at(key, self.as_of)
    }
}

/// Tells the directory of the principals that a document implies.
fn imply(directory: &mut Directory, document: &Value) {
    let text = |pointer: &str| {
        document
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let kind = text("/type").to_ascii_lowercase();
    let (id, name) = (text("/id"), text("/name"));
    let name = if name.is_empty() {
        id.rsplit('/').next().unwrap_or_default().to_owned()
    } else {
        name
    };
    if kind == "microsoft.managedidentity/userassignedidentities"
        || (kind.is_empty() && id.to_ascii_lowercase().contains("/userassignedidentities/"))
    {
        let principal = text("/properties/principalId");
        if !principal.is_empty() && !id.to_ascii_lowercase().contains("/federatedidentitycredentials/") {
            directory.identity_created(&name, &principal, &text("/properties/clientId"), &id, None);
        }
    } else if text("/identity/type").to_ascii_lowercase().contains("systemassigned") {
        let principal = text("/identity/principalId");
        if !principal.is_empty() {
            directory.identity_created(&name, &principal, &text("/identity/clientId"), &id, None);
        }
    }
}
