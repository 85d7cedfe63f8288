//! An answer beside the published one: status, members, types, and the values that follow from the request.

use std::collections::BTreeMap;

use serde_json::Value;

use super::example::{Example, Request};

/// How an answer differs; empty where it does not.
pub fn answer(
    example: &Example,
    request: &Request,
    status: u16,
    body: &Value,
    end: Option<&Value>,
    own: &BTreeMap<String, String>,
) -> Vec<String> {
    let mut found = Vec::new();
    if !example.responses.contains_key(&status.to_string()) {
        let known: Vec<&String> = example.responses.keys().collect();
        found.push(format!("/status: {status} is none of {known:?}: {body}"));
        found.retain(|_| !own.contains_key("/status"));
        return found;
    }
    let Some(expected) = example.answer(status) else {
        return found;
    };
    // Of a deletion that takes its time nothing is left in the end.
    if end.is_some() && request.method == "DELETE" {
        return found;
    }
    // Some examples show the rows of a list without what they come in.
    let rows = expected.is_array().then(|| &body["value"]);
    let actual = rows.or(end).unwrap_or(body);
    walk("", expected, Some(actual), request.body.as_ref(), &mut found);
    found.retain(|line| {
        let pointer = line.split(": ").next().unwrap();
        !own.keys()
            .any(|known| pointer == known || pointer.starts_with(&format!("{known}/")))
    });
    let (told, given) = (expected["id"].as_str(), actual["id"].as_str());
    let is = |id: Option<&str>| id.is_some_and(|id| id.eq_ignore_ascii_case(&request.path));
    if is(told) && !is(given) {
        found.push(format!("/id: {given:?} instead of {}", request.path));
    }
    found
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// A member by name; keys that are ids are compared without case.
fn member<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    let map = object.as_object()?;
    map.get(name).or_else(|| {
        let id = name.starts_with('/');
        map.iter()
            .find(|(key, _)| id && key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    })
}

/// The same text, in any case and, as in names of regions, with or without blanks.
fn same(a: &Value, b: &Value) -> bool {
    let plain = |value: &Value| value.as_str().map(|text| text.replace(' ', "").to_ascii_lowercase());
    a == b || (a.is_string() && plain(a) == plain(b))
}

fn walk(at: &str, expected: &Value, actual: Option<&Value>, sent: Option<&Value>, found: &mut Vec<String>) {
    // What is null may be left out, or be something by now.
    if expected.is_null() {
        return;
    }
    let Some(actual) = actual else {
        found.push(format!("{at}: missing, it is {expected}"));
        return;
    };
    if kind(expected) != kind(actual) {
        found.push(format!("{at}: {} instead of {}", kind(actual), kind(expected)));
        return;
    }
    match expected {
        Value::Object(map) => {
            for (name, expected) in map {
                let pointer = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                let sent = sent.and_then(|sent| member(sent, name));
                walk(&pointer, expected, member(actual, name), sent, found);
            }
        }
        Value::Array(items) => {
            let actual = actual.as_array().unwrap();
            if actual.is_empty() && !items.is_empty() {
                found.push(format!("{at}: empty, it is {expected}"));
            }
            for (n, item) in items.iter().enumerate().take(actual.len()) {
                // Lists come in any order: what has a name is found by it.
                let named = |other: &&Value| item["name"].is_string() && other["name"] == item["name"];
                let other = actual.iter().find(named).or_else(|| actual.get(n));
                let sent = sent.and_then(|sent| sent.get(n));
                walk(&format!("{at}/{n}"), item, other, sent, found);
            }
        }
        // A value follows from the request where the example itself answers what was sent.
        _ if sent.is_some_and(|sent| same(sent, expected)) && !same(expected, actual) => {
            found.push(format!("{at}: {actual} instead of {expected}"));
        }
        _ => {}
    }
}
