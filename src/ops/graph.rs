//! `graph::`, anything in Microsoft Graph by its path.

use serde_json::Value;

use super::arm::list;
use super::call::Call;
use super::request::{self, COMMON};
use super::spec::OpModule;
use crate::error::Error;
use crate::run::change::Change;

pub(crate) fn module() -> OpModule {
    crate::ops! { graph,
        "Anything in Microsoft Graph, by its path: \"groups/ID/members\".";

        /// Reads one object.
        ///
        /// * `path` (string): the path behind the version
        /// * `options` (map, optional): `version` (v1.0, or "beta"), `headers`, `query`, `missing` (what a 404 gives)
        /// * returns (map): the object
        /// * errors: `not-found`, `not-allowed`
        /// * changes: no
        /// * speaks: Microsoft Graph v1.0
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let id = identity::find("id-orders");
        /// assert_eq(graph::get("servicePrincipals/" + id.principalId).appId, id.clientId);
        /// ```
        fn get(call) {
            let options = call.options("options", COMMON)?;
            request::get(call, &request::graph("GET", &call.text("path")?, &options)?, &options)
        }

        /// Reads all pages of a list.
        ///
        /// * `path` (string): the path behind the version
        /// * `options` (map, optional): as of `graph::get`
        /// * returns (array): the rows of all pages
        /// * errors: `not-found`, `not-allowed`
        /// * changes: no
        /// * speaks: Microsoft Graph v1.0
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let id = identity::find("id-orders");
        /// assert(graph::list("servicePrincipals/" + id.principalId + "/memberOf").len() > 0);
        /// ```
        fn list(call) {
            let options = call.options("options", COMMON)?;
            list(call, &request::graph("GET", &call.text("path")?, &options)?, &options)
        }

        /// Creates an object, or replaces it.
        ///
        /// * `path` (string): the path behind the version
        /// * `body` (map): the object
        /// * `options` (map, optional): `version`, `headers`, `query`, `what` (a short sentence for the plan), `effect`, `undo`
        /// * returns (map): what Graph answers
        /// * errors: `not-allowed`
        /// * changes: yes; undone by restoring what stood there
        /// * speaks: Microsoft Graph v1.0
        ///
        /// ```rhai,no_run
        /// // no_run: few objects of Graph can be put, and none of them is an identity's
        /// graph::put("applications/ID/logo", #{});
        /// ```
        fn put(call) {
            write(call, "PUT")
        }

        /// Changes the members of an object that the body names.
        ///
        /// * `path` (string): the path behind the version
        /// * `body` (map): what changes
        /// * `options` (map, optional): as of `graph::put`
        /// * returns (map): what Graph answers, which is mostly nothing
        /// * errors: `not-found`, `not-allowed`
        /// * changes: yes; undone by restoring the members that still are what was written
        /// * speaks: Microsoft Graph v1.0
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let team = group::of(identity::find("id-orders"))[0];
        /// graph::patch("groups/" + team.id, #{ description: "moved" });
        /// assert_eq(graph::get("groups/" + team.id).description, "moved");
        /// ```
        fn patch(call) {
            write(call, "PATCH")
        }

        /// Creates an object in a collection, adds a reference, or calls an action.
        ///
        /// * `path` (string): the path behind the version
        /// * `body` (map, optional): the object
        /// * `options` (map, optional): as of `graph::put`, and `reads`: true where it changes nothing. Actions whose names
        ///   begin with `get`, `check` or `list` only read
        /// * returns (map): what Graph answers
        /// * errors: `not-found`, `not-allowed`
        /// * changes: yes, unless it only reads; undone by `undo`, where it is given: a request, or `created: true`, which
        ///   deletes what was made by the id that the answer gives
        /// * speaks: Microsoft Graph v1.0
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let id = identity::find("id-orders");
        /// let found = graph::post("directoryObjects/getByIds", #{ ids: [id.principalId] });
        /// assert_eq(found.value.len(), 1);
        /// ```
        fn post(call) {
            let options = call.options("options", COMMON)?;
            let mut write = request::graph("POST", &call.text("path")?, &options)?;
            write.body = call.optional("body")?;
            if request::reads(call, &write, &options)? {
                return call.session.read_by_post(&write);
            }
            let mut change = request::change(call, "graph::post", write, &options)?;
            change.principal = principal_of(&change);
            request::make(call, change)
        }

        /// Deletes an object, or removes a reference.
        ///
        /// * `path` (string): the path behind the version
        /// * `options` (map, optional): as of `graph::put`
        /// * returns (map): what Graph answers, which is mostly nothing
        /// * errors: `not-allowed`
        /// * changes: yes; undone by `undo`, where it is given
        /// * speaks: Microsoft Graph v1.0
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let id = identity::find("id-orders");
        /// let team = group::of(id)[0];
        /// graph::delete("groups/" + team.id + "/members/" + id.principalId + "/$ref");
        /// assert(!group::has_member(team, id));
        /// ```
        fn delete(call) {
            let options = call.options("options", COMMON)?;
            let write = request::graph("DELETE", &call.text("path")?, &options)?;
            let is_reference = write.path.ends_with("/$ref");
            let mut change = request::change(call, "graph::delete", write, &options)?;
            if is_reference {
                change.before = crate::run::change::Before::Unreadable;
                change.probe = crate::run::change::Probe::Unknowable;
            }
            request::make(call, change)
        }
    }
}

/// The principal that a request gives something to, as its body names it: a new one may not be known everywhere yet.
fn principal_of(change: &Change) -> Option<String> {
    let body = change.action.write().body.as_ref()?;
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let reference = || text("@odata.id").and_then(|address| address.rsplit('/').next());
    text("principalId").or_else(reference).map(str::to_owned)
}

fn write(call: &Call<'_>, method: &str) -> Result<Value, Error> {
    let options = call.options("options", COMMON)?;
    let mut write = request::graph(method, &call.text("path")?, &options)?;
    write.body = Some(Value::Object(call.map("body")?));
    request::make(call, request::change(call, &call.function(), write, &options)?)
}
