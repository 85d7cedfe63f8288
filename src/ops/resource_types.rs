//! What is known of resource types: the rows of `stdlib/resource_types.toml`, and for types that are not
//! there what their provider says.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::call::Call;
use crate::error::Error;
use crate::run::change::Write;
use crate::types::ResourceId;

/// The file of the standard library that holds the rows.
const FILE: &str = "stdlib/resource_types.toml";

/// The rows, by lower-cased type; `*` holds the defaults.
pub(super) struct ResourceTypes {
    rows: BTreeMap<String, (String, Map<String, Value>)>,
    defaults: Map<String, Value>,
}

impl ResourceTypes {
    /// Reads the rows.
    ///
    /// # Errors
    /// `malformed` when the text is no TOML of tables.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let fail = |why: String| {
            Error::refused("malformed", format!("{FILE} was not read: {why}")).untouched("nothing was sent")
        };
        let table: BTreeMap<String, Value> = toml::from_str(text).map_err(|error| fail(error.to_string()))?;
        let mut rows = BTreeMap::new();
        let mut defaults = Map::new();
        for (name, row) in table {
            let Value::Object(row) = row else {
                return Err(fail(format!("\"{name}\" is no table")));
            };
            if name == "*" {
                defaults = row;
            } else {
                rows.insert(name.to_lowercase(), (name, row));
            }
        }
        Ok(Self { rows, defaults })
    }

    fn row(&self, resource_type: &str) -> Option<&(String, Map<String, Value>)> {
        self.rows.get(&resource_type.to_lowercase())
    }

    /// The type itself, or the nearest above it, that has a row.
    fn nearest<'a>(&self, resource_type: &'a str) -> Option<&'a str> {
        let mut known = resource_type;
        while self.row(known).is_none() {
            known = known.rsplit_once('/')?.0;
        }
        Some(known)
    }

    /// The row of a type with the defaults laid under it. A child type that has no row reads as its parent does.
    fn info(&self, resource_type: &str) -> Map<String, Value> {
        let mut info = self.defaults.clone();
        info.insert("type".into(), json!(resource_type));
        let nearest = self.nearest(resource_type);
        if let Some((known, (name, row))) = nearest.and_then(|known| Some((known, self.row(known)?))) {
            if known.len() == resource_type.len() {
                info.extend(row.clone());
                info.insert("type".into(), json!(name));
            } else if let Some(api) = row.get("api") {
                info.insert("api".into(), api.clone());
            }
        }
        info
    }
}

/// The rows, as the session's scripts have them; read once.
fn types(call: &Call<'_>) -> Arc<Result<ResourceTypes, Error>> {
    let plugins = &call.bound().plugins;
    call.kept("resource types", || {
        plugins.text(FILE).and_then(|text| ResourceTypes::parse(&text))
    })
}

/// Whether there is a row for a type, or for what it is a child of.
pub(super) fn knows(call: &Call<'_>, resource_type: &str) -> Result<bool, Error> {
    match types(call).as_ref() {
        Ok(types) => Ok(types.nearest(resource_type).is_some()),
        Err(error) => Err(error.clone()),
    }
}

/// All that is known of a type; `api` is never empty.
pub(super) fn info(
    call: &Call<'_>,
    resource_type: &str,
    subscription: Option<&str>,
) -> Result<Map<String, Value>, Error> {
    let mut info = match types(call).as_ref() {
        Ok(types) => types.info(resource_type),
        Err(error) => return Err(error.clone()),
    };
    if info.get("api").and_then(Value::as_str).unwrap_or_default().is_empty() {
        let api = provider_version(call, resource_type, subscription)?;
        info.insert("api".into(), json!(api));
    }
    Ok(info)
}

/// The api-version for a path: a document, a collection, or an action of a document.
pub(super) fn api_version(call: &Call<'_>, path: &str) -> Result<String, Error> {
    let Some((resource_type, subscription)) = type_of_path(path) else {
        return Ok(RESOURCES_API.to_owned());
    };
    let info = info(call, &resource_type, subscription.as_deref())?;
    Ok(info
        .get("api")
        .and_then(Value::as_str)
        .unwrap_or(RESOURCES_API)
        .to_owned())
}

/// The version of Microsoft.Resources: groups, resources, providers, subscriptions.
pub(super) const RESOURCES_API: &str = "2022-09-01";

/// The type that a path is about, and its subscription; none for what is the Resource Manager's own.
pub(super) fn type_of_path(path: &str) -> Option<(String, Option<String>)> {
    let trimmed = path.trim_end_matches('/');
    // A document, a collection of documents, or an action of one.
    let id = ResourceId::parse(trimmed)
        .or_else(|_| ResourceId::parse(&format!("{trimmed}/x")))
        .ok()?;
    let subscription = id.subscription().map(str::to_owned);
    let resource_type = id.resource_type();
    if resource_type.starts_with("Microsoft.Resources/")
        && (id.is_type("Microsoft.Resources/subscriptions") || id.is_type("Microsoft.Resources/resourceGroups"))
    {
        return None;
    }
    Some((resource_type, subscription))
}

/// The newest stable version that the provider offers for a type, else its newest preview; asked once a namespace.
fn provider_version(call: &Call<'_>, resource_type: &str, subscription: Option<&str>) -> Result<String, Error> {
    let Some((namespace, rest)) = resource_type.split_once('/') else {
        return Ok(RESOURCES_API.to_owned());
    };
    let path = match subscription {
        Some(subscription) => format!("/subscriptions/{subscription}/providers/{namespace}"),
        None => format!("/providers/{namespace}"),
    };
    let session = call.session;
    let provider = session.memo(&format!("provider {path}"), || {
        Ok(session
            .get(&Write::arm("GET", &path, RESOURCES_API))?
            .unwrap_or(Value::Null))
    })?;
    let types = provider.get("resourceTypes").and_then(Value::as_array);
    let mut known = rest;
    loop {
        let row = types.and_then(|rows| {
            rows.iter().find(|row| {
                row.get("resourceType")
                    .and_then(Value::as_str)
                    .is_some_and(|name| name.eq_ignore_ascii_case(known))
            })
        });
        if let Some(versions) = row.and_then(|row| row.get("apiVersions")).and_then(Value::as_array) {
            let mut versions: Vec<&str> = versions.iter().filter_map(Value::as_str).collect();
            versions.sort_unstable_by(|a, b| b.cmp(a));
            let stable = versions.iter().find(|version| version.len() == 10);
            if let Some(version) = stable.or_else(|| versions.first()) {
                return Ok((*version).to_owned());
            }
        }
        match known.rsplit_once('/') {
            Some((parent, _)) => known = parent,
            // Nothing is known of it: a version that Azure's generic handling has long had.
            None => return Ok("2021-04-01".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_its_type() {
        let of = |path: &str| type_of_path(path).map(|(resource_type, _)| resource_type);
        assert_eq!(
            of("/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/a").as_deref(),
            Some("Microsoft.Web/sites")
        );
        assert_eq!(
            of("/subscriptions/s/providers/Microsoft.Web/sites").as_deref(),
            Some("Microsoft.Web/sites")
        );
        assert_eq!(of("/subscriptions/s/resourceGroups"), None);
        assert_eq!(of("/subscriptions/s"), None);
        assert_eq!(of("/subscriptions"), None);
        assert_eq!(
            of("/providers/Microsoft.Authorization/roleAssignments").as_deref(),
            Some("Microsoft.Authorization/roleAssignments")
        );
    }

    #[test]
    fn defaults_lie_under_a_row_and_children_take_their_parents_version() {
        let types =
            ResourceTypes::parse("[\"*\"]\napi = \"\"\nwrite = \"PATCH\"\n[\"A.B/c\"]\napi = \"v1\"\nwrite = \"PUT\"")
                .unwrap();
        assert_eq!(types.info("a.b/C")["write"], "PUT");
        assert_eq!(types.info("A.B/c/d")["api"], "v1");
        assert_eq!(types.info("A.B/c/d")["write"], "PATCH");
        assert_eq!(types.info("X.Y/z")["api"], "");
    }
}
