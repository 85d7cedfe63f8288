//! What may stand in a journal, on a screen, in a report: values that were read as secrets, texts that have the shape of
//! one, and members whose names say that they are, are replaced before anything is written.
//!
//! This is the second line of defence. The first is that documents with secret values are changed by edits
//! alone, and that answers of `…/list` actions are never journaled.

mod shapes;
mod words;

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// What stands in place of a secret.
pub const HIDDEN: &str = "(hidden)";

/// Shorter texts are words that stand everywhere (`prod`, `true`, `eastus`), not secrets.
const SHORTEST: usize = 8;

/// What a URL leaves as it is.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The secret values that a session has seen, kept in memory alone.
#[derive(Default)]
pub struct Secrets {
    /// By their first letters in lower case, so that a text is gone through once, however many there are.
    seen: RwLock<HashMap<[u8; SHORTEST], Vec<Form>>>,
    public: RwLock<HashSet<String>>,
}

/// A secret as it may turn up: as it is, or as JSON, a URL or base64 write it.
struct Form {
    text: Box<str>,
    /// The secret itself in lower case: it is none where it is the name of something.
    of: Arc<str>,
}

impl Secrets {
    /// Remembers every text in an answer that holds secrets. Ids, plain addresses, and the names of settings are no
    /// secrets.
    pub fn learn(&self, answer: &Value) {
        self.take(words::in_secrets(answer));
    }

    /// Remembers the names that an answer without secrets shows (settings name resources, and a name is no secret), and
    /// what in it is a secret all the same: passwords, keys, the values of environment variables.
    pub fn learn_public(&self, answer: &Value) {
        self.take(words::in_document(answer));
    }

    /// Remembers that these words are known to all: the parameters of a run.
    pub fn learn_words(&self, value: &Value) {
        self.take(words::in_parameters(value));
    }

    fn take(&self, found: words::Found) {
        if !found.names.is_empty() {
            let mut public = self.public.write().unwrap_or_else(PoisonError::into_inner);
            public.extend(found.names);
        }
        if found.secrets.is_empty() {
            return;
        }
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        for secret in found.secrets {
            let of: Arc<str> = secret.to_lowercase().into();
            for text in forms(&secret) {
                let Some(start) = start(text.as_bytes()) else { continue };
                let known = seen.entry(start).or_default();
                if !known.iter().any(|known| known.text.eq_ignore_ascii_case(&text)) {
                    known.push(Form {
                        text: text.into(),
                        of: of.clone(),
                    });
                }
            }
        }
    }

    /// Whether a text is, or holds, a secret.
    pub fn holds(&self, text: &str) -> bool {
        !self.places(text).is_empty()
    }

    /// The text with every secret in it replaced by [`HIDDEN`].
    pub fn hide_text(&self, text: &str) -> String {
        let mut made = String::with_capacity(text.len());
        let mut at = 0;
        for place in self.places(text) {
            made.push_str(&text[at..place.start]);
            made.push_str(HIDDEN);
            at = place.end;
        }
        made.push_str(&text[at..]);
        made
    }

    /// The document with its secrets replaced by [`HIDDEN`]. A text that holds one is replaced as a whole.
    pub fn hide(&self, value: &Value) -> Value {
        match value {
            Value::String(text) if self.holds(text) => Value::String(HIDDEN.into()),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.hide(item)).collect()),
            Value::Object(map) => Value::Object(
                map.iter()
                    .map(|(key, value)| {
                        let hidden = if words::is_secret_member(key) && is_filled(value) {
                            Value::String(HIDDEN.into())
                        } else {
                            self.hide(value)
                        };
                        (self.hide_text(key), hidden)
                    })
                    .collect(),
            ),
            other => other.clone(),
        }
    }

    /// Whether something in the document would be hidden.
    pub fn any(&self, value: &Value) -> bool {
        self.hide(value) != *value
    }

    /// Where secrets stand in a text, in order and apart from each other.
    fn places(&self, text: &str) -> Vec<Range<usize>> {
        let mut places = self.learnt(text);
        places.extend(shapes::find(text));
        places.sort_by_key(|place| place.start);
        let mut apart: Vec<Range<usize>> = Vec::with_capacity(places.len());
        for place in places {
            match apart.last_mut() {
                Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
                _ => apart.push(place),
            }
        }
        apart
    }

    /// Where values stand that were read as secrets, in any case.
    fn learnt(&self, text: &str) -> Vec<Range<usize>> {
        let mut places = Vec::new();
        let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
        if text.len() < SHORTEST || seen.is_empty() {
            return places;
        }
        let public = self.public.read().unwrap_or_else(PoisonError::into_inner);
        // An id or an address is made of names, and a setting may be the beginning of one: there only a whole part counts.
        let of_names = words::is_id(text) || words::is_plain_address(text);
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(start) = start(&bytes[at..]) {
            let longest = seen
                .get(&start)
                .into_iter()
                .flatten()
                .filter(|form| {
                    let end = at + form.text.len();
                    let same = |there: &[u8]| there.eq_ignore_ascii_case(form.text.as_bytes());
                    bytes.get(at..end).is_some_and(same)
                        && (!of_names || is_whole(bytes, at, end))
                        && !public.contains(&*form.of)
                })
                .map(|form| form.text.len())
                .max();
            if let Some(length) = longest {
                places.push(at..at + length);
            }
            at += longest.unwrap_or(1);
        }
        places
    }
}

/// The first letters of a text, by which secrets are found; nothing where it is too short to be one.
fn start(bytes: &[u8]) -> Option<[u8; SHORTEST]> {
    let mut start: [u8; SHORTEST] = bytes.get(..SHORTEST)?.try_into().ok()?;
    start.make_ascii_lowercase();
    Some(start)
}

/// Whether a part of an id or an address begins and ends here.
fn is_whole(bytes: &[u8], start: usize, end: usize) -> bool {
    let goes_on = |at: Option<&u8>| at.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte));
    let follows = start > 0 && goes_on(bytes.get(start - 1));
    !follows && !goes_on(bytes.get(end))
}

/// A secret as texts may hold it; also in JSON that stands in JSON.
fn forms(secret: &str) -> Vec<String> {
    let quoted = |text: &str| {
        let quoted = Value::from(text).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    };
    let mut forms = vec![
        secret.to_owned(),
        quoted(secret),
        quoted(&quoted(secret)),
        utf8_percent_encode(secret, UNRESERVED).to_string(),
        STANDARD_NO_PAD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
    ];
    forms.sort();
    forms.dedup();
    forms
}

fn is_filled(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.is_empty() && text != HIDDEN,
        Value::Object(map) => !map.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
