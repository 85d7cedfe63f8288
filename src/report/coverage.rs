//! What a map covers, and where its edges are: the end of an inventory, a plan and a report.

use serde_json::Value;

use super::text::amount;
use crate::run::Unseen;

/// How many types that Ferry knows nothing of are named.
const SHOWN: usize = 12;

/// What a map says of its own edges: rows of a heading and what is said under it, part by part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Coverage {
    /// The rows, in order.
    pub(super) rows: Vec<(&'static str, Vec<String>)>,
}

impl Coverage {
    /// Reads the `coverage` of a map; without rows where it has none.
    pub(super) fn read(map: &Value, unseen: &[Unseen]) -> Self {
        let coverage = &map["coverage"];
        let mut rows = Vec::new();
        if coverage.is_null() {
            return Self { rows };
        }
        let list = |name: &str| coverage[name].as_array().map_or(&[][..], Vec::as_slice);
        rows.push(("looked into", vec![looked(list("looked"), list("subscriptions"))]));
        if unseen.is_empty() {
            rows.push((
                "could not be",
                vec!["nothing: every place that was asked about answered".to_owned()],
            ));
        } else {
            let said = unseen.iter().map(|place| match place.needs.as_str() {
                "" => place.scope.clone(),
                needs => format!("{} (it needs {needs})", place.scope),
            });
            rows.push(("could not be", said.collect()));
        }
        let unknown = list("unknown");
        if !unknown.is_empty() {
            let named = unknown.iter().map(|row| {
                let count = usize::try_from(row["count"].as_u64().unwrap_or(1)).unwrap_or(usize::MAX);
                format!("{} ({count})", word(&row["type"]))
            });
            rows.push((
                "not known",
                vec![format!(
                    "{} that Ferry knows nothing special of and looks at as documents: {}",
                    amount(unknown.len(), "type"),
                    joined(named, SHOWN)
                )],
            ));
        }
        let beyond = list("beyond");
        if !beyond.is_empty() {
            rows.push(("beyond it", beyond.iter().map(word).collect()));
        }
        Self { rows }
    }
}

/// How many scripts were asked, and where.
fn looked(scripts: &[Value], subscriptions: &[Value]) -> String {
    let of = |kind: &str| scripts.iter().filter(|script| script["kind"] == kind).count();
    let hidden = scripts.iter().filter(|script| script["unseen"] == true).count();
    let found = scripts
        .iter()
        .filter(|script| script["found"].as_u64().unwrap_or_default() > 0)
        .count();
    format!(
        "{} of {} scripts ({}, {}) in {}, of which {found} found something; `ferry doc coverage` tells what each covers",
        scripts.len() - hidden,
        scripts.len(),
        amount(of("permissions"), "permission source"),
        amount(of("bindings"), "binding finder"),
        amount(subscriptions.len(), "subscription"),
    )
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Sentences in one, with how many more there are.
fn joined(parts: impl Iterator<Item = String>, shown: usize) -> String {
    let mut parts: Vec<String> = parts.collect();
    if parts.len() > shown {
        let more = parts.len() - shown;
        parts.truncate(shown);
        parts.push(format!("and {more} more"));
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn unseen(scope: &str, needs: &str) -> Unseen {
        Unseen {
            scope: scope.into(),
            why: "it was refused".into(),
            needs: needs.into(),
        }
    }

    #[test]
    fn a_map_tells_what_was_asked_what_did_not_answer_and_what_no_script_knows() {
        let map = json!({ "coverage": {
            "looked": [
                { "kind": "permissions", "file": "redis", "found": 2, "unseen": false },
                { "kind": "permissions", "file": "fabric", "found": 0, "unseen": true },
                { "kind": "bindings", "file": "aks", "found": 0, "unseen": false },
            ],
            "subscriptions": ["Production"],
            "unknown": [{ "type": "contoso.cranes/harbours", "count": 3 }],
            "beyond": ["code", "disks"],
        } });
        let rows = Coverage::read(
            &map,
            &[unseen("permissions/fabric", "Fabric administrator"), unseen("x", "")],
        )
        .rows;
        assert_eq!(
            rows,
            [
                (
                    "looked into",
                    vec![
                        "2 of 3 scripts (2 permission sources, 1 binding finder) in 1 subscription, of which 1 found something; \
                         `ferry doc coverage` tells what each covers"
                            .to_owned()
                    ]
                ),
                (
                    "could not be",
                    vec!["permissions/fabric (it needs Fabric administrator)".to_owned(), "x".to_owned()]
                ),
                (
                    "not known",
                    vec!["1 type that Ferry knows nothing special of and looks at as documents: contoso.cranes/harbours (3)".to_owned()]
                ),
                ("beyond it", vec!["code".to_owned(), "disks".to_owned()]),
            ]
        );
    }

    #[test]
    fn a_map_of_another_maker_has_no_coverage() {
        assert!(Coverage::read(&json!({ "identity": "x" }), &[]).rows.is_empty());
    }
}
