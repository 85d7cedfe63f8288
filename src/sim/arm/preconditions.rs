//! What every write of a resource must meet, whatever its type: a registered namespace, and tags within their bounds.

use serde_json::Value;

use super::fail::fail;
use super::registration;
use super::route::{Result, Turn};
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
