//! Executing changes durably: sessions, phases, steps, changes, the plan's overlay, approvals, waits.
//!
//! It knows no scripts and no wire format: above it are `ops` and `host`, below it `azure` and `store`.

pub mod change;
pub mod costs;
mod database;
mod drift;
pub mod edit;
mod event;
mod execute;
mod found;
mod gate;
mod held;
mod hide;
mod hold;
mod image;
pub mod item;
mod like;
mod options;
mod overlay;
pub mod path;
mod person;
pub mod placeholder;
mod plan_file;
mod planned;
mod planned_map;
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

pub use costs::Costs;
pub use drift::{Difference, Drift};
pub use event::{Event, Observer, State, nobody};
pub use gate::{Approved, BY_CHECK};
pub use options::{Approver, Connect, JournalFactory, KeptScript, Mode, Options, Status};
pub use plan_file::{Bound, FORMAT, PlanFile, PlannedChange, UsedScript};
pub use planned::Planned;
pub use planned_map::map_in;
pub use record::{Finding, Ledger, Unseen};
pub use rollback::RolledBack;
pub use session::Session;

/// The version of Microsoft.ManagedIdentity/userAssignedIdentities that Ferry speaks.
pub const IDENTITY_API: &str = "2024-11-30";

/// The path of the step that this thread works in.
pub fn current_path() -> Vec<String> {
    path::current()
}
