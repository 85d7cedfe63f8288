//! State that a team shares, by whole processes against the real Azurite: `tests/azurite/run` starts it and runs these.
//! What a lease needs is time; while it runs out, nothing else is done.

mod network;

use std::collections::HashMap;
use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use self::network::{Cut, Network};
use crate::support::{Ferry, Ran, Simulator, demo, estate_file};

/// A machine of the team: a directory and a home of its own, and the container that all of them share.
struct Machine {
    ferry: Ferry,
    state: String,
}

/// The URL of a new container of the emulator.
fn container() -> String {
    let account = std::env::var("FERRY_AZURITE").expect("FERRY_AZURITE is not set: tests/azurite/run sets it");
    format!("{account}/t-{}", uuid::Uuid::new_v4())
}

impl Machine {
    fn of(state: &str) -> Self {
        Self {
            ferry: Ferry::new(),
            state: state.to_owned(),
        }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.ferry.command(args);
        command
            .env("FERRY_STATE", &self.state)
            .env("HOME", self.ferry.directory());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        Ran::of(&self.command(args).output().unwrap())
    }

    fn show(&self) -> Value {
        self.run(&["show", "last", "--json"]).code(0).json()
    }

    /// A relocation that has begun, and the arguments to begin it with.
    fn begin(&self, simulator: &Simulator, more: &[&str]) -> Child {
        let (identity, to) = demo("one-vm");
        let mut args = vec!["run", "relocate", &identity, &to, "--cloud", &simulator.url];
        args.extend(more);
        self.command(&args).spawn().unwrap()
    }
}

/// A simulator whose answers take so long that a run can be caught at work.
fn slow(milliseconds: &str) -> Simulator {
    Simulator::with(&estate_file("one-vm"), &["--lag", "0.1", "--latency", milliseconds])
}

/// How a process ended; what it printed is small enough to wait in its pipes.
fn ended(mut process: Child) -> Ran {
    let (mut out, mut err) = (String::new(), String::new());
    process.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    process.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    let code = process.wait().unwrap().code().unwrap_or(-1);
    Ran { code, out, err }
}

/// Waits until a process has had so many writes answered.
fn until_writes(simulator: &Simulator, process: &mut Child, count: usize) {
    while simulator.writes().len() < count {
        assert!(
            process.try_wait().unwrap().is_none(),
            "it ended before it was caught at work"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn signal(process: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([name, &process.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

/// Every write that succeeded, succeeded once, and the run is done with nothing left open.
#[track_caller]
fn done_once(simulator: &Simulator, shown: &Value) {
    let mut done: HashMap<(String, String, String), usize> = HashMap::new();
    for row in simulator.writes() {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        if row["status"].as_u64().is_some_and(|status| status < 300) {
            *done
                .entry((text("method"), text("path"), text("bodyHash")))
                .or_default() += 1;
        }
    }
    let repeated: Vec<_> = done.iter().filter(|(_, count)| **count > 1).collect();
    assert!(repeated.is_empty(), "sent again after its done: {repeated:#?}");
    assert_eq!(shown["status"], "done", "{shown:#}");
    let changes = shown["changes"].as_array().unwrap();
    assert!(!changes.is_empty());
    assert!(changes.iter().all(|change| change["status"] == "done"), "{changes:#?}");
}

#[test]
#[ignore = "needs Azurite: tests/azurite/run"]
fn a_run_is_begun_here_approved_there_and_finished_or_taken_back_anywhere() {
    let state = container();
    let (here, there) = (Machine::of(&state), Machine::of(&state));
    let simulator = Simulator::start("one-vm");
    assert!(there.run(&["runs"]).code(0).out.is_empty());
    let paused = ended(here.begin(&simulator, &[])).code(3);
    assert!(paused.err.contains("approve"), "{}", paused.err);
    assert!(there.run(&["runs"]).code(0).out.contains("paused"));
    assert_eq!(there.show()["status"], "paused");
    for gate in ["clean_up", "delete"] {
        there.run(&["approve", "last", gate]).code(0);
    }
    let other = Machine::of(&state);
    other.run(&["resume", "last"]).code(0);
    done_once(&simulator, &here.show());
    let left = std::fs::read_dir(there.ferry.directory()).unwrap().count();
    assert_eq!(left, 0, "the journal was kept on a machine");

    let simulator = Simulator::start("one-vm");
    let before = simulator.documents();
    ended(here.begin(&simulator, &["--until", "move", "--yes"])).code(3);
    assert_ne!(simulator.documents(), before);
    there.run(&["rollback", "last"]).code(0);
    assert_eq!(simulator.documents(), before);
    assert_eq!(here.show()["status"], "rolled-back");
    assert_eq!(
        here.run(&["runs", "--json"]).code(0).json().as_array().unwrap().len(),
        2
    );
}

#[test]
#[ignore = "needs Azurite: tests/azurite/run"]
fn two_processes_fight_for_one_run_and_one_of_them_works() {
    let state = container();
    let simulator = slow("120");
    let machines = [Machine::of(&state), Machine::of(&state), Machine::of(&state)];
    // From the beginning, and in the middle.
    let began: Vec<Ran> = machines
        .iter()
        .map(|machine| machine.begin(&simulator, &["--until", "prepare", "--yes"]))
        .collect::<Vec<_>>()
        .into_iter()
        .map(ended)
        .collect();
    let paused = began.iter().filter(|ran| ran.code == 3).count();
    let kept_out = |ran: &Ran| ran.code == 1 && (ran.err.contains("run-held") || ran.err.contains("run-unfinished"));
    assert_eq!(
        (paused, began.iter().filter(|ran| kept_out(ran)).count()),
        (1, 2),
        "{}",
        told(&began)
    );

    let resumed: Vec<Child> = machines
        .iter()
        .map(|machine| machine.command(&["resume", "last", "--yes"]).spawn().unwrap())
        .collect();
    let resumed: Vec<Ran> = resumed.into_iter().map(ended).collect();
    let finished = resumed
        .iter()
        .filter(|ran| ran.out.contains("relocate is done"))
        .count();
    // Whoever comes when it is over says so; whoever comes earlier is kept out by a holder that shows life.
    let others = resumed
        .iter()
        .filter(|ran| ran.err.contains("run-held") || ran.out.contains("nothing to resume"))
        .count();
    assert_eq!((finished, others), (1, 2), "{}", told(&resumed));
    done_once(&simulator, &machines[0].show());
}

fn told(all: &[Ran]) -> String {
    let each = all
        .iter()
        .map(|ran| format!("--- {}\n{}\n{}", ran.code, ran.out, ran.err));
    each.collect::<Vec<_>>().join("\n")
}

#[test]
#[ignore = "needs Azurite: tests/azurite/run"]
fn a_killed_holder_is_waited_for_and_a_stopped_one_writes_nothing_more() {
    std::thread::scope(|scope| {
        scope.spawn(a_killed_holder);
        scope.spawn(a_stopped_holder);
    });
}

/// Killed in the middle; `resume` says that it waits, and goes on when the lease has run out.
fn a_killed_holder() {
    let state = container();
    let (here, there) = (Machine::of(&state), Machine::of(&state));
    let simulator = slow("60");
    let mut holder = here.begin(&simulator, &["--yes"]);
    until_writes(&simulator, &mut holder, 3);
    holder.kill().unwrap();
    ended(holder);
    let begun = Instant::now();
    let resumed = there.run(&["resume", "last", "--yes"]).code(0);
    assert!(resumed.err.contains("is held by process"), "{}", resumed.err);
    assert!(resumed.err.contains("whoever held it is gone"), "{}", resumed.err);
    assert!(
        begun.elapsed() > Duration::from_secs(10),
        "the lease of a holder was not respected"
    );
    done_once(&simulator, &there.show());
}

/// Stopped in the middle, as by a laptop's lid; another takes over and finishes; the first wakes up.
fn a_stopped_holder() {
    let state = container();
    let (here, there) = (Machine::of(&state), Machine::of(&state));
    let simulator = slow("60");
    let mut holder = here.begin(&simulator, &["--yes"]);
    until_writes(&simulator, &mut holder, 3);
    signal(&holder, "-STOP");
    there.run(&["resume", "last", "--yes"]).code(0);
    let (shown, sent) = (there.show(), simulator.writes().len());
    done_once(&simulator, &shown);
    signal(&holder, "-CONT");
    let woken = ended(holder).code(1);
    assert!(woken.err.contains("lease-lost"), "{}", woken.err);
    assert_eq!(simulator.writes().len(), sent, "it wrote to Azure: {}", woken.err);
    assert_eq!(there.show(), shown, "it wrote to the journal");
}

#[test]
#[ignore = "needs Azurite: tests/azurite/run"]
fn a_network_that_is_cut_in_the_middle_of_an_append_loses_and_doubles_nothing() {
    for cut in [Cut::BeforeTheRequest, Cut::BeforeTheAnswer] {
        let network = Network::to(&container(), cut, 4);
        let (cut_off, there) = (Machine::of(&network.url), Machine::of(&network.direct));
        let simulator = Simulator::start("one-vm");
        ended(cut_off.begin(&simulator, &["--yes"])).code(0);
        assert!(network.cuts() > 8, "the network was cut {} times", network.cuts());
        done_once(&simulator, &there.show());
    }
}
