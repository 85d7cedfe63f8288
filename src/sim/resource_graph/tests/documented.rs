//! What the documentation of the language promises, item by item.

use serde_json::json;

use super::{rows, value, xs};

#[test]
fn what_is_made_of_one_row_is_worked_on_apart_from_others() {
    let per_row = "resources | where type has 'sites' or type has 'vaults' | mv-apply p = properties.accessPolicies on \
                   (summarize n = count(), who = make_list(tostring(p.objectId))) | project x = name, n, who";
    assert_eq!(
        rows(per_row),
        json!([{"x": "kv-shop", "n": 2, "who": ["p1", "p2"]}, {"x": "app-shop", "n": 0, "who": []},
            {"x": "blue", "n": 1, "who": [""]}])
    );
    let first = "resources | where name == 'kv-shop' | mv-apply p = properties.accessPolicies on (order by tostring(p.objectId) desc \
                 | take 1) | project x = p.objectId";
    assert_eq!(xs(first), json!(["p2"]));
    let matching = "resources | mv-apply k = bag_keys(identity.userAssignedIdentities) to typeof(string) on (where k endswith 'shop2') \
                    | project x = strcat(name, ' ', k)";
    assert_eq!(xs(matching), json!(["app-shop /subscriptions/s1/x/id-shop2"]));
}

#[test]
fn every_function_that_is_documented_is_there() {
    for (expression, expected) in [
        ("isempty('')", json!(true)),
        ("isnotempty(name)", json!(true)),
        ("isnull(properties.none)", json!(true)),
        ("isnotnull(properties.size)", json!(true)),
        ("tolower('A')", json!("a")),
        ("toupper('a')", json!("A")),
        ("tostring(3)", json!("3")),
        ("toint('3')", json!(3)),
        ("tobool('true')", json!(true)),
        ("todatetime('2026-01-01') == datetime(2026-01-01)", json!(true)),
        ("parse_json('[1]')[0]", json!(1)),
        ("todynamic('[1]')[0]", json!(1)),
        ("split('a,b', ',')[1]", json!("b")),
        ("strcat('a', 'b')", json!("ab")),
        ("substring('abc', 1, 1)", json!("b")),
        ("replace('b', 'x', 'abc')", json!("axc")),
        ("replace_string('abc', 'b', 'x')", json!("axc")),
        ("extract('a(.)c', 1, 'abc')", json!("b")),
        ("indexof('abc', 'c')", json!(2)),
        ("array_length(properties.accessPolicies)", json!(2)),
        ("bag_keys(parse_json('{\"a\":1}'))", json!(["a"])),
        ("iff(true, 1, 2)", json!(1)),
        ("iif(false, 1, 2)", json!(2)),
        ("case(false, 1, true, 2, 3)", json!(2)),
        ("coalesce('', 'b')", json!("b")),
        ("ago(1d) < now()", json!(true)),
        (
            "datetime_diff('day', datetime(2026-01-02), datetime(2026-01-01))",
            json!(1),
        ),
        ("pack('a', 1)", json!({"a": 1})),
        ("bag_pack('a', 1)", json!({"a": 1})),
        ("set_difference(parse_json('[1,2]'), parse_json('[2]'))", json!([1])),
        ("not(false)", json!(true)),
        ("name in~ ('KV-SHOP')", json!(true)),
        ("name !in ('x')", json!(true)),
        ("name contains_cs 'KV'", json!(false)),
        ("name !contains 'x'", json!(true)),
        ("name matches regex '^kv'", json!(true)),
        ("3 between (1 .. 4)", json!(true)),
        ("name =~ 'KV-SHOP' and name !~ 'x'", json!(true)),
        ("tags['team'] == 'x' or properties['size'] == 3", json!(true)),
    ] {
        assert_eq!(value(expression), expected, "{expression}");
    }
}
