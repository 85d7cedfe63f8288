//! The few requests that journals need, on one container, and what can come of them.

use std::collections::HashMap;
use std::future::Future;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use azure_core::credentials::TokenCredential;
use azure_core::http::{ClientOptions, HttpClient, RetryOptions, Transport};
use azure_storage_blob::models::{
    AppendBlobClientAppendBlockOptions, AppendBlobClientCreateOptions, BlobClientAcquireLeaseOptions,
    BlobClientDownloadOptions, BlobClientGetPropertiesResultHeaders as _, BlobClientSetMetadataOptions,
    BlobContainerClientListBlobsOptions, ListBlobsIncludeItem,
};
use azure_storage_blob::{BlobContainerClient, BlobContainerClientOptions};
use bytes::Bytes;
use futures::TryStreamExt as _;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::address::Address;
use super::clock::Moment;
use super::fault::{Fault, causes};
use super::shared_key::SharedKey;
use crate::store::Error;

/// The version of the service that is spoken: append blocks of up to 100 MiB came with 2022-11-02, and every emulator of
/// the last years knows this one.
const VERSION: &str = "2023-11-03";

/// The most bytes that one request reads.
const CHUNK: usize = 4 << 20;

/// The longest wait for the answer to a request that carries little.
const ANSWER: Duration = Duration::from_secs(10);

/// How long a request is tried again whose answer was lost, and that does nobody harm when it is sent twice.
const PATIENCE: Duration = Duration::from_secs(5);

/// Characters of metadata values that go over the wire as they are.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'/')
    .remove(b':');

/// Names and values that a blob carries beside its content.
pub(super) type Metadata = HashMap<String, String>;

/// How the account knows who is calling.
pub enum Access {
    /// By the public key of an emulator on this machine.
    Emulator,
    /// By a token for `https://storage.azure.com`.
    Token(Arc<dyn TokenCredential>),
}

/// What the head of a blob tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    /// Changes with every change of content or metadata.
    pub(super) etag: String,
    /// Names and values beside the content.
    pub(super) metadata: Metadata,
}

/// A container, and where in it the journals are. Clones share connections and tokens.
#[derive(Clone)]
pub(super) struct Remote {
    container: Arc<BlobContainerClient>,
    address: Address,
}

impl Remote {
    /// The container at an address. Nothing is sent yet.
    pub(super) fn new(address: Address, access: Access, http: Arc<dyn HttpClient>) -> Result<Self, Error> {
        let mut client_options = ClientOptions {
            // Whoever appends has to look before it tries again, so nothing here tries again by itself.
            retry: RetryOptions::none(),
            transport: Some(Transport::new(http)),
            ..ClientOptions::default()
        };
        let credential = match access {
            Access::Emulator if address.is_emulator() => {
                client_options.per_try_policies.push(Arc::new(SharedKey));
                None
            }
            Access::Emulator => None,
            Access::Token(credential) => Some(credential),
        };
        let options = BlobContainerClientOptions {
            client_options,
            version: VERSION.to_owned(),
        };
        let container = BlobContainerClient::new(address.container().clone(), credential, Some(options));
        let container = container.map_err(|error| Error::Io {
            path: address.to_string(),
            verb: "opened",
            why: causes(&error),
        })?;
        Ok(Self {
            container: Arc::new(container),
            address,
        })
    }

    /// Where it is, as people write it.
    pub(super) fn place(&self) -> String {
        self.address.to_string()
    }

    /// The URL of a blob, as people write it.
    pub(super) fn url(&self, blob: &str) -> String {
        format!("{}/{blob}", self.address)
    }

    /// The error that a fault means to the caller of a store.
    pub(super) fn error(&self, fault: Fault, blob: &str, verb: &'static str) -> Error {
        let place = self.place();
        match fault {
            Fault::Lost(why) => Error::Unreachable { place, why },
            Fault::SignIn(why) => Error::SignIn { place, why },
            Fault::Said {
                status: 401 | 403,
                code,
            } => Error::Denied { place, why: code },
            Fault::Said { .. } => Error::Io {
                path: self.url(blob),
                verb,
                why: fault.said(),
            },
        }
    }

    fn name(&self, blob: &str) -> String {
        format!("{}{blob}", self.address.prefix())
    }

    /// Makes the container, unless it is there.
    pub(super) async fn make_container(&self) -> Result<(), Fault> {
        let made = patiently(|| within(ANSWER, self.container.create(None))).await;
        match made {
            Err(fault) if fault.says("ContainerAlreadyExists") => Ok(()),
            other => other.map(drop),
        }
    }

    /// Makes an append blob with this metadata; a fault with status 409 where there is one of its name.
    pub(super) async fn make(&self, blob: &str, metadata: &Metadata) -> Result<(), Fault> {
        let client = self.container.blob_client(&self.name(blob)).append_blob_client();
        let options = AppendBlobClientCreateOptions {
            if_none_match: Some("*".into()),
            metadata: Some(encoded(metadata)),
            ..AppendBlobClientCreateOptions::default()
        };
        within(ANSWER, client.create(Some(options))).await.map(drop)
    }

    /// Appends a block, if the blob ends at `position` and the lease is held. It is sent once.
    pub(super) async fn append(&self, blob: &str, position: u64, lease: &str, bytes: Bytes) -> Result<(), Fault> {
        let client = self.container.blob_client(&self.name(blob)).append_blob_client();
        let length = bytes.len() as u64;
        let options = AppendBlobClientAppendBlockOptions {
            append_position: Some(i64::try_from(position).unwrap_or(i64::MAX)),
            lease_id: Some(lease.to_owned()),
            ..AppendBlobClientAppendBlockOptions::default()
        };
        // A large block takes its time: a quarter of a megabyte a second is slow already.
        let limit = ANSWER + Duration::from_secs(length >> 18);
        within(limit, client.append_block(bytes.into(), length, Some(options)))
            .await
            .map(drop)
    }

    /// What stands in a blob from `position` on; nothing where it ends there.
    pub(super) async fn read(&self, blob: &str, position: u64) -> Result<Vec<u8>, Fault> {
        let mut read = Vec::new();
        loop {
            let from = position + read.len() as u64;
            let chunk = match patiently(|| self.chunk(blob, from)).await {
                Err(fault) if fault.is(416) => Bytes::new(),
                other => other?,
            };
            read.extend_from_slice(&chunk);
            if chunk.len() < CHUNK {
                return Ok(read);
            }
        }
    }

    async fn chunk(&self, blob: &str, from: u64) -> Result<Bytes, Fault> {
        let client = self.container.blob_client(&self.name(blob));
        let options = BlobClientDownloadOptions {
            range: Some((from..from + CHUNK as u64).into()),
            partition_size: NonZero::new(CHUNK),
            ..BlobClientDownloadOptions::default()
        };
        let read = async { client.download(Some(options)).await?.body.collect().await };
        within(ANSWER * 3, read).await
    }

    /// The head of a blob.
    pub(super) async fn head(&self, blob: &str) -> Result<Head, Fault> {
        let client = self.container.blob_client(&self.name(blob));
        let answer = patiently(|| within(ANSWER, client.get_properties(None))).await?;
        let unreadable = |error: azure_core::Error| Fault::Lost(causes(&error));
        Ok(Head {
            etag: answer
                .etag()
                .map_err(unreadable)?
                .map(|etag| etag.to_string())
                .unwrap_or_default(),
            metadata: decoded(&answer.metadata().map_err(unreadable)?),
        })
    }

    /// Replaces the metadata of a blob, if the lease is held.
    pub(super) async fn set_metadata(&self, blob: &str, lease: &str, metadata: &Metadata) -> Result<(), Fault> {
        let client = self.container.blob_client(&self.name(blob));
        let metadata = encoded(metadata);
        let options = BlobClientSetMetadataOptions {
            lease_id: Some(lease.to_owned()),
            ..BlobClientSetMetadataOptions::default()
        };
        within(ANSWER, client.set_metadata(&metadata, Some(options)))
            .await
            .map(drop)
    }

    /// Takes a lease of this id. Taking it twice is taking it once.
    pub(super) async fn acquire(&self, blob: &str, lease: &str, seconds: i32) -> Result<(), Fault> {
        let client = self.container.blob_client(&self.name(blob));
        patiently(|| {
            let options = BlobClientAcquireLeaseOptions {
                proposed_lease_id: Some(lease.to_owned()),
                ..BlobClientAcquireLeaseOptions::default()
            };
            within(ANSWER, client.acquire_lease(seconds, Some(options)))
        })
        .await
        .map(drop)
    }

    /// Renews a lease.
    pub(super) async fn renew(&self, blob: &str, lease: &str) -> Result<(), Fault> {
        let client = self.container.blob_client(&self.name(blob));
        within(ANSWER, client.renew_lease(lease.to_owned(), None))
            .await
            .map(drop)
    }

    /// Gives a lease back.
    pub(super) async fn release(&self, blob: &str, lease: &str) -> Result<(), Fault> {
        let client = self.container.blob_client(&self.name(blob));
        patiently(|| within(ANSWER, client.release_lease(lease.to_owned(), None)))
            .await
            .map(drop)
    }

    /// The blobs whose names begin so, with their metadata, by name.
    pub(super) async fn list(&self, start: &str) -> Result<Vec<(String, Metadata)>, Fault> {
        patiently(|| self.list_once(start)).await
    }

    async fn list_once(&self, start: &str) -> Result<Vec<(String, Metadata)>, Fault> {
        let options = BlobContainerClientListBlobsOptions {
            prefix: Some(self.name(start)),
            include: Some(vec![ListBlobsIncludeItem::Metadata]),
            ..BlobContainerClientListBlobsOptions::default()
        };
        let mut pages = self
            .container
            .list_blobs(Some(options))
            .map_err(|error| Fault::of(&error))?
            .into_pages();
        let mut found = Vec::new();
        while let Some(page) = within(ANSWER * 3, pages.try_next()).await? {
            let page = page.into_model().map_err(|error| Fault::of(&error))?;
            for item in page.blob_items {
                let name = item.name.unwrap_or_default();
                let metadata = item.metadata.and_then(|metadata| metadata.values).unwrap_or_default();
                if let Some(name) = name.strip_prefix(self.address.prefix()) {
                    found.push((name.to_owned(), decoded(&metadata)));
                }
            }
        }
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(found)
    }
}

#[cfg(test)]
impl Remote {
    /// Puts other content under a blob's name, past everything that would forbid it.
    pub(super) async fn replace(&self, blob: &str, metadata: &Metadata, content: &[u8]) {
        let client = self.container.blob_client(&self.name(blob));
        client.delete(None).await.unwrap();
        self.make(blob, metadata).await.unwrap();
        let content = Bytes::copy_from_slice(content);
        let length = content.len() as u64;
        let appended = client
            .append_blob_client()
            .append_block(content.into(), length, None)
            .await;
        appended.map(drop).unwrap();
    }

    /// Ends a lease, as time does.
    pub(super) async fn end_lease(&self, blob: &str) {
        let options = azure_storage_blob::models::BlobClientBreakLeaseOptions {
            break_period: Some(0),
            ..Default::default()
        };
        let client = self.container.blob_client(&self.name(blob));
        client.break_lease(Some(options)).await.map(drop).unwrap();
    }
}

/// The end of a request, or the fault of one that takes too long.
async fn within<T>(limit: Duration, request: impl Future<Output = azure_core::Result<T>>) -> Result<T, Fault> {
    match tokio::time::timeout(limit, request).await {
        Ok(result) => result.map_err(|error| Fault::of(&error)),
        Err(_) => Err(Fault::Lost(format!("no answer in {} s", limit.as_secs()))),
    }
}

/// Sends again what was lost, for a while.
async fn patiently<T, F: Future<Output = Result<T, Fault>>>(mut request: impl FnMut() -> F) -> Result<T, Fault> {
    let begun = Moment::now();
    let mut pause = Duration::from_millis(200);
    loop {
        match request().await {
            Err(Fault::Lost(_)) if begun.elapsed() < PATIENCE => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(2));
            }
            other => return other,
        }
    }
}

/// Metadata travels as headers, which are ASCII.
fn encoded(metadata: &Metadata) -> Metadata {
    let encode = |value: &String| utf8_percent_encode(value, PLAIN).to_string();
    metadata
        .iter()
        .map(|(name, value)| (name.clone(), encode(value)))
        .collect()
}

fn decoded(metadata: &Metadata) -> Metadata {
    let decode = |value: &String| percent_decode_str(value).decode_utf8_lossy().into_owned();
    metadata
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), decode(value)))
        .collect()
}

/// How many bytes metadata takes on the wire, of the 8 KiB that a blob may have.
pub(super) fn size(metadata: &Metadata) -> usize {
    encoded(metadata)
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum()
}
