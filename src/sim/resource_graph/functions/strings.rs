//! Texts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use regex::{Captures, Regex};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::super::code::Context;
use super::super::text::lower;
use super::super::value::{Kind, Value};
use super::{Body, Function, Gives, arg, count, f};

const S: Gives = Gives::Always(Kind::Str);
const LONG: Gives = Gives::Always(Kind::Long);
const D: Gives = Gives::Always(Kind::Dynamic);

const REPLACE_STRING: Body = |v, _| {
    let (text, part) = (v[0].to_text(), v[1].to_text());
    if part.is_empty() {
        Value::text(text.as_ref())
    } else {
        Value::text(text.replace(part.as_ref(), &v[2].to_text()))
    }
};
const REPLACE_REGEX: Body = |v, context| {
    let with = dollars(&v[2].to_text());
    let text = v[0].to_text();
    context
        .with_pattern(&v[1].to_text(), |pattern| {
            Value::text(pattern.replace_all(&text, with.as_str()).as_ref())
        })
        .unwrap_or_else(|| Value::text(text.as_ref()))
};
/// The older `replace(regex, with, text)`.
const REPLACE: Body = |v, context| REPLACE_REGEX(&[v[2].clone(), v[0].clone(), v[1].clone()], context);
const ENCODE_URL: Body = |v, _| Value::text(utf8_percent_encode(&v[0].to_text(), NON_ALPHANUMERIC).to_string());
const DECODE_URL: Body = |v, _| Value::text(percent_decode_str(&v[0].to_text()).decode_utf8_lossy().as_ref());
const BASE64: Body = |v, _| Value::text(STANDARD.encode(v[0].to_text().as_bytes()));
const PLAIN: Body = |v, _| {
    let bytes = STANDARD.decode(v[0].to_text().as_bytes()).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .map_or_else(|| Value::text(""), Value::text)
};

/// `strlen`, `split`, `extract` and their kin.
pub const TABLE: &[Function] = &[
    f("strlen", 1, 1, LONG, |v, _| count(v[0].to_text().chars().count())),
    f("tolower", 1, 1, S, |v, _| Value::text(lower(&v[0].to_text()))),
    f("toupper", 1, 1, S, |v, _| Value::text(v[0].to_text().to_uppercase())),
    f("reverse", 1, 1, S, |v, _| {
        Value::text(v[0].to_text().chars().rev().collect::<String>())
    }),
    f("strcat", 1, 64, S, |v, _| {
        Value::text(v.iter().map(Value::to_text).collect::<String>())
    }),
    f("strcat_delim", 2, 64, S, |v, _| {
        let parts: Vec<_> = v[1..].iter().map(Value::to_text).collect();
        Value::text(parts.join(v[0].to_text().as_ref()))
    }),
    f("strcat_array", 2, 2, S, |v, _| {
        let parts: Vec<String> = items(&v[0])
            .iter()
            .map(|item| Value::json(item).to_text().into_owned())
            .collect();
        Value::text(parts.join(v[1].to_text().as_ref()))
    }),
    f("strrep", 2, 3, S, |v, _| {
        let times = v[1]
            .whole()
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or(0)
            .min(1024);
        Value::text(vec![v[0].to_text().into_owned(); times].join(arg(v, 2).to_text().as_ref()))
    }),
    f("substring", 2, 3, S, |v, _| {
        Value::text(substring(&v[0].to_text(), &v[1], &arg(v, 2)))
    }),
    f("split", 2, 3, D, |v, _| {
        let (text, delimiter) = (v[0].to_text(), v[1].to_text());
        let parts: Vec<Json> = if delimiter.is_empty() {
            vec![json!(text)]
        } else {
            text.split(delimiter.as_ref()).map(|part| json!(part)).collect()
        };
        match arg(v, 2).whole() {
            Some(at) => Value::owned(json!(
                usize::try_from(at)
                    .ok()
                    .and_then(|at| parts.get(at))
                    .into_iter()
                    .collect::<Vec<_>>()
            )),
            None => Value::owned(Json::Array(parts)),
        }
    }),
    f("trim", 2, 2, S, |v, context| trim(&v[1], &v[0], context, true, true)),
    f("trim_start", 2, 2, S, |v, context| {
        trim(&v[1], &v[0], context, true, false)
    }),
    f("trim_end", 2, 2, S, |v, context| {
        trim(&v[1], &v[0], context, false, true)
    }),
    f("replace_string", 3, 3, S, REPLACE_STRING),
    f("replace_regex", 3, 3, S, REPLACE_REGEX),
    f("replace", 3, 3, S, REPLACE),
    f("extract", 3, 4, S, |v, context| {
        let (text, group) = (
            v[2].to_text(),
            v[1].whole().and_then(|at| usize::try_from(at).ok()).unwrap_or(0),
        );
        let found = context.with_pattern(&v[0].to_text(), |pattern| {
            pattern
                .captures(&text)
                .and_then(|found| found.get(group))
                .map(|found| found.as_str().to_owned())
        });
        Value::text(found.flatten().unwrap_or_default())
    }),
    f("extract_all", 2, 3, D, |v, context| {
        let (text, chosen) = (
            v[v.len() - 1].to_text(),
            if v.len() == 3 { v[1].clone() } else { Value::Null },
        );
        context
            .with_pattern(&v[0].to_text(), |pattern| extract_all(pattern, &text, &chosen))
            .map_or(Value::Null, |found| {
                if found.is_empty() {
                    Value::Null
                } else {
                    Value::owned(Json::Array(found))
                }
            })
    }),
    f("indexof", 2, 5, LONG, |v, _| index_of(v)),
    f("countof", 2, 3, LONG, |v, context| {
        let (text, part) = (v[0].to_text(), v[1].to_text());
        if arg(v, 2).to_text() == "regex" {
            return context
                .with_pattern(&part, |pattern| count(pattern.find_iter(&text).count()))
                .unwrap_or(Value::Null);
        }
        if part.is_empty() {
            return count(0);
        }
        // Occurrences may overlap.
        count(
            text.char_indices()
                .filter(|(at, _)| text[*at..].starts_with(part.as_ref()))
                .count(),
        )
    }),
    f("url_encode", 1, 1, S, ENCODE_URL),
    f("url_encode_component", 1, 1, S, ENCODE_URL),
    f("url_decode", 1, 1, S, DECODE_URL),
    f("base64_encode_tostring", 1, 1, S, BASE64),
    f("base64_decode_tostring", 1, 1, S, PLAIN),
    f("hash_sha256", 1, 1, S, |v, _| {
        Value::text(crate::types::json::hex(&Sha256::digest(v[0].to_text().as_bytes())))
    }),
    f("parse_url", 1, 1, D, |v, _| parse_url(&v[0].to_text())),
    f("strcmp", 2, 2, LONG, |v, _| {
        Value::Long(v[0].to_text().as_ref().cmp(v[1].to_text().as_ref()) as i64)
    }),
    f("isascii", 1, 1, Gives::Always(Kind::Bool), |v, _| {
        Value::Bool(v[0].to_text().is_ascii())
    }),
];

fn items<'v>(value: &'v Value<'_>) -> &'v [Json] {
    value.as_json().and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

fn substring(text: &str, start: &Value<'_>, length: &Value<'_>) -> String {
    let total = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let start = start.whole().unwrap_or(0);
    let start = if start < 0 {
        total.saturating_add(start).max(0)
    } else {
        start
    };
    let length = length.whole().unwrap_or(i64::MAX);
    let size = |number: i64| usize::try_from(number).unwrap_or(0);
    text.chars().skip(size(start)).take(size(length)).collect()
}

/// Takes away whatever matches the pattern at the ends, once.
fn trim<'d>(text: &Value<'_>, pattern: &Value<'_>, context: &Context, start: bool, end: bool) -> Value<'d> {
    let mut text = text.to_text().into_owned();
    let cut =
        |text: &str, pattern: String| context.with_pattern(&pattern, |found| found.replace(text, "").into_owned());
    if start && let Some(rest) = cut(&text, format!("^(?:{})", pattern.to_text())) {
        text = rest;
    }
    if end && let Some(rest) = cut(&text, format!("(?:{})$", pattern.to_text())) {
        text = rest;
    }
    Value::text(text)
}

/// The references of a replacement, `\1`, as the pattern engine writes them.
fn dollars(with: &str) -> String {
    let mut made = String::new();
    let mut chars = with.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '$' => made.push_str("$$"),
            '\\' if chars.peek().is_some_and(char::is_ascii_digit) => {
                made.push_str("${");
                made.extend(chars.next());
                made.push('}');
            }
            c => made.push(c),
        }
    }
    made
}

fn extract_all(pattern: &Regex, text: &str, chosen: &Value<'_>) -> Vec<Json> {
    let groups: Vec<usize> = match chosen.as_json().and_then(Json::as_array) {
        Some(list) => list
            .iter()
            .filter_map(Json::as_u64)
            .filter_map(|at| usize::try_from(at).ok())
            .collect(),
        None if pattern.captures_len() == 1 => vec![0],
        None => (1..pattern.captures_len()).collect(),
    };
    let text_of = |found: &Captures<'_>, at: usize| json!(found.get(at).map_or("", |part| part.as_str()));
    pattern
        .captures_iter(text)
        .map(|found| match groups.as_slice() {
            [one] => text_of(&found, *one),
            many => many.iter().map(|at| text_of(&found, *at)).collect(),
        })
        .collect()
}

/// `indexof(text, part, start, length, occurrence)`, in characters.
fn index_of<'d>(v: &[Value<'_>]) -> Value<'d> {
    let (text, part) = (v[0].to_text(), v[1].to_text());
    let start = v.get(2).and_then(Value::whole).unwrap_or(0);
    let length = v.get(3).and_then(Value::whole).filter(|length| *length >= 0);
    let nth = v.get(4).and_then(Value::whole).unwrap_or(1).max(1);
    let total = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let start = if start < 0 {
        total.saturating_add(start).max(0)
    } else {
        start
    };
    let end = length.map_or(total, |length| start.saturating_add(length));
    let mut seen = 0;
    for (place, (at, _)) in text.char_indices().enumerate() {
        let place = i64::try_from(place).unwrap_or(i64::MAX);
        if place >= start && place < end && text[at..].starts_with(part.as_ref()) {
            seen += 1;
            if seen == nth {
                return Value::Long(place);
            }
        }
    }
    Value::Long(-1)
}

fn parse_url<'d>(text: &str) -> Value<'d> {
    let Ok(url) = url::Url::parse(text) else {
        return Value::Null;
    };
    let query: serde_json::Map<String, Json> = url
        .query_pairs()
        .map(|(key, value)| (key.into_owned(), json!(value)))
        .collect();
    Value::owned(json!({
        "Scheme": url.scheme(),
        "Host": url.host_str().unwrap_or_default(),
        "Port": url.port().map(|port| port.to_string()).unwrap_or_default(),
        "Path": url.path(),
        "Username": url.username(),
        "Password": url.password().unwrap_or_default(),
        "Query Parameters": query,
        "Fragment": url.fragment().unwrap_or_default(),
    }))
}
