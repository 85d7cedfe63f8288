//! The store against Azurite, the emulator of Azure Storage: `tests/azurite/run` starts it and runs these.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::error::ErrorKind;
use azure_core::http::headers::{AUTHORIZATION, Headers};
use azure_core::http::{AsyncRawResponse, HttpClient, Method, Request};
use serde_json::json;
use tokio::runtime::{Handle, Runtime};

use super::keeper::Timing;
use super::remote::{Access, Remote};
use super::tape::Line;
use super::{Address, BlobStore, Connection, lock_blob, read, segment_blob};
use crate::store::suite::{self, Damage, Lab};
use crate::store::{Error, Store};

/// A container of its own in the emulator.
struct Azurite {
    address: Address,
    beside: tempfile::TempDir,
}

fn handle() -> Handle {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap()).handle().clone()
}

fn client() -> Arc<dyn HttpClient> {
    Arc::new(
        reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .build()
            .unwrap(),
    )
}

impl Azurite {
    fn new() -> Self {
        let account = std::env::var("FERRY_AZURITE").expect("FERRY_AZURITE is not set: tests/azurite/run sets it");
        let container = format!("t-{}", uuid::Uuid::new_v4());
        Self {
            address: Address::parse(&format!("{account}/{container}/some/where")).unwrap(),
            beside: tempfile::tempdir().unwrap(),
        }
    }

    fn store_over(&self, http: Arc<dyn HttpClient>) -> BlobStore {
        let connection = Connection {
            access: Access::Emulator,
            http,
            handle: handle(),
        };
        let mut store = BlobStore::new(self.address.clone(), connection, self.beside.path(), Arc::new(|_| {})).unwrap();
        // Whoever finds a holder in these tests finds a living one.
        store.timing.patience = Duration::ZERO;
        store
    }

    fn blob_store(&self) -> BlobStore {
        self.store_over(client())
    }

    fn remote(&self) -> Remote {
        self.blob_store().remote.clone()
    }
}

impl Lab for Azurite {
    fn store(&self) -> Box<dyn Store> {
        Box::new(self.blob_store())
    }

    fn spoil(&self, run: &str, damage: Damage) {
        let (remote, blob) = (self.remote(), segment_blob(run, 1));
        handle().block_on(async {
            let mut metadata = remote.head(&blob).await.unwrap().metadata;
            let content = String::from_utf8(remote.read(&blob, 0).await.unwrap()).unwrap();
            let mut lines: Vec<String> = content.lines().map(str::to_owned).collect();
            let second = lines.iter().position(|line| line.contains("\"seq\":2,")).unwrap();
            match damage {
                Damage::Garbage => {
                    metadata.clear();
                    lines = vec!["this is no journal at all".to_owned()];
                }
                Damage::Gap => {
                    lines.remove(second);
                }
                Damage::HalfAnEntry => {
                    let half = lines[second].len() - 3;
                    lines[second].truncate(half);
                }
                Damage::Newer => {
                    metadata.insert("format".into(), "99".into());
                    let head = Line::Ferry {
                        format: 99,
                        run: run.to_owned(),
                        segment: 1,
                    };
                    lines[0] = String::from_utf8(head.bytes()).unwrap().trim_end().to_owned();
                }
            }
            let content = lines.join("\n") + "\n";
            remote.replace(&blob, &metadata, content.as_bytes()).await;
        });
    }

    fn lose(&self, run: &str) -> bool {
        let (remote, blob) = (self.remote(), segment_blob(run, 1));
        handle().block_on(async {
            let lock = remote.head(&blob).await.unwrap().metadata["lock"].clone();
            remote.end_lease(&lock_blob(&lock)).await;
            remote.end_lease(&blob).await;
        });
        true
    }

    fn cases(&self) -> u32 {
        3
    }
}

suite::store_suite!(Azurite::new(), #[ignore = "needs Azurite: tests/azurite/run"]);

fn append(journal: &dyn crate::store::Journal, numbers: std::ops::RangeInclusive<u64>) {
    for number in numbers {
        assert_eq!(journal.append("note", &json!({ "number": number })).unwrap(), number);
    }
}

/// The numbers of a journal's entries, which are to be those of its notes.
fn numbers(store: &dyn Store, run: &str) -> u64 {
    let entries = store.read(run).unwrap();
    for (at, entry) in entries.iter().enumerate() {
        assert_eq!(
            (entry.seq, entry.body["number"].as_u64()),
            (at as u64 + 1, Some(at as u64 + 1))
        );
    }
    entries.len() as u64
}

#[test]
#[ignore = "needs Azurite: tests/azurite/run"]
fn a_long_journal_goes_on_in_further_blobs() {
    let azurite = Azurite::new();
    let mut store = azurite.blob_store();
    store.lines = 6;
    let journal = store.create("r", "s", "l").unwrap();
    append(&*journal, 1..=23);
    let run = journal.run().to_owned();
    assert_eq!(numbers(&store, &run), 23);
    drop(journal);
    let journal = store.open(&run).unwrap();
    append(&*journal, 24..=30);
    journal.set_status("paused").unwrap();
    journal.assert_held().unwrap();
    drop(journal);
    assert_eq!(numbers(&store, &run), 30);
    assert_eq!(
        (store.runs().unwrap().len(), store.runs().unwrap()[0].status.as_str()),
        (1, "paused")
    );
    let tape = handle().block_on(read::whole(&store.remote, &run)).unwrap();
    assert!(tape.segment > 5, "{tape:?}");
    // Somebody may have begun a segment and died before the last one named it.
    let next = segment_blob(&run, tape.segment + 1);
    handle()
        .block_on(store.remote.make(&next, &std::collections::HashMap::new()))
        .unwrap();
    let journal = store.open(&run).unwrap();
    append(&*journal, 31..=40);
    drop(journal);
    assert_eq!(numbers(&store, &run), 40);
    // A segment that is named and missing is damage, and never begun anew.
    handle().block_on(async {
        let gone = segment_blob(&run, 3);
        store
            .remote
            .replace(&gone, &std::collections::HashMap::new(), b"nothing of ours\n")
            .await;
    });
    assert!(matches!(store.read(&run), Err(Error::Damaged { .. })));
    assert!(matches!(store.open(&run).map(drop), Err(Error::Damaged { .. })));
}

#[test]
#[ignore = "needs Azurite: tests/azurite/run"]
fn a_holder_that_lives_is_left_alone_and_said_to_live() {
    let azurite = Azurite::new();
    let mut holder = azurite.blob_store();
    holder.timing = Timing {
        renew: Duration::from_millis(300),
        ..Timing::default()
    };
    let journal = holder.create("r", "s", "l").unwrap();
    let said = Arc::new(Mutex::new(Vec::new()));
    let mut other = azurite.blob_store();
    other.timing = Timing::default();
    let heard = Arc::clone(&said);
    other.tell = Arc::new(move |text| heard.lock().unwrap().push(text.to_owned()));
    let begun = Instant::now();
    let held = other.open(journal.run());
    assert!(matches!(held.map(drop), Err(Error::Held { .. })));
    assert!(begun.elapsed() < Duration::from_secs(10), "a lease was waited for");
    let said = said.lock().unwrap().clone();
    assert!(
        said.len() == 1 && said[0].contains("waiting") && said[0].contains("process"),
        "{said:?}"
    );
    append(&*journal, 1..=3);
}

#[test]
#[ignore = "needs Azurite: tests/azurite/run"]
fn a_process_that_slept_through_its_lease_asks_before_it_goes_on() {
    let azurite = Azurite::new();
    let mut store = azurite.blob_store();
    // Its renewals would come too late, as those of a stopped process do.
    store.timing = Timing {
        lease: Duration::from_secs(15),
        renew: Duration::from_hours(1),
        patience: Duration::ZERO,
    };
    let journal = store.create("r", "s", "l").unwrap();
    append(&*journal, 1..=1);
    std::thread::sleep(Duration::from_millis(12_500));
    // Nobody took it meanwhile, so it may go on; its lease was renewed for that.
    journal.assert_held().unwrap();
    std::thread::sleep(Duration::from_secs(4));
    append(&*journal, 2..=2);
    assert!(matches!(
        azurite.store().open(journal.run()).map(drop),
        Err(Error::Held { .. })
    ));
}

/// An account that gives one answer to everything, and what it was asked.
#[derive(Debug)]
struct Account {
    status: u16,
    code: &'static str,
    asked: Mutex<Vec<(String, String)>>,
}

#[async_trait]
impl HttpClient for Account {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let signed = request
            .headers()
            .get_optional_string(&AUTHORIZATION)
            .unwrap_or_default();
        self.asked.lock().unwrap().push((request.url().to_string(), signed));
        let mut headers = Headers::new();
        headers.insert("x-ms-error-code", self.code);
        Ok(AsyncRawResponse::from_bytes(
            self.status.into(),
            headers,
            azure_core::Bytes::new(),
        ))
    }
}

/// A token that was given by somebody else.
#[derive(Debug)]
struct Given;

#[async_trait]
impl TokenCredential for Given {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        assert_eq!(scopes, ["https://storage.azure.com/.default"]);
        let hour = time::OffsetDateTime::now_utc() + time::Duration::HOUR;
        Ok(AccessToken::new("t-7", hour))
    }
}

#[test]
fn an_account_is_called_with_a_token_and_its_refusal_is_told() {
    let ask = |status, code| {
        let account = Arc::new(Account {
            status,
            code,
            asked: Mutex::default(),
        });
        let connection = Connection {
            access: Access::Token(Arc::new(Given)),
            http: Arc::clone(&account) as Arc<dyn HttpClient>,
            handle: handle(),
        };
        let address = Address::parse("https://acc.blob.core.windows.net/ferry/team").unwrap();
        let store = BlobStore::new(address, connection, std::path::Path::new("/nowhere"), Arc::new(|_| {})).unwrap();
        let runs = store.runs();
        let asked = account.asked.lock().unwrap().clone();
        (runs, asked)
    };
    let (runs, asked) = ask(404, "ContainerNotFound");
    assert_eq!(runs, Ok(Vec::new()), "nobody has written to it yet");
    let (url, signed) = &asked[0];
    assert!(
        url.starts_with("https://acc.blob.core.windows.net/ferry?") && url.contains("team%2Fruns%2F"),
        "{url}"
    );
    assert_eq!((asked.len(), signed.as_str()), (1, "Bearer t-7"));
    let (refused, _) = ask(403, "AuthorizationPermissionMismatch");
    assert!(
        matches!(&refused, Err(Error::Denied { why, .. }) if why == "AuthorizationPermissionMismatch"),
        "{refused:?}"
    );
}

/// A network that loses what it is told to.
#[derive(Debug)]
struct Lossy {
    inner: Arc<dyn HttpClient>,
    count: AtomicU32,
}

#[async_trait]
impl HttpClient for Lossy {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let lost = |what: &'static str| Err(azure_core::Error::with_message(ErrorKind::Io, what));
        let turn = self.count.fetch_add(1, Ordering::SeqCst);
        match (request.method(), turn % 3) {
            (Method::Put, 0) => lost("the request was lost"),
            (Method::Put, 1) => {
                self.inner.execute_request(request).await?;
                lost("the answer was lost")
            }
            _ => self.inner.execute_request(request).await,
        }
    }
}

#[test]
#[ignore = "needs Azurite: tests/azurite/run"]
fn whatever_is_lost_on_the_way_stands_in_the_journal_once() {
    let azurite = Azurite::new();
    let http = Lossy {
        inner: client(),
        count: AtomicU32::new(0),
    };
    let mut store = azurite.store_over(Arc::new(http));
    store.lines = 9;
    let journal = store.create("r", "s", "l").unwrap();
    let run = journal.run().to_owned();
    append(&*journal, 1..=12);
    journal.set_status("paused").unwrap();
    drop(journal);
    let journal = store.open(&run).unwrap();
    append(&*journal, 13..=24);
    journal.assert_held().unwrap();
    drop(journal);
    let plain = azurite.blob_store();
    assert_eq!(numbers(&plain, &run), 24);
    let runs = plain.runs().unwrap();
    assert_eq!((runs.len(), runs[0].status.as_str()), (1, "paused"), "{runs:?}");
}
