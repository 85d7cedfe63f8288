//! How much a script may spend before it is stopped, and what is said then.

use rhai::Engine;

use crate::error::Error;
use crate::ops::effort;

/// What a script may spend. The limits keep one that has gone wrong from taking the machine along; they are no promise to
/// the byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Operations of the engine in one evaluation: some minutes of a busy loop.
    pub operations: u64,
    /// Operations without a question to a cloud: some seconds.
    pub alone: u64,
    /// Memory of the whole process, in bytes, where the system tells it.
    pub memory: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            operations: 2_000_000_000,
            alone: 200_000_000,
            memory: 4 << 30,
        }
    }
}

/// How often memory is looked at, in operations.
const LOOK: u64 = 1_024;

impl Limits {
    /// Sizes and depths, which hold for parsing too.
    pub(super) fn set(&self, engine: &mut Engine) {
        engine
            .set_max_operations(self.operations)
            .set_max_call_levels(64)
            .set_max_expr_depths(128, 128)
            .set_max_string_size(64 << 20)
            .set_max_array_size(2_000_000)
            .set_max_map_size(1_000_000)
            .set_max_modules(1_000)
            .set_max_variables(10_000);
    }

    /// Counts one operation; the error that ends the script, if it was one too many.
    pub(super) fn spend(&self) -> Option<Error> {
        let spent = effort::spend(1);
        if spent > self.alone {
            let millions = self.alone / 1_000_000;
            return Some(reached(&format!(
                "the script computed for {millions} million operations without asking a cloud for anything"
            )));
        }
        if spent.is_multiple_of(LOOK) && resident().is_some_and(|bytes| bytes > self.memory) {
            let most = self.memory >> 20;
            return Some(reached(&format!("the script took more than {most} MiB of memory")));
        }
        None
    }
}

/// The error of a script that went past a limit.
pub(super) fn reached(message: &str) -> Error {
    Error::failed("limit-reached", message)
        .next("do less in one script, or in smaller pieces: the limits keep a script from running away")
}

/// The memory that this process holds, in bytes.
#[cfg(target_os = "linux")]
fn resident() -> Option<u64> {
    // Pages are 4 KiB where most of these machines are; where they are larger, the limit is as much higher.
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

#[cfg(not(target_os = "linux"))]
fn resident() -> Option<u64> {
    None
}
