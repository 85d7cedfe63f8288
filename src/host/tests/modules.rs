use serde_json::json;
use tempfile::tempdir;

use super::super::{Host, Scripts};
use super::{exploring, planning, write};

fn host_over(directory: &std::path::Path) -> Host {
    Host::new(Scripts {
        dirs: vec![directory.to_owned()],
        ignore: true,
    })
    .unwrap()
}

#[test]
fn a_new_file_in_permissions_is_a_new_source() {
    let directory = tempdir().unwrap();
    write(
        directory.path(),
        "permissions/zz_last.rhai",
        "//! Last.\nconst LAST = true;\nfn list(i) { [] }\n",
    );
    write(
        directory.path(),
        "permissions/zzz_mine.rhai",
        "//! Mine.\nconst TITLE = \"Mine\";\nconst SCALE = 3;\nconst PARAMS = #{ depth: #{ type: \"int\", \"default\": 4, help: \"how deep\" } };\n\
         import \"lib/helper\" as h;\nfn list(identity) { run::each(\"x\", [#{ id: identity.id }], |i| h::twice(global::SCALE) + run::param(\"depth\")) }\n\
         fn grant(g, i) { run::note(\"granted\") }\nfn check(g, i) { false }\n",
    );
    write(directory.path(), "lib/helper.rhai", "fn twice(x) { x * 2 }");
    let host = host_over(directory.path());
    let session = exploring().0;
    let files = host.eval(&session, "plugin::files(\"permissions\")").unwrap();
    let files: Vec<&str> = files
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|file| file.as_str())
        .collect();
    assert!(files.contains(&"zzz_mine"), "{files:?}");
    assert_eq!(files.last(), Some(&"zz_last"));
    let call = |text: &str| host.eval(&session, text);
    assert_eq!(
        call("plugin::call(\"permissions\", \"zzz_mine\", \"list\", [#{ id: \"a\" }])").unwrap(),
        json!([10])
    );
    assert_eq!(
        call("plugin::constant(\"permissions\", \"zzz_mine\", \"TITLE\")").unwrap(),
        json!("Mine")
    );
    assert_eq!(
        call("plugin::has(\"permissions\", \"zzz_mine\", \"revoke\")").unwrap(),
        json!(false)
    );
    let error = call("plugin::call(\"permissions\", \"zzz_mine\", \"lost\", [1])").unwrap_err();
    assert_eq!(
        (error.code.as_str(), error.next[0].as_str()),
        ("unknown-function", "did you mean \"list\"?")
    );
    assert_eq!(
        call("plugin::call(\"permissions\", \"zzz_mne\", \"list\", [1])")
            .unwrap_err()
            .code,
        "unknown-file"
    );
    assert_eq!(host.foreign().unwrap().len(), 3);
}

#[test]
fn a_plan_takes_the_check_of_what_it_would_grant_as_true() {
    let directory = tempdir().unwrap();
    write(
        directory.path(),
        "permissions/zzz.rhai",
        "fn grant(g, i) { }\nfn check(g, i) { false }\n",
    );
    let host = host_over(directory.path());
    let text = r#"
        let args = [#{ id: "/A" }, #{}];
        let before = plugin::call("permissions", "zzz", "check", args);
        plugin::call("permissions", "zzz", "grant", args);
        [before, plugin::call("permissions", "zzz", "check", args), plugin::call("permissions", "zzz", "check", [#{ id: "b" }, #{}])]
    "#;
    assert_eq!(host.eval(&planning(), text).unwrap(), json!([false, true, false]));
    assert_eq!(host.eval(&exploring().0, text).unwrap(), json!([false, false, false]));
}

#[test]
fn an_error_in_a_source_names_the_source_and_the_call() {
    let directory = tempdir().unwrap();
    write(
        directory.path(),
        "permissions/zzz.rhai",
        "fn list(i) {\n    inner(i)\n}\nfn inner(i) {\n    throw #{ code: \"odd\", message: \"no\" }\n}\n",
    );
    let host = host_over(directory.path());
    let error = host
        .eval(
            &exploring().0,
            "let x = 1;\nplugin::call(\"permissions\", \"zzz\", \"list\", [1])",
        )
        .unwrap_err();
    let at = error.at.unwrap();
    assert_eq!((at.file.as_str(), at.line), ("stdlib/permissions/zzz.rhai", 5));
    let calls: Vec<String> = error
        .calls
        .iter()
        .map(|call| format!("{} {}:{}", call.function, call.at.file, call.at.line))
        .collect();
    assert_eq!(calls, ["list eval:2", "inner stdlib/permissions/zzz.rhai:2"]);
}

#[test]
fn scripts_that_import_each_other_in_a_circle_are_told_so() {
    let directory = tempdir().unwrap();
    write(directory.path(), "lib/a.rhai", "import \"./b\" as b;\nfn f() { 1 }");
    write(directory.path(), "lib/b.rhai", "import \"lib/a\" as a;\nfn g() { 2 }");
    let error = host_over(directory.path())
        .eval(&exploring().0, "import \"lib/a\" as a; a::f()")
        .unwrap_err();
    assert_eq!(error.code, "import-circle", "{error:?}");
    assert!(
        error
            .message
            .contains("stdlib/lib/a.rhai → stdlib/lib/b.rhai → stdlib/lib/a.rhai"),
        "{}",
        error.message
    );
}

#[test]
fn a_runbook_by_path_imports_what_lies_beside_it_and_nothing_outside_of_scripts() {
    let directory = tempdir().unwrap();
    write(
        directory.path(),
        "my.rhai",
        "//! Mine. More.\nimport \"./help/words\" as words;\nfn main(params) { words::hello() }\n",
    );
    write(directory.path(), "help/words.rhai", "fn hello() { \"hello\" }");
    let host = super::host();
    let path = directory.path().join("my.rhai");
    let runbook = host.runbook(path.to_str().unwrap()).unwrap();
    assert_eq!(
        (runbook.summary.as_str(), runbook.phases.as_slice()),
        ("Mine.", &["main".to_owned()][..])
    );
    let session = exploring().0;
    let outcome = host
        .run(&runbook, &host.params(&runbook, &[]).unwrap(), &session)
        .unwrap();
    assert_eq!(outcome.value, json!("hello"));
    assert_eq!(
        host.eval(&session, "import \"/etc/passwd\" as p; 1").unwrap_err().code,
        "unknown-script"
    );
    assert_eq!(
        host.eval(&session, "import \"../../etc/passwd\" as p; 1")
            .unwrap_err()
            .code,
        "unknown-script"
    );
}

#[test]
fn an_unknown_runbook_is_answered_with_the_nearest() {
    let directory = tempdir().unwrap();
    write(
        directory.path(),
        "runbooks/carry_over.rhai",
        "//! C.\nfn main(params) { }",
    );
    let error = host_over(directory.path()).runbook("carry_ovr").unwrap_err();
    assert_eq!(
        (error.exit_code(), error.next[0].as_str()),
        (2, "did you mean \"carry_over\"?")
    );
}

#[test]
fn scripts_are_checked_without_being_run() {
    let directory = tempdir().unwrap();
    write(directory.path(), "permissions/zzz.rhai", "fn list(i) { [] }");
    write(
        directory.path(),
        "bindings/zzz.rhai",
        "//! B.\nconst TITLE = \"B\";\nfn find(i) { [] }\nfn check(b, o, n) { true }\nfn swap(b, o, n) { }",
    );
    let checked = host_over(directory.path()).check(None).unwrap();
    let of = |file: &str| checked.iter().find(|checked| checked.file == file).unwrap();
    assert!(of("stdlib/bindings/zzz.rhai").is_fine());
    let problems = &of("stdlib/permissions/zzz.rhai").problems;
    assert_eq!(problems.len(), 5, "{problems:?}");
}

#[test]
fn documentation_is_found_by_name_and_by_words() {
    let directory = tempdir().unwrap();
    write(
        directory.path(),
        "permissions/zzz.rhai",
        "//! Grants in Zzz. More.\nconst TITLE = \"Z\";\n/// Lists them.\n///\n/// * `identity` (map): whose\n/// * returns (array): grants\nfn list(identity) { [] }\n",
    );
    let docs = host_over(directory.path()).docs().unwrap();
    assert!(
        docs.find("run::each")
            .unwrap()
            .to_text()
            .starts_with("run::each(name, items, body) → array")
    );
    assert_eq!(docs.find("zzz").unwrap().summary(), "Grants in Zzz.");
    assert!(docs.find("zzz").unwrap().to_text().contains("list(identity) → array"));
    assert_eq!(docs.find("run::eech").unwrap_err().next[0], "did you mean run::each?");
    assert_eq!(docs.search("parallel")[0].name(), "run::each");
    let definitions = docs.to_definitions();
    let (_, run) = definitions.iter().find(|(file, _)| file == "run.d.rhai").unwrap();
    assert!(run.contains("fn step(name: string, body: Fn) -> ?;"), "{run}");
    assert!(docs.to_markdown().iter().any(|(file, _)| file == "run.md"));
}

#[test]
fn every_native_function_has_a_whole_text() {
    let problems: Vec<String> = crate::ops::specs()
        .iter()
        .flat_map(|module| &module.functions)
        .flat_map(crate::ops::OpSpec::problems)
        .collect();
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn the_examples_of_functions_that_need_no_cloud_run() {
    for example in crate::ops::specs()
        .iter()
        .filter(|module| ["run", "plugin"].contains(&module.name.as_str()))
        .flat_map(|module| &module.functions)
        .flat_map(|function| &function.examples)
        .filter(|example| example.no_run.is_none() && example.estate.is_none())
    {
        let directory = tempdir().unwrap();
        let session = super::running(directory.path(), super::options());
        let ended = super::host().eval(&session, &example.code);
        match &example.fails {
            None => assert!(ended.is_ok(), "{}\n{ended:?}", example.code),
            Some(code) => assert_eq!(&ended.unwrap_err().code, code, "{}", example.code),
        }
    }
}

#[test]
fn every_embedded_script_loads_and_lacks_nothing() {
    let checked = super::host().check(None).unwrap();
    let wrong: Vec<_> = checked.iter().filter(|checked| !checked.is_fine()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    super::host().docs().unwrap();
}
