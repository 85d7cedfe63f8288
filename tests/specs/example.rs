//! An example document, and the request that it tells.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

/// An example in the form of `x-ms-examples`.
pub struct Example {
    pub name: String,
    pub parameters: Map<String, Value>,
    pub responses: Map<String, Value>,
}

/// A request, ready to be sent.
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub body: Option<Value>,
}

impl Example {
    /// Reads a file, with its placeholders replaced.
    pub fn read(file: &Path, name: &str, everywhere: &BTreeMap<String, String>, own: &[(String, String)]) -> Self {
        let mut text = std::fs::read_to_string(file).unwrap();
        for (from, to) in everywhere {
            text = text.replace(from, to);
        }
        for (from, to) in own {
            assert!(text.contains(from), "{name}: no '{from}' to replace");
            text = text.replace(from, to);
        }
        let document: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap();
        let part = |part: &str| document[part].as_object().unwrap().clone();
        Self {
            name: name.to_owned(),
            parameters: part("parameters"),
            responses: part("responses"),
        }
    }

    /// The body of the answer with this status, or else of one that succeeded.
    pub fn answer(&self, status: u16) -> Option<&Value> {
        let body = |status: u16| self.responses.get(&status.to_string())?.get("body");
        [status, 200, 201, 202].into_iter().find_map(body)
    }

    /// The request of a line of `requests.toml`.
    pub fn request(&self, line: &str) -> Request {
        let (method, template) = line.split_once(' ').unwrap();
        let mut path = template
            .replace("{sub}", "/subscriptions/{subscriptionId}")
            .replace(
                "{rg}",
                "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers",
            )
            .replace("{authorization}", "providers/Microsoft.Authorization");
        let (mut query, mut headers, mut body) = (Vec::new(), Vec::new(), None);
        for (name, value) in &self.parameters {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let place = format!("{{{name}}}");
            if path.contains(&place) {
                path = path.replace(&place, text.trim_matches('/'));
            } else if name == "api-version" || name.starts_with('$') || name == "sourceId" {
                query.push((name.clone(), text));
            } else if name == "top" {
                query.push(("$top".to_owned(), text));
            } else if ["If-Match", "Cache-Control"].contains(&name.as_str()) {
                headers.push((name.clone(), text));
            } else if value.as_object().is_some_and(|part| !part.is_empty()) {
                // Some examples tell the parts of a body apart.
                match (body.as_mut(), name.as_str()) {
                    (Some(Value::Object(whole)), "identity" | "properties") => {
                        whole.insert(name.clone(), value.clone());
                    }
                    (None, _) if method != "GET" && method != "DELETE" && !name.contains('-') => {
                        body = Some(value.clone());
                    }
                    _ => {}
                }
            }
        }
        assert!(!path.contains('{'), "{}: {path}", self.name);
        Request {
            method: method.to_owned(),
            path,
            query,
            headers,
            body,
        }
    }
}

impl Request {
    /// Path and query.
    pub fn target(&self) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.query)
            .finish();
        format!("{}?{query}", self.path)
    }
}
