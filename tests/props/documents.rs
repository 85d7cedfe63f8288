//! Pointers into documents, merge patches, and edits that lead there and back.

use ferry::run::edit::{Edit, covers, find_words, holds, replace_words};
use ferry::types::json;
use proptest::prelude::*;
use serde_json::Value;

use super::{any_json, tries};

fn pointers() -> impl Strategy<Value = String> {
    prop_oneof![
        "(/[~a-cA-C0-2-]{0,3}){0,4}".boxed(),
        "\\PC{0,12}".boxed(),
        "(/(-|0|1|18446744073709551616|~|~2|~0|~1)){0,4}".boxed(),
    ]
}

proptest! {
    #![proptest_config(tries(300))]

    #[test]
    fn a_segment_survives_in_a_pointer(segments in prop::collection::vec("\\PC{0,8}|[~/01]{0,6}", 0..5)) {
        let escaped: Vec<String> = segments.iter().map(|segment| json::escape(segment)).collect();
        let pointer = if escaped.is_empty() { String::new() } else { format!("/{}", escaped.join("/")) };
        prop_assert_eq!(json::pointer_segments(&pointer), segments.clone());
        for segment in segments {
            prop_assert_eq!(json::unescape(&json::escape(&segment)), segment);
        }
    }

    #[test]
    fn a_merge_patch_leads_from_one_document_to_the_other(before in any_json(), after in any_json()) {
        // A merge patch cannot set a member to null, and has no words for anything but objects.
        let (before, after) = (json::without_nulls(&before), json::without_nulls(&after));
        let mut made = before.clone();
        json::merge(&mut made, &json::merge_patch(&before, &after));
        prop_assert_eq!(json::canonical(&json::without_nulls(&made)), json::canonical(&after));
    }

    #[test]
    fn any_edit_of_any_document_is_applied_or_left(document in any_json(), pointer in pointers(), from in any_json(), to in any_json(), key in any::<bool>()) {
        let edit = Edit { pointer, from, to, key };
        let mut there = document.clone();
        let _ = edit.restore(&mut there);
        let back = Edit { from: edit.to.clone(), to: edit.from.clone(), ..edit.clone() };
        let _ = back.restore(&mut there);
        let _ = (covers(&document, &edit.from), holds(&document, &edit.to));
        let written = serde_json::to_string(&edit).unwrap();
        prop_assert_eq!(serde_json::from_str::<Edit>(&written).unwrap(), edit);
    }

    #[test]
    fn any_text_is_searched_for_any_word(text in "\\PC{0,40}", word in "\\PC{0,6}|/[a-z-]{0,6}", to in "\\PC{0,6}") {
        let mut end = 0;
        for range in find_words(&text, &word) {
            prop_assert!(range.start >= end && text.is_char_boundary(range.start) && text.is_char_boundary(range.end));
            prop_assert!(text[range.clone()].eq_ignore_ascii_case(&word));
            end = range.end;
        }
        let _ = replace_words(&text, &word, &to);
    }

    #[test]
    fn a_document_has_one_digest_however_its_members_stand(document in any_json()) {
        fn turned(value: &Value) -> Value {
            match value {
                Value::Object(map) => Value::Object(map.iter().rev().map(|(key, value)| (key.clone(), turned(value))).collect()),
                Value::Array(items) => Value::Array(items.iter().map(turned).collect()),
                other => other.clone(),
            }
        }
        prop_assert_eq!(json::digest(&document), json::digest(&turned(&document)));
    }
}
