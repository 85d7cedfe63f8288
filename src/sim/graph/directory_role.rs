//! Directory roles: `/directoryRoles` with members, and `/roleManagement/directory` with assignments. They are two
//! faces of one thing: a member of an activated role is an assignment at `/`, and the other way round. Each is stored
//! where it was written, and taken out of both.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::answer::{Call, Outcome, Reply};
use super::directory::{Directory, opaque_id};
use super::entity;
use super::page::{self, Listing};
use super::refusal::Refusal;
use super::role_catalog::BUILT_IN;
use super::schema::Kind;
use super::section::{Entry, NewEntry};
use super::view::View;

fn is(entry: &Entry, member: &str, wanted: &str) -> bool {
    entry.text(member).is_some_and(|text| text.eq_ignore_ascii_case(wanted))
}

/// Whether an assignment holds in the whole directory.
fn at_root(entry: &Entry) -> bool {
    entry.text("directoryScopeId").unwrap_or("/") == "/" && entry.text("appScopeId").is_none()
}

impl Directory {
    /// The activated roles, by lower-cased id, that are assigned to the principal at `/`.
    pub(super) fn roles_assigned_to(&self, principal: &str) -> impl Iterator<Item = String> {
        self.entries(Kind::RoleAssignment)
            .filter(move |(_, entry)| is(entry, "principalId", principal) && at_root(entry))
            .filter_map(|(_, entry)| self.activated(entry.text("roleDefinitionId")?))
    }

    /// The id of the activated role with this template.
    fn activated(&self, definition: &str) -> Option<String> {
        let mut roles = self.entries(Kind::DirectoryRole);
        roles
            .find(|(id, entry)| is(entry, "roleTemplateId", definition) || id.eq_ignore_ascii_case(definition))
            .map(|(id, _)| id.clone())
    }

    /// The lower-cased ids of the principals to whom a role is assigned at `/`.
    pub(super) fn holders_of_role(&self, definition: &str) -> BTreeSet<String> {
        self.entries(Kind::RoleAssignment)
            .filter(|(_, entry)| is(entry, "roleDefinitionId", definition) && at_root(entry))
            .filter_map(|(_, entry)| entry.text("principalId").map(str::to_lowercase))
            .collect()
    }

    /// Whether the principal holds a role at `/`, directly or through its groups.
    pub(super) fn holds_role(&self, principal: &str, definition: &str) -> bool {
        let mut principals = self.groups_of(principal);
        principals.insert(principal.to_lowercase());
        let assigned = self.holders_of_role(definition);
        let role = self.activated(definition);
        principals.iter().any(|id| {
            let member = role
                .as_ref()
                .is_some_and(|role| self.linked("members", Kind::DirectoryRole, role, id));
            member || assigned.contains(id)
        })
    }

    /// The templates of the roles that the principal holds at `/`, as a token names them.
    pub fn role_templates_of(&self, principal: &str) -> Vec<String> {
        let held = BUILT_IN
            .iter()
            .filter(|(template, _)| self.holds_role(principal, template));
        held.map(|(template, _)| (*template).to_owned()).collect()
    }

    /// Takes away a role at `/`: as membership and as assignment. Whether there was one.
    pub(super) fn take_role(&mut self, role: &str, principal: &str) -> bool {
        let template = self
            .entry(Kind::DirectoryRole, role)
            .and_then(|entry| entry.text("roleTemplateId"));
        let template = template.unwrap_or(role).to_owned();
        let member = self.unlink("members", Kind::DirectoryRole, role, principal);
        let held = self.holders_of_role(&template).contains(&principal.to_lowercase());
        self.section_mut(Kind::RoleAssignment).remove_where(|entry| {
            is(entry, "principalId", principal) && is(entry, "roleDefinitionId", &template) && at_root(entry)
        });
        member || held
    }

    /// A role definition: built in, or the estate's own.
    pub(super) fn role_definition(&self, id: &str) -> Option<View<'_>> {
        self.role_definitions()
            .into_iter()
            .find(|view| view.key.eq_ignore_ascii_case(id))
    }

    fn role_definitions(&self) -> Vec<View<'_>> {
        let mut all = BTreeMap::new();
        for (id, name) in BUILT_IN {
            let doc = json!({
                "id": id, "description": name, "displayName": name, "isBuiltIn": true, "isEnabled": true,
                "resourceScopes": ["/"], "templateId": id, "version": "1", "rolePermissions": [],
            });
            all.insert(
                (*id).to_owned(),
                View::made(Kind::RoleDefinition, id, doc, &self.tenant),
            );
        }
        for (key, entry) in self.entries(Kind::RoleDefinition) {
            let view = View::of(Kind::RoleDefinition, key, entry, &self.tenant);
            all.insert(key.clone(), view);
        }
        // A role that the estate activates and the list of built-in ones lacks.
        for (_, entry) in self.entries(Kind::DirectoryRole) {
            let Some(template) = entry.text("roleTemplateId") else {
                continue;
            };
            let name = entry.text("displayName");
            all.entry(template.to_lowercase()).or_insert_with(|| {
                let doc = json!({
                    "id": template, "description": entry.text("description"), "displayName": name,
                    "isBuiltIn": true, "isEnabled": true, "resourceScopes": ["/"], "templateId": template,
                    "version": "1", "rolePermissions": [],
                });
                View::made(Kind::RoleDefinition, template, doc, &self.tenant)
            });
        }
        all.into_values().collect()
    }

    /// Every assignment, stored or meant by a membership, by key.
    fn assignments(&self) -> Vec<View<'_>> {
        let mut all = BTreeMap::new();
        for (key, entry) in self.entries(Kind::RoleAssignment) {
            let mut doc = entry.stored.clone().unwrap_or(Value::Null);
            let id = entry.text("id").map_or_else(|| opaque_id(&doc), str::to_owned);
            doc["id"] = json!(id);
            if entry.text("directoryScopeId").is_none() && entry.text("appScopeId").is_none() {
                doc["directoryScopeId"] = json!("/");
            }
            all.insert(key.clone(), View::made(Kind::RoleAssignment, key, doc, &self.tenant));
        }
        for (role, entry) in self.entries(Kind::DirectoryRole) {
            let definition = entry.text("roleTemplateId").unwrap_or(role);
            let assigned = self.holders_of_role(definition);
            for member in entry.ids("members") {
                if assigned.contains(&member.to_lowercase()) {
                    continue;
                }
                let id = membership_id(definition, &member);
                let doc = json!({
                    "id": id, "principalId": member, "roleDefinitionId": definition, "directoryScopeId": "/",
                });
                let view = View::made(Kind::RoleAssignment, &id, doc, &self.tenant);
                all.insert(view.key.clone(), view);
            }
        }
        all.into_values().collect()
    }
}

fn membership_id(definition: &str, member: &str) -> String {
    opaque_id(&json!([definition.to_lowercase(), member.to_lowercase()]))
}

const ASSIGNMENTS: &str = "roleManagement/directory/roleAssignments";
const DEFINITIONS: &str = "roleManagement/directory/roleDefinitions";

/// `/roleManagement/directory/roleDefinitions` and what is below.
pub(super) fn definitions(directory: &Directory, call: &Call<'_>, rest: &[&str]) -> Outcome {
    super::answer::only(call, &http::Method::GET)?;
    match rest {
        [] => page::list(
            directory,
            call,
            Listing::of(Kind::RoleDefinition, DEFINITIONS),
            directory.role_definitions().into_iter(),
        ),
        [id] => {
            let view = directory.role_definition(id).ok_or_else(|| Refusal::not_found(id))?;
            entity::show(directory, call, &view, DEFINITIONS)
        }
        [_, other, ..] => Err(Refusal::no_segment(other)),
    }
}

/// `/roleManagement/directory/roleAssignments` and what is below.
pub(super) fn assignments(directory: &mut Directory, call: &Call<'_>, rest: &[&str]) -> Outcome {
    match (call.ask.method.as_str(), rest) {
        ("GET", []) => {
            let rows = directory.assignments().into_iter();
            page::list(directory, call, Listing::of(Kind::RoleAssignment, ASSIGNMENTS), rows)
        }
        ("GET", [id]) => {
            let mut all = directory.assignments().into_iter();
            let view = all.find(|view| view.key.eq_ignore_ascii_case(id));
            let view = view.ok_or_else(|| Refusal::not_found(id))?;
            entity::show(directory, call, &view, ASSIGNMENTS)
        }
        ("POST", []) => assign(directory, call),
        ("DELETE", [id]) => {
            let mut all = directory.assignments().into_iter();
            let view = all.find(|view| view.key.eq_ignore_ascii_case(id));
            let view = view.ok_or_else(|| Refusal::not_found(id))?;
            let text = |name: &str| view.get(name).as_str().unwrap_or_default().to_owned();
            let (definition, principal) = (text("roleDefinitionId"), text("principalId"));
            let root = text("directoryScopeId") == "/";
            drop(all);
            directory.section_mut(Kind::RoleAssignment).remove(id);
            if root && let Some(role) = directory.activated(&definition) {
                directory.take_role(&role, &principal);
            }
            Ok(Reply::none())
        }
        (_, [] | [_]) => Err(Refusal::method()),
        (_, [_, other, ..]) => Err(Refusal::no_segment(other)),
    }
}

fn assign(directory: &mut Directory, call: &Call<'_>) -> Outcome {
    let body = call.body()?;
    let text = |member: &str| body.get(member).and_then(Value::as_str);
    let of = "unifiedRoleAssignment";
    let definition = text("roleDefinitionId").ok_or_else(|| Refusal::missing_property("roleDefinitionId", of))?;
    let principal = text("principalId").ok_or_else(|| Refusal::missing_property("principalId", of))?;
    let scope = match (text("directoryScopeId"), text("appScopeId")) {
        (None, None) => return Err(Refusal::missing_property("directoryScopeId", of)),
        (Some(scope), _) if !scope.starts_with('/') => {
            return Err(Refusal::bad(format!(
                "Invalid value specified for property 'directoryScopeId': '{scope}'."
            )));
        }
        (directory, app) => (directory.unwrap_or_default(), app.unwrap_or_default()),
    };
    if !directory.knows(principal, call.now()) {
        return Err(Refusal::not_found(principal));
    }
    let named = |entry: &Entry| is(entry, "roleDefinitionId", definition);
    let known = directory.role_definition(definition).is_some()
        || directory.entries(Kind::RoleAssignment).any(|(_, entry)| named(entry));
    if !known {
        return Err(Refusal::not_found(definition));
    }
    let taken = directory.assignments().iter().any(|view| {
        let is = |name: &str, wanted: &str| view.get(name).as_str().unwrap_or_default().eq_ignore_ascii_case(wanted);
        is("principalId", principal)
            && is("roleDefinitionId", definition)
            && is("directoryScopeId", scope.0)
            && is("appScopeId", scope.1)
    });
    if taken {
        return Err(Refusal::bad(
            "A conflicting object with one or more of the specified property values is present in the directory.",
        ));
    }
    let id = opaque_id(&json!([Uuid::new_v4().to_string()]));
    let mut stored = Map::new();
    stored.insert("id".to_owned(), json!(id));
    let sent = body.iter().filter(|(name, _)| !name.contains('@') && *name != "id");
    stored.extend(sent.map(|(name, value)| (name.clone(), value.clone())));
    let view = View::made(
        Kind::RoleAssignment,
        &id,
        Value::Object(stored.clone()),
        &directory.tenant,
    );
    let reply = entity::created(directory, call, &view, ASSIGNMENTS);
    directory
        .section_mut(Kind::RoleAssignment)
        .add(&id, NewEntry::made(Value::Object(stored), call.now()));
    Ok(reply)
}

/// `/directoryRoleTemplates`: the built-in roles as templates.
pub(super) fn templates(directory: &Directory, call: &Call<'_>, rest: &[&str]) -> Outcome {
    super::answer::only(call, &http::Method::GET)?;
    let mut rows: Vec<View<'_>> = BUILT_IN
        .iter()
        .map(|(id, name)| {
            let doc = json!({"id": id, "deletedDateTime": null, "description": name, "displayName": name});
            View::made(Kind::RoleTemplate, id, doc, &directory.tenant)
        })
        .collect();
    rows.sort_by(|left, right| left.key.cmp(&right.key));
    let set = Kind::RoleTemplate.section();
    match rest {
        [] => page::list(directory, call, Listing::of(Kind::RoleTemplate, set), rows.into_iter()),
        [id] => {
            let view = rows.iter().find(|view| view.key.eq_ignore_ascii_case(id));
            entity::show(directory, call, view.ok_or_else(|| Refusal::not_found(id))?, set)
        }
        [_, other, ..] => Err(Refusal::no_segment(other)),
    }
}
