//! Data planes: `/dataplane/HOST/…` serves the documents of the estate's `data`, by their URLs.

use http::Method;
use serde_json::{Value, json};

use super::world::World;
use super::{Answer, Ask, kusto};
use crate::types::json::{digest, merge};

/// The path below `/dataplane/`, where the request is one of a data plane.
pub fn address(path: &str) -> Option<&str> {
    path.strip_prefix("/dataplane/").filter(|rest| !rest.is_empty())
}

/// Domains whose hosts are services of Azure's own, which answer nobody without a token.
const SERVICES: &[&str] = &[
    "windows.net",
    "azure.net",
    "azure.com",
    "azuresynapse.net",
    "azconfig.io",
    "azurecr.io",
    "azuredatabricks.net",
    "azuredatalakestore.net",
];

/// Whether a request reads from a host that is an application's, such as a web app's page of health: it may be asked
/// without a token.
pub fn is_open(ask: &Ask) -> bool {
    let host = address(&ask.path).and_then(|rest| rest.split(['/', ':']).next());
    let host = host.unwrap_or_default().to_ascii_lowercase();
    let service = SERVICES
        .iter()
        .any(|domain| host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')));
    ask.method == Method::GET && ask.header("authorization").is_none() && !service
}

fn missing(url: &str) -> Answer {
    Answer::json(
        404,
        json!({"error": {"code": "NotFound", "message": format!("'{url}' was not found.")}}),
    )
}

/// The key under which the estate has a URL: host in any case, with or without query, with or without a last slash.
fn key_of(world: &World, wanted: &str) -> Option<String> {
    let fold = |url: &str| {
        let rest = url.strip_prefix("https://").unwrap_or(url);
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let path = percent_encoding::percent_decode_str(path.trim_end_matches('/'))
            .decode_utf8_lossy()
            .into_owned();
        format!("{}/{path}", host.to_ascii_lowercase())
    };
    let wanted = fold(wanted);
    world.data.keys().find(|key| fold(key) == wanted).cloned()
}

/// Answers a request of a data plane.
pub fn answer(world: &mut World, ask: &Ask) -> Answer {
    let Some(rest) = address(&ask.path) else {
        return missing(&ask.path);
    };
    let url = format!("https://{rest}");
    let query: Vec<String> = ask
        .query
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let with_query = format!("{url}?{}", query.join("&"));
    let found = key_of(world, &with_query).or_else(|| key_of(world, &url));
    let etag = |document: &Value| format!("\"{}\"", &digest(document)[..16]);
    let own = found.as_ref().and_then(|key| world.data.get(key)).cloned();
    // Where the estate has a list alone, its rows are documents too, under their names.
    let in_list = if own.is_none() { row(world, &url) } else { None };
    let stored = own.clone().or_else(|| {
        in_list
            .as_ref()
            .map(|(list, at)| world.data[list][rows_of(&world.data[list])][*at].clone())
    });
    if let (Some(wanted), Some(stored)) = (ask.header("if-match"), &stored)
        && wanted != "*"
        && wanted != etag(stored)
    {
        return Answer::json(
            412,
            json!({"error": {"code": "ConditionNotMet", "message": "The condition specified using HTTP conditional header(s) is not met."}}),
        );
    }
    let body = ask.body.clone().unwrap_or(Value::Null);
    let key = found.unwrap_or_else(|| url.clone());
    let write = |world: &mut World, document: Value, status: u16| {
        let tag = etag(&document);
        if let Some((list, at)) = &in_list {
            let name = rows_of(&world.data[list]);
            world.data[list][name][*at] = document.clone();
        } else {
            world.data.insert(key.clone(), document.clone());
        }
        world.writes += 1;
        Answer::json(status, document).with("etag", tag)
    };
    match ask.method {
        Method::GET => match stored {
            Some(document) => {
                let tag = etag(&document);
                Answer::json(200, document).with("etag", tag)
            }
            None => below(world, &url).unwrap_or_else(|| missing(&url)),
        },
        Method::HEAD => Answer::empty(if stored.is_some() { 200 } else { 404 }),
        Method::PUT => match stored {
            Some(stored) => {
                let mut document = body;
                keep(&mut document, &stored);
                write(world, document, 200)
            }
            None => write(world, body, 201),
        },
        Method::PATCH => match stored {
            Some(mut document) => {
                merge(&mut document, &body);
                write(world, document, 200)
            }
            None => missing(&url),
        },
        Method::POST => match own {
            // A collection takes what is posted; an action shows what the estate has for it.
            Some(mut document) => {
                if kusto::obey(&mut document, &body, |id| holder(world, id)) {
                    return write(world, document, 200);
                }
                let name = rows_of(&document);
                let list = document.get_mut(name).and_then(Value::as_array_mut);
                match list {
                    Some(list) if !body.is_null() => {
                        let body = with_id(body);
                        list.push(body.clone());
                        count(&mut document);
                        world.data.insert(key, document);
                        world.writes += 1;
                        Answer::json(201, body)
                    }
                    _ => Answer::json(200, document),
                }
            }
            None if body.is_null() => missing(&url),
            None => write(world, body, 201),
        },
        Method::DELETE => match stored {
            Some(document) => {
                if let Some((list, at)) = &in_list {
                    let name = rows_of(&world.data[list]);
                    if let Some(rows) = world.data[list][name].as_array_mut() {
                        rows.remove(*at);
                    }
                    count(&mut world.data[list]);
                } else {
                    world.data.shift_remove(&key);
                }
                world.writes += 1;
                Answer::json(200, document)
            }
            None => missing(&url),
        },
        _ => Answer::empty(405),
    }
}

/// The object id and the name of the identity that has an id; empty where none does.
fn holder(world: &World, id: &str) -> (String, String) {
    let identities = world.store.of_type("microsoft.managedidentity/userassignedidentities");
    let text = |document: &Value, at: &str| {
        let found = document.pointer(at).and_then(Value::as_str);
        found.unwrap_or_default().to_owned()
    };
    let is = |document: &Value| {
        ["/properties/clientId", "/properties/principalId"]
            .iter()
            .any(|at| text(document, at).eq_ignore_ascii_case(id))
    };
    identities
        .map(|(_, document)| document)
        .find(|document| is(document))
        .map(|document| (text(document, "/properties/principalId"), text(document, "/name")))
        .unwrap_or_default()
}

/// The row of a list that a URL names by its last segment, as its id, name, identifier (Power BI) or the id of a test: the
/// list's key, and where the row stands in it.
fn row(world: &World, url: &str) -> Option<(String, usize)> {
    let (list, id) = url.trim_end_matches('/').rsplit_once('/')?;
    let key = key_of(world, list)?;
    let document = world.data.get(&key)?;
    let rows = document.get(rows_of(document))?.as_array()?;
    let at = rows.iter().position(|row| {
        let named = |member: &str| {
            row.get(member)
                .and_then(Value::as_str)
                .is_some_and(|own| own.eq_ignore_ascii_case(id))
        };
        ["id", "name", "identifier", "testId"].into_iter().any(named)
    })?;
    Some((key, at))
}

/// The member in which a list has its rows: SCIM calls them resources.
fn rows_of(document: &Value) -> &'static str {
    if document.get("Resources").is_some() {
        "Resources"
    } else {
        "value"
    }
}

/// Counts the rows of a list that says how many it has.
fn count(document: &mut Value) {
    let rows = document[rows_of(document)].as_array().map(Vec::len);
    if let (Some(total), Some(rows)) = (document.get_mut("totalResults"), rows) {
        *total = json!(rows);
    }
}

/// What is posted to a list, with the id that services give: that of the principal which it is about, where it is about one.
fn with_id(mut body: Value) -> Value {
    let application = body.get("schemas").and_then(|_| body.get("applicationId")).cloned();
    let principal = body.pointer("/principal/id").cloned().or(application);
    if let (Some(id), Some(map)) = (principal, body.as_object_mut())
        && !map.contains_key("id")
    {
        map.insert("id".to_owned(), id);
    }
    body
}

/// Puts what is stored where a document says that it is unchanged: services that show no connection string take that word
/// for it.
fn keep(sent: &mut Value, stored: &Value) {
    match sent {
        Value::String(text) if text == "<unchanged>" => *sent = stored.clone(),
        Value::Object(map) => {
            for (name, value) in map {
                keep(value, &stored[name.as_str()]);
            }
        }
        _ => {}
    }
}

/// The documents right below a URL that has none of its own, as a list.
fn below(world: &World, url: &str) -> Option<Answer> {
    let start = format!("{}/", url.trim_end_matches('/')).to_ascii_lowercase();
    let rows: Vec<Value> = world
        .data
        .iter()
        .filter(|(key, _)| {
            let key = key.to_ascii_lowercase();
            key.strip_prefix(&start)
                .is_some_and(|rest| !rest.is_empty() && !rest.contains('/'))
        })
        .map(|(_, document)| document.clone())
        .collect();
    (!rows.is_empty()).then(|| Answer::json(200, json!({ "value": rows })))
}
