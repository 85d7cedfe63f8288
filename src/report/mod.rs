//! What was found and done, in several renderings of one model.
//!
//! The model is pure: it is made of a journal or of a plan, and knows no terminal. Each face is a file of its own.

mod costs;
mod coverage;
mod delta;
mod escape;
pub mod html;
pub mod json;
pub mod junit;
mod map;
pub mod markdown;
pub mod mermaid;
mod model;
mod scan;
pub mod text;

pub use delta::Delta;
pub use map::{Item, Map};
pub use model::{Change, Counts, Phase, Plan, Run, map_in};
pub use scan::Scan;
