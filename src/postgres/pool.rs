//! Connections that are kept for the next question, one to many for a database.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::error::Error;
use super::link::{Guard, Link, is_true};
use super::password::Password;
use super::statement::Statement;
use crate::types::Connection;

/// How many idle connections are kept open for one database.
const IDLE: usize = 2;
/// How long one is kept: firewalls forget connections that are silent for longer.
const AGE: Duration = Duration::from_mins(1);

/// A connection that waits for the next question.
struct Idle {
    link: Link,
    since: Instant,
}

impl Idle {
    fn is_good(&self) -> bool {
        self.link.is_open() && self.since.elapsed() < AGE
    }
}

/// Open connections of one session.
#[derive(Default)]
pub struct Pool(Mutex<HashMap<String, Vec<Idle>>>);

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pool")
    }
}

impl Pool {
    /// Whether a connection waits to be used: then no password is needed.
    pub fn has(&self, connection: &Connection) -> bool {
        let mut idle = self.idle();
        let Some(links) = idle.get_mut(&connection.to_string()) else {
            return false;
        };
        links.retain(Idle::is_good);
        !links.is_empty()
    }

    /// The rows that a query gives, each as a map. It cannot write.
    ///
    /// # Errors
    /// Every [`Error`] but [`Error::Changed`] and [`Error::Withheld`].
    pub async fn query(
        &self,
        connection: &Connection,
        password: Option<&Password>,
        query: &Statement,
    ) -> Result<Vec<Value>, Error> {
        let link = self.take(connection, password).await?;
        let rows = link.query(query).await;
        self.put_back(connection, link);
        rows
    }

    /// Whether a query's first column is true in its first row. It cannot write.
    ///
    /// # Errors
    /// As of [`Pool::query`].
    pub async fn holds(
        &self,
        connection: &Connection,
        password: Option<&Password>,
        query: &Statement,
    ) -> Result<bool, Error> {
        Ok(is_true(&self.query(connection, password, query).await?))
    }

    /// Runs statements in one transaction: all of them take effect, or none. `require` must hold at its beginning, and
    /// `guard` allow it at its end.
    ///
    /// # Errors
    /// Every [`Error`].
    pub async fn change(
        &self,
        connection: &Connection,
        password: Option<&Password>,
        statements: &[Statement],
        require: Option<&Statement>,
        guard: &Guard,
    ) -> Result<(), Error> {
        let link = self.take(connection, password).await?;
        let outcome = link.change(statements, require, guard).await;
        // What a statement may have set beyond its transaction goes with the connection.
        drop(link);
        outcome
    }

    async fn take(&self, connection: &Connection, password: Option<&Password>) -> Result<Link, Error> {
        let idle = {
            let mut idle = self.idle();
            let links = idle.entry(connection.to_string()).or_default();
            links.retain(Idle::is_good);
            links.pop()
        };
        match idle {
            Some(idle) => Ok(idle.link),
            None => Link::open(connection, password).await,
        }
    }

    fn put_back(&self, connection: &Connection, link: Link) {
        let mut idle = self.idle();
        let links = idle.entry(connection.to_string()).or_default();
        if link.is_open() && links.len() < IDLE {
            links.push(Idle {
                link,
                since: Instant::now(),
            });
        }
    }

    fn idle(&self) -> MutexGuard<'_, HashMap<String, Vec<Idle>>> {
        // Plain collections, whole at any time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
