//! `federated_credential::`, who else may become an identity.

use serde_json::{Map, Value, json};

use super::call::Call;
use super::spec::OpModule;
use crate::error::Error;
use crate::run::IDENTITY_API;
use crate::run::change::{Change, Write};

/// The first version that knows `claimsMatchingExpression`.
const FLEXIBLE_API: &str = "2025-01-31-preview";

const MEMBERS: &[&str] = &["issuer", "subject", "audiences", "claimsMatchingExpression"];

pub(crate) fn module() -> OpModule {
    crate::ops! { federated_credential,
        "Federated credentials of an identity. Azure takes one write at a time for each identity.";

        /// Lists the federated credentials of an identity.
        ///
        /// * `identity` (string): the identity's resource id, or a map with `id`
        /// * returns (array): maps with `name`, `issuer`, `subject`, `audiences`, and `claimsMatchingExpression` of flexible ones
        /// * errors: `not-found`, `not-allowed`
        /// * changes: no
        /// * speaks: Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials 2025-01-31-preview
        /// * also: workload identity, oidc, trust
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let found = federated_credential::list(identity::find("id-orders"));
        /// assert(found.all(|credential| credential.audiences.len() == 1));
        /// ```
        fn list(call) {
            let id = call.id("identity")?;
            let rows = call.session.list(&Write::arm("GET", &format!("{id}/federatedIdentityCredentials"), FLEXIBLE_API))?;
            Ok(rows.iter().map(flat).collect::<Vec<_>>())
        }

        /// Makes a federated credential on an identity.
        ///
        /// * `identity` (string): the identity's resource id, or a map with `id`
        /// * `credential` (map): `name`, `issuer`, `subject` (or `claimsMatchingExpression`), `audiences`
        /// * returns (map): `id`
        /// * errors: `not-allowed`, `azure-refused` (limit of 20, or a pair of issuer and subject that is there already)
        /// * changes: yes; undone by deleting it, if this call made it
        /// * speaks: Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials 2024-11-30
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let id = identity::find("id-orders");
        /// federated_credential::ensure(id, #{ name: "ci-new", issuer: "https://token.example", subject: "repo:x", audiences: ["api://AzureADTokenExchange"] });
        /// assert(federated_credential::list(id).some(|credential| credential.name == "ci-new"));
        /// ```
        fn ensure(call) {
            ensure(call)
        }

        /// Deletes a federated credential, if it is there.
        ///
        /// * `identity` (string): the identity's resource id, or a map with `id`
        /// * `name` (string): the credential's name
        /// * returns (()): nothing
        /// * errors: `not-allowed`, `locked`
        /// * changes: yes; undone by making it again
        /// * speaks: Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials 2024-11-30
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let id = identity::find("id-orders");
        /// federated_credential::ensure(id, #{ name: "ci-new", issuer: "https://token.example", subject: "repo:x", audiences: ["api://AzureADTokenExchange"] });
        /// federated_credential::delete(id, "ci-new");
        /// assert(!federated_credential::list(id).some(|credential| credential.name == "ci-new"));
        /// ```
        fn delete(call) {
            let (id, name) = (call.id("identity")?, call.text("name")?);
            let write = Write::arm("DELETE", &format!("{id}/federatedIdentityCredentials/{name}"), IDENTITY_API);
            call.session.change(Change::send("federated_credential::delete", format!("Delete the federated credential {name} of {}", id.name()), write))?;
            Ok(())
        }
    }
}

fn flat(row: &Value) -> Value {
    let mut made = Map::new();
    made.insert("name".into(), row.get("name").cloned().unwrap_or_default());
    for member in MEMBERS {
        if let Some(value) = row
            .pointer(&format!("/properties/{member}"))
            .filter(|value| !value.is_null())
        {
            made.insert((*member).into(), value.clone());
        }
    }
    Value::Object(made)
}

fn ensure(call: &Call<'_>) -> Result<Value, Error> {
    let (id, credential) = (call.id("identity")?, call.map("credential")?);
    let Some(name) = credential.get("name").and_then(Value::as_str) else {
        return Err(call.wrong("credential", "a map with `name`, `issuer`, `subject` and `audiences`"));
    };
    let properties: Map<String, Value> = MEMBERS
        .iter()
        .filter_map(|member| {
            Some((
                (*member).to_owned(),
                credential.get(*member).filter(|value| !value.is_null())?.clone(),
            ))
        })
        .collect();
    let api = if properties.contains_key("claimsMatchingExpression") {
        FLEXIBLE_API
    } else {
        IDENTITY_API
    };
    let path = format!("{id}/federatedIdentityCredentials/{name}");
    let found = call.session.get(&Write::arm("GET", &path, api))?;
    if found.as_ref().is_some_and(|found| {
        properties
            .iter()
            .all(|(member, value)| found.pointer(&format!("/properties/{member}")) == Some(value))
    }) {
        return Ok(json!({ "id": path }));
    }
    let write = Write::arm("PUT", &path, api).with_body(json!({ "properties": properties }));
    let mut change = Change::send(
        "federated_credential::ensure",
        format!("Trust {name} to become {}", id.name()),
        write,
    );
    change.before = crate::run::change::Before::Known(found);
    call.session.change(change)?;
    Ok(json!({ "id": path }))
}
