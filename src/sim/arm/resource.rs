//! Resources of any type: GET, HEAD, PUT, PATCH, DELETE of a document, by what the catalog says of its type.

use http::Method;
use serde_json::{Map, Value, json};

use super::fail::{bad_content, fail, no_method, resource_missing, unsimulated};
use super::identity_block::{self, Mode};
use super::route::{Result, Turn};
use super::{
    added, federated, implied, lists, locks, managed_identity, names, operations, policy, preconditions, providers,
    show, versions,
};
use crate::sim::catalog::{self, Kind, Patch, Put, Slow};
use crate::sim::{Answer, regions};
use crate::types::ResourceId;
use crate::types::json::merge;

/// A document that a write works on: what stood there, where it lies, what its type is like.
pub struct Work {
    /// The id: as stored where something stands, else as asked for.
    pub id: ResourceId,
    /// What stands there.
    pub stored: Option<Value>,
    /// The type, as the catalog has it or as a plain one.
    pub kind: Kind,
    /// The api-version.
    pub version: String,
}

impl Work {
    /// What was sent, without what the service adds when it shows the resource and was sent back unchanged.
    fn unechoed(&self, turn: &Turn<'_>, mut body: Value) -> Value {
        let Some(stored) = &self.stored else { return body };
        let shown = show::whole(turn.world, self.id.key(), stored, &self.version, turn.ask.now);
        for name in ["properties", "resources"] {
            let (Some(sent), Some(theirs)) = (body.get(name).cloned(), shown.get(name)) else {
                continue;
            };
            let own = stored.get(name);
            let left = added::unechoed(own.unwrap_or(&Value::Null), theirs, sent.clone());
            let nothing = left == *theirs || left == json!({});
            if own.is_none() && nothing && sent != json!({}) {
                body.as_object_mut().map(|map| map.shift_remove(name));
            } else {
                body[name] = left;
            }
        }
        body
    }
}

/// Answers a request for one resource.
pub fn one(turn: &mut Turn<'_>, asked: &ResourceId) -> Result {
    let full = asked.resource_type();
    let kind = catalog::kind(&full).cloned().unwrap_or_else(|| plain(&full));
    // One that is only implied cannot be deleted, unless its parent lists it.
    let kept = turn.is(&Method::DELETE) && kind.implied.within.is_none();
    let stored = turn.world.read(asked.key()).cloned();
    let stored = stored.or_else(|| implied::document(turn.world, asked).filter(|_| !kept));
    let location = stored.as_ref().and_then(|document| document["location"].as_str());
    let sent = turn.ask.body.as_ref().and_then(|body| body["location"].as_str());
    let version = versions::of_type(turn.world, turn.ask, &full, location.or(sent))?;
    let id = stored
        .as_ref()
        .and_then(|document| ResourceId::parse(document["id"].as_str()?).ok())
        .unwrap_or_else(|| asked.clone());
    let work = Work {
        id,
        stored,
        kind,
        version,
    };
    let method = turn.ask.method.clone();
    let verb = match method {
        Method::GET | Method::HEAD => "read",
        Method::PUT | Method::PATCH => "write",
        Method::DELETE => "delete",
        _ => return Err(no_method(&method)),
    };
    turn.need(&format!("{}/{verb}", work.kind.full()), asked.as_str())?;
    lists::container(turn, asked).or_else(|missing| {
        if method == Method::DELETE && missing.status == 404 {
            Ok(())
        } else {
            Err(missing)
        }
    })?;
    match method {
        Method::GET | Method::HEAD => get(turn, &work),
        Method::PUT => put(turn, work),
        Method::PATCH => patch(turn, work),
        _ => delete(turn, &work),
    }
}

fn plain(full: &str) -> Kind {
    let (namespace, name) = full.split_once('/').unwrap_or((full, ""));
    Kind {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        ..Kind::default()
    }
}

fn get(turn: &mut Turn<'_>, work: &Work) -> Result {
    let head = turn.is(&Method::HEAD);
    let Some(stored) = &work.stored else {
        return Err(if head {
            Answer::empty(404)
        } else {
            resource_missing(&work.id)
        });
    };
    if head {
        return Ok(Answer::empty(204));
    }
    if work.kind.hides(work.id.name()) {
        return Err(no_method(&turn.ask.method));
    }
    let mut shown = show::whole(turn.world, work.id.key(), stored, &work.version, turn.ask.now);
    show::fold(
        &mut shown,
        &work.kind,
        turn.ask.parameter("$expand").unwrap_or_default(),
    );
    let mut answer = Answer::json(200, shown);
    if let Some(etag) = answer
        .body
        .as_ref()
        .and_then(|body| body["etag"].as_str())
        .map(str::to_owned)
    {
        answer = answer.with("etag", etag);
    }
    Ok(answer)
}

fn put(turn: &mut Turn<'_>, work: Work) -> Result {
    match work.kind.put {
        Put::None => return Err(no_method(&Method::PUT)),
        Put::Unsimulated => return Err(unsimulated(&format!("PUT of '{}'", work.kind.full()))),
        Put::Merge | Put::Replace => {}
    }
    locks::guard(turn, &work.id, false)?;
    let body = work.unechoed(turn, turn.body()?.clone());
    let body = added::dropped(&work.kind, work.stored.as_ref(), body);
    preconditions::check(turn, &work.id, &body)?;
    parent(turn, &work.id)?;
    let location = place(&work, &body)?;
    names::check(turn, &work, &body)?;
    preconditions::conditions(turn, &work)?;
    preconditions::busy(turn, &work)?;
    if managed_identity::is(&work.id) {
        managed_identity::check_put(turn, &work, &body)?;
    }
    if federated::is(&work.id) {
        federated::check_put(turn, &work, &body)?;
    }
    let body = if managed_identity::is(&work.id) {
        managed_identity::known(&work.version, body)
    } else {
        body
    };
    let mut document = work.stored.clone().unwrap_or_else(|| json!({}));
    let Some(map) = document.as_object_mut() else {
        return Err(bad_content("not an object"));
    };
    let first = map.is_empty();
    if first {
        map.insert("id".into(), json!(work.id.as_str()));
        map.insert("name".into(), json!(work.id.name()));
        map.insert("type".into(), json!(work.kind.full()));
    }
    lay(map, &body, work.kind.put == Put::Replace, &work);
    if let (true, Some(location)) = (first, location) {
        map.insert("location".into(), json!(location));
    }
    let identity = body
        .get("identity")
        .filter(|_| work.kind.identity.is_some() || body["identity"].is_object());
    identity_block::settle(turn, &work, &mut document, identity, Mode::Put)?;
    if managed_identity::is(&work.id) {
        managed_identity::fill(turn, &work.id, &mut document);
    }
    policy::guard(turn, &work.id, &document)?;
    Ok(finish(turn, &work, document, &Method::PUT))
}

/// Lays what was sent over what stands; arrays, tags and, where the type says so, `properties` are replaced.
fn lay(map: &mut Map<String, Value>, body: &Value, replace: bool, work: &Work) {
    for (name, sent) in body.as_object().into_iter().flatten() {
        match name.as_str() {
            "id" | "name" | "type" | "systemData" | "etag" | "identity" => {}
            "location" => {
                map.entry("location").or_insert_with(|| sent.clone());
            }
            _ if sent.is_null() => {
                map.shift_remove(name);
            }
            "tags" => {
                map.insert(name.clone(), sent.clone());
            }
            "properties" => {
                let mut sent = sent.clone();
                let state = map.get("properties").and_then(|p| p.get("provisioningState")).cloned();
                if let Some(sent) = sent.as_object_mut()
                    && work.kind.name != "sites/config"
                    && work.kind.name != "sites/slots/config"
                {
                    sent.shift_remove("provisioningState");
                }
                if replace {
                    if let (Some(state), Some(sent)) = (state, sent.as_object_mut()) {
                        sent.insert("provisioningState".into(), state);
                    }
                    map.insert(name.clone(), sent);
                } else {
                    merge(map.entry("properties").or_insert_with(|| json!({})), &sent);
                }
            }
            _ => merge(map.entry(name.clone()).or_insert(Value::Null), sent),
        }
    }
}

fn patch(turn: &mut Turn<'_>, work: Work) -> Result {
    if work.kind.patch == Patch::None {
        return Err(no_method(&Method::PATCH));
    }
    locks::guard(turn, &work.id, false)?;
    let Some(stored) = work.stored.clone() else {
        return Err(resource_missing(&work.id));
    };
    let body = work.unechoed(turn, turn.body()?.clone());
    let body = added::dropped(&work.kind, Some(&stored), body);
    let body = added::keyed(&work.kind, &stored, body);
    preconditions::check(turn, &work.id, &body)?;
    preconditions::conditions(turn, &work)?;
    preconditions::busy(turn, &work)?;
    let sent_place = body["location"].as_str().map(regions::normal);
    if let (Some(sent), Some(own)) = (sent_place, stored["location"].as_str().map(regions::normal))
        && sent != own
    {
        return Err(moved(&work, body["location"].as_str().unwrap_or_default()));
    }
    let mut document = stored;
    let Some(map) = document.as_object_mut() else {
        return Err(bad_content("not an object"));
    };
    let body = if managed_identity::is(&work.id) {
        managed_identity::check_patch(&work, &body)?;
        managed_identity::known(&work.version, body)
    } else {
        body
    };
    if work.kind.patch == Patch::Tags {
        if let Some(tags) = body.get("tags") {
            map.insert("tags".into(), tags.clone());
        }
    } else {
        lay(map, &body, false, &work);
    }
    let mode = work
        .kind
        .identity
        .as_ref()
        .map_or(Patch::Merge, |identity| identity.patch);
    let identity = match mode {
        Patch::None | Patch::Tags => None,
        _ if work.kind.patch == Patch::Tags && work.kind.identity.as_ref().is_none_or(|i| i.patch == Patch::None) => {
            None
        }
        _ => body.get("identity"),
    };
    let mode = if mode == Patch::Replace {
        Mode::Replace
    } else {
        Mode::Merge
    };
    identity_block::settle(turn, &work, &mut document, identity, mode)?;
    if managed_identity::is(&work.id) {
        managed_identity::fill(turn, &work.id, &mut document);
    }
    policy::guard(turn, &work.id, &document)?;
    Ok(finish(turn, &work, document, &Method::PATCH))
}

/// Stores the document and answers, at once or with the URL where the end is told.
fn finish(turn: &mut Turn<'_>, work: &Work, mut document: Value, method: &Method) -> Answer {
    let first = work.stored.is_none();
    if let Some(map) = document.as_object_mut()
        && map.contains_key("etag")
    {
        map.insert("etag".into(), json!(format!("\"{}\"", uuid::Uuid::new_v4())));
    }
    let (now, by) = (turn.ask.now, turn.ask.caller.principal.clone());
    identity_block::tell(turn, work, &document);
    // What its parent lists lives there, unless it has a document of its own.
    if work.kind.implied.within.is_none() || turn.world.store.has(work.id.key()) {
        turn.world.store.put(&work.id, document.clone(), now, &by);
    }
    implied::follow(turn.world, &work.id, Some(&document), now, &by);
    turn.world.writes += 1;
    let key = work.id.key().to_owned();
    let slow = if *method == Method::PUT {
        work.kind.slow.put
    } else {
        work.kind.slow.patch
    };
    let put = *method == Method::PUT;
    let told = if put {
        work.kind.status.put
    } else {
        work.kind.status.patch
    };
    let status = told.unwrap_or(if put && first { 201 } else { 200 });
    if slow != Slow::None {
        let state = if first { "Creating" } else { "Updating" };
        turn.world.pending.insert(key.clone(), (now + turn.world.slow, state));
    }
    let shown = show::resource(turn.world, &key, &document, &work.version, now);
    let etag = shown["etag"].as_str().map(str::to_owned);
    let mut answer = match slow {
        Slow::None | Slow::ProvisioningState => Answer::json(status, shown),
        Slow::AzureAsync if !put && !work.kind.slow.patch_ok && told.is_none() => {
            operations::accepted(turn, &work.id, &work.version, Slow::AzureAsync, method)
        }
        Slow::AzureAsync => {
            let answer = Answer::json(status, shown);
            operations::announce(turn, answer, &work.id, &work.version, Slow::AzureAsync, method)
        }
        Slow::Location => operations::accepted(turn, &work.id, &work.version, Slow::Location, method),
    };
    if let Some(etag) = etag {
        answer = answer.with("etag", etag);
    }
    if status == 201 && (managed_identity::is(&work.id) || federated::is(&work.id)) {
        answer = answer.with("location", show::lower_group(work.id.as_str()));
    }
    answer
}

fn delete(turn: &mut Turn<'_>, work: &Work) -> Result {
    if work.stored.is_none() {
        return Ok(Answer::empty(204));
    }
    locks::guard(turn, &work.id, true)?;
    preconditions::conditions(turn, work)?;
    preconditions::busy(turn, work)?;
    remove_tree(turn, &work.id);
    let (now, by) = (turn.ask.now, turn.ask.caller.principal.clone());
    implied::follow(turn.world, &work.id, None, now, &by);
    let slow = work.kind.slow.delete;
    if slow == Slow::None || slow == Slow::ProvisioningState {
        return Ok(Answer::empty(work.kind.status.delete.unwrap_or(200)));
    }
    if work.kind.exclusive {
        // The name is not free before the end.
        let end = (turn.ask.now + turn.world.slow, "Deleting");
        turn.world.pending.insert(work.id.key().to_owned(), end);
    }
    Ok(operations::accepted(
        turn,
        &work.id,
        &work.version,
        slow,
        &Method::DELETE,
    ))
}

/// Takes a document away with all that lies below it, and with the principals of what is gone.
pub fn remove_tree(turn: &mut Turn<'_>, id: &ResourceId) {
    let mut keys: Vec<String> = turn
        .world
        .store
        .below(id.key())
        .map(|(key, _)| key.to_owned())
        .collect();
    keys.push(id.key().to_owned());
    for key in keys {
        let Some(gone) = turn.world.store.remove(&key, turn.ask.now) else {
            continue;
        };
        turn.world.pending.remove(&key);
        let principal = if key.contains("/userassignedidentities/") && !key.contains("/federatedidentitycredentials/") {
            gone.pointer("/properties/principalId")
        } else {
            gone.pointer("/identity/principalId")
        };
        if let Some(principal) = principal.and_then(Value::as_str) {
            turn.world.directory.identity_deleted(principal);
        }
    }
    turn.world.writes += 1;
}

/// Fails where a child's parent, or what is extended, is not there.
fn parent(turn: &Turn<'_>, id: &ResourceId) -> Result<()> {
    let top = id
        .extended()
        .map_or_else(|| id.top_level(), |extended| extended.top_level());
    let own = top.resource_type();
    if top == *id || own.starts_with("Microsoft.Resources/") || turn.world.store.has(top.key()) {
        return Ok(());
    }
    if own.eq_ignore_ascii_case("Microsoft.Management/managementGroups") && id.extended().is_none() {
        return Ok(());
    }
    if federated::is(id) {
        return Err(fail(
            404,
            "ParentResourceNotFound",
            "The parent user-assigned identity doesn't exist.",
        ));
    }
    Err(fail(
        404,
        "ParentResourceNotFound",
        format!(
            "Can not perform requested operation on nested resource. Parent resource '{}' not found.",
            top.name()
        ),
    ))
}

fn moved(work: &Work, sent: &str) -> Answer {
    let own = work
        .stored
        .as_ref()
        .and_then(|document| document["location"].as_str())
        .unwrap_or_default();
    let name = work.id.name();
    fail(
        409,
        "InvalidResourceLocation",
        format!(
            "The resource '{name}' already exists in location '{}' in resource group '{}'. A resource with the same name \
             cannot be created in location '{}'. Please select a new resource name.",
            regions::normal(own),
            work.id.resource_group().unwrap_or_default(),
            regions::normal(sent)
        ),
    )
}

/// The location to store: required of new regional resources, known, and fixed once given.
fn place(work: &Work, body: &Value) -> Result<Option<String>> {
    let sent = body["location"].as_str();
    if let (Some(stored), Some(sent)) = (&work.stored, sent) {
        let own = stored["location"].as_str();
        if own.is_some_and(|own| regions::normal(own) != regions::normal(sent)) {
            return Err(moved(work, sent));
        }
    }
    let in_group = work.id.resource_group().is_some() && work.id.extended().is_none() && work.id.top_level() == work.id;
    let known = catalog::kind(&work.kind.full()).is_some();
    let Some(sent) = sent else {
        if work.stored.is_none() && in_group && known && work.kind.regional() {
            return Err(fail(
                400,
                "LocationRequired",
                "The location property is required for this definition.",
            ));
        }
        return Ok(None);
    };
    let exact = managed_identity::is(&work.id);
    let offered = providers::locations(&work.kind);
    let name = regions::normal(sent);
    let known_place = offered.iter().any(|place| regions::normal(place) == name)
        || (!exact && (name == "global" || regions::find(&name).is_none() && name.ends_with("euap")));
    if known && in_group && work.kind.regional() && !known_place {
        let places: Vec<String> = offered.iter().map(|place| regions::normal(place)).collect();
        return Err(fail(
            400,
            "LocationNotAvailableForResourceType",
            format!(
                "The provided location '{sent}' is not available for resource type '{}'. List of available regions for \
                 the resource type is '{}'.",
                work.kind.full(),
                places.join(",")
            ),
        ));
    }
    Ok(Some(if exact { name } else { sent.to_owned() }))
}
