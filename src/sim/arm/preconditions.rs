//! What every write of a resource must meet, whatever its type: a registered namespace, tags within their bounds, the
//! conditions in its headers, and no other operation under way.

use serde_json::Value;

use super::fail::fail;
use super::resource::Work;
use super::route::{Result, Turn};
use super::{federated, managed_identity, registration, show};
use crate::types::ResourceId;

/// How many tags a thing has at most.
const MOST_TAGS: usize = 50;
/// The longest name and the longest value of a tag.
const LONGEST: (usize, usize) = (512, 256);
/// The longest name of a tag of a storage account.
const LONGEST_OF_STORAGE: usize = 128;

/// Checks what is about to be written.
///
/// # Errors
/// 409 `MissingSubscriptionRegistration`; 400 where tags are too many, too long, or no texts.
pub fn check(turn: &Turn<'_>, id: &ResourceId, body: &Value) -> Result<()> {
    registration::needed(turn, id)?;
    body.get("tags").map_or(Ok(()), |sent| tags(id, sent))
}

/// Checks the tags of a thing as a whole.
///
/// # Errors
/// 400 where they are too many, too long, or no texts.
pub fn tags(id: &ResourceId, sent: &Value) -> Result<()> {
    let sent = match sent {
        Value::Null => return Ok(()),
        Value::Object(sent) => sent,
        _ => return Err(super::fail::bad_content("tags must be an object of texts")),
    };
    if sent.len() > MOST_TAGS {
        return Err(fail(
            400,
            "TooManyTags",
            format!(
                "The number of tags '{}' exceeds the maximum number of tags '{MOST_TAGS}' on the resource '{}'.",
                sent.len(),
                id.name()
            ),
        ));
    }
    let longest = if id.is_type("Microsoft.Storage/storageAccounts") {
        LONGEST_OF_STORAGE
    } else {
        LONGEST.0
    };
    for (name, value) in sent {
        if name.is_empty() || name.chars().count() > longest {
            return Err(fail(
                400,
                "InvalidTagNameLength",
                format!(
                    "The tag name '{name}' is invalid. A tag name must be between 1 and {longest} characters long."
                ),
            ));
        }
        let reserved = |c: char| "<>%&\\?/".contains(c) || c.is_control();
        // Azure's own tags, `hidden-link:/subscriptions/…`, have them.
        let own = ["hidden", "link"].iter().any(|prefix| name.starts_with(prefix));
        if !own && name.contains(reserved) {
            return Err(fail(
                400,
                "InvalidTagNameCharacters",
                format!(
                    "The tag names '{name}' have reserved characters '<,>,%,&,\\,?,/' or control characters. These \
                     characters are only allowed for tags that start with the prefix 'hidden, link'."
                ),
            ));
        }
        let text = match value {
            Value::String(text) => text.chars().count(),
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            _ => return Err(super::fail::bad_content("tags must be an object of texts")),
        };
        if text > LONGEST.1 {
            return Err(fail(
                400,
                "InvalidTagValueLength",
                format!(
                    "Tag value too large. Following tag value '{}' exceeded the maximum length. Maximum allowed length for \
                     tag value - '{}' characters.",
                    value.as_str().unwrap_or_default(),
                    LONGEST.1
                ),
            ));
        }
    }
    Ok(())
}

/// Fails where a conditional header does not hold.
pub fn conditions(turn: &Turn<'_>, work: &Work) -> Result<()> {
    // These have no etag, and their service does not look at the headers.
    if managed_identity::is(&work.id) || federated::is(&work.id) {
        return Ok(());
    }
    let stale = |text: &str| Err(fail(412, "PreconditionFailed", text));
    if turn.ask.header("if-none-match") == Some("*") && work.stored.is_some() {
        return stale("The condition '*' in the If-None-Match header was not satisfied: the resource exists already.");
    }
    let Some(wanted) = turn.ask.header("if-match") else {
        return Ok(());
    };
    let Some(stored) = &work.stored else {
        return stale("The condition in the If-Match header was not satisfied: the resource does not exist.");
    };
    let own = stored["etag"].as_str().map(str::to_owned);
    if wanted == "*" || (own.is_none() && !work.kind.etag) {
        return Ok(());
    }
    let current = own.unwrap_or_else(|| show::etag(turn.world, work.id.key()));
    let bare = |text: &str| text.trim_start_matches("W/").trim_matches('"').to_owned();
    if wanted.split(',').any(|tag| bare(tag.trim()) == bare(&current)) {
        return Ok(());
    }
    stale(&format!(
        "The condition '{wanted}' in the If-Match header was not satisfied. The current etag is '{current}'."
    ))
}

/// Fails where another operation of the resource is under way and its service takes one at a time.
pub fn busy(turn: &Turn<'_>, work: &Work) -> Result<()> {
    let under_way = turn.world.state_of(work.id.key(), turn.ask.now).is_some();
    if !work.kind.exclusive || !under_way || !turn.world.behaviour.serial_writes {
        return Ok(());
    }
    Err(fail(
        409,
        "AnotherOperationInProgress",
        format!(
            "Another operation on this or dependent resource is in progress. Resource: '{}'.",
            work.id
        ),
    ))
}
