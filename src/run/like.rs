//! Whether what a run asks for is what its plan has: what only Azure can give, and what was hidden, is like anything.

use serde_json::Value;

use super::placeholder::SHOWN;
use crate::store::redact::HIDDEN;
use crate::types::json::get_ignore_case;

/// Whether a text is like a planned one. Ids compare without case.
pub(super) fn text(planned: &str, now: &str) -> bool {
    planned == SHOWN
        || [planned, now].contains(&HIDDEN)
        || planned == now
        || (is_id(planned) && planned.eq_ignore_ascii_case(now))
}

/// Whether a path is like a planned one, segment by segment, without regard to case.
pub(super) fn path(planned: &str, now: &str) -> bool {
    let (mut planned, mut now) = (planned.split('/'), now.split('/'));
    loop {
        match (planned.next(), now.next()) {
            (None, None) => return true,
            (Some(planned), Some(now)) if planned == SHOWN || planned.eq_ignore_ascii_case(now) => {}
            _ => return false,
        }
    }
}

/// Whether a document is like a planned one.
pub(super) fn document(planned: &Value, now: &Value) -> bool {
    match (planned, now) {
        (Value::String(planned), Value::String(now)) => text(planned, now),
        (Value::String(planned), _) => planned == SHOWN || planned == HIDDEN,
        (_, Value::String(now)) => now == HIDDEN,
        (Value::Array(planned), Value::Array(now)) => {
            planned.len() == now.len() && planned.iter().zip(now).all(|(planned, now)| document(planned, now))
        }
        (Value::Object(planned), Value::Object(now)) => {
            // Keys that only Azure can give have become one in the plan.
            let open = planned.contains_key(SHOWN);
            let known = planned.iter().filter(|(key, _)| *key != SHOWN);
            let mut found = 0;
            for (key, planned) in known {
                match get_ignore_case(now, key) {
                    Some((_, now)) if document(planned, now) => found += 1,
                    _ => return false,
                }
            }
            if open { found < now.len() } else { found == now.len() }
        }
        (planned, now) => planned == now,
    }
}

/// Whether a document has at least what a plan would write there.
pub(super) fn covers(now: &Value, planned: &Value) -> bool {
    match (now, planned) {
        (Value::Object(now), Value::Object(planned)) => {
            planned
                .iter()
                .filter(|(key, _)| *key != SHOWN)
                .all(|(key, planned)| match get_ignore_case(now, key) {
                    Some((_, now)) => covers(now, planned),
                    None => planned.is_null(),
                })
        }
        (Value::Array(now), Value::Array(planned)) => {
            now.len() == planned.len() && now.iter().zip(planned).all(|(now, planned)| covers(now, planned))
        }
        (now, planned) => document(planned, now),
    }
}

/// Whether a text is an id, or a pointer that may name one: they compare without case.
pub(super) fn is_id(text: &str) -> bool {
    text.starts_with('/') || uuid::Uuid::try_parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_only_azure_gives_is_like_anything_in_its_place_and_nowhere_else() {
        assert!(path(
            "/groups/G/members/(known after move)/$ref",
            "/groups/g/members/1234/$ref"
        ));
        assert!(!path(
            "/groups/g/members/(known after move)/$ref",
            "/groups/g/owners/1234/$ref"
        ));
        assert!(!path("/groups/g/(known after move)", "/groups/g"));
        let planned = json!({"properties": {"principalId": SHOWN, "role": "r", SHOWN: {}}});
        assert!(document(
            &planned,
            &json!({"properties": {"role": "r", "principalId": "p", "/x/new": {}}})
        ));
        assert!(!document(
            &planned,
            &json!({"properties": {"role": "s", "principalId": "p", "/x/new": {}}})
        ));
        assert!(!document(
            &planned,
            &json!({"properties": {"role": "r", "principalId": "p"}})
        ));
        assert!(!document(&json!({"a": 1}), &json!({"a": 1, "b": 2})));
    }

    #[test]
    fn more_may_stand_than_a_plan_would_write() {
        let now = json!({"id": "/X", "properties": {"level": "ReadOnly", "more": 1}});
        assert!(covers(
            &now,
            &json!({"id": "/x", "properties": {"level": "ReadOnly", "notes": null}})
        ));
        assert!(!covers(&now, &json!({"properties": {"level": "CanNotDelete"}})));
    }
}
