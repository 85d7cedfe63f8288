//! A server that plays scripted answers, and credentials that count; for the tests of this floor alone.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use serde_json::Value;
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::{Client, Cloud, Options, Tokens};

/// What the server does with one request. In headers and bodies `{base}` stands for its own URL.
#[derive(Clone)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    delay: Duration,
    reset: bool,
    cut: bool,
    stuck: bool,
}

impl Answer {
    pub(crate) fn raw(status: u16, body: &str) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
            delay: Duration::ZERO,
            reset: false,
            cut: false,
            stuck: false,
        }
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::raw(status, "")
    }

    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self::raw(status, &body.to_string()).header("content-type", "application/json; charset=utf-8")
    }

    pub(crate) fn html(status: u16, body: &str) -> Self {
        Self::raw(status, body).header("content-type", "text/html")
    }

    /// A body that is sent compressed by gzip.
    pub(crate) fn packed(status: u16, body: &[u8]) -> Self {
        use std::io::Write as _;
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(body).unwrap();
        Self {
            body: packer.finish().unwrap(),
            ..Self::status(status)
        }
        .header("content-encoding", "gzip")
    }

    /// The connection ends without an answer, after the request was read.
    pub(crate) fn reset() -> Self {
        Self {
            reset: true,
            ..Self::status(200)
        }
    }

    /// The connection ends in the middle of the body.
    pub(crate) fn cut(status: u16, body: &str) -> Self {
        Self {
            cut: true,
            ..Self::raw(status, body)
        }
    }

    /// The body comes to a halt in its middle, and the connection stays.
    pub(crate) fn stuck(status: u16, body: &str) -> Self {
        Self {
            stuck: true,
            ..Self::cut(status, body)
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    async fn play(&self, base: &str, socket: &mut TcpStream) {
        tokio::time::sleep(self.delay).await;
        if self.reset {
            return;
        }
        let body = match std::str::from_utf8(&self.body) {
            Ok(text) => text.replace("{base}", base).into_bytes(),
            Err(_) => self.body.clone(),
        };
        let mut text = format!(
            "HTTP/1.1 {} X\r\nconnection: close\r\ncontent-length: {}\r\n",
            self.status,
            body.len()
        );
        for (name, value) in &self.headers {
            let _ = write!(text, "{name}: {}\r\n", value.replace("{base}", base));
        }
        text.push_str("\r\n");
        let sent = if self.cut { &body[..body.len() / 2] } else { &body };
        let _ = socket.write_all(text.as_bytes()).await;
        let _ = socket.write_all(sent).await;
        if self.stuck {
            std::future::pending::<()>().await;
        }
        let _ = socket.shutdown().await;
    }
}

/// A request as the server saw it.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Seen {
    /// The value of a header; empty where it was not sent.
    pub(crate) fn header(&self, name: &str) -> String {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
            .unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    async fn read(socket: &mut TcpStream) -> Option<Self> {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break at;
            }
            let mut part = [0; 4096];
            match socket.read(&mut part).await {
                Ok(read) if read > 0 => bytes.extend_from_slice(&part[..read]),
                _ => return None,
            }
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.lines();
        let mut first = lines.next().unwrap().split(' ');
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
        let mut body = bytes[end + 4..].to_vec();
        let had = body.len();
        body.resize(length, 0);
        socket.read_exact(&mut body[had..]).await.unwrap();
        Some(Self {
            method: first.next().unwrap().to_owned(),
            target: first.next().unwrap().to_owned(),
            headers,
            body,
        })
    }
}

#[derive(Default)]
struct Record {
    seen: Mutex<Vec<Seen>>,
    now: AtomicUsize,
    most: AtomicUsize,
}

/// A server on a port of its own. The last answer is given for ever.
pub(crate) struct Server {
    url: String,
    record: Arc<Record>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(crate) async fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let record = Arc::new(Record::default());
        let (base, kept) = (url.clone(), Arc::clone(&record));
        let task = tokio::spawn(async move {
            let answers = Arc::new(answers);
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                let (base, record, answers) = (base.clone(), Arc::clone(&kept), Arc::clone(&answers));
                tokio::spawn(async move {
                    let Some(seen) = Seen::read(&mut socket).await else {
                        return;
                    };
                    let number = {
                        let mut all = record.seen.lock().unwrap();
                        all.push(seen);
                        all.len() - 1
                    };
                    let now = record.now.fetch_add(1, Ordering::SeqCst) + 1;
                    record.most.fetch_max(now, Ordering::SeqCst);
                    answers[number.min(answers.len() - 1)].play(&base, &mut socket).await;
                    record.now.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { url, record, task }
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.record.seen.lock().unwrap().clone()
    }

    /// Path and query of every request, in order.
    pub(crate) fn targets(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.target).collect()
    }

    /// The most requests that were without answer at one time.
    pub(crate) fn most_at_once(&self) -> usize {
        self.record.most.load(Ordering::SeqCst)
    }

    /// The cloud that this server is.
    pub(crate) fn cloud(&self) -> Cloud {
        let url = Url::parse(&self.url).unwrap();
        Cloud {
            name: "Test".to_owned(),
            graph: url.clone(),
            login: url.clone(),
            data_plane_gateway: Some(url.join("dataplane").unwrap()),
            resource_manager: url,
            loopback: true,
            ..Cloud::public()
        }
    }

    /// Quick numbers: four tries, milliseconds between them.
    pub(crate) fn options() -> Options {
        Options {
            tries: 4,
            retry_base: Duration::from_millis(1),
            retry_cap: Duration::from_millis(4),
            retry_total: Duration::from_secs(20),
            poll_interval: Duration::from_millis(1),
            poll_cap: Duration::from_millis(5),
            response_timeout: Duration::from_secs(10),
            ..Options::default()
        }
    }

    pub(crate) fn client(&self) -> Client {
        self.client_with(Self::options())
    }

    pub(crate) fn client_with(&self, options: Options) -> Client {
        Client::new(self.cloud(), Tokens::from_credential(Counting::lasting(3600)), options).unwrap()
    }
}

/// A credential that gives `token-1`, `token-2`, …, or always the same.
#[derive(Debug)]
pub(crate) struct Counting {
    count: AtomicUsize,
    seconds: i64,
    fixed: Option<&'static str>,
}

impl Counting {
    pub(crate) fn lasting(seconds: i64) -> Arc<Self> {
        Arc::new(Self {
            count: AtomicUsize::new(0),
            seconds,
            fixed: None,
        })
    }

    pub(crate) fn with_token(token: &'static str) -> Arc<Self> {
        Arc::new(Self {
            count: AtomicUsize::new(0),
            seconds: 3600,
            fixed: Some(token),
        })
    }

    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

#[async_trait::async_trait]
impl TokenCredential for Counting {
    async fn get_token(&self, _: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        let number = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        let token = self.fixed.map_or_else(|| format!("token-{number}"), str::to_owned);
        Ok(AccessToken::new(
            token,
            OffsetDateTime::now_utc() + time::Duration::seconds(self.seconds),
        ))
    }
}
