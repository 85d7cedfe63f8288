//! Queries over a small estate, with the rows that they must give.

mod answers;
mod documented;
mod errors;
mod expressions;
mod operators;
mod properties;
mod scopes;
mod speed;

use serde_json::{Value as Json, json};
use time::OffsetDateTime;
use time::macros::datetime;

use super::{Failure, Tables, answer};

pub const NOW: OffsetDateTime = datetime!(2026-11-24 12:00 UTC);
pub const ROLE: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

/// Documents, and the prefixes of ids that the caller may not read.
pub struct Sample {
    pub documents: Vec<Json>,
    pub hidden: Vec<&'static str>,
}

impl Tables for Sample {
    fn documents<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Json> + 'a> {
        Box::new(self.documents.iter())
    }
    fn tenant_id(&self) -> &'static str {
        "t1"
    }
    fn may_read(&self, id: &str) -> bool {
        !self.hidden.iter().any(|prefix| id.starts_with(prefix))
    }
}

pub fn sample() -> Sample {
    let id_shop =
        "/subscriptions/s1/resourcegroups/rg-Shop/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-shop";
    let mg = "/providers/Microsoft.Management/managementGroups";
    let assignment = |scope: &str, name: &str, principal: &str| {
        json!({"id": format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"), "name": name,
            "type": "Microsoft.Authorization/roleAssignments", "properties": {"principalId": principal, "principalType": "ServicePrincipal",
            "scope": if scope.is_empty() { "/" } else { scope }, "roleDefinitionId": format!("/subscriptions/s1/providers/Microsoft.Authorization/roleDefinitions/{}", ROLE.to_uppercase())}})
    };
    Sample {
        documents: vec![
            json!({"id": "/subscriptions/s1", "type": "Microsoft.Resources/subscriptions", "subscriptionId": "s1", "displayName": "Shop", "state": "Enabled"}),
            json!({"id": "/subscriptions/s2", "type": "Microsoft.Resources/subscriptions", "subscriptionId": "s2", "displayName": "Lab", "state": "Enabled"}),
            json!({"id": format!("{mg}/t1"), "name": "t1", "type": "Microsoft.Management/managementGroups", "properties": {"displayName": "Tenant Root Group", "details": {"parent": null}}}),
            json!({"id": format!("{mg}/corp"), "name": "corp", "type": "Microsoft.Management/managementGroups", "properties": {"displayName": "Corp", "details": {"parent": {"id": format!("{mg}/t1")}}}}),
            json!({"id": format!("{mg}/corp/subscriptions/s1"), "name": "s1", "type": "Microsoft.Management/managementGroups/subscriptions", "properties": {}}),
            json!({"id": format!("{mg}/t1/subscriptions/s2"), "name": "s2", "type": "Microsoft.Management/managementGroups/subscriptions", "properties": {}}),
            json!({"id": "/subscriptions/s1/resourceGroups/rg-Shop", "name": "rg-Shop", "type": "Microsoft.Resources/resourceGroups", "location": "eastus", "properties": {}}),
            json!({"id": id_shop, "name": "id-shop", "type": "Microsoft.ManagedIdentity/userAssignedIdentities", "location": "eastus", "tags": {"team": "shop"}, "properties": {"principalId": "p1", "clientId": "c1"}}),
            json!({"id": format!("{id_shop}/federatedIdentityCredentials/ci"), "name": "ci", "type": "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials", "properties": {}}),
            json!({"id": "/subscriptions/s1/resourceGroups/rg-Shop/providers/Microsoft.KeyVault/vaults/kv-shop", "name": "kv-shop", "type": "Microsoft.KeyVault/vaults", "location": "eastus", "sku": {"name": "standard"},
                "properties": {"size": 3, "enabled": true, "created": "2026-11-20T00:00:00Z", "accessPolicies": [{"objectId": "p1"}, {"objectId": "p2"}]}}),
            json!({"id": "/subscriptions/s1/resourceGroups/rg-Shop/providers/Microsoft.Web/sites/app-shop", "name": "app-shop", "type": "Microsoft.Web/sites", "location": "East US", "kind": "app,linux", "tags": {"team": "Shop", "env": "prod"},
                "identity": {"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {id_shop: {"principalId": "p1"}, "/subscriptions/s1/x/id-shop2": {"principalId": "p2"}}},
                "properties": {"size": 10, "state": "Running", "accessPolicies": []}}),
            json!({"id": "/subscriptions/s1/resourceGroups/rg-Shop/providers/Microsoft.Web/sites/app-shop/config/appsettings", "name": "appsettings", "type": "Microsoft.Web/sites/config", "location": "East US", "properties": {}}),
            json!({"id": "/subscriptions/s1/resourceGroups/rg-Shop/providers/Microsoft.Web/sites/app-shop/slots/blue", "name": "blue", "type": "Microsoft.Web/sites/slots", "location": "East US", "properties": {"size": 7}}),
            json!({"id": "/subscriptions/s1/resourceGroups/rg-Shop/providers/Microsoft.Web/sites/app-shop/providers/Microsoft.Insights/diagnosticSettings/d", "name": "d", "type": "Microsoft.Insights/diagnosticSettings", "properties": {}}),
            json!({"id": "/subscriptions/s2/resourceGroups/rg-lab/providers/Microsoft.Storage/storageAccounts/lab1", "name": "lab1", "type": "Microsoft.Storage/storageAccounts", "location": "westeurope", "properties": {}}),
            json!({"id": format!("/providers/Microsoft.Authorization/roleDefinitions/{ROLE}"), "name": ROLE, "type": "Microsoft.Authorization/roleDefinitions", "properties": {"roleName": "Reader", "type": "BuiltInRole", "assignableScopes": ["/"]}}),
            assignment("/subscriptions/s1/resourceGroups/rg-Shop", "a1", "p1"),
            assignment(&format!("{mg}/corp"), "a2", "p1"),
            assignment("", "a3", "p2"),
            assignment("/subscriptions/s2", "a4", "p1"),
        ],
        hidden: Vec::new(),
    }
}

/// The answer to a body over the sample.
pub fn ask(body: &Json) -> Result<Json, Failure> {
    answer(body, &sample(), NOW)
}

/// The rows of a query over the whole tenant.
#[track_caller]
pub fn rows(query: &str) -> Json {
    match ask(&json!({"query": query})) {
        Ok(found) => found["data"].clone(),
        Err(failure) => panic!("{query}: {}", failure.body),
    }
}

/// The values of the column `x` of a query.
#[track_caller]
pub fn xs(query: &str) -> Json {
    rows(query)
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["x"].clone())
        .collect()
}

/// The value of an expression for the vault.
#[track_caller]
pub fn value(expression: &str) -> Json {
    xs(&format!(
        "resources | where name == 'kv-shop' | project x = {expression}"
    ))[0]
        .clone()
}
