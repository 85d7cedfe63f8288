//! One request, from path to answer: the envelope, the headers, the error body.

use http::Method;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::macros::format_description;
use uuid::Uuid;

use super::cost;
use super::directory::Directory;
use super::path::Path;
use super::query::Query;
use super::refusal::Refusal;
use super::route;
use crate::sim::front::{Answer, Ask};

/// What a handler gives: an answer before its headers, or a refusal.
pub(super) type Outcome = Result<Reply, Refusal>;

/// An answer before its headers.
#[derive(Debug)]
pub(super) struct Reply {
    status: u16,
    body: Option<Value>,
    location: Option<String>,
    plain: bool,
}

impl Reply {
    /// 200 with a body.
    pub(super) fn ok(body: Value) -> Self {
        Self {
            status: 200,
            body: Some(body),
            location: None,
            plain: false,
        }
    }

    /// 200 of an action, which has a location of its own.
    pub(super) fn action(body: Value) -> Self {
        Self {
            status: 200,
            body: Some(body),
            location: Some("https://graph.microsoft.com".to_owned()),
            plain: false,
        }
    }

    /// 200 with a bare number: `/$count`.
    pub(super) fn number(count: usize) -> Self {
        Self {
            status: 200,
            body: Some(json!(count)),
            location: None,
            plain: true,
        }
    }

    /// 201 with what was made.
    pub(super) fn created(body: Map<String, Value>, location: String) -> Self {
        Self {
            status: 201,
            body: Some(Value::Object(body)),
            location: Some(location),
            plain: false,
        }
    }

    /// 204.
    pub(super) fn none() -> Self {
        Self {
            status: 204,
            body: None,
            location: None,
            plain: false,
        }
    }
}

/// A request with its options read.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) ask: &'a Ask,
    pub(super) version: &'static str,
    pub(super) query: Query,
}

impl Call<'_> {
    /// The context of an answer: `…/$metadata#groups/$entity`.
    pub(super) fn context(&self, of: &str) -> String {
        format!("{}/{}/$metadata#{of}", self.ask.base, self.version)
    }

    /// Whether it came in by `/beta`.
    pub(super) fn beta(&self) -> bool {
        self.version == "beta"
    }

    /// The body, which must be an object.
    pub(super) fn body(&self) -> Result<&Map<String, Value>, Refusal> {
        self.ask
            .body
            .as_ref()
            .and_then(Value::as_object)
            .ok_or_else(Refusal::no_body)
    }

    pub(super) fn now(&self) -> OffsetDateTime {
        self.ask.now
    }
}

impl Directory {
    /// Answers one request to Microsoft Graph, v1.0 or beta; `$batch` is cut up by [`Directory::batch`] before.
    ///
    /// * `ask`: the path begins with `/v1.0` or `/beta`
    pub fn answer(&mut self, ask: &Ask) -> Answer {
        let ids = Ids::of(ask);
        let read = Path::parse(&ask.path).and_then(|path| Ok((path, Query::parse(ask)?)));
        let (outcome, units) = match read {
            Ok((path, query)) => {
                let units = cost::of(&ask.method, &path, &query);
                let call = Call {
                    ask,
                    version: path.version,
                    query,
                };
                (route::route(self, &call, &path), units)
            }
            Err(refusal) => (Err(refusal), 1),
        };
        match outcome {
            Ok(reply) => success(reply, &ids, units),
            Err(refusal) => error(&refusal, &ids, ask.now).with("x-ms-resource-unit", units.to_string()),
        }
    }
}

/// The two ids of an answer.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    request: String,
    client: String,
}

impl Ids {
    pub(super) fn of(ask: &Ask) -> Self {
        Self::new(ask.header("client-request-id"))
    }

    pub(super) fn new(client: Option<&str>) -> Self {
        let request = Uuid::new_v4().to_string();
        let client = client.map_or_else(|| request.clone(), str::to_owned);
        Self { request, client }
    }
}

const ODATA: &str =
    "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";
const DIAGNOSTIC: &str = r#"{"ServerInfo":{"DataCenter":"West Europe","Slice":"E","Ring":"5","ScaleUnit":"001","RoleInstance":"AM4PEPF00000001"}}"#;

fn common(answer: Answer, ids: &Ids) -> Answer {
    answer
        .with("cache-control", "no-cache")
        .with("vary", "Accept-Encoding")
        .with("strict-transport-security", "max-age=31536000")
        .with("request-id", ids.request.clone())
        .with("client-request-id", ids.client.clone())
        .with("x-ms-ags-diagnostic", DIAGNOSTIC)
}

fn success(reply: Reply, ids: &Ids, units: u32) -> Answer {
    let mut answer = Answer::empty(reply.status);
    if reply.body.is_some() {
        let content = if reply.plain { "text/plain" } else { ODATA };
        answer = answer.with("content-type", content).with("odata-version", "4.0");
    }
    if let Some(location) = reply.location {
        answer = answer.with("location", location);
    }
    answer.body = reply.body;
    common(answer, ids).with("x-ms-resource-unit", units.to_string())
}

/// A 200 that is no directory answer: `$batch`.
pub(super) fn plain(body: Value, ids: &Ids) -> Answer {
    let mut answer = Answer::empty(200)
        .with("content-type", "application/json")
        .with("odata-version", "4.0");
    answer.body = Some(body);
    common(answer, ids)
}

/// Graph's error envelope.
pub(super) fn error(refusal: &Refusal, ids: &Ids, now: OffsetDateTime) -> Answer {
    let date = now
        .to_offset(time::UtcOffset::UTC)
        .format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]"))
        .unwrap_or_default();
    let mut answer = Answer::empty(refusal.status).with("content-type", "application/json");
    answer.body = Some(json!({"error": {
        "code": refusal.code,
        "message": refusal.message,
        "innerError": {"date": date, "request-id": ids.request, "client-request-id": ids.client},
    }}));
    common(answer, ids)
}

/// Whether the method is this one, else 405.
pub(super) fn only(call: &Call<'_>, method: &Method) -> Result<(), Refusal> {
    if call.ask.method == *method {
        Ok(())
    } else {
        Err(Refusal::method())
    }
}
