//! Reading through the session: in a plan, reads see what was planned.

use serde_json::Value;

use super::change::Write;
use super::overlay::Seen;
use super::placeholder;
use super::session::{Mode, Session, lock};
use crate::error::Error;

impl Session {
    /// Reads one document; none where Azure answers 404.
    ///
    /// # Errors
    /// Those of Azure and of the way there.
    pub fn get(&self, read: &Write) -> Result<Option<Value>, Error> {
        if self.mode() == Mode::Plan {
            match lock(&self.overlay).get(read.target()) {
                Seen::Document(document) => return Ok(Some(document)),
                Seen::Gone => return Ok(None),
                Seen::Cloud => {}
            }
        }
        match self.fetch(read) {
            Ok(answer) => Ok(Some(lock(&self.overlay).tagged(read.target(), answer))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads all pages of a list.
    ///
    /// # Errors
    /// Those of Azure and of the way there.
    pub fn list(&self, read: &Write) -> Result<Vec<Value>, Error> {
        let known = |write: &Write| {
            placeholder::is_in(&write.path)
                || write.query.iter().any(|(_, value)| placeholder::is_in(value))
                || lock(&self.overlay).is_new(&write.path)
        };
        let rows = if self.mode() == Mode::Plan && known(read) {
            Vec::new()
        } else {
            let client = self.client()?;
            let request = read.request();
            self.block(client.list(&request))?
        };
        for row in &rows {
            self.secrets.learn_public(row);
        }
        if self.mode() == Mode::Plan {
            return Ok(lock(&self.overlay).list(read.target(), rows));
        }
        Ok(rows)
    }

    /// Reads several lists at once, each to its end; one answer a list, in their order.
    pub fn lists(&self, reads: &[Write]) -> Vec<Result<Vec<Value>, Error>> {
        if self.mode() == Mode::Plan {
            return reads.iter().map(|read| self.list(read)).collect();
        }
        let all = self.client().and_then(|client| {
            self.block::<_, Error>(async move {
                let asked = reads.iter().map(|read| {
                    let (client, request) = (client.clone(), read.request());
                    async move { client.list(&request).await.map_err(Error::from) }
                });
                Ok(futures::future::join_all(asked).await)
            })
        });
        match all {
            Ok(answers) => {
                for row in answers.iter().flatten().flatten() {
                    self.secrets.learn_public(row);
                }
                answers
            }
            Err(error) => reads.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    /// A POST that only reads. Its answer may hold secrets, so its values are never written down.
    ///
    /// # Errors
    /// Those of Azure and of the way there.
    pub fn read_by_post(&self, read: &Write) -> Result<Value, Error> {
        if self.mode() == Mode::Plan
            && let Seen::Document(document) = lock(&self.overlay).get(&hidden_key(read.target()))
        {
            return Ok(document);
        }
        let client = self.client()?;
        let mut request = read.request();
        request.idempotent = true;
        let answer = self.block(client.complete(&request))?.body;
        if asks_for_names(read) {
            self.secrets.learn_public(&answer);
        } else {
            self.secrets.learn(&answer);
        }
        Ok(answer)
    }

    /// A query of Resource Graph; in a plan, too, it sees the cloud as it is.
    ///
    /// # Errors
    /// Those of Azure and of the way there.
    pub fn query(&self, kql: &str) -> Result<Vec<Value>, Error> {
        let client = self.client()?;
        let rows = self.block(client.resource_graph(kql))?;
        for row in &rows {
            self.secrets.learn_public(row);
        }
        Ok(rows)
    }

    /// One request whose answer is not looked for in the overlay.
    pub(super) fn fetch(&self, read: &Write) -> Result<Value, Error> {
        if read.method.eq_ignore_ascii_case("POST") {
            return self.read_by_post(read);
        }
        let client = self.client()?;
        let request = read.request();
        let answer = self.block(client.send(&request))?.body;
        self.secrets.learn_public(&answer);
        Ok(answer)
    }
}

/// Whether a command to Data Explorer asks for names alone: for principals, or for a column of names. What other actions
/// answer is taken for secrets.
fn asks_for_names(read: &Write) -> bool {
    let command = read
        .body
        .as_ref()
        .and_then(|body| body.get("csl"))
        .and_then(Value::as_str);
    let command = command.unwrap_or_default().trim().to_lowercase();
    let last = command.rsplit('|').next().unwrap_or_default().trim();
    command.starts_with(".show ")
        && (last.ends_with(" principals") || ["project tablename", "project name"].contains(&last))
}

/// Where the overlay keeps a document that Azure shows only through an action.
pub(super) fn hidden_key(path: &str) -> String {
    format!("POST {path}")
}
