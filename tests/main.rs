//! What users see: the built binary against the simulator, the documentation, the shape of the code.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod architecture;
mod contract;
mod conversations;
mod credentials;
mod docs;
mod doctor;
mod errors;
mod help;
mod plan;
mod plan_file;
mod reliability;
mod relocate;
mod resume;
mod rollback;
mod sources;
mod specs;
mod support;
