//! What is documented runs.

use std::sync::Arc;

use ferry::azure::{AuthMethod, Client, Cloud, Options as Wire, Tokens};
use ferry::host::{Host, Scripts};
use ferry::run::{Options, Session, nobody};
use ferry::store::{SqliteStore, Store as _};
use futures::FutureExt as _;

use crate::support::{Simulator, estate_file};

/// Every example of every function, each on a fresh simulator of its own.
#[test]
fn examples_of_functions_hold() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let mut failed = Vec::new();
    let mut ran = 0;
    for module in ferry::ops::specs() {
        for function in &module.functions {
            for example in function.examples.iter().filter(|example| example.no_run.is_none()) {
                let Some(estate) = &example.estate else { continue };
                ran += 1;
                let simulator = Simulator::with(&estate_file(estate), &["--lag", "off"]);
                let directory = tempfile::tempdir().unwrap();
                let url = simulator.url.clone();
                let connect = Box::new(move || {
                    let url = url.clone();
                    async move {
                        let cloud = Cloud::resolve(&url).await?;
                        let tokens = Tokens::new(&cloud, AuthMethod::Auto)?;
                        Client::new(cloud, tokens, Wire::default())
                    }
                    .boxed()
                });
                let store = Arc::new(SqliteStore::new(directory.path().join("state")));
                let journal = Box::new(move || store.create("example", "example", "example"));
                let session = Session::explore(
                    runtime.handle().clone(),
                    connect,
                    Options::default(),
                    nobody(),
                    Some(journal),
                );
                session.allow_writes(true).unwrap();
                let host = Host::new(Scripts::embedded()).unwrap();
                if let Err(error) = host.eval(&session, &example.code) {
                    failed.push(format!(
                        "{}: {error} {:?}",
                        function.path(),
                        error.azure.as_ref().map(|said| &said.message)
                    ));
                }
            }
        }
    }
    assert!(ran > 30, "only {ran} examples were found");
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Every code that is raised has a page.
#[test]
fn every_error_code_has_a_page() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let raised = regex::Regex::new(r#"Error::(?:failed|refused)\(\s*"([a-z-]+)""#).unwrap();
    let mut missing = Vec::new();
    let mut open = vec![root.join("src")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).unwrap();
            open.extend(
                entries
                    .map(|entry| entry.unwrap().path())
                    .filter(|path| !path.ends_with("sim") && !path.ends_with("tests")),
            );
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap();
        for code in raised.captures_iter(text) {
            let page = root.join("docs/errors").join(format!("{}.md", &code[1]));
            if !page.is_file() {
                missing.push(code[1].to_owned());
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}

/// The page that tells what is covered is what the scripts say: `FERRY_WRITE_PAGES=1 cargo test --test main docs::` writes it anew.
#[test]
fn what_is_covered_stands_in_its_page_as_the_scripts_say() {
    let told = Host::new(Scripts::embedded()).unwrap().coverage().unwrap();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/coverage.md");
    if std::env::var_os("FERRY_WRITE_PAGES").is_some() {
        std::fs::write(path, &told).unwrap();
    }
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        page == told,
        "docs/coverage.md is not what the scripts say of themselves"
    );
    for row in told
        .lines()
        .filter(|row| row.starts_with("| ") && row.contains("<br>`"))
    {
        let cells: Vec<&str> = row.split(" | ").collect();
        assert!(
            !cells[1].is_empty() && !cells[2].is_empty() && !cells[3].is_empty(),
            "it has no const COVERS: {row}"
        );
    }
}
