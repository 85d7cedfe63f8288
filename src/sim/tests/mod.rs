//! The simulator as a client sees it: a server in this process, and requests over HTTP.

mod arm;
mod assignments;
mod blocks;
mod estate;
mod every_type;
mod facts;
mod faults;
mod grants;
mod headers;
mod hurts;
mod identities;
mod lateness;
mod locks;
mod management_groups;
mod paging;
mod refusals;
mod rights;
mod schedules;
mod slow;
mod throttling;
mod tokens;
mod versions;

use std::time::Duration;

use serde_json::{Value, json};

use super::{Options, Server};

pub const SUB: &str = "/subscriptions/22222222-2222-4222-8222-222222222222";
pub const RG: &str = "/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/rg-shop";
pub const MSI: &str = "providers/Microsoft.ManagedIdentity/userAssignedIdentities";
pub const OLD: &str = "33333333-3333-4333-8333-333333333333";
pub const OPERATOR: &str = "99999999-9999-4999-8999-999999999999";
pub const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

/// A small shop: a subscription, a group, an identity with a credential and a grant, a vault and a web app.
pub fn shop() -> Value {
    let tenant = "11111111-1111-4111-8111-111111111111";
    let mg = format!("/providers/Microsoft.Management/managementGroups/{tenant}");
    let id = format!("{RG}/{MSI}/id-shop");
    json!({
        "tenantId": tenant,
        "arm": {"resources": [
            {"id": SUB, "type": "Microsoft.Resources/subscriptions", "displayName": "Shop", "state": "Enabled"},
            {"id": mg, "type": "Microsoft.Management/managementGroups", "name": tenant,
             "properties": {"displayName": "Root", "details": {"parent": null}}},
            {"id": format!("{mg}{SUB}"), "type": "Microsoft.Management/managementGroups/subscriptions",
             "properties": {"displayName": "Shop"}},
            {"id": RG, "name": "rg-shop", "type": "Microsoft.Resources/resourceGroups", "location": "eastus"},
            {"id": id, "name": "id-shop", "type": "Microsoft.ManagedIdentity/userAssignedIdentities", "location": "eastus",
             "properties": {"tenantId": tenant, "principalId": OLD, "clientId": "44444444-4444-4444-8444-444444444444"}},
            {"id": format!("{id}/federatedIdentityCredentials/ci"), "name": "ci",
             "type": "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
             "properties": {"issuer": "https://token.example", "subject": "main", "audiences": ["api://AzureADTokenExchange"]}},
            {"id": format!("{RG}/providers/Microsoft.Authorization/roleAssignments/66666666-6666-4666-8666-666666666666"),
             "name": "66666666-6666-4666-8666-666666666666", "type": "Microsoft.Authorization/roleAssignments",
             "properties": {"roleDefinitionId": format!("{SUB}/providers/Microsoft.Authorization/roleDefinitions/{READER}"),
                            "principalId": OLD, "principalType": "ServicePrincipal", "scope": RG}},
            {"id": format!("{RG}/providers/Microsoft.KeyVault/vaults/kv"), "name": "kv", "type": "Microsoft.KeyVault/vaults",
             "location": "eastus", "properties": {"accessPolicies": [
                {"tenantId": tenant, "objectId": OLD, "permissions": {"secrets": ["get", "list"]}}]}},
            {"id": format!("{RG}/providers/Microsoft.Web/sites/app"), "name": "app", "type": "Microsoft.Web/sites",
             "location": "East US", "identity": {"type": "UserAssigned", "userAssignedIdentities": {
                id.replace("resourceGroups", "resourcegroups"): {"principalId": OLD, "clientId": "44444444-4444-4444-8444-444444444444"}}},
             "properties": {"state": "Running"}},
            {"id": format!("{RG}/providers/Microsoft.Web/sites/app/config/appsettings"), "name": "appsettings",
             "type": "Microsoft.Web/sites/config", "properties": {"AZURE_CLIENT_ID": "44444444-4444-4444-8444-444444444444"}},
        ]},
        "graph": {
            "users": [{"id": "55555555-5555-4555-8555-555555555555", "displayName": "Casey"}],
            "groups": [{"id": "77777777-7777-4777-8777-777777777777", "displayName": "ops", "members": [OPERATOR]}],
        },
        "data": {"https://kv.vault.azure.net/secrets/a": {"id": "a", "value": "x"}},
    })
}

/// A simulator and a client for it.
pub struct Sim {
    pub server: Server,
    client: reqwest::Client,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Reply {
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }
    pub fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
    pub fn rows(&self) -> &[Value] {
        self.body["value"].as_array().map(Vec::as_slice).unwrap_or_default()
    }
}

impl Sim {
    pub async fn new(estate: Value) -> Self {
        Self::with(Options {
            estate,
            lag: Some(Duration::ZERO),
            ..Options::default()
        })
        .await
    }

    pub async fn with(options: Options) -> Self {
        Self {
            server: Server::start(options).await.unwrap(),
            client: reqwest::Client::new(),
        }
    }

    pub async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        self.try_send(method, path, body, &[]).await.unwrap()
    }

    pub async fn try_send(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> reqwest::Result<Reply> {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.server.url())
        };
        let mut request = self.client.request(method.parse().unwrap(), url).bearer_auth("any");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        Ok(Reply {
            status,
            headers,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
        })
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, None).await
    }
    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.send("PUT", path, Some(body)).await
    }
    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.send("PATCH", path, Some(body)).await
    }
    pub async fn delete(&self, path: &str) -> Reply {
        self.send("DELETE", path, None).await
    }
}

/// The path of an identity of the shop's group, with the newest stable api-version.
pub fn identity(name: &str) -> String {
    format!("{RG}/{MSI}/{name}?api-version=2024-11-30")
}

/// The path of a role assignment at a scope.
pub fn assignment(scope: &str, n: u32) -> String {
    format!(
        "{scope}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-4000-8000-{n:012}?api-version=2022-04-01"
    )
}

/// The body that grants a role.
pub fn grant(role: &str, principal: &str, kind: Option<&str>) -> Value {
    let mut properties = json!({
        "roleDefinitionId": format!("/providers/Microsoft.Authorization/roleDefinitions/{role}"),
        "principalId": principal,
    });
    if let Some(kind) = kind {
        properties["principalType"] = json!(kind);
    }
    json!({ "properties": properties })
}
