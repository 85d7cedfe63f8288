//! Resource ids, scopes, durations, regions.

use ferry::types::{Region, ResourceId, Scope, Span};
use proptest::prelude::*;

use super::tries;

/// Ids of every level, in odd spellings.
fn ids() -> impl Strategy<Value = String> {
    let name = "[a-zA-Z0-9._()-]{1,10}|\u{e9}t\u{e9}-[0-9]{1,3}";
    let base = prop_oneof![
        Just(String::new()),
        name.prop_map(|name| format!("/subscriptions/{name}")),
        (name, name).prop_map(|(one, two)| format!("/SUBSCRIPTIONS/{one}/resourcegroups/{two}")),
    ];
    let typed = (
        "[A-Z][a-z]{1,6}\\.[A-Z][a-z]{1,8}",
        prop::collection::vec(("[a-z]{1,9}", name), 1..4),
    )
        .prop_map(|(namespace, parts)| {
            let parts: Vec<String> = parts.into_iter().map(|(kind, name)| format!("{kind}/{name}")).collect();
            format!("/providers/{namespace}/{}", parts.join("/"))
        });
    (base, prop::collection::vec(typed, 0..3), "/?")
        .prop_map(|(base, typed, end)| format!("{base}{}{end}", typed.concat()))
}

/// A valid text with some letters replaced, doubled or taken away.
fn spoilt(texts: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    (
        texts,
        prop::collection::vec((any::<prop::sample::Index>(), "[/a-z%?#\u{0}\u{4e16} ]{0,3}"), 0..4),
    )
        .prop_map(|(text, edits)| {
            let mut letters: Vec<char> = text.chars().collect();
            for (at, insert) in edits {
                let at = at.index(letters.len() + 1);
                let end = (at + 1).min(letters.len());
                letters.splice(at..end, insert.chars());
            }
            letters.into_iter().collect()
        })
}

proptest! {
    #![proptest_config(tries(300))]

    #[test]
    fn what_an_id_prints_is_the_same_id(text in ids()) {
        let Ok(id) = ResourceId::parse(&text) else {
            // The empty text alone is none.
            prop_assert!(text.is_empty() || text == "/", "{text}");
            return Ok(());
        };
        let again = ResourceId::parse(id.as_str()).unwrap();
        prop_assert_eq!(again.as_str(), id.as_str());
        prop_assert_eq!(ResourceId::parse(&text.to_uppercase()).map(|upper| upper == id), Ok(true));
        for above in [id.parent(), id.extended(), Some(id.top_level())].into_iter().flatten() {
            prop_assert!(id.is_within(&above), "{id} within {above}");
            let again = ResourceId::parse(above.as_str()).unwrap();
            prop_assert_eq!(again.as_str(), above.as_str());
        }
        let written = serde_json::to_string(&id).unwrap();
        let again: ResourceId = serde_json::from_str(&written).unwrap();
        prop_assert_eq!(again.as_str(), id.as_str());
    }

    #[test]
    fn any_text_is_an_id_or_a_scope_or_none(text in prop_oneof![spoilt(ids()), "\\PC{0,60}".boxed(), "(/[a-z]{0,12}){0,9}".boxed()]) {
        if let Ok(id) = ResourceId::parse(&text) {
            let _ = (id.name().len(), id.namespace().len(), id.resource_type(), id.subscription(), id.resource_group());
            let _ = (id.parent(), id.extended(), id.top_level(), id.child("a", &text));
        }
        if let Ok(scope) = Scope::parse(&text) {
            let again = Scope::parse(scope.as_str()).unwrap();
            prop_assert_eq!(again.key(), scope.key());
            let _ = (scope.level(), scope.join("A.B/c"));
        }
    }

    #[test]
    fn a_duration_is_printed_as_it_can_be_read(seconds in 0_u64..3_000_000_000) {
        let span = Span::seconds(seconds);
        prop_assert_eq!(Span::parse(&span.to_string()).unwrap(), span);
    }

    #[test]
    fn any_text_is_a_duration_or_none(text in "\\PC{0,20}|P?T?([0-9]{0,22}[smhdwSMHDW ]){0,5}") {
        if let Ok(span) = Span::parse(&text) {
            prop_assert_eq!(Span::parse(&span.to_string()).unwrap(), span);
        }
    }

    #[test]
    fn any_text_is_a_region_or_none(text in "\\PC{0,24}|[A-Za-z]{1,8} [A-Za-z]{1,8} ?[0-9]?") {
        if let Ok(region) = Region::parse(&text) {
            prop_assert_eq!(Region::parse(region.as_str()).unwrap(), region);
        }
    }
}
