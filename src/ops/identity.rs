//! `identity::`, user-assigned identities: finding, creating, deleting them.

use serde_json::{Map, Value, json};

use super::call::{Call, nearest};
use super::identity_block;
use super::request::not_found;
use super::spec::OpModule;
use crate::error::Error;
use crate::run::change::{Change, Undo, Write};
use crate::run::edit::replace_words;
use crate::run::{IDENTITY_API, placeholder};
use crate::types::{Region, ResourceId};

/// The first version that knows `assignmentRestrictions`.
const RESTRICTIONS_API: &str = "2025-05-31-preview";

const TYPE: &str = "Microsoft.ManagedIdentity/userAssignedIdentities";

pub(crate) fn module() -> OpModule {
    crate::ops! { identity,
        "User-assigned managed identities, and the identity blocks of resources.";

        /// Finds an identity by its resource id, or by a name that no other one has.
        ///
        /// * `identity` (string): a resource id or a name
        /// * returns (map): `id`, `name`, `location`, `tenantId`, `principalId`, `clientId`, `tags`, `isolationScope`
        /// * errors: `unknown-identity`, `identity-ambiguous`
        /// * changes: no
        /// * speaks: Microsoft.ManagedIdentity/userAssignedIdentities 2024-11-30
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let id = identity::find("id-orders");
        /// assert_eq(identity::find(id.id).principalId, id.principalId);
        /// ```
        fn find(call) {
            let text = call.text("identity")?;
            if text.starts_with('/') {
                let id = ResourceId::parse(&text)?;
                return read(call, &id)?.ok_or_else(|| unknown(call, &text));
            }
            find_by_name(call, &text)
        }

        /// Reads an identity by its resource id.
        ///
        /// * `id` (string): the resource id, or a map with `id`
        /// * `options` (map, optional): `missing`, what is given where there is none
        /// * returns (map): as of `identity::find`
        /// * errors: `not-found`
        /// * changes: no
        /// * speaks: Microsoft.ManagedIdentity/userAssignedIdentities 2024-11-30
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let id = identity::find("id-orders");
        /// assert_eq(identity::get(id).name, "id-orders");
        /// assert_eq(identity::get(id.id + "-none", #{ missing: () }), ());
        /// ```
        fn get(call) {
            let options = call.options("options", &["missing"])?;
            let id = call.id("id")?;
            match read(call, &id)? {
                Some(found) => Ok(found),
                None if options.has("missing") => Ok(options.get("missing").cloned().unwrap_or_default()),
                None => Err(not_found(id.as_str())),
            }
        }

        /// Lists the identities of a subscription or a resource group, or of all subscriptions.
        ///
        /// * `scope` (scope, optional): a subscription or a resource group
        /// * returns (array): maps as of `identity::find`
        /// * errors: `not-allowed`
        /// * changes: no
        /// * speaks: Microsoft.ManagedIdentity/userAssignedIdentities 2024-11-30
        ///
        /// ```rhai
        /// // estate: two-regions
        /// assert(identity::list().some(|id| id.name == "id-orders"));
        /// ```
        fn list(call) {
            let scopes = if call.dynamic("scope").is_unit() {
                super::tenant::scopes(call)?.into_iter().filter(|scope| scope.starts_with("/subscriptions/")).collect()
            } else {
                vec![call.scope("scope")?.to_string()]
            };
            let mut found = Vec::new();
            for scope in scopes {
                let rows = call.session.list(&Write::arm("GET", &format!("{scope}/providers/{TYPE}"), IDENTITY_API))?;
                found.extend(rows.iter().map(flat));
            }
            Ok(found)
        }

        /// Creates an identity; one that stands in the same region already is taken as it is.
        ///
        /// * `identity` (map): `id`, `location`, and where wanted `tags`, `isolationScope`, `assignmentRestrictions`
        /// * returns (map): as of `identity::find`; in a plan, what only Azure can give is known after the move
        /// * errors: `target-taken`, `not-allowed`, `denied-by-policy`
        /// * changes: yes; undone by deleting it, if this call made it
        /// * speaks: Microsoft.ManagedIdentity/userAssignedIdentities 2024-11-30
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let old = identity::find("id-orders");
        /// let made = identity::create(#{ id: old.id + "-we", location: "westeurope", tags: old.tags });
        /// assert_eq(made.location, "westeurope");
        /// assert(made.principalId != old.principalId);
        /// ```
        fn create(call) {
            create(call)
        }

        /// Deletes an identity, if it is there. Its principal id never comes back.
        ///
        /// * `identity` (string): the resource id, or a map with `id`
        /// * returns (()): nothing
        /// * errors: `not-allowed`, `locked`
        /// * changes: yes; never undone: the principal id of a deleted identity never comes back
        /// * speaks: Microsoft.ManagedIdentity/userAssignedIdentities 2024-11-30
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let id = identity::find("id-orders");
        /// identity::delete(id);
        /// assert_eq(identity::get(id, #{ missing: () }), ());
        /// ```
        fn delete(call) {
            let id = call.id("identity")?;
            let write = Write::arm("DELETE", id.as_str(), IDENTITY_API);
            let mut change = Change::send("identity::delete", format!("Delete the identity {}", id.name()), write);
            change.undo = Some(Undo::NoReturn("the principal id of a deleted identity never comes back".into()));
            call.session.change(change)?;
            Ok(())
        }

        /// Tells whether the directory shows the identity's service principal.
        ///
        /// * `identity` (principal): a principal id, or a map with `principalId`
        /// * returns (bool): whether Graph knows it
        /// * changes: no
        /// * speaks: Microsoft Graph v1.0 servicePrincipals
        ///
        /// ```rhai
        /// // estate: two-regions
        /// assert(identity::known(identity::find("id-orders")));
        /// ```
        fn known(call) {
            let principal = call.principal("identity")?;
            Ok(call.session.get(&Write::graph("GET", &format!("/v1.0/servicePrincipals/{principal}")))?.is_some())
        }

        /// Waits until the directory shows the identity's service principal, ten minutes at most.
        ///
        /// * `identity` (principal): a principal id, or a map with `principalId`
        /// * returns (()): nothing
        /// * errors: `principal-not-replicated`
        /// * changes: no
        /// * speaks: Microsoft Graph v1.0 servicePrincipals
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let made = identity::create(#{ id: identity::find("id-orders").id + "-we", location: "westeurope" });
        /// identity::wait_until_known(made);
        /// assert(identity::known(made));
        /// ```
        fn wait_until_known(call) {
            let principal = call.principal("identity")?;
            call.session.wait_for_principal(&principal)
        }

        /// Replaces the ids of one identity in a text by those of another, as whole words.
        ///
        /// * `text` (string): any text
        /// * `old` (map): the identity whose ids are looked for, in any spelling
        /// * `new_one` (map): the identity whose ids are put in
        /// * returns (string): the text
        /// * changes: no
        ///
        /// ```rhai
        /// let old = #{ id: "/subscriptions/s/a", clientId: "44444444-4444-4444-8444-444444444444", principalId: "p-old" };
        /// let made = #{ id: "/subscriptions/s/b", clientId: "55555555-5555-4555-8555-555555555555", principalId: "p-new" };
        /// assert_eq(identity::rename("id=44444444-4444-4444-8444-444444444444;", old, made), "id=55555555-5555-4555-8555-555555555555;");
        /// ```
        fn rename(call) {
            let (old, new) = (call.map("old")?, call.map("new_one")?);
            let mut text = call.text("text")?;
            for name in ["id", "clientId", "principalId"] {
                if let (Some(from), Some(to)) = (old.get(name).and_then(Value::as_str), new.get(name).and_then(Value::as_str)) {
                    text = replace_words(&text, from, to).into_owned();
                }
            }
            Ok(text)
        }

        /// Tells which user-assigned identities a resource has.
        ///
        /// * `resource` (string): the resource id
        /// * returns (map): `type`, and `ids`, spelled as Azure gives them
        /// * errors: `not-found`, `not-allowed`
        /// * changes: no
        /// * speaks: the resource's own provider
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let site = resource_graph::query("resources | where type =~ 'microsoft.web/sites' | project id")[0].id;
        /// assert(identity::attached(site).ids.len() > 0);
        /// ```
        fn attached(call) {
            identity_block::attached(call)
        }

        /// Attaches an identity to a resource, beside those that it has.
        ///
        /// * `resource` (string): the resource id
        /// * `identity` (string): the identity's resource id, or a map with `id`
        /// * `options` (map, optional): `effect`, for the plan
        /// * returns (map): `id`, and `changed`: 0 where it was attached already
        /// * errors: `not-allowed`, `locked`, `one-identity-only`
        /// * changes: yes; undone by detaching it
        /// * speaks: the resource's own provider
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let site = resource_graph::query("resources | where type =~ 'microsoft.web/sites' | project id")[0].id;
        /// let other = identity::create(#{ id: identity::find("id-orders").id + "-we", location: "westeurope" });
        /// let before = identity::attached(site).ids.len();
        /// identity::attach(site, other);
        /// assert_eq(identity::attached(site).ids.len(), before + 1);
        /// assert_eq(identity::attach(site, other).changed, 0);
        /// ```
        fn attach(call) {
            let identity = call.id("identity")?;
            identity_block::change(call, None, Some(identity))
        }

        /// Detaches an identity from a resource; the others stay.
        ///
        /// * `resource` (string): the resource id
        /// * `identity` (string): the identity's resource id, or a map with `id`
        /// * `options` (map, optional): `effect`, for the plan
        /// * returns (map): `id`, and `changed`: 0 where it was not attached
        /// * errors: `not-allowed`, `locked`
        /// * changes: yes; undone by attaching it
        /// * speaks: the resource's own provider
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let site = resource_graph::query("resources | where type =~ 'microsoft.web/sites' | project id")[0].id;
        /// let id = identity::find("id-orders");
        /// identity::detach(site, id);
        /// assert(!identity::attached(site).ids.some(|other| other.to_lower() == id.id.to_lower()));
        /// ```
        fn detach(call) {
            let identity = call.id("identity")?;
            identity_block::change(call, Some(identity), None)
        }

        /// Replaces one identity of a resource by another, in one request.
        ///
        /// * `resource` (string): the resource id
        /// * `old` (string): the resource id of the identity that goes, or a map with `id`
        /// * `new_one` (string): the resource id of the identity that comes, or a map with `id`
        /// * `options` (map, optional): `effect`, for the plan
        /// * returns (map): `id`, and `changed`
        /// * errors: `not-allowed`, `locked`
        /// * changes: yes; undone by the same the other way round
        /// * speaks: the resource's own provider
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let site = resource_graph::query("resources | where type =~ 'microsoft.web/sites' | project id")[0].id;
        /// let old = identity::find("id-orders");
        /// let other = identity::create(#{ id: old.id + "-we", location: "westeurope" });
        /// let before = identity::attached(site).ids.len();
        /// identity::swap(site, old, other);
        /// assert_eq(identity::attached(site).ids.len(), before);
        /// ```
        fn swap(call) {
            let (old, new) = (call.id("old")?, call.id("new_one")?);
            identity_block::change(call, Some(old), Some(new))
        }
    }
}

/// An identity as scripts see it, from its document.
fn flat(document: &Value) -> Value {
    let property = |name: &str| document.pointer(&format!("/properties/{name}")).cloned();
    let mut made = Map::new();
    for name in ["id", "name", "location"] {
        made.insert(name.into(), document.get(name).cloned().unwrap_or_default());
    }
    for name in ["tenantId", "principalId", "clientId"] {
        made.insert(name.into(), property(name).unwrap_or_default());
    }
    made.insert(
        "tags".into(),
        document
            .get("tags")
            .filter(|tags| tags.is_object())
            .cloned()
            .unwrap_or_else(|| json!({})),
    );
    for name in ["isolationScope", "assignmentRestrictions"] {
        if let Some(value) = property(name).filter(|value| !value.is_null()) {
            made.insert(name.into(), value);
        }
    }
    Value::Object(made)
}

fn read(call: &Call<'_>, id: &ResourceId) -> Result<Option<Value>, Error> {
    let document = call.session.get(&Write::arm("GET", id.as_str(), IDENTITY_API))?;
    Ok(document.as_ref().map(|document| {
        let identity = flat(document);
        if let Some(principal) = identity.get("principalId").and_then(Value::as_str) {
            call.session.remember_principal(principal, id.as_str());
        }
        identity
    }))
}

fn names(call: &Call<'_>) -> Result<Vec<Value>, Error> {
    call.session.query(
        "resources | where type =~ 'microsoft.managedidentity/userassignedidentities' | project id, name, location",
    )
}

fn find_by_name(call: &Call<'_>, name: &str) -> Result<Value, Error> {
    let rows = names(call)?;
    let is_named = |row: &&Value| {
        row.get("name")
            .and_then(Value::as_str)
            .is_some_and(|found| found.eq_ignore_ascii_case(name))
    };
    let found: Vec<&str> = rows
        .iter()
        .filter(is_named)
        .filter_map(|row| row.get("id").and_then(Value::as_str))
        .collect();
    match found.as_slice() {
        [one] => read(call, &ResourceId::parse(one)?)?.ok_or_else(|| unknown(call, name)),
        [] => Err(unknown(call, name)),
        many => {
            let mut error = Error::failed(
                "identity-ambiguous",
                format!("{} identities are named \"{name}\"", many.len()),
            )
            .untouched("nothing was sent")
            .next("name it by its resource id:");
            for id in many {
                error = error.next(format!("identity={id}"));
            }
            Err(error)
        }
    }
}

fn unknown(call: &Call<'_>, text: &str) -> Error {
    let error = Error::failed(
        "unknown-identity",
        format!("there is no user-assigned identity \"{text}\", or it may not be seen"),
    )
    .untouched("nothing was sent");
    let rows = names(call).unwrap_or_default();
    let known: Vec<&str> = rows
        .iter()
        .filter_map(|row| row.get("name").and_then(Value::as_str))
        .collect();
    match nearest(text.rsplit('/').next().unwrap_or(text), &known) {
        Some(near) => error.next(format!("did you mean \"{near}\"?")),
        None => error.next("ferry eval 'identity::list()'      shows those that can be seen"),
    }
}

fn create(call: &Call<'_>) -> Result<Value, Error> {
    let wanted = call.map("identity")?;
    let text = |name: &str| wanted.get(name).and_then(Value::as_str);
    let (Some(id), Some(location)) = (text("id"), text("location")) else {
        return Err(call.wrong("identity", "a map with `id` and `location`"));
    };
    let (id, location) = (ResourceId::parse(id)?, Region::parse(location)?);
    if !id.is_type(TYPE) {
        return Err(call.wrong("identity", "a map whose `id` is that of a user-assigned identity"));
    }
    let mut body = json!({ "location": location.as_str() });
    let tags = wanted
        .get("tags")
        .filter(|tags| tags.as_object().is_some_and(|tags| !tags.is_empty()));
    if let Some(tags) = tags {
        body["tags"] = tags.clone();
    }
    let mut api = IDENTITY_API;
    if let Some(scope) = wanted
        .get("isolationScope")
        .filter(|scope| scope.as_str().is_some_and(|scope| scope != "None"))
    {
        body["properties"]["isolationScope"] = scope.clone();
    }
    if let Some(restrictions) = wanted.get("assignmentRestrictions").filter(|value| !value.is_null()) {
        body["properties"]["assignmentRestrictions"] = restrictions.clone();
        api = RESTRICTIONS_API;
    }
    let found = read(call, &id)?;
    if let Some(found) = &found {
        let there = found.get("location").and_then(Value::as_str).unwrap_or_default();
        if Region::parse(there)? != location {
            return Err(Error::failed(
                "target-taken",
                format!(
                    "{} stands in {there} already; an identity cannot change its region",
                    id.name()
                ),
            )
            .on(id.as_str())
            .untouched("nothing was sent")
            .next("choose another name: name=NAME"));
        }
        if tags.is_none_or(|tags| found.get("tags") == Some(tags)) {
            return Ok(found.clone());
        }
    }
    let write = Write::arm("PUT", id.as_str(), api).with_body(body);
    let mut change = Change::send(
        "identity::create",
        format!("Create the identity {} in {location}", id.name()),
        write,
    );
    if found.is_none() {
        change.before = crate::run::change::Before::Known(None);
    }
    change.shows = Some(json!({
        "type": TYPE,
        "properties": {
            "principalId": placeholder::placeholder("principalId", id.as_str()),
            "clientId": placeholder::placeholder("clientId", id.as_str()),
        },
    }));
    let made = call.session.change(change)?;
    let mut identity = flat(&made);
    if let Some(principal) = identity.get("principalId").and_then(Value::as_str) {
        call.session.remember_principal(principal, id.as_str());
    }
    // Azure spells the group's segment its own way; scripts keep the spelling that they gave.
    identity["id"] = json!(id.as_str());
    Ok(identity)
}
