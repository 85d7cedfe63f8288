//! `shim.c`, compiled once: what stands between a process and its disk.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// What happens at an act on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The process ends before the act.
    Before,
    /// The process ends after the act.
    After,
    /// Half of a write is done, and the process ends.
    Half,
    /// There is no room, now and later.
    NoRoom,
    /// There is no room this once.
    NoRoomOnce,
    /// The disk fails, now and later.
    Fails,
    /// The disk fails this once.
    FailsOnce,
}

impl How {
    fn variables(self) -> (&'static str, bool) {
        match self {
            How::Before => ("before", false),
            How::After => ("after", false),
            How::Half => ("half", false),
            How::NoRoom => ("enospc", false),
            How::NoRoomOnce => ("enospc", true),
            How::Fails => ("eio", false),
            How::FailsOnce => ("eio", true),
        }
    }
}

/// The shared object. Building Ferry needs a C compiler, so there is one.
fn object() -> &'static Path {
    static BUILT: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, object) = BUILT.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let object = directory.path().join("shim.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reliability/crash/shim.c");
        let built = Command::new("cc")
            .args(["-std=c11", "-O1", "-shared", "-fPIC", "-o"])
            .args([&object, &source])
            .arg("-ldl")
            .status()
            .unwrap();
        assert!(built.success(), "cc did not compile {}", source.display());
        (directory, object)
    });
    object
}

/// Lets a process be watched that keeps its journals in `state`; what it does there is written to `log`.
pub fn watch(command: &mut Command, state: &Path, log: &Path) {
    command
        .env("LD_PRELOAD", object())
        .env("CRASH_DIR", state)
        .env("CRASH_LOG", log);
}

/// Lets something happen to a process at its act of this number.
pub fn strike(command: &mut Command, act: usize, how: How) {
    let (word, once) = how.variables();
    command.env("CRASH_AT", act.to_string()).env("CRASH_HOW", word);
    if once {
        command.env("CRASH_ONCE", "1");
    }
}

/// The acts of a process so far, as `write /RUN.sqlite-wal 4096`.
pub fn acts(log: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.lines()
        .map(|line| line.split_once(' ').map_or("", |(_, act)| act).to_owned())
        .collect()
}
