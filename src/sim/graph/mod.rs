//! Microsoft Graph, v1.0 and beta: the directory of the simulated tenant and the requests that read and change it.
//!
//! [`Directory`] holds the estate's `graph` documents as they are stored; what Graph adds when it answers (null
//! members, computed names, display names of the other end) is made in `schema` and `view`, never stored. Requests
//! come in through [`Directory::answer`], one at a time; `$batch` is cut into single ones by [`Directory::batch`].
//! Who may read or write is not judged here, but for role-assignable groups, whose rule is about the directory itself.

mod answer;
mod app_role;
mod batch;
mod change;
mod client;
mod cost;
mod credential;
mod directory;
mod directory_role;
mod entity;
mod expand;
mod filter;
mod governance;
mod group_rule;
mod link;
mod membership;
mod page;
mod path;
mod permission_grant;
mod query;
mod refusal;
mod role_catalog;
mod route;
mod schedule;
mod schema;
mod section;
mod view;

#[cfg(test)]
mod tests;

pub use batch::InnerAsk;
pub use directory::Directory;
pub use role_catalog::GLOBAL_ADMINISTRATOR;
