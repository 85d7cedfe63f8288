//! An Azure that is not there: a faithful simulator on loopback. It uses `types`, and nothing else of ours.
pub mod resource_graph;
