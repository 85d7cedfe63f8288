//! The built binary, with a state directory of its own, and simulators that end with the test.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// A binary to run, in a directory and with a state of its own.
pub struct Ferry {
    directory: tempfile::TempDir,
}

/// What a command printed and how it ended.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// How a process ended, and what it printed.
    pub fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The same, if it ended so.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n--- stdout\n{}\n--- stderr\n{}", self.out, self.err);
        self
    }

    /// What it printed, as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap()
    }
}

impl Ferry {
    pub fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ferry"));
        // Options and credentials of whoever runs the tests are not meant for this one.
        let theirs = ["FERRY_", "AZURE", "IDENTITY_", "MSI_", "SYSTEM_", "SSL_CERT_"];
        for (name, _) in std::env::vars_os() {
            if theirs.iter().any(|start| name.to_string_lossy().starts_with(start)) {
                command.env_remove(name);
            }
        }
        command
            .args(args)
            .current_dir(self.directory.path())
            .env("FERRY_STATE", self.directory.path().join("state"));
        command
            .env("XDG_CONFIG_HOME", self.directory.path().join("config"))
            .env("NO_COLOR", "1");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, &[])
    }

    /// Runs with these variables.
    pub fn run_with(&self, args: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut command = self.command(args);
        command.envs(variables.iter().copied());
        Ran::of(&command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap())
    }
}

/// `ferry sim` on an estate of `tests/estates`, or on a file.
pub struct Simulator {
    process: Child,
    pub url: String,
    /// The authority to trust, where it speaks TLS.
    pub ca: Option<PathBuf>,
}

impl Simulator {
    pub fn start(estate: &str) -> Self {
        Self::with(&estate_file(estate), &["--lag", "0.2"])
    }

    /// The same over TLS, by an authority in `directory`.
    pub fn tls(estate: &Path, directory: &Path, options: &[&str]) -> Self {
        let mut all = vec!["--tls", directory.to_str().unwrap()];
        all.extend(options);
        let mut simulator = Self::with(estate, &all);
        simulator.ca = Some(directory.join("ca.pem"));
        simulator
    }

    pub fn with(estate: &Path, options: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ferry"));
        command.args(["sim", "--estate"]).arg(estate).args(options);
        Self::of(command)
    }

    /// The one that a command starts.
    pub fn of(mut command: Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let url = line.trim().strip_prefix("ready ").unwrap().to_owned();
        Self { process, url, ca: None }
    }

    /// Sends a write as somebody else would, past ferry, which has to succeed.
    #[track_caller]
    pub fn change(&self, method: &str, path: &str, body: &Value) {
        let (status, answer) = self.ask(method, path, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
    }

    /// A client that trusts its authority.
    fn client(&self) -> reqwest::Client {
        let authority = self.ca.as_ref().map(|path| std::fs::read(path).unwrap());
        let authority = authority.map(|pem| reqwest::Certificate::from_pem(&pem).unwrap());
        reqwest::Client::builder().tls_certs_only(authority).build().unwrap()
    }

    /// What it answers under a path, as text.
    pub fn read(&self, path: &str) -> String {
        let url = format!("{}{path}", self.url);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let client = self.client();
        runtime.block_on(async { client.get(url).send().await.unwrap().text().await.unwrap() })
    }

    /// Sends a request as the operator, and gives what was answered.
    pub fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}{path}", self.url);
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let client = self.client();
            let token = format!("{}/msi/token?api-version=2019-08-01&resource={}", self.url, self.url);
            let token = client.get(token).header("X-IDENTITY-HEADER", "x").send().await.unwrap();
            let token: Value = serde_json::from_str(&token.text().await.unwrap()).unwrap();
            let request = client
                .request(method, url)
                .bearer_auth(token["access_token"].as_str().unwrap());
            let request = request
                .header("Content-Type", "application/json")
                .body(body.to_string());
            let answer = request.send().await.unwrap();
            let status = answer.status().as_u16();
            (
                status,
                serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default(),
            )
        })
    }

    /// The documents of the estate as it is now.
    pub fn documents(&self) -> Vec<Value> {
        let estate: Value = serde_json::from_str(&self.read("/_sim/estate")).unwrap();
        estate["arm"]["resources"].as_array().unwrap().clone()
    }

    /// The requests that changed something, each once a line of the log.
    pub fn writes(&self) -> Vec<Value> {
        let rows = self.read("/_sim/log");
        let rows = rows.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        rows.filter(|row| {
            let (method, path) = (row["method"].as_str().unwrap(), row["path"].as_str().unwrap());
            let reads = [
                "/resources?",
                "/list?",
                "/getByIds",
                "/getMemberGroups",
                "/checkPolicy",
                "/token",
            ]
            .iter()
            .any(|word| path.contains(word));
            method != "GET" && !path.starts_with("/_sim") && !(method == "POST" && (reads || path.contains("/list")))
        })
        .collect()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn estate_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/estates")
        .join(format!("{name}.json"))
}

/// The small tenants that relocations are tried on, named for their difficulty.
pub const ESTATES: [&str; 6] = [
    "one-vm",
    "two-regions",
    "many-scopes",
    "spellings",
    "lookalikes",
    "locked-and-shared",
];

/// The arguments of a relocation to an identity called `id-moved`.
pub fn relocation<'a>(identity: &'a str, to: &'a str, cloud: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["run", "relocate", identity, to, "name=id-moved", "--cloud", cloud];
    args.extend(more);
    args
}

/// What the demo of an estate relocates, as arguments.
pub fn demo(estate: &str) -> (String, String) {
    let text = std::fs::read_to_string(estate_file(estate)).unwrap();
    let estate: Value = serde_json::from_str(&text).unwrap();
    let of = |name: &str| estate["demo"]["relocate"][name].as_str().unwrap().to_owned();
    (format!("identity={}", of("identity")), format!("to={}", of("to")))
}
