//! The Rhai engine: building it, modules and overrides, limits, script errors, documentation.
//!
//! [`Host`] is what programs embed: it finds runbooks, reads their parameters, and runs them in a session.

mod border;
mod check;
mod coverage;
pub mod docs;
mod driver;
mod engine;
mod fence;
mod library;
mod limits;
mod loader;
mod params;
mod program;
mod resolver;
mod run;
mod runbook;
mod testing;
#[cfg(test)]
pub(crate) mod tests;
pub mod trace;

pub use check::Checked;
pub use limits::Limits;
pub use loader::{Foreign, Loader, Script, Scripts, embedded};
pub use params::{Declared, ParamKind, Params};
pub use program::Program;
pub use run::{Host, RunOutcome};
pub use runbook::{PHASES, Runbook};
pub use testing::Case;
