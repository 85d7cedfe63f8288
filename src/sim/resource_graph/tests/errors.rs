use serde_json::{Value as Json, json};

use super::ask;

#[track_caller]
fn details(query: &str) -> Json {
    let failure = match ask(&json!({"query": query})) {
        Err(failure) => failure,
        Ok(found) => panic!("{query} gave {found}"),
    };
    assert_eq!(
        (failure.status, &failure.body["error"]["code"]),
        (400, &json!("BadRequest"))
    );
    let message = failure.body["error"]["message"].as_str().unwrap();
    assert!(message.starts_with(
        "Please provide below info when asking for support: timestamp = 2026-11-24T12:00:00.0000000Z, correlationId = "
    ));
    failure.body["error"]["details"].clone()
}

#[test]
fn a_query_that_does_not_read_is_refused_with_the_place() {
    let found = details("where where");
    assert_eq!(found[0]["code"], "InvalidQuery");
    assert_eq!(
        (
            &found[1]["line"],
            &found[1]["characterPositionInLine"],
            &found[1]["token"]
        ),
        (&json!(1), &json!(11), &json!("<EOF>"))
    );
    let found = details("resources\n| where name = 'a'");
    assert_eq!(
        found[1],
        json!({"code": "ParserFailure", "message": "ParserFailure", "line": 2, "characterPositionInLine": 13, "token": "="})
    );
    assert_eq!(details("resources | where (name == 'a'")[1]["expectedToken"], ")");
    assert_eq!(details("resources | where name == 'a")[1]["expectedToken"], "'");
    assert_eq!(details("resources | wher name")[1]["token"], "wher");
    assert_eq!(details("resources | take")[1]["token"], "<EOF>");
}

#[test]
fn an_operator_that_the_service_lacks_is_refused_by_name() {
    assert_eq!(
        details("resources | render barchart")[1],
        json!({"code": "InvalidQueryLanguage", "message": "InvalidQueryLanguage", "line": -1, "characterPositionInLine": -1, "token": "render"})
    );
}

#[test]
fn an_unknown_table_or_function_is_refused_by_name() {
    assert_eq!(
        details("identityresources | take 1"),
        json!([{"code": "DisallowedLogicalTableName", "message": "Table identityresources is invalid, unsupported or disallowed."}])
    );
    assert_eq!(
        details("resources | extend a = cout(name)")[1],
        json!({"code": "UnknownFunction", "message": "Unknown function: 'cout'."})
    );
}

#[test]
fn a_query_that_means_nothing_is_refused_with_the_reason() {
    for (query, part) in [
        (
            "resources | where nam == 'a'",
            "Failed to resolve column or scalar expression named 'nam'",
        ),
        ("resources | where Name == 'a'", "named 'Name'"),
        ("resources | project id | where name == ''", "named 'name'"),
        (
            "resources | where name == 1",
            "Cannot compare values of types string and long",
        ),
        (
            "resources | where properties.a == properties.b",
            "Cannot compare values of types dynamic and dynamic",
        ),
        (
            "resources | summarize count() by properties.a",
            "is of a 'dynamic' type",
        ),
        ("resources | order by properties.a", "dynamic"),
        ("resources | join (resources) on properties", "dynamic"),
        ("resources | mv-expand name", "dynamic"),
        ("resources | where name.a == 1", "not applicable"),
        ("resources | where tolower() == ''", "expects 1 argument"),
        ("resources | project-away nam", "nam"),
        ("resources | summarize name", "Aggregate"),
        ("resources | mv-expand tags limit 3000", "2000"),
        (
            "resources | join (resources) on id | join (resources) on id | join (resources) on id | join (resources) on id",
            "at most 3",
        ),
    ] {
        let found = details(query);
        let message = found[1]["message"].as_str().unwrap_or_default();
        assert!(message.contains(part), "{query}: {found}");
    }
}

#[test]
fn options_out_of_their_bounds_are_refused() {
    for options in [
        json!({"$top": 0}),
        json!({"$top": 1001}),
        json!({"$skip": -1}),
        json!({"resultFormat": "csv"}),
        json!({"authorizationScopeFilter": "All"}),
    ] {
        assert!(
            ask(&json!({"query": "resources", "options": options})).is_err(),
            "{options}"
        );
    }
    assert!(ask(&json!({"options": {}})).is_err() && ask(&json!({"query": "  "})).is_err());
}
