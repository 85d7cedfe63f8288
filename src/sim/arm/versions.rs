//! api-versions: required of every request, and validated as Azure does.

use crate::sim::catalog::{self, Kind};
use crate::sim::world::World;
use crate::sim::{Answer, Ask};

use super::fail::fail;

/// The api-version of a request.
///
/// # Errors
/// 400 `MissingApiVersionParameter`.
pub fn given(ask: &Ask) -> Result<String, Answer> {
    match ask.parameter("api-version") {
        Some(version) if !version.is_empty() => Ok(version.to_ascii_lowercase()),
        _ => Err(missing()),
    }
}

/// 400 `MissingApiVersionParameter`.
pub fn missing() -> Answer {
    fail(
        400,
        "MissingApiVersionParameter",
        "The api-version query parameter (?api-version=) is required for all requests.",
    )
}

/// The api-version of a request for one of ARM's own types: `tenants`, `subscriptions`, `resourceGroups`, …
pub fn own(ask: &Ask, name: &str) -> Result<String, Answer> {
    let version = given(ask)?;
    let known = catalog::kind(&format!("Microsoft.Resources/{name}")).map(|kind| kind.versions.as_slice());
    listed(version, known.unwrap_or_default())
}

fn listed(version: String, known: &[String]) -> Result<String, Answer> {
    if known.contains(&version) {
        return Ok(version);
    }
    Err(fail(
        400,
        "InvalidApiVersionParameter",
        format!(
            "The api-version '{version}' is invalid. The supported versions are '{}'.",
            known.join(",")
        ),
    ))
}

/// The api-version of a request for a provider's full type; `location` is that of the resource, where one is known.
///
/// # Errors
/// `InvalidApiVersionParameter`, `NoRegisteredProviderFound`, `InvalidResourceType` or `InvalidResourceNamespace`.
pub fn of_type(world: &World, ask: &Ask, full: &str, location: Option<&str>) -> Result<String, Answer> {
    let version = given(ask)?;
    let (namespace, name) = full.split_once('/').unwrap_or((full, ""));
    match catalog::kind(full) {
        Some(kind) if kind.versions.contains(&version) || (kind.is_open() && catalog::well_formed(&version)) => {
            Ok(version)
        }
        Some(kind) if kind.full() == "Microsoft.Authorization/locks" => listed(version, &kind.versions),
        Some(kind) => Err(unknown(kind, &version, location)),
        None if world.store.knows_type(&full.to_ascii_lowercase()) => plain(version, namespace, name),
        None if catalog::is_unsimulated(full) => Err(super::fail::unsimulated(&format!("the resource type '{full}'"))),
        None if child_of_known(world, full) => plain(version, namespace, name),
        None if catalog::namespace(namespace).is_none() && !namespace_in_use(world, namespace) => Err(fail(
            404,
            "InvalidResourceNamespace",
            format!("The resource namespace '{namespace}' is invalid."),
        )),
        None => Err(fail(
            404,
            "InvalidResourceType",
            format!("The resource type could not be found in the namespace '{namespace}' for api version '{version}'."),
        )),
    }
}

/// 404 for an action of an identity in an api-version that lacks it.
pub fn no_action(name: &str, version: &str, supported: &[&str]) -> Answer {
    fail(
        404,
        "InvalidResourceType",
        format!(
            "The resource type '{name}' could not be found in the namespace 'Microsoft.ManagedIdentity' for api version \
             '{version}'. The supported api-versions are '{}'.",
            supported.join(", ")
        ),
    )
}

fn plain(version: String, namespace: &str, name: &str) -> Result<String, Answer> {
    if catalog::well_formed(&version) {
        return Ok(version);
    }
    Err(fail(
        404,
        "InvalidResourceType",
        format!(
            "The resource type '{name}' could not be found in the namespace '{namespace}' for api version '{version}'."
        ),
    ))
}

/// Whether the type is a child of one that the catalog or the estate has: its children are served as plain resources.
pub fn child_of_known(world: &World, full: &str) -> bool {
    let mut at = full;
    while let Some((parent, _)) = at.rsplit_once('/') {
        if !parent.contains('/') {
            return false;
        }
        if catalog::kind(parent).is_some() || world.store.knows_type(&parent.to_ascii_lowercase()) {
            return true;
        }
        at = parent;
    }
    false
}

fn namespace_in_use(world: &World, namespace: &str) -> bool {
    let start = format!("{}/", namespace.to_ascii_lowercase());
    world.store.known_types().any(|kind| kind.starts_with(&start))
}

fn unknown(kind: &Kind, version: &str, location: Option<&str>) -> Answer {
    let versions = kind.versions.join(", ");
    match location.filter(|_| !kind.is_child()) {
        Some(location) => {
            let places = super::providers::locations(kind)
                .iter()
                .map(|l| crate::sim::regions::normal(l))
                .collect::<Vec<_>>();
            fail(
                400,
                "NoRegisteredProviderFound",
                format!(
                    "No registered resource provider found for location '{location}' and API version '{version}' for \
                     type '{}'. The supported api-versions are '{versions}'. The supported locations are '{}'.",
                    kind.name,
                    places.join(", ")
                ),
            )
        }
        None => fail(
            404,
            "InvalidResourceType",
            format!(
                "The resource type '{}' could not be found in the namespace '{}' for api version '{version}'. The \
                 supported api-versions are '{versions}'.",
                kind.name, kind.namespace
            ),
        ),
    }
}
