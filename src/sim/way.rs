//! One request on its way: fault, token, throttle, front door, save.

use std::time::Duration;

use super::faults::{self, Deed};
use super::front::{Answer, Ask};
use super::graph::Directory;
use super::log::Line;
use super::server::State;
use super::token::{self, Plane};
use super::{arm, dataplane, headers, metadata};
use crate::types::ResourceId;

/// One request on its way.
pub struct Way<'a> {
    /// What all connections share.
    pub state: &'a State,
    /// Its number in the log.
    pub seq: u64,
    /// When it came, in milliseconds since the start.
    pub started: u64,
    /// Path and query as sent.
    pub target: &'a str,
    /// The request id of its answer.
    pub request_id: &'a str,
    /// The number of the batch that it is a part of.
    pub batch: Option<u64>,
    /// Whether a fault hits it.
    pub fault: bool,
}

/// An answer, and the headers that every answer of its service has.
pub type Headed = (Answer, Vec<(String, String)>);

impl Way<'_> {
    /// Writes its line; status 0 where the connection is broken.
    pub fn log(&self, ask: &Ask, status: u16, answer: Option<&Answer>) {
        let named = answer.and_then(|answer| answer.headers.iter().find(|(name, _)| name == "request-id"));
        let line = Line {
            time: ask
                .now
                .format(&time::format_description::well_known::Rfc3339)
                .unwrap_or_default(),
            method: ask.method.to_string(),
            path: self.target.to_owned(),
            status,
            principal: ask.caller.principal.clone(),
            request_id: named.map_or(self.request_id, |(_, id)| id).to_owned(),
            body_hash: ask.body.as_ref().map(crate::types::json::digest),
            started_ms: self.started,
            ended_ms: self.state.ms(),
            batch: self.batch,
            fault: self.fault,
        };
        self.state.log().write(self.seq, line);
    }

    /// The answer of the door that the path leads to, with the headers of its service; a write is kept before.
    pub async fn answer(&self, ask: &mut Ask, garbled: bool, deed: &Deed) -> Headed {
        let (answer, more, writes) = self.door(ask, garbled, deed).await;
        if let (Some(keeper), true) = (self.state.keeper(), writes > 0) {
            let kept = keeper
                .keep(writes, || {
                    let world = self.state.world();
                    (world.estate(), world.writes)
                })
                .await;
            if let Err(error) = kept {
                return (
                    arm::fail::fail(
                        500,
                        "InternalServerError",
                        format!("The write could not be kept: {error}"),
                    ),
                    more,
                );
            }
        }
        (answer, more)
    }

    async fn door(&self, ask: &mut Ask, garbled: bool, deed: &Deed) -> (Answer, Vec<(String, String)>, u64) {
        let lower = ask.path.to_ascii_lowercase();
        let lower = lower.trim_start_matches('/').to_owned();
        let graph = lower.starts_with("v1.0/") || lower.starts_with("beta/") || lower == "v1.0" || lower == "beta";
        let tenant = self.state.world().tenant.clone();
        let plain = |answer: Answer| (answer, Vec::new(), 0);
        let named = if graph {
            graph_headers(ask, self.request_id)
        } else {
            headers::arm(ask, self.request_id, &tenant)
        };
        if let Some(host) = &deed.redirect {
            return (faults::redirected(&host.0, ask, self.target), named, 0);
        }
        if let Some(status) = deed.instead() {
            return (faults::injected(status, deed, ask.now), named, 0);
        }
        if lower.starts_with("metadata/endpoints") {
            return plain(metadata::answer(ask));
        }
        let clock = Ask {
            now: deed.clock(ask.now),
            ..ask.clone()
        };
        if let Some(answer) = token::answer(&self.state.world(), &clock) {
            return (
                answer,
                vec![
                    ("x-ms-request-id".into(), self.request_id.into()),
                    ("cache-control".into(), "no-store, no-cache".into()),
                ],
                0,
            );
        }
        let data = dataplane::address(&ask.path).is_some();
        let plane = if graph {
            Plane::Graph
        } else if data {
            Plane::Data
        } else {
            Plane::Arm
        };
        let refused = ask
            .header("authorization")
            .and_then(|token| self.state.faults().refused(token));
        if let Some(why) = refused {
            return (token::trouble(&self.state.world(), ask, plane, why), named, 0);
        }
        let checked = if data && dataplane::is_open(ask) {
            Ok(token::Checked::default())
        } else {
            token::check(&self.state.world(), ask, plane)
        };
        match checked {
            Ok(checked) => {
                ask.caller.audience = checked.audience;
                if let Some((principal, app)) = checked.who {
                    ask.caller.principal = principal;
                    ask.caller.app_id = Some(app);
                }
            }
            Err(refused) => return (refused, named, 0),
        }
        if garbled && ask.method != http::Method::GET {
            return (
                arm::fail::fail(
                    400,
                    "InvalidRequestContent",
                    "The request content was invalid and could not be deserialized: 'Unexpected character encountered while parsing value.'.",
                ),
                named,
                0,
            );
        }
        if data {
            let mut world = self.state.world();
            let before = world.writes;
            let answer = dataplane::answer(&mut world, ask);
            let writes = if world.writes > before { world.writes } else { 0 };
            return (answer, vec![("x-ms-request-id".into(), self.request_id.into())], writes);
        }
        if graph {
            return self.graph(ask, named, &lower, deed).await;
        }
        self.arm(ask, named, &lower, deed)
    }

    fn arm(
        &self,
        ask: &Ask,
        mut named: Vec<(String, String)>,
        lower: &str,
        deed: &Deed,
    ) -> (Answer, Vec<(String, String)>, u64) {
        let resource_graph = lower.trim_end_matches('/') == "providers/microsoft.resourcegraph/resources";
        let counted = {
            let mut throttle = self.state.throttle();
            if resource_graph {
                throttle.resource_graph(&ask.caller.principal, ask.now)
            } else {
                throttle.arm(&ask.method, &ask.path, &ask.caller.principal, ask.now)
            }
        };
        match counted {
            Ok(rates) => named.extend(rates),
            Err(refused) => return (refused, named, 0),
        }
        let mut world = self.state.world();
        let before = world.writes;
        let reads = ask.method == http::Method::GET || resource_graph;
        world.as_of = deed
            .stale
            .filter(|_| reads)
            .map(|seconds| ask.now - time::Duration::seconds_f64(seconds));
        let answer = arm::answer(&mut world, ask);
        world.as_of = None;
        if let (true, Ok(id)) = (deed.endless && answer.status < 300, ResourceId::parse(&ask.path)) {
            world.endless.insert(id.key().to_owned());
        }
        let writes = if world.writes > before { world.writes } else { 0 };
        (answer, named, writes)
    }

    async fn graph(
        &self,
        ask: &Ask,
        named: Vec<(String, String)>,
        lower: &str,
        deed: &Deed,
    ) -> (Answer, Vec<(String, String)>, u64) {
        if !lower.trim_end_matches('/').ends_with("/$batch") && !lower.trim_end_matches('/').ends_with("/%24batch") {
            let (answer, writes) = self.graph_one(ask, deed);
            return (answer, named, writes);
        }
        let inner = match Directory::batch(ask) {
            Ok(inner) => inner,
            Err(refused) => return (refused, named, 0),
        };
        let mut done = Vec::new();
        let mut last = 0;
        for mut one in inner {
            let seq = self.state.log().number();
            let request_id = uuid::Uuid::new_v4().to_string();
            one.ask.caller = ask.caller.clone();
            let target = target_of(&one.ask);
            let taken = self.state.faults().take(one.ask.method.as_str(), &target);
            let way = Way {
                state: self.state,
                seq,
                started: self.state.ms(),
                target: &target,
                request_id: &request_id,
                batch: Some(self.seq),
                fault: taken.is_some(),
            };
            let deed = taken.unwrap_or_default();
            if let Some(ms) = deed.delay_ms {
                tokio::time::sleep(Duration::from_millis(ms)).await;
            }
            let answer = match (one.blocked(&done), deed.instead()) {
                (Some(blocked), _) => blocked,
                (None, Some(status)) => faults::injected(status, &deed, one.ask.now),
                (None, None) => {
                    let (answer, writes) = self.graph_one(&one.ask, &deed);
                    last = last.max(writes);
                    answer
                }
            };
            way.log(&one.ask, answer.status, Some(&answer));
            done.push((one, answer));
        }
        (Directory::batch_answer(done), named, last)
    }

    fn graph_one(&self, ask: &Ask, deed: &Deed) -> (Answer, u64) {
        let counted = self.state.throttle().graph(&ask.caller.principal, &ask.method, ask.now);
        let rates = match counted {
            Ok(rates) => rates,
            Err(refused) => return (refused, 0),
        };
        let mut world = self.state.world();
        let mut answer = world.graph(ask, deed.stale, self.state.faults().look_back());
        answer.headers.extend(rates);
        let units = answer.headers.iter().find(|(name, _)| name == "x-ms-resource-unit");
        let units = units.and_then(|(_, units)| units.parse().ok()).unwrap_or(1.0);
        self.state.throttle().graph_units(&ask.caller.principal, units, ask.now);
        let wrote = ask.method != http::Method::GET && answer.status < 300;
        if wrote {
            world.writes += 1;
            return (answer, world.writes);
        }
        (answer, 0)
    }
}

/// Path and query of an inner request.
fn target_of(ask: &Ask) -> String {
    if ask.query.is_empty() {
        return ask.path.clone();
    }
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(&ask.query)
        .finish();
    format!("{}?{query}", ask.path)
}

fn graph_headers(ask: &Ask, request_id: &str) -> Vec<(String, String)> {
    let client = ask.header("client-request-id").unwrap_or(request_id).to_owned();
    vec![
        ("request-id".into(), request_id.into()),
        ("client-request-id".into(), client),
        ("strict-transport-security".into(), "max-age=31536000".into()),
        ("cache-control".into(), "no-cache".into()),
        ("vary".into(), "Accept-Encoding".into()),
    ]
}
