//! `reference::`, where documents name an identity.

use serde_json::{Value, json};

use super::call::Call;
use super::spec::OpModule;
use crate::error::Error;
use crate::run::edit::find_words;
use crate::types::{ResourceId, json as documents};

/// Members at the top of a document that name it, or that Azure alone writes; the identity block has finders of its own.
const SKIPPED: &[&str] = &[
    "id",
    "name",
    "type",
    "systemData",
    "etag",
    "identity",
    "principalId",
    "tenantId",
];

/// The ids of an identity, in the order in which they are looked for.
const IDS: &[&str] = &["id", "clientId", "principalId"];

pub(crate) fn module() -> OpModule {
    crate::ops! { reference,
        "Where documents name an identity: by resource id, client id or principal id, as a whole word, in any spelling.";

        /// Gives the three ids by which an identity is named.
        ///
        /// * `identity` (map): an identity, as of `identity::find`
        /// * returns (map): `id`, `clientId`, `principalId`
        /// * changes: no
        ///
        /// ```rhai
        /// assert_eq(reference::names(#{ id: "/a", clientId: "c", principalId: "p", name: "n" }).keys().len(), 3);
        /// ```
        fn names(call) {
            let identity = call.map("identity")?;
            Ok(IDS.iter().filter_map(|name| Some(((*name).to_owned(), identity.get(*name)?.clone()))).collect::<serde_json::Map<_, _>>())
        }

        /// Finds every place of a document that names an identity.
        ///
        /// Left out are members that Azure alone writes (`id`, `name`, `type`, …) and the identity block.
        ///
        /// * `document` (map): any document
        /// * `identity` (map): an identity, as of `identity::find`
        /// * returns (array): maps with `pointer`, `from` (the id that is named), `which` (`id`, `clientId` or `principalId`),
        ///   and `key: true` where a key of the object at `pointer` names it
        /// * changes: no
        ///
        /// ```rhai
        /// let id = #{ id: "/subscriptions/s/x", clientId: "44444444-4444-4444-8444-444444444444", principalId: "p-1" };
        /// let document = #{ id: "/y", properties: #{ a: ["X;44444444-4444-4444-8444-444444444444"], b: "/SUBSCRIPTIONS/S/X2" } };
        /// let found = reference::find(document, id);
        /// assert_eq(found.len(), 1);
        /// assert_eq(found[0].pointer, "/properties/a/0");
        /// assert_eq(found[0].which, "clientId");
        /// ```
        fn find(call) {
            let (document, identity) = (call.value("document")?, call.map("identity")?);
            let names: Vec<(&str, &str)> = IDS.iter().filter_map(|name| Some((*name, identity.get(*name)?.as_str()?))).collect();
            let mut found = Vec::new();
            if let Value::Object(map) = &document {
                for (key, value) in map.iter().filter(|(key, _)| !SKIPPED.contains(&key.as_str())) {
                    walk(value, &format!("/{}", documents::escape(key)), &names, &mut found);
                }
            }
            Ok(found)
        }

        /// Gives the edits that turn places of one identity to another, for `arm::edit`.
        ///
        /// * `found` (array): places, as of `reference::find`
        /// * `old` (map): the identity that is named there
        /// * `new_one` (map): the identity to be named instead
        /// * returns (array): edits
        /// * changes: no
        ///
        /// ```rhai
        /// let old = #{ id: "/o", clientId: "co", principalId: "po" };
        /// let made = #{ id: "/n", clientId: "cn", principalId: "pn" };
        /// assert_eq(reference::edits([#{ pointer: "/a", from: "co", which: "clientId" }], old, made), [#{ pointer: "/a", from: "co", to: "cn" }]);
        /// ```
        fn edits(call) {
            edits(call)
        }

        /// Lists the documents that mention an identity, over everything that can be seen.
        ///
        /// Resource Graph is asked, which lags behind writes and knows no child resources: confirm by a fresh read.
        ///
        /// * `identity` (map): an identity, as of `identity::find`
        /// * returns (array): resource ids; the identity itself is left out
        /// * errors: `throttled`
        /// * changes: no
        /// * speaks: Microsoft.ResourceGraph/resources 2022-10-01
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let id = identity::find("id-orders");
        /// assert(reference::mentions(id).some(|found| found.contains("/sites/")));
        /// ```
        fn mentions(call) {
            mentions(call)
        }
    }
}

fn walk(value: &Value, pointer: &str, names: &[(&str, &str)], found: &mut Vec<Value>) {
    match value {
        Value::String(text) => {
            for (which, name) in names {
                if let Some(range) = find_words(text, name).first() {
                    // As it is spelled there, so that the way back restores just that.
                    found.push(json!({ "pointer": pointer, "from": text[range.clone()], "which": which }));
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{pointer}/{index}"), names, found);
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                walk(item, &format!("{pointer}/{}", documents::escape(key)), names, found);
            }
            for (which, name) in names {
                let spelled = map
                    .keys()
                    .find_map(|key| key.get(find_words(key, name).into_iter().next()?));
                if let Some(spelled) = spelled {
                    // As it is spelled there, here too.
                    found.push(json!({ "pointer": pointer, "from": spelled, "which": which, "key": true }));
                }
            }
        }
        _ => {}
    }
}

fn edits(call: &Call<'_>) -> Result<Vec<Value>, Error> {
    let (old, new) = (call.map("old")?, call.map("new_one")?);
    let mut edits = Vec::new();
    for place in call.array("found")? {
        let from = place.get("from").and_then(Value::as_str).unwrap_or_default();
        let which = IDS.iter().find(|name| {
            old.get(**name)
                .and_then(Value::as_str)
                .is_some_and(|id| id.eq_ignore_ascii_case(from))
        });
        let Some(which) = which.copied().or_else(|| place.get("which").and_then(Value::as_str)) else {
            return Err(call.wrong("found", "an array of places of the old identity"));
        };
        let mut edit = json!({ "pointer": place.get("pointer"), "from": from, "to": new.get(which) });
        if place.get("key").and_then(Value::as_bool).unwrap_or_default() {
            edit["key"] = json!(true);
        }
        edits.push(edit);
    }
    // Values first, then keys from the inside outwards: a pointer leads through keys as they still are.
    let depth = |edit: &Value| edit["pointer"].as_str().unwrap_or_default().matches('/').count();
    edits.sort_by_key(|edit| {
        (
            edit.get("key").is_some(),
            if edit.get("key").is_some() {
                usize::MAX - depth(edit)
            } else {
                0
            },
        )
    });
    Ok(edits)
}

fn mentions(call: &Call<'_>) -> Result<Value, Error> {
    let identity = call.map("identity")?;
    let words: Vec<String> = IDS
        .iter()
        .filter_map(|name| identity.get(*name)?.as_str())
        .filter(|word| !crate::run::placeholder::is_in(word))
        .map(|word| {
            format!(
                "text contains '{}'",
                word.to_lowercase().replace('\\', "\\\\").replace('\'', "\\'")
            )
        })
        .collect();
    let own = identity
        .get("id")
        .and_then(Value::as_str)
        .and_then(|id| ResourceId::parse(id).ok());
    let mut found = Vec::new();
    for table in ["resources", "resourcecontainers", "policyresources"] {
        let kql = format!(
            "{table} | extend text = tolower(tostring(pack_all())) | where {} | project id",
            words.join(" or ")
        );
        for row in call.session.query(&kql)? {
            let Some(id) = row
                .get("id")
                .and_then(Value::as_str)
                .and_then(|id| ResourceId::parse(id).ok())
            else {
                continue;
            };
            if own.as_ref().is_none_or(|own| !id.is_within(own)) && !found.contains(&id) {
                found.push(id);
            }
        }
    }
    found.sort();
    Ok(found.iter().map(|id| json!(id.as_str())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_as_it_is_spelled_there() {
        let mut found = Vec::new();
        let document = json!({ "ids": { "/S/RG/id-one": {} } });
        walk(&document, "", &[("id", "/s/rg/id-one")], &mut found);
        assert_eq!(
            found,
            [json!({ "pointer": "/ids", "from": "/S/RG/id-one", "which": "id", "key": true })]
        );
    }
}
