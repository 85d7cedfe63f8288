//! The dependency map as a Mermaid flowchart.

use std::fmt::Write as _;

use super::map::{Item, Map, short};

/// A flowchart: who trusts the identity on its left, what it may do on its right, who uses it below.
pub fn map(map: &Map) -> String {
    let mut chart = String::from("flowchart LR\n");
    let _ = writeln!(chart, "  identity([\"{}\"])", label(&map.identity));
    for (index, item) in map.trust.iter().enumerate() {
        let _ = writeln!(chart, "  t{index}[\"{}\"] -. trusts .-> identity", node(item));
    }
    for (index, item) in map.bindings.iter().enumerate() {
        let effect = if item.effect.is_empty() { "uses" } else { &item.effect };
        let _ = writeln!(
            chart,
            "  b{index}[\"{}\"] -- {} --> identity",
            node(item),
            label(effect)
        );
    }
    for (index, item) in map.grants.iter().enumerate() {
        let _ = writeln!(
            chart,
            "  identity -- \"{}\" --> g{index}[\"{}\"]",
            label(&item.what),
            label(&short(&item.place))
        );
    }
    chart
}

fn node(item: &Item) -> String {
    let place = short(&item.place);
    if place == item.what {
        label(&place)
    } else {
        format!("{}<br/>{}", label(&place), label(&item.what))
    }
}

/// A text that cannot leave its quotes.
fn label(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_map_becomes_a_chart_and_names_cannot_break_it() {
        let map = Map::read(&json!({
            "identity": {"id": "", "name": "id \"a\""},
            "grants": [{"what": "Reader", "scope": "/subscriptions/s/resourceGroups/rg"}],
            "bindings": [{"what": "block", "resource": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Web/sites/app", "effect": "restart"}],
        }));
        insta::assert_snapshot!(super::map(&map), @r#"
        flowchart LR
          identity(["id &quot;a&quot;"])
          b0["app<br/>block"] -- restart --> identity
          identity -- "Reader" --> g0["rg"]
        "#);
    }
}
