//! `group::`, members and owners of groups.

use serde_json::{Value, json};

use super::arm::reference;
use super::call::Call;
use super::spec::OpModule;
use crate::error::Error;
use crate::run::change::{Already, Before, Change, Probe, Undo, Write};
use crate::run::placeholder;

pub(crate) fn module() -> OpModule {
    crate::ops! { group,
        "Members and owners of groups in the directory.";

        /// Lists the groups that a principal is a direct member of.
        ///
        /// * `principal` (principal): a principal id, or a map with `principalId`
        /// * returns (array): maps with `id`, `displayName`, `groupTypes`, `membershipRule`, `isAssignableToRole`, `onPremisesSyncEnabled`
        /// * errors: `not-found`, `not-allowed`
        /// * changes: no
        /// * speaks: Microsoft Graph v1.0 servicePrincipals/memberOf
        /// * also: membership
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let id = identity::find("id-orders");
        /// assert(group::of(id).all(|group| group::has_member(group, id)));
        /// ```
        fn of(call) {
            groups(call, "memberOf")
        }

        /// Lists the groups that a principal owns.
        ///
        /// * `principal` (principal): a principal id, or a map with `principalId`
        /// * returns (array): maps as of `group::of`
        /// * errors: `not-found`, `not-allowed`
        /// * changes: no
        /// * speaks: Microsoft Graph v1.0 servicePrincipals/ownedObjects
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let id = identity::find("id-orders");
        /// assert(group::owned(id).all(|group| group::has_owner(group, id)));
        /// ```
        fn owned(call) {
            groups(call, "ownedObjects")
        }

        /// Tells whether a principal is a direct member of a group.
        ///
        /// * `group` (group): a group's id, or a map with `id`
        /// * `principal` (principal): a principal id, or a map with `principalId`
        /// * returns (bool): whether it is
        /// * errors: `not-found`, `not-allowed`
        /// * changes: no
        /// * speaks: Microsoft Graph v1.0 groups/members
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let id = identity::find("id-orders");
        /// assert(group::has_member(group::of(id)[0], id));
        /// ```
        fn has_member(call) {
            has(call, "members")
        }

        /// Tells whether a principal owns a group.
        ///
        /// * `group` (group): a group's id, or a map with `id`
        /// * `principal` (principal): a principal id, or a map with `principalId`
        /// * returns (bool): whether it does
        /// * errors: `not-found`, `not-allowed`
        /// * changes: no
        /// * speaks: Microsoft Graph v1.0 groups/owners
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let id = identity::find("id-orders");
        /// let team = group::of(id)[0];
        /// group::add_owner(team, id);
        /// assert(group::has_owner(team, id));
        /// ```
        fn has_owner(call) {
            has(call, "owners")
        }

        /// Makes a principal a member of a group.
        ///
        /// * `group` (group): a group's id, or a map with `id`
        /// * `principal` (principal): a principal id, or a map with `principalId`
        /// * returns (()): nothing
        /// * errors: `not-found`, `not-allowed` (dynamic and role-assignable groups)
        /// * changes: yes; undone by taking it out, if this call put it in
        /// * speaks: Microsoft Graph v1.0 groups/members/$ref
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let team = group::of(identity::find("id-orders"))[0];
        /// let made = identity::create(#{ id: identity::find("id-orders").id + "-we", location: "westeurope" });
        /// group::add_member(team, made);
        /// assert(group::has_member(team, made));
        /// ```
        fn add_member(call) {
            add(call, "members", "Add", "to")
        }

        /// Takes a principal out of a group, if it is in.
        ///
        /// * `group` (group): a group's id, or a map with `id`
        /// * `principal` (principal): a principal id, or a map with `principalId`
        /// * returns (()): nothing
        /// * errors: `not-allowed` (dynamic and role-assignable groups)
        /// * changes: yes; undone by putting it in again
        /// * speaks: Microsoft Graph v1.0 groups/members/$ref
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let id = identity::find("id-orders");
        /// let team = group::of(id)[0];
        /// group::remove_member(team, id);
        /// assert(!group::has_member(team, id));
        /// ```
        fn remove_member(call) {
            remove(call, "members")
        }

        /// Makes a principal an owner of a group.
        ///
        /// * `group` (group): a group's id, or a map with `id`
        /// * `principal` (principal): a principal id, or a map with `principalId`
        /// * returns (()): nothing
        /// * errors: `not-found`, `not-allowed`
        /// * changes: yes; undone by taking it out, if this call put it in
        /// * speaks: Microsoft Graph v1.0 groups/owners/$ref
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let id = identity::find("id-orders");
        /// let team = group::of(id)[0];
        /// group::add_owner(team, id);
        /// assert(group::has_owner(team, id));
        /// ```
        fn add_owner(call) {
            add(call, "owners", "Make", "an owner of")
        }

        /// Takes a principal from the owners of a group, if it is one.
        ///
        /// * `group` (group): a group's id, or a map with `id`
        /// * `principal` (principal): a principal id, or a map with `principalId`
        /// * returns (()): nothing
        /// * errors: `not-allowed`
        /// * changes: yes; undone by making it an owner again
        /// * speaks: Microsoft Graph v1.0 groups/owners/$ref
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let id = identity::find("id-orders");
        /// let team = group::of(id)[0];
        /// group::add_owner(team, id);
        /// group::remove_owner(team, id);
        /// assert(!group::has_owner(team, id));
        /// ```
        fn remove_owner(call) {
            remove(call, "owners")
        }
    }
}

fn groups(call: &Call<'_>, relation: &str) -> Result<Value, Error> {
    let principal = call.principal("principal")?;
    let rows = call.session.list(&Write::graph(
        "GET",
        &format!("/v1.0/servicePrincipals/{principal}/{relation}"),
    ))?;
    let member = |row: &Value, name: &str| row.get(name).cloned().unwrap_or_default();
    Ok(rows
        .iter()
        .filter(|row| {
            row.get("@odata.type")
                .and_then(Value::as_str)
                .is_none_or(|kind| kind == "#microsoft.graph.group")
        })
        .map(|row| {
            json!({
                "id": member(row, "id"),
                "displayName": member(row, "displayName"),
                "groupTypes": member(row, "groupTypes"),
                "membershipRule": member(row, "membershipRule"),
                "isAssignableToRole": member(row, "isAssignableToRole"),
                "onPremisesSyncEnabled": member(row, "onPremisesSyncEnabled"),
            })
        })
        .collect())
}

fn group_id(call: &Call<'_>) -> Result<String, Error> {
    match call.value("group")? {
        Value::String(id) => Ok(id),
        Value::Object(map) => match map.get("id") {
            Some(Value::String(id)) => Ok(id.clone()),
            _ => Err(call.wrong("group", "a group's id, or a map with `id`")),
        },
        _ => Err(call.wrong("group", "a group's id, or a map with `id`")),
    }
}

fn members(group: &str, relation: &str) -> Write {
    Write::graph("GET", &format!("/v1.0/groups/{group}/{relation}?$select=id"))
}

fn has(call: &Call<'_>, relation: &str) -> Result<bool, Error> {
    let (group, principal) = (group_id(call)?, call.principal("principal")?);
    let rows = call.session.list(&members(&group, relation))?;
    Ok(rows.iter().any(|row| {
        row.get("id")
            .and_then(Value::as_str)
            .is_some_and(|id| id.eq_ignore_ascii_case(&principal))
    }))
}

fn listed(group: &str, relation: &str, principal: &str, there: bool) -> Probe {
    Probe::Listed {
        list: members(group, relation),
        member: "id".into(),
        value: principal.to_owned(),
        also: std::collections::BTreeMap::new(),
        there,
    }
}

fn add(call: &Call<'_>, relation: &'static str, verb: &str, to: &str) -> Result<(), Error> {
    let (group, principal) = (group_id(call)?, call.principal("principal")?);
    let path = format!("/v1.0/groups/{group}/{relation}");
    let write = Write::graph("POST", &format!("{path}/$ref")).with_body(reference(&principal));
    let who = if placeholder::is_in(&principal) {
        "the new identity"
    } else {
        &principal
    };
    let mut change = Change::send(
        &call.function(),
        format!("{verb} {who} {to} the group {}", name(call, &group)),
        write,
    );
    change.probe = listed(&group, relation, &principal, true);
    change.undo = Some(Undo::Send(Write::graph("DELETE", &format!("{path}/{principal}/$ref"))));
    change.already = vec![Already {
        status: 400,
        says: "already exist",
    }];
    change.principal = Some(principal);
    call.session.change(change)?;
    Ok(())
}

fn remove(call: &Call<'_>, relation: &'static str) -> Result<(), Error> {
    let (group, principal) = (group_id(call)?, call.principal("principal")?);
    let path = format!("/v1.0/groups/{group}/{relation}");
    let write = Write::graph("DELETE", &format!("{path}/{principal}/$ref"));
    let mut change = Change::send(
        &call.function(),
        format!(
            "Take {principal} from the {relation} of the group {}",
            name(call, &group)
        ),
        write,
    );
    change.before = Before::Unreadable;
    change.probe = listed(&group, relation, &principal, false);
    change.undo = Some(Undo::Send(
        Write::graph("POST", &format!("{path}/$ref")).with_body(reference(&principal)),
    ));
    change.already = vec![Already { status: 404, says: "" }];
    call.session.change(change)?;
    Ok(())
}

/// The group's name, where the script's map has one.
fn name(call: &Call<'_>, group: &str) -> String {
    match call.value("group") {
        Ok(Value::Object(map)) => map
            .get("displayName")
            .and_then(Value::as_str)
            .unwrap_or(group)
            .to_owned(),
        _ => group.to_owned(),
    }
}
