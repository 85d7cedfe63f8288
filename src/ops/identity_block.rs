//! The identity block of a resource: which entries go, which come, and how its provider takes that.

use serde_json::{Map, Value, json};

use super::arm::text;
use super::call::Call;
use super::resource_types;
use crate::error::Error;
use crate::run::change::{Change, Write};
use crate::run::edit::{Edit, EditSet, Form};
use crate::types::{ResourceId, json};

/// `identity::attached`.
pub(super) fn attached(call: &Call<'_>) -> Result<Value, Error> {
    let resource = call.id("resource")?;
    let read = read(call, &resource)?.0;
    let document = call
        .session
        .get(&read)?
        .ok_or_else(|| super::request::not_found(resource.as_str()))?;
    let ids: Vec<&String> = entries(&document).map(|map| map.keys().collect()).unwrap_or_default();
    let kind = document
        .pointer("/identity/type")
        .cloned()
        .unwrap_or_else(|| json!("None"));
    Ok(json!({ "type": kind, "ids": ids }))
}

fn read(call: &Call<'_>, resource: &ResourceId) -> Result<(Write, Map<String, Value>), Error> {
    let info = resource_types::info(call, &resource.resource_type(), resource.subscription())?;
    let api = text(&info, "api").unwrap_or_default().to_owned();
    Ok((Write::arm("GET", resource.as_str(), &api), info))
}

fn entries(document: &Value) -> Option<&Map<String, Value>> {
    document
        .pointer("/identity/userAssignedIdentities")
        .and_then(Value::as_object)
}

/// The key of an identity in the block, exactly as Azure spells it there.
fn key_of<'a>(document: &'a Value, identity: &ResourceId) -> Option<&'a String> {
    entries(document)?
        .keys()
        .find(|key| key.eq_ignore_ascii_case(identity.as_str()))
}

/// Takes `old` out of the resource's block and puts `new` in, in one request.
pub(super) fn change(call: &Call<'_>, old: Option<ResourceId>, new: Option<ResourceId>) -> Result<Value, Error> {
    let options = call.options("options", &["effect"])?;
    let resource = call.id("resource")?;
    let (read, info) = read(call, &resource)?;
    let document = call
        .session
        .get(&read)?
        .ok_or_else(|| super::request::not_found(resource.as_str()))?;
    let edits = edits(
        &document,
        old.as_ref(),
        new.as_ref(),
        text(&info, "combined").unwrap_or_default(),
    )
    .map_err(|error| error.on(resource.as_str()))?;
    if edits.is_empty() {
        return Ok(json!({ "id": resource.as_str(), "changed": 0 }));
    }
    let (method, form) = match text(&info, "identity") {
        Some("put") => ("PUT", Form::Whole),
        Some("merge") => ("PATCH", Form::Merge),
        _ => ("PATCH", Form::MergeAllIdentities),
    };
    let write = Write {
        method: method.to_owned(),
        ..read.clone()
    };
    let fills = super::arm::fills(call, resource.as_str(), &info, &edits, form, &options)?;
    let set = EditSet {
        read,
        write,
        form,
        edits,
        fills,
        read_only: Vec::new(),
    };
    let what = match (&old, &new) {
        (None, Some(new)) => format!("Attach {} to {}", new.name(), resource.name()),
        (Some(old), None) => format!("Detach {} from {}", old.name(), resource.name()),
        (Some(old), Some(new)) => format!("Swap {} for {} on {}", old.name(), new.name(), resource.name()),
        (None, None) => String::new(),
    };
    let mut change = Change::edit(&call.function(), what, set);
    change.effect = match options.text("effect")? {
        Some(effect) => effect,
        None => text(&info, "effect_identity").unwrap_or("none").to_owned(),
    };
    call.session.change(change)
}

/// The edits that the block needs; none where it is so already.
fn edits(
    document: &Value,
    old: Option<&ResourceId>,
    new: Option<&ResourceId>,
    combined: &str,
) -> Result<Vec<Edit>, Error> {
    let kind = document
        .pointer("/identity/type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let pointer = |key: &str| format!("/identity/userAssignedIdentities/{}", json::escape(key));
    let mut edits = Vec::new();
    let mut count = entries(document).map_or(0, Map::len);
    if let Some(new) = new.filter(|new| key_of(document, new).is_none()) {
        edits.push(Edit {
            pointer: pointer(new.as_str()),
            from: Value::Null,
            to: json!({}),
            key: false,
        });
        count += 1;
    }
    if let Some(key) = old.and_then(|old| key_of(document, old)) {
        edits.push(Edit {
            pointer: pointer(key),
            from: json!({}),
            to: Value::Null,
            key: false,
        });
        count -= 1;
    }
    if edits.is_empty() {
        return Ok(edits);
    }
    let has_system = kind.to_ascii_lowercase().contains("systemassigned");
    let has_user = kind.to_ascii_lowercase().contains("userassigned");
    let wanted = match (has_system, count > 0) {
        (_, true) if has_user => kind,
        (true, true) if combined.is_empty() => {
            return Err(Error::failed(
                "one-identity-only",
                "this resource has a system-assigned identity, and its type takes no user-assigned one beside it",
            )
            .untouched("nothing was sent")
            .next("take the system-assigned identity off first, or leave this resource out"));
        }
        (true, true) => combined,
        (false, true) => "UserAssigned",
        (true, false) => "SystemAssigned",
        (false, false) => "None",
    };
    if wanted != kind {
        let from = document.pointer("/identity/type").cloned().unwrap_or_default();
        edits.push(Edit {
            pointer: "/identity/type".into(),
            from,
            to: json!(wanted),
            key: false,
        });
    }
    Ok(edits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> ResourceId {
        format!("/subscriptions/s/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}")
            .parse()
            .unwrap()
    }

    #[test]
    fn the_last_identity_takes_the_type_with_it() {
        let document = json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {id("a").key(): {}}}});
        let edits = edits(&document, Some(&id("A")), None, "SystemAssigned, UserAssigned").unwrap();
        assert_eq!(
            edits[0].pointer,
            format!("/identity/userAssignedIdentities/{}", json::escape(id("a").key()))
        );
        assert_eq!(edits[1].to, "None");
    }

    #[test]
    fn a_system_assigned_identity_stays() {
        let document = json!({"identity": {"type": "SystemAssigned"}});
        let added = edits(&document, None, Some(&id("a")), "SystemAssigned, UserAssigned").unwrap();
        assert_eq!(added[1].to, "SystemAssigned, UserAssigned");
        assert_eq!(
            edits(&document, None, Some(&id("a")), "").unwrap_err().code,
            "one-identity-only"
        );
        let both = json!({"identity": {"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": {id("a").as_str(): {}}}});
        let removed = edits(&both, Some(&id("a")), None, "SystemAssigned, UserAssigned").unwrap();
        assert_eq!(removed[1].to, "SystemAssigned");
    }

    #[test]
    fn nothing_is_edited_where_it_is_so_already() {
        let document = json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {id("a").as_str(): {}}}});
        assert!(edits(&document, None, Some(&id("A")), "").unwrap().is_empty());
        assert!(edits(&document, Some(&id("b")), None, "").unwrap().is_empty());
    }
}
