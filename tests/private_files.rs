//! What ferry keeps is for its user alone, whatever the umask says.
#![cfg(unix)]

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::{Ferry, Simulator};

/// The files and directories below one that others may read, write or look into.
fn open_to_others(path: &Path, found: &mut Vec<String>, seen: &mut Vec<String>) {
    let mode = path.symlink_metadata().unwrap().permissions().mode() & 0o777;
    let wanted = if path.is_dir() { 0o700 } else { 0o600 };
    if mode != wanted {
        found.push(format!("{mode:o} {}", path.display()));
    }
    seen.push(path.file_name().unwrap().to_string_lossy().into_owned());
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            open_to_others(&entry.unwrap().path(), found, seen);
        }
    }
}

/// Runs ferry under a umask that takes nothing away.
fn unmasked(ferry: &Ferry, args: &[&str], input: &str) -> i32 {
    let plain = ferry.command(args);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "umask 000; exec \"$0\" \"$@\""])
        .arg(plain.get_program())
        .args(plain.get_args());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.current_dir(plain.get_current_dir().unwrap());
    let mut process = shell
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // A command that reads nothing may have ended before.
    let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
    process.wait().unwrap().code().unwrap()
}

#[test]
fn everything_that_ferry_keeps_is_for_its_user_alone() {
    let ferry = Ferry::new();
    let state = ferry.directory().join("deep/state");
    let state = state.to_str().unwrap();
    let run = ["run", "relocate", "--sim", "--yes", "--state", state];
    assert_eq!(unmasked(&ferry, &[&run[..], &["--until", "move"]].concat(), ""), 3);
    assert_eq!(unmasked(&ferry, &["doctor", "--sim", "--state", state], ""), 0);
    assert_eq!(
        unmasked(
            &ferry,
            &["repl", "--sim", "--state", state],
            "1 + 1\n:write on\n:quit\n"
        ),
        0
    );
    // A process that was killed leaves what SQLite keeps beside a journal.
    let mut process = ferry
        .command(&["resume", "last", "--yes", "--state", state])
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    process.kill().unwrap();
    process.wait().unwrap();
    let (mut found, mut seen) = (Vec::new(), Vec::new());
    open_to_others(&ferry.directory().join("deep"), &mut found, &mut seen);
    assert_eq!(found, Vec::<String>::new());
    for kind in [".sqlite", ".lock", "sim.json"] {
        assert!(seen.iter().any(|name| name.ends_with(kind)), "{kind} in {seen:?}");
    }
}

#[test]
fn what_a_simulator_keeps_is_for_its_user_alone() {
    let ferry = Ferry::new();
    let plain = ferry.command(&["sim"]);
    let (tls, save) = (ferry.directory().join("kept/tls"), ferry.directory().join("saved.json"));
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "umask 000; exec \"$0\" \"$@\""])
        .arg(plain.get_program())
        .arg("sim");
    shell.arg("--estate").arg(crate::support::estate_file("one-vm"));
    shell.arg("--tls").arg(&tls).arg("--save").arg(&save);
    let mut simulator = Simulator::of(shell);
    simulator.ca = Some(tls.join("ca.pem"));
    let group = json!({"location": "eastus"});
    let subscription = simulator
        .documents()
        .iter()
        .find_map(|d| Some(d["subscriptionId"].as_str()?.to_owned()));
    let path = format!(
        "/subscriptions/{}/resourceGroups/rg-new?api-version=2024-03-01",
        subscription.unwrap()
    );
    simulator.change("PUT", &path, &group);
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&tls), mode(&save)), (0o700, 0o600));
    for file in std::fs::read_dir(&tls).unwrap() {
        let path = file.unwrap().path();
        // The authority's certificate is for everyone to trust.
        let wanted = if path.ends_with("ca.pem") { mode(&path) } else { 0o600 };
        assert_eq!(mode(&path), wanted, "{}", path.display());
    }
}
