//! What a run is about: two runs of one subject would do the same, and two runs of one identity never work at once.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::host::{Host, Runbook};
use crate::run::record::Standing;
use crate::run::{Ledger, Session};
use crate::store::{Store, Summary};
use crate::types::{ResourceId, json::digest};

/// What a run is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Equal for two runs that would do the same: a JSON array, so that it can be read again.
    pub text: String,
    /// Equal for two runs that may not work at once.
    pub lock: String,
    /// Whether it is done once: it names an identity and where it goes.
    pub once: bool,
}

/// What a new run meets in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Earlier {
    /// Nothing that stands in its way.
    None,
    /// A run that did the same, whole.
    Done(Summary),
}

impl Subject {
    /// The subject of a runbook with these parameters on a cloud.
    pub fn new(runbook: &str, cloud: &str, identity: Option<&str>, params: &Map<String, Value>) -> Self {
        let to = params.get("to").and_then(Value::as_str);
        match (identity, to) {
            (Some(identity), Some(to)) => Self::named(runbook, cloud, &identity.to_lowercase(), &to.to_lowercase()),
            (Some(identity), None) => Self {
                text: json!([runbook, cloud, identity.to_lowercase(), null, uuid::Uuid::new_v4()]).to_string(),
                lock: lock(cloud, &identity.to_lowercase()),
                once: false,
            },
            (None, _) => {
                let what = digest(&Value::Object(params.clone()));
                Self {
                    text: json!([runbook, cloud, null, null, what]).to_string(),
                    lock: lock(cloud, &what),
                    once: false,
                }
            }
        }
    }

    fn named(runbook: &str, cloud: &str, identity: &str, to: &str) -> Self {
        Self {
            text: json!([runbook, cloud, identity, to]).to_string(),
            lock: lock(cloud, identity),
            once: true,
        }
    }

    /// Looks for a run that did the same or has begun to. One that failed, has changed nothing yet and was given other
    /// parameters stands in nobody's way: they may be what kept it from going on.
    ///
    /// # Errors
    /// `run-unfinished` where one has begun to do the same, or has changed something for the same identity and
    /// another target; those of the store.
    pub fn earlier(&self, store: &dyn Store, params: &Map<String, Value>) -> Result<Earlier, Error> {
        if !self.once {
            return Ok(Earlier::None);
        }
        let (mut done, mut begun) = (None, None);
        for summary in store.runs()? {
            let unfinished = matches!(summary.status.as_str(), "running" | "paused" | "failed");
            if summary.subject == self.text {
                match summary.status.as_str() {
                    "done" => done = Some(summary),
                    // A run that was taken back leaves the way free, also where an older one was done.
                    "rolled-back" => done = None,
                    "failed" if is_another(store, &summary.run, params)? => {}
                    // One that was killed before it wrote down how it began cannot go on, and has done nothing.
                    _ if unfinished && has_begun(store, &summary.run)? => {
                        begun = Some(unfinished_run(&summary, "has begun to do the same"));
                    }
                    _ => {}
                }
            } else if unfinished && self.same_identity(&summary) && has_changed(store, &summary.run)? {
                return Err(unfinished_run(
                    &summary,
                    "has begun to move this identity to another region",
                ));
            }
        }
        match (done, begun) {
            (Some(done), _) => Ok(Earlier::Done(done)),
            (None, Some(begun)) => Err(begun),
            (None, None) => Ok(Earlier::None),
        }
    }

    fn same_identity(&self, summary: &Summary) -> bool {
        let (ours, theirs) = (parts(&self.text), parts(&summary.subject));
        ours.len() == theirs.len() && ours.iter().zip(&theirs).take(3).all(|(our, their)| our == their)
    }
}

/// The identity's resource id that a run means: as given, or found by its name in the cloud; where it is not there
/// any more, as an earlier run of this runbook and target knew it.
///
/// # Errors
/// Those of `identity::find`.
pub fn identity(
    host: &Host,
    session: &Arc<Session>,
    store: &dyn Store,
    (runbook, cloud): (&str, &str),
    params: &Map<String, Value>,
) -> Result<Option<String>, Error> {
    let Some(given) = params.get("identity").and_then(Value::as_str) else {
        return Ok(None);
    };
    if ResourceId::parse(given).is_ok() {
        return Ok(Some(given.to_owned()));
    }
    // A JSON text is a text of the script language too.
    let found = host.eval(
        session,
        &format!("identity::find({}).id", Value::String(given.to_owned())),
    );
    match found {
        Ok(Value::String(id)) => Ok(Some(id)),
        Ok(_) => Ok(Some(given.to_owned())),
        Err(error) => {
            let to = params
                .get("to")
                .and_then(Value::as_str)
                .map(str::to_lowercase)
                .map(Value::String);
            let known = store.runs()?.into_iter().rev().find_map(|summary| {
                let parts = parts(&summary.subject);
                let id = parts.get(2)?.as_str()?;
                let named = ResourceId::parse(id).is_ok_and(|id| id.name().eq_ignore_ascii_case(given));
                let same = parts[0] == *runbook && parts[1] == *cloud && parts.get(3) == to.as_ref();
                (named && same && summary.status == "done").then(|| id.to_owned())
            });
            known.map(Some).ok_or(error)
        }
    }
}

/// The name of a runbook in subjects: a shipped one's name, or the whole path of a file.
pub fn runbook_name(given: &str, runbook: &Runbook) -> String {
    let path = std::path::Path::new(given);
    if path.is_file() {
        return std::fs::canonicalize(path).map_or_else(|_| given.to_owned(), |path| path.display().to_string());
    }
    runbook.name.clone()
}

/// A subject as `ferry runs` shows it.
pub fn shown(subject: &str) -> String {
    let parts = parts(subject);
    let text = |index: usize| parts.get(index).and_then(Value::as_str);
    let Some(identity) = text(2) else {
        return text(1).unwrap_or_default().to_owned();
    };
    let name = ResourceId::parse(identity).map_or_else(|_| identity.to_owned(), |id| id.name().to_owned());
    match text(3) {
        Some(to) => format!("{name} → {to}"),
        None => name,
    }
}

/// The cloud of a subject.
pub fn cloud(subject: &str) -> String {
    parts(subject)
        .get(1)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn parts(subject: &str) -> Vec<Value> {
    serde_json::from_str(subject).unwrap_or_default()
}

fn lock(cloud: &str, what: &str) -> String {
    json!([cloud, what]).to_string()
}

/// Whether a run was given other parameters and has changed nothing.
fn is_another(store: &dyn Store, run: &str, params: &Map<String, Value>) -> Result<bool, Error> {
    let ledger = Ledger::from_entries(run, &store.read(run)?)?;
    let same = ledger
        .started
        .is_none_or(|started| started.params.as_object() == Some(params));
    Ok(!same && !has_changed(store, run)?)
}

/// Whether a run got as far as writing down how it began.
fn has_begun(store: &dyn Store, run: &str) -> Result<bool, Error> {
    Ok(Ledger::from_entries(run, &store.read(run)?)?.started.is_some())
}

/// Whether a run has changed something, or may have.
fn has_changed(store: &dyn Store, run: &str) -> Result<bool, Error> {
    let ledger = Ledger::from_entries(run, &store.read(run)?)?;
    Ok(ledger.changes.iter().any(|change| {
        matches!(change.standing, Standing::Intended) || (change.standing == Standing::Done && !change.already)
    }))
}

fn unfinished_run(summary: &Summary, what: &str) -> Error {
    let run = &summary.run;
    Error::failed(
        "run-unfinished",
        format!("nothing was begun: run {run} ({}) {what}", summary.status),
    )
    .untouched("nothing was sent")
    .next(format!("ferry resume {run}"))
    .next(format!("ferry show {run}      says how far it is"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::record::Record;
    use crate::store::SqliteStore;

    const ID: &str =
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-a";

    fn subject(to: &str) -> Subject {
        let params = json!({ "identity": ID, "to": to });
        Subject::new("relocate", "sim:demo", Some(ID), params.as_object().unwrap())
    }

    fn begin(journal: &dyn crate::store::Journal, params: &Value) {
        let started = json!({ "runbook": "relocate", "params": params, "cloud": {}, "version": "0" });
        let (kind, body) = Record::Started(serde_json::from_value(started).unwrap()).columns();
        journal.append(&kind, &body).unwrap();
    }

    fn status(store: &SqliteStore, subject: &Subject, status: &str) -> String {
        let journal = store.create("relocate", &subject.text, &subject.lock).unwrap();
        begin(&*journal, &json!({}));
        journal.set_status(status).unwrap();
        journal.run().to_owned()
    }

    #[test]
    fn a_second_run_of_the_same_names_the_first_one() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::new(directory.path());
        assert_eq!(
            subject("westeurope").earlier(&store, &Map::new()).unwrap(),
            Earlier::None
        );
        let run = status(&store, &subject("westeurope"), "paused");
        let error = subject("WestEurope").earlier(&store, &Map::new()).unwrap_err();
        assert_eq!((error.code.as_str(), error.exit_code()), ("run-unfinished", 1));
        assert_eq!(error.next[0], format!("ferry resume {run}"));
        assert_eq!(
            subject("northeurope").earlier(&store, &Map::new()).unwrap(),
            Earlier::None,
            "it has changed nothing yet"
        );
    }

    #[test]
    fn a_run_that_failed_with_other_parameters_and_changed_nothing_is_not_in_the_way() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::new(directory.path());
        let (wrong, right) = (json!({ "name": "-x" }), json!({ "name": "id-x" }));
        let subject = subject("westeurope");
        let journal = store.create("relocate", &subject.text, &subject.lock).unwrap();
        begin(&*journal, &wrong);
        journal.set_status("failed").unwrap();
        let earlier = |params: &Value| subject.earlier(&store, params.as_object().unwrap());
        assert_eq!(earlier(&right).unwrap(), Earlier::None);
        assert_eq!(earlier(&wrong).unwrap_err().code, "run-unfinished");
        journal.set_status("paused").unwrap();
        assert_eq!(
            earlier(&right).unwrap_err().code,
            "run-unfinished",
            "it waits for somebody"
        );
    }

    #[test]
    fn a_run_that_was_killed_before_it_wrote_down_how_it_began_is_in_nobodys_way() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::new(directory.path());
        let subject = subject("westeurope");
        drop(store.create("relocate", &subject.text, &subject.lock).unwrap());
        assert_eq!(subject.earlier(&store, &Map::new()).unwrap(), Earlier::None);
    }

    #[test]
    fn what_is_done_is_said_to_be_done_and_what_was_taken_back_may_be_done_again() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::new(directory.path());
        status(&store, &subject("westeurope"), "done");
        assert!(matches!(
            subject("westeurope").earlier(&store, &Map::new()).unwrap(),
            Earlier::Done(_)
        ));
        status(&store, &subject("westeurope"), "rolled-back");
        assert_eq!(
            subject("westeurope").earlier(&store, &Map::new()).unwrap(),
            Earlier::None
        );
    }

    #[test]
    fn runbooks_that_only_look_may_be_run_again_and_again() {
        let params = json!({ "identity": ID });
        let subject = Subject::new("inventory", "public", Some(ID), params.as_object().unwrap());
        assert!(!subject.once);
        assert_eq!(shown(&subject.text), "id-a");
        assert_eq!(cloud(&subject.text), "public");
    }
}
