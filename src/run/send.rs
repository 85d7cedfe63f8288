//! Sending a change: with patience for a principal that has not replicated yet, and, for edits, with a fresh read.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::change::{Action, Change, Probe, Write, WritePlane};
use super::edit::EditSet;
use super::event::Event;
use super::placeholder;
use super::session::Session;
use crate::error::Error;

/// How long a new principal may take to be known everywhere.
const LAG: Duration = Duration::from_mins(10);

/// What a request answered.
pub(super) struct Sent {
    pub(super) outcome: Value,
    pub(super) request_id: Option<String>,
    pub(super) already: bool,
}

impl Session {
    /// Sends a change; a principal that has not replicated yet is waited for, visibly and not forever.
    pub(super) fn send_with_lag(&self, change: &Change) -> Result<Sent, Error> {
        let begun = Instant::now();
        let mut pause = Duration::from_millis(400);
        let mut known = false;
        loop {
            let error = match self.send_once(change) {
                Ok(sent) => return Ok(sent),
                Err(error) => error,
            };
            let late = |principal: &&str| lags(&error, change.action.write(), principal);
            let Some(principal) = change.principal.as_deref().filter(late) else {
                return Err(error);
            };
            if !known {
                known = self.principal_exists(principal)?;
            }
            if !known || begun.elapsed() > LAG {
                return Err(error);
            }
            let left = LAG.saturating_sub(begun.elapsed()).as_secs();
            self.tell(&Event::Wait {
                why: format!(
                    "the directory does not show the new principal {principal} everywhere yet (at most {left} s more)"
                ),
                seconds: pause.as_secs().max(1),
            });
            self.pause(pause)?;
            pause = (pause * 3 / 2).min(Duration::from_secs(15));
        }
    }

    /// Waits, visibly, until Graph shows a principal.
    ///
    /// # Errors
    /// `principal-not-replicated` after ten minutes; those of reading.
    pub fn wait_for_principal(&self, principal: &str) -> Result<(), Error> {
        if placeholder::is_in(principal) {
            return Ok(());
        }
        let read = Write::graph("GET", &format!("/v1.0/servicePrincipals/{principal}"));
        let begun = Instant::now();
        let mut pause = Duration::from_millis(250);
        while self.get(&read)?.is_none() {
            if begun.elapsed() > LAG {
                return Err(Error::failed(
                    "principal-not-replicated",
                    format!("the directory does not show the principal {principal} after ten minutes"),
                )
                .untouched("nothing was granted to it, and no binding was changed")
                .next("ferry resume RUN      asks again"));
            }
            self.tell(&Event::Wait {
                why: format!("the directory does not show the new principal {principal} yet"),
                seconds: pause.as_secs().max(1),
            });
            self.pause(pause)?;
            pause = (pause * 3 / 2).min(Duration::from_secs(15));
        }
        Ok(())
    }

    /// Whether a principal exists, though not everywhere yet: its identity shows it, or Graph knows it.
    fn principal_exists(&self, principal: &str) -> Result<bool, Error> {
        if let Some(resource) = self.resource_of(principal) {
            let read = Write::arm("GET", &resource, super::IDENTITY_API);
            let shown = self.get(&read)?.is_some_and(|identity| {
                identity
                    .pointer("/properties/principalId")
                    .and_then(Value::as_str)
                    .is_some_and(|id| id.eq_ignore_ascii_case(principal))
            });
            if shown {
                return Ok(true);
            }
        }
        let read = Write::graph("GET", &format!("/v1.0/servicePrincipals/{principal}"));
        Ok(self.get(&read)?.is_some())
    }

    fn send_once(&self, change: &Change) -> Result<Sent, Error> {
        let sent = match &change.action {
            Action::Send(write) if matches!(write.plane, WritePlane::Postgres { .. }) => {
                return self.send_statements(write);
            }
            Action::Send(write) => self.transmit(write),
            Action::Edit(edit) => return self.send_edit(edit),
        };
        match sent {
            Ok(response) => Ok(Sent {
                outcome: response.body,
                request_id: response.request_id,
                already: false,
            }),
            Err(error) => {
                let already = error.azure.as_ref().is_some_and(|said| {
                    change.already.iter().any(|known| {
                        said.status == known.status
                            && (said.message.to_lowercase().contains(&known.says.to_lowercase())
                                || said.code.eq_ignore_ascii_case(known.says))
                    })
                });
                let gone = change.probe == Probe::Gone && error.is_not_found();
                if already || gone {
                    return self.found(change, error);
                }
                Err(error)
            }
        }
    }

    /// What was there, or gone, when the request came: by an earlier try of the request itself, or by somebody else.
    fn found(&self, change: &Change, error: Error) -> Result<Sent, Error> {
        let write = change.action.write();
        let (ours, outcome) = match (error.doubtful, write.method.as_str()) {
            (false, _) => (false, Value::Null),
            // Of two with one purpose, ours is the one under the name that we gave it.
            (true, "PUT") => match self.current(write)? {
                Some(document) => (true, document),
                None => (false, Value::Null),
            },
            (true, _) => (true, Value::Null),
        };
        Ok(Sent {
            outcome,
            request_id: error.azure.and_then(|said| said.request_id),
            already: !ours,
        })
    }

    fn transmit(&self, write: &Write) -> Result<crate::azure::Response, Error> {
        let client = self.client()?;
        let request = write.request();
        self.block(client.complete(&request))
    }

    /// Fresh read, edits, conditional write; again when somebody else wrote in between.
    fn send_edit(&self, edit: &EditSet) -> Result<Sent, Error> {
        for attempt in 1.. {
            let client = self.client()?;
            let request = edit.read.request();
            let (before, etag) = if edit.read.method.eq_ignore_ascii_case("POST") {
                (self.read_by_post(&edit.read)?, None)
            } else {
                let response = self.block(client.send(&request))?;
                self.secrets.learn_public(&response.body);
                let etag = response
                    .etag()
                    .map(str::to_owned)
                    .or_else(|| response.body.get("etag").and_then(Value::as_str).map(str::to_owned));
                (response.body, etag)
            };
            let before = self.fill(edit, before)?;
            let mut after = before.clone();
            let changed = edit.apply(&mut after);
            if changed == 0 {
                return Ok(Sent {
                    outcome: edit_outcome(edit, 0),
                    request_id: None,
                    already: true,
                });
            }
            let mut write = Write {
                body: Some(edit.body(&before, &after)),
                ..edit.write.clone()
            };
            if let Some(etag) = etag {
                write.headers.push(("if-match".into(), etag));
            }
            match self.transmit(&write) {
                Ok(response) => {
                    return Ok(Sent {
                        outcome: edit_outcome(edit, changed),
                        request_id: response.request_id,
                        already: false,
                    });
                }
                Err(error) if attempt < 4 && error.azure.as_ref().is_some_and(|said| said.status == 412) => {}
                Err(error) => return Err(error),
            }
        }
        unreachable!("the loop returns")
    }

    /// The document of an edit as it is now, with what its read hides.
    pub(super) fn whole(&self, edit: &EditSet) -> Result<Value, Error> {
        let document = self.fetch(&edit.read)?;
        self.fill(edit, document)
    }

    /// Puts values in that the read hides and an action shows: without them a write would lose them.
    pub(super) fn fill(&self, edit: &EditSet, mut document: Value) -> Result<Value, Error> {
        for fill in &edit.fills {
            let Some(Value::Array(items)) = document.pointer(&fill.at).cloned() else {
                continue;
            };
            let foreign = |item: &Value| {
                let member = fill.unless.as_ref().and_then(|name| item.get(name));
                member.is_some_and(|member| !member.is_null())
            };
            if items
                .iter()
                .all(|item| item.get(&fill.value).is_some() || foreign(item))
            {
                continue;
            }
            let shown = self.read_by_post(&fill.action)?;
            let rows = shown
                .get("value")
                .or_else(|| shown.pointer("/properties/value"))
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default();
            let filled = items
                .into_iter()
                .map(|mut item| {
                    let row = rows
                        .iter()
                        .find(|row| row.get(&fill.by).is_some() && row.get(&fill.by) == item.get(&fill.by));
                    let own = row.filter(|_| !foreign(&item));
                    if let (Some(value), Some(map)) = (own.and_then(|row| row.get(&fill.value)), item.as_object_mut()) {
                        map.entry(fill.value.clone()).or_insert_with(|| value.clone());
                    }
                    item
                })
                .collect();
            if let Some(place) = document.pointer_mut(&fill.at) {
                *place = Value::Array(filled);
            }
        }
        Ok(document)
    }
}

/// Whether an error is how a plane says that a principal has not replicated yet. Where Graph names another id of the request
/// (a group, an application), in its path or its body, it is that one which is not there, and waiting would not bring it back.
fn lags(error: &Error, write: &Write, principal: &str) -> bool {
    error.azure.as_ref().is_some_and(|said| {
        let names = |id: &str| {
            let message = said.message.to_ascii_lowercase();
            !id.eq_ignore_ascii_case(principal) && message.contains(&id.to_ascii_lowercase())
        };
        let body = write.body.as_ref().map(Value::to_string).unwrap_or_default();
        let ids = || {
            [&write.path, &body]
                .into_iter()
                .flat_map(|text| text.split(['/', '?', '"', '\'']))
                .filter(|part| uuid::Uuid::try_parse(part).is_ok())
        };
        said.code == "PrincipalNotFound"
            || (said.status == 404 && said.code == "Request_ResourceNotFound" && !ids().any(names))
            || (said.status == 400 && said.message.contains("not a valid reference"))
    })
}

pub(super) fn edit_outcome(edit: &EditSet, changed: usize) -> Value {
    json!({ "id": edit.write.path, "changed": changed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Said;

    const GROUP: &str = "9b35450e-9f43-42d9-9760-3f65b808214d";
    const PRINCIPAL: &str = "8f50c443-425f-47f2-a822-14d0b52ad08c";

    fn refused(status: u16, code: &str, message: &str) -> Error {
        let mut error = Error::failed("not-found", message);
        error.azure = Some(Said {
            status,
            code: code.into(),
            message: message.into(),
            request_id: None,
            correlation_id: None,
        });
        error
    }

    #[test]
    fn a_group_that_is_gone_is_not_waited_for() {
        let add = Write::graph("POST", &format!("/v1.0/groups/{GROUP}/members/$ref"));
        let request = Write::graph(
            "POST",
            "/v1.0/identityGovernance/privilegedAccess/group/assignmentScheduleRequests",
        )
        .with_body(serde_json::json!({ "groupId": GROUP, "principalId": PRINCIPAL }));
        let missing = |id: &str| {
            let message = format!(
                "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
            );
            refused(404, "Request_ResourceNotFound", &message)
        };
        for write in [&add, &request] {
            assert!(lags(&missing(PRINCIPAL), write, PRINCIPAL));
            assert!(lags(&missing(&PRINCIPAL.to_uppercase()), write, PRINCIPAL));
            assert!(!lags(&missing(GROUP), write, PRINCIPAL));
            assert!(!lags(&missing(&GROUP.to_uppercase()), write, PRINCIPAL));
        }
        let own = Write::graph(
            "POST",
            &format!("/v1.0/servicePrincipals/{PRINCIPAL}/appRoleAssignments"),
        );
        assert!(lags(&missing(PRINCIPAL), &own, PRINCIPAL));
        assert!(lags(&refused(400, "PrincipalNotFound", "x"), &add, PRINCIPAL));
    }
}
