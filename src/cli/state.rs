//! From `--state` to the store of journals: a directory, or a container of Azure Blob Storage.

use std::path::PathBuf;
use std::sync::Arc;

use super::context::Context;
use super::target;
use crate::azure::{self, Cloud, Tokens};
use crate::error::Error;
use crate::store::blob::{Access, Address, Connection};
use crate::store::{BlobStore, SqliteStore, Store};

/// The store of journals that the options name; by default in the platform's state directory.
///
/// # Errors
/// `state-unknown` for a URL that is no container's, or where the platform names no such directory; where a container
/// has a cloud of its own, those of finding it.
pub fn open(context: &Context<'_>) -> Result<Arc<dyn Store>, Error> {
    match &context.global.state {
        Some(url) if url.contains("://") => shared(url, context),
        Some(directory) => Ok(Arc::new(SqliteStore::new(directory))),
        None => Ok(Arc::new(SqliteStore::new(directory()?))),
    }
}

/// Where the platform keeps the state of programs: `~/.local/state/ferry`, `%LOCALAPPDATA%\ferry`.
pub fn directory() -> Result<PathBuf, Error> {
    use etcetera::BaseStrategy as _;
    let base = etcetera::choose_base_strategy().map_err(|error| {
        Error::refused(
            "state-unknown",
            format!("this platform names no directory for state: {error}"),
        )
        .untouched("nothing was sent")
        .next("choose a directory: --state DIR, or FERRY_STATE")
    })?;
    Ok(base.state_dir().unwrap_or_else(|| base.data_dir()).join("ferry"))
}

/// The shared state at a URL. Nothing is asked of it yet.
fn shared(url: &str, context: &Context<'_>) -> Result<Arc<dyn Store>, Error> {
    let unknown = |why: String| {
        // What was typed may have held a password or a signature, so it is not repeated.
        Error::refused(
            "state-unknown",
            format!("the URL of --state is no place that ferry keeps journals in: {why}"),
        )
        .untouched("nothing was sent")
        .next("--state https://ACCOUNT.blob.core.windows.net/CONTAINER, or a directory; docs/state.md has both")
    };
    let address = Address::parse(url).map_err(unknown)?;
    let trust = target::trust(&context.global)?;
    let handle = context.handle()?;
    let access = if address.is_emulator() {
        Access::Emulator
    } else {
        let cloud = cloud(&address, context)?.ok_or_else(|| {
            let host = address.host();
            unknown(format!(
                "{host} is no storage account of a cloud that ferry knows; for another one, name it with --cloud URL"
            ))
        })?;
        let cloud = Cloud {
            trust: trust.clone(),
            ..cloud
        };
        Access::Token(Tokens::new(&cloud, target::auth(&context.global)?)?.as_credential())
    };
    let http = azure::storage_client(address.container(), &trust)?;
    let ui = context.ui.clone();
    let tell = Arc::new(move |text: &str| ui.say(text));
    let connection = Connection { access, http, handle };
    let store = BlobStore::new(address, connection, &directory()?.join("shared"), tell)?;
    Ok(Arc::new(store))
}

/// The cloud that gives tokens for an account: one that is known by the account's host, else the one of `--cloud`.
fn cloud(address: &Address, context: &Context<'_>) -> Result<Option<Cloud>, Error> {
    if let Some(known) = Cloud::of_storage(address.host()) {
        return Ok(Some(known));
    }
    let Some(given) = context.global.cloud.as_ref().filter(|given| given.contains("://")) else {
        return Ok(None);
    };
    let trust = target::trust(&context.global)?;
    let cloud = context.handle()?.block_on(Cloud::resolve_trusting(given, trust))?;
    Ok(Some(cloud).filter(|cloud| cloud.has_storage(address.host())))
}
