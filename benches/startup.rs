//! How long Ferry takes to start: whole processes, as a person at a prompt meets them.
//!
//! `cargo bench --bench startup` prints both in milliseconds.

use std::process::{Command, Stdio};

use criterion::{Criterion, criterion_group, criterion_main};

fn ferry(args: &[&str]) {
    let status = Command::new(env!("CARGO_BIN_EXE_ferry"))
        .args(args)
        .stdout(Stdio::null())
        .status();
    assert!(status.is_ok_and(|status| status.success()), "ferry {args:?} failed");
}

fn startup(criterion: &mut Criterion) {
    criterion.bench_function("ferry --version", |bench| bench.iter(|| ferry(&["--version"])));
    criterion.bench_function("ferry eval '1+1'", |bench| bench.iter(|| ferry(&["eval", "1+1"])));
    criterion.bench_function("/bin/true, for comparison", |bench| {
        bench.iter(|| Command::new("/bin/true").status().is_ok_and(|status| status.success()));
    });
}

criterion_group!(benches, startup);
criterion_main!(benches);
