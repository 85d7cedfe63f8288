//! `$batch`: up to twenty requests in one, cut apart so that the server can authorise, log and fail each by itself.

use std::collections::{BTreeMap, BTreeSet};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::answer::{self, Ids};
use super::directory::Directory;
use super::refusal::Refusal;
use crate::sim::front::{Answer, Ask};

/// How many requests a batch may have.
const MOST: usize = 20;

/// One request of a batch.
#[derive(Debug, Clone)]
pub struct InnerAsk {
    /// Its id within the batch.
    pub id: String,
    /// The ids of the requests that must have succeeded before.
    pub depends_on: Vec<String>,
    /// The request itself, as if it had been sent alone.
    pub ask: Ask,
    place: usize,
    client: Option<String>,
}

impl InnerAsk {
    /// The 424 that the request gets without being sent, if one that it depends on failed; `done` are the requests
    /// answered so far.
    pub fn blocked(&self, done: &[(InnerAsk, Answer)]) -> Option<Answer> {
        let failed = |id: &String| {
            let mut before = done.iter().filter(|(inner, _)| inner.id == *id);
            before.any(|(_, answer)| answer.status >= 400)
        };
        if !self.depends_on.iter().any(failed) {
            return None;
        }
        let body = json!({"error": {
            "code": "FailedDependency",
            "message": "The request was not executed because a request that it depends on failed.",
        }});
        Some(Answer::json(424, body).with("content-type", "application/json"))
    }
}

impl Directory {
    /// Cuts a `$batch` into its requests, in an order in which each comes after those that it depends on.
    ///
    /// * `ask`: `POST /v1.0/$batch` or `/beta/$batch`
    /// * errors: the whole batch's answer, 400 for a malformed one or one of more than twenty requests
    pub fn batch(ask: &Ask) -> Result<Vec<InnerAsk>, Answer> {
        read(ask).map_err(|refusal| answer::error(&refusal, &Ids::of(ask), ask.now))
    }

    /// The answer to a `$batch` of the requests and their answers, in the order in which they stood.
    pub fn batch_answer(inner: Vec<(InnerAsk, Answer)>) -> Answer {
        let client = inner.first().and_then(|(inner, _)| inner.client.clone());
        let mut inner = inner;
        inner.sort_by_key(|(inner, _)| inner.place);
        let responses: Vec<Value> = inner
            .into_iter()
            .map(|(inner, answer)| {
                let mut response = Map::new();
                response.insert("id".to_owned(), json!(inner.id));
                response.insert("status".to_owned(), json!(answer.status));
                response.insert("headers".to_owned(), headers(&answer));
                if let Some(body) = answer.body {
                    response.insert("body".to_owned(), body);
                }
                Value::Object(response)
            })
            .collect();
        answer::plain(json!({"responses": responses}), &Ids::new(client.as_deref()))
    }
}

/// The headers that an inner answer keeps, spelled as Graph spells them there.
fn headers(answer: &Answer) -> Value {
    const KEPT: &[&str] = &[
        "Cache-Control",
        "Content-Type",
        "Location",
        "OData-Version",
        "Retry-After",
        "x-ms-resource-unit",
    ];
    let find = |wanted: &str| {
        let mut headers = answer.headers.iter();
        headers
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| json!(value))
    };
    let kept = KEPT.iter().filter_map(|name| Some(((*name).to_owned(), find(name)?)));
    Value::Object(kept.collect())
}

fn malformed() -> Refusal {
    Refusal::gateway("Invalid batch payload format.")
}

fn read(ask: &Ask) -> Result<Vec<InnerAsk>, Refusal> {
    if ask.method != Method::POST {
        return Err(Refusal::method());
    }
    let requests = ask
        .body
        .as_ref()
        .and_then(|body| body.get("requests"))
        .and_then(Value::as_array);
    let requests = requests.ok_or_else(malformed)?;
    if requests.len() > MOST {
        return Err(Refusal::gateway(format!(
            "Number of batch request steps exceeds the maximum value of {MOST}."
        )));
    }
    let version = ask
        .path
        .split('/')
        .find(|segment| !segment.is_empty())
        .unwrap_or("v1.0");
    let mut inner = Vec::new();
    let mut ids = BTreeSet::new();
    for (place, request) in requests.iter().enumerate() {
        let one = inner_ask(ask, version, place, request)?;
        if !ids.insert(one.id.clone()) {
            return Err(Refusal::gateway(format!(
                "Request Id '{}' has been used already.",
                one.id
            )));
        }
        inner.push(one);
    }
    ordered(inner)
}

fn inner_ask(ask: &Ask, version: &str, place: usize, request: &Value) -> Result<InnerAsk, Refusal> {
    let text = |name: &str| {
        request
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let id = text("id").ok_or_else(malformed)?.to_owned();
    let method = text("method").ok_or_else(malformed)?.to_uppercase();
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| malformed())?;
    let url = text("url").ok_or_else(malformed)?;
    // The SDKs send what they would send by itself: the whole URL, of this host and version.
    let own = format!("{}/{version}/", ask.base);
    let url = url.strip_prefix(own.as_str()).unwrap_or(url);
    if url.contains("://") {
        return Err(Refusal::gateway(format!(
            "Invalid batch request url '{url}': it must be relative."
        )));
    }
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let mut headers = HeaderMap::new();
    for (name, value) in request.get("headers").and_then(Value::as_object).into_iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| malformed())?;
        headers.insert(name, HeaderValue::from_str(&value).map_err(|_| malformed())?);
    }
    let body = request.get("body").filter(|body| !body.is_null()).cloned();
    if body.is_some() && !headers.contains_key(http::header::CONTENT_TYPE) {
        return Err(Refusal::gateway(format!(
            "Write request id : {id} does not contain Content-Type header or body."
        )));
    }
    let depends_on = match request.get("dependsOn") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned).ok_or_else(malformed))
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(malformed()),
    };
    Ok(InnerAsk {
        id,
        depends_on,
        ask: Ask {
            method,
            path: format!("/{version}/{}", path.trim_start_matches('/')),
            query,
            headers,
            body,
            base: ask.base.clone(),
            caller: ask.caller.clone(),
            now: ask.now,
        },
        place,
        client: ask.header("client-request-id").map(str::to_owned),
    })
}

/// Each request after those that it depends on, otherwise as they stood.
fn ordered(inner: Vec<InnerAsk>) -> Result<Vec<InnerAsk>, Refusal> {
    let known: BTreeSet<String> = inner.iter().map(|one| one.id.clone()).collect();
    for one in &inner {
        if let Some(missing) = one.depends_on.iter().find(|id| !known.contains(*id)) {
            return Err(Refusal::gateway(format!(
                "Invalid dependency: there is no request with id '{missing}'."
            )));
        }
    }
    let mut waiting: BTreeMap<usize, InnerAsk> = inner.into_iter().enumerate().collect();
    let mut done = BTreeSet::new();
    let mut order = Vec::new();
    while !waiting.is_empty() {
        let ready = waiting
            .iter()
            .find(|(_, one)| one.depends_on.iter().all(|id| done.contains(id)));
        let Some(place) = ready.map(|(place, _)| *place) else {
            return Err(Refusal::gateway(
                "Invalid dependency: the requests depend on each other in a circle.",
            ));
        };
        if let Some(one) = waiting.remove(&place) {
            done.insert(one.id.clone());
            order.push(one);
        }
    }
    Ok(order)
}
