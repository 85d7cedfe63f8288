//! A proxy between a process and the simulator: it counts requests, and ends the process at one of them.

use std::io::{BufRead, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::victim::Victim;

/// Where in the life of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Before it is passed on: it takes no effect.
    Asked,
    /// Once it has taken effect, before the answer is passed on.
    Unanswered,
    /// Once the answer is passed on.
    Answered,
}

/// What all connections share.
#[derive(Default)]
struct State {
    requests: AtomicUsize,
    under_way: AtomicUsize,
    armed: Mutex<Option<(usize, When)>>,
    victim: Mutex<Option<Arc<Victim>>>,
}

/// A proxy on loopback.
pub struct Proxy {
    pub url: String,
    state: Arc<State>,
}

impl Proxy {
    /// A proxy before the simulator of this URL.
    pub fn start(simulator: &str) -> Self {
        let upstream = simulator.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        // It ends with the test's process; its connections end with their clients.
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (upstream, state) = (upstream.clone(), Arc::clone(&shared));
                std::thread::spawn(move || serve(client, &upstream, &state));
            }
        });
        Self { url, state }
    }

    /// Passes on what `victim` asks, and ends it at the request of this number, from 1.
    pub fn arm(&self, victim: &Arc<Victim>, strike: Option<(usize, When)>) {
        self.state.requests.store(0, Ordering::SeqCst);
        *self.state.armed.lock().unwrap() = strike;
        *self.state.victim.lock().unwrap() = Some(Arc::clone(victim));
    }

    /// How many requests came since it was armed.
    pub fn requests(&self) -> usize {
        self.state.requests.load(Ordering::SeqCst)
    }

    /// Waits until what was passed on has its answer: what a dead process has asked for happens before the next begins.
    pub fn drain(&self) {
        let begun = Instant::now();
        while self.state.under_way.load(Ordering::SeqCst) > 0 && begun.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn serve(client: TcpStream, upstream: &str, state: &State) {
    let Ok(server) = TcpStream::connect(upstream) else {
        return;
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (Ok(mut to_client), Ok(mut to_server)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    let (mut from_client, mut from_server) = (BufReader::new(client), BufReader::new(server));
    while let Some(request) = message(&mut from_client) {
        let number = state.requests.fetch_add(1, Ordering::SeqCst) + 1;
        let now = state
            .armed
            .lock()
            .unwrap()
            .and_then(|(armed, when)| (armed == number).then_some(when));
        let victim = state.victim.lock().unwrap().clone();
        let end = |at: When| {
            if now == Some(at)
                && let Some(victim) = &victim
            {
                victim.kill();
            }
        };
        end(When::Asked);
        if victim.as_ref().is_some_and(|victim| victim.is_dead()) {
            return;
        }
        state.under_way.fetch_add(1, Ordering::SeqCst);
        let answer = to_server
            .write_all(&request)
            .ok()
            .and_then(|()| message(&mut from_server));
        state.under_way.fetch_sub(1, Ordering::SeqCst);
        end(When::Unanswered);
        let passed_on = answer.and_then(|answer| to_client.write_all(&answer).ok());
        end(When::Answered);
        if passed_on.is_none() {
            return;
        }
    }
}

/// A whole HTTP/1.1 message, head and body, as it came.
fn message(from: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut length, mut chunked) = (0, false);
    loop {
        let start = bytes.len();
        if from.read_until(b'\n', &mut bytes).ok()? == 0 {
            return None;
        }
        let line = String::from_utf8_lossy(&bytes[start..]).trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        chunked |= line.starts_with("transfer-encoding:") && line.contains("chunked");
    }
    if !chunked {
        body(from, length, &mut bytes)?;
        return Some(bytes);
    }
    loop {
        let start = bytes.len();
        from.read_until(b'\n', &mut bytes).ok()?;
        let size = String::from_utf8_lossy(&bytes[start..]).trim().to_owned();
        let size = usize::from_str_radix(&size, 16).ok()?;
        // A chunk ends with a line break, and so does the last, empty one.
        body(from, size + 2, &mut bytes)?;
        if size == 0 {
            return Some(bytes);
        }
    }
}

fn body(from: &mut impl BufRead, length: usize, bytes: &mut Vec<u8>) -> Option<()> {
    let start = bytes.len();
    bytes.resize(start + length, 0);
    from.read_exact(&mut bytes[start..]).ok()
}
