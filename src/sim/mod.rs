//! An Azure that is not there: a faithful simulator on loopback. It uses `types`, and nothing else of ours.
pub mod front;
pub mod resource_graph;

pub use front::{Answer, Ask, Caller};
