//! The state of one simulated cloud: documents, directory, and what is under way.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Map, Value};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::behaviour::Behaviour;
use super::estate::{EstateError, Parts};
use super::graph::Directory;
use super::store::Store;
use super::tree::Tree;
use super::{Answer, Ask};
use crate::types::ResourceId;

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
    /// How late Resource Manager and Graph see new principals.
    pub lag: Duration,
    /// What of Azure's behaviour is on.
    pub behaviour: Behaviour,
    /// How many rows a page of a list holds where the client does not say.
    pub page: usize,
    /// How long a slow operation takes.
    pub slow: Duration,
    /// Whether tokens are looked into.
    pub strict: bool,
    /// How many seconds tokens last, where not as long as Azure's.
    pub life: Option<i64>,
    /// The time that reads are answered from, where a fault makes them stale.
    pub as_of: Option<OffsetDateTime>,
    /// When it was started.
    pub started: OffsetDateTime,
    /// What is under way, by key of the resource: until when, and the state that is shown meanwhile.
    pub pending: HashMap<String, (OffsetDateTime, &'static str)>,
    /// Role assignments that end by themselves, and when.
    pub ends: Vec<(OffsetDateTime, ResourceId)>,
    /// The resources whose operations a fault keeps from ending, by key.
    pub endless: HashSet<String>,
    /// The directory as it stood until some time, oldest first, where reads are to see it late.
    earlier: Vec<(OffsetDateTime, Directory)>,
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
        let ends = ends(&parts.store, now);
        let own = parts.shell.get("behaviour").and_then(Value::as_object);
        let behaviour = Behaviour::with_lag(lag)
            .changed(own.unwrap_or(&Map::new()))
            .map_err(|why| EstateError {
                place: "/behaviour".to_owned(),
                why,
            })?;
        Ok(Self {
            operator: parts.shell.get("operator").and_then(Value::as_str).map(str::to_owned),
            tenant: parts.tenant,
            store: parts.store,
            directory,
            data: parts.data,
            lag: Duration::seconds_f64(behaviour.late_principals),
            behaviour,
            page: 100,
            slow: lag.min(Duration::milliseconds(500)),
            strict: false,
            life: None,
            as_of: None,
            started: now,
            pending: HashMap::new(),
            ends,
            endless: HashSet::new(),
            earlier: Vec::new(),
            shell: parts.shell,
            tree: None,
            writes: 0,
        })
    }

    /// Changes what of Azure's behaviour is on.
    ///
    /// # Errors
    /// What is wrong with the changes.
    pub fn behave(&mut self, changes: &Map<String, Value>) -> Result<(), String> {
        self.behaviour = self.behaviour.changed(changes)?;
        self.lag = Duration::seconds_f64(self.behaviour.late_principals);
        Ok(())
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

    /// Ends what faults keep from ending, and forgets what was kept for them.
    pub fn calm(&mut self) {
        self.endless.clear();
        self.earlier.clear();
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

    /// Takes away the assignments whose time is over.
    pub fn expire(&mut self, now: OffsetDateTime) {
        if self.ends.iter().all(|(end, _)| *end > now) {
            return;
        }
        for (end, id) in std::mem::take(&mut self.ends) {
            if end > now {
                self.ends.push((end, id));
            } else if self.store.remove(id.key(), now).is_some() {
                self.writes += 1;
            }
        }
    }

    /// The directory's answer to a request: reads see it as late as they are to.
    ///
    /// * `ago`: how many seconds a read is to see it late, where a fault asks for that
    /// * `keep`: whether a fault may still ask for the directory as it stands now
    pub fn graph(&mut self, ask: &Ask, ago: Option<f64>, keep: bool) -> Answer {
        let late = Duration::seconds_f64(self.behaviour.late_directory);
        if only_reads(ask) {
            let seen = ask.now - ago.map_or(late, |ago| late.max(Duration::seconds_f64(ago)));
            let earlier = self.earlier.iter_mut().find(|(until, _)| *until > seen);
            return match earlier {
                Some((_, earlier)) => earlier.answer(ask),
                None => self.directory.answer(ask),
            };
        }
        if late.is_zero() && !keep {
            self.earlier.clear();
            return self.directory.answer(ask);
        }
        let before = self.directory.clone();
        let answer = self.directory.answer(ask);
        if !keep {
            self.earlier.retain(|(until, _)| *until > ask.now - late);
        }
        if answer.status < 300 {
            self.earlier.push((ask.now, before));
        }
        answer
    }

    /// How many seconds a token lasts which usually lasts `usual`.
    pub fn token_life(&self, usual: i64) -> i64 {
        self.life.unwrap_or(usual)
    }

    /// The document under a key, as reads are to see it.
    pub fn read(&self, key: &str) -> Option<&Value> {
        self.store.get_at(key, self.as_of)
    }
}

/// Whether a request to Graph changes nothing: actions that only read are POSTs.
fn only_reads(ask: &Ask) -> bool {
    let last = ask.path.rsplit(['/', '.']).next().unwrap_or_default();
    let last = last.to_ascii_lowercase();
    ask.method == http::Method::GET || last.starts_with("get") || last.starts_with("check")
}

/// The client id of a system-assigned identity, which no resource shows: made of the principal's, so that it stays.
pub fn system_client(principal: &str) -> String {
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, principal.as_bytes()).to_string()
}

/// What schedules end in time to come: themselves, and the assignments that they made.
fn ends(store: &Store, now: OffsetDateTime) -> Vec<(OffsetDateTime, ResourceId)> {
    let read = |document: &Value| {
        let text = |name: &str| document["properties"][name].as_str();
        let end = OffsetDateTime::parse(text("endDateTime")?, &Rfc3339).ok()?;
        let ids = [document["id"].as_str(), text("originRoleAssignmentId")];
        let ids = ids.into_iter().flatten().filter_map(|id| ResourceId::parse(id).ok());
        (end > now).then(|| ids.map(|id| (end, id)).collect::<Vec<_>>())
    };
    [
        "assignmentschedules",
        "assignmentscheduleinstances",
        "eligibilityschedules",
        "eligibilityscheduleinstances",
    ]
    .iter()
    .flat_map(|kind| store.of_type(&format!("microsoft.authorization/role{kind}")))
    .filter_map(|(_, document)| read(document))
    .flatten()
    .collect()
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
            let client = Some(text("/identity/clientId")).filter(|client| !client.is_empty());
            let client = client.unwrap_or_else(|| system_client(&principal));
            directory.identity_created(&name, &principal, &client, &id, None);
        }
    }
}
