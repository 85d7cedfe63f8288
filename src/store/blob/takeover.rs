//! Taking a lease that somebody else holds: a holder that lives is left alone, a dead one's lease runs out.

use std::sync::Arc;
use std::time::Duration;

use super::clock::Moment;
use super::fault::Fault;
use super::keeper::Keeper;
use super::remote::Remote;
use crate::store::Error;

/// Who is told, in a sentence, that a store waits.
pub type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// How often a lease is asked for.
const ASK: Duration = Duration::from_secs(1);

/// Takes the lease of `blob` into the keeper. A holder that writes to it meanwhile lives; one that shows no life is
/// waited for as long as `patience` says, since its lease ends if nobody renews it.
///
/// # Errors
/// [`Error::Held`], of `what`; those of the service.
pub(super) async fn take(
    keeper: &Keeper,
    remote: &Remote,
    (blob, what): (&str, &str),
    patience: Duration,
    tell: &Tell,
) -> Result<(), Error> {
    let begun = Moment::now();
    let mut first = None;
    loop {
        match keeper.take(blob).await {
            Ok(()) => {
                if first.is_some() {
                    tell(&format!("{what} is free: whoever held it is gone"));
                }
                return Ok(());
            }
            Err(fault) if fault.is_about_lease() => {}
            Err(fault) => return Err(remote.error(fault, blob, "locked")),
        }
        let head = remote
            .head(blob)
            .await
            .map_err(|fault| remote.error(fault, blob, "read"))?;
        let holder = head.metadata.get("by").cloned();
        let seen = first.get_or_insert_with(|| head.etag.clone());
        let lives = *seen != head.etag;
        let waited = begun.elapsed();
        if lives || waited + ASK > patience {
            return Err(Error::Held {
                what: what.to_owned(),
                holder,
            });
        }
        if waited < ASK {
            let by = holder.map(|by| format!(" by {by}")).unwrap_or_default();
            tell(&format!(
                "{what} is held{by}; waiting to see whether its holder lives: a dead one's lease ends within {} s",
                patience.as_secs()
            ));
        }
        tokio::time::sleep(ASK).await;
    }
}

/// Makes a blob to be leased, unless it is there.
///
/// # Errors
/// Those of the service.
pub(super) async fn make_lock(remote: &Remote, blob: &str) -> Result<(), Error> {
    let nothing = super::remote::Metadata::new();
    let (mut tries, mut container) = (0, false);
    loop {
        match remote.make(blob, &nothing).await {
            Ok(()) => return Ok(()),
            // There is one; where it is leased, its lease is missed before its being there is.
            Err(fault) if fault.is(409) || fault.is(412) => return Ok(()),
            Err(fault) if fault.is(404) && !container => {
                let made = remote.make_container().await;
                made.map_err(|fault| remote.error(fault, "", "created"))?;
                container = true;
            }
            Err(Fault::Lost(_)) if tries < 5 => {
                tries += 1;
                tokio::time::sleep(ASK / 2).await;
            }
            Err(fault) => return Err(remote.error(fault, blob, "created")),
        }
    }
}
