//! How much a thread has computed since it last asked a cloud for something: what only computes, runs away.

use std::cell::Cell;

thread_local! {
    static SPENT: Cell<u64> = const { Cell::new(0) };
}

/// What a call of a `run::` function counts for, which asks no cloud, and may write to the journal.
const OWN_CALL: u64 = 1_000;

/// Counts so many operations of the engine; answers how many there are since a cloud was last asked.
pub fn spend(operations: u64) -> u64 {
    SPENT.with(|spent| {
        let sum = spent.get().saturating_add(operations);
        spent.set(sum);
        sum
    })
}

/// A call of a function of this module has come back.
pub(super) fn called(module: &str) {
    match module {
        "run" | "plugin" => {
            spend(OWN_CALL);
        }
        // It looks through documents, and there may be many.
        "reference" => {}
        _ => begin(),
    }
}

/// A thread begins anew: with a script, with a branch of one, or behind an answer of a cloud.
pub fn begin() {
    SPENT.with(|spent| spent.set(0));
}
