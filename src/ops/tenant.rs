//! `tenant::` and `subscription::`, what there is to look into.

use serde_json::{Value, json};

use super::call::Call;
use super::spec::OpModule;
use crate::azure::Plane;
use crate::error::Error;
use crate::run::change::Write;

pub(crate) fn tenant() -> OpModule {
    crate::ops! { tenant,
        "The tenant and the scopes in it.";

        /// Gives the id of the tenant that the operator works in.
        ///
        /// * returns (string): the tenant's id
        /// * errors: `not-allowed`
        /// * changes: no
        /// * speaks: Microsoft.Resources/tenants 2022-12-01
        ///
        /// ```rhai
        /// // estate: two-regions
        /// assert_eq(tenant::id(), identity::find("id-orders").tenantId);
        /// ```
        fn id(call) {
            let tenants = call.session.memo("tenants", || Ok(Value::Array(call.session.list(&Write::arm("GET", "/tenants", "2022-12-01"))?)))?;
            Ok(tenants.pointer("/0/tenantId").cloned().unwrap_or_default())
        }

        /// Tells who the operator is, as its tokens say: what they cannot tell is absent or empty.
        ///
        /// `graph` is what the token for Microsoft Graph says of rights there: `roles` (application permissions), `scopes`
        /// (delegated permissions) and `directoryRoles` (templates of directory roles). Tokens are not shown.
        ///
        /// * returns (map): `principalId`, `kind` (`User`, `ServicePrincipal`, `ManagedIdentity` or empty), `graph`
        /// * changes: no
        ///
        /// ```rhai
        /// // estate: two-regions
        /// assert_eq(tenant::operator().kind, "ServicePrincipal");
        /// assert("62e90394-69f5-4237-9190-012177145e10" in tenant::operator().graph.directoryRoles);
        /// ```
        fn operator(call) {
            let known = call.session.memo("operator", || operator(call))?;
            Ok((*known).clone())
        }

        /// Gives every scope at which role assignments can be listed, from the root down.
        ///
        /// They are the root, management groups and subscriptions.
        ///
        /// What may not be read is told with `run::unseen`.
        ///
        /// * returns (array): scopes
        /// * changes: no
        /// * speaks: Microsoft.Management/managementGroups 2021-04-01, Microsoft.Resources/subscriptions 2022-12-01
        ///
        /// ```rhai
        /// // estate: two-regions
        /// assert("/" in tenant::scopes());
        /// ```
        fn scopes(call) {
            scopes(call).map(|scopes| scopes.into_iter().map(Value::String).collect::<Vec<_>>())
        }
    }
}

pub(crate) fn subscription() -> OpModule {
    crate::ops! { subscription,
        "Subscriptions.";

        /// Lists the subscriptions that the operator can see.
        ///
        /// * returns (array): maps with `id`, `subscriptionId`, `displayName`, `state`
        /// * changes: no
        /// * speaks: Microsoft.Resources/subscriptions 2022-12-01
        ///
        /// ```rhai
        /// // estate: two-regions
        /// assert_eq(subscription::list()[0].state, "Enabled");
        /// ```
        fn list(call) {
            subscriptions(call)
        }
    }
}

/// What the operator's tokens claim. One that is opaque, or that is not to be had, claims nothing.
fn operator(call: &Call<'_>) -> Result<Value, Error> {
    let client = call.session.client()?;
    let claims = |plane: Plane| {
        let asked = client.clone();
        let told = async move { Ok::<_, Error>(asked.token_claims(&plane).await.unwrap_or_default()) };
        call.session.block(told)
    };
    let (arm, graph) = (claims(Plane::Arm)?, claims(Plane::Graph)?);
    let text = |name: &str| arm[name].as_str();
    let kind = match (text("xms_mirid"), text("idtyp"), text("upn").or(text("unique_name"))) {
        (Some(_), ..) => "ManagedIdentity",
        (None, Some("app"), _) => "ServicePrincipal",
        (None, Some("user"), _) | (None, _, Some(_)) => "User",
        _ => "",
    };
    let list = |name: &str| graph[name].as_array().cloned().unwrap_or_default();
    let scopes = graph["scp"].as_str().unwrap_or_default().split_whitespace();
    Ok(json!({
        "principalId": text("oid").unwrap_or_default(),
        "kind": kind,
        "graph": { "roles": list("roles"), "scopes": scopes.collect::<Vec<_>>(), "directoryRoles": list("wids") },
    }))
}

fn subscriptions(call: &Call<'_>) -> Result<Value, Error> {
    let known = call.session.memo("subscriptions", || {
        let rows = call.session.list(&Write::arm("GET", "/subscriptions", "2022-12-01"))?;
        let member = |row: &Value, name: &str| row.get(name).cloned().unwrap_or_default();
        Ok(rows
            .iter()
            .map(|row| json!({ "id": member(row, "id"), "subscriptionId": member(row, "subscriptionId"), "displayName": member(row, "displayName"), "state": member(row, "state") }))
            .collect())
    })?;
    Ok((*known).clone())
}

/// The scopes of [`scopes`], as text.
pub(super) fn scopes(call: &Call<'_>) -> Result<Vec<String>, Error> {
    let mut scopes = vec!["/".to_owned()];
    let groups = call.session.memo("management groups", || {
        match call.session.list(&Write::arm(
            "GET",
            "/providers/Microsoft.Management/managementGroups",
            "2021-04-01",
        )) {
            Ok(rows) => Ok(Value::Array(rows)),
            Err(error) if error.azure.as_ref().is_some_and(|said| said.status == 403) => {
                call.session.unseen(
                    "management groups",
                    &error.message,
                    "Management Group Reader at the tenant's root group",
                )?;
                Ok(Value::Array(Vec::new()))
            }
            Err(error) => Err(error),
        }
    })?;
    let subscriptions = subscriptions(call)?;
    for row in groups.as_array().into_iter().chain(subscriptions.as_array()).flatten() {
        scopes.extend(row.get("id").and_then(Value::as_str).map(str::to_owned));
    }
    Ok(scopes)
}
