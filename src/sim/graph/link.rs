//! Who is in what and who owns what: the `members` and `owners` arrays of stored documents, and an index over them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::directory::Directory;
use super::schema::Kind;

impl Directory {
    fn links(&mut self, property: &str) -> &mut std::collections::HashMap<String, BTreeSet<(Kind, String)>> {
        if property == "members" {
            &mut self.containers
        } else {
            &mut self.owned
        }
    }

    pub(super) fn index(&mut self, property: &str, kind: Kind, id: &str, target: &str) {
        let holder = (kind, id.to_lowercase());
        self.links(property)
            .entry(target.to_lowercase())
            .or_default()
            .insert(holder);
    }

    /// Whether the array of the object names the target, in any case.
    pub(super) fn linked(&self, property: &str, kind: Kind, id: &str, target: &str) -> bool {
        let links = if property == "members" {
            &self.containers
        } else {
            &self.owned
        };
        links
            .get(&target.to_lowercase())
            .is_some_and(|holders| holders.contains(&(kind, id.to_lowercase())))
    }

    /// Puts the target at the end of the object's array.
    pub(super) fn link(&mut self, property: &str, kind: Kind, id: &str, target: &str) {
        let Some(entry) = self.section_mut(kind).get_mut(id) else {
            return;
        };
        let document = entry.written();
        match document.get_mut(property).and_then(Value::as_array_mut) {
            Some(targets) => targets.push(json!(target)),
            None => document[property] = json!([target]),
        }
        self.index(property, kind, id, target);
    }

    /// Takes the target out of the object's array; false where it was not there.
    pub(super) fn unlink(&mut self, property: &str, kind: Kind, id: &str, target: &str) -> bool {
        if !self.linked(property, kind, id, target) {
            return false;
        }
        if let Some(entry) = self.section_mut(kind).get_mut(id) {
            let targets = entry.written().get_mut(property).and_then(Value::as_array_mut);
            if let Some(targets) = targets {
                targets.retain(|item| !item.as_str().is_some_and(|item| item.eq_ignore_ascii_case(target)));
            }
        }
        let holder = (kind, id.to_lowercase());
        if let Some(holders) = self.links(property).get_mut(&target.to_lowercase()) {
            holders.remove(&holder);
        }
        true
    }

    /// Everything whose `members` name the object, directly and through groups; a circle of groups ends.
    pub(super) fn walk_up(&self, id: &str) -> BTreeSet<(Kind, String)> {
        let start = id.to_lowercase();
        let mut found = BTreeSet::new();
        let mut open = vec![start.clone()];
        while let Some(next) = open.pop() {
            for (kind, holder) in self.containers.get(&next).into_iter().flatten() {
                if *holder != start && found.insert((*kind, holder.clone())) {
                    open.push(holder.clone());
                }
            }
        }
        found
    }

    /// Everything that the object is in, directly and through groups, with the roles that are assigned to either.
    pub(super) fn all_containers(&self, id: &str) -> BTreeSet<(Kind, String)> {
        let mut found = self.walk_up(id);
        let groups: Vec<String> = found.iter().map(|(_, holder)| holder.clone()).collect();
        for holder in groups.iter().map(String::as_str).chain([id]) {
            found.extend(self.roles_assigned_to(holder).map(|role| (Kind::DirectoryRole, role)));
        }
        found
    }

    /// The groups and directory roles that the object is in directly; a role assignment at `/` counts as membership
    /// of the role.
    pub(super) fn direct_containers(&self, id: &str) -> BTreeSet<(Kind, String)> {
        let mut found = self.containers.get(&id.to_lowercase()).cloned().unwrap_or_default();
        found.extend(self.roles_assigned_to(id).map(|role| (Kind::DirectoryRole, role)));
        found
    }

    /// Every object below a group: members, and members of member groups.
    pub(super) fn all_members(&self, kind: Kind, id: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut open = vec![(kind, id.to_lowercase())];
        while let Some((kind, next)) = open.pop() {
            for member in self.direct_members(kind, &next) {
                if found.insert(member.clone()) && self.entry(Kind::Group, &member).is_some() {
                    open.push((Kind::Group, member));
                }
            }
        }
        found.remove(&id.to_lowercase());
        found
    }

    /// The lower-cased ids of the direct members of a group or directory role.
    pub(super) fn direct_members(&self, kind: Kind, id: &str) -> BTreeSet<String> {
        let Some(entry) = self.entry(kind, id) else {
            return BTreeSet::new();
        };
        let mut found: BTreeSet<String> = entry.ids("members").iter().map(|id| id.to_lowercase()).collect();
        if kind == Kind::DirectoryRole {
            found.extend(self.holders_of_role(entry.text("roleTemplateId").unwrap_or(id)));
        }
        found
    }

    /// Takes a directory object out, and everything that named it as member, owner, principal or resource.
    pub(super) fn remove_object(&mut self, kind: Kind, id: &str) {
        let Some(entry) = self.section_mut(kind).remove(id) else {
            return;
        };
        for (property, targets) in [("members", entry.ids("members")), ("owners", entry.ids("owners"))] {
            for target in targets {
                if let Some(holders) = self.links(property).get_mut(&target.to_lowercase()) {
                    holders.remove(&(kind, id.to_lowercase()));
                }
            }
        }
        for property in ["members", "owners"] {
            for (holder, of) in self.links(property).remove(&id.to_lowercase()).unwrap_or_default() {
                self.index(property, holder, &of, id);
                self.unlink(property, holder, &of, id);
            }
            self.links(property).remove(&id.to_lowercase());
        }
        super::schedule::forget(self, id);
        super::governance::forget(self, id);
        for (kind, members) in [
            (Kind::AppRoleAssignment, &["principalId", "resourceId"][..]),
            (Kind::RoleAssignment, &["principalId"]),
            (Kind::PermissionGrant, &["clientId", "principalId", "resourceId"]),
        ] {
            self.section_mut(kind).remove_where(|entry| {
                let mut texts = members.iter().filter_map(|member| entry.text(member));
                texts.any(|text| text.eq_ignore_ascii_case(id))
            });
        }
    }
}
