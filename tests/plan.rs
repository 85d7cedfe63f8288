//! A plan sends no write, and lists what a run then makes.

use serde_json::Value;

use crate::support::{Ferry, Simulator, demo};

/// Method and target of each change. Segments that only Azure can give are left out of the comparison.
fn changes(shown: &Value) -> Vec<(String, Vec<String>)> {
    let rows = shown["changes"].as_array().unwrap();
    rows.iter()
        .map(|row| {
            let target = row["target"].as_str().unwrap().split('/').map(str::to_owned).collect();
            (row["method"].as_str().unwrap().to_owned(), target)
        })
        .collect()
}

#[test]
fn the_run_makes_the_changes_of_the_plan_in_its_order() {
    for estate in ["two-regions", "many-scopes", "locked-and-shared"] {
        let simulator = Simulator::start(estate);
        let (identity, to) = demo(estate);
        let ferry = Ferry::new();
        let plan = ferry
            .run(&["plan", "relocate", &identity, &to, "--cloud", &simulator.url, "--json"])
            .code(0)
            .json();
        assert_eq!(simulator.writes(), Vec::<Value>::new(), "{estate}: a plan wrote");
        let planned = changes(&plan);
        assert!(!planned.is_empty());
        ferry
            .run(&[
                "run",
                "relocate",
                &identity,
                &to,
                "--cloud",
                &simulator.url,
                "--yes",
                "--concurrency",
                "1",
            ])
            .code(0);
        let made = changes(&ferry.run(&["show", "last", "--json"]).code(0).json());
        assert_eq!(
            planned.len(),
            made.len(),
            "{estate}\nplanned {planned:#?}\nmade {made:#?}"
        );
        for (planned, made) in planned.iter().zip(&made) {
            assert_eq!(planned.0, made.0, "{estate}: {planned:?} {made:?}");
            assert_eq!(planned.1.len(), made.1.len(), "{estate}: {planned:?} {made:?}");
            for (a, b) in planned.1.iter().zip(&made.1) {
                assert!(a == b || a == "(known after move)", "{estate}: {planned:?} {made:?}");
            }
        }
    }
}
