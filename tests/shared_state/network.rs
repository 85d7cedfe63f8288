//! A network between Ferry and the emulator that is cut while entries of the journal are on their way.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// When the connection breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The request never arrives.
    BeforeTheRequest,
    /// The request is carried out, and its answer never arrives.
    BeforeTheAnswer,
}

/// A way to a container that loses every so many appends.
pub struct Network {
    /// The container by this way.
    pub url: String,
    /// The container itself.
    pub direct: String,
    cuts: Arc<AtomicUsize>,
}

impl Network {
    /// A way to a container that loses each `nth` append.
    pub fn to(container: &str, cut: Cut, nth: usize) -> Self {
        let rest = container.strip_prefix("http://").unwrap();
        let (emulator, path) = rest.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/{path}", listener.local_addr().unwrap());
        let (emulator, cuts, seen) = (
            emulator.to_owned(),
            Arc::new(AtomicUsize::new(0)),
            Arc::new(AtomicUsize::new(0)),
        );
        let counted = Arc::clone(&cuts);
        // Its threads wait for connections, and end with the tests.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (emulator, cuts, seen) = (emulator.clone(), Arc::clone(&counted), Arc::clone(&seen));
                std::thread::spawn(move || {
                    let is_cut = |head: &str| {
                        head.contains("comp=appendblock") && seen.fetch_add(1, Ordering::SeqCst) % nth == nth - 1
                    };
                    // A connection that broke is what this is about.
                    let _ = carry(client, &emulator, cut, is_cut, &cuts);
                });
            }
        });
        Self {
            url,
            direct: container.to_owned(),
            cuts,
        }
    }

    /// How often it was cut.
    pub fn cuts(&self) -> usize {
        self.cuts.load(Ordering::SeqCst)
    }
}

/// Carries one request and its answer; the connection ends with them.
fn carry(
    mut client: TcpStream,
    emulator: &str,
    cut: Cut,
    is_cut: impl Fn(&str) -> bool,
    cuts: &AtomicUsize,
) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    let (head, length) = loop {
        let count = client.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        request.extend_from_slice(&buffer[..count]);
        if let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&request[..end + 2]).into_owned();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.trim().parse::<usize>())
            });
            break (head, end + 4 + length.map_or(0, |length| length.unwrap_or(0)));
        }
    };
    while request.len() < length {
        let count = client.read(&mut buffer)?;
        request.extend_from_slice(&buffer[..count]);
    }
    let lost = is_cut(&head);
    if lost {
        cuts.fetch_add(1, Ordering::SeqCst);
        if cut == Cut::BeforeTheRequest {
            return Ok(());
        }
    }
    let mut service = TcpStream::connect(emulator)?;
    service.write_all(head.as_bytes())?;
    service.write_all(b"connection: close\r\n\r\n")?;
    service.write_all(&request[head.len() + 2..])?;
    let mut answer = Vec::new();
    service.read_to_end(&mut answer)?;
    if !lost {
        client.write_all(&answer)?;
    }
    Ok(())
}
