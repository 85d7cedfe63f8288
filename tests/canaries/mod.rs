//! No secret leaves ferry: canaries stand where secrets stand, and nothing that ferry wrote may have one in it, in any form.

mod planted;

use std::time::Duration;

use serde_json::{Value, json};

use crate::rollback::differences;
use crate::support::{Ferry, Ran, Simulator};
use planted::{APP, APP_SECRET, CLIENT_SECRET, IN_CONNECTION, IN_SETTING, SETTING, TOKEN, VARIABLE, WORD, Written};

/// A tenant with canaries behind TLS, an operator with a secret, and everything that ferry writes.
struct Stage {
    ferry: Ferry,
    simulator: Simulator,
    tenant: String,
    written: Written,
}

impl Stage {
    fn new(options: &[&str]) -> Self {
        let ferry = Ferry::new();
        let estate = planted::estate();
        // The simulator's own files are the tenant, and are not looked at.
        let file = ferry.directory().join("estate.json");
        std::fs::write(&file, estate.to_string()).unwrap();
        let mut all = vec!["--auth", "strict", "--lag", "0.1"];
        all.extend(options);
        let simulator = Simulator::tls(&file, &ferry.directory().join("tls"), &all);
        Self {
            ferry,
            simulator,
            tenant: estate["tenantId"].as_str().unwrap().to_owned(),
            written: Written::default(),
        }
    }

    fn args<'a>(&'a self, words: &[&'a str]) -> Vec<&'a str> {
        let ca = self.simulator.ca.as_ref().unwrap().to_str().unwrap();
        let cloud = ["--cloud", &self.simulator.url, "--ca", ca, "--auth", "environment"];
        [words, cloud.as_slice()].concat()
    }

    fn variables(&self) -> [(&str, &str); 3] {
        [
            ("AZURE_TENANT_ID", self.tenant.as_str()),
            ("AZURE_CLIENT_ID", APP),
            ("AZURE_CLIENT_SECRET", CLIENT_SECRET),
        ]
    }

    /// Runs a command that asks the cloud; what it printed is kept.
    fn ask(&mut self, words: &[&str]) -> Ran {
        let ran = self.ferry.run_with(&self.args(words), &self.variables());
        self.written.ran(&words.join(" "), &ran);
        ran
    }

    /// Runs a command on a run, with the same credential.
    fn tell(&mut self, words: &[&str]) -> Ran {
        let ca = self.simulator.ca.as_ref().unwrap().to_str().unwrap().to_owned();
        let args = [words, ["--ca", &ca].as_slice()].concat();
        let ran = self.ferry.run_with(&args, &self.variables());
        self.written.ran(&words.join(" "), &ran);
        ran
    }

    fn estate(&self) -> Value {
        serde_json::from_str(&self.simulator.read("/_sim/estate")).unwrap()
    }

    fn relocate(&mut self, verb: &'static str, more: &[&'static str]) -> Ran {
        let [identity, to] = planted::relocation();
        let words = [verb, "relocate", &identity, &to, "name=id-moved"];
        self.ask(&[&words[..], more].concat())
    }

    #[track_caller]
    fn silent(&mut self) {
        self.written.files(&self.ferry);
        self.written.silent();
    }
}

/// Answers of a cloud that tells everybody what it was sent.
fn gossip() -> Value {
    let told = [SETTING, IN_SETTING, IN_CONNECTION, APP_SECRET, WORD].join(" | ");
    let message = format!(
        "The value '{told}' of {VARIABLE} is not valid; the caller was Bearer {TOKEN} with client_secret={CLIENT_SECRET}"
    );
    let body =
        json!({"error": {"code": "BadRequest", "message": message, "details": [{"code": told, "message": told}]}});
    json!([
        {"match": {"method": "PUT", "path": "config/appsettings"}, "times": 1, "do": {"status": 400, "body": body}},
        {"match": {"method": "PATCH", "path": "containerApps/"}, "times": 1, "do": {"status": 400, "body": body}},
    ])
}

#[test]
fn a_relocation_and_its_way_back_let_no_secret_out() {
    let mut stage = Stage::new(&["--latency", "5"]);
    let before = stage.estate();
    stage.ask(&["doctor"]);
    stage.ask(&["doctor", "--json"]);
    stage.ask(&["eval", "identity::list().len()", "-v"]).code(0);
    stage.relocate("plan", &["-v"]).code(0);
    stage.relocate("plan", &["--json"]).code(0);
    std::fs::create_dir(stage.ferry.directory().join("out")).unwrap();
    stage.relocate("plan", &["--out", "out/plan.json"]).code(0);
    stage.silent();

    // Azure refuses the very documents that hold secrets, and repeats them.
    stage.simulator.change("POST", "/_sim/faults", &gossip());
    let ran = stage.relocate("run", &["--yes", "-v", "--until", "move"]).code(1);
    assert!(
        ran.err.contains("(hidden)") && ran.err.contains("is not valid"),
        "{}",
        ran.err
    );
    stage.tell(&["show", "last"]).code(0);
    let shown = stage.tell(&["show", "last", "--json"]).code(0);
    assert!(shown.out.contains("(hidden)"), "{}", shown.out);
    stage.silent();

    // Killed while it writes, and resumed.
    let mut process = stage.ferry.command(&["resume", "last", "--yes", "--until", "move"]);
    process
        .envs(stage.variables())
        .arg("--ca")
        .arg(stage.simulator.ca.as_ref().unwrap());
    let mut process = process.spawn().unwrap();
    let wanted = stage.simulator.writes().len() + 2;
    while stage.simulator.writes().len() < wanted && process.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(2));
    }
    process.kill().unwrap();
    process.wait().unwrap();
    stage.silent();
    stage
        .tell(&["resume", "last", "--yes", "--until", "move", "--json"])
        .code(3);
    let moved = stage.estate();
    let texts = moved.to_string();
    let new = moved["arm"]["resources"]
        .as_array()
        .unwrap()
        .iter()
        .find(|d| d["name"] == "id-moved")
        .unwrap();
    let client = new["properties"]["clientId"].as_str().unwrap();
    for password in [IN_SETTING, IN_CONNECTION, APP_SECRET] {
        assert!(
            texts.contains(&format!("User Id={client};Password={password}")),
            "{password} was to move along"
        );
    }
    stage.tell(&["rollback", "last", "-v"]).code(0);
    assert_eq!(differences(&before, &stage.estate()), Vec::<String>::new());
    stage.tell(&["show", "last", "--json"]).code(0);
    stage.tell(&["report", "last"]).code(0);
    stage
        .tell(&["report", "last", "--html", "out/report.html", "--mermaid"])
        .code(0);
    stage.tell(&["runs", "--json"]).code(0);
    stage.silent();
}

#[test]
fn a_script_that_tries_to_let_secrets_out_does_not() {
    let ferry = Ferry::new();
    let estate = planted::estate();
    let file = ferry.directory().join("estate.json");
    std::fs::write(&file, estate.to_string()).unwrap();
    std::fs::write(ferry.directory().join("leaky.rhai"), include_str!("leaky.rhai")).unwrap();
    let simulator = Simulator::with(&file, &["--lag", "0.1"]);
    let id = |end: &str| {
        let documents = estate["arm"]["resources"].as_array().unwrap();
        let found = documents
            .iter()
            .filter_map(|d| d["id"].as_str())
            .find(|id| id.ends_with(end));
        found.unwrap().to_owned()
    };
    let (site, app) = (
        format!("site={}", id("/sites/app-kinds")),
        format!("app={}", id("/ca-kinds")),
    );
    let mut written = Written::default();
    for (verb, way, code) in [
        ("plan", "way=none", 0),
        ("plan", "way=throw-map", 1),
        ("run", "way=throw", 1),
        ("run", "way=throw-map", 1),
        ("run", "way=return", 1),
        ("run", "way=none", 0),
    ] {
        let form = if way == "way=none" { "--json" } else { "-v" };
        let args = [
            verb,
            "./leaky.rhai",
            &site,
            &app,
            way,
            "--yes",
            form,
            "--cloud",
            &simulator.url,
        ];
        let ran = ferry.run(&args);
        written.ran(&args.join(" "), &ran);
        written.silent();
        ran.code(code);
        if verb == "run" {
            for args in [&["show", "last"][..], &["show", "last", "--json"]] {
                written.ran(&args.join(" "), &ferry.run(args).code(0));
            }
        }
    }
    // A gate pauses a run without --yes; a person approves it by the name that is shown.
    let args = [
        "run",
        "./leaky.rhai",
        &site,
        &app,
        "way=wait",
        "--cloud",
        &simulator.url,
    ];
    written.ran("run to a gate", &ferry.run(&args).code(3));
    written.ran("resume to a gate", &ferry.run(&["resume", "last"]).code(3));
    for words in [
        &["approve", "last"][..],
        &["approve", "last", "nothing"],
        &["rollback", "last", "--json"],
        &["runs"],
    ] {
        written.ran(&words.join(" "), &ferry.run(words));
    }
    let typed = "arm::post(\"SITE/config/appsettings/list\").properties.API_VALUE";
    for (expression, code) in [
        ("print(X)", 0),
        ("throw X", 1),
        ("run::step(X, || 1)", 1),
        ("run::step(\"x\", || X)", 1),
    ] {
        let expression = expression.replace('X', &typed.replace("SITE", &id("/sites/app-kinds")));
        let ran = ferry.run(&["eval", &expression, "--cloud", &simulator.url]);
        written.ran(&expression, &ran);
        ran.code(code);
    }
    written.files(&ferry);
    written.silent();
}
