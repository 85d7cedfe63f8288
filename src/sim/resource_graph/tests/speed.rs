use std::time::Instant;

use serde_json::json;

use super::super::answer;
use super::{NOW, Sample};

#[test]
fn the_time_of_a_query_grows_with_the_number_of_rows_and_not_faster() {
    let estate = |size: usize| {
        Sample {
        documents: (0..size)
            .map(|at| {
                json!({"id": format!("/subscriptions/s{}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/a{at}", at % 50), "name": format!("a{at}"),
                    "type": "Microsoft.Storage/storageAccounts", "location": "East US", "properties": {"n": at, "text": "x".repeat(100)}})
            })
            .collect(),
        hidden: Vec::new(),
    }
    };
    let query = json!({"query": "resources | where type =~ 'microsoft.storage/storageaccounts' and properties.n % 2 == 0 | project id, name, properties.n | summarize count() by tostring(properties_n) | count"});
    let time = |sample: &Sample| {
        let start = Instant::now();
        answer(&query, sample, NOW).unwrap();
        start.elapsed()
    };
    let (small, large) = (estate(2_000), estate(40_000));
    time(&small);
    let (small, large) = (time(&small), time(&large));
    // Twenty times the rows; four times more than that leaves room for a busy machine, and none for squares.
    assert!(large < small * 80, "{small:?} for 2,000 and {large:?} for 40,000");
    println!("{large:?} for 40,000 documents");
}
