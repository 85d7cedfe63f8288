//! Any text is a script or none; what it says about itself is read or refused, and nothing breaks.

use proptest::prelude::*;
use serde_json::{Map, json};
use tempfile::tempdir;

use super::super::{Host, Scripts};
use super::{exploring, write};

/// Scripts with everything that their readers look for.
const SCRIPTS: [&str; 3] = [
    "//! Tags identities.\n//!\n//! With a `team`.\n\nconst PARAMS = #{ team: #{ type: \"list of choice\", values: [\"a\", \"b\"], help: \"whose\" }, quiet: #{ type: \"duration\", \"default\": \"1h\", help: \"how long\" }, to: #{ type: \"region\", optional: true, help: \"where\" } };\nconst COVERS = [\"Microsoft.Web/sites\"];\n\n/// Looks.\n///\n/// * `params` (map): the parameters\nfn prepare(params) { #{ a: 1 } }\n/** Moves. */\nfn move(params, results) { results.prepare.a }\n",
    "//! A source.\nimport \"relocation/documents\" as documents;\nconst TITLE = \"Mine\";\nconst NEEDS = [\"*/read\"];\nconst HOSTS = [\"*.example.org\"];\nfn list(identity) { [] }\nfn grant(grant, identity) {}\nfn check(grant, identity) { true }\nfn revoke(grant, identity) {}\n",
    "//! A finder.\nconst TITLE = \"Mine\";\nconst LAST = true;\nfn find(identity) { [] }\nfn attach(binding, old, target) {}\nfn check(binding, old, target) { #{ unknown: \"why\" } }\nfn detach(binding, old, target) {}\nfn swap(binding, old, target) {}\n",
];

/// One of them with pieces cut out, doubled or replaced.
fn mutated() -> impl Strategy<Value = String> {
    crate::types::mutated(&SCRIPTS, 0..5, 16, "[ -~\\n\u{e9}\u{4e16}]{0,4}")
}

/// Everything that reads what a script says about itself.
fn look(text: &str) {
    let directory = tempdir().unwrap();
    for file in ["runbooks/mine.rhai", "permissions/mine.rhai", "bindings/mine.rhai"] {
        write(directory.path(), file, text);
    }
    let host = Host::new(Scripts {
        dirs: vec![directory.path().to_owned()],
        ignore: true,
    })
    .unwrap();
    let _ = host.check(Some(&directory.path().join("runbooks/mine.rhai")));
    if let Ok(book) = host.runbook("mine") {
        let _ = book.usage();
        let given = ["team=a,b", "quiet=2h", "to=westeurope", "mine.depth=1"].map(str::to_owned);
        let defaults: Map<String, serde_json::Value> = json!({"team": ["a"], "quiet": 5}).as_object().unwrap().clone();
        let _ = host.params_with(&book, &given, &defaults);
        let _ = host.params_with(&book, &[], &Map::new());
    }
    let (session, _) = exploring();
    for kind in ["permissions", "bindings"] {
        for name in ["TITLE", "NEEDS", "HOSTS", "COVERS", "PARAMS"] {
            let _ = host.eval(&session, &format!("plugin::constant(\"{kind}\", \"mine\", \"{name}\")"));
        }
        let _ = host.eval(&session, &format!("plugin::has(\"{kind}\", \"mine\", \"list\")"));
    }
}

proptest! {
    #![proptest_config(crate::types::tries(24))]

    #[test]
    fn a_mutated_script_is_read_or_refused(text in mutated()) {
        look(&text);
    }

    #[test]
    fn any_text_is_a_script_or_none(text in "[ -~\\n]{0,120}|\\PC{0,60}") {
        look(&text);
    }

    #[test]
    fn any_parameter_is_read_or_refused(given in prop::collection::vec("(team|quiet|to|mine\\.x|[a-z.=]{0,6})=?\\PC{0,20}", 0..4)) {
        let directory = tempdir().unwrap();
        write(directory.path(), "runbooks/mine.rhai", SCRIPTS[0]);
        let host = Host::new(Scripts { dirs: vec![directory.path().to_owned()], ignore: true }).unwrap();
        let book = host.runbook("mine").unwrap();
        let _ = host.params(&book, &given);
    }
}
