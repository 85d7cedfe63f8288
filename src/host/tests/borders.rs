//! Scripts whose helpers have the names of others'.

use serde_json::json;
use tempfile::tempdir;

use super::super::{Host, Scripts};
use super::{exploring, write};

fn host_over(directory: &std::path::Path) -> Host {
    Host::new(Scripts {
        dirs: vec![directory.to_owned()],
        ignore: true,
    })
    .unwrap()
}

#[test]
fn helpers_of_one_name_in_two_scripts_stay_apart_however_often_they_are_called() {
    let directory = tempdir().unwrap();
    write(
        directory.path(),
        "lib/theirs.rhai",
        "fn name(x) { `theirs ${x}` }\nfn ask(x) { name(x) + [x].map(|one| name(one))[0] }\nprivate fn hidden(x) { `their ${x}` }\nfn show(x) { hidden(x) }",
    );
    write(
        directory.path(),
        "permissions/zzz.rhai",
        "import \"lib/theirs\" as theirs;\nfn name(x) { `mine ${x}` }\nprivate fn hidden(x) { `my ${x}` }\n\
         fn list(i) {\n  let said = [];\n  for n in 0..4 {\n    said.push(name(n));\n    said.push(theirs::ask(n));\n    said.push(theirs::show(n) + hidden(n));\n    said.push([n].map(|one| name(one))[0]);\n  }\n  said\n}\n",
    );
    let said = host_over(directory.path())
        .eval(
            &exploring().0,
            "plugin::call(\"permissions\", \"zzz\", \"list\", [#{}])",
        )
        .unwrap();
    let expected: Vec<String> = (0..4)
        .flat_map(|n| {
            [
                format!("mine {n}"),
                format!("theirs {n}theirs {n}"),
                format!("their {n}my {n}"),
                format!("mine {n}"),
            ]
        })
        .collect();
    assert_eq!(said, json!(expected));
}

#[test]
fn a_helper_named_like_a_method_stands_in_nobodys_way() {
    let directory = tempdir().unwrap();
    // Each is what `relocation/documents` calls on texts, lists and maps, with as many arguments.
    write(
        directory.path(),
        "bindings/zzz.rhai",
        "import \"relocation/documents\" as documents;\n\
         fn split(a) { \"mine\" }\nfn len() { 1000 }\nfn to_lower() { \"mine\" }\nfn extract(a, b) { [\"mine\"] }\nfn index_of(a) { 7 }\n\
         fn starts_with(a) { false }\nfn last(a) { \"mine\" }\nfn join(a, b) { \"mine\" }\nfn short(a) { \"mine\" }\nfn same(a, b) { false }\n\
         fn find(i) {\n  let all = [];\n  for n in 0..3 {\n    all.push(last(1) + join(1, 2) + short(1));\n    all.push(documents::short(\"/subscriptions/s/resourceGroups/rg\"));\n    all.push(documents::top(\"/subscriptions/s/resourceGroups/rg/providers/A.B/c/d/e/f\"));\n    all.push(documents::same(\"A\", \"a\"));\n  }\n  all\n}\n",
    );
    let said = host_over(directory.path())
        .eval(&exploring().0, "plugin::call(\"bindings\", \"zzz\", \"find\", [#{}])")
        .unwrap();
    let once = json!([
        "mineminemine",
        "rg",
        "/subscriptions/s/resourceGroups/rg/providers/A.B/c/d",
        true
    ]);
    let expected: Vec<_> = (0..3).flat_map(|_| once.as_array().unwrap().clone()).collect();
    assert_eq!(said, json!(expected));
}

#[test]
fn a_closure_that_another_script_calls_sees_the_script_that_it_was_written_in() {
    let directory = tempdir().unwrap();
    write(
        directory.path(),
        "lib/walk.rhai",
        "fn name(x) { `theirs ${x}` }\nfn over(items, look) { items.map(look) }\nfn inside(items, look) { items.map(|item| look.call(item)) }\n\
         fn kept(items, tools) { items.map(|item| tools.look.call(item)) }\nfn steps(items, look) { run::each(\"s\", items, look) }\n\
         fn maker() { |x| name(x) }\nfn numbered(items, look) { items.map(look) }\nfn step(look) { run::step(\"t\", || look.call(9)) }",
    );
    write(
        directory.path(),
        "my.rhai",
        "import \"lib/walk\" as walk;\nfn name(x) { `mine ${x}` }\nfn main(params) {\n  let mark = \"!\";\n  let look = |item| name(item) + mark;\n\
         let all = walk::over([1, 2], look) + walk::inside([3], look) + walk::kept([4], #{ look: look }) + walk::steps([\"5\"], look);\n\
         all += walk::over([6], Fn(\"name\"));\n  all += walk::numbered([7], |item, at| name(item) + at);\n  all.push(walk::step(look));\n\
         let made = walk::maker();\n  all.push(made.call(8));\n  all\n}\n",
    );
    let said = host_over(directory.path())
        .eval(&exploring().0, "import \"my\" as my; my::main(#{})")
        .unwrap();
    assert_eq!(
        said,
        json!([
            "mine 1!", "mine 2!", "mine 3!", "mine 4!", "mine 5!", "mine 6", "mine 70", "mine 9!", "theirs 8"
        ])
    );
}

#[test]
fn a_variable_given_to_another_script_is_still_there_afterwards() {
    let directory = tempdir().unwrap();
    write(
        directory.path(),
        "lib/a.rhai",
        "fn eat(x, y) { x.push(y); x.len() }\nfn none() { 5 }",
    );
    let text = "import \"lib/a\" as a; const FIXED = [1]; let mine = [1, 2]; let more = #{ b: 1 }; \
                [a::eat(mine, more), a::eat(FIXED, 1), mine, more, FIXED, a::none(), a::none()]";
    let said = host_over(directory.path()).eval(&exploring().0, text).unwrap();
    assert_eq!(said, json!([3, 2, [1, 2], { "b": 1 }, [1], 5, 5]));
}

#[test]
fn scripts_that_call_each_other_for_ever_are_stopped() {
    let directory = tempdir().unwrap();
    write(
        directory.path(),
        "lib/b.rhai",
        "fn again(look) { look.call(look) }\nfn deep(n) { import \"lib/c\" as c; c::deep(n + 1) }",
    );
    write(
        directory.path(),
        "lib/c.rhai",
        "fn deep(n) { import \"lib/b\" as b; b::deep(n + 1) }",
    );
    let host = host_over(directory.path());
    for text in [
        "import \"lib/b\" as b; b::deep(0)",
        "import \"lib/b\" as b; fn down(look) { import \"lib/b\" as b; b::again(look) } b::again(|look| down(look))",
    ] {
        let error = host.eval(&exploring().0, text).unwrap_err();
        assert!(
            error.message.contains("overflow") || error.code == "limit-reached",
            "{error:#?}"
        );
    }
}
