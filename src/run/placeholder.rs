//! What only Azure can give, while nothing is sent: texts that stand for a principal id, a client id,
//! or what hangs on them, until the move has been made.

use serde_json::Value;

/// What every output shows in place of such a text.
pub const SHOWN: &str = "(known after move)";

const MARK: &str = "known-after-move~";

/// A placeholder for `what`, such as `principalId` of a certain resource; equal for equal arguments, and
/// equal to no id.
pub fn placeholder(what: &str, of: &str) -> String {
    let digest = crate::types::json::digest(&Value::String(of.to_lowercase()));
    format!("{MARK}{what}~{}", &digest[..12])
}

/// Whether a text contains a placeholder.
pub fn is_in(text: &str) -> bool {
    text.contains(MARK)
}

/// Whether a document contains a placeholder, in a value or in a key.
pub fn is_within(value: &Value) -> bool {
    match value {
        Value::String(text) => is_in(text),
        Value::Array(items) => items.iter().any(is_within),
        Value::Object(map) => map.iter().any(|(key, value)| is_in(key) || is_within(value)),
        _ => false,
    }
}

/// A path as outputs show it: every segment that contains a placeholder is [`SHOWN`].
pub fn shown_path(path: &str) -> String {
    if !is_in(path) {
        return path.to_owned();
    }
    path.split('/')
        .map(|segment| if is_in(segment) { SHOWN } else { segment })
        .collect::<Vec<_>>()
        .join("/")
}

/// A text for people as outputs show it: each placeholder in it is [`SHOWN`].
pub fn shown_text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(MARK) {
        shown.push_str(before);
        shown.push_str(SHOWN);
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '~';
        rest = after.trim_start_matches(is_part);
    }
    shown + rest
}

/// A document as outputs show it: every value and key that contains a placeholder is [`SHOWN`].
pub fn shown(value: &Value) -> Value {
    match value {
        Value::String(text) if is_in(text) => Value::String(SHOWN.into()),
        Value::Array(items) => Value::Array(items.iter().map(shown).collect()),
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(key, value)| (if is_in(key) { SHOWN.to_owned() } else { key.clone() }, shown(value)))
                .collect(),
        ),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn outputs_show_whole_segments_and_values() {
        let id = placeholder("principalId", "/x");
        assert_eq!(
            shown_path(&format!("/groups/g/members/{id}/$ref")),
            "/groups/g/members/(known after move)/$ref"
        );
        assert_eq!(
            shown(&json!({"a": format!("x {id}"), id.clone(): 1})),
            json!({"a": SHOWN, SHOWN: 1})
        );
        assert_eq!(id, placeholder("principalId", "/X"));
        assert_eq!(
            shown_text(&format!("give '{id}' and {id}; done")),
            "give '(known after move)' and (known after move); done"
        );
    }
}
