//! Texts that look like a secret, whoever they are from: a later process has not read what an earlier one learnt.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// Tokens, private keys, and the values behind names that only secrets have. The group is what is hidden.
const SHAPES: &[&str] = &[
    r"(eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?)",
    r"(?i)\bbearer\s+([A-Za-z0-9._~+/=-]{16,})",
    r"(?i)\b(?:password|pwd|account_?key|shared_?access_?key|client_?secret|api_?key)=([^;&\s\x22',(){}]{4,})",
    r"(?i)\b(?:client_?secret|client_?assertion|refresh_?token|access_?token)\x22?\s*:\s*\x22([^\x22]{4,})",
    r"(?i)[?&](?:sig|code)=([^&\s\x22']{16,})",
    r"(?s)(-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$))",
];

/// Where they stand in a text.
pub(super) fn find(text: &str) -> impl Iterator<Item = Range<usize>> {
    static COMPILED: LazyLock<Vec<Regex>> =
        LazyLock::new(|| SHAPES.iter().filter_map(|shape| Regex::new(shape).ok()).collect());
    // Most texts have none of the characters that all shapes have.
    let worth = text.len() >= 12 && (text.contains(['=', '.', ':']) || text.contains("-----") || text.contains(' '));
    let shapes: &[Regex] = if worth { COMPILED.as_slice() } else { &[] };
    shapes.iter().flat_map(move |shape| {
        shape
            .captures_iter(text)
            .filter_map(|found| found.get(1).map(|group| group.range()))
            .collect::<Vec<_>>()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_one_that_the_engine_reads() {
        assert!(SHAPES.iter().all(|shape| Regex::new(shape).is_ok()));
    }
}
