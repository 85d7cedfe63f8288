//! The chain of a journal: every entry carries a check over itself and over the entry before it.
//!
//! A database, or a blob, does not notice a byte that is flipped inside a text, nor an entry that is left out, doubled
//! or taken from another run. The chain does, whichever store keeps the entries: its first link is made of what the
//! journal is (its run, what it is about), each further one of the link before and of the entry as it is stored.
//!
//! What a chain alone cannot show is that entries are missing at its end; each store has its own way to tell that.

use sha2::{Digest as _, Sha256};

use super::Error;
use crate::types::json::hex;

/// How far a chain of entries has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    run: String,
    seq: u64,
    head: String,
}

impl Chain {
    /// The chain of a journal without entries. `facts` are those that never change: what the run is about, when it
    /// began. A journal under the name of another run, or with other facts, has another chain.
    pub fn begin(run: &str, facts: &[&str]) -> Self {
        let mut parts = vec!["ferry journal", run];
        parts.extend(facts);
        Self {
            run: run.to_owned(),
            seq: 0,
            head: digest(&parts),
        }
    }

    /// The number of the last entry; 0 where there is none.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The check of the last entry, or of the journal's beginning.
    pub fn head(&self) -> &str {
        &self.head
    }

    /// The number and the check of an entry that would come next, its body as it is stored. The chain stays as it is
    /// until the entry is durable: see [`Chain::take`].
    pub fn next(&self, at: &str, kind: &str, body: &str) -> (u64, String) {
        let seq = self.seq + 1;
        (seq, digest(&[&self.head, &seq.to_string(), at, kind, body]))
    }

    /// Takes an entry in that is durable now, by the check that [`Chain::next`] gave for it.
    pub fn take(&mut self, check: String) {
        self.seq += 1;
        self.head = check;
    }

    /// Takes an entry in that was read, if it is the next one and as it was written.
    ///
    /// # Errors
    /// [`Error::Damaged`] when it is not.
    pub fn verify(&mut self, seq: u64, at: &str, kind: &str, body: &str, check: &str) -> Result<(), Error> {
        let (wanted, computed) = self.next(at, kind, body);
        if seq > wanted {
            return Err(self.damaged(format!("entry {wanted} is missing")));
        }
        if seq < wanted {
            return Err(self.damaged(format!("entry {seq} stands in it twice")));
        }
        if computed != check {
            return Err(self.damaged(format!(
                "entry {seq} is not as it was written, or does not follow entry {}",
                seq - 1
            )));
        }
        self.take(computed);
        Ok(())
    }

    /// Checks that a chain that was read reaches at least as far as it did once.
    ///
    /// # Errors
    /// [`Error::Damaged`] when entries are missing at its end.
    pub fn reaches(&self, seq: u64) -> Result<(), Error> {
        if self.seq < seq {
            return Err(self.damaged(format!(
                "its last {} is missing: {seq} were written, {} are there",
                plural(seq - self.seq),
                self.seq
            )));
        }
        Ok(())
    }

    fn damaged(&self, why: String) -> Error {
        Error::Damaged {
            run: self.run.clone(),
            why,
        }
    }
}

fn plural(count: u64) -> String {
    if count == 1 {
        "entry".to_owned()
    } else {
        format!("part of {count} entries")
    }
}

/// SHA-256 over texts, each with its length before it, so that no two lists of texts are alike.
pub(super) fn digest(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hex(&hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three entries: number, time, kind, body, check.
    fn three() -> Vec<(u64, String, String, String, String)> {
        let mut chain = Chain::begin("run", &["subject"]);
        ["one", "two", "three"]
            .iter()
            .map(|body| {
                let (seq, check) = chain.next("now", "note", body);
                chain.take(check.clone());
                (seq, "now".to_owned(), "note".to_owned(), (*body).to_owned(), check)
            })
            .collect()
    }

    fn read(entries: &[(u64, String, String, String, String)], run: &str, fact: &str) -> Result<Chain, Error> {
        let mut chain = Chain::begin(run, &[fact]);
        for (seq, at, kind, body, check) in entries {
            chain.verify(*seq, at, kind, body, check)?;
        }
        Ok(chain)
    }

    #[test]
    fn what_was_written_is_read() {
        let chain = read(&three(), "run", "subject").unwrap();
        assert_eq!((chain.seq(), chain.head()), (3, three()[2].4.as_str()));
        assert!(chain.reaches(3).is_ok());
        assert!(chain.reaches(4).is_err());
    }

    #[test]
    fn an_entry_that_is_changed_missing_doubled_or_from_elsewhere_is_told() {
        let mut changed = three();
        changed[1].3 = "tWo".into();
        let mut later = three();
        later[2].1 = "then".into();
        let mut missing = three();
        missing.remove(1);
        let mut closed_up = missing.clone();
        closed_up[1].0 = 2;
        let mut doubled = three();
        doubled.insert(1, doubled[0].clone());
        let mut shifted = doubled.clone();
        for (index, entry) in shifted.iter_mut().enumerate() {
            entry.0 = index as u64 + 1;
        }
        let mut swapped = three();
        swapped.swap(0, 1);
        for entries in [changed, later, missing, closed_up, doubled, shifted, swapped] {
            assert!(
                matches!(read(&entries, "run", "subject"), Err(Error::Damaged { .. })),
                "{entries:?}"
            );
        }
        assert!(read(&three(), "other", "subject").is_err());
        assert!(read(&three(), "run", "other").is_err());
    }
}
