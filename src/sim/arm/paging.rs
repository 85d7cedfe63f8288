//! Lists in pages: `value`, and `nextLink` on the host that was asked, only while there is more.

use serde_json::{Value, json};

use crate::sim::{Answer, Ask};

/// A page of the rows: `$top` of them or `page`, from where `$skiptoken` says.
pub fn page(ask: &Ask, rows: Vec<Value>, page: usize) -> Answer {
    let size = ask
        .parameter("$top")
        .and_then(|top| top.parse().ok())
        .filter(|&top| top > 0)
        .unwrap_or(page)
        .max(1);
    let start = ask
        .parameter("$skiptoken")
        .and_then(position)
        .unwrap_or(0)
        .min(rows.len());
    let end = (start + size).min(rows.len());
    let more = end < rows.len();
    let value: Vec<Value> = rows.into_iter().skip(start).take(size).collect();
    let mut body = json!({ "value": value });
    if more {
        body["nextLink"] = Value::String(link(ask, end));
    }
    Answer::json(200, body)
}

fn position(token: &str) -> Option<usize> {
    usize::from_str_radix(token.strip_prefix('p')?, 16).ok()
}

fn link(ask: &Ask, position: usize) -> String {
    let query: Vec<String> = ask
        .query
        .iter()
        .filter(|(name, _)| !name.eq_ignore_ascii_case("$skiptoken"))
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .chain([format!("%24skiptoken=p{position:x}")])
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
