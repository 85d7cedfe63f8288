//! `role_assignment::`, Azure role assignments at every kind of scope.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::call::Call;
use super::spec::OpModule;
use super::tenant;
use crate::error::Error;
use crate::run::change::{Already, Before, Change, Undo, Write};
use crate::run::{Finding, placeholder};
use crate::types::Scope;

/// The version of Microsoft.Authorization/roleAssignments.
const API: &str = "2022-04-01";

/// The namespace of the names that Ferry gives to role assignments. It is part of the journal's format.
const NAMESPACE: Uuid = Uuid::from_u128(0x9f3d_2c51_7a0e_4b8d_9c66_51e2_0b7f_a3d4);

/// The members of an assignment that a copy carries.
const CARRIED: &[&str] = &[
    "condition",
    "conditionVersion",
    "description",
    "delegatedManagedIdentityResourceId",
];

pub(crate) fn module() -> OpModule {
    crate::ops! { role_assignment,
        "Azure role assignments, at every kind of scope.";

        /// Lists every role assignment of exactly this principal, at every visible scope.
        ///
        /// Scopes that may not be read are told with `run::unseen`.
        ///
        /// * `principal` (principal): a principal id, or a map with `principalId`
        /// * returns (array): maps with `id`, `scope`, `roleDefinitionId`, `principalId`, `principalType`, `condition`, …
        /// * changes: no
        /// * speaks: Microsoft.Authorization/roleAssignments 2022-04-01
        /// * also: rbac, permission, grant
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let held = role_assignment::list(identity::find("id-orders"));
        /// assert(held.len() > 0);
        /// assert(held.all(|a| a.scope != ()));
        /// ```
        fn list(call) {
            list(call)
        }

        /// Lists the role assignments made exactly at a scope, to anybody.
        ///
        /// * `scope` (scope): resource id of any level, or "/"
        /// * returns (array): maps as of `role_assignment::list`
        /// * errors: `not-allowed`
        /// * changes: no
        /// * speaks: Microsoft.Authorization/roleAssignments 2022-04-01
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let held = role_assignment::list(identity::find("id-orders"))[0];
        /// assert(role_assignment::at(held.scope).some(|a| a.id == held.id));
        /// ```
        fn at(call) {
            let scope = call.scope("scope")?;
            at(call, &scope, "atScope()")
        }

        /// Finds the assignment of a role to a principal, made exactly at a scope.
        ///
        /// * `scope` (scope): resource id of any level, or "/"
        /// * `role` (string): the id or the GUID of a role definition
        /// * `principal` (principal): a principal id, or a map with `principalId`
        /// * returns (map): the assignment, or `()`
        /// * errors: `not-allowed`
        /// * changes: no
        /// * speaks: Microsoft.Authorization/roleAssignments 2022-04-01
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let id = identity::find("id-orders");
        /// let held = role_assignment::list(id)[0];
        /// assert_eq(role_assignment::find(held.scope, held.roleDefinitionId, id).id, held.id);
        /// assert_eq(role_assignment::find("/", "Owner", id), ());
        /// ```
        fn find(call) {
            let (scope, role, principal) = (call.scope("scope")?, call.text("role")?, call.principal("principal")?);
            find(call, &scope, &role, &principal)
        }

        /// Grants a role to a principal at a scope; what is there already is adopted.
        ///
        /// The name is derived from scope, role and principal, so that sending it twice gives one assignment.
        ///
        /// * `assignment` (map): `scope`, `roleDefinitionId`, `principalId`, and where wanted `principalType`, `condition`,
        ///   `conditionVersion`, `description`, `delegatedManagedIdentityResourceId`
        /// * returns (map): `id`, and `adopted`: whether it was there under another name
        /// * errors: `principal-not-replicated`, `assignment-limit`, `not-allowed`
        /// * changes: yes; undone by deleting the assignment, if this call made it
        /// * speaks: Microsoft.Authorization/roleAssignments 2022-04-01
        /// * also: rbac, permission, grant
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let id = identity::find("id-orders");
        /// let reader = role::find("Key Vault Reader");
        /// let made = role_assignment::ensure(#{ scope: subscription::list()[0].id, roleDefinitionId: reader.id, principalId: id.principalId });
        /// assert(!made.adopted);
        /// assert_eq(role_assignment::find(subscription::list()[0].id, reader.id, id).id, made.id);
        /// ```
        fn ensure(call) {
            ensure(call)
        }

        /// Deletes a role assignment, if it is there.
        ///
        /// * `id` (string): the assignment's id, or a map with `id`
        /// * returns (()): nothing
        /// * errors: `not-allowed`, `locked`
        /// * changes: yes; undone by putting the assignment back
        /// * speaks: Microsoft.Authorization/roleAssignments 2022-04-01
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let id = identity::find("id-orders");
        /// let held = role_assignment::list(id)[0];
        /// role_assignment::delete(held.id);
        /// assert_eq(role_assignment::find(held.scope, held.roleDefinitionId, id), ());
        /// ```
        fn delete(call) {
            delete(call)
        }
    }
}

fn delete(call: &Call<'_>) -> Result<(), Error> {
    let id = call.id("id")?;
    let write = Write::arm("DELETE", id.as_str(), API);
    let Some(row) = call.session.get(&write.as_method("GET"))? else {
        return Ok(());
    };
    let scope = id.parent().map_or(Scope::ROOT, Scope::from);
    let back = write.as_method("PUT").with_body(json!({ "properties": sent(&row) }));
    let mut change = Change::send(
        "role_assignment::delete",
        format!("Revoke the role assignment {} at {}", id.name(), short(&scope)),
        write,
    );
    change.before = Before::Known(Some(row));
    change.undo = Some(Undo::Send(back));
    call.session.change(change)?;
    Ok(())
}

/// Of a row's properties those that a PUT takes, where they are set.
fn sent(row: &Value) -> Map<String, Value> {
    let properties = row.get("properties").unwrap_or(&Value::Null);
    ["roleDefinitionId", "principalId", "principalType"]
        .iter()
        .chain(CARRIED)
        .filter_map(|name| {
            Some((
                (*name).to_owned(),
                properties.get(*name).filter(|v| !v.is_null())?.clone(),
            ))
        })
        .collect()
}

/// A row with its properties at the top, and nothing that is null.
fn flat(row: &Value) -> Value {
    let mut made = Map::new();
    for name in ["id", "name"] {
        made.insert(name.into(), row.get(name).cloned().unwrap_or_default());
    }
    if let Some(Value::Object(properties)) = row.get("properties") {
        made.extend(
            properties
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (name.clone(), value.clone())),
        );
    }
    Value::Object(made)
}

fn query(scope: &Scope, filter: &str) -> Write {
    let mut read = Write::arm("GET", &scope.join("Microsoft.Authorization/roleAssignments"), API);
    read.set_query("$filter", filter);
    read
}

fn member<'a>(row: &'a Value, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn list(call: &Call<'_>) -> Result<Value, Error> {
    let principal = call.principal("principal")?;
    let filter = format!("principalId eq '{principal}'");
    let scopes = tenant::scopes(call)?;
    let mut reads = Vec::new();
    for scope in &scopes {
        reads.push(query(&Scope::parse(scope)?, &filter));
    }
    let mut found = BTreeMap::new();
    for (scope, rows) in scopes.iter().zip(call.session.lists(&reads)) {
        match rows {
            Ok(rows) => {
                for row in rows
                    .iter()
                    .map(flat)
                    .filter(|row| member(row, "principalId").eq_ignore_ascii_case(&principal))
                {
                    found.insert(member(&row, "id").to_lowercase(), row);
                }
            }
            Err(error) if error.azure.as_ref().is_some_and(|said| said.status == 403) => {
                let needs = format!("Microsoft.Authorization/roleAssignments/read at {scope}, as Reader has it");
                call.session
                    .unseen(&format!("role assignments at {scope}"), &error.message, &needs)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found.into_values().collect())
}

/// Those made exactly at `scope`: Azure's lists also show inherited ones, and those below.
fn at(call: &Call<'_>, scope: &Scope, filter: &str) -> Result<Value, Error> {
    let rows = call.session.list(&query(scope, filter))?;
    Ok(rows
        .iter()
        .map(flat)
        .filter(|row| Scope::parse(member(row, "scope")).is_ok_and(|found| found.key() == scope.key()))
        .collect())
}

fn guid_of(role: &str) -> &str {
    role.rsplit('/').next().unwrap_or(role)
}

fn find(call: &Call<'_>, scope: &Scope, role: &str, principal: &str) -> Result<Value, Error> {
    let rows = at(call, scope, &format!("principalId eq '{principal}'"))?;
    Ok(rows
        .as_array()
        .into_iter()
        .flatten()
        .find(|row| {
            guid_of(member(row, "roleDefinitionId")).eq_ignore_ascii_case(guid_of(role))
                && member(row, "principalId").eq_ignore_ascii_case(principal)
        })
        .cloned()
        .unwrap_or_default())
}

fn ensure(call: &Call<'_>) -> Result<Value, Error> {
    let wanted = call.map("assignment")?;
    let text = |name: &str| wanted.get(name).and_then(Value::as_str).map(str::to_owned);
    let (Some(scope), Some(role), Some(principal)) = (text("scope"), text("roleDefinitionId"), text("principalId"))
    else {
        return Err(call.wrong("assignment", "a map with `scope`, `roleDefinitionId` and `principalId`"));
    };
    let scope = Scope::parse(&scope)?;
    let path = format!(
        "{}/{}",
        scope.join("Microsoft.Authorization/roleAssignments"),
        name(&scope, &role, &principal)
    );
    let mut properties = Map::new();
    properties.insert("roleDefinitionId".into(), json!(role));
    properties.insert("principalId".into(), json!(principal));
    properties.insert(
        "principalType".into(),
        json!(text("principalType").unwrap_or_else(|| "ServicePrincipal".into())),
    );
    for member in CARRIED {
        if let Some(value) = wanted.get(*member).filter(|value| !value.is_null()) {
            properties.insert((*member).into(), value.clone());
        }
    }
    let found = find(call, &scope, &role, &principal)?;
    if !found.is_null() {
        let is_ours = member(&found, "id").eq_ignore_ascii_case(&path);
        let same = same(&found, &properties);
        if !same && !is_ours {
            report_difference(call, &found)?;
        }
        if same || !is_ours {
            return Ok(json!({ "id": found["id"], "adopted": !is_ours }));
        }
    }
    let what = format!(
        "Grant {} to {} at {}",
        role_name(&wanted, &role),
        label(&principal),
        short(&scope)
    );
    let mut change = Change::send(
        "role_assignment::ensure",
        what,
        Write::arm("PUT", &path, API).with_body(json!({ "properties": properties })),
    );
    if found.is_null() {
        change.before = Before::Known(None);
    }
    change.principal = Some(principal.clone());
    change.shows =
        Some(json!({ "type": "Microsoft.Authorization/roleAssignments", "properties": { "scope": scope.as_str() } }));
    change.already = vec![Already {
        status: 409,
        says: "RoleAssignmentExists",
    }];
    let made = call.session.change(change)?;
    if made.is_null() {
        // Somebody granted it in between, under another name.
        let found = find(call, &scope, &role, &principal)?;
        if !found.is_null() && !same(&found, &properties) {
            report_difference(call, &found)?;
        }
        return Ok(json!({ "id": found.get("id"), "adopted": true }));
    }
    Ok(json!({ "id": made.get("id"), "adopted": false }))
}

fn same(found: &Value, wanted: &Map<String, Value>) -> bool {
    CARRIED.iter().all(|name| {
        let given = wanted.get(*name).filter(|value| !value.is_null());
        found.get(*name).filter(|value| !value.is_null()) == given
    })
}

fn report_difference(call: &Call<'_>, found: &Value) -> Result<(), Error> {
    call.session.finding(Finding {
        severity: "warning".into(),
        code: "differs".into(),
        target: member(found, "id").to_owned(),
        message: "the same role is granted here already, with another condition or description; it was left as it is"
            .into(),
    })
}

/// The name of an assignment: equal for equal scope, role and principal. While the principal is not known
/// yet, neither is the name.
fn name(scope: &Scope, role: &str, principal: &str) -> String {
    let text = format!(
        "{}\n{}\n{}",
        scope.key(),
        guid_of(role).to_lowercase(),
        principal.to_lowercase()
    );
    if placeholder::is_in(principal) {
        return placeholder::placeholder("roleAssignment", &text);
    }
    Uuid::new_v5(&NAMESPACE, text.as_bytes()).hyphenated().to_string()
}

fn role_name(wanted: &Map<String, Value>, role: &str) -> String {
    match wanted.get("roleName").and_then(Value::as_str) {
        Some(name) => format!("\"{name}\""),
        None => format!("role {}", guid_of(role)),
    }
}

fn label(principal: &str) -> &str {
    if placeholder::is_in(principal) {
        "the new identity"
    } else {
        principal
    }
}

/// A scope as a person names it: its last name.
fn short(scope: &Scope) -> String {
    scope
        .id()
        .map_or_else(|| "the tenant's root".to_owned(), |id| id.name().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_does_not_depend_on_spelling() {
        let upper: Scope = "/subscriptions/S/resourceGroups/RG".parse().unwrap();
        let lower: Scope = "/subscriptions/s/resourcegroups/rg".parse().unwrap();
        let role =
            "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/ACDD72A7-3385-48EF-BD42-F606FBA81AE7";
        let principal = "33333333-3333-4333-8333-333333333333";
        assert_eq!(
            name(&upper, role, principal),
            name(&lower, "acdd72a7-3385-48ef-bd42-f606fba81ae7", principal)
        );
        assert_ne!(name(&upper, role, principal), name(&Scope::ROOT, role, principal));
    }
}
