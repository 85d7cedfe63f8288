//! What scripts cannot do: read files, reach hosts, run away, write where they may only read.

use std::time::{Duration, Instant};

use tempfile::tempdir;

use super::super::{Host, Limits, Scripts};
use super::{eval, exploring, options, planning, running, write};
use crate::error::Error;

/// Evaluates with limits that a test reaches quickly, and sees that it is quick about it.
#[track_caller]
fn limited(text: &str) -> Error {
    let limits = Limits {
        operations: 20_000_000,
        alone: 300_000,
        memory: 2 << 30,
    };
    let begun = Instant::now();
    let host = Host::new(Scripts::embedded()).unwrap().with_limits(limits);
    let error = host.eval(&exploring().0, text).expect_err(text);
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{text} took {:?}",
        begun.elapsed()
    );
    error
}

#[test]
fn a_script_that_runs_away_ends_in_one_error_with_its_place() {
    for text in [
        "loop {}",
        "\nlet x = 0; while true { x += 1; }",
        "let n = 0; for i in 0..9000000000000 { n += i; }",
        "fn again(n) { again(n + 1) }\nagain(0)",
        "let f = |f| f.call(f);\nf.call(f)",
        "let f = |f, n| run::step(n.to_string(), || f.call(f, n + 1));\nf.call(f, 0)",
        "let s = \"x\"; loop { s += s; }",
        "let s = `x`; loop { s = `${s}${s}`; }",
        "let a = [1]; loop { a += a; }",
        "let a = []; loop { a.push(a); }",
        "let a = []; a.pad(900000000, 0)",
        "let s = \"\"; s.pad(900000000, \"x\")",
        "blob(900000000)",
        "let m = #{}; let i = 0; loop { m[i.to_string()] = i; i += 1; }",
        "loop { run::planning(); }",
        "let items = []; items.pad(300000, 0); let i = 0; run::each(\"many\", items.map(|one| #{ id: \"a\" }), |item| 1)",
        "let a = [3, 1, 2];\na.sort(|a, b| { loop {} }); a.len()",
        "run::each(\"spin\", [\"a\", \"b\"], |item| { loop {} })",
        "run::step(\"spin\", || { loop {} })",
        "try { loop {} } catch (error) { 1 }",
    ] {
        let error = limited(text);
        assert!(
            ["limit-reached", "items-failed"].contains(&error.code.as_str()),
            "{text}: {error:?}"
        );
        if error.code == "limit-reached" && !text.starts_with("run::each") {
            let at = error.at.as_ref().unwrap_or_else(|| panic!("{text}: {error:?}"));
            assert!(at.file == "eval" && at.line > 0 && at.column > 0, "{text}: {at:?}");
        }
    }
}

#[test]
fn work_that_a_limit_would_stop_is_done_when_it_asks_in_between() {
    // An answer of a cloud begins the count anew; a million operations are below the limit of everybody else.
    assert_eq!(super::value("let n = 0; for i in 0..200000 { n += 1; } n"), 200_000);
}

#[test]
fn a_value_nested_without_end_is_refused_and_breaks_nothing() {
    let error = limited("let a = []; for i in 0..3000 { a = [a]; } run::step(\"deep\", || a)");
    assert_eq!(error.code, "not-plain", "{error:?}");
    let bomb = format!("parse_json(\"{}\")", "[".repeat(100_000));
    assert_eq!(limited(&bomb).code, "malformed");
    let deep = format!("let x = {}1{};", "(".repeat(5_000), ")".repeat(5_000));
    assert_eq!(limited(&deep).code, "script-syntax");
    let chain = format!("let x = 1{};", " + 1".repeat(50_000));
    assert_eq!(limited(&chain).code, "script-syntax");
}

#[test]
fn a_script_cannot_evaluate_text_or_reach_the_machine() {
    for text in [
        "eval(\"1 + 1\")",
        "let e = \"eval\"; call(e, \"1\")",
        "Fn(\"eval\").call(\"1\")",
        "open_file(\"/etc/passwd\")",
        "read_file(\"/etc/passwd\")",
        "exec(\"id\")",
        "env(\"PATH\")",
        "sleep(100)",
        "timestamp()",
    ] {
        assert!(eval(text).is_err(), "{text}");
    }
}

/// The error of a runbook in a directory of its own; beside that directory lies a file that nobody may read.
fn runbook(body: &str, prepare: impl FnOnce(&std::path::Path)) -> Result<(), Error> {
    let directory = tempdir().unwrap();
    let home = directory.path().join("home/books");
    write(directory.path(), "secret.rhai", "let password = the canary sings;");
    write(directory.path(), "home/outside.rhai", "fn it() { 1 }");
    write(&home, "lib/inside.rhai", "fn it() { 1 }");
    write(
        &home,
        "my.rhai",
        &format!("//! Mine.\n{body}\nfn main(params) {{ x::it() }}\n"),
    );
    prepare(&home);
    let host = Host::new(Scripts::embedded()).unwrap();
    let path = home.join("my.rhai");
    let book = host.runbook(path.to_str().unwrap())?;
    let session = running(&directory.path().join("state"), options());
    host.run(&book, &host.params(&book, &[])?, &session).map(|_| ())
}

#[test]
fn an_import_reads_scripts_of_its_own_place_alone() {
    assert!(runbook("import \"./lib/inside\" as x;", |_| ()).is_ok());
    assert!(runbook("import \"lib/inside\" as x;", |_| ()).is_ok());
    for import in [
        "/etc/passwd",
        "/etc/passwd.rhai",
        "../../secret",
        "../outside",
        "lib/../../outside",
        "./lib/../../../secret.rhai",
        "stdlib/../../../../etc/passwd",
        "=/etc/passwd",
        "=../../secret.rhai",
        "file:///etc/passwd",
        "https://evil.example/x.rhai",
        "\\u0000",
        "",
    ] {
        let error = runbook(&format!("import \"{import}\" as x;"), |_| ()).expect_err(import);
        assert!(
            ["unknown-script", "script-outside", "script-unreadable"].contains(&error.code.as_str()),
            "{import}: {error:?}"
        );
        assert!(!format!("{error:?}").contains("canary"), "{import}: {error:?}");
    }
}

#[test]
fn an_import_that_is_computed_is_fenced_and_says_where_it_stands() {
    let body =
        "fn later() { let path = \"../../\" + \"secret\"; import path as y; y::it() }\nimport \"./lib/inside\" as x;";
    runbook(body, |_| ()).unwrap();
    let directory = tempdir().unwrap();
    write(directory.path(), "secret.rhai", "fn it() { 1 }");
    let text =
        "//! Mine.\nfn main(params) {\n    let path = \"../\" + \"secret\";\n    import path as y;\n    y::it()\n}\n";
    write(directory.path(), "books/my.rhai", text);
    let host = Host::new(Scripts::embedded()).unwrap();
    let path = directory.path().join("books/my.rhai");
    let book = host.runbook(path.to_str().unwrap()).unwrap();
    let session = running(&directory.path().join("state"), options());
    let error = host
        .run(&book, &host.params(&book, &[]).unwrap(), &session)
        .unwrap_err();
    assert_eq!(error.code, "script-outside", "{error:?}");
    let at = error.at.unwrap();
    assert!(
        at.file.ends_with("books/my.rhai") && (at.line, at.column) == (4, 12),
        "{at:?}"
    );
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_scripts_directory_is_not_followed() {
    let error = runbook("import \"./lib/link\" as x;", |home| {
        std::os::unix::fs::symlink("../../../secret.rhai", home.join("lib/link.rhai")).unwrap();
    })
    .unwrap_err();
    assert_eq!(error.code, "script-outside", "{error:?}");
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    // The same for a source that stands where sources stand.
    let directory = tempdir().unwrap();
    write(directory.path(), "secret.rhai", "let password = the canary sings;");
    write(directory.path(), "scripts/permissions/x.txt", "");
    std::os::unix::fs::symlink(
        "../../secret.rhai",
        directory.path().join("scripts/permissions/leak.rhai"),
    )
    .unwrap();
    let host = Host::new(Scripts {
        dirs: vec![directory.path().join("scripts")],
        ignore: true,
    })
    .unwrap();
    let error = host
        .eval(
            &exploring().0,
            "plugin::call(\"permissions\", \"leak\", \"list\", [#{}])",
        )
        .unwrap_err();
    assert_eq!(error.code, "script-outside", "{error:?}");
}

/// A host with this permission source.
fn with_source(directory: &std::path::Path, text: &str) -> Host {
    write(directory, "permissions/mine.rhai", text);
    Host::new(Scripts {
        dirs: vec![directory.to_owned()],
        ignore: true,
    })
    .unwrap()
}

const TARGET: &str = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Web/sites/x";

#[test]
fn what_a_source_lists_it_cannot_change() {
    let directory = tempdir().unwrap();
    let write_it = format!("arm::delete(\"{TARGET}\", #{{ api_version: \"2023-12-01\" }})");
    let source = format!(
        "//! Mine.\nconst TITLE = \"Mine\";\n\
         fn list(identity) {{ {write_it} }}\n\
         fn check(grant, identity) {{ run::each(\"inner\", [\"a\", \"b\"], |item| {write_it}) }}\n\
         fn grant(grant, identity) {{}}\nfn revoke(grant, identity) {{}}\n"
    );
    let host = with_source(directory.path(), &source);
    let session = running(&directory.path().join("state"), options());
    for call in ["\"list\", [#{}]", "\"check\", [#{}, #{}]"] {
        let error = host
            .eval(&session, &format!("plugin::call(\"permissions\", \"mine\", {call})"))
            .unwrap_err();
        assert!(error.message.contains("may only read"), "{error:?}");
    }
    assert!(session.ledger(|ledger| ledger.changes.is_empty()));
}

#[test]
fn a_write_is_refused_where_a_session_only_reads_whatever_the_script_calls_it() {
    for (call, code) in [
        (
            format!("arm::delete(\"{TARGET}\", #{{ api_version: \"1\" }})"),
            "read-only",
        ),
        (
            format!("arm::put(\"{TARGET}\", #{{}}, #{{ api_version: \"1\" }})"),
            "read-only",
        ),
        (
            format!("arm::post(\"{TARGET}/restart\", (), #{{ api_version: \"1\" }})"),
            "read-only",
        ),
        (
            "graph::post(\"groups\", #{ displayName: \"x\" })".to_owned(),
            "read-only",
        ),
        // A collection whose name begins like that of an action that reads.
        (
            "graph::post(\"sites/root/lists\", #{ displayName: \"x\" })".to_owned(),
            "read-only",
        ),
        (
            "http::post(\"https://kv.vault.azure.net/keys/k/create\", #{})".to_owned(),
            "read-only",
        ),
    ] {
        let error = eval(&call).unwrap_err();
        assert_eq!(error.code, code, "{call}: {error:?}");
        assert_eq!(error.at.as_ref().map(|at| at.line), Some(1), "{call}: {error:?}");
    }
}

#[test]
fn what_says_that_it_reads_must_be_called_like_something_that_does() {
    let lies = [
        format!("arm::post(\"{TARGET}/restart\", (), #{{ api_version: \"1\", reads: true }})"),
        format!("arm::post(\"{TARGET}/deallocate\", (), #{{ api_version: \"1\", reads: true }})"),
        "graph::post(\"groups\", #{}, #{ reads: true })".to_owned(),
        "http::post(\"https://kv.vault.azure.net/keys/k/create\", #{}, #{ audience: \"https://vault.azure.net\", reads: true })".to_owned(),
        format!("arm::edit(\"{TARGET}\", [], #{{ api_version: \"1\", method: \"PATCH\", read: \"POST {TARGET}/restart\" }})"),
        format!("arm::edit(\"{TARGET}\", [], #{{ api_version: \"1\", method: \"PATCH\", read: \"DELETE {TARGET}\" }})"),
        format!("arm::edit(\"{TARGET}\", [], #{{ api_version: \"1\", method: \"DELETE\", read: \"GET {TARGET}\" }})"),
        format!("arm::edit(\"{TARGET}\", [], #{{ api_version: \"1\", method: \"PATCH\", read: \"GET {TARGET}\", fill: [#{{ action: \"POST {TARGET}/restart\", at: \"/a\", by: \"name\" }}] }})"),
    ];
    for call in lies {
        for session in [exploring().0, planning()] {
            let error = super::host().eval(&session, &call).unwrap_err();
            assert_eq!(error.code, "wrong-argument", "{call}: {error:?}");
            assert!(session.planned().is_empty());
        }
    }
}

#[test]
fn a_host_that_nobody_named_is_not_asked() {
    let directory = tempdir().unwrap();
    write(
        directory.path(),
        "lib/web.rhai",
        "fn get(url) { http::get(url) }\nfn post(url) { http::post(url, #{}) }\nfn list(url) { http::list(url) }\n",
    );
    write(
        directory.path(),
        "lib/named.rhai",
        "const HOSTS = [\"evil.example\"];\nfn get(url) { http::get(url) }\n",
    );
    let host = Host::new(Scripts {
        dirs: vec![directory.path().to_owned()],
        ignore: true,
    })
    .unwrap();
    for url in [
        "https://evil.example/",
        "https://evil.example:8443/a?b=c",
        "https://user@evil.example/",
        "https://kv.vault.azure.net@evil.example/",
        "https://evil.example#.vault.azure.net/",
        "https://evil.example\\\\.vault.azure.net/",
        "https://[::1]/",
        "https://169.254.169.254/metadata/identity/oauth2/token",
        "HTTPS://EVIL.EXAMPLE/",
        "http://evil.example/",
        "file:///etc/passwd",
        "ftp://evil.example",
        "//evil.example",
        "",
    ] {
        for call in ["get", "post", "list"] {
            let text = format!("import \"lib/web\" as web;\nweb::{call}(\"{url}\")");
            let session = planning();
            let error = host.eval(&session, &text).unwrap_err();
            assert!(
                ["host-not-allowed", "wrong-argument"].contains(&error.code.as_str()),
                "{text}: {error:?}"
            );
            assert!(
                error.at.as_ref().is_some_and(|at| at.file.ends_with("lib/web.rhai")),
                "{text}: {error:?}"
            );
        }
    }
    // The operator's own words allow a host: a parameter, or what is typed.
    let (session, _) = exploring();
    session.allow_hosts(&serde_json::json!({ "probes": ["https://evil.example/health"] }));
    assert!(session.is_host_allowed("EVIL.example") && !session.is_host_allowed("example"));
}

#[test]
fn what_the_host_gave_is_the_scripts_own_copy() {
    let directory = tempdir().unwrap();
    write(
        directory.path(),
        "runbooks/two.rhai",
        "//! Two phases.\n\
         fn prepare(params) { #{ list: [1], inner: #{ a: 1 } } }\n\
         fn move(params, results) { results.prepare.inner.a = 2; results.prepare.list.push(2); params.more = 1; results.verify = 1; results.prepare.inner.a }\n\
         fn verify(params, results) { [results.prepare.inner.a, results.prepare.list.len(), params.contains(\"more\"), results.contains(\"verify\")] }\n",
    );
    let host = Host::new(Scripts {
        dirs: vec![directory.path().to_owned()],
        ignore: true,
    })
    .unwrap();
    let book = host.runbook("two").unwrap();
    let session = running(&directory.path().join("state"), options());
    let outcome = host.run(&book, &host.params(&book, &[]).unwrap(), &session).unwrap();
    assert_eq!(
        outcome.results["prepare"],
        serde_json::json!({"list": [1], "inner": {"a": 1}})
    );
    assert_eq!(outcome.value, serde_json::json!([1, 1, false, false]));
}
