//! Which groups take which members, and from whom.

use serde_json::Value;

use super::answer::Call;
use super::app_role;
use super::directory::{Directory, texts};
use super::refusal::Refusal;
use super::role_catalog::{GLOBAL_ADMINISTRATOR, PRIVILEGED_ROLE_ADMINISTRATOR};
use super::schema::Kind;
use super::section::Entry;

/// Microsoft Graph's own application, whose roles are Graph's permissions.
pub(super) const GRAPH_APP: &str = "00000003-0000-0000-c000-000000000000";
/// The permission `RoleManagement.ReadWrite.Directory`.
const ROLE_MANAGEMENT: &str = "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8";

fn has_type(entry: &Entry, wanted: &str) -> bool {
    let types = texts(entry.get("groupTypes"));
    types.iter().any(|of| of.eq_ignore_ascii_case(wanted))
}

fn flag(entry: &Entry, name: &str) -> bool {
    entry.get(name).and_then(Value::as_bool) == Some(true)
}

/// Whether the caller may change who is in a role-assignable group. A caller that the directory does not list is the
/// simulator's operator, who may do everything.
fn manages_roles(directory: &Directory, call: &Call<'_>) -> bool {
    let caller = call.ask.caller.principal.as_str();
    directory.kind(caller).is_none()
        || app_role::holds(directory, caller, GRAPH_APP, ROLE_MANAGEMENT)
        || directory.holds_role(caller, PRIVILEGED_ROLE_ADMINISTRATOR)
        || directory.holds_role(caller, GLOBAL_ADMINISTRATOR)
}

/// Whether this request may change the group's own properties.
pub(super) fn may_change(entry: &Entry) -> Result<(), Refusal> {
    if flag(entry, "onPremisesSyncEnabled") {
        return Err(Refusal::on_premises());
    }
    Ok(())
}

/// Whether this request may change the group's members (`members`) or owners.
pub(super) fn may_change_links(
    directory: &Directory,
    call: &Call<'_>,
    entry: &Entry,
    property: &str,
) -> Result<(), Refusal> {
    may_change(entry)?;
    if property == "members" && has_type(entry, "DynamicMembership") {
        return Err(Refusal::denied());
    }
    if flag(entry, "mailEnabled") && !has_type(entry, "Unified") {
        return Err(Refusal::mail_enabled());
    }
    if flag(entry, "isAssignableToRole") && !manages_roles(directory, call) {
        return Err(Refusal::denied());
    }
    Ok(())
}

/// Whether an object of this kind can be a member or owner of the group.
pub(super) fn takes(entry: &Entry, property: &str, kind: Kind, itself: bool) -> Result<(), Refusal> {
    let fits = match (property, kind) {
        ("owners", Kind::User | Kind::ServicePrincipal) | ("members", Kind::User) => true,
        ("members", Kind::ServicePrincipal) => !has_type(entry, "Unified"),
        ("members", Kind::Group) => !itself && !flag(entry, "isAssignableToRole") && !has_type(entry, "Unified"),
        _ => false,
    };
    if fits {
        Ok(())
    } else {
        Err(Refusal::invalid_member(property))
    }
}

/// The last owner of a Microsoft 365 group stays.
pub(super) fn may_leave(entry: &Entry, property: &str) -> Result<(), Refusal> {
    if property == "owners" && has_type(entry, "Unified") && entry.ids("owners").len() == 1 {
        return Err(Refusal::bad(
            "The group must have at least one owner, hence this owner cannot be removed.",
        ));
    }
    Ok(())
}
