//! A program that embeds the host: it gives scripts a module of its own, and runs a runbook of its own on the simulator.
//!
//! ```console
//! $ cargo run --example embedding
//! ```

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::Arc;

use ferry::azure::{AuthMethod, Client, Cloud, Options as Wire, Tokens};
use ferry::host::{Host, Scripts};
use ferry::run::{Event, Options, Session};
use ferry::sim::{Options as Simulated, Server};
use ferry::store::{SqliteStore, Store as _};
use futures::FutureExt as _;
use serde_json::{Map, json};

/// What scripts see as `house::`.
fn house() -> ferry::ops::OpModule {
    ferry::ops! { house,
        "Rules of the house.";

        /// The name that the house gives an identity of a team.
        ///
        /// * `team` (string): the team
        /// * `region` (string): the region, in Azure's short form
        /// * returns (string): the name
        /// * changes: no
        ///
        /// ```rhai
        /// assert_eq(house::identity_name("orders", "westeurope"), "id-orders-westeurope");
        /// ```
        fn identity_name(call) {
            Ok(format!("id-{}-{}", call.text("team")?, call.text("region")?))
        }
    }
}

/// A runbook that uses it.
const RUNBOOK: &str = r#"
//! Makes an identity for a team, as the house names it.

const PARAMS = #{ team: #{ type: "string", help: "the team" } };

fn main(params) {
    let group = subscription::list()[0].id + "/resourceGroups/rg-house";
    let id = group + "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/" + house::identity_name(params.team, "westeurope");
    run::step("identity", || identity::create(#{ id: id, location: "westeurope" })).name
}
"#;

/// A tenant with one subscription and one group.
fn estate() -> serde_json::Value {
    let (tenant, subscription) = (
        "00000000-0000-4000-8000-000000000001",
        "00000000-0000-4000-8000-000000000002",
    );
    let id = format!("/subscriptions/{subscription}");
    json!({
        "tenantId": tenant,
        "arm": { "resources": [
            { "id": id, "type": "Microsoft.Resources/subscriptions", "subscriptionId": subscription, "tenantId": tenant,
              "displayName": "House", "state": "Enabled" },
            { "id": format!("{id}/resourceGroups/rg-house"), "name": "rg-house", "location": "westeurope",
              "type": "Microsoft.Resources/resourceGroups", "properties": { "provisioningState": "Succeeded" } },
        ] },
        "graph": {},
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Runtime::new()?;
    let server = runtime.block_on(Server::start(Simulated {
        estate: estate(),
        ..Simulated::default()
    }))?;
    let url = server.url().to_owned();
    let connect = Box::new(move || {
        let url = url.clone();
        async move {
            let cloud = Cloud::resolve(&url).await?;
            let tokens = Tokens::new(&cloud, AuthMethod::Auto)?;
            Client::new(cloud, tokens, Wire::default())
        }
        .boxed()
    });

    let place = tempfile::tempdir()?;
    let file = place.path().join("team.rhai");
    std::fs::write(&file, RUNBOOK)?;
    let host = Host::new(Scripts::embedded())?.with_module(house());
    let runbook = host.runbook(&file.to_string_lossy())?;
    let params = host.params_with(&runbook, &["team=orders".to_owned()], &Map::new())?;

    // Every change is written down before it is made, and shown as it is.
    let journal = SqliteStore::new(place.path().join("state")).create("team", "team orders", "team orders")?;
    let observer = Arc::new(|event: &Event| {
        if let Event::Change { what, status, .. } = event {
            println!("{status:?}: {what}");
        }
    });
    let session = Session::run(runtime.handle().clone(), connect, Options::default(), observer, journal)?;
    let outcome = host.run(&runbook, &params, &session)?;
    println!("made {}", outcome.value);
    Ok(())
}
