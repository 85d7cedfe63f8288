//! Private scaffolding of the branch `wt-host`: the signatures of the contract, without a journal.
pub mod path;
mod session;
pub use session::*;
/// The thread's step path.
pub fn current_path() -> Vec<String> {
    path::current()
}
