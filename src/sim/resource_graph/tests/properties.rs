use proptest::prelude::*;
use serde_json::json;

use super::super::syntax::parse;
use super::ask;

/// Queries with every construct of the grammar.
const QUERIES: [&str; 17] = [
    "resources | where type =~ 'a' and (name != \"b\" or not(isempty(tags['x-y']))) | project id, n = name",
    "let a = 7d; let b = dynamic({'k': [1, \"x\"]}); let t = resources | take 1; t | where now() - a > datetime(2024-01-01)",
    "where a in ('x', 'y') | where b !in~ (dynamic([1])) | where c has_any (1, 2) | filter d between (1 .. 2)",
    "resources | summarize n = count(), make_list(name, 5), arg_max(x, *) by bin(t, 1h), tostring(properties.a.b)",
    "resources | summarize by location | order by location asc nulls last, name",
    "resources | join kind=leftouter hint.strategy=shuffle (resourcecontainers | take 3) on a, $left.b == $right.c and d",
    "resources | mv-expand kind=array with_itemindex=i k = bag_keys(identity) to typeof(string), tags limit 10",
    "resources | mv-apply k = bag_keys(identity) to typeof(string) limit 3 on (where k has 'x' | summarize n = count() | top 1 by n asc)",
    "union kind=inner withsource=T (resources | count), resourcecontainers | distinct *",
    "resources | parse kind=simple id with * '/subscriptions/' sub:string '/' rest | parse-where x with y",
    "resources | project-away a*, *b | project-keep ['odd name'], c | project-rename d = ['e f']",
    "resources | top 3 by toint(properties['a'][0].b) desc | sample 5 | limit 2 // end",
    "resources | extend a = -1 + 2 * (3 - 4) % 5 / -x.y, b = 1.5e-3, c = -(-2), ['d e'] = 'it\\'s' 'two'",
    "resources | where a !has 'b' and c hasprefix_cs @'d\\' and e matches regex '^x' and f !between (1 .. 2)",
    "(resources | take 1) | union (resources) | count",
    "resources | extend g = guid(74be27de-1e4e-49d9-b579-fe0b331d3642), i = int(null), r = real(2.5), s = time(1.02:03:04.5), l = long(-3), z = 0x1f;",
    "resources | where a startswith 'x' or b !endswith_cs 'y' == true | where -a.b[c] < 3 <> false",
];

#[test]
fn a_printed_query_reads_as_the_same_tree() {
    for query in QUERIES {
        let tree = parse(query).unwrap_or_else(|error| panic!("{query}: {error:?}"));
        let printed = tree.to_string();
        assert_eq!(parse(&printed).as_ref(), Ok(&tree), "{query}\n{printed}");
    }
}

#[test]
fn brackets_and_chains_without_end_are_refused_and_not_followed() {
    for query in [
        format!("resources | where {}1{}", "(".repeat(50_000), ")".repeat(50_000)),
        format!("resources | where {}1", "-".repeat(50_000)),
        format!("resources | where a{}", " or a".repeat(50_000)),
        format!("resources | where a{}", ".a".repeat(50_000)),
        format!("{}resources", "(".repeat(50_000)),
        format!("resources | where a {}", "== -a ".repeat(10_000)),
        format!("resources | extend a = dynamic({}", "[".repeat(50_000)),
    ] {
        assert!(parse(&query).is_err());
    }
    let many = format!(
        "resources | where name == 'x'{} | count",
        " or name == 'kv-shop'".repeat(300)
    );
    assert_eq!(ask(&json!({"query": many})).unwrap()["data"], json!([{"Count": 1}]));
}

/// A valid query with pieces of it cut out, doubled or replaced.
fn mutated() -> impl Strategy<Value = String> {
    crate::types::mutated(&QUERIES, 1..5, 12, "[ -~\u{e9}\u{4e16}]{0,3}")
}

proptest! {
    #![proptest_config(crate::types::tries(1500))]

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,80}") {
        let _ = parse(&text);
    }

    #[test]
    fn a_mutated_query_is_answered_or_refused(query in mutated()) {
        if let Ok(tree) = parse(&query) {
            let printed = tree.to_string();
            let again = parse(&printed);
            prop_assert_eq!(again.as_ref(), Ok(&tree), "{}", printed);
        }
        let _ = ask(&json!({"query": query}));
    }

    #[test]
    fn any_call_of_a_function_with_odd_arguments_gives_a_value(name in prop::sample::select(FUNCTIONS.to_vec()), arguments in prop::collection::vec(prop::sample::select(ODD.to_vec()), 0..5)) {
        let _ = ask(&json!({"query": format!("resources | extend x = {name}({})", arguments.join(", "))}));
    }

    #[test]
    fn any_operator_between_odd_values_gives_a_value(a in prop::sample::select(ODD.to_vec()), o in prop::sample::select(vec!["+", "-", "*", "/", "%", "==", "<", "=~", "has", "contains", "matches regex"]), b in prop::sample::select(ODD.to_vec())) {
        let _ = ask(&json!({"query": format!("resources | extend x = {a} {o} {b}, y = -{a}")}));
    }
}

const ODD: [&str; 24] = [
    "0",
    "-1",
    "9223372036854775807",
    "(-9223372036854775807 - 1)",
    "1.5",
    "1e300",
    "0.0/0.0",
    "''",
    "'äöü€𝄞'",
    "'(['",
    "'day'",
    "'%d'",
    "name",
    "tags",
    "properties",
    "properties.none",
    "properties.accessPolicies",
    "true",
    "datetime(9999-12-31)",
    "datetime(0001-01-01)",
    "datetime(null)",
    "100000d",
    "1tick",
    "dynamic([[1],{'a':null}])",
];

const FUNCTIONS: [&str; 72] = [
    "not",
    "iff",
    "case",
    "coalesce",
    "isempty",
    "isnan",
    "tostring",
    "toint",
    "tolong",
    "todouble",
    "tobool",
    "todatetime",
    "totimespan",
    "toguid",
    "parse_json",
    "gettype",
    "strlen",
    "tolower",
    "reverse",
    "strcat",
    "strcat_delim",
    "strcat_array",
    "strrep",
    "substring",
    "split",
    "trim",
    "trim_start",
    "trim_end",
    "replace_string",
    "replace_regex",
    "replace",
    "extract",
    "extract_all",
    "indexof",
    "countof",
    "url_encode",
    "base64_decode_tostring",
    "parse_url",
    "strcmp",
    "array_length",
    "array_concat",
    "array_index_of",
    "array_slice",
    "array_sort_asc",
    "bag_keys",
    "bag_merge",
    "pack",
    "set_union",
    "set_difference",
    "set_has_element",
    "treepath",
    "zip",
    "repeat",
    "now",
    "ago",
    "bin",
    "floor",
    "startofday",
    "endofday",
    "startofweek",
    "endofmonth",
    "startofyear",
    "datetime_diff",
    "datetime_add",
    "datetime_part",
    "format_datetime",
    "format_timespan",
    "make_datetime",
    "round",
    "abs",
    "min_of",
    "max_of",
];
