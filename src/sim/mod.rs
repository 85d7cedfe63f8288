//! An Azure that is not there: a faithful simulator on loopback. It uses `types`, and nothing else of ours.
//!
//! [`Server::start`] reads an estate and listens on one port: Azure Resource Manager at `/`, Microsoft Graph at `/v1.0`
//! and `/beta`, tokens, data planes below `/dataplane`, and `/_sim` for those who test against it.
//!
//! | file | holds |
//! |---|---|
//! | `server` `tls` `wire` `way` | listening, reading requests, writing answers; what a request passes through |
//! | `front` | what the front doors share |
//! | `arm` `graph` `resource_graph` `token` `metadata` `dataplane` | the front doors |
//! | `estate` `store` `world` `save` | the documents and all other state |
//! | `catalog` `regions` `builtin_roles` | what Azure is like, as data |
//! | `rights` `tree` `condition` `replication` `throttle` `faults` `latch` | what hurts |
//! | `behaviour` | which of it is on |
//! | `control` `log` | `/_sim`, and the log of requests |

pub mod front;
pub mod graph;
pub mod resource_graph;

mod arm;
mod behaviour;
mod builtin_roles;
mod catalog;
mod control;
mod dataplane;
mod estate;
mod faults;
mod headers;
mod kusto;
mod latch;
mod log;
mod metadata;
mod options;
mod regions;
mod replication;
mod rights;
mod save;
mod server;
mod store;
mod throttle;
mod tls;
mod token;
mod tree;
mod way;
mod wire;
mod world;

#[cfg(test)]
mod tests;

pub use behaviour::setting;
pub use estate::EstateError;
pub use faults::{Break, Deed, Fault, Host, Links, Match, Spoil, TokenTrouble};
pub use front::{Answer, Ask, Caller};
pub use options::{Error, Options};
pub use server::Server;
