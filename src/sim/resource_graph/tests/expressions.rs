use serde_json::json;

use super::{value, xs};

#[track_caller]
fn all(pairs: &[(&str, serde_json::Value)]) {
    for (expression, expected) in pairs {
        assert_eq!(value(expression), *expected, "{expression}");
    }
}

#[test]
fn texts_are_searched_as_the_language_has_it() {
    all(&[
        ("'Abc' == 'abc'", json!(false)),
        ("'Abc' =~ 'abc'", json!(true)),
        ("'Abc' != 'abc'", json!(true)),
        ("'Abc' !~ 'abc'", json!(false)),
        ("'north europe' has 'NORTH'", json!(true)),
        ("'northeurope' has 'north'", json!(false)),
        ("'northeurope' !has 'north'", json!(true)),
        ("'a/id-shop/b' has 'id-shop'", json!(true)),
        ("'a/id-shop2/b' has 'id-shop'", json!(false)),
        ("'north europe' has_cs 'NORTH'", json!(false)),
        ("'northeurope' hasprefix 'North'", json!(true)),
        ("'northeurope' hassuffix 'europe'", json!(true)),
        ("'North' contains 'ORT'", json!(true)),
        ("'North' contains_cs 'ORT'", json!(false)),
        ("'North' !contains 'x'", json!(true)),
        ("'North' startswith 'no'", json!(true)),
        ("'North' startswith_cs 'no'", json!(false)),
        ("'North' endswith 'TH'", json!(true)),
        ("'North' matches regex '^N.*h$'", json!(true)),
        ("'a b c' has_any ('x', 'B')", json!(true)),
        ("'a b c' has_all ('a', 'x')", json!(false)),
        ("'B' in ('a', 'b')", json!(false)),
        ("'B' in~ ('a', 'b')", json!(true)),
        ("'B' !in ('a', 'b')", json!(true)),
        ("'B' !in~ ('a', 'b')", json!(false)),
        ("'b' in (dynamic(['a', 'b']))", json!(true)),
        ("3 between (1 .. 3)", json!(true)),
        ("4 !between (1 .. 3)", json!(true)),
    ]);
}

#[test]
fn a_missing_member_is_null_and_equals_the_empty_text() {
    all(&[
        ("properties.none == ''", json!(true)),
        ("properties.none == 'a'", json!(false)),
        ("properties.none != 'a'", json!(true)),
        ("isnull(properties.none.deeper)", json!(true)),
        ("isempty(properties.none)", json!(true)),
        ("tostring(properties.none)", json!("")),
        ("properties.none > 1", json!(null)),
        ("not(properties.none)", json!(null)),
        ("properties.none and false", json!(false)),
        ("properties.none or true", json!(true)),
        ("kind", json!("")),
        ("plan", json!(null)),
        ("coalesce(properties.none, properties.size, 1)", json!(3)),
        ("toint('x')", json!(null)),
    ]);
}

#[test]
fn dynamic_values_are_compared_as_what_the_other_side_is() {
    all(&[
        ("properties.size == 3", json!(true)),
        ("properties.size > 2.5", json!(true)),
        ("properties.size == '3'", json!(true)),
        ("properties.enabled == true", json!(true)),
        ("properties.enabled =~ 'true'", json!(true)),
        ("properties.created > datetime(2026-11-19)", json!(true)),
        ("properties.size + 1", json!(4)),
        ("properties['size']", json!(3)),
        ("properties.accessPolicies[1].objectId", json!("p2")),
        ("properties.accessPolicies[-1]['objectId']", json!("p2")),
        ("sku.name == 'standard'", json!(true)),
        ("sku has 'standard'", json!(true)),
    ]);
}

#[test]
fn numbers_and_operators_bind_as_usual() {
    all(&[
        ("1 + 2 * 3", json!(7)),
        ("(1 + 2) * 3", json!(9)),
        ("7 / 2", json!(3)),
        ("7 / 2.0", json!(3.5)),
        ("-7 % 3", json!(2)),
        ("1 == 1 and 2 > 1 or false", json!(true)),
        ("1 / 0", json!(null)),
        ("9223372036854775807 + 1", json!(null)),
        ("round(2.567, 1)", json!(2.6)),
        ("bin(17, 5)", json!(15)),
        ("floor(2.7, 1)", json!(2.0)),
        ("abs(-3)", json!(3)),
        ("min_of(3, 1, 2)", json!(1)),
        ("max_of(3, 1, 2)", json!(3)),
    ]);
}

#[test]
fn text_functions_do_what_they_are_documented_to_do() {
    all(&[
        ("strlen('abc')", json!(3)),
        ("trim('-+', '--a--')", json!("a")),
        ("trim_start('x', 'xax')", json!("ax")),
        ("trim_end('x', 'xax')", json!("xa")),
        ("split('a/b/c', '/')", json!(["a", "b", "c"])),
        ("split('a/b/c', '/')[1]", json!("b")),
        ("split('a/b/c', '/', 2)", json!(["c"])),
        ("strcat('a', 1, true)", json!("a1true")),
        ("strcat_delim('-', 'a', 'b')", json!("a-b")),
        ("substring('abcdef', 2, 3)", json!("cde")),
        ("substring('abcdef', 4)", json!("ef")),
        ("replace_string('aXbX', 'X', '-')", json!("a-b-")),
        ("replace_regex('a1b2', '([0-9])', @'<\\1>')", json!("a<1>b<2>")),
        ("replace('[0-9]', '', 'a1b2')", json!("ab")),
        ("extract('/sites/([^/]+)', 1, '/sites/app/x')", json!("app")),
        ("extract_all('([a-z])([0-9])', 'a1b2')", json!([["a", "1"], ["b", "2"]])),
        ("indexof('abcabc', 'c')", json!(2)),
        ("indexof('abcabc', 'c', 3)", json!(5)),
        ("indexof('abc', 'x')", json!(-1)),
        ("countof('aaa', 'aa')", json!(2)),
        ("tolower('ÄB')", json!("äb")),
        ("toupper('ab')", json!("AB")),
        ("reverse('abc')", json!("cba")),
        ("parse_url('https://a.b:8/c?d=e').Host", json!("a.b")),
        ("url_encode('a b')", json!("a%20b")),
        ("base64_encode_tostring('ab')", json!("YWI=")),
        ("base64_decode_tostring('YWI=')", json!("ab")),
        (r"'it\'s' == @'it''s'", json!(true)),
    ]);
}

#[test]
fn bags_and_arrays_are_taken_apart_and_put_together() {
    all(&[
        ("array_length(properties.accessPolicies)", json!(2)),
        ("array_length(properties.none)", json!(null)),
        ("array_concat(dynamic([1]), dynamic([2]))", json!([1, 2])),
        ("array_index_of(dynamic(['a', 'b']), 'b')", json!(1)),
        ("bag_keys(sku)", json!(["name"])),
        (
            "bag_merge(sku, dynamic({'a': 1, 'name': 'x'}))",
            json!({"name": "standard", "a": 1}),
        ),
        ("pack('a', 1, 'b', name)", json!({"a": 1, "b": "kv-shop"})),
        ("bag_pack('a', sku)", json!({"a": {"name": "standard"}})),
        ("pack_array(1, 'a')", json!([1, "a"])),
        ("set_union(dynamic([1, 2]), dynamic([2, 3]))", json!([1, 2, 3])),
        ("set_intersect(dynamic([1, 2]), dynamic([2, 3]))", json!([2])),
        ("set_difference(dynamic([1, 2]), dynamic([2, 3]))", json!([1])),
        ("set_has_element(dynamic([1, 2]), 2)", json!(true)),
        ("parse_json('{\"a\": [1]}').a[0]", json!(1)),
        ("todynamic('no json')", json!("no json")),
        ("tostring(sku)", json!("{\"name\":\"standard\"}")),
        ("gettype(properties.accessPolicies)", json!("array")),
        ("gettype(sku)", json!("dictionary")),
        ("tostring(pack_all()) contains 'kv-shop'", json!(true)),
    ]);
}

#[test]
fn choices_are_made_by_the_first_condition_that_holds() {
    all(&[
        ("iff(properties.size > 1, 'big', 'small')", json!("big")),
        ("iif(isnull(properties.size), 1, 2)", json!(2)),
        (
            "case(properties.size > 5, 'a', properties.size > 2, 'b', 'c')",
            json!("b"),
        ),
        ("case(false, 'a', 'c')", json!("c")),
        ("isnotempty(sku)", json!(true)),
        ("isnan(1.5)", json!(false)),
    ]);
}

#[test]
fn times_are_counted_from_the_time_of_the_query() {
    all(&[
        ("now()", json!("2026-11-24T12:00:00.0000000Z")),
        ("ago(1d)", json!("2026-11-23T12:00:00.0000000Z")),
        ("now() - todatetime(properties.created)", json!("4.12:00:00")),
        ("now() - todatetime(properties.created) > 4d", json!(true)),
        ("startofday(now())", json!("2026-11-24T00:00:00.0000000Z")),
        ("startofmonth(now())", json!("2026-11-01T00:00:00.0000000Z")),
        ("bin(now(), 7h)", json!("2026-11-24T11:00:00.0000000Z")),
        ("datetime_diff('day', now(), todatetime(properties.created))", json!(4)),
        (
            "datetime_diff('month', datetime(2026-01-01), datetime(2025-12-31))",
            json!(1),
        ),
        (
            "datetime_add('month', 1, datetime(2026-01-31))",
            json!("2026-02-28T00:00:00.0000000Z"),
        ),
        ("format_datetime(now(), 'yyyy-MM-dd HH:mm')", json!("2026-11-24 12:00")),
        ("datetime(2026-11-24) between (ago(1d) .. 1d)", json!(true)),
        ("1.5h", json!("01:30:00")),
        ("totimespan('1.02:03:04') == 1d + 2h + 3m + 4s", json!(true)),
        ("todatetime('not a date')", json!(null)),
    ]);
}

#[test]
fn a_name_of_a_let_statement_stands_for_its_value() {
    let found = xs(
        "let wanted = 'kv-' ; let full = strcat(wanted, 'shop');\nresources // all\n| where name == full | project x = name",
    );
    assert_eq!(found, json!(["kv-shop"]));
    let found = xs("let vaults = resources | where type endswith 'vaults'; vaults | project x = name");
    assert_eq!(found, json!(["kv-shop"]));
}
