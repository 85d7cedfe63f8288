//! Where files of the operator's machine name an identity, and the patch that turns them to another one.
//!
//! It only reads. Of what a file says nothing leaves it but places, ids and names; the lines of a file stand in a
//! [`Patch`] alone, which is made for whoever asked and kept nowhere. It knows no run and no cloud.

mod blocks;
mod by_name;
mod commands;
mod declared;
mod doubts;
mod encoded;
mod ids;
mod look;
mod mark;
mod names;
mod patch;
mod paths;
mod text;
mod unified;
mod walk;

pub use look::{Found, look};
pub use mark::{Kind, Place, To, Word};
pub use names::{Identity, Names};
pub use patch::Patch;
pub use unified::{Edit, applied, unified};
pub use walk::LeftOut;

#[cfg(test)]
mod tests;
