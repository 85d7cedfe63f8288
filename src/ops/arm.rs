//! `arm::`, anything in Azure Resource Manager by its path.

use serde_json::{Value, json};

use super::call::{Call, Options};
use super::request::{self, COMMON};
use super::resource_types;
use super::spec::OpModule;
use crate::error::Error;
use crate::run::change::{Change, Write};
use crate::run::edit::{Edit, EditSet, Fill, Form};
use crate::types::ResourceId;

const EDIT: &[&str] = &[
    "api_version",
    "headers",
    "query",
    "what",
    "effect",
    "method",
    "read",
    "fill",
];

pub(crate) fn module() -> OpModule {
    crate::ops! { arm,
        "Anything in Azure Resource Manager, by its path: for services that have no module of their own.";

        /// Reads one document.
        ///
        /// * `path` (string): the resource id, or any path that answers one document; relative to the cloud's endpoint
        /// * `options` (map, optional): `api_version` (else chosen by type), `headers`, `query`, and `missing`, which is
        ///   what a 404 gives instead of an error
        /// * returns (map): the document
        /// * errors: `not-found`, `not-allowed`
        /// * changes: no
        /// * speaks: Azure Resource Manager, any provider
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let group = arm::get(subscription::list()[0].id + "/resourceGroups/rg-orders");
        /// assert_eq(group.location, "northeurope");
        /// assert_eq(arm::get(group.id + "x", #{ missing: () }), ());
        /// ```
        fn get(call) {
            let options = call.options("options", COMMON)?;
            let write = request::arm(call, "GET", &call.text("path")?, &options)?;
            request::get(call, &write, &options)
        }

        /// Reads all pages of a list.
        ///
        /// * `path` (string): a path that answers a list
        /// * `options` (map, optional): `api_version`, `headers`, `query`, `missing` (what a 404 gives)
        /// * returns (array): the rows of all pages
        /// * errors: `not-found`, `not-allowed`
        /// * changes: no
        /// * speaks: Azure Resource Manager, any provider
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let groups = arm::list(subscription::list()[0].id + "/resourceGroups");
        /// assert(groups.some(|group| group.name == "rg-orders"));
        /// ```
        fn list(call) {
            let options = call.options("options", COMMON)?;
            let write = request::arm(call, "GET", &call.text("path")?, &options)?;
            list(call, &write, &options)
        }

        /// Creates a document, or replaces it.
        ///
        /// * `path` (string): the resource id
        /// * `body` (map): the document
        /// * `options` (map, optional): `api_version`, `headers`, `query`, `what` (a short sentence for the plan), `effect`,
        ///   `undo` (`method`, `path`, `body`: the way back, where it is not to restore what stood there), `probe` (`path`, and
        ///   `holds` or `lacks`: what that document shows once it is done, where a read of `path` itself does not tell)
        /// * returns (map): what Azure answers at the end of the operation
        /// * errors: `not-allowed`, `locked`, `denied-by-policy`
        /// * changes: yes; undone by restoring what stood there, or deleting what did not
        /// * speaks: Azure Resource Manager, any provider
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let id = subscription::list()[0].id + "/resourceGroups/rg-new";
        /// arm::put(id, #{ location: "westeurope" });
        /// assert_eq(arm::get(id).location, "westeurope");
        /// ```
        fn put(call) {
            write(call, "PUT")
        }

        /// Changes the members of a document that the body names.
        ///
        /// * `path` (string): the resource id
        /// * `body` (map): what is to be merged in; `()` removes a member
        /// * `options` (map, optional): as of `arm::put`
        /// * returns (map): what Azure answers at the end of the operation
        /// * errors: `not-found`, `not-allowed`, `locked`, `denied-by-policy`
        /// * changes: yes; undone by restoring the members that still are what was written
        /// * speaks: Azure Resource Manager, any provider
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let id = identity::find("id-orders").id;
        /// arm::patch(id, #{ tags: #{ moved: "soon" } });
        /// assert_eq(arm::get(id).tags.moved, "soon");
        /// ```
        fn patch(call) {
            write(call, "PATCH")
        }

        /// Calls an action.
        ///
        /// * `path` (string): the action's path
        /// * `body` (map, optional): what it takes
        /// * `options` (map, optional): as of `arm::put`, and `reads`: true where it changes nothing. Actions whose names
        ///   begin with `list`, `check`, `get` or `validate` only read
        /// * returns (map): what Azure answers at the end of the operation
        /// * errors: `not-found`, `not-allowed`, `locked`
        /// * changes: yes, unless it only reads; undone by `undo`, where it is given
        /// * speaks: Azure Resource Manager, any provider
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let site = resource_graph::query("resources | where type =~ 'microsoft.web/sites' | project id")[0].id;
        /// let settings = arm::post(site + "/config/appsettings/list");
        /// assert("AZURE_CLIENT_ID" in settings.properties);
        /// ```
        fn post(call) {
            let options = call.options("options", COMMON)?;
            let mut write = request::arm(call, "POST", &call.text("path")?, &options)?;
            write.body = call.optional("body")?;
            if request::reads(call, &write, &options)? {
                return call.session.read_by_post(&write);
            }
            request::make(call, request::change(call, "arm::post", write, &options)?)
        }

        /// Deletes a resource, if it is there.
        ///
        /// * `path` (string): the resource id
        /// * `options` (map, optional): as of `arm::put`
        /// * returns (map): what Azure answers, which may be nothing
        /// * errors: `not-allowed`, `locked`
        /// * changes: yes; undone by putting back what stood there, unless it held secrets
        /// * speaks: Azure Resource Manager, any provider
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let id = subscription::list()[0].id + "/resourceGroups/rg-new";
        /// arm::put(id, #{ location: "westeurope" });
        /// arm::delete(id);
        /// assert_eq(arm::get(id, #{ missing: () }), ());
        /// ```
        fn delete(call) {
            let options = call.options("options", COMMON)?;
            let write = request::arm(call, "DELETE", &call.text("path")?, &options)?;
            request::make(call, request::change(call, "arm::delete", write, &options)?)
        }

        /// Turns values at JSON pointers of a document, by a fresh read and a conditional write.
        ///
        /// The document itself is never stored, so this is how documents with secret values are changed. Nothing is
        /// sent where all edits are in place already.
        ///
        /// * `path` (string): the resource id
        /// * `edits` (array): maps of `pointer`, `from`, `to`: of a string every whole-word occurrence of `from`, in any
        ///   spelling, becomes `to`; `from: ()` adds, `to: ()` removes; with `key: true` the members of the object at
        ///   `pointer` are renamed whose keys name `from`
        /// * `options` (map, optional): `method` (PATCH or PUT, else by type), `read` (another way to read the document:
        ///   "POST …/config/appsettings/list"), `fill` (maps of `action`, `at`, `by`, `value`, `unless`: values that the read hides),
        ///   `api_version`, `what`, `effect`
        /// * returns (map): `id`, and `changed`, the number of edits that changed something
        /// * errors: `vanished`, `not-allowed`, `locked`
        /// * changes: yes; undone by the same edits the other way round, where the values still are what was written
        /// * speaks: Azure Resource Manager, any provider
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let id = identity::find("id-orders");
        /// arm::patch(id.id, #{ tags: #{ note: "used by " + id.clientId + "!" } });
        /// let edits = [#{ pointer: "/tags/note", from: id.clientId, to: "somebody" }];
        /// assert_eq(arm::edit(id.id, edits).changed, 1);
        /// assert_eq(arm::get(id.id).tags.note, "used by somebody!");
        /// assert_eq(arm::edit(id.id, edits).changed, 0);
        /// ```
        fn edit(call) {
            edit(call)
        }

        /// Tells how documents of a type are read and written.
        ///
        /// It is the row of `stdlib/resource_types.toml`, with the defaults laid under it.
        ///
        /// * `of` (string): a resource type, or a resource id
        /// * returns (map): `type`, `api`, `write`, `identity`, `combined`, `identities`, `effect`, `children`, …
        /// * changes: no
        /// * speaks: Microsoft.Resources/providers 2022-09-01, for types that are not in the file
        ///
        /// ```rhai
        /// // estate: two-regions
        /// assert_eq(arm::type_info("microsoft.web/sites").identity, "merge");
        /// ```
        fn type_info(call) {
            let of = call.text("of")?;
            let (resource_type, subscription) = match ResourceId::parse(&of) {
                Ok(id) => (id.resource_type(), id.subscription().map(str::to_owned)),
                Err(_) => (of, None),
            };
            resource_types::info(call, &resource_type, subscription.as_deref())
        }

        /// Tells whether Ferry knows anything special of a resource type.
        ///
        /// It does where `stdlib/resource_types.toml` has a row for the type, or for what it is a child of. Of other types
        /// only the documents are looked at, with the newest stable api-version of their provider.
        ///
        /// * `of` (string): a resource type
        /// * returns (bool): whether there is a row
        /// * changes: no
        ///
        /// ```rhai
        /// assert(arm::knows_type("microsoft.web/sites"));
        /// assert(!arm::knows_type("Contoso.Cranes/harbours"));
        /// ```
        fn knows_type(call) {
            resource_types::knows(call, &call.text("of")?)
        }
    }
}

/// All pages; what a 404 gives is the option `missing`.
pub(super) fn list(call: &Call<'_>, write: &Write, options: &Options) -> Result<Value, Error> {
    match call.session.list(write) {
        Ok(rows) => Ok(Value::Array(rows)),
        Err(error) if error.is_not_found() && options.has("missing") => {
            Ok(options.get("missing").cloned().unwrap_or_default())
        }
        Err(error) => Err(error),
    }
}

fn write(call: &Call<'_>, method: &str) -> Result<Value, Error> {
    let options = call.options("options", COMMON)?;
    let mut write = request::arm(call, method, &call.text("path")?, &options)?;
    write.body = Some(Value::Object(call.map("body")?));
    request::make(call, request::change(call, &call.function(), write, &options)?)
}

fn edit(call: &Call<'_>) -> Result<Value, Error> {
    let options = call.options("options", EDIT)?;
    let path = call.text("path")?;
    let edits = edits(call, call.array("edits")?)?;
    let info = match resource_types::type_of_path(&path) {
        Some((resource_type, subscription)) => resource_types::info(call, &resource_type, subscription.as_deref())?,
        None => serde_json::Map::new(),
    };
    let read = match options.text("read")? {
        None => request::arm(call, "GET", &path, &options)?,
        Some(read) => {
            let (verb, path) = read.split_once(' ').unwrap_or(("GET", &read));
            let read = request::arm(call, &verb.to_uppercase(), path, &options)?;
            let reads = match read.method.as_str() {
                "GET" => true,
                "POST" => request::reads(call, &read, &options)?,
                _ => false,
            };
            if !reads {
                return Err(options.wrong("read", "\"GET …\", or \"POST …\" of an action that only reads"));
            }
            read
        }
    };
    let method = match options.text("method")? {
        Some(method) => method.to_uppercase(),
        None if options.has("read") => "PUT".to_owned(),
        None => text(&info, "write").unwrap_or("PATCH").to_owned(),
    };
    if !["PUT", "PATCH"].contains(&method.as_str()) {
        return Err(options.wrong("method", "\"PATCH\" or \"PUT\""));
    }
    let form = match (method.as_str(), text(&info, "identity")) {
        ("PUT", _) => Form::Whole,
        (_, Some("replace")) => Form::MergeAllIdentities,
        _ => Form::Merge,
    };
    let fills = fills(call, &path, &info, &edits, form, &options)?;
    let what = options
        .text("what")?
        .unwrap_or_else(|| format!("Turn {} in {}", count(edits.len(), "value"), last(&path)));
    let set = EditSet {
        write: request::arm(call, &method, &path, &options)?,
        read,
        form,
        edits,
        fills,
        read_only: Vec::new(),
    };
    let mut change = Change::edit("arm::edit", what, set);
    if let Some(effect) = options.text("effect")? {
        change.effect = effect;
    }
    request::make(call, change)
}

fn edits(call: &Call<'_>, given: Vec<Value>) -> Result<Vec<Edit>, Error> {
    given
        .into_iter()
        .map(|edit| {
            let mut edit = edit;
            if let Value::Object(map) = &mut edit {
                map.entry("from").or_insert(Value::Null);
                map.entry("to").or_insert(Value::Null);
            }
            serde_json::from_value(edit)
                .map_err(|_| call.wrong("edits", "an array of maps with `pointer`, `from` and `to`"))
        })
        .collect()
}

/// The hidden values that have to be put in before the document is sent: those that are given, and those
/// that the type has where the edits make their array be sent.
pub(super) fn fills(
    call: &Call<'_>,
    path: &str,
    info: &serde_json::Map<String, Value>,
    edits: &[Edit],
    form: Form,
    options: &Options,
) -> Result<Vec<Fill>, Error> {
    let mut given = options.array("fill")?;
    let known = info
        .get("hidden")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    for row in known {
        let at = row.get("at").and_then(Value::as_str).unwrap_or_default().to_owned();
        let touched = edits
            .iter()
            .any(|edit| edit.pointer.starts_with(&at) || at.starts_with(&edit.pointer));
        let is_given = given
            .iter()
            .any(|fill| fill.get("at") == row.get("at") && fill.get("value") == row.get("value"));
        if (form == Form::Whole || touched) && !is_given && !at.is_empty() {
            given.push(row);
        }
    }
    given
        .iter()
        .map(|row| {
            let text = |name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
            let (Some(action), Some(at), Some(by)) = (text("action"), text("at"), text("by")) else {
                return Err(options.wrong("fill", "an array of maps with `action`, `at`, `by` and `value`"));
            };
            let action = match action.split_once(' ') {
                Some((_, action)) => action.to_owned(),
                None => format!("{path}/{action}"),
            };
            let action = request::arm(call, "POST", &action, options)?;
            if !request::reads(call, &action, options)? {
                return Err(options.wrong("fill", "an array of maps whose `action` only reads, as `listSecrets`"));
            }
            Ok(Fill {
                action,
                at,
                by,
                value: text("value").unwrap_or_else(|| "value".into()),
                unless: text("unless"),
            })
        })
        .collect()
}

pub(super) fn text<'a>(info: &'a serde_json::Map<String, Value>, name: &str) -> Option<&'a str> {
    info.get(name).and_then(Value::as_str)
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn count(n: usize, what: &str) -> String {
    if n == 1 {
        format!("1 {what}")
    } else {
        format!("{n} {what}s")
    }
}

/// A reference to a directory object, as Graph takes it.
pub(super) fn reference(principal: &str) -> Value {
    json!({ "@odata.id": format!("https://graph.microsoft.com/v1.0/directoryObjects/{principal}") })
}
