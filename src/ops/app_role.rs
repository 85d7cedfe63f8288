//! `app_role::`, application permissions.

use serde_json::{Value, json};

use super::call::Call;
use super::spec::OpModule;
use crate::error::Error;
use crate::run::change::{Already, Before, Change, Probe, Undo, Write};

pub(crate) fn module() -> OpModule {
    crate::ops! { app_role,
        "Application permissions: app roles of Microsoft Graph and of other applications.";

        /// Lists the app roles that a principal holds.
        ///
        /// * `principal` (principal): a principal id, or a map with `principalId`
        /// * returns (array): maps with `id`, `appRoleId`, `resourceId`, `resourceDisplayName`, `principalId`
        /// * errors: `not-found`, `not-allowed`
        /// * changes: no
        /// * speaks: Microsoft Graph v1.0 servicePrincipals/appRoleAssignments
        ///
        /// ```rhai
        /// // estate: two-regions
        /// assert_eq(type_of(app_role::of(identity::find("id-orders"))), "array");
        /// ```
        fn of(call) {
            let principal = call.principal("principal")?;
            call.session.list(&of(&principal))
        }

        /// Grants an app role to a principal.
        ///
        /// * `principal` (principal): a principal id, or a map with `principalId`
        /// * `resource` (string): the id of the service principal that offers the role
        /// * `role` (string): the role's id
        /// * returns (()): nothing
        /// * errors: `not-found`, `not-allowed`
        /// * changes: yes; undone by taking it away, if this call gave it
        /// * speaks: Microsoft Graph v1.0 servicePrincipals/appRoleAssignments
        ///
        /// ```rhai,no_run
        /// // no_run: needs an application that offers a role
        /// app_role::ensure(identity::find("id-orders"), "RESOURCE", "ROLE");
        /// ```
        fn ensure(call) {
            ensure(call)
        }

        /// Takes an app role back, if it is granted.
        ///
        /// * `assignment` (map): as of `app_role::of`
        /// * returns (()): nothing
        /// * errors: `not-allowed`
        /// * changes: yes; undone by granting it again
        /// * speaks: Microsoft Graph v1.0 servicePrincipals/appRoleAssignments
        ///
        /// ```rhai,no_run
        /// // no_run: needs an application that offers a role
        /// app_role::delete(app_role::of(identity::find("id-orders"))[0]);
        /// ```
        fn delete(call) {
            delete(call)
        }
    }
}

fn collection(principal: &str) -> String {
    format!("/v1.0/servicePrincipals/{principal}/appRoleAssignments")
}

fn of(principal: &str) -> Write {
    Write::graph("GET", &collection(principal))
}

fn ensure(call: &Call<'_>) -> Result<(), Error> {
    let (principal, resource, role) = (call.principal("principal")?, call.text("resource")?, call.text("role")?);
    let is = |row: &Value, name: &str, wanted: &str| {
        row.get(name)
            .and_then(Value::as_str)
            .is_some_and(|found| found.eq_ignore_ascii_case(wanted))
    };
    if call
        .session
        .list(&of(&principal))?
        .iter()
        .any(|row| is(row, "resourceId", &resource) && is(row, "appRoleId", &role))
    {
        return Ok(());
    }
    let body = json!({ "principalId": &principal, "resourceId": &resource, "appRoleId": &role });
    let made_in = Write::graph("POST", &collection(&principal));
    let mut change = Change::send(
        "app_role::ensure",
        format!("Grant the app role {role}"),
        made_in.clone().with_body(body),
    );
    change.probe = Probe::Listed {
        list: of(&principal),
        member: "appRoleId".into(),
        value: role,
        also: [("resourceId".to_owned(), resource)].into(),
        there: true,
    };
    change.already = vec![Already {
        status: 400,
        says: "already exists on the object",
    }];
    change.principal = Some(principal);
    change.undo = Some(Undo::Created(made_in));
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
    let collection = collection(&text("principalId"));
    let write = Write::graph("DELETE", &format!("{collection}/{}", text("id")));
    let mut change = Change::send(
        "app_role::delete",
        format!("Take the app role {} back", text("appRoleId")),
        write,
    );
    change.before = Before::Unreadable;
    change.probe = Probe::Listed {
        list: of(&text("principalId")),
        member: "id".into(),
        value: text("id"),
        also: std::collections::BTreeMap::new(),
        there: false,
    };
    change.already = vec![Already { status: 404, says: "" }];
    let body =
        json!({ "principalId": text("principalId"), "resourceId": text("resourceId"), "appRoleId": text("appRoleId") });
    change.undo = Some(Undo::Send(Write::graph("POST", &collection).with_body(body)));
    call.session.change(change)?;
    Ok(())
}
