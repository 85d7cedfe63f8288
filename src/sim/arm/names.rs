//! Names: what they must be like, what a body must have, and whether a name is still free.

use http::Method;
use serde_json::{Value, json};

use super::fail::{bad_content, fail, no_method, subscription_missing, unsimulated};
use super::resource::Work;
use super::route::{Result, Turn};
use super::{subscriptions, versions};
use crate::sim::Answer;
use crate::sim::catalog::{self, Kind, Names};
use crate::types::ResourceId;

fn fits(names: &Names, name: &str) -> bool {
    regex::Regex::new(&format!("^(?:{})$", names.pattern)).is_ok_and(|pattern| pattern.is_match(name))
}

/// Checks what a PUT is about to make.
///
/// # Errors
/// 400 for a name that the service does not take, or a member that is missing; 409 for a name that is used elsewhere.
pub fn check(turn: &Turn<'_>, work: &Work, body: &Value) -> Result<()> {
    if work.stored.is_some() {
        return Ok(());
    }
    if let Some(names) = work.kind.names.as_ref().filter(|names| !fits(names, work.id.name())) {
        let message = names.message.replace("{name}", work.id.name());
        return Err(fail(400, &names.code, message));
    }
    if let Some(names) = &work.kind.names
        && let Some(code) = &names.unique
        && taken(turn, &work.kind, work.id.name())
    {
        return Err(fail(409, code, names.taken.replace("{name}", work.id.name())));
    }
    let missing = |pointer: &&String| body.pointer(pointer).is_none_or(Value::is_null);
    match work.kind.required.iter().find(missing) {
        Some(pointer) => Err(fail(
            400,
            "BadRequest",
            format!(
                "The request to make '{}' lacks a value for '{}', which is required.",
                work.id,
                pointer.trim_start_matches('/').replace('/', ".")
            ),
        )),
        None => Ok(()),
    }
}

fn taken(turn: &Turn<'_>, kind: &Kind, name: &str) -> bool {
    turn.world
        .store
        .of_type(&kind.full().to_ascii_lowercase())
        .any(|(key, _)| crate::sim::rights::last(key).eq_ignore_ascii_case(name))
}

/// `POST …/providers/{namespace}/checkNameAvailability`.
pub fn available(turn: &mut Turn<'_>, scope: Option<&ResourceId>, namespace: &str) -> Result {
    let version = versions::given(turn.ask)?;
    if let Some(subscription) = scope.and_then(ResourceId::subscription)
        && !subscriptions::known(turn.world, subscription)
    {
        return Err(subscription_missing(subscription));
    }
    let body = turn.body()?;
    let name = body["name"]
        .as_str()
        .ok_or_else(|| bad_content("the name to check is missing"))?;
    let full = body["type"].as_str().unwrap_or_default();
    let full = if full.contains('/') {
        full.to_owned()
    } else {
        // The older forms name a kind: `Site`, `Slot`, `HostingEnvironment`.
        format!("{namespace}/{}s", full.to_ascii_lowercase())
    };
    let kind = catalog::kind(&full).and_then(|kind| Some((kind, kind.names.as_ref()?)));
    let Some((kind, names)) = kind else {
        return Err(unsimulated(&format!("the check of a name of '{full}'")));
    };
    if !kind.versions.contains(&version) && !kind.is_open() {
        versions::of_type(turn.world, turn.ask, &kind.full(), None)?;
    }
    turn.need(
        &format!("{namespace}/checkNameAvailability/read"),
        scope.map_or("", ResourceId::as_str),
    )?;
    let refused = |reason: &str, message: &str| {
        let message = message.replace("{name}", name);
        Answer::json(
            200,
            json!({"nameAvailable": false, "reason": reason, "message": message}),
        )
    };
    Ok(if !fits(names, name) {
        let reason = if names.code.ends_with("NameInvalid") {
            &names.code
        } else {
            "Invalid"
        };
        refused(reason, &names.message)
    } else if taken(turn, kind, name) {
        refused("AlreadyExists", &names.taken)
    } else {
        Answer::json(200, json!({"nameAvailable": true}))
    })
}

/// `HEAD /providers/Microsoft.DocumentDB/databaseAccountNames/{name}`: 200 where it is used, else 404.
pub fn account(turn: &mut Turn<'_>, id: &ResourceId) -> Result {
    if !turn.is(&Method::HEAD) {
        return Err(no_method(&turn.ask.method));
    }
    versions::of_type(turn.world, turn.ask, "Microsoft.DocumentDB/databaseAccounts", None)?;
    let used = catalog::kind("Microsoft.DocumentDB/databaseAccounts").is_some_and(|kind| taken(turn, kind, id.name()));
    Ok(Answer::empty(if used { 200 } else { 404 }))
}
