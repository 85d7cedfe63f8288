//! What every permission source and every binding finder keeps, ours and a user's: they are found by the loader, called
//! as a run calls them, and judged by what the simulator stores. What these tests cannot know of one file stands in
//! `tests/permissions` and `tests/bindings`.

mod already;
pub mod cloud;
pub mod documents;
mod finders;
mod finds;
mod hidden;
mod hundred;
mod sources;
mod spelled;
mod users;
mod vanished;

use std::collections::BTreeMap;

use cloud::Cloud;
use serde_json::Value;

/// Puts every file of a kind to the test in every estate: the demo, with what the documented examples of sources and
/// finders look for, and those of `tests/estates`. `list` gives what a file finds, `keep` judges one of these.
fn everywhere(
    kind: &str,
    list: impl Fn(&Cloud, &str) -> Result<Vec<Value>, String>,
    keep: impl Fn(&Cloud, &str, &Value) -> Result<(), String>,
) {
    let scripts = users::scripts();
    let mut covered: BTreeMap<String, usize> = BTreeMap::new();
    let mut broken = Vec::new();
    for (name, estate) in estates() {
        let start = || Cloud::start(&name, estate.clone(), scripts.path());
        let mut cloud = start();
        for file in cloud.files(kind) {
            if skipped("FILE", &file) {
                continue;
            }
            let items = list(&cloud, &file).unwrap_or_else(|why| {
                broken.push(format!("{name}: {file}: {why}"));
                Vec::new()
            });
            if !items.is_empty() {
                cloud.plan_anew();
            }
            *covered.entry(file.clone()).or_default() += items.len();
            for item in &items {
                if let Err(why) = keep(&cloud, &file, item) {
                    broken.push(format!("{name}: {file}: {}: {why}", item["what"]));
                    cloud = start();
                }
            }
        }
    }
    assert!(
        broken.is_empty(),
        "{} promises were broken\n{}",
        broken.len(),
        broken.join("\n")
    );
    for (file, count) in covered {
        assert!(
            count > 0,
            "{kind}/{file}.rhai found nothing in any estate, so nothing of it was tested: give the identity that \
             src/sim/estates/demo.json or an estate of tests/estates relocates something that this file finds"
        );
    }
}

/// The repository: where `cargo test` runs, or whose path is in the environment of a test binary that somebody kept.
fn root() -> std::path::PathBuf {
    std::env::var("CARGO_MANIFEST_DIR").map_or_else(|_| env!("CARGO_MANIFEST_DIR").into(), Into::into)
}

/// Whoever works on one estate or one file says so, and waits less: `FERRY_CONTRACT_ESTATE`, `FERRY_CONTRACT_FILE`.
fn skipped(what: &str, name: &str) -> bool {
    std::env::var(format!("FERRY_CONTRACT_{what}")).is_ok_and(|only| only != name)
}

fn estates() -> Vec<(String, Value)> {
    let mut estates = vec![("demo".to_owned(), users::demo())];
    estates.retain(|(name, _)| !skipped("ESTATE", name));
    for entry in std::fs::read_dir(root().join("tests/estates")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if skipped("ESTATE", &name) {
            continue;
        }
        estates.push((name, serde_json::from_str(&text).unwrap()));
    }
    estates
}
