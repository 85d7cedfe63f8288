//! Listening, and the way of a request: fault, throttle, token, front door, save, log, latency.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use serde_json::Value;
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::control::{self, Told};
use super::faults::{Break, Deed, Faults};
use super::front::{Answer, Ask, Caller};
use super::graph::Directory;
use super::latch::Latches;
use super::log::{Line, Log};
use super::options::{Error, Options};
use super::save::{self, Keeper};
use super::throttle::Throttle;
use super::token::{self, Plane};
use super::world::{CLIENT, World};
use super::{arm, dataplane, headers, metadata, wire};

/// How late new principals and Resource Graph are, unless told.
const LAG: Duration = Duration::from_secs(2);
/// How long a write that its service serialises takes at least.
const SERIAL: Duration = Duration::from_millis(20);

/// What all connections share.
#[derive(Debug)]
pub struct State {
    world: Mutex<World>,
    log: Mutex<Log>,
    faults: Mutex<Faults>,
    throttle: Mutex<Throttle>,
    latches: Latches,
    keeper: Option<Keeper>,
    latency: Duration,
    began: Instant,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// The cloud.
    pub fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }
    /// The log.
    pub fn log(&self) -> MutexGuard<'_, Log> {
        lock(&self.log)
    }
    /// The faults in force.
    pub fn faults(&self) -> MutexGuard<'_, Faults> {
        lock(&self.faults)
    }
    fn ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// A simulator that serves, in this process.
#[derive(Debug)]
pub struct Server {
    state: Arc<State>,
    url: String,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Server {
    /// Starts a simulator on 127.0.0.1, and returns once it listens.
    ///
    /// * `options`: the estate, and how to behave
    ///
    /// # Errors
    /// When the estate is malformed, the port cannot be had, or the file of `save` cannot be read or written.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let now = OffsetDateTime::now_utc();
        let lag = time::Duration::try_from(options.lag.unwrap_or(LAG)).unwrap_or(time::Duration::seconds(2));
        let mut estate = options.estate;
        let unsaved = |path: &std::path::Path, why: String| Error::Save {
            path: path.to_owned(),
            why,
        };
        if let Some(path) = &options.save
            && let Some(kept) = save::read(path).map_err(|why| unsaved(path, why))?
        {
            estate = kept;
        }
        let mut world = World::load(estate, lag, now)?;
        world.strict = options.strict_auth;
        if let Some(size) = options.page_size {
            world.page = size.max(1);
        }
        if let Some(path) = &options.save {
            save::write(path, &world.estate()).map_err(|error| unsaved(path, error.to_string()))?;
        }
        let mut faults = Faults::default();
        faults.add(options.faults);
        let port = options.port.unwrap_or(0);
        let listener = TcpListener::bind(("127.0.0.1", port))
            .await
            .map_err(|source| Error::Listen { port, source })?;
        let address = listener.local_addr().map_err(|source| Error::Listen { port, source })?;
        let state = Arc::new(State {
            world: Mutex::new(world),
            log: Mutex::default(),
            faults: Mutex::new(faults),
            throttle: Mutex::new(Throttle::new(options.throttle)),
            latches: Latches::default(),
            keeper: options.save.map(Keeper::new),
            latency: options.latency,
            began: Instant::now(),
        });
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(listen(listener, state.clone(), stop.clone(), tasks.clone()));
        Ok(Self {
            state,
            url: format!("http://127.0.0.1:{}", address.port()),
            stop,
            tasks,
        })
    }

    /// The endpoint: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The stored documents, in the form of an estate: what `GET /_sim/estate` gives.
    pub fn estate(&self) -> Value {
        self.state.world().estate()
    }

    /// The log so far, a JSON line a request: what `GET /_sim/log` gives.
    pub fn log(&self) -> String {
        self.state.log().text()
    }

    /// Adds faults behind those in force.
    pub fn add_faults(&self, faults: Vec<super::Fault>) {
        self.state.faults().add(faults);
    }

    /// Stops listening, ends every connection, and returns when that is done.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn listen(listener: TcpListener, state: Arc<State>, stop: CancellationToken, tasks: TaskTracker) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Too many open files and the like: what is open goes on, and the next try may do.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        // Small answers, one after another: waiting to fill packets only delays them.
        let _ = stream.set_nodelay(true);
        let (state, stop) = (state.clone(), stop.clone());
        tasks.spawn(async move {
            let service = service_fn(move |request| {
                let state = state.clone();
                async move { serve(&state, request).await }
            });
            let builder = auto::Builder::new(TokioExecutor::new());
            let connection = builder.serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                () = stop.cancelled() => {}
                // A client that goes away, or a connection broken on purpose: nothing to tell anyone.
                _ = connection => {}
            }
        });
    }
}

/// Why a connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is broken: {0}")]
struct Broken(&'static str);
type Wire = http::Response<Full<Bytes>>;

async fn serve(state: &State, request: http::Request<Incoming>) -> Result<Wire, Broken> {
    let started = state.ms();
    let wire::Incame {
        mut ask,
        target,
        garbled,
    } = wire::read(request, OffsetDateTime::now_utc())
        .await
        .map_err(|_| Broken("the request ended too early, or is too large"))?;
    if let Some(told) = control::answer(state, &ask) {
        let kept = match &told {
            Told::Json(_) => None,
            Told::Lines(text) => Some(text.clone()),
        };
        return Ok(match told {
            Told::Json(answer) => wire::write(answer, Vec::new()),
            Told::Lines(_) => wire::lines(kept.unwrap_or_default()),
        });
    }
    let seq = state.log().number();
    let request_id = uuid::Uuid::new_v4().to_string();
    ask.caller.principal = state.world().caller();
    ask.caller.app_id = Some(CLIENT.to_owned());
    let deed = state.faults().take(ask.method.as_str(), &target).unwrap_or_default();
    if let Some(ms) = deed.delay_ms {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        ask.now = OffsetDateTime::now_utc();
    }
    let way = Way {
        state,
        seq,
        started,
        target: &target,
        request_id: &request_id,
        batch: None,
    };
    if deed.reset == Some(Break::Before) {
        way.log(&ask, 0);
        return Err(Broken("a fault asks for it"));
    }
    let latch_key = (ask.method != http::Method::GET)
        .then(|| arm::serial_key(&ask.path))
        .flatten();
    let (answer, more) = match latch_key {
        Some(key) if deed.status.is_none() => match state.latches.begin(&key) {
            Some(latch) => {
                let done = way.answer(&mut ask, garbled, &deed).await;
                tokio::time::sleep(SERIAL.max(state.latency)).await;
                drop(latch);
                done
            }
            None => (
                arm::concurrent(&ask.path, &key),
                headers::arm(&ask, &request_id, &state.world().tenant),
            ),
        },
        _ => {
            let done = way.answer(&mut ask, garbled, &deed).await;
            if !state.latency.is_zero() {
                tokio::time::sleep(state.latency).await;
            }
            done
        }
    };
    if deed.reset == Some(Break::After) {
        way.log(&ask, 0);
        return Err(Broken("a fault asks for it"));
    }
    way.log(&ask, answer.status);
    let head = ask.method == http::Method::HEAD;
    let mut more = more;
    more.push(("date".to_owned(), headers::date(OffsetDateTime::now_utc())));
    let answer = if head { Answer { body: None, ..answer } } else { answer };
    Ok(wire::write(answer, more))
}

/// One request on its way.
struct Way<'a> {
    state: &'a State,
    seq: u64,
    started: u64,
    target: &'a str,
    request_id: &'a str,
    batch: Option<u64>,
}

/// An answer, and the headers that every answer of its service has.
type Headed = (Answer, Vec<(String, String)>);

impl Way<'_> {
    fn log(&self, ask: &Ask, status: u16) {
        let line = Line {
            time: ask
                .now
                .format(&time::format_description::well_known::Rfc3339)
                .unwrap_or_default(),
            method: ask.method.to_string(),
            path: self.target.to_owned(),
            status,
            principal: ask.caller.principal.clone(),
            request_id: self.request_id.to_owned(),
            body_hash: ask.body.as_ref().map(crate::types::json::digest),
            started_ms: self.started,
            ended_ms: self.state.ms(),
            batch: self.batch,
        };
        self.state.log().write(self.seq, line);
    }

    /// The answer of the door that the path leads to, with the headers of its service; a write is kept before.
    async fn answer(&self, ask: &mut Ask, garbled: bool, deed: &Deed) -> Headed {
        let (answer, more, writes) = self.door(ask, garbled, deed).await;
        if let (Some(keeper), true) = (&self.state.keeper, writes > 0) {
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
        if let Some(status) = deed.status {
            return (injected(status, deed), named, 0);
        }
        if lower.starts_with("metadata/endpoints") {
            return plain(metadata::answer(ask));
        }
        if let Some(answer) = token::answer(&self.state.world(), ask) {
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
        match token::check(&self.state.world(), ask, plane) {
            Ok(audience) => {
                ask.caller = Caller {
                    audience,
                    ..ask.caller.clone()
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
            return self.graph(ask, named, &lower).await;
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
            let mut throttle = lock(&self.state.throttle);
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
        let writes = if world.writes > before { world.writes } else { 0 };
        (answer, named, writes)
    }

    async fn graph(
        &self,
        ask: &Ask,
        named: Vec<(String, String)>,
        lower: &str,
    ) -> (Answer, Vec<(String, String)>, u64) {
        if !lower.trim_end_matches('/').ends_with("/$batch") && !lower.trim_end_matches('/').ends_with("/%24batch") {
            let (answer, writes) = self.graph_one(ask);
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
            let way = Way {
                state: self.state,
                seq,
                started: self.state.ms(),
                target: &target,
                request_id: &request_id,
                batch: Some(self.seq),
            };
            let deed = self
                .state
                .faults()
                .take(one.ask.method.as_str(), &target)
                .unwrap_or_default();
            if let Some(ms) = deed.delay_ms {
                tokio::time::sleep(Duration::from_millis(ms)).await;
            }
            let answer = match (one.blocked(&done), deed.status) {
                (Some(blocked), _) => blocked,
                (None, Some(status)) => injected(status, &deed),
                (None, None) => {
                    let (answer, writes) = self.graph_one(&one.ask);
                    last = last.max(writes);
                    answer
                }
            };
            way.log(&one.ask, answer.status);
            done.push((one, answer));
        }
        (Directory::batch_answer(done), named, last)
    }

    fn graph_one(&self, ask: &Ask) -> (Answer, u64) {
        let counted = lock(&self.state.throttle).graph(&ask.caller.principal, &ask.method, ask.now);
        let rates = match counted {
            Ok(rates) => rates,
            Err(refused) => return (refused, 0),
        };
        let mut world = self.state.world();
        let mut answer = world.directory.answer(ask);
        answer.headers.extend(rates);
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

/// The answer that a fault asks for.
fn injected(status: u16, deed: &Deed) -> Answer {
    let (code, message) = match status {
        429 => ("TooManyRequests", "The request was throttled."),
        500 => ("InternalServerError", "The server encountered an internal error."),
        502 => ("BadGateway", "The gateway did not get a good answer."),
        503 => ("ServiceUnavailable", "The service is temporarily unavailable."),
        504 => (
            "GatewayTimeout",
            "The gateway did not receive a response from the provider within the specified time period.",
        ),
        _ => ("InjectedFault", "A fault that was asked for."),
    };
    let code = deed.code.as_deref().unwrap_or(code);
    let message = deed.message.as_deref().unwrap_or(message);
    let mut answer = arm::fail::fail(status, code, message);
    if let Some(body) = &deed.body {
        answer.body = Some(body.clone());
    }
    match deed.retry_after {
        Some(seconds) => answer.with("retry-after", seconds.to_string()),
        None => answer,
    }
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
