//! Listening, and the way of a request: fault, throttle, token, front door, save, log, latency.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use serde_json::Value;
use time::OffsetDateTime;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::control::{self, Told};
use super::faults::{self, Body, Break, Broken, Faults};
use super::front::Answer;
use super::latch::Latches;
use super::log::Log;
use super::options::{Error, Options};
use super::save::{self, Keeper};
use super::throttle::Throttle;
use super::way::Way;
use super::world::{CLIENT, World};
use super::{arm, headers, tls, wire};

/// How late new principals and Resource Graph are, unless told.
const LAG: Duration = Duration::from_secs(2);
/// How long a write that its service serialises takes at least.
const SERIAL: Duration = Duration::from_millis(20);
/// How long a client may take to agree on TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);

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
    /// Forgets all faults, and ends what they kept from ending.
    pub fn clear_faults(&self) {
        self.faults().clear();
        self.world().calm();
    }
    /// The buckets.
    pub fn throttle(&self) -> MutexGuard<'_, Throttle> {
        lock(&self.throttle)
    }
    /// Where acknowledged writes are kept, if anywhere.
    pub fn keeper(&self) -> Option<&Keeper> {
        self.keeper.as_ref()
    }
    /// Milliseconds since the start.
    pub fn ms(&self) -> u64 {
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
    /// Starts a simulator on loopback, and returns once it listens.
    ///
    /// * `options`: the estate, and how to behave
    ///
    /// # Errors
    /// When the estate is malformed, the port cannot be had, the file of `save` cannot be read or written, or the
    /// certificate authority of `tls` cannot be read or made.
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
        world.behave(&options.behaviour).map_err(Error::Behaviour)?;
        world.strict = options.strict_auth;
        world.life = options
            .token_life
            .map(|life| i64::try_from(life.as_secs()).unwrap_or(i64::MAX / 2));
        if let Some(size) = options.page_size {
            world.page = size.max(1);
        }
        if let Some(path) = &options.save {
            save::write(path, &world.estate()).map_err(|error| unsaved(path, error.to_string()))?;
        }
        let users = world.directory.users();
        let mut faults = Faults::default();
        faults.add(options.faults);
        let acceptor = match &options.tls {
            Some(directory) => Some(tls::acceptor(directory, now).map_err(|(path, why)| Error::Tls { path, why })?),
            None => None,
        };
        let wanted = options.port.unwrap_or(0);
        let (listeners, port) = bind(wanted, acceptor.is_some())
            .await
            .map_err(|source| Error::Listen { port: wanted, source })?;
        let url = match acceptor {
            Some(_) => format!("https://localhost:{port}"),
            None => format!("http://127.0.0.1:{port}"),
        };
        let state = Arc::new(State {
            world: Mutex::new(world),
            log: Mutex::default(),
            faults: Mutex::new(faults),
            throttle: Mutex::new(Throttle::new(options.throttle, users)),
            latches: Latches::default(),
            keeper: options.save.map(Keeper::new),
            latency: options.latency,
            began: Instant::now(),
        });
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        for listener in listeners {
            let (state, stop) = (state.clone(), stop.clone());
            tasks.spawn(listen(listener, acceptor.clone(), state, stop, tasks.clone()));
        }
        Ok(Self {
            state,
            url,
            stop,
            tasks,
        })
    }

    /// The endpoint: `http://127.0.0.1:PORT`, or `https://localhost:PORT`.
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

    /// Forgets all faults, and ends what they kept from ending: what `DELETE /_sim/faults` does.
    pub fn clear_faults(&self) {
        self.state.clear_faults();
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

/// Listens on 127.0.0.1, and for `localhost`, which may mean either, on the same port of ::1 where there is one.
async fn bind(wanted: u16, also_v6: bool) -> std::io::Result<(Vec<TcpListener>, u16)> {
    const TRIES: u32 = 20;
    let mut tries = 0;
    loop {
        tries += 1;
        let first = TcpListener::bind(("127.0.0.1", wanted)).await?;
        let port = first.local_addr()?.port();
        if !also_v6 {
            return Ok((vec![first], port));
        }
        match TcpListener::bind(("::1", port)).await {
            Ok(second) => return Ok((vec![first, second], port)),
            // Another program would get what is meant for this one.
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                if wanted != 0 || tries == TRIES {
                    return Err(error);
                }
            }
            // No IPv6 here.
            Err(_) => return Ok((vec![first], port)),
        }
    }
}

async fn listen(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    state: Arc<State>,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
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
        let (state, stop, acceptor) = (state.clone(), stop.clone(), acceptor.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = converse(stream, acceptor, state) => {}
            }
        });
    }
}

/// Answers what comes over one connection, until it ends.
async fn converse(stream: TcpStream, acceptor: Option<TlsAcceptor>, state: Arc<State>) {
    let Some(acceptor) = acceptor else {
        return answer_all(stream, false, state).await;
    };
    // A client that does not trust the authority, or speaks no TLS, goes away here and knows why.
    if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
        answer_all(stream, true, state).await;
    }
}

async fn answer_all(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, tls: bool, state: Arc<State>) {
    let service = service_fn(move |request| {
        let state = state.clone();
        async move {
            // What a client no longer waits for takes effect all the same, as it does in Azure.
            let served = tokio::spawn(async move { serve(&state, request, tls).await });
            served.await.unwrap_or(Err(Broken("the simulator failed at it")))
        }
    });
    let builder = auto::Builder::new(TokioExecutor::new());
    // A client that goes away, or a connection broken on purpose: nothing to tell anyone.
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}

async fn serve(state: &State, request: http::Request<Incoming>, tls: bool) -> Result<http::Response<Body>, Broken> {
    let started = state.ms();
    let wire::Incame {
        mut ask,
        target,
        garbled,
    } = wire::read(request, tls, OffsetDateTime::now_utc())
        .await
        .map_err(|_| Broken("the request ended too early, or is too large"))?;
    if let Some(told) = control::answer(state, &ask) {
        let kept = match &told {
            Told::Json(_) => None,
            Told::Lines(text) => Some(text.clone()),
        };
        return Ok(match told {
            Told::Json(answer) => wire::whole(wire::write(answer, Vec::new())),
            Told::Lines(_) => wire::whole(wire::lines(kept.unwrap_or_default())),
        });
    }
    let seq = state.log().number();
    let request_id = uuid::Uuid::new_v4().to_string();
    ask.caller.principal = state.world().caller();
    ask.caller.app_id = Some(CLIENT.to_owned());
    let taken = state.faults().take(ask.method.as_str(), &target);
    let fault = taken.is_some();
    let deed = taken.unwrap_or_default();
    if let (Some(why), Some(token)) = (deed.token, ask.header("authorization")) {
        state.faults().refuse(token, why);
    }
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
        fault,
    };
    if deed.reset == Some(Break::Before) {
        way.log(&ask, 0, None);
        return Err(Broken("a fault asks for it"));
    }
    let serial = Some(arm::Serial::of(&ask.method, &ask.path))
        .filter(|_| state.world().behaviour.serial_writes)
        .flatten();
    let (mut answer, more) = match serial {
        Some(serial) if deed.instead().is_none() => match state.latches.begin(&serial.key) {
            Some(latch) => {
                let done = way.answer(&mut ask, garbled, &deed).await;
                let least = if serial.slow { SERIAL } else { Duration::ZERO };
                tokio::time::sleep(least.max(state.latency)).await;
                drop(latch);
                done
            }
            None => (serial.refused(), headers::arm(&ask, &request_id, &state.world().tenant)),
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
        way.log(&ask, 0, None);
        return Err(Broken("a fault asks for it"));
    }
    if let Some(status) = deed.status.filter(|_| deed.took_effect) {
        answer = faults::injected(status, &deed, ask.now);
    }
    if let Some(links) = &deed.links {
        faults::turn(&mut answer, &ask, &target, links);
    }
    way.log(&ask, answer.status, Some(&answer));
    let head = ask.method == http::Method::HEAD;
    let mut more = more;
    more.push(("date".to_owned(), headers::date(deed.clock(OffsetDateTime::now_utc()))));
    let answer = if head { Answer { body: None, ..answer } } else { answer };
    Ok(faults::spoilt(wire::write(answer, more), &deed))
}
