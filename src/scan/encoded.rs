//! What is written in base64, as the values of Kubernetes secrets are: it is told that an id is in it, and no more.

use std::ops::Range;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::ids;
use super::mark::{Kind, Mark, Word};
use super::names::Names;

const HOLDS: &str = "a value in base64 that holds it";
const IS_NAME: &str = "a value in base64 that is the name of the old identity";

/// The shortest line of a value that has several.
const LONG: usize = 16;
/// The shortest value that can hold an id.
const SHORTEST: usize = 48;
/// The longest that is looked into.
const LONGEST: usize = 4 << 20;

/// Every value in base64 that holds an id of the old identity.
pub(super) fn marks(text: &str, names: &Names) -> Vec<Mark> {
    let name = base64::engine::general_purpose::STANDARD.encode(&names.old.name);
    let mut marks = Vec::new();
    for (range, value) in values(text, name.trim_end_matches('=')) {
        if value.len() < SHORTEST {
            if !names.old.name.is_empty() && value == name.trim_end_matches('=') {
                marks.push(Mark::look(range, Word::Name, Kind::Doubt, IS_NAME));
            }
            continue;
        }
        let Some(decoded) = decoded(&value) else { continue };
        if let Some(word) = ids::first(&String::from_utf8_lossy(&decoded), names) {
            marks.push(Mark::look(range, word, Kind::Look, HOLDS));
        }
    }
    marks
}

fn decoded(value: &str) -> Option<Vec<u8>> {
    if value.len() > LONGEST {
        return None;
    }
    let lenient = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let alphabet = if value.contains(['-', '_']) {
        alphabet::URL_SAFE
    } else {
        alphabet::STANDARD
    };
    // Letters that a cut left over tell nothing.
    let whole = &value[..value.len() - usize::from(value.len() % 4 == 1)];
    GeneralPurpose::new(&alphabet, lenient).decode(whole).ok()
}

/// Runs of letters of base64 that are long, or are `name`: where they begin, and all of them without padding. Lines that
/// are nothing else go on.
fn values(text: &str, name: &str) -> Vec<(Range<usize>, String)> {
    let mut values: Vec<(Range<usize>, String)> = Vec::new();
    let mut at = 0;
    // Whether the last value filled its line from somewhere to its end.
    let mut goes_on = false;
    for line in text.split_inclusive('\n') {
        let (start, rest) = (at, line.trim_end());
        at += line.len();
        let whole = rest.trim_start().trim_end_matches('=');
        if goes_on
            && !whole.is_empty()
            && whole.bytes().all(is_letter)
            && let Some((_, value)) = values.last_mut()
        {
            value.push_str(whole);
            continue;
        }
        goes_on = false;
        let mut from = 0;
        for (end, letter) in rest.char_indices().chain([(rest.len(), ' ')]) {
            if u8::try_from(letter).is_ok_and(is_letter) {
                continue;
            }
            if end - from >= LONG || &rest[from..end] == name {
                values.push((start + from..start + from, rest[from..end].to_owned()));
                goes_on = rest[end..].trim_start_matches('=').is_empty();
            }
            from = end + letter.len_utf8();
        }
    }
    values
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}
