//! What stores put on runs and entries: ids, and times.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// This moment, as journals write it: RFC 3339, UTC.
pub fn now() -> String {
    OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default()
}

/// A short id that can be typed: six letters and digits that cannot be mistaken for one another.
pub(super) fn new_id() -> String {
    const LETTERS: &[u8] = b"23456789abcdefghjkmnpqrstuvwxyz";
    uuid::Uuid::new_v4()
        .as_bytes()
        .iter()
        .take(6)
        .map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]))
        .collect()
}
