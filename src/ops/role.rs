//! `role::`, role definitions.

use serde_json::{Value, json};

use super::call::Call;
use super::request::not_found;
use super::spec::OpModule;
use crate::error::Error;
use crate::run::change::Write;
use crate::types::{Attributes, Condition, Scope};

/// The version of Microsoft.Authorization/roleDefinitions.
const API: &str = "2022-04-01";

pub(crate) fn module() -> OpModule {
    crate::ops! { role,
        "Role definitions, built-in ones and custom ones.";

        /// Finds a role definition by its name, its GUID or its id.
        ///
        /// * `role` (string): a name such as "Reader", a GUID, or the id of a definition
        /// * `scope` (scope, optional): where it is to be assigned, for custom roles
        /// * returns (map): `id`, `name` (the GUID), `roleName`, `type`, `assignableScopes`, `permissions`
        /// * errors: `not-found`, `ambiguous-role`
        /// * changes: no
        /// * speaks: Microsoft.Authorization/roleDefinitions 2022-04-01
        ///
        /// ```rhai
        /// // estate: two-regions
        /// assert_eq(role::find("Reader").name, "acdd72a7-3385-48ef-bd42-f606fba81ae7");
        /// ```
        fn find(call) {
            find(call)
        }

        /// Tells whether the condition of a role assignment allows an action with these attributes.
        ///
        /// They are those of the role assignment that is to be made (`…/write`) or deleted: `RoleDefinitionId` (a GUID),
        /// `PrincipalId`, `PrincipalType`.
        ///
        /// * `condition` (string): its text
        /// * `action` (string): such as "Microsoft.Authorization/roleAssignments/write"
        /// * `attributes` (map): attributes of Microsoft.Authorization/roleAssignments
        /// * returns: true or false; nothing where the condition says more than Ferry understands
        /// * changes: no
        ///
        /// ```rhai
        /// let text = "@Request[Microsoft.Authorization/roleAssignments:PrincipalType] StringEqualsIgnoreCase 'User'";
        /// let write = "Microsoft.Authorization/roleAssignments/write";
        /// assert_eq(role::condition_allows(text, write, #{ PrincipalType: "User" }), true);
        /// assert_eq(role::condition_allows(text, write, #{ PrincipalType: "ServicePrincipal" }), false);
        /// assert_eq(role::condition_allows("today is Monday", write, #{}), ());
        /// ```
        fn condition_allows(call) {
            condition_allows(call)
        }
    }
}

fn condition_allows(call: &Call<'_>) -> Result<Value, Error> {
    let action = call.text("action")?.to_ascii_lowercase();
    let Some(condition) = Condition::read(&call.text("condition")?) else {
        return Ok(Value::Null);
    };
    let named = call.map("attributes")?.into_iter().filter_map(|(name, value)| {
        let name = format!("microsoft.authorization/roleassignments:{}", name.to_ascii_lowercase());
        Some((name, value.as_str()?.to_owned()))
    });
    let mut of = Attributes::default();
    if action.ends_with("/delete") {
        of.resource = named.collect();
    } else {
        of.request = named.collect();
    }
    Ok(Value::Bool(condition.holds(&action, &of)))
}

fn find(call: &Call<'_>) -> Result<Value, Error> {
    let role = call.text("role")?;
    let scope = if call.dynamic("scope").is_unit() {
        Scope::ROOT
    } else {
        call.scope("scope")?
    };
    let guid = role
        .rsplit('/')
        .next()
        .filter(|last| uuid::Uuid::try_parse(last).is_ok());
    let rows = if let Some(guid) = guid {
        let path = format!("{}/{guid}", scope.join("Microsoft.Authorization/roleDefinitions"));
        call.session.get(&Write::arm("GET", &path, API))?.into_iter().collect()
    } else {
        let mut read = Write::arm("GET", &scope.join("Microsoft.Authorization/roleDefinitions"), API);
        read.set_query("$filter", &format!("roleName eq '{}'", role.replace('\'', "''")));
        call.session.list(&read)?
    };
    match rows.as_slice() {
        [] => Err(not_found(&role)),
        [one] => Ok(flat(one)),
        _ => Err(Error::failed(
            "ambiguous-role",
            format!("several roles are named \"{role}\" at {scope}"),
        )
        .untouched("nothing was sent")
        .next("name the role by its GUID")),
    }
}

fn flat(definition: &Value) -> Value {
    let property = |name: &str| {
        definition
            .pointer(&format!("/properties/{name}"))
            .cloned()
            .unwrap_or_default()
    };
    json!({
        "id": definition.get("id"),
        "name": definition.get("name"),
        "roleName": property("roleName"),
        "type": property("type"),
        "assignableScopes": property("assignableScopes"),
        "permissions": property("permissions"),
    })
}
