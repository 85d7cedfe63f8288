//! Tokens: the endpoints that give them, and what a token that comes back says.
//!
//! | file | holds |
//! |---|---|
//! | `entra` | the token endpoint of Entra ID: client credentials, in the forms of both versions |
//! | `proof` | whether a secret or an assertion proves the client |
//! | `managed` | the endpoints of machines and apps: App Service, and the instance metadata service |
//! | `pipelines` | where a job of Azure Pipelines gets its assertion |
//! | `discovery` | what clients read before they ask |
//! | `made` | tokens themselves: whom they are for, claims, signature |
//! | `check` | the token of a request |

mod check;
mod discovery;
mod entra;
mod made;
mod managed;
mod pipelines;
mod proof;

use super::world::World;
use super::{Answer, Ask};

pub use check::{Checked, Plane, check, trouble};

/// Answers where the path is that of a token or discovery endpoint.
pub fn answer(world: &World, ask: &Ask) -> Option<Answer> {
    let path = ask.path.trim_end_matches('/').to_ascii_lowercase();
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    match segments.as_slice() {
        ["msi", "token"] => Some(managed::app_service(world, ask)),
        ["metadata", "identity", "oauth2", "token"] => Some(managed::instance(world, ask)),
        [_, "discovery", "instance"] => Some(discovery::instance(ask)),
        [tenant, "oauth2", "v2.0", "token"] => Some(entra::issue(world, ask, tenant, true)),
        [tenant, "oauth2", "token"] => Some(entra::issue(world, ask, tenant, false)),
        [tenant, "v2.0", ".well-known", "openid-configuration"] => Some(discovery::openid(world, ask, tenant, true)),
        [tenant, ".well-known", "openid-configuration"] => Some(discovery::openid(world, ask, tenant, false)),
        [_, "discovery", "keys"] | [_, "discovery", "v2.0", "keys"] => Some(discovery::keys()),
        [
            organization,
            _,
            "_apis",
            "distributedtask",
            "hubs",
            _,
            "plans",
            _,
            "jobs",
            _,
            "oidctoken",
        ] => Some(pipelines::assertion(ask, organization)),
        _ => None,
    }
}

/// A parameter of the form, else of the query; an empty one is none.
fn text(ask: &Ask, name: &str) -> Option<String> {
    let form = ask
        .body
        .as_ref()
        .and_then(|body| body[name].as_str())
        .map(str::to_owned);
    form.or_else(|| ask.parameter(name).map(str::to_owned))
        .filter(|text| !text.is_empty())
}
