//! What is built in comes from crates.io, under licences that deny.toml allows. `cargo deny` looks further; this much is
//! looked at wherever the tests run.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Every crate that is built in here, as cargo knows it.
fn packages() -> Vec<Value> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let told = Command::new(cargo)
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--offline",
            "--filter-platform",
            &target,
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let mut told: Value = serde_json::from_slice(&told.stdout).unwrap();
    let packages = told["packages"].take();
    packages.as_array().unwrap().clone()
}

/// Whether a licence expression (SPDX, or with `/` for `OR`) can be met by these licences: alternatives of conjunctions,
/// with parentheses.
fn allows(allowed: &[String], expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let met = either(allowed, &words, &mut at);
    met && at == words.len()
}

fn either(allowed: &[String], words: &[&str], at: &mut usize) -> bool {
    let mut met = all(allowed, words, at);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        met |= all(allowed, words, at);
    }
    met
}

fn all(allowed: &[String], words: &[&str], at: &mut usize) -> bool {
    let mut met = one(allowed, words, at);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        met &= one(allowed, words, at);
    }
    met
}

fn one(allowed: &[String], words: &[&str], at: &mut usize) -> bool {
    let Some(word) = words.get(*at) else { return false };
    *at += 1;
    if *word == "(" {
        let met = either(allowed, words, at);
        let closed = words.get(*at) == Some(&")");
        *at += 1;
        return met && closed;
    }
    let mut licence = word.trim_end_matches('+').to_owned();
    if words.get(*at) == Some(&"WITH") {
        licence = format!("{licence} WITH {}", words.get(*at + 1).unwrap_or(&""));
        *at += 2;
    }
    allowed.contains(&licence)
}

#[test]
fn everything_that_is_built_in_comes_from_crates_io_under_a_licence_that_is_allowed() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deny.toml")).unwrap();
    let rules: toml::Table = toml::from_str(&text).unwrap();
    let texts = |value: &toml::Value| -> Vec<String> {
        value
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one.as_str().unwrap().to_owned())
            .collect()
    };
    let allowed = texts(&rules["licenses"]["allow"]);
    let exceptions: Vec<(String, Vec<String>)> = rules["licenses"]["exceptions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["crate"].as_str().unwrap().to_owned(), texts(&row["allow"])))
        .collect();
    let packages = packages();
    assert!(packages.len() > 100, "{} packages", packages.len());
    let mut wrong = Vec::new();
    for package in &packages {
        let name = package["name"].as_str().unwrap();
        if name == "ferry" {
            continue;
        }
        let more = exceptions
            .iter()
            .filter(|(of, _)| of == name)
            .flat_map(|(_, more)| more.clone());
        let allowed: Vec<String> = allowed.iter().cloned().chain(more).collect();
        let licence = package["license"].as_str().unwrap_or("none");
        if !allows(&allowed, licence) {
            wrong.push(format!("{name} is under {licence}"));
        }
        if package["source"] != "registry+https://github.com/rust-lang/crates.io-index" {
            wrong.push(format!("{name} comes from {}", package["source"]));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    for (name, _) in exceptions {
        assert!(
            packages.iter().any(|package| package["name"] == name.as_str()),
            "{name} is no exception any more"
        );
    }
}

#[test]
fn a_licence_expression_is_read_as_it_is_meant() {
    let allowed = [
        "MIT".to_owned(),
        "Apache-2.0".to_owned(),
        "Apache-2.0 WITH LLVM-exception".to_owned(),
    ];
    for (expression, met) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("MIT/Apache-2.0", true),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0 AND MIT", false),
        ("MIT AND (GPL-3.0 OR Apache-2.0)", true),
        ("MIT AND (GPL-3.0 OR AGPL-3.0)", false),
        ("Apache-2.0 WITH LLVM-exception OR GPL-3.0", true),
        ("Apache-2.0 WITH Other-exception", false),
        ("(MIT", false),
        ("", false),
    ] {
        assert_eq!(allows(&allowed, expression), met, "{expression}");
    }
}
