use serde_json::json;

use super::{eval, exploring, host, value};
use crate::error::Kind;
use crate::ops::Frozen;

#[test]
fn an_expression_gives_its_value() {
    assert_eq!(value("1 + 1"), json!(2));
    assert_eq!(value("let x = [1, #{ a: () }]; x"), json!([1, { "a": null }]));
    assert_eq!(
        value("parse_json(`{\"a\":[1,2.5,null]}`)"),
        json!({ "a": [1, 2.5, null] })
    );
    assert_eq!(value("to_json(#{ a: [1, ()] })"), json!("{\"a\":[1,null]}"));
}

#[test]
fn a_closure_or_a_timestamp_is_no_result() {
    assert_eq!(eval("|| 1").unwrap_err().code, "not-plain");
    let error = eval("timestamp()").unwrap_err();
    assert_eq!(error.code, "no-clock");
    assert_eq!(eval("sleep(1)").unwrap_err().code, "no-sleep");
    assert_eq!(eval("eval(\"1\")").unwrap_err().exit_code(), 2);
}

#[test]
fn what_a_script_prints_is_told_as_a_note() {
    let (session, notes) = exploring();
    host()
        .eval(&session, "print(\"twelve grants\"); run::note(\"done\")")
        .unwrap();
    assert_eq!(*notes.lock().unwrap(), ["twelve grants", "done"]);
}

#[test]
fn steps_give_plain_data_and_cannot_change_what_they_capture() {
    assert_eq!(
        value("let n = 1; let got = run::step(\"s\", || { n = 5; n * 2 }); [n, got]"),
        json!([1, 10])
    );
    assert_eq!(eval("run::step(\"s\", || || 1)").unwrap_err().code, "not-plain");
}

#[test]
fn branches_read_captured_values_by_methods_without_meeting_each_other() {
    let script = r#"
        let captured = #{ names: ["a", "b"], add: |x| x + 1 };
        let items = [];
        for i in 0..64 { items.push(#{ id: `item-${i}`, n: i }); }
        let out = run::each("all", items, |item| {
            captured.names.push(item.id);
            let sum = 0;
            for j in 0..200 { sum += captured.names.len() - captured.names.len() + captured.names.filter(|n| n == "a").len(); }
            let inner = run::each("inner", [#{ id: "x" }, #{ id: "y" }], |one| one.id + captured.names.len());
            #{ n: item.n, sum: sum, inner: inner }
        });
        #{ before: captured.names.len(), out: out }
    "#;
    let got = value(script);
    assert_eq!(got["before"], 2);
    for n in 0..64 {
        assert_eq!(got["out"][n], json!({ "n": n, "sum": 200, "inner": ["x3", "y3"] }));
    }
}

#[test]
fn two_items_of_one_key_are_refused_before_anything_is_done() {
    let (session, notes) = exploring();
    let text = r#"run::each("all", [#{ id: "/Subscriptions/A" }, #{ id: "/subscriptions/a" }], |x| run::note(x.id))"#;
    let error = host().eval(&session, text).unwrap_err();
    assert_eq!(error.code, "duplicate-key");
    assert!(notes.lock().unwrap().is_empty());
    // The same id in two files is two keys.
    assert_eq!(
        value(r#"run::each("all", [#{ id: "a", file: "x" }, #{ id: "a", file: "y" }], |x| x.file)"#),
        json!(["x", "y"])
    );
    assert_eq!(
        eval("run::each(\"all\", [#{ name: 1 }], |x| x)").unwrap_err().code,
        "wrong-argument"
    );
}

#[test]
fn all_failures_are_reported_together_after_the_others_have_run() {
    let (session, notes) = exploring();
    let text = r#"
        let caught = ();
        let items = [#{ id: "a" }, #{ id: "b" }, #{ id: "c" }];
        try { run::each("all", items, |x| { if x.id != "b" { throw #{ code: "odd", message: `not ${x.id}` } } run::note(x.id) }) }
        catch (error) { caught = error }
        [caught.code, caught.message, caught.failures.len()]
    "#;
    let got = host().eval(&session, text).unwrap();
    assert_eq!(got[0], "items-failed");
    let message = got[1].as_str().unwrap();
    assert!(message.contains("2 of 3 items of \"all\" failed"), "{message}");
    assert!(
        message.contains("a: odd: not a") && message.contains("c: odd: not c"),
        "{message}"
    );
    assert_eq!(got[2], 2);
    assert_eq!(*notes.lock().unwrap(), ["b"]);
}

#[test]
fn one_failure_is_thrown_as_it_is() {
    let error = eval("run::each(\"all\", [#{ id: \"a\" }, #{ id: \"b\" }], |x| {\n  if x.id == \"b\" { throw #{ code: \"odd\", message: \"no\" } }\n})")
        .unwrap_err();
    assert_eq!((error.code.as_str(), error.message.as_str()), ("odd", "no"));
    assert_eq!(error.at.unwrap().line, 2);
}

#[test]
fn a_lane_stops_at_its_first_failure_and_serial_items_keep_their_order() {
    let (session, notes) = exploring();
    let text = r#"
        let items = [
            #{ id: "a1", lane: "a" }, #{ id: "a2", lane: "a" }, #{ id: "a3", lane: "a" },
            #{ id: "s1", serial: "s" }, #{ id: "s2", serial: ["s", "t"] }, #{ id: "s3", serial: "t" },
        ];
        let message = "";
        try { run::each("all", items, |x| { run::note(x.id); if x.id == "a2" { throw "broken" } }) }
        catch (error) { message = error.message }
        message
    "#;
    let message = host().eval(&session, text).unwrap();
    assert!(
        message.as_str().unwrap().contains("a3: not begun, after a2 failed"),
        "{message}"
    );
    let notes = notes.lock().unwrap().clone();
    let order = |wanted: &str| {
        notes
            .iter()
            .filter(|n| n.starts_with(wanted))
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(order("a"), ["a1", "a2"]);
    assert_eq!(order("s"), ["s1", "s2", "s3"]);
}

#[test]
fn a_plan_goes_through_items_in_their_order() {
    let session = super::planning();
    let text = r#"
        let n = 0;
        run::each("all", [#{ id: "b" }, #{ id: "a" }, #{ id: "c" }], |x| x.id)
    "#;
    assert_eq!(host().eval(&session, text).unwrap(), json!(["b", "a", "c"]));
    assert_eq!(host().eval(&session, "run::planning()").unwrap(), json!(true));
}

#[test]
fn a_call_with_other_arguments_names_function_parameter_and_types() {
    let error = eval("run::note(5)").unwrap_err();
    assert_eq!(error.message, "run::note: `text` is a string, and an int was given");
    let error = eval("run::note()").unwrap_err();
    assert!(
        error.message.starts_with("run::note(text) → () was called as"),
        "{}",
        error.message
    );
}

#[test]
fn a_busy_script_stops_when_it_is_interrupted_and_cannot_catch_that() {
    let (session, _) = exploring();
    let cancel = session.cancel();
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(30));
        cancel.cancel();
    });
    let text = "let n = 0; try { run::each(\"all\", [#{ id: \"a\" }, #{ id: \"b\" }], |x| { loop { } }) } catch { n = 1 } loop { }";
    let error = host().eval(&session, text).unwrap_err();
    stopper.join().unwrap();
    assert_eq!((error.kind, error.exit_code()), (Kind::Interrupted, 130));
    session.renew_cancel();
    assert_eq!(host().eval(&session, "1").unwrap(), json!(1));
}

#[test]
fn a_shared_map_is_read_like_a_plain_one() {
    let (session, _) = exploring();
    let program = host().program(&session);
    let document = json!({ "a": { "b": [{ "c": 1 }, 2] }, "name": "x" });
    let check = |text: &str| -> rhai::Dynamic {
        let mut scope = rhai::Scope::new();
        scope.push_dynamic("m", Frozen::dynamic(&document));
        scope.push_dynamic("plain", crate::ops::from_json(&document));
        program
            .engine()
            .eval_with_scope(&mut scope, text)
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    };
    for text in [
        "m.a.b[0].c == 1",
        "m[\"a\"][\"b\"].len() == 2",
        "m.missing == ()",
        "m?.missing?.deeper == ()",
        "\"a\" in m && !(\"z\" in m)",
        "m.keys() == [\"a\", \"name\"]",
        "m.len() == 2 && !m.is_empty()",
        "m == plain && plain == m && m == m && !(m != plain)",
        "m.a.b == plain.a.b",
        "[m] == [plain]",
        "type_of(m) == \"map\" && type_of(m.a.b) == \"array\"",
        "to_json(m) == to_json(plain)",
        "`${m}` == `${plain}`",
        "m.to_string() == plain.to_string()",
        "let n = m; n.name = \"y\"; n.name == \"y\" && m.name == \"x\"",
        "let n = m; n.a.b[0].c = 7; n.a.b[0].c == 7 && m.a.b[0].c == 1",
        "(m + #{ z: 1 }).z == 1 && (#{ z: 1 } + m).name == \"x\"",
        "m.filter(|k| k == \"name\") == #{ name: \"x\" } && m.filter(|k, v| v == \"x\").len() == 1",
        "let keys = []; for k in m.keys() { keys.push(k) } keys.len() == 2",
        "m.values().len() == 2",
        "switch m.name { \"x\" => true, _ => false }",
    ] {
        assert_eq!(check(text).as_bool(), Ok(true), "{text}");
    }
}
