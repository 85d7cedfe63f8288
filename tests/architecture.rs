//! Dependencies run one way.

use std::path::{Path, PathBuf};

/// For each floor, the floors that it may use. Everyone may use `types`, and all but `azure`, `postgres` and `sim` may use `error`.
const ARROWS: &[(&str, &[&str])] = &[
    ("types", &[]),
    ("sim", &[]),
    ("scan", &[]),
    ("azure", &[]),
    ("store", &[]),
    ("postgres", &[]),
    ("error", &["azure", "store", "postgres"]),
    ("run", &["store", "azure", "postgres"]),
    ("ops", &["run", "store", "azure", "postgres", "scan"]),
    ("host", &["ops", "run", "store", "azure"]),
    ("report", &["host", "ops", "run", "store", "azure", "scan"]),
    ("repl", &["host", "ops", "run", "store", "azure", "report"]),
    (
        "cli",
        &["repl", "report", "host", "ops", "run", "store", "azure", "scan"],
    ),
];

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn no_floor_uses_one_above_it() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&source, &mut all);
    let used = regex::Regex::new(r"\bcrate::([a-z_]+)").unwrap();
    let mut wrong = Vec::new();
    for path in all {
        let inside = path.strip_prefix(&source).unwrap().to_string_lossy().replace('\\', "/");
        let floor = inside.split(['/', '.']).next().unwrap().to_owned();
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == floor) else {
            continue;
        };
        if inside.contains("/tests") || inside.ends_with("testing.rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap();
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for found in used.captures_iter(line) {
                let to = &found[1];
                let starts_simulator = to == "sim" && matches!(inside.as_str(), "cli/target.rs" | "cli/sim.rs");
                let is_error = to == "error" && !matches!(floor.as_str(), "azure" | "postgres" | "sim" | "types");
                if to != floor
                    && to != "types"
                    && to != "ops_macro"
                    && !allowed.contains(&to)
                    && !starts_simulator
                    && !is_error
                {
                    wrong.push(format!("{inside} uses {to}"));
                }
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    wrong.retain(|line| !line.ends_with("uses ops") || !line.starts_with("ops/"));
    assert_eq!(wrong, Vec::<String>::new());
}
