use tempfile::tempdir;

use super::super::{Host, Scripts};
use super::{eval, exploring, write};

#[test]
fn an_error_in_an_imported_script_names_its_place_and_the_calls() {
    let directory = tempdir().unwrap();
    write(
        directory.path(),
        "lib/deep.rhai",
        "fn fail(x) {\n    let y = x;\n    throw #{ code: \"odd\", message: \"no\", on: \"/a\", next: [\"do b\"] };\n}\n",
    );
    write(
        directory.path(),
        "lib/middle.rhai",
        "import \"./deep\" as deep;\nfn pass(x) { deep::fail(x) }\n",
    );
    let host = Host::new(Scripts {
        dirs: vec![directory.path().to_owned()],
        ignore: true,
    })
    .unwrap();
    let text = "import \"lib/middle\" as m;\n\nm::pass(1)";
    let error = host.eval(&exploring().0, text).unwrap_err();
    assert_eq!(
        (error.code.as_str(), error.on.as_deref(), error.next.as_slice()),
        ("odd", Some("/a"), &["do b".to_owned()][..])
    );
    let at = error.at.unwrap();
    assert_eq!((at.file.as_str(), at.line, at.column), ("stdlib/lib/deep.rhai", 3, 5));
    assert!(at.source.unwrap().contains("let y = x"));
    let calls: Vec<String> = error
        .calls
        .iter()
        .map(|call| format!("{} {}:{}", call.function, call.at.file, call.at.line))
        .collect();
    assert_eq!(calls, ["pass eval:3", "fail stdlib/lib/middle.rhai:2"]);
}

#[test]
fn a_slip_in_a_name_is_answered_with_the_name_that_was_meant() {
    for (script, near) in [
        ("run::nota(\"x\")", "did you mean run::note?"),
        ("let orders = 1; ordres + 1", "did you mean orders?"),
        ("fn twice(x) { x * 2 } twcie(1)", "did you mean twice?"),
        ("rum::note(\"x\")", "did you mean run?"),
        ("\"a\".to_uper()", "did you mean to_upper?"),
    ] {
        let error = eval(script).unwrap_err();
        assert_eq!(
            error.next.first().map(String::as_str),
            Some(near),
            "{script}: {error:?}"
        );
    }
}

#[test]
fn a_script_that_does_not_parse_is_refused_with_its_place() {
    let directory = tempdir().unwrap();
    write(
        directory.path(),
        "runbooks/broken.rhai",
        "//! Broken.\nfn main(params) {\n    let x = ;\n}\n",
    );
    let host = Host::new(Scripts {
        dirs: vec![directory.path().to_owned()],
        ignore: true,
    })
    .unwrap();
    let error = host.runbook("broken").unwrap_err();
    let at = error.at.clone().unwrap();
    assert_eq!((error.code.as_str(), error.exit_code()), ("script-syntax", 2));
    assert_eq!((at.file.as_str(), at.line), ("runbooks/broken.rhai", 3));
}

#[test]
fn a_script_that_runs_away_is_stopped_by_its_limits() {
    assert_eq!(
        eval("fn deep(n) { deep(n + 1) } deep(0)").unwrap_err().code,
        "limit-reached"
    );
    assert_eq!(
        eval("let s = \"x\"; loop { s += s; }").unwrap_err().code,
        "limit-reached"
    );
}

#[test]
fn what_a_script_catches_is_the_map_that_was_thrown() {
    let got = super::value(
        "let got = (); try { run::wait(\"soon\") } catch (e) { got = e } [got.code, got.message, got.untouched]",
    );
    assert_eq!(got[0], "malformed");
    assert!(got[1].as_str().unwrap().contains("soon"));
}

#[test]
fn thrown_text_and_built_in_errors_keep_their_words() {
    let error = eval("throw \"no luck\"").unwrap_err();
    assert_eq!((error.code.as_str(), error.message.as_str()), ("thrown", "no luck"));
    let error = eval("let a = [1];\na[7]").unwrap_err();
    assert_eq!(error.code, "script-error");
    assert!(!error.message.contains("line"), "{}", error.message);
    assert_eq!(error.at.unwrap().line, 2);
}
