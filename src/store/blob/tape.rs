//! How a journal is written into append blobs: a line for each block, and what a reader checks.
//!
//! A line is sixteen hex digits, a blank, a JSON document, and a line feed; the digits are the beginning of the SHA-256 of
//! the document, so that a flipped byte is told from an entry. A journal has a segment for each [`LINES`] lines, since an
//! append blob takes 50,000 blocks. A segment is begun before the one before it names it: what is named and missing is
//! damage.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::store::{Entry, Error};
use crate::types::json;

/// The newest format of a journal.
pub(super) const FORMAT: u32 = 1;

/// Lines of a segment, of the 50,000 blocks that an append blob takes.
pub(super) const LINES: u32 = 49_000;

const DIGITS: usize = 16;

/// A line of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Line {
    /// The first one of a segment.
    Ferry {
        /// The format of the journal.
        format: u32,
        /// The run.
        run: String,
        /// The number of the segment, from 1.
        segment: u32,
    },
    /// A process has opened the journal. Whoever wrote before it finds its place taken.
    Opened {
        /// Who.
        by: String,
        /// Its lease.
        lease: String,
    },
    /// An entry.
    Entry(Entry),
    /// The journal goes on in the next segment.
    Continues(u32),
}

impl Line {
    /// The line as it is appended.
    pub(super) fn bytes(&self) -> Vec<u8> {
        // Plain data with string keys always becomes JSON.
        let text = serde_json::to_string(self).unwrap_or_default();
        format!("{} {text}\n", digest(text.as_bytes())).into_bytes()
    }
}

fn digest(text: &[u8]) -> String {
    let mut digits = json::hex(&Sha256::digest(text));
    digits.truncate(DIGITS);
    digits
}

/// What was read of a journal, from its beginning.
#[derive(Debug)]
pub(super) struct Tape {
    run: String,
    /// The entries.
    pub(super) entries: Vec<Entry>,
    /// The segment that was read last.
    pub(super) segment: u32,
    /// How many bytes of it were read.
    pub(super) position: u64,
    /// How many lines of it were read.
    pub(super) lines: u32,
}

impl Tape {
    /// Nothing yet of the journal of a run.
    pub(super) fn new(run: &str) -> Self {
        Self {
            run: run.to_owned(),
            entries: Vec::new(),
            segment: 1,
            position: 0,
            lines: 0,
        }
    }

    /// The sequence number of the next entry.
    pub(super) fn next_seq(&self) -> u64 {
        self.entries.len() as u64 + 1
    }

    /// Takes in what follows in this segment. Answers whether the journal goes on in the next one, which is then the
    /// one to be read.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<bool, Error> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                return Err(self.damaged("lacks its end"));
            };
            let line = self.line(&rest[..end])?;
            rest = &rest[end + 1..];
            self.position += end as u64 + 1;
            self.lines += 1;
            if self.take(line)? {
                if !rest.is_empty() {
                    return Err(self.damaged("stands in a segment that has ended"));
                }
                (self.segment, self.position, self.lines) = (self.segment + 1, 0, 0);
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn line(&self, line: &[u8]) -> Result<Line, Error> {
        let strange = || match self.lines {
            0 => self.whole("it does not begin as a journal of ferry's"),
            _ => self.damaged("is no entry"),
        };
        let (digits, text) = line.split_at_checked(DIGITS).ok_or_else(strange)?;
        let text = text.strip_prefix(b" ").ok_or_else(strange)?;
        if digits != digest(text).as_bytes() {
            return Err(self.damaged("is not what was written"));
        }
        if self.lines == 0 {
            // This much stays, whatever a newer format has behind it.
            let head: Value = serde_json::from_slice(text).map_err(|_| strange())?;
            let format = head
                .pointer("/ferry/format")
                .and_then(Value::as_u64)
                .ok_or_else(strange)?;
            let found = u32::try_from(format).unwrap_or(u32::MAX);
            if found > FORMAT {
                return Err(Error::Newer {
                    run: self.run.clone(),
                    found,
                    known: FORMAT,
                });
            }
        }
        serde_json::from_slice(text).map_err(|error| self.damaged(&format!("cannot be read: {error}")))
    }

    fn take(&mut self, line: Line) -> Result<bool, Error> {
        match line {
            Line::Ferry { run, segment, .. } if self.lines == 1 => {
                if run != self.run || segment != self.segment {
                    return Err(self.whole(&format!("segment {} is segment {segment} of run {run}", self.segment)));
                }
                Ok(false)
            }
            _ if self.lines == 1 => Err(self.whole("it does not begin as a journal of ferry's")),
            Line::Entry(entry) if entry.seq == self.next_seq() => {
                self.entries.push(entry);
                Ok(false)
            }
            Line::Entry(_) => Err(self.damaged("is missing")),
            Line::Continues(next) if next == self.segment + 1 => Ok(true),
            Line::Opened { .. } => Ok(false),
            Line::Ferry { .. } | Line::Continues(_) => {
                Err(self.damaged("is preceded by what stands elsewhere in a journal"))
            }
        }
    }

    /// The error of the entry that should come next.
    fn damaged(&self, why: &str) -> Error {
        self.whole(&format!("entry {} {why}", self.next_seq()))
    }

    /// The error of the journal as a whole.
    pub(super) fn whole(&self, why: &str) -> Error {
        Error::Damaged {
            run: self.run.clone(),
            why: why.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn head(segment: u32) -> Vec<u8> {
        let run = "abc234".to_owned();
        Line::Ferry {
            format: FORMAT,
            run,
            segment,
        }
        .bytes()
    }

    fn entry(seq: u64) -> Vec<u8> {
        Line::Entry(Entry {
            seq,
            at: "2026-01-01T00:00:00Z".into(),
            kind: "note".into(),
            body: json!({ "text": format!("ü\n{seq}") }),
        })
        .bytes()
    }

    fn read(bytes: &[u8]) -> Result<(usize, bool), Error> {
        let mut tape = Tape::new("abc234");
        let more = tape.read(bytes)?;
        Ok((tape.entries.len(), more))
    }

    #[test]
    fn a_journal_goes_on_in_its_next_segment() {
        let first = [head(1), entry(1), entry(2), Line::Continues(2).bytes()].concat();
        let mut tape = Tape::new("abc234");
        assert!(tape.read(&first).unwrap());
        let opened = Line::Opened {
            by: "me".into(),
            lease: "x".into(),
        };
        assert!(!tape.read(&[head(2), opened.bytes(), entry(3)].concat()).unwrap());
        assert_eq!((tape.entries.len(), tape.segment, tape.lines), (3, 2, 3));
    }

    #[test]
    fn any_flipped_bit_any_cut_and_any_missing_line_is_told() {
        let whole = [head(1), entry(1), entry(2), entry(3)].concat();
        assert_eq!(read(&whole).unwrap(), (3, false));
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut flipped = whole.clone();
                flipped[at] ^= 1 << bit;
                assert!(read(&flipped).is_err(), "bit {bit} of byte {at} went unnoticed");
            }
        }
        let ends: Vec<usize> = (0..whole.len())
            .filter(|at| whole[*at] == b'\n')
            .map(|at| at + 1)
            .collect();
        for cut in 1..whole.len() {
            assert_eq!(
                read(&whole[..cut]).is_ok(),
                ends.contains(&cut),
                "cut behind {cut} bytes"
            );
        }
        assert!(
            matches!(read(&[head(1), entry(2)].concat()), Err(Error::Damaged { why, .. }) if why == "entry 1 is missing")
        );
        assert!(read(&[entry(1)].concat()).is_err());
        assert!(read(&[head(2), entry(1)].concat()).is_err());
        assert!(read(&[head(1), Line::Continues(2).bytes(), entry(1)].concat()).is_err());
    }

    #[test]
    fn a_newer_format_is_told_whatever_else_it_has() {
        let text = r#"{"ferry":{"format":7,"shape":"round"}}"#;
        let newer = format!("{} {text}\nand so on", digest(text.as_bytes()));
        assert!(matches!(read(newer.as_bytes()), Err(Error::Newer { found: 7, .. })));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let _ = read(&bytes);
            let _ = read(&[head(1), bytes].concat());
        }
    }
}
