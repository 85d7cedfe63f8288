//! Resource providers: what the catalog and the estate know, by namespace.

use http::Method;
use serde_json::{Value, json};

use super::fail::{fail, no_method, subscription_missing};
use super::paging::page;
use super::route::{Result, Turn};
use super::{registration, subscriptions, versions};
use crate::sim::catalog::{self, Kind, Locations, Namespace};
use crate::sim::{Answer, regions};

/// Where a type is offered, by display names.
pub fn locations(kind: &Kind) -> Vec<String> {
    match &kind.locations {
        Locations::Word(word) if word == "all" && !kind.is_child() => {
            regions::all().iter().map(|place| place.display.clone()).collect()
        }
        Locations::Word(word) if word == "global" => vec!["global".to_owned()],
        Locations::Word(_) => Vec::new(),
        Locations::List(names) => names
            .iter()
            .map(|name| regions::find(name).map_or_else(|| name.clone(), |p| p.display.clone()))
            .collect(),
    }
}

/// The type that a child lies in, whose places are its own.
fn above<'a>(namespace: &'a Namespace, kind: &'a Kind) -> &'a Kind {
    let top = kind.name.split('/').next().unwrap_or_default().to_ascii_lowercase();
    namespace.types.get(&top).unwrap_or(kind)
}

fn shown(turn: &Turn<'_>, namespace: &Namespace, subscription: Option<&str>) -> Value {
    let scope = subscription
        .map(|subscription| format!("/subscriptions/{subscription}"))
        .unwrap_or_default();
    let types: Vec<Value> = namespace
        .types
        .values()
        .map(|kind| {
            let mut row = json!({
                "resourceType": kind.name,
                "locations": locations(above(namespace, kind)),
                "apiVersions": kind.versions,
                "capabilities": if kind.is_child() || kind.tags == Some(false) { "None" } else { "SupportsTags, SupportsLocation" },
            });
            if let Some(version) = kind.versions.iter().find(|version| !version.contains("preview")) {
                row["defaultApiVersion"] = json!(version);
            }
            row
        })
        .collect();
    let mut row = json!({
        "id": format!("{scope}/providers/{}", namespace.name),
        "namespace": namespace.name,
        "resourceTypes": types,
    });
    if let Some(subscription) = subscription {
        row["registrationState"] = json!(registration::state(
            turn.world,
            subscription,
            &namespace.name,
            turn.ask.now
        ));
        row["registrationPolicy"] = json!(registration::policy(&namespace.name));
    }
    row
}

/// `{scope}/providers` and `{scope}/providers/{namespace}`.
pub fn answer(turn: &mut Turn<'_>, subscription: Option<&str>, namespace: Option<&str>) -> Result {
    if !turn.is(&Method::GET) {
        return Err(no_method(&turn.ask.method));
    }
    versions::own(turn.ask, "providers")?;
    if let Some(subscription) = subscription {
        turn.need_any(
            "Microsoft.Resources/subscriptions/providers/read",
            &format!("/subscriptions/{subscription}"),
        )?;
        if !subscriptions::known(turn.world, subscription) {
            return Err(subscription_missing(subscription));
        }
    }
    let Some(name) = namespace else {
        let rows: Vec<Value> = catalog::namespaces()
            .values()
            .map(|namespace| shown(turn, namespace, subscription))
            .collect();
        return Ok(page(turn.ask, rows, 1000));
    };
    one(turn, subscription, name)
}

/// One namespace.
pub fn one(turn: &Turn<'_>, subscription: Option<&str>, name: &str) -> Result {
    if let Some(namespace) = catalog::namespace(name) {
        return Ok(Answer::json(200, shown(turn, namespace, subscription)));
    }
    let start = format!("{}/", name.to_ascii_lowercase());
    let types: Vec<&str> = turn
        .world
        .store
        .known_types()
        .filter(|kind| kind.starts_with(&start))
        .collect();
    if types.is_empty() {
        return Err(fail(
            404,
            "InvalidResourceNamespace",
            format!("The resource namespace '{name}' is invalid."),
        ));
    }
    let mut namespace = Namespace {
        name: name.to_owned(),
        ..Namespace::default()
    };
    for kind in types {
        let rest = kind[start.len()..].to_owned();
        let kind = Kind {
            name: rest.clone(),
            namespace: name.to_owned(),
            versions: vec!["2024-01-01".into()],
            ..Kind::default()
        };
        namespace.types.insert(rest, kind);
    }
    Ok(Answer::json(200, shown(turn, &namespace, subscription)))
}

/// `GET /providers/{namespace}/operations`: read, write and delete of each type.
pub fn operations(turn: &Turn<'_>, kind: &str) -> Result {
    versions::given(turn.ask)?;
    let name = kind.split('/').next().unwrap_or_default();
    let Some(namespace) = catalog::namespace(name) else {
        return Err(fail(
            404,
            "InvalidResourceNamespace",
            format!("The resource namespace '{name}' is invalid."),
        ));
    };
    let rows: Vec<Value> = namespace
        .types
        .values()
        .flat_map(|kind| {
            let verbs = ["read", "write", "delete"].into_iter();
            let verbs = verbs.chain(kind.actions.iter().map(String::as_str));
            verbs.map(move |verb| {
                json!({
                    "name": format!("{}/{verb}", kind.full()),
                    "display": {
                        "provider": namespace.name,
                        "resource": kind.name,
                        "operation": format!("{verb} {}", kind.name),
                        "description": format!("{verb} {}", kind.name),
                    },
                })
            })
        })
        .collect();
    Ok(Answer::json(200, json!({ "value": rows })))
}
