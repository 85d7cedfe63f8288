//! What can go wrong between Ferry and Azure, as values with fields; each displays as one sentence.

use std::time::Duration;

use http::HeaderMap;
use serde_json::Value;

/// Why a request has no good answer. No token is ever part of it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Azure answered, with an error.
    #[error(transparent)]
    Service(Box<ServiceError>),
    /// No answer: the connection failed.
    #[error("{method} {target} got no answer after {tries} {}: {why}", tries_word(*.tries))]
    Transport {
        /// The HTTP method.
        method: String,
        /// The path, without query.
        target: String,
        /// What the transport says.
        why: String,
        /// Whether Azure may have received the request.
        sent: bool,
        /// How often it was tried.
        tries: u32,
    },
    /// No answer in time.
    #[error("{method} {target} got no answer within {} s: {why}", after.as_secs_f64())]
    Timeout {
        /// The HTTP method.
        method: String,
        /// The path, without query.
        target: String,
        /// What was waited for.
        why: String,
        /// How long it was waited for.
        after: Duration,
        /// Whether Azure may have received the request.
        sent: bool,
    },
    /// No token was to be had.
    #[error("no token for {audience} was given by {method}: {why}")]
    Auth {
        /// The credential that was asked.
        method: String,
        /// Whom the token was for.
        audience: String,
        /// What it said.
        why: String,
    },
    /// Ferry itself declined to send.
    #[error("{what} was refused: {why}")]
    Refused {
        /// What was to be done.
        what: String,
        /// Why it is not.
        why: String,
    },
    /// The request was not sent: whoever was to be asked forbade it.
    #[error("{method} {target} was not sent: {why}")]
    Withheld {
        /// The HTTP method.
        method: String,
        /// The path, without query.
        target: String,
        /// What they said.
        why: String,
    },
    /// An answer arrived that cannot be read.
    #[error("the answer to {method} {target} (status {status}{}) cannot be used: {why}", named(request_id.as_deref()))]
    Body {
        /// The HTTP method.
        method: String,
        /// The path, without query.
        target: String,
        /// The HTTP status that came with it.
        status: u16,
        /// What is wrong with it.
        why: String,
        /// Azure's id of the request, where the answer had one.
        request_id: Option<String>,
    },
    /// Azure accepted the request, and then its end could not be learnt: the change may be under way, or done.
    #[error("{method} {target} was accepted, and its end is not known: {source}")]
    Unfinished {
        /// The HTTP method of the request that was accepted.
        method: String,
        /// Its path, without query.
        target: String,
        /// What went wrong while waiting.
        source: Box<Error>,
    },
    /// Azure accepted the request, worked on it, and then failed.
    #[error(transparent)]
    OperationFailed(Box<OperationFailure>),
}

/// An error answer of Azure's.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{method} {target} was answered {status} {code}: {message}")]
pub struct ServiceError {
    /// The HTTP status.
    pub status: u16,
    /// Azure's code, as `AuthorizationFailed`; `Http502` where the answer has none.
    pub code: String,
    /// Azure's message, verbatim.
    pub message: String,
    /// The HTTP method.
    pub method: String,
    /// The path, without query.
    pub target: String,
    /// Azure's id of the request.
    pub request_id: Option<String>,
    /// The id that ties the requests of one run together.
    pub correlation_id: Option<String>,
    /// The whole error object (`code`, `message`, `details`, `additionalInfo`, …); null where there is none.
    pub details: Value,
    /// How long Azure asks to wait before the next try.
    pub retry_after: Option<Duration>,
    /// Whether an earlier try of the same request had no known end: what this answer complains of may be its doing.
    pub doubtful: bool,
}

/// The end of a long-running operation that did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{method} {target} was accepted, and ended {state} with {code}: {message}")]
pub struct OperationFailure {
    /// The HTTP method of the request that began it.
    pub method: String,
    /// The path of that request, without query.
    pub target: String,
    /// `Failed` or `Canceled`.
    pub state: String,
    /// The operation's own code, or its state where it names none.
    pub code: String,
    /// The operation's own message.
    pub message: String,
    /// The whole error object; null where there is none.
    pub details: Value,
    /// Azure's id of the last answer.
    pub request_id: Option<String>,
    /// The id that ties the requests of one run together.
    pub correlation_id: Option<String>,
}

impl Error {
    /// The code of the error, or of its cause where an operation has no known end: Azure's own where it gave one, else
    /// `transport`, `timeout`, `no-token`, `refused` or `unreadable-answer`.
    pub fn code(&self) -> &str {
        match self {
            Self::Service(error) => &error.code,
            Self::OperationFailed(failure) => &failure.code,
            Self::Transport { .. } => "transport",
            Self::Timeout { .. } => "timeout",
            Self::Auth { .. } => "no-token",
            Self::Refused { .. } => "refused",
            Self::Withheld { .. } => "withheld",
            Self::Body { .. } => "unreadable-answer",
            Self::Unfinished { source, .. } => source.code(),
        }
    }

    /// The HTTP status, where there was an answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Service(error) => Some(error.status),
            Self::Body { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Azure's error answer, if it is one.
    pub fn service(&self) -> Option<&ServiceError> {
        match self {
            Self::Service(error) => Some(error),
            _ => None,
        }
    }

    /// Azure's id of the request, where there was an answer that had one.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Service(error) => error.request_id.as_deref(),
            Self::OperationFailed(failure) => failure.request_id.as_deref(),
            Self::Body { request_id, .. } => request_id.as_deref(),
            Self::Unfinished { source, .. } => source.request_id(),
            _ => None,
        }
    }

    /// Whether Azure says that the thing is not there.
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404) && self.service().is_some()
    }

    /// Whether Azure says that the caller may not.
    pub fn is_forbidden(&self) -> bool {
        self.status() == Some(403) && self.service().is_some()
    }

    /// Whether no connection to the endpoint came about.
    pub fn is_unreachable(&self) -> bool {
        matches!(
            self,
            Self::Transport { sent: false, .. } | Self::Timeout { sent: false, .. }
        )
    }

    /// Whether nobody knows if Azure acted on the request: its target has to be read before one goes on.
    pub fn may_have_happened(&self) -> bool {
        match self {
            Self::Transport { sent, .. } | Self::Timeout { sent, .. } => *sent,
            Self::Service(error) => error.status == 408 || error.status >= 500,
            Self::Body { .. } | Self::OperationFailed(_) | Self::Unfinished { .. } => true,
            Self::Auth { .. } | Self::Refused { .. } | Self::Withheld { .. } => false,
        }
    }

    /// Whether it tells of the way to Azure, or of how Azure feels, rather than of what was asked for: the same question
    /// may be answered another time.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Service(error) => matches!(error.status, 300..=399 | 401 | 408 | 429 | 500..),
            Self::Unfinished { source, .. } => source.is_passing(),
            Self::OperationFailed(_) | Self::Refused { .. } | Self::Withheld { .. } => false,
            Self::Transport { .. } | Self::Timeout { .. } | Self::Auth { .. } | Self::Body { .. } => true,
        }
    }

    /// A refusal of `what` because of `why`.
    pub(crate) fn refused(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Refused {
            what: what.into(),
            why: why.into(),
        }
    }
}

fn named(request_id: Option<&str>) -> String {
    request_id.map_or_else(String::new, |id| format!(", request {id}"))
}

/// Azure's id of a request, in the headers of its answer.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get("x-ms-request-id").or_else(|| headers.get("request-id"))?;
    id.to_str().ok().map(str::to_owned)
}

fn tries_word(tries: u32) -> &'static str {
    if tries == 1 { "try" } else { "tries" }
}

/// Azure's code and message in an error document of any of the forms that its services use, and the error object.
pub(crate) fn read_error(body: &Value) -> Option<(String, String, Value)> {
    let object = match (body.get("error"), body.get("odata.error")) {
        (Some(inner @ Value::Object(_)), _) | (_, Some(inner @ Value::Object(_))) => inner,
        _ => body,
    };
    let text = |names: &[&str]| {
        names.iter().find_map(|name| match object.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(Value::Object(map)) => map.get("value").and_then(Value::as_str).map(str::to_owned),
            _ => None,
        })
    };
    let code = text(&["code", "Code", "error"]);
    let message = text(&["message", "Message", "error_description"]);
    (code.is_some() || message.is_some()).then(|| {
        let message = message.unwrap_or_else(|| "no message was given".to_owned());
        (code.unwrap_or_default(), message, object.clone())
    })
}

impl ServiceError {
    /// Reads an error answer, whatever its form: JSON of several kinds, XML, HTML, nothing.
    pub(crate) fn read(method: &str, target: &str, status: u16, headers: &HeaderMap, body: &[u8]) -> Self {
        let header = |name: &str| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        let json: Option<Value> = serde_json::from_slice(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)).ok();
        let (mut code, message, details) = json.as_ref().and_then(read_error).unwrap_or_else(|| {
            let text = String::from_utf8_lossy(body);
            let between = |tag: &str| {
                let from = text.find(&format!("<{tag}>"))? + tag.len() + 2;
                let to = text[from..].find(&format!("</{tag}>"))?;
                Some(text[from..from + to].to_owned())
            };
            let message = between("Message").unwrap_or_else(|| format!("the answer says only: {}", excerpt(body)));
            (between("Code").unwrap_or_default(), message, Value::Null)
        });
        if code.is_empty() {
            code = header("x-ms-error-code").unwrap_or_else(|| format!("Http{status}"));
        }
        Self {
            status,
            code,
            message,
            method: method.to_owned(),
            target: target.to_owned(),
            request_id: request_id(headers),
            correlation_id: header("x-ms-correlation-request-id"),
            details,
            retry_after: retry_after(headers),
            doubtful: false,
        }
    }
}

/// The wait that an answer asks for: `retry-after-ms`, `x-ms-retry-after-ms` (milliseconds), or `Retry-After` in
/// seconds or as an HTTP date, which counts from the answer's own `Date`: the two clocks need not agree.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let millis = ["retry-after-ms", "x-ms-retry-after-ms"]
        .into_iter()
        .find_map(|name| text(name)?.parse().ok());
    if let Some(millis) = millis {
        return Some(Duration::from_millis(millis));
    }
    let value = text("retry-after")?;
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let moment = |text: &str| time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc2822).ok();
    let now = text("date")
        .and_then(moment)
        .unwrap_or_else(time::OffsetDateTime::now_utc);
    Some(Duration::try_from(moment(value)? - now).unwrap_or(Duration::ZERO))
}

/// The beginning of a body that was not understood, on one line, for people.
pub(crate) fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(400)]);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(120) {
        Some((at, _)) => format!("\"{}…\"", &words[..at]),
        None if words.is_empty() => "nothing".to_owned(),
        None => format!("\"{words}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(body: &str) -> ServiceError {
        ServiceError::read("GET", "/x", 404, &HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn every_form_of_error_document_gives_its_code_and_message() {
        for body in [
            json!({"error": {"code": "Gone", "message": "it left"}}).to_string(),
            json!({"Code": "Gone", "Message": "it left"}).to_string(),
            json!({"odata.error": {"code": "Gone", "message": {"lang": "en", "value": "it left"}}}).to_string(),
            json!({"error": "Gone", "error_description": "it left"}).to_string(),
            "<?xml version=\"1.0\"?><Error><Code>Gone</Code><Message>it left</Message></Error>".to_owned(),
        ] {
            let error = read(&body);
            assert_eq!(
                (error.code.as_str(), error.message.as_str()),
                ("Gone", "it left"),
                "{body}"
            );
        }
        assert_eq!(read("<html>\n<b>no</b>").code, "Http404");
        assert!(read("<html>\n<b>no</b>").message.contains("<html> <b>no</b>"));
    }

    #[test]
    fn a_wait_is_read_in_seconds_milliseconds_and_as_a_date() {
        let headers = |name: &'static str, value: &str| {
            let mut map = HeaderMap::new();
            map.insert(name, value.parse().unwrap());
            map
        };
        assert_eq!(
            retry_after(&headers("retry-after", "17")),
            Some(Duration::from_secs(17))
        );
        assert_eq!(
            retry_after(&headers("x-ms-retry-after-ms", "250")),
            Some(Duration::from_millis(250))
        );
        assert_eq!(
            retry_after(&headers("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")),
            Some(Duration::ZERO)
        );
        assert_eq!(retry_after(&headers("retry-after", "soon")), None);
        let mut dated = headers("retry-after", "Wed, 21 Oct 2015 07:28:09 GMT");
        dated.insert("date", "Wed, 21 Oct 2015 07:28:00 GMT".parse().unwrap());
        assert_eq!(retry_after(&dated), Some(Duration::from_secs(9)));
    }

    proptest::proptest! {
        #![proptest_config(crate::types::tries(500))]
        #[test]
        fn any_header_and_any_body_of_an_error_is_read(
            name in proptest::sample::select(vec!["retry-after", "retry-after-ms", "x-ms-retry-after-ms"]),
            value in "[ -~]{0,40}|-?[0-9]{1,40}(\\.[0-9]{1,9})?|[0-9]{1,3}e[0-9]{1,5}|NaN|inf|Wed, [0-9]{2} Oct [0-9]{1,9} 07:28:00 GMT",
            date in "[ -~]{0,40}|Wed, [0-9]{2} Oct [0-9]{4} 07:28:00 GMT",
            body in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
        ) {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            headers.insert("date", date.parse().unwrap());
            let _ = retry_after(&headers);
            let read = ServiceError::read("GET", "/x", 500, &headers, &body);
            proptest::prop_assert!(!read.code.is_empty());
        }

        #[test]
        fn seconds_are_read_as_they_were_written(seconds in 0_u64..1_000_000_000) {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", seconds.to_string().parse().unwrap());
            proptest::prop_assert_eq!(retry_after(&headers), Some(Duration::from_secs(seconds)));
        }
    }

    #[test]
    fn an_error_is_one_sentence() {
        let error = Error::Service(Box::new(read(r#"{"error":{"code":"Gone","message":"it left"}}"#)));
        assert_eq!(error.to_string(), "GET /x was answered 404 Gone: it left");
        assert!(error.is_not_found() && !error.is_forbidden());
    }
}
