//! Between HTTP and the front doors: a request read wholly, an answer written.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::faults::Body;
use super::{Answer, Ask, Caller};

/// The largest body that is read.
const LARGEST: usize = 32 << 20;

/// What came in: the request, and its path with query as sent.
#[derive(Debug)]
pub struct Incame {
    /// The request.
    pub ask: Ask,
    /// Path and query as sent.
    pub target: String,
    /// Whether there was a body that could not be read as JSON or a form.
    pub garbled: bool,
}

/// Reads a request wholly, which came over TLS or not.
///
/// # Errors
/// When the connection ends before the body does, or the body is too large.
pub async fn read(
    request: http::Request<Incoming>,
    tls: bool,
    now: OffsetDateTime,
) -> Result<Incame, Box<dyn std::error::Error + Send + Sync>> {
    let (parts, body) = request.into_parts();
    let bytes = Limited::new(body, LARGEST).collect().await?.to_bytes();
    let target = parts
        .uri
        .path_and_query()
        .map_or_else(|| "/".to_owned(), ToString::to_string);
    let host = parts.uri.authority().map(ToString::to_string);
    let host = host.or_else(|| {
        parts
            .headers
            .get("host")
            .and_then(|host| host.to_str().ok())
            .map(str::to_owned)
    });
    // A TLS front says so, as proxies do.
    let secure = tls
        || parts
            .headers
            .get("x-forwarded-proto")
            .is_some_and(|value| value == "https");
    let scheme = if secure { "https" } else { "http" };
    let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let form = parts
        .headers
        .get("content-type")
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| {
            kind.to_ascii_lowercase()
                .starts_with("application/x-www-form-urlencoded")
        });
    let body = if bytes.is_empty() {
        Ok(None)
    } else if form {
        let map: Map<String, Value> = url::form_urlencoded::parse(&bytes)
            .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
            .collect();
        Ok(Some(Value::Object(map)))
    } else {
        serde_json::from_slice(&bytes).map(Some)
    };
    let garbled = body.is_err();
    let ask = Ask {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query,
        headers: parts.headers,
        body: body.unwrap_or_default(),
        base: format!("{scheme}://{}", host.unwrap_or_else(|| "127.0.0.1".to_owned())),
        caller: Caller {
            principal: String::new(),
            app_id: None,
            audience: String::new(),
        },
        now,
    };
    Ok(Incame { ask, target, garbled })
}

/// Writes an answer with the headers given; those of the answer itself come first and stand.
pub fn write(answer: Answer, more: Vec<(String, String)>) -> http::Response<Bytes> {
    let mut headers = http::HeaderMap::new();
    let bytes = answer
        .body
        .as_ref()
        .map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
    let own = answer.headers.into_iter().chain(more);
    for (name, value) in own {
        if let (Ok(name), Ok(value)) = (http::HeaderName::try_from(name), http::HeaderValue::try_from(value))
            && !headers.contains_key(&name)
        {
            headers.insert(name, value);
        }
    }
    if answer.body.is_some() && !headers.contains_key("content-type") {
        headers.insert(
            "content-type",
            http::HeaderValue::from_static("application/json; charset=utf-8"),
        );
    }
    if answer.body.is_none() {
        headers.remove("content-type");
    }
    let mut response = http::Response::new(bytes);
    *response.status_mut() =
        http::StatusCode::from_u16(answer.status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = headers;
    response
}

/// An answer that goes out as it is.
pub fn whole(answer: http::Response<Bytes>) -> http::Response<Body> {
    answer.map(|bytes| Full::new(bytes).map_err(|never| match never {}).boxed_unsync())
}

/// Lines of JSON.
pub fn lines(text: String) -> http::Response<Bytes> {
    let mut response = http::Response::new(Bytes::from(text));
    response
        .headers_mut()
        .insert("content-type", http::HeaderValue::from_static("application/x-ndjson"));
    response
}
