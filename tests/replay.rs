//! A run that goes on notices when it is asked for something else than its journal has; and what a script sees the
//! first time, it sees again.

use ferry::run::Ledger;
use ferry::store::{SqliteStore, Store as _};
use serde_json::{Value, json};

use crate::support::{Ferry, Simulator};

const SUBSCRIPTION: &str = "/subscriptions/a11c0002-0002-4002-8002-a11c00000002";

/// A runbook in a directory of its own, on a simulator.
struct Book {
    ferry: Ferry,
    simulator: Simulator,
}

impl Book {
    fn new() -> Self {
        Self {
            ferry: Ferry::new(),
            simulator: Simulator::start("one-vm"),
        }
    }

    /// Writes the runbook: the body of its `main`, and whatever functions.
    fn write(&self, text: &str) {
        let text = text.replace("SUB", SUBSCRIPTION);
        std::fs::write(self.ferry.directory().join("book.rhai"), format!("//! A book.\n{text}")).unwrap();
    }

    fn run(&self, code: i32) {
        let cloud = ["--cloud", &self.simulator.url, "--concurrency", "1"];
        self.ferry
            .run(&[&["run", "./book.rhai"], &cloud[..]].concat())
            .code(code);
    }

    /// Approves, and goes on with further options.
    #[track_caller]
    fn go_on(&self, code: i32, more: &[&str]) -> crate::support::Ran {
        self.ferry
            .run(&[&["resume", "last", "--yes", "--concurrency", "1"], more].concat())
            .code(code)
    }

    /// Sets a tag of the subscription's only group, as somebody else does.
    fn tag(&self, value: &str) {
        let path = format!("{SUBSCRIPTION}/resourceGroups/rg-one?api-version=2021-04-01");
        self.simulator
            .change("PATCH", &path, &json!({ "tags": { "v": value } }));
    }

    /// The groups that were sent, by name, in order.
    fn sent(&self) -> Vec<String> {
        let writes = self.simulator.writes();
        let paths = writes.iter().filter(|row| row["method"] == "PUT").map(|row| {
            let path = row["path"].as_str().unwrap().split('?').next().unwrap();
            path.rsplit('/').next().unwrap().to_owned()
        });
        paths.collect()
    }
}

/// What every book here can do: make a group.
const MAKE: &str = r#"
fn make(name) { arm::put("SUB/resourceGroups/" + name, #{ location: "westeurope" }); name }
"#;

#[test]
fn a_finished_item_that_now_works_on_something_else_stops_the_run_before_anything_is_sent() {
    let book = Book::new();
    book.tag("one");
    book.write(&format!(
        r#"{MAKE}
fn main(params) {{
    let v = arm::get("SUB/resourceGroups/rg-one").tags.v;
    run::each("groups", [#{{ id: "second" }}, #{{ id: "first", v: v }}], |item| {{
        if item.id == "second" {{ run::approve("go", "go on"); }}
        make(item.id)
    }})
}}"#
    ));
    book.run(3);
    assert_eq!(book.sent(), ["first"]);
    book.tag("two");
    let ran = book.go_on(1, &[]);
    assert!(
        ran.err.contains("step-changed") && ran.err.contains("main/groups/first"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("ferry rollback"), "{}", ran.err);
    assert_eq!(
        book.sent(),
        ["first"],
        "the second one comes before it in the list, and was not begun"
    );
    book.tag("one");
    book.go_on(0, &[]);
    assert_eq!(book.sent(), ["first", "second"]);
}

#[test]
fn a_finished_item_that_is_not_in_the_list_any_more_stops_the_run_before_anything_is_sent() {
    let book = Book::new();
    book.tag("first second");
    book.write(&format!(
        r#"{MAKE}
fn main(params) {{
    let names = arm::get("SUB/resourceGroups/rg-one").tags.v.split(" ");
    run::each("groups", names, |name| {{
        if name == "second" {{ run::approve("go", "go on"); }}
        make(name)
    }})
}}"#
    ));
    book.run(3);
    book.tag("second third");
    let ran = book.go_on(1, &[]);
    assert!(
        ran.err.contains("step-changed") && ran.err.contains("main/groups/first"),
        "{}",
        ran.err
    );
    assert_eq!(book.sent(), ["first"]);
}

/// A book whose first step makes a group, and which waits before its second.
fn two_steps(first: &str, between: &str, second: &str) -> String {
    format!(
        r#"{MAKE}
fn main(params) {{
    {first}
    run::approve("go", "go on");
    {between}
    run::step("two", || make("{second}"))
}}"#
    )
}

#[test]
fn an_edited_script_is_compared_with_the_journal_before_anything_is_sent() {
    let one = r#"run::step("one", || make("alpha"));"#;
    for (edited, says) in [
        // The finished step asks for another change.
        (
            two_steps(r#"run::step("one", || make("omega"));"#, "", "wrong"),
            "resourceGroups/alpha",
        ),
        // The finished step is gone, and something new comes before anybody could know.
        (two_steps(r#"make("early");"#, "", "wrong"), "main/one is not asked for"),
        // It is gone in what comes after the gate.
        (two_steps("", r#"make("early");"#, "wrong"), "main/one is not asked for"),
    ] {
        let book = Book::new();
        book.write(&two_steps(one, "", "beta"));
        book.run(3);
        assert_eq!(book.sent(), ["alpha"]);
        book.write(&edited);
        let ran = book.go_on(1, &["--with-current-scripts"]);
        let said = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("step-changed") && said.contains(says), "{}", ran.err);
        assert!(
            said.contains("without --with-current-scripts") && said.contains("undoes its 1 change"),
            "{said}"
        );
        assert_eq!(book.sent(), ["alpha"]);
        // The advice holds: the scripts that the run began with are still those of the journal.
        book.go_on(0, &[]);
        assert_eq!(book.sent(), ["alpha", "beta"]);
    }
}

#[test]
fn an_edited_script_goes_on_where_its_finished_steps_are_the_same() {
    let book = Book::new();
    let one = r#"run::step("one", || make("alpha"));"#;
    book.write(&two_steps(one, "", "beta"));
    book.run(3);
    book.write(&two_steps(one, r#"run::step("more", || make("more"));"#, "gamma"));
    book.go_on(0, &["--with-current-scripts"]);
    assert_eq!(book.sent(), ["alpha", "more", "gamma"]);
}

#[test]
fn a_run_goes_on_with_the_scripts_that_it_began_with_when_their_files_have_changed_or_gone() {
    for gone in [false, true] {
        let book = Book::new();
        let directory = book.ferry.directory();
        let file = |name: &str| directory.join(name);
        for folder in ["lib", "scripts/relocation"] {
            std::fs::create_dir_all(file(folder)).unwrap();
        }
        std::fs::write(file("lib/words.rhai"), "//! W.\nfn word() { \"alpha\" }").unwrap();
        std::fs::write(file("scripts/relocation/more.rhai"), "//! M.\nfn word() { \"beta\" }").unwrap();
        std::fs::write(file("beside.rhai"), "//! B.\nfn word() { \"gamma\" }").unwrap();
        book.write(&format!(
            "import \"./lib/words\" as words;\nimport \"relocation/more\" as more;\nimport \"beside\" as beside;\n{MAKE}
             fn main(params) {{
                 run::approve(\"go\", \"go on\");
                 make(words::word());
                 make(more::word());
                 make(beside::word())
             }}"
        ));
        let cloud = ["--cloud", &book.simulator.url, "--scripts", "scripts"];
        book.ferry.run(&[&["run", "./book.rhai"], &cloud[..]].concat()).code(3);
        if gone {
            std::fs::remove_dir_all(file("scripts")).unwrap();
            std::fs::remove_dir_all(file("lib")).unwrap();
            std::fs::remove_file(file("book.rhai")).unwrap();
            std::fs::remove_file(file("beside.rhai")).unwrap();
        } else {
            std::fs::write(file("lib/words.rhai"), "//! W.\nfn word() { \"wrong\" }").unwrap();
            std::fs::write(file("scripts/relocation/more.rhai"), "//! M.\nfn word() { \"wrong\" }").unwrap();
            book.write("fn main(params) { throw \"wrong\" }");
        }
        book.go_on(0, &[]);
        assert_eq!(book.sent(), ["alpha", "beta", "gamma"]);
    }
}

#[test]
fn a_step_that_returns_what_is_no_plain_data_is_told() {
    let book = Book::new();
    book.write(
        r#"
fn helper() { 1 }
fn main(params) {
    let captured = 1;
    let closure = || captured;
    let told = [];
    let n = 0;
    for body in [|| || 1, || Fn("helper"), || closure, || #{ a: [1, || 2] }, || 0.0 / 0.0, || blob(3), || 1..4] {
        try { run::step(`step ${n}`, body); told.push("kept"); } catch (error) { told.push(`${error.code} ${error.message}`); }
        try { run::each(`each ${n}`, ["x"], |x| body.call()); told.push("kept"); } catch (error) { told.push(error.code); }
        n += 1;
    }
    told
}"#,
    );
    let cloud = ["--cloud", &book.simulator.url, "--json"];
    let ran = book.ferry.run(&[&["run", "./book.rhai"], &cloud[..]].concat()).code(0);
    let last: Value = serde_json::from_str(ran.out.lines().last().unwrap()).unwrap();
    let told = last["result"]["main"].as_array().unwrap_or_else(|| panic!("{last}"));
    assert_eq!(told.len(), 14);
    assert!(
        told.iter().all(|said| said.as_str().unwrap().starts_with("not-plain")),
        "{told:#?}"
    );
    assert!(told[6].as_str().unwrap().contains("a closure at a.1"), "{}", told[6]);
    // And one that is not caught ends the run.
    book.write("fn main(params) { run::step(\"one\", || || 1) }");
    let ran = book
        .ferry
        .run(&["run", "./book.rhai", "--cloud", &book.simulator.url])
        .code(1);
    assert!(ran.err.contains("not-plain"), "{}", ran.err);
}

#[test]
fn what_a_script_sees_of_a_step_the_first_time_it_sees_again() {
    let book = Book::new();
    book.write(
        r#"
fn shown(value) {
    let text = "";
    if type_of(value) == "map" { for key in value.keys() { text += `${key}=${shown(value[key])};`; } return `{${text}}`; }
    if type_of(value) == "array" { for item in value { text += `${shown(item)},`; } return `[${text}]`; }
    `${type_of(value)} ${value}`
}
fn main(params) {
    let values = || #{
        z: 1, a: 2, "10": 3, "9": 4, int: 9223372036854775807, least: -9223372036854775807 - 1, whole: 2.0, small: 5.0e-324,
        third: 1.0 / 3.0, sum: 0.1 + 0.2, large: 1.7976931348623157e308, odd: 9007199254740993.0, minus: -0.0, none: (),
        letter: 'é', text: "a\tb\u2028", list: [1, 1.0, "1", '1', true, (), []], map: #{ b: #{}, a: () },
    };
    let step = run::step("values", values);
    let random = run::step("floats", || { let all = []; let x = 0.1; for n in 0..200 { x = x * 1.37 + 1.0 / (n + 3.0); all.push(x); } all });
    let each = run::each("each", [#{ id: "x", f: step.third, u: step.large }], |item| #{ item: item, again: values.call() });
    let big = run::step("big", || arm::get("SUB/resourceGroups/rg-one").tags);
    let told = shown([step, random, each, big]);
    run::note(told);
    run::approve("go", "go on");
    run::note(told);
    told
}"#,
    );
    book.tag("x");
    book.run(3);
    book.go_on(0, &[]);
    let store = SqliteStore::new(book.ferry.directory().join("state"));
    let run = store.resolve("last").unwrap();
    let notes = Ledger::from_entries(&run, &store.read(&run).unwrap()).unwrap().notes;
    assert_eq!(notes.len(), 3);
    assert!(notes[0].contains("third=f64 0.3333333333333333"), "{}", notes[0]);
    assert!(notes.iter().all(|note| note == &notes[0]), "{notes:#?}");
}
