//! Azure Resource Manager: one file a kind of thing that it serves.

mod actions;
mod added;
mod assignment_rules;
mod associated;
mod deny;
pub mod fail;
mod federated;
mod groups;
mod identity_block;
mod identity_rules;
mod lists;
mod locks;
mod managed_identity;
mod management_groups;
mod operations;
mod paging;
mod path;
mod permissions;
mod policy;
mod providers;
mod resource;
mod role_assignments;
mod role_definitions;
mod route;
mod show;
mod subscriptions;
mod tags;
mod vault;
mod versions;

pub use path::{concurrent, serial_key};
pub use route::answer;
