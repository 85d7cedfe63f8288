//! Executing changes durably: sessions, phases, steps, changes, the plan's overlay, approvals, waits.
//!
//! It knows no scripts and no wire format: above it are `ops` and `host`, below it `azure` and `store`.

pub mod change;
pub mod edit;
mod event;
mod execute;
mod gate;
mod hide;
mod overlay;
pub mod path;
mod person;
pub mod placeholder;
mod planned;
mod read;
pub mod record;
mod refresh;
mod rehearsal;
mod rollback;
mod send;
mod session;
mod settle;
mod step;
mod undo;

pub use event::{Event, Observer, State, nobody};
pub use gate::{Approved, BY_CHECK};
pub use record::{Finding, Ledger, Unseen};
pub use rollback::RolledBack;
pub use session::{Approver, Connect, JournalFactory, KeptScript, Mode, Options, Planned, Session, Status};

/// The version of Microsoft.ManagedIdentity/userAssignedIdentities that Ferry speaks.
pub const IDENTITY_API: &str = "2024-11-30";

/// The path of the step that this thread works in.
pub fn current_path() -> Vec<String> {
    path::current()
}
