//! A change: the unit of plan, journal and undo. All of it is plain data, so that a later process can
//! settle it, or take it back, from the journal alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::edit::EditSet;
use crate::azure::{Plane, Request};
use crate::postgres::Statement;
use crate::types::Connection;

/// A request that changes something, as data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Write {
    /// Which API it goes to.
    pub plane: WritePlane,
    /// `PUT`, `PATCH`, `POST`, `DELETE`; `GET` where a document is read for an edit; `SQL` for statements.
    pub method: String,
    /// Path relative to the cloud's endpoint, without query; `https://host/…` for data planes, `postgres://host:port/name`
    /// for databases.
    pub path: String,
    /// Query parameters, `api-version` among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<(String, String)>,
    /// Additional headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// The JSON body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

/// The method of statements.
pub const SQL: &str = "SQL";

/// The API that a [`Write`] goes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WritePlane {
    /// Azure Resource Manager.
    Arm,
    /// Microsoft Graph.
    Graph,
    /// A service's own data plane, with tokens for this audience; `named` when the script's `HOSTS` names the host.
    Data {
        /// The audience of the token.
        audience: String,
        /// Whether the script itself allows the host.
        #[serde(default)]
        named: bool,
    },
    /// A database of a PostgreSQL server. The body is a [`Statements`].
    Postgres {
        /// Where it is.
        connection: Connection,
    },
}

/// Statements that take effect all together or not at all, as the body of a [`Write`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Statements {
    /// The statements.
    pub statements: Vec<Statement>,
    /// A query that must be true at the beginning of their transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require: Option<Statement>,
}

impl Write {
    /// A request of `method` to `path`, which may carry a query.
    pub fn new(plane: WritePlane, method: &str, path: &str) -> Self {
        let (path, query) = split_query(path);
        Self {
            plane,
            method: method.to_owned(),
            path,
            query,
            headers: Vec::new(),
            body: None,
        }
    }

    /// A request to Azure Resource Manager.
    pub fn arm(method: &str, path: &str, api_version: &str) -> Self {
        let mut write = Self::new(WritePlane::Arm, method, path);
        write.set_query("api-version", api_version);
        write
    }

    /// A request to Microsoft Graph; `path` begins with its version: `/v1.0/groups/…`.
    pub fn graph(method: &str, path: &str) -> Self {
        Self::new(WritePlane::Graph, method, path)
    }

    /// Statements for a database.
    pub fn sql(connection: &Connection, statements: &Statements) -> Self {
        let plane = WritePlane::Postgres {
            connection: connection.clone(),
        };
        let mut write = Self::new(plane, SQL, &connection.address());
        // Plain data with string keys, so it always becomes JSON.
        write.body = serde_json::to_value(statements).ok();
        write
    }

    /// The same with a body.
    #[must_use]
    pub fn with_body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// The same with another method and no body: `GET` of what is to be written, say.
    #[must_use]
    pub fn as_method(&self, method: &str) -> Self {
        Self {
            method: method.to_owned(),
            body: None,
            ..self.clone()
        }
    }

    /// Sets a query parameter, unless it is there already.
    pub fn set_query(&mut self, name: &str, value: &str) {
        if !self.query.iter().any(|(key, _)| key.eq_ignore_ascii_case(name)) {
            self.query.push((name.to_owned(), value.to_owned()));
        }
    }

    /// What it is sent to, in the form that outputs show: without query, as sent.
    pub fn target(&self) -> &str {
        &self.path
    }

    /// The target in the form that is compared: in lower case.
    pub fn target_key(&self) -> String {
        self.path.to_lowercase()
    }

    /// The request that the client sends. Statements are no request: the client refuses their address.
    pub fn request(&self) -> Request {
        let (plane, allow_host) = match &self.plane {
            WritePlane::Arm => (Plane::Arm, false),
            WritePlane::Graph => (Plane::Graph, false),
            WritePlane::Data { audience, named } => (
                Plane::Data {
                    audience: audience.clone(),
                },
                *named,
            ),
            WritePlane::Postgres { .. } => (
                Plane::Data {
                    audience: String::new(),
                },
                false,
            ),
        };
        let method = http::Method::from_bytes(self.method.as_bytes()).unwrap_or(http::Method::GET);
        let mut request = Request::new(plane, method, self.path.clone());
        request.query.extend(self.query.iter().cloned());
        request.headers.extend(self.headers.iter().cloned());
        request.body.clone_from(&self.body);
        request.allow_host = allow_host;
        request
    }
}

/// A path and its query, taken apart.
pub fn split_query(path: &str) -> (String, Vec<(String, String)>) {
    match path.split_once('?') {
        None => (path.to_owned(), Vec::new()),
        Some((path, query)) => (
            path.to_owned(),
            url::form_urlencoded::parse(query.as_bytes())
                .map(|(k, v)| (k.into_owned(), v.into_owned()))
                .collect(),
        ),
    }
}

/// How a change reaches Azure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(
    clippy::large_enum_variant,
    reason = "one a change; a box would cost every reader more"
)]
pub enum Action {
    /// One request, with its body.
    Send(Write),
    /// A fresh read, edits at JSON pointers, and a conditional write; the document is never stored.
    Edit(EditSet),
}

impl Action {
    /// The method that is sent.
    pub fn method(&self) -> &str {
        match self {
            Action::Send(write) => &write.method,
            Action::Edit(edit) => &edit.write.method,
        }
    }

    /// The request, for an edit the one that writes.
    pub fn write(&self) -> &Write {
        match self {
            Action::Send(write) => write,
            Action::Edit(edit) => &edit.write,
        }
    }
}

/// How it is told, from a fresh read, whether a change is in place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Probe {
    /// A GET of the target shows at least these members (of a PUT or PATCH).
    Shows(Value),
    /// A GET of the target answers 404 (of a DELETE).
    Gone,
    /// The list at `path` has (or has not) an entry whose `member` equals `value`, without regard to case.
    Listed {
        /// The list, with its query.
        list: Write,
        /// The member that is compared.
        member: String,
        /// Its value.
        value: String,
        /// Further members that the entry must have, with their values.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        also: BTreeMap<String, String>,
        /// Whether the entry must be there.
        there: bool,
    },
    /// A document shows (or does not show) at least this, its arrays taken as sets: what an action in the clothes of a
    /// document has done.
    Holds {
        /// The document.
        read: Write,
        /// What is looked for.
        wanted: Value,
        /// Whether it must be there.
        there: bool,
    },
    /// A query of a database is true (its first column, in its first row).
    True {
        /// The database.
        connection: Connection,
        /// The query.
        query: Statement,
    },
    /// All edits of the action are in place.
    Edits,
    /// It cannot be told; the request is sent again, since every write is an ensure.
    Unknowable,
}

impl Probe {
    /// Whether a read can tell it.
    pub fn can_tell(&self) -> bool {
        !matches!(self, Probe::Unknowable)
    }
}

/// How a change is taken back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(
    clippy::large_enum_variant,
    reason = "one a change; a box would cost every reader more"
)]
pub enum Undo {
    /// By a request.
    Send(Write),
    /// By edits: only values that still are what Ferry wrote are restored.
    Edit(EditSet),
    /// By deleting what the request made in this collection, by the id that Azure gave it.
    Created(Write),
    /// Not at all, because of this.
    Never(String),
    /// Not at all, and a run that made it cannot be rolled back any more, because of this.
    NoReturn(String),
}

/// What stood at the target before.
#[derive(Debug, Clone, PartialEq)]
pub enum Before {
    /// The session reads it when the change is made.
    Read,
    /// The operation has just read it: the document, or that there was none.
    Known(Option<Value>),
    /// It cannot be read.
    Unreadable,
}

/// An answer that means "it is so already".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Already {
    /// HTTP status.
    pub status: u16,
    /// A part of the message or of the code, in any case.
    pub says: &'static str,
}

/// Something that an operation wants done, with the four parts that every change has: a sentence for
/// the plan, a probe, the before-image, and the way back.
#[derive(Debug, Clone)]
pub struct Change {
    /// The operation, as `role_assignment::ensure`.
    pub op: String,
    /// One sentence for the plan: "Grant Reader to id-orders at rg-orders".
    pub what: String,
    /// What it does to workloads: `none`, `restart`, `redeploy`, `drain`, …
    pub effect: String,
    /// How it reaches Azure.
    pub action: Action,
    /// How it is told whether it is in place.
    pub probe: Probe,
    /// What stood there before.
    pub before: Before,
    /// How it is taken back; none lets the session derive it from the before-image.
    pub undo: Option<Undo>,
    /// Answers that mean "it is so already".
    pub already: Vec<Already>,
    /// The principal that the request names and that may not have replicated yet.
    pub principal: Option<String>,
    /// What the plan's overlay shows at the target afterwards, where that is more than the body.
    pub shows: Option<Value>,
}

impl Change {
    /// A change by one request, with the parts that follow from the method.
    pub fn send(op: &str, what: impl Into<String>, write: Write) -> Self {
        let probe = match (write.method.as_str(), &write.body) {
            ("DELETE", _) => Probe::Gone,
            ("PUT" | "PATCH", Some(body)) => Probe::Shows(body.clone()),
            _ => Probe::Unknowable,
        };
        let before = if matches!(write.method.as_str(), "PUT" | "PATCH" | "DELETE") {
            Before::Read
        } else {
            Before::Unreadable
        };
        Self {
            op: op.to_owned(),
            what: what.into(),
            effect: "none".to_owned(),
            action: Action::Send(write),
            probe,
            before,
            undo: None,
            already: Vec::new(),
            principal: None,
            shows: None,
        }
    }

    /// A change by statements of a database. `undo` takes it back, `done` tells whether it is in place.
    pub fn sql(
        op: &str,
        what: impl Into<String>,
        (connection, statements): (&Connection, &Statements),
        undo: Option<&Statements>,
        done: Option<Statement>,
    ) -> Self {
        let undo = match undo {
            Some(undo) => Undo::Send(Write::sql(connection, undo)),
            None => Undo::Never("the script names no statements that take it back".into()),
        };
        Self {
            probe: done.map_or(Probe::Unknowable, |query| Probe::True {
                connection: connection.clone(),
                query,
            }),
            undo: Some(undo),
            ..Self::send(op, what, Write::sql(connection, statements))
        }
    }

    /// A change by edits of a document.
    pub fn edit(op: &str, what: impl Into<String>, edit: EditSet) -> Self {
        Self {
            op: op.to_owned(),
            what: what.into(),
            effect: "none".to_owned(),
            undo: Some(Undo::Edit(edit.reversed())),
            action: Action::Edit(edit),
            probe: Probe::Edits,
            before: Before::Unreadable,
            already: Vec::new(),
            principal: None,
            shows: None,
        }
    }
}
