//! `http::`, data planes of services.

use serde_json::Value;

use super::arm::list;
use super::call::Call;
use super::request::{self, COMMON};
use super::spec::OpModule;
use crate::error::Error;

pub(crate) fn module() -> OpModule {
    crate::ops! { http,
        "Data planes of services. A token goes only to hosts that the cloud ties to its audience, or that the file's const HOSTS names.";

        /// Reads one document.
        ///
        /// * `url` (string): `https://HOST/…`
        /// * `options` (map, optional): `audience` (which token is meant), `headers`, `query`, `missing` (what a 404 gives)
        /// * returns (map): the document
        /// * errors: `not-found`, `not-allowed`, `host-not-allowed`
        /// * changes: no
        /// * speaks: the service's own API
        ///
        /// ```rhai,no_run
        /// // no_run: needs a vault's data plane
        /// http::get("https://kv.vault.azure.net/secrets?api-version=7.4", #{ audience: "https://vault.azure.net" });
        /// ```
        fn get(call) {
            let options = call.options("options", COMMON)?;
            request::get(call, &request::data(call, "GET", &call.text("url")?, &options)?, &options)
        }

        /// Reads all pages of a list.
        ///
        /// * `url` (string): `https://HOST/…`
        /// * `options` (map, optional): as of `http::get`
        /// * returns (array): the rows of all pages
        /// * errors: `not-found`, `not-allowed`, `host-not-allowed`
        /// * changes: no
        /// * speaks: the service's own API
        ///
        /// ```rhai,no_run
        /// // no_run: needs a vault's data plane
        /// http::list("https://kv.vault.azure.net/secrets?api-version=7.4", #{ audience: "https://vault.azure.net" });
        /// ```
        fn list(call) {
            let options = call.options("options", COMMON)?;
            list(call, &request::data(call, "GET", &call.text("url")?, &options)?, &options)
        }

        /// Creates a document, or replaces it.
        ///
        /// * `url` (string): `https://HOST/…`
        /// * `body` (map): the document
        /// * `options` (map, optional): `audience`, `headers`, `query`, `what` (a short sentence for the plan), `effect`, `undo`
        /// * returns (map): what the service answers
        /// * errors: `not-allowed`, `host-not-allowed`
        /// * changes: yes; undone by restoring what stood there
        /// * speaks: the service's own API
        ///
        /// ```rhai,no_run
        /// // no_run: needs a Synapse workspace
        /// http::put("https://ws.dev.azuresynapse.net/roleAssignments/ID", #{}, #{ audience: "https://dev.azuresynapse.net" });
        /// ```
        fn put(call) {
            write(call, "PUT")
        }

        /// Changes the members of a document that the body names.
        ///
        /// * `url` (string): `https://HOST/…`
        /// * `body` (map): what changes
        /// * `options` (map, optional): as of `http::put`
        /// * returns (map): what the service answers
        /// * errors: `not-allowed`, `host-not-allowed`
        /// * changes: yes; undone by restoring the members that still are what was written
        /// * speaks: the service's own API
        ///
        /// ```rhai,no_run
        /// // no_run: needs a data plane
        /// http::patch("https://HOST/thing", #{}, #{ audience: "https://HOST" });
        /// ```
        fn patch(call) {
            write(call, "PATCH")
        }

        /// Calls an action.
        ///
        /// * `url` (string): `https://HOST/…`
        /// * `body` (map, optional): what it takes
        /// * `options` (map, optional): as of `http::put`, and `reads`: true where it changes nothing
        /// * returns (map): what the service answers
        /// * errors: `not-allowed`, `host-not-allowed`
        /// * changes: yes, unless it only reads; undone by `undo`, where it is given
        /// * speaks: the service's own API
        ///
        /// ```rhai,no_run
        /// // no_run: needs a data plane
        /// http::post("https://HOST/search", #{}, #{ audience: "https://HOST", reads: true });
        /// ```
        fn post(call) {
            let options = call.options("options", COMMON)?;
            let mut write = request::data(call, "POST", &call.text("url")?, &options)?;
            write.body = call.optional("body")?;
            if request::reads(call, &write, &options)? {
                return call.session.read_by_post(&write);
            }
            request::make(call, request::change(call, "http::post", write, &options)?)
        }

        /// Deletes a document, if it is there.
        ///
        /// * `url` (string): `https://HOST/…`
        /// * `options` (map, optional): as of `http::put`
        /// * returns (map): what the service answers, which may be nothing
        /// * errors: `not-allowed`, `host-not-allowed`
        /// * changes: yes; undone by putting back what stood there, unless it held secrets
        /// * speaks: the service's own API
        ///
        /// ```rhai,no_run
        /// // no_run: needs a data plane
        /// http::delete("https://HOST/thing", #{ audience: "https://HOST" });
        /// ```
        fn delete(call) {
            let options = call.options("options", COMMON)?;
            let write = request::data(call, "DELETE", &call.text("url")?, &options)?;
            request::make(call, request::change(call, "http::delete", write, &options)?)
        }
    }
}

fn write(call: &Call<'_>, method: &str) -> Result<Value, Error> {
    let options = call.options("options", COMMON)?;
    let mut write = request::data(call, method, &call.text("url")?, &options)?;
    write.body = Some(Value::Object(call.map("body")?));
    request::make(call, request::change(call, &call.function(), write, &options)?)
}
