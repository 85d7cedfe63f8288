//! Any bytes are what they are taken for, or are refused: no parser of ids, scopes, times, regions, pointers, edits or
//! journals panics or hangs, and what is printed can be read again. `PROPTEST_CASES` makes all of it longer.

mod documents;
mod journals;
mod words;

use proptest::prelude::*;
use serde_json::Value;

/// How often a property is tried: so often, or as `PROPTEST_CASES` says.
fn tries(cases: u32) -> ProptestConfig {
    let mut config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    config
}

/// Documents of any shape, with keys that ids and pointers have.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}|[/~a-zA-Z0-9-]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec(("[/~a-cA-C0-2-]{0,3}|\\PC{0,4}", inner), 0..5)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}
