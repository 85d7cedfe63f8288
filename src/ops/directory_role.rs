//! `directory_role::`, roles in the directory.

use serde_json::{Value, json};

use super::call::Call;
use super::spec::OpModule;
use crate::error::Error;
use crate::run::change::{Already, Before, Change, Probe, Undo, Write};

const ASSIGNMENTS: &str = "/v1.0/roleManagement/directory/roleAssignments";

pub(crate) fn module() -> OpModule {
    crate::ops! { directory_role,
        "Roles in the directory, such as Directory Readers.";

        /// Lists the directory roles that are assigned to exactly this principal.
        ///
        /// * `principal` (principal): a principal id, or a map with `principalId`
        /// * returns (array): maps with `id`, `roleDefinitionId`, `directoryScopeId`, `principalId`
        /// * errors: `not-allowed`
        /// * changes: no
        /// * speaks: Microsoft Graph v1.0 roleManagement/directory/roleAssignments
        ///
        /// ```rhai
        /// // estate: two-regions
        /// assert_eq(type_of(directory_role::of(identity::find("id-orders"))), "array");
        /// ```
        fn of(call) {
            let principal = call.principal("principal")?;
            call.session.list(&of(&principal))
        }

        /// Assigns a directory role to a principal.
        ///
        /// * `principal` (principal): a principal id, or a map with `principalId`
        /// * `role` (string): the id of the role definition
        /// * `scope` (string, optional): `directoryScopeId`, else "/"
        /// * returns (()): nothing
        /// * errors: `not-allowed`
        /// * changes: yes; undone by taking it away, if this call gave it
        /// * speaks: Microsoft Graph v1.0 roleManagement/directory/roleAssignments
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let id = identity::find("id-orders");
        /// directory_role::ensure(id, "88d8e3e3-8f55-4a1e-953a-9b9898b8876b");
        /// assert_eq(directory_role::of(id).len(), 1);
        /// ```
        fn ensure(call) {
            ensure(call)
        }

        /// Takes a directory role back, if it is assigned.
        ///
        /// * `assignment` (map): as of `directory_role::of`
        /// * returns (()): nothing
        /// * errors: `not-allowed`
        /// * changes: yes; undone by assigning it again
        /// * speaks: Microsoft Graph v1.0 roleManagement/directory/roleAssignments
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let id = identity::find("id-orders");
        /// directory_role::ensure(id, "88d8e3e3-8f55-4a1e-953a-9b9898b8876b");
        /// directory_role::delete(directory_role::of(id)[0]);
        /// assert_eq(directory_role::of(id), []);
        /// ```
        fn delete(call) {
            delete(call)
        }
    }
}

fn of(principal: &str) -> Write {
    let mut read = Write::graph("GET", ASSIGNMENTS);
    read.set_query("$filter", &format!("principalId eq '{principal}'"));
    read
}

fn ensure(call: &Call<'_>) -> Result<(), Error> {
    let (principal, role) = (call.principal("principal")?, call.text("role")?);
    let scope = call.optional_text("scope")?.unwrap_or_else(|| "/".into());
    let held = call.session.list(&of(&principal))?;
    let matches = |row: &Value| {
        let is = |name: &str, wanted: &str| {
            row.get(name)
                .and_then(Value::as_str)
                .is_some_and(|found| found.eq_ignore_ascii_case(wanted))
        };
        is("roleDefinitionId", &role) && is("directoryScopeId", &scope)
    };
    if held.iter().any(matches) {
        return Ok(());
    }
    let body = json!({ "@odata.type": "#microsoft.graph.unifiedRoleAssignment", "roleDefinitionId": role, "principalId": principal, "directoryScopeId": &scope });
    let mut change = Change::send(
        "directory_role::ensure",
        format!("Assign the directory role {role}"),
        Write::graph("POST", ASSIGNMENTS).with_body(body),
    );
    change.probe = Probe::Listed {
        list: of(&principal),
        member: "roleDefinitionId".into(),
        value: role,
        also: [("directoryScopeId".to_owned(), scope)].into(),
        there: true,
    };
    change.already = vec![Already {
        status: 400,
        says: "conflicting object",
    }];
    change.principal = Some(principal);
    change.undo = Some(Undo::Created(Write::graph("POST", ASSIGNMENTS)));
    call.session.change(change)?;
    Ok(())
}

fn delete(call: &Call<'_>) -> Result<(), Error> {
    let assignment = call.map("assignment")?;
    let text = |name: &str| {
        assignment
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let write = Write::graph("DELETE", &format!("{ASSIGNMENTS}/{}", text("id")));
    let mut change = Change::send(
        "directory_role::delete",
        format!("Take the directory role {} back", text("roleDefinitionId")),
        write,
    );
    change.before = Before::Unreadable;
    change.probe = Probe::Gone;
    change.already = vec![Already { status: 404, says: "" }];
    let body = json!({ "@odata.type": "#microsoft.graph.unifiedRoleAssignment", "roleDefinitionId": text("roleDefinitionId"), "principalId": text("principalId"), "directoryScopeId": text("directoryScopeId") });
    change.undo = Some(Undo::Send(Write::graph("POST", ASSIGNMENTS).with_body(body)));
    call.session.change(change)?;
    Ok(())
}
