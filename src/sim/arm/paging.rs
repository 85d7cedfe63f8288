//! Lists in pages: `value`, and `nextLink` on the host that was asked, only while there is more.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::sim::{Answer, Ask};

/// How many rows the client wants in a page, or `page`.
fn size(ask: &Ask, page: usize) -> usize {
    let top = ask.parameter("$top").and_then(|top| top.parse().ok());
    top.filter(|&top| top > 0).unwrap_or(page).max(1)
}

/// A page of the rows: `$top` of them or `page`, from where `$skiptoken` says.
pub fn page(ask: &Ask, rows: Vec<Value>, page: usize) -> Answer {
    page_of(ask, rows, page, |row| row)
}

/// A page of rows that are shown only where they are in it.
pub fn page_of<T>(ask: &Ask, rows: Vec<T>, page: usize, show: impl FnMut(T) -> Value) -> Answer {
    let start = ask
        .parameter("$skiptoken")
        .and_then(position)
        .unwrap_or(0)
        .min(rows.len());
    let end = (start + size(ask, page)).min(rows.len());
    let more = end < rows.len();
    let value: Vec<Value> = rows.into_iter().take(end).skip(start).map(show).collect();
    answer(ask, value, more.then(|| format!("p{end:x}")))
}

/// The key behind which a list of documents in order of key goes on; empty for its beginning.
pub fn after(ask: &Ask) -> String {
    let token = ask.parameter("$skiptoken").and_then(|token| token.strip_prefix('k'));
    let key = token.and_then(|token| URL_SAFE_NO_PAD.decode(token).ok());
    key.and_then(|key| String::from_utf8(key).ok()).unwrap_or_default()
}

/// A page of documents in order of key, the first of which comes behind [`after`]: however long the list, only the page
/// is looked at.
pub fn stream<'a>(
    ask: &Ask,
    page: usize,
    rows: impl Iterator<Item = (&'a str, &'a Value)>,
    show: impl Fn(&str, &Value) -> Value,
) -> Answer {
    let size = size(ask, page);
    let mut value = Vec::new();
    let mut last = String::new();
    let mut rows = rows;
    for (key, document) in rows.by_ref().take(size) {
        value.push(show(key, document));
        key.clone_into(&mut last);
    }
    let more = rows.next().is_some();
    answer(ask, value, more.then(|| format!("k{}", URL_SAFE_NO_PAD.encode(last))))
}

fn answer(ask: &Ask, value: Vec<Value>, token: Option<String>) -> Answer {
    let mut body = json!({ "value": value });
    if let Some(token) = token {
        body["nextLink"] = Value::String(link(ask, &token));
    }
    Answer::json(200, body)
}

/// The same list, with an empty page before each of its pages: what a service gives that filters what it has read.
pub fn with_empty_pages(ask: &Ask, mut answer: Answer) -> Answer {
    let is_list = ask.method == http::Method::GET && answer.status == 200;
    let Some(rows) = answer
        .body
        .as_mut()
        .and_then(|body| body.get_mut("value"))
        .filter(|rows| is_list && rows.is_array())
    else {
        return answer;
    };
    match ask.parameter("$skiptoken") {
        Some(token) if !token.starts_with(EMPTY) => {
            if let Some(next) = answer.body.as_mut().and_then(|body| body.get_mut("nextLink"))
                && let Some((before, token)) = next.as_str().and_then(|link| link.rsplit_once("skiptoken="))
            {
                *next = Value::String(format!("{before}skiptoken={EMPTY}{token}"));
            }
        }
        token => {
            *rows = json!([]);
            let token = token.map_or("s", |token| &token[EMPTY.len()..]);
            let next = link(ask, token);
            if let Some(body) = answer.body.as_mut() {
                body["nextLink"] = Value::String(next);
            }
        }
    }
    answer
}

/// What the token of an empty page begins with; behind it stands that of the page after it.
const EMPTY: &str = "e";

fn position(token: &str) -> Option<usize> {
    usize::from_str_radix(token.strip_prefix('p')?, 16).ok()
}

fn link(ask: &Ask, token: &str) -> String {
    let query: Vec<String> = ask
        .query
        .iter()
        .filter(|(name, _)| !name.eq_ignore_ascii_case("$skiptoken"))
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .chain([format!("%24skiptoken={token}")])
        .collect();
    format!("{}{}?{}", ask.base, ask.path, query.join("&"))
}

/// Percent-encodes a text for a query.
pub fn encode(text: &str) -> String {
    const KEEP: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~')
        .remove(b'/');
    percent_encoding::utf8_percent_encode(text, KEEP).to_string()
}
