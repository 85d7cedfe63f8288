//! Whoever writes scripts: begins with one that works, tests it, looks into it, makes a shipped one theirs.

use serde_json::Value;

use crate::support::Ferry;

/// A file of whoever writes.
fn text(ferry: &Ferry, path: &str) -> String {
    std::fs::read_to_string(ferry.directory().join(path)).unwrap()
}

fn change(ferry: &Ferry, path: &str, from: &str, to: &str) {
    let before = text(ferry, path);
    assert!(before.contains(from), "{path} has no {from}");
    std::fs::write(ferry.directory().join(path), before.replace(from, to)).unwrap();
}

#[test]
fn a_new_source_passes_its_tests_and_takes_part_in_a_relocation() {
    let ferry = Ferry::new();
    let made = ferry.run(&["new", "permission", "our_service"]).code(0);
    assert_eq!(
        made.out,
        "stdlib/permissions/our_service.rhai\nstdlib/tests/our_service.rhai\nstdlib/tests/our_service.json\n"
    );
    let tested = ferry.run(&["test"]).code(0);
    assert!(tested.out.contains("2 passed, 0 failed"), "{}", tested.out);
    ferry.run(&["check", "stdlib"]).code(0);

    let relocated = ferry.run(&[
        "run",
        "relocate",
        "--sim=stdlib/tests/our_service.json",
        "name=id-moved",
        "--yes",
    ]);
    relocated.code(0);
    let shown = ferry.run(&["show", "last", "--json"]).code(0).json();
    let steps: Vec<&str> = shown["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["step"].as_str().unwrap())
        .collect();
    assert!(
        steps.iter().any(|step| step.starts_with("move/grants/our_service/")),
        "{steps:#?}"
    );
    assert!(
        steps
            .iter()
            .any(|step| step.starts_with("clean_up/grants/our_service/")),
        "{steps:#?}"
    );

    // A second one of this name is none.
    let before = text(&ferry, "stdlib/permissions/our_service.rhai");
    ferry.run(&["new", "permission", "our_service"]).code(2);
    assert_eq!(text(&ferry, "stdlib/permissions/our_service.rhai"), before);
}

#[test]
fn a_new_finder_passes_its_tests_and_a_new_runbook_runs() {
    let ferry = Ferry::new();
    ferry.run(&["new", "binding", "our_tools"]).code(0);
    let tested = ferry
        .run(&["test", "stdlib/tests/our_tools.rhai", "--json"])
        .code(0)
        .json();
    assert_eq!(tested.as_array().unwrap().len(), 2);
    ferry.run(&["new", "runbook", "count"]).code(0);
    let counted = ferry.run(&["run", "./count.rhai", "--sim", "--json"]).code(0);
    let last: Value = serde_json::from_str(counted.out.lines().last().unwrap()).unwrap();
    assert!(last["result"]["main"]["eastus"].as_i64().unwrap() > 0, "{last}");
    ferry.run(&["new", "runbook", "No Name"]).code(2);
}

#[test]
fn a_source_that_breaks_the_contract_fails_its_test_and_says_where() {
    let ferry = Ferry::new();
    ferry.run(&["new", "permission", "forgetful"]).code(0);
    let source = "stdlib/permissions/forgetful.rhai";
    change(&ferry, source, ".filter(|one| one != own)", "");
    let failed = ferry.run(&["test", "--junit", "junit.xml"]).code(1);
    assert!(failed.err.contains("is there after it was revoked"), "{}", failed.err);
    assert!(failed.err.contains("forgetful.rhai"), "{}", failed.err);
    assert!(text(&ferry, "junit.xml").contains("failures=\"1\""));
    // With one that does not load nothing is run.
    change(&ferry, source, "fn check(", "fn cheque(");
    let wrong = ferry.run(&["check", source]).code(2);
    assert!(wrong.out.contains("check"), "{}", wrong.out);
    std::fs::remove_dir_all(ferry.directory().join("stdlib")).unwrap();
    let none = ferry.run(&["test"]).code(2);
    assert!(none.err.contains("no-tests"), "{}", none.err);
}

#[test]
fn a_test_takes_nothing_and_each_has_a_cloud_of_its_own() {
    let ferry = Ferry::new();
    let tests = ferry.directory().join("tests");
    std::fs::create_dir(&tests).unwrap();
    let make = "let id = subscription::list()[0].id + \"/resourceGroups/rg-made\";\n    assert(arm::get(id, #{ missing: () }) == ());\n    arm::put(id, #{ location: \"westeurope\" });\n    assert_eq(arm::get(id).location, \"westeurope\");";
    let both = format!("//! Two.\nfn test_one() {{\n    {make}\n}}\nfn test_two() {{\n    {make}\n}}\n");
    std::fs::write(tests.join("two.rhai"), both).unwrap();
    let ran = ferry.run(&["test"]).code(0);
    assert!(ran.out.contains("2 passed"), "{}", ran.out);
    let one = ferry.run(&["test", "--only", "two"]).code(0);
    assert!(one.out.contains("1 passed"), "{}", one.out);
    std::fs::write(tests.join("three.rhai"), "//! Wrong.\nfn test_with(what) { what }\n").unwrap();
    let wrong = ferry.run(&["test"]).code(2);
    assert!(wrong.err.contains("wrong-test"), "{}", wrong.err);
}

#[test]
fn a_shipped_script_is_copied_out_and_goes_before_the_embedded_one() {
    let ferry = Ferry::new();
    let out = ferry.run(&["eject", "permissions/key_vault"]).code(0).out;
    assert_eq!(out, "stdlib/permissions/key_vault.rhai\n");
    change(
        &ferry,
        "stdlib/permissions/key_vault.rhai",
        "const TITLE = \"",
        "const TITLE = \"Our ",
    );
    let listed = ferry.run(&["list"]).code(0).out;
    let line = listed.lines().find(|line| line.contains("key_vault")).unwrap();
    assert!(
        line.contains("Our ") && line.contains("stdlib/permissions/key_vault.rhai"),
        "{line}"
    );
    ferry.run(&["eject", "permissions/key_vault"]).code(2);
    ferry.run(&["eject", "permissions/nothing"]).code(2);
    assert_eq!(
        ferry.run(&["eject", "relocate"]).code(0).out,
        "runbooks/relocate.rhai\n"
    );
}

#[test]
fn a_run_is_reported_as_a_page_and_as_a_chart() {
    let ferry = Ferry::new();
    let estate = crate::support::estate_file("one-vm");
    let sim = format!("--sim={}", estate.display());
    ferry.run(&["run", "relocate", &sim, "--yes"]).code(0);
    let markdown = ferry.run(&["report", "last"]).code(0).out;
    assert!(markdown.starts_with("# relocate · run "), "{markdown}");
    assert!(
        markdown.contains("## Approvals") && markdown.contains("identity::create")
            || markdown.contains("Create the identity")
    );
    let chart = ferry.run(&["report", "last", "--mermaid"]).code(0).out;
    assert!(chart.starts_with("flowchart LR"), "{chart}");
    let silent = ferry.run(&["report", "last", "--html", "page.html"]).code(0);
    assert_eq!(silent.out, "");
    let page = text(&ferry, "page.html");
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    assert!(page.contains("id-one-westeurope") && !page.contains("<script"));
    ferry.run(&["new", "runbook", "count"]).code(0);
    ferry.run(&["run", "./count.rhai", "--sim"]).code(0);
    let none = ferry.run(&["report", "last", "--mermaid"]).code(2);
    assert!(none.err.contains("no-map"), "{}", none.err);
}

/// The commands of the tutorial, one after the other, in an empty directory.
#[test]
fn the_tutorial_does_what_it_says() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/tutorial.md")).unwrap();
    let commands: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("$ ferry ")).collect();
    assert_eq!(commands.len(), 6, "{commands:?}");
    let ferry = Ferry::new();
    let mut shown = String::new();
    for command in commands {
        let words: Vec<&str> = command.split(' ').collect();
        shown = ferry.run(&words).code(0).out;
        if words[0] == "new" {
            assert!(page.contains(shown.trim_end()), "{shown}");
        }
    }
    assert!(
        shown.contains("let id-old-westeurope use the service of rg-tests"),
        "{shown}"
    );
    assert!(
        shown.contains("let id-old use the service of rg-tests no more"),
        "{shown}"
    );
    let plain = ferry.run(&["doc", "coverage"]).code(0).out;
    assert!(plain.contains("`service_users`"), "{plain}");
}

#[test]
fn the_runbooks_of_the_examples_do_what_they_say() {
    let ferry = Ferry::new();
    let example = |name: &str| format!("{}/examples/{name}.rhai", env!("CARGO_MANIFEST_DIR"));
    let plan = ferry
        .run(&["plan", &example("tag-owners"), "--sim", "--json"])
        .code(0)
        .json();
    assert!(!plan["changes"].as_array().unwrap().is_empty());
    ferry.run(&["run", &example("tag-owners"), "--sim"]).code(0);
    let who = [
        "run",
        &example("who-can-delete"),
        "--sim",
        "identity=my-id-orders",
        "--json",
    ];
    let told = ferry.run(&who).code(0).out;
    let last: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
    assert_eq!(last["result"]["main"][0]["role"], "Contributor");
}
