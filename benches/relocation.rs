//! What a relocation costs beyond the network: 200 role assignments and 50 bindings, every answer 50 ms late.
//!
//! `cargo bench --bench relocation` runs it twice against `ferry sim`. The first run has room for every request that
//! need not wait for another, so what it takes is the longest chain of requests that must follow each other. The
//! second has the default concurrency of 16. Its time is compared with that chain plus the rest divided by 16.

#![allow(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const LATENCY_MS: u64 = 50;
const ASSIGNMENTS: usize = 200;
const BINDINGS: usize = 50;
const CONCURRENCY: u32 = 16;
/// The bar: the time may be this many times the chain plus the rest divided by the concurrency.
const BAR: f64 = 1.5;

const TENANT: &str = "0a000001-0001-4001-8001-0a0000000001";
const SUBSCRIPTION: &str = "0a000002-0002-4002-8002-0a0000000002";

fn guid(kind: u32, number: usize) -> String {
    format!("0a{kind:06x}-0000-4000-8000-{number:012x}")
}

fn estate() -> (Value, String) {
    let subscription = format!("/subscriptions/{SUBSCRIPTION}");
    let group = format!("{subscription}/resourceGroups/rg");
    let identity = format!("{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-bench");
    let (principal, client) = (guid(1, 1), guid(2, 1));
    let mut resources = vec![
        json!({"id": subscription, "type": "Microsoft.Resources/subscriptions", "subscriptionId": SUBSCRIPTION, "tenantId": TENANT, "displayName": "Bench", "state": "Enabled"}),
        json!({"id": group, "name": "rg", "type": "Microsoft.Resources/resourceGroups", "location": "eastus", "properties": {"provisioningState": "Succeeded"}}),
        json!({"id": identity, "name": "id-bench", "type": "Microsoft.ManagedIdentity/userAssignedIdentities", "location": "eastus", "tags": {},
               "properties": {"tenantId": TENANT, "principalId": principal, "clientId": client}}),
    ];
    for number in 0..ASSIGNMENTS {
        let vault = format!("{group}/providers/Microsoft.ServiceBus/namespaces/bus{number}");
        resources.push(json!({"id": vault, "name": format!("bus{number}"), "type": "Microsoft.ServiceBus/namespaces", "location": "eastus",
            "sku": {"name": "Standard"}, "properties": {"provisioningState": "Succeeded"}}));
        let name = guid(3, number);
        resources.push(json!({"id": format!("{vault}/providers/Microsoft.Authorization/roleAssignments/{name}"), "name": name,
            "type": "Microsoft.Authorization/roleAssignments",
            "properties": {"roleDefinitionId": format!("{subscription}/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"),
                "principalId": principal, "principalType": "ServicePrincipal", "scope": vault}}));
    }
    for number in 0..BINDINGS {
        let name = format!("stbench{number}");
        resources.push(json!({"id": format!("{group}/providers/Microsoft.Storage/storageAccounts/{name}"), "name": name,
            "type": "Microsoft.Storage/storageAccounts", "location": "eastus", "kind": "StorageV2", "sku": {"name": "Standard_LRS"},
            "identity": {"type": "UserAssigned", "userAssignedIdentities": {identity.clone(): {"principalId": principal, "clientId": client}}},
            "properties": {"provisioningState": "Succeeded", "encryption": {"keySource": "Microsoft.Storage"}}}));
    }
    (
        json!({"tenantId": TENANT, "arm": {"resources": resources}, "graph": {"users": [], "groups": [], "servicePrincipals": []}}),
        identity,
    )
}

struct Simulator {
    process: Child,
    url: String,
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn simulator(estate: &std::path::Path) -> Simulator {
    let mut process = Command::new(env!("CARGO_BIN_EXE_ferry"))
        .args(["sim", "--lag", "off", "--latency", &LATENCY_MS.to_string(), "--estate"])
        .arg(estate)
        .stdout(Stdio::piped())
        .spawn()
        .expect("ferry sim starts");
    let mut line = String::new();
    let out = process.stdout.take().expect("stdout is piped");
    BufReader::new(out)
        .read_line(&mut line)
        .expect("ferry sim says that it is ready");
    let url = line
        .trim()
        .strip_prefix("ready ")
        .expect("it says ready and its URL")
        .to_owned();
    Simulator { process, url }
}

/// Relocates on a fresh simulator; how long it took, and how many requests it sent.
fn relocate(directory: &std::path::Path, concurrency: u32) -> (Duration, usize) {
    let (estate, identity) = estate();
    let file = directory.join("estate.json");
    std::fs::write(&file, estate.to_string()).expect("the estate can be written");
    let simulator = simulator(&file);
    let state = directory.join(format!("state-{concurrency}"));
    let begun = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_ferry"))
        .args([
            "run",
            "relocate",
            "--yes",
            "--concurrency",
            &concurrency.to_string(),
            "--cloud",
            &simulator.url,
            "--state",
        ])
        .arg(&state)
        .args([
            format!("identity={identity}"),
            "to=westeurope".into(),
            "name=id-bench-we".into(),
        ])
        .output()
        .expect("ferry runs");
    let took = begun.elapsed();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let log = runtime.block_on(async {
        reqwest::get(format!("{}/_sim/log", simulator.url))
            .await
            .expect("the log")
            .text()
            .await
            .expect("text")
    });
    (took, log.lines().filter(|line| !line.contains("/_sim/")).count())
}

fn main() {
    // `cargo test --benches` only asks whether it runs.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let latency = Duration::from_millis(LATENCY_MS);
    let (chain, _) = relocate(directory.path(), 256);
    let (took, requests) = relocate(directory.path(), CONCURRENCY);
    let in_chain = u32::try_from(chain.as_millis() / latency.as_millis()).unwrap_or(u32::MAX);
    let rest = u32::try_from(requests).unwrap_or(u32::MAX).saturating_sub(in_chain);
    let bound = chain + latency * rest / CONCURRENCY;
    let ratio = took.as_secs_f64() / bound.as_secs_f64();
    println!("{ASSIGNMENTS} role assignments, {BINDINGS} bindings, {LATENCY_MS} ms a request, {requests} requests");
    println!("longest chain (concurrency 256)    {:>8.2} s", chain.as_secs_f64());
    println!(
        "chain + rest / {CONCURRENCY}                  {:>8.2} s",
        bound.as_secs_f64()
    );
    println!(
        "relocation (concurrency {CONCURRENCY})        {:>8.2} s",
        took.as_secs_f64()
    );
    println!("ratio                              {ratio:>8.2}   (bar {BAR})");
    assert!(
        ratio < BAR,
        "the relocation takes {ratio:.2} times what its requests need"
    );
}
