//! An object as Graph shows it: what is stored, what is implied, what is computed, and null for the rest.

use std::borrow::Cow;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::schema::{Kind, NAVIGATION};
use super::section::Entry;

/// A row of a list, or one object, before it is turned into JSON.
#[derive(Debug, Clone)]
pub(super) struct View<'a> {
    pub(super) kind: Kind,
    /// What lists are ordered and paged by.
    pub(super) key: String,
    source: Source<'a>,
    tenant: &'a str,
}

#[derive(Debug, Clone)]
enum Source<'a> {
    Entry(&'a Entry),
    Made(Value),
}

impl<'a> View<'a> {
    /// A stored or implied document.
    pub(super) fn of(kind: Kind, key: &str, entry: &'a Entry, tenant: &'a str) -> Self {
        Self {
            kind,
            key: key.to_owned(),
            source: Source::Entry(entry),
            tenant,
        }
    }

    /// A document made for the answer.
    pub(super) fn made(kind: Kind, key: &str, doc: Value, tenant: &'a str) -> Self {
        Self {
            kind,
            key: key.to_lowercase(),
            source: Source::Made(doc),
            tenant,
        }
    }

    fn raw(&self, name: &str) -> Option<&Value> {
        match &self.source {
            Source::Entry(entry) => entry.get(name),
            Source::Made(doc) => doc.get(name),
        }
    }

    fn created(&self) -> Option<OffsetDateTime> {
        match &self.source {
            Source::Entry(entry) => entry.created,
            Source::Made(_) => None,
        }
    }

    /// The member's name as the type or the document spells it; none where neither has it.
    pub(super) fn spelled(&self, name: &str) -> Option<String> {
        if let Some((member, _)) = self.kind.member(name) {
            return Some(member.to_owned());
        }
        if NAVIGATION.iter().any(|hidden| hidden.eq_ignore_ascii_case(name)) {
            return None;
        }
        let mut documents = self.documents();
        documents.find_map(|doc| doc.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned())
    }

    fn documents(&self) -> impl Iterator<Item = &Map<String, Value>> {
        let (first, second) = match &self.source {
            Source::Entry(entry) => (entry.stored.as_ref(), entry.implied.as_ref()),
            Source::Made(doc) => (Some(doc), None),
        };
        [first, second].into_iter().flatten().filter_map(Value::as_object)
    }

    /// The value of a member: as stored, else as computed, else what the type shows for a missing one.
    pub(super) fn get(&self, name: &str) -> Cow<'_, Value> {
        if let Some(value) = self.raw(name).filter(|value| !value.is_null()) {
            return Cow::Borrowed(value);
        }
        if let Some(value) = self.computed(name) {
            return Cow::Owned(value);
        }
        match self.kind.member(name) {
            Some((member, default)) if member == name => match self.raw(name) {
                Some(null) => Cow::Borrowed(null),
                None => Cow::Owned(default.value()),
            },
            Some((member, _)) => self.get(member),
            None => match self.spelled(name) {
                Some(spelled) if spelled != name => self.get(&spelled),
                _ => Cow::Owned(Value::Null),
            },
        }
    }

    /// The object's id; empty where it has none.
    pub(super) fn id(&self) -> String {
        self.get("id").as_str().unwrap_or_default().to_owned()
    }

    fn computed(&self, name: &str) -> Option<Value> {
        match (self.kind, name) {
            (_, "createdDateTime") | (Kind::Group, "renewedDateTime") => self
                .created()
                .and_then(|at| at.replace_nanosecond(0).ok())
                .and_then(|at| at.format(&Rfc3339).ok())
                .or_else(|| {
                    let stored = self.raw("createdDateTime").and_then(Value::as_str);
                    stored.map(str::to_owned)
                })
                .map(Value::String),
            (Kind::Group | Kind::User, "securityIdentifier") => {
                security_identifier(self.raw("id")?.as_str()?).map(Value::String)
            }
            (Kind::ServicePrincipal, "servicePrincipalNames") => self.raw("appId").map(|app| json!([app])),
            (Kind::ServicePrincipal, "appDisplayName") if !self.managed_identity() => self.raw("displayName").cloned(),
            (Kind::ServicePrincipal, "appOwnerOrganizationId") if !self.managed_identity() => Some(json!(self.tenant)),
            (Kind::ServicePrincipal, "signInAudience") if !self.managed_identity() => Some(json!("AzureADMyOrg")),
            _ => None,
        }
    }

    fn managed_identity(&self) -> bool {
        self.raw("servicePrincipalType").and_then(Value::as_str) == Some("ManagedIdentity")
    }

    /// The JSON of the object with all its members, or just the selected ones.
    pub(super) fn shape(&self, select: Option<&[String]>, beta: bool) -> Map<String, Value> {
        let mut shown = Map::new();
        if let Some(select) = select {
            for name in select {
                if let Some(name) = self.spelled(name) {
                    let value = self.get(&name).into_owned();
                    shown.insert(name, value);
                }
            }
            return shown;
        }
        for (name, _) in self.kind.members() {
            shown.insert((*name).to_owned(), self.get(name).into_owned());
        }
        // v1.0 shows eleven members of a user, whatever else is known of it.
        if self.kind == Kind::User && !beta {
            return shown;
        }
        for (name, value) in self.documents().flatten() {
            if !NAVIGATION.contains(&name.as_str()) && !name.starts_with('@') {
                shown.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        shown
    }
}

/// `S-1-12-1-a-b-c-d`: the four 32-bit words of the GUID as Windows lays it out.
fn security_identifier(id: &str) -> Option<String> {
    let bytes = Uuid::parse_str(id).ok()?.to_bytes_le();
    let words = bytes
        .chunks_exact(4)
        .map(|word| word.iter().rev().fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte)));
    Some(words.fold("S-1-12-1".to_owned(), |sid, word| format!("{sid}-{word}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_groups_security_identifier_is_made_of_its_id() {
        assert_eq!(
            security_identifier("77777777-7777-4777-8777-777777777777").as_deref(),
            Some("S-1-12-1-2004318071-1199011703-2004318087-2004318071")
        );
        assert_eq!(security_identifier("group-1"), None);
    }
}
