//! The official examples of Azure's API specifications, sent to the simulator. They lie beside the checkout, not in it:
//! where they are not, the simulator's own tests carry the facts.

mod compare;
mod estate;
mod example;
mod hierarchy;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ferry::sim::{Options, Server};
use serde::Deserialize;
use serde_json::Value;

use example::{Example, Request};

/// How the examples are sent: `requests.toml`.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Requests {
    /// A method and a path by example.
    send: BTreeMap<String, String>,
    /// The same, of what the simulator says that it does not serve.
    not_served: BTreeMap<String, String>,
}

/// What is the example's own: `differences.toml`.
#[derive(Deserialize)]
struct Differences {
    /// Placeholders that many examples have, and what is sent in their place.
    everywhere: BTreeMap<String, String>,
    /// The same of one example, and its slips.
    placeholder: BTreeMap<String, Vec<(String, String)>>,
    /// Pointers of any answer that are not compared, and why.
    anywhere: BTreeMap<String, String>,
    /// The same of the answer of one example.
    #[serde(rename = "own")]
    own: BTreeMap<String, BTreeMap<String, String>>,
}

fn folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let root = std::env::var_os("FERRY_SHARED").map_or(beside, PathBuf::from);
    Some(root.join("azure/specs")).filter(|folder| folder.is_dir())
}

/// What came back.
struct Reply {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Value,
}

async fn send(client: &reqwest::Client, url: &str, request: &Request, method: &str) -> Reply {
    let mut sent = client.request(method.parse().unwrap(), url).bearer_auth("any");
    if method == request.method {
        for (name, value) in &request.headers {
            sent = sent.header(name, value);
        }
        if let Some(body) = &request.body {
            sent = sent.json(body);
        }
    }
    let answer = sent.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let text = answer.text().await.unwrap();
    Reply {
        status,
        headers,
        body: serde_json::from_str(&text).unwrap_or(Value::Null),
    }
}

/// Sends the request of an example to a simulator of the estate that it presupposes; gives the first answer, and the
/// resource as it is in the end where the answer was not the end.
async fn ask(example: &Example, request: &Request) -> (Reply, Option<Value>) {
    let server = Server::start(Options {
        estate: estate::presupposed(example, request),
        lag: Some(Duration::ZERO),
        ..Options::default()
    })
    .await
    .unwrap_or_else(|error| panic!("{}: {error}", example.name));
    let client = reqwest::Client::new();
    let url = format!("{}{}", server.url(), request.target());
    let first = send(&client, &url, request, &request.method).await;
    if first.status != 202 {
        return (first, None);
    }
    let header = |name: &str| first.headers.get(name).map(|url| url.to_str().unwrap().to_owned());
    let monitor = header("azure-asyncoperation").or_else(|| header("location")).unwrap();
    for _ in 0..100 {
        let poll = send(&client, &monitor, request, "GET").await;
        let ended = poll.status != 202 && poll.body["status"] != "InProgress";
        if ended {
            break;
        }
    }
    let end = send(&client, &url, request, "GET").await;
    (first, Some(end.body))
}

#[tokio::test]
async fn official_examples_are_answered_as_they_were_published() {
    let Some(folder) = folder() else {
        eprintln!("nothing to read: azure/specs is not beside the checkout");
        return;
    };
    let requests: Requests = toml::from_str(include_str!("requests.toml")).unwrap();
    let differences: Differences = toml::from_str(include_str!("differences.toml")).unwrap();
    let (mut passed, mut refused, mut wrong) = (0, 0, Vec::new());
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    for file in files {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let place = differences.placeholder.get(&name).map_or(&[][..], Vec::as_slice);
        let example = Example::read(&file, &name, &differences.everywhere, place);
        if let Some(line) = requests.send.get(&name) {
            let request = example.request(line);
            let mut own = differences.own.get(&name).cloned().unwrap_or_default();
            own.extend(differences.anywhere.clone());
            let (reply, end) = ask(&example, &request).await;
            let found = compare::answer(&example, &request, reply.status, &reply.body, end.as_ref(), &own);
            if found.is_empty() {
                passed += 1;
            } else {
                wrong.push(format!("{name}: {}\n    {}", request.target(), found.join("\n    ")));
            }
        } else if let Some(line) = requests.not_served.get(&name) {
            let (reply, _) = ask(&example, &example.request(line)).await;
            let code = reply.body["error"]["code"].as_str().unwrap_or_default();
            if (reply.status, code) == (501, "NotSupportedBySimulator") {
                refused += 1;
                eprintln!("not served: {name}: {}", reply.body["error"]["message"]);
            } else {
                wrong.push(format!(
                    "{name}: {} instead of a refusal that says so: {}",
                    reply.status, reply.body
                ));
            }
        } else {
            eprintln!("not sent: {name}: tests/specs/requests.toml tells no request for it");
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} differ\n{}",
        wrong.len(),
        wrong.len() + passed,
        wrong.join("\n")
    );
    assert_eq!((passed, refused), (requests.send.len(), requests.not_served.len()));
}
