//! Asks the cloud: who one is, what answers, how far the clocks are apart.

use std::future::Future;
use std::time::Instant;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

use super::facts::{Cloud, Credential, Finding, Reach, Report, Who};
use super::rights;
use crate::azure::{self, AuthMethod, Client, Plane, Request};
use crate::cli::target::Target;

/// Clocks further apart than this, in seconds, make tokens look expired or not yet valid.
const SKEW: f64 = 240.0;

/// Asks everything there is to ask, and goes on where something does not answer.
pub async fn ask(report: &mut Report, target: &Target) {
    let place = target.place().to_string();
    let (found, millis) = timed(target.cloud()).await;
    let cloud = match found {
        Ok(cloud) => cloud,
        Err(error) => {
            report
                .reach
                .push(reach("cloud", &place, millis, Err(error.to_string())));
            return report.findings.push(Finding::from(error));
        }
    };
    report.cloud = Some(Cloud {
        name: cloud.name.clone(),
        resource_manager: cloud.resource_manager.to_string(),
        graph: cloud.graph.to_string(),
        login: cloud.login.to_string(),
    });
    let made = target.tokens(&cloud).and_then(|tokens| {
        let client = target.hasty_client(cloud.clone(), tokens.clone())?;
        Ok((tokens, client))
    });
    let (tokens, client) = match made {
        Ok(made) => made,
        Err(error) => return report.findings.push(Finding::from(error)),
    };

    let (claims, _) = timed(client.token_claims(&Plane::Arm)).await;
    let claims = match claims {
        Ok(claims) => claims,
        Err(error) => {
            token_endpoint(report, &cloud, "organizations").await;
            return report.findings.push(Finding::from(error));
        }
    };
    report.credential = Some(Credential {
        method: tokens.method().to_string(),
        answered: described(tokens.answered(), cloud.loopback),
        expires: claims["exp"]
            .as_i64()
            .and_then(|end| OffsetDateTime::from_unix_timestamp(end).ok())
            .and_then(|end| end.format(&Rfc3339).ok()),
    });
    let mut who = of_claims(&claims);
    token_endpoint(report, &cloud, &who.tenant).await;

    let subscriptions = resource_manager(report, &client).await;
    let graph = directory(report, &client, &mut who).await;
    resource_graph(report, &client).await;
    tenant(&client, &mut who).await;
    let (object_id, app) = (who.object_id.clone(), who.kind.as_deref() != Some("User"));
    report.who = Some(who);
    if let Some(subscriptions) = subscriptions {
        rights::of_subscriptions(report, &client, &object_id, subscriptions).await;
    }
    if graph {
        rights::of_directory(report, &client, &object_id, app).await;
    }
}

async fn timed<T>(asked: impl Future<Output = T>) -> (T, u64) {
    let begun = Instant::now();
    let answer = asked.await;
    (answer, u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX))
}

fn reach(what: &'static str, url: &str, millis: u64, said: Result<String, String>) -> Reach {
    Reach {
        what,
        url: url.to_owned(),
        ok: said.is_ok(),
        millis,
        said: said.unwrap_or_else(|why| why),
    }
}

/// What a method is, for people who did not choose it.
fn described(method: AuthMethod, loopback: bool) -> String {
    match method {
        AuthMethod::Auto if loopback => "the cloud on this machine, at /msi/token",
        AuthMethod::Auto => "a credential of the program's own",
        AuthMethod::Cli => "cli: the account of az, else of azd",
        AuthMethod::Environment => "environment: a service principal by its secret or certificate",
        AuthMethod::Workload => "workload: an assertion of the cluster's, exchanged",
        AuthMethod::ManagedIdentity => "managed-identity: of the machine or app that ferry runs on",
        AuthMethod::Pipelines => "pipelines: the service connection of the job",
    }
    .to_owned()
}

fn of_claims(claims: &Value) -> Who {
    let text = |name: &str| claims[name].as_str().map(str::to_owned);
    let person = text("upn").or_else(|| text("unique_name"));
    let kind = match (text("xms_mirid"), claims["idtyp"].as_str(), &person) {
        (Some(_), ..) => Some("ManagedIdentity"),
        (None, Some("app"), _) => Some("ServicePrincipal"),
        (None, Some("user"), _) | (None, _, Some(_)) => Some("User"),
        _ => None,
    };
    Who {
        object_id: text("oid").unwrap_or_default(),
        app_id: text("appid").or_else(|| text("azp")),
        name: person.or_else(|| text("name")),
        kind: kind.map(str::to_owned),
        identity: text("xms_mirid"),
        tenant: text("tid").unwrap_or_default(),
        tenant_name: None,
    }
}

async fn token_endpoint(report: &mut Report, cloud: &azure::Cloud, tenant: &str) {
    let (found, millis) = timed(cloud.token_endpoint(tenant)).await;
    let said = found.as_ref().map(|issuer| format!("issuer {issuer}"));
    let said = said.map_err(ToString::to_string);
    report
        .reach
        .push(reach("token endpoint", cloud.login.as_str(), millis, said));
    if let Err(error) = found {
        report.findings.push(Finding::from(error));
    }
}

/// The subscriptions that the caller sees, as id and name.
async fn resource_manager(report: &mut Report, client: &Client) -> Option<Vec<(String, String)>> {
    let url = client.cloud().resource_manager.to_string();
    let request = Request::get(Plane::Arm, "/subscriptions").api_version("2022-12-01");
    // The first answer tells the cloud's time, the list all subscriptions.
    let (first, millis) = timed(client.send(&request)).await;
    if let Ok(answer) = &first {
        clock(report, answer.header("date"), millis);
    }
    let listed = match first {
        Ok(_) => client.list(&request).await,
        Err(error) => Err(error),
    };
    match listed {
        Ok(rows) => {
            let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
            let all: Vec<(String, String)> = rows
                .iter()
                .map(|row| (text(row, "subscriptionId"), text(row, "displayName")))
                .collect();
            let said = match all.len() {
                1 => "1 subscription".to_owned(),
                count => format!("{count} subscriptions"),
            };
            report.reach.push(reach("Resource Manager", &url, millis, Ok(said)));
            if all.is_empty() {
                report.findings.push(Finding::new(
                    "no-subscription",
                    "the principal sees no subscription",
                    "give it a role (Reader at least) at a subscription or management group, or sign in as another",
                ));
            }
            Some(all)
        }
        Err(error) => {
            report
                .reach
                .push(reach("Resource Manager", &url, millis, Err(error.to_string())));
            report.findings.push(Finding::from(error));
            None
        }
    }
}

/// Compares the cloud's `Date` with this machine's clock at the middle of the request.
fn clock(report: &mut Report, date: Option<&str>, millis: u64) {
    let there = date.and_then(|text| OffsetDateTime::parse(&text.replace("GMT", "+0000"), &Rfc2822).ok());
    let Some(there) = there else { return };
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of one request")]
    let half = millis as f64 / 2000.0;
    // The header has whole seconds, cut off: half a second later is the best guess.
    let ahead = (OffsetDateTime::now_utc() - there).as_seconds_f64() - half - 0.5;
    report.clock_ahead_seconds = Some((ahead * 10.0).round() / 10.0);
    if ahead.abs() > SKEW {
        let way = if ahead > 0.0 { "ahead of" } else { "behind" };
        report.findings.push(Finding::new(
            "clock-skew",
            format!("this machine's clock is {:.0} s {way} the cloud's", ahead.abs()),
            "set the clock (timedatectl set-ntp true, w32tm /resync): tokens and assertions are refused otherwise",
        ));
    }
}

/// Whether Graph answers, and the name that it has for the caller.
async fn directory(report: &mut Report, client: &Client, who: &mut Who) -> bool {
    let url = client.cloud().graph.to_string();
    let request = Request::get(Plane::Graph, format!("/v1.0/directoryObjects/{}", who.object_id));
    let (found, millis) = timed(client.send(&request)).await;
    match found {
        Ok(answer) => {
            let text = |name: &str| answer.body[name].as_str().map(str::to_owned);
            who.name = text("displayName").or_else(|| who.name.take());
            who.kind = text("servicePrincipalType")
                .filter(|kind| kind == "ManagedIdentity")
                .or_else(|| who.kind.take());
            report.reach.push(reach(
                "Microsoft Graph",
                &url,
                millis,
                Ok("knows the principal".to_owned()),
            ));
            true
        }
        Err(error) if error.status() == Some(404) => {
            let said = Ok("answers; it does not know the principal".to_owned());
            report.reach.push(reach("Microsoft Graph", &url, millis, said));
            true
        }
        Err(error) => {
            report
                .reach
                .push(reach("Microsoft Graph", &url, millis, Err(error.to_string())));
            let forbidden = error.status() == Some(403);
            let mut finding = Finding::from(error);
            if forbidden {
                "graph-unreadable".clone_into(&mut finding.code);
                finding.next = vec![
                    "give the principal the directory role Directory Readers, or the app role Directory.Read.All: groups, app \
                     roles and directory roles of an identity are not seen otherwise"
                        .to_owned(),
                ];
            }
            report.findings.push(finding);
            false
        }
    }
}

async fn resource_graph(report: &mut Report, client: &Client) {
    const PATH: &str = "/providers/Microsoft.ResourceGraph/resources";
    let url = format!(
        "{}{}",
        client.cloud().resource_manager.as_str().trim_end_matches('/'),
        PATH
    );
    let query = "resources | summarize resources = count()";
    let mut request = Request::post(Plane::Arm, PATH)
        .api_version("2022-10-01")
        .body(json!({ "query": query }));
    request.idempotent = true;
    let (found, millis) = timed(client.send(&request)).await;
    match found {
        Ok(answer) => {
            let count = answer
                .body
                .pointer("/data/0/resources")
                .and_then(Value::as_u64)
                .unwrap_or(0);
            let said = Ok(format!("{count} resources"));
            report.reach.push(reach("Resource Graph", &url, millis, said));
        }
        Err(error) => {
            report
                .reach
                .push(reach("Resource Graph", &url, millis, Err(error.to_string())));
            report.findings.push(Finding::from(error));
        }
    }
}

/// The tenant's name. One that cannot be read is no fault.
async fn tenant(client: &Client, who: &mut Who) {
    let request = Request::get(Plane::Arm, "/tenants").api_version("2022-12-01");
    if let Ok(rows) = client.list(&request).await {
        let own = rows
            .iter()
            .find(|row| row["tenantId"].as_str() == Some(who.tenant.as_str()));
        who.tenant_name = own.and_then(|row| row["displayName"].as_str()).map(str::to_owned);
    }
}
