//! Databases through the session: questions, and changes by statements.

use serde_json::{Value, json};

use super::change::{Change, Probe, Statements, Write, WritePlane};
use super::placeholder;
use super::send::Sent;
use super::session::{Mode, Session, lock};
use crate::error::Error;
use crate::postgres::{Password, Statement};
use crate::types::Connection;

impl Session {
    /// The rows that a query gives, each as a map; it cannot write. In a plan it sees the database as it is, and one that
    /// depends on what only Azure can give finds nothing.
    ///
    /// # Errors
    /// Those of the server and of the way there.
    pub fn query_database(&self, connection: &Connection, query: &Statement) -> Result<Vec<Value>, Error> {
        if is_open(query) {
            return Ok(Vec::new());
        }
        let password = self.password(connection)?;
        let rows = self.block(self.databases.query(connection, password.as_ref(), query))?;
        for row in &rows {
            self.secrets.learn_public(row);
        }
        Ok(rows)
    }

    /// Whether a query's first column is true in its first row.
    pub(super) fn holds_in_database(&self, connection: &Connection, query: &Statement) -> Result<bool, Error> {
        let password = self.password(connection)?;
        self.block(self.databases.holds(connection, password.as_ref(), query))
    }

    /// Whether a change by statements has nothing left to do.
    pub(super) fn holds_already(&self, change: &Change) -> Result<bool, Error> {
        match (&change.action.write().plane, &change.probe) {
            (WritePlane::Postgres { .. }, Probe::True { connection, query }) if !is_open(query) => {
                self.holds_in_database(connection, query)
            }
            _ => Ok(false),
        }
    }

    /// Runs the statements of a write in one transaction.
    pub(super) fn send_statements(&self, write: &Write) -> Result<Sent, Error> {
        let (WritePlane::Postgres { connection }, Some(body)) = (&write.plane, &write.body) else {
            return Err(Error::failed(
                "internal",
                "a write without statements went to a database",
            ));
        };
        if self.mode() == Mode::Plan || placeholder::is_within(body) {
            return Err(
                Error::failed("internal", "statements of a plan were about to be sent").on(connection.address())
            );
        }
        let body: Statements = serde_json::from_value(body.clone())
            .map_err(|error| Error::failed("internal", format!("statements that are none: {error}")))?;
        let password = self.password(connection)?;
        let guard = self.guard();
        self.block(self.databases.change(
            connection,
            password.as_ref(),
            &body.statements,
            body.require.as_ref(),
            &guard,
        ))?;
        Ok(Sent {
            outcome: outcome(true),
            request_id: None,
            already: false,
        })
    }

    /// The password for a connection: what the environment has, else the operator's Entra token, where the cloud ties the
    /// host to it. It never leaves the session.
    fn password(&self, connection: &Connection) -> Result<Option<Password>, Error> {
        if self.databases.has(connection) {
            return Ok(None);
        }
        if let Some(password) = Password::of_environment(connection, |name| std::env::var(name).ok())? {
            self.secrets.learn(&json!({ "password": password.secret() }));
            return Ok(Some(password));
        }
        if connection.is_local() {
            return Ok(None);
        }
        let client = self.client()?;
        let token = self.block(client.database_token(&connection.host))?;
        Ok(token.map(Password::new))
    }

    /// Allows questions and statements to the servers of the connections in these parameters.
    pub fn allow_servers(&self, params: &Value) {
        match params {
            Value::String(text) => {
                if let Ok(connection) = Connection::parse(text) {
                    lock(&self.hosts).insert(connection.server().to_lowercase());
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.allow_servers(item)),
            Value::Object(map) => map.values().for_each(|value| self.allow_servers(value)),
            _ => {}
        }
    }

    /// Nothing goes to a server that the operator did not name: what a script makes up would get the password.
    ///
    /// # Errors
    /// `host-not-allowed`.
    pub fn refuse_unnamed_server(&self, connection: &Connection) -> Result<(), Error> {
        let server = connection.server();
        if self.is_host_allowed(&server) {
            return Ok(());
        }
        Err(Error::failed(
            "host-not-allowed",
            format!("no parameter of the run names the server {server}"),
        )
        .on(connection.address())
        .untouched("nothing was sent")
        .next("give its connection as a parameter of the source or the runbook, of the type `connection`"))
    }
}

/// What a change by statements gives to a script.
pub(super) fn outcome(changed: bool) -> Value {
    json!({ "changed": changed })
}

/// Whether a query depends on what only Azure can give.
fn is_open(query: &Statement) -> bool {
    placeholder::is_in(&query.sql) || query.params.iter().any(placeholder::is_within)
}

/// The code of the finding where the way back of statements met something that others have made since: a rollback leaves
/// that, and goes on. Everything else stops it.
pub(super) fn left_by(error: &Error) -> Option<&'static str> {
    match error.code.as_str() {
        "database-changed" => Some("changed-since"),
        // What came to depend on it is not Ferry's to take away.
        "database-refused" if error.message.contains("(SQLSTATE 2BP01)") => Some("still-needed"),
        _ => None,
    }
}
