//! The estate that an example presupposes: what its request is about, what that lies in, and what it names.

use std::collections::HashSet;

use ferry::types::ResourceId;
use serde_json::{Value, json};

use super::example::{Example, Request};

pub const TENANT: &str = "20000000-0000-0000-0000-000000000000";

#[derive(Default)]
pub struct Estate {
    pub documents: Vec<Value>,
    pub known: HashSet<String>,
    location: String,
    users: Vec<Value>,
    principals: Vec<Value>,
    groups: Vec<Value>,
}

/// The estate for the request of an example.
pub fn presupposed(example: &Example, request: &Request) -> Value {
    let answer = example.answer(200).cloned().unwrap_or(Value::Null);
    let body = request.body.clone().unwrap_or(Value::Null);
    let place = |document: &Value| {
        document["location"]
            .as_str()
            .filter(|place| place.len() > 2)
            .map(str::to_owned)
    };
    let mut estate = Estate {
        location: place(&body)
            .or_else(|| place(&answer))
            .unwrap_or_else(|| "westus".to_owned()),
        ..Estate::default()
    };
    estate.groups_of_management(&answer);
    let list = answer["value"].as_array().or_else(|| answer["data"].as_array());
    if request.path.starts_with("/providers/Microsoft.ResourceGraph") {
        let scopes = [("managementGroups", true), ("subscriptions", false)];
        for (name, id) in scopes.iter().flat_map(|(name, group)| {
            body[name]
                .as_array()
                .into_iter()
                .flatten()
                .map(move |id| (*group, id.as_str().unwrap()))
        }) {
            estate.scope(name, id);
        }
        for row in list.into_iter().flatten() {
            estate.row(row, body["query"].as_str().unwrap_or_default());
        }
        // There are as many as it tells, of which one page is shown.
        let more = answer["totalRecords"]
            .as_u64()
            .filter(|_| answer["$skipToken"].is_string())
            .unwrap_or(0);
        for _ in 0..more {
            estate.row(&json!({"location": "eastus"}), "summarize");
        }
        estate.connect();
        return estate.value();
    }
    // What exists before: all of what is read, deleted or changed; of what is changed not what the request brings.
    let reads = ["GET", "PATCH", "DELETE"].contains(&request.method.as_str());
    match (ResourceId::parse(&request.path), list) {
        (Ok(target), None) if reads => estate.target(&target, answer.clone(), &body),
        (_, Some(rows)) => estate.rows(request, rows),
        (Ok(target), None) => estate.above(&target),
        _ => {}
    }
    if request.method == "POST" {
        let (owner, _) = request.path.rsplit_once('/').unwrap();
        if let Ok(owner) = ResourceId::parse(owner) {
            estate.above(&owner);
            estate.put(&owner, json!({}));
        }
    }
    for document in [&body, &answer] {
        estate.named(document);
    }
    if let Some(subscription) = request.path.strip_prefix("/subscriptions/") {
        let id = format!("/subscriptions/{}", subscription.split('/').next().unwrap_or_default());
        estate.put(&ResourceId::parse(&id).unwrap(), json!({}));
    }
    estate.value()
}

impl Estate {
    fn value(self) -> Value {
        json!({
            "tenantId": TENANT,
            "arm": {"resources": self.documents},
            "graph": {"users": self.users, "servicePrincipals": self.principals, "groups": self.groups},
        })
    }

    /// Adds a document, if there is none under its id.
    pub fn put(&mut self, id: &ResourceId, document: Value) {
        if !self.known.insert(id.key().to_owned()) {
            return;
        }
        let mut document = document.as_object().cloned().unwrap_or_default();
        document.insert("id".into(), json!(id.as_str()));
        document.entry("name").or_insert_with(|| json!(id.name()));
        let kind = id.resource_type();
        if kind.eq_ignore_ascii_case("Microsoft.Resources/subscriptions") {
            document
                .entry("displayName")
                .or_insert_with(|| json!("TestSubscription"));
            document.entry("state").or_insert_with(|| json!("Enabled"));
        } else if id.extended().is_none() && !kind.starts_with("Microsoft.Management") {
            document.entry("location").or_insert_with(|| json!(self.location));
        }
        document.insert("type".into(), json!(kind));
        self.documents.push(Value::Object(document));
    }

    /// Adds what a thing lies in.
    pub fn above(&mut self, id: &ResourceId) {
        let mut at = id.extended().or_else(|| id.parent());
        while let Some(above) = at {
            self.put(&above, json!({}));
            at = above.extended().or_else(|| above.parent());
        }
    }

    /// Adds what a request is about, as it is before the request.
    fn target(&mut self, id: &ResourceId, mut document: Value, sent: &Value) {
        self.above(id);
        if let (Some(map), true) = (document.as_object_mut(), sent.is_object()) {
            map.retain(|name, _| !(["identity", "tags"].contains(&name.as_str()) && sent.get(name).is_some()));
        }
        let own = "microsoft.managedidentity/identities";
        match id.extended().or_else(|| id.parent()) {
            // A system-assigned identity is shown of the resource that has it.
            Some(owner) if id.is_type(own) => {
                let identity = json!({"type": "SystemAssigned", "principalId": "10000000-0000-0000-0000-000000000001", "tenantId": TENANT});
                self.known.remove(owner.key());
                self.documents
                    .retain(|document| document["id"] != json!(owner.as_str()));
                self.put(&owner, json!({ "identity": identity }));
            }
            Some(owner) if id.is_type("Microsoft.Resources/tags") => {
                self.documents
                    .retain(|document| document["id"] != json!(owner.as_str()));
                self.known.remove(owner.key());
                self.put(&owner, json!({"tags": document["properties"]["tags"]}));
            }
            _ => self.put(id, document),
        }
    }

    /// Adds the rows of a list, below what is listed.
    fn rows(&mut self, request: &Request, rows: &[Value]) {
        let owner = request
            .path
            .rsplit_once("/providers/")
            .map(|(owner, _)| ResourceId::parse(owner));
        if let Some(Ok(owner)) = owner {
            self.above(&owner);
            self.put(&owner, json!({}));
        }
        let (parent, word) = request.path.rsplit_once('/').unwrap();
        for row in rows {
            let name = row["name"]
                .as_str()
                .and_then(|name| name.rsplit('/').next())
                .unwrap_or("one");
            let below = format!("{}/{name}", request.path);
            let own = row["id"].as_str().and_then(|id| ResourceId::parse(id).ok());
            let scope = parent.split("/providers/").next().unwrap_or_default();
            let kind = ResourceId::parse(&below)
                .map(|id| id.resource_type())
                .unwrap_or_default();
            let child = kind.matches('/').count() > 1;
            let lies = |id: &ResourceId| {
                let inside = if child {
                    below.to_ascii_lowercase()
                } else {
                    scope.to_ascii_lowercase()
                };
                word == "listAssociatedResources" || (id.is_type(&kind) && id.key().starts_with(&inside))
            };
            let mut id = own.filter(lies);
            if word == "listAssociatedResources" {
                let identity = json!({"type": "UserAssigned", "userAssignedIdentities": {parent: {}}});
                if let Some(id) = id.take() {
                    self.above(&id);
                    self.put(&id, json!({ "identity": identity }));
                }
                continue;
            }
            if let Some(id) = id.or_else(|| ResourceId::parse(&below).ok()) {
                self.above(&id);
                self.put(&id, row.clone());
            }
        }
    }

    /// Adds the identities, roles and principals that a document names, and what they lie in.
    fn named(&mut self, document: &Value) {
        match document {
            Value::Object(map) => {
                if let Some(Value::Object(identities)) = map.get("userAssignedIdentities") {
                    for id in identities.keys() {
                        self.identity(id);
                    }
                }
                if let Some(principal) = map.get("principalId").and_then(Value::as_str) {
                    self.principal(principal, map.get("principalType").and_then(Value::as_str));
                }
                for value in map.values() {
                    self.named(value);
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.named(item);
                }
            }
            Value::String(text)
                if text
                    .to_ascii_lowercase()
                    .contains("microsoft.authorization/roledefinitions/") =>
            {
                let role = json!({"properties": {"roleName": "Example role", "type": "CustomRole", "assignableScopes": ["/"],
                    "permissions": [{"actions": ["*/read"], "notActions": []}]}});
                if let Ok(id) = ResourceId::parse(text) {
                    self.put(&id, role);
                }
            }
            Value::String(text) if text.to_ascii_lowercase().contains("/userassignedidentities/") => {
                self.identity(text);
            }
            _ => {}
        }
    }

    fn identity(&mut self, id: &str) {
        let Ok(id) = ResourceId::parse(id) else { return };
        if !id.is_type("Microsoft.ManagedIdentity/userAssignedIdentities") {
            return;
        }
        let n = self.known.len();
        self.above(&id);
        let own = |part: u32| format!("{part:08}-0000-4000-8000-{n:012}");
        self.put(
            &id,
            json!({"properties": {"tenantId": TENANT, "principalId": own(1), "clientId": own(2)}}),
        );
    }

    fn principal(&mut self, id: &str, kind: Option<&str>) {
        if !self.known.insert(format!("principal {id}")) {
            return;
        }
        let mut entry = json!({"id": id, "displayName": "User Account", "mail": "user@my-tenant.com"});
        match kind {
            Some("ServicePrincipal") => {
                entry["appId"] = json!(id);
                self.principals.push(entry);
            }
            Some("Group") => self.groups.push(entry),
            _ => self.users.push(entry),
        }
    }
}
