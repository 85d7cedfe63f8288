//! The directory's state: the estate's documents, and the service principals that identities imply.

use std::collections::{BTreeSet, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use super::schema::Kind;
use super::section::{Entry, NewEntry, Section};
use super::view::View;

/// The directory of a tenant: users, groups, service principals and what hangs on them.
#[derive(Debug, Clone)]
pub struct Directory {
    pub(super) tenant: String,
    /// The estate's keys in their order; a value where Graph does not read it and only keeps it.
    keys: Vec<(String, Option<Value>)>,
    /// Whether the estate had a `graph` at all.
    present: bool,
    sections: HashMap<Kind, Section>,
    /// Who is in what: member → groups and directory roles, by lower-cased ids.
    pub(super) containers: HashMap<String, BTreeSet<(Kind, String)>>,
    /// Who owns what, likewise.
    pub(super) owned: HashMap<String, BTreeSet<(Kind, String)>>,
    /// The application ids, lower-cased, of managed identities that were deleted.
    pub(super) gone: BTreeSet<String>,
}

impl Directory {
    /// Reads the estate's `graph`; absent or null is an empty directory.
    ///
    /// * `graph`: the object of arrays
    /// * `tenant_id`: the tenant's GUID
    /// * errors: what is not an object of arrays of objects, in words
    pub fn load(graph: &Value, tenant_id: &str) -> Result<Self, String> {
        let mut directory = Self {
            tenant: tenant_id.to_lowercase(),
            keys: Vec::new(),
            present: !graph.is_null(),
            sections: HashMap::new(),
            containers: HashMap::new(),
            owned: HashMap::new(),
            gone: BTreeSet::new(),
        };
        let empty = Map::new();
        let members = match graph {
            Value::Null => &empty,
            Value::Object(members) => members,
            _ => return Err("\"graph\" must be an object of arrays".to_owned()),
        };
        for (key, value) in members {
            let Some(kind) = Kind::of_section(key) else {
                directory.keys.push((key.clone(), Some(value.clone())));
                continue;
            };
            let Some(documents) = value.as_array() else {
                return Err(format!("\"graph.{key}\" must be an array"));
            };
            directory.keys.push((key.clone(), None));
            for (index, document) in documents.iter().enumerate() {
                if !document.is_object() {
                    return Err(format!("\"graph.{key}[{index}]\" must be an object"));
                }
                directory.list(kind, document);
            }
        }
        Ok(directory)
    }

    fn list(&mut self, kind: Kind, document: &Value) {
        let key = match document.get("id").and_then(Value::as_str) {
            Some(id) => id.to_owned(),
            None if matches!(
                kind,
                Kind::AppRoleAssignment | Kind::RoleAssignment | Kind::PermissionGrant
            ) =>
            {
                opaque_id(document)
            }
            None => String::new(),
        };
        let members: Vec<(&str, Vec<String>)> = ["members", "owners"]
            .into_iter()
            .map(|property| (property, texts(document.get(property))))
            .collect();
        self.section_mut(kind).add(&key, NewEntry::listed(document.clone()));
        for (property, ids) in members {
            for id in ids {
                self.index(property, kind, &key, &id);
            }
        }
    }

    /// The estate's `graph` again: the same keys in the same order, and the stored documents; null where the estate
    /// had none and nothing was written.
    pub fn save(&self) -> Value {
        let mut saved = Map::new();
        for (key, kept) in &self.keys {
            let value = match (kept, Kind::of_section(key)) {
                (Some(kept), _) => kept.clone(),
                (None, Some(kind)) => Value::Array(self.section(kind).map(Section::save).unwrap_or_default()),
                (None, None) => continue,
            };
            saved.insert(key.clone(), value);
        }
        let mut others: Vec<(&Kind, &Section)> = self.sections.iter().collect();
        others.sort_by_key(|(kind, _)| **kind);
        for (kind, section) in others {
            let documents = section.save();
            if !documents.is_empty() && !saved.contains_key(kind.section()) {
                saved.insert(kind.section().to_owned(), Value::Array(documents));
            }
        }
        if saved.is_empty() && !self.present {
            return Value::Null;
        }
        Value::Object(saved)
    }

    /// Tells the directory of a managed identity, whose service principal it implies.
    ///
    /// * `name`: the display name; `principal_id`, `client_id`: its object id and application id
    /// * `resource_id`: the user-assigned identity, or the resource of a system-assigned one
    /// * `visible_from`: from when on Graph sees it; none: at once
    pub fn identity_created(
        &mut self,
        name: &str,
        principal_id: &str,
        client_id: &str,
        resource_id: &str,
        visible_from: Option<OffsetDateTime>,
    ) {
        let implied = implied(name, principal_id, client_id, resource_id);
        let section = self.section_mut(Kind::ServicePrincipal);
        if let Some(entry) = section.get_mut(principal_id) {
            entry.implied = Some(implied);
            return;
        }
        section.add(
            principal_id,
            NewEntry {
                implied: Some(implied),
                visible_from,
                created: visible_from,
                ..NewEntry::default()
            },
        );
    }

    /// Tells the directory that an identity is gone: its service principal goes, and its memberships, ownerships, app
    /// roles and directory roles with it.
    pub fn identity_deleted(&mut self, principal_id: &str) {
        self.gone
            .extend(self.app_of(principal_id).map(|app| app.to_lowercase()));
        self.remove_object(Kind::ServicePrincipal, principal_id);
    }

    /// Whether the directory sees a user, group or service principal of this id at that time.
    pub fn knows(&self, principal: &str, now: OffsetDateTime) -> bool {
        [Kind::User, Kind::Group, Kind::ServicePrincipal]
            .into_iter()
            .any(|kind| self.entry(kind, principal).is_some_and(|entry| entry.visible(now)))
    }

    /// `User`, `Group` or `ServicePrincipal`, seen already or not; none for an unknown id.
    pub fn kind(&self, principal: &str) -> Option<&'static str> {
        [
            (Kind::User, "User"),
            (Kind::Group, "Group"),
            (Kind::ServicePrincipal, "ServicePrincipal"),
        ]
        .into_iter()
        .find(|(kind, _)| self.entry(*kind, principal).is_some())
        .map(|(_, name)| name)
    }

    /// Whether the rest of the cloud sees the principal at that time: what Graph made is seen `lag` later elsewhere.
    pub fn replicated(&self, principal: &str, now: OffsetDateTime, lag: time::Duration) -> bool {
        [Kind::User, Kind::Group, Kind::ServicePrincipal]
            .into_iter()
            .any(|kind| {
                self.entry(kind, principal)
                    .is_some_and(|entry| match entry.visible_from {
                        Some(from) => from <= now,
                        None => entry.created.is_none_or(|created| created + lag <= now),
                    })
            })
    }

    /// The name by which Azure calls the principal in its messages, where that is not its id: that of a user.
    pub fn principal_name(&self, principal: &str) -> Option<String> {
        let user = self.entry(Kind::User, principal)?;
        user.text("userPrincipalName").map(str::to_owned)
    }

    /// Whether the id is that of an app registration.
    pub fn is_application(&self, id: &str) -> bool {
        self.entry(Kind::Application, id).is_some()
    }

    /// The mail address of a user, or the name that looks like one: where the estate has neither, one is made up.
    pub fn email(&self, principal: &str) -> Option<String> {
        let user = self.entry(Kind::User, principal)?;
        let own = user.text("mail").or_else(|| user.text("userPrincipalName"));
        Some(own.map_or_else(|| format!("{principal}@contoso.example"), str::to_owned))
    }

    /// How many users there are.
    pub fn users(&self) -> usize {
        self.entries(Kind::User).count()
    }

    /// The display name of a principal.
    pub fn display_name(&self, principal: &str) -> Option<String> {
        [Kind::User, Kind::Group, Kind::ServicePrincipal]
            .into_iter()
            .find_map(|kind| self.entry(kind, principal)?.text("displayName").map(str::to_owned))
    }

    /// The ids, lower-cased, of all groups that the principal is in, directly or through other groups.
    pub fn groups_of(&self, principal: &str) -> BTreeSet<String> {
        self.walk_up(principal)
            .into_iter()
            .filter(|(kind, _)| *kind == Kind::Group)
            .map(|(_, id)| id)
            .collect()
    }

    pub(super) fn section(&self, kind: Kind) -> Option<&Section> {
        self.sections.get(&kind)
    }

    pub(super) fn section_mut(&mut self, kind: Kind) -> &mut Section {
        self.sections.entry(kind).or_default()
    }

    pub(super) fn entry(&self, kind: Kind, id: &str) -> Option<&Entry> {
        self.section(kind).and_then(|section| section.get(id))
    }

    /// All documents of a kind, by key.
    pub(super) fn entries(&self, kind: Kind) -> impl Iterator<Item = (&String, &Entry)> {
        self.section(kind).into_iter().flat_map(Section::iter)
    }

    /// The directory object of this id, of whatever kind, where Graph sees it.
    pub(super) fn object(&self, id: &str, now: OffsetDateTime) -> Option<(Kind, &Entry)> {
        Kind::OBJECTS
            .into_iter()
            .find_map(|kind| self.entry(kind, id).map(|entry| (kind, entry)))
            .filter(|(_, entry)| entry.visible(now))
    }

    /// A value of the estate's `graph` that the directory only keeps.
    pub(super) fn kept(&self, key: &str) -> Option<&Value> {
        let mut keys = self.keys.iter();
        keys.find(|(name, _)| name.eq_ignore_ascii_case(key))
            .and_then(|(_, kept)| kept.as_ref())
    }

    /// Changes the rows of an array that the directory only keeps; one that the estate lacks begins here.
    pub(super) fn change_kept(&mut self, key: &str, change: impl FnOnce(&mut Vec<Value>)) {
        let known = self.keys.iter().position(|(name, _)| name.eq_ignore_ascii_case(key));
        let at = known.unwrap_or(self.keys.len());
        if known.is_none() {
            self.keys.push((key.to_owned(), None));
        }
        let mut rows = match self.keys[at].1.take() {
            Some(Value::Array(rows)) => rows,
            _ => Vec::new(),
        };
        change(&mut rows);
        self.keys[at].1 = Some(Value::Array(rows));
    }

    /// An object's view by id, of whatever kind.
    pub(super) fn view(&self, id: &str, now: OffsetDateTime) -> Option<View<'_>> {
        let (kind, entry) = self.object(id, now)?;
        Some(View::of(kind, &id.to_lowercase(), entry, &self.tenant))
    }
}

/// The service principal of a managed identity as Entra makes it.
fn implied(name: &str, principal_id: &str, client_id: &str, resource_id: &str) -> Value {
    let segments: Vec<&str> = resource_id
        .split('/')
        .map(|segment| {
            if segment.eq_ignore_ascii_case("resourceGroups") {
                "resourcegroups"
            } else {
                segment
            }
        })
        .collect();
    let user_assigned = resource_id.to_lowercase().contains("/userassignedidentities/");
    let explicit = if user_assigned {
        "isExplicit=True"
    } else {
        "isExplicit=False"
    };
    let opaque = STANDARD.encode(Sha256::digest(client_id.to_lowercase().as_bytes()));
    // Entra makes a certificate for each and renews it; when is not told here, so its dates are round.
    let key = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, client_id.to_lowercase().as_bytes());
    json!({
        "id": principal_id,
        "keyCredentials": [{
            "customKeyIdentifier": STANDARD.encode(key.as_bytes()),
            "displayName": format!("CN={client_id}, DC={}", client_id.to_lowercase()),
            "endDateTime": "2099-01-01T00:00:00Z",
            "key": null,
            "keyId": key.to_string(),
            "startDateTime": "2024-01-01T00:00:00Z",
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
        }],
        "alternativeNames": [explicit, segments.join("/")],
        "appDisplayName": null,
        "appId": client_id,
        "displayName": name,
        "servicePrincipalNames": [client_id, format!("https://identity.azure.net/{opaque}")],
        "servicePrincipalType": "ManagedIdentity",
    })
}

/// The opaque id, 43 characters, of a document that has none: made of its text, so that it stays the same.
pub(super) fn opaque_id(document: &Value) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(
        crate::types::json::canonical(document).to_lowercase().as_bytes(),
    ))
}

/// The texts of an array.
pub(super) fn texts(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}
