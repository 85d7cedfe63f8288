//! What users see: the built binary against the simulator, the documentation, the shape of the code.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod approvals;
mod architecture;
mod authoring;
mod canaries;
mod contract;
mod conversations;
mod credentials;
mod dependencies;
mod docs;
mod doctor;
mod drift;
mod errors;
mod help;
mod journals;
mod permissions;
mod plan;
mod plan_file;
mod postgres;
mod preflight;
mod private_files;
mod props;
mod reliability;
mod relocate;
mod replay;
mod resume;
mod rollback;
mod runbooks;
mod scan;
mod shared_state;
mod sources;
mod specs;
mod support;
mod verification;
