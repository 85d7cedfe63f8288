//! The witness: a small file beside a journal that says how far the journal reaches.
//!
//! A write-ahead log that lost its end, or a journal that was put back from an older copy, looks whole: its entries
//! follow each other, there are just fewer of them. The witness is written after each entry is durable, so it never
//! says too much; it is not made durable itself, so after a power cut it may say too little, which does no harm.

use std::fs::{File, OpenOptions};
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};

use super::super::Error;
use super::super::chain::{Chain, digest};
use super::super::private::private_file;
use super::io;

/// How far a journal reached: the number of its last entry, and that entry's check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reach {
    pub(super) seq: u64,
    pub(super) head: String,
}

impl Reach {
    pub(super) fn of(chain: &Chain) -> Self {
        Self {
            seq: chain.seq(),
            head: chain.head().to_owned(),
        }
    }

    /// As it is written: always of one length, so that a new one covers the old one, and with a check of its own, so
    /// that one which was written by half is known for what it is.
    pub(super) fn text(&self) -> String {
        let said = format!("{:020} {}", self.seq, self.head);
        let check = digest(&[&said]);
        format!("{said} {check}\n")
    }

    /// What a text says; nothing where it is not whole.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (said, check) = text.strip_suffix('\n')?.rsplit_once(' ')?;
        (check == digest(&[said])).then_some(())?;
        let (seq, head) = said.split_once(' ')?;
        Some(Self {
            seq: seq.parse().ok()?,
            head: head.to_owned(),
        })
    }
}

/// The file of a journal's witness.
pub(super) fn path(journal: &Path) -> PathBuf {
    journal.with_extension("head")
}

/// What the witness of a journal says; nothing where there is none, or none that is whole.
pub(super) fn read(journal: &Path) -> Option<Reach> {
    Reach::parse(&std::fs::read_to_string(path(journal)).ok()?)
}

/// A witness that is kept up to date.
#[derive(Debug)]
pub(super) struct Witness(File);

impl Witness {
    /// Opens, or makes, the witness of a journal that reaches so far.
    pub(super) fn open(journal: &Path, reach: &Reach) -> Result<Self, Error> {
        let path = path(journal);
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        let mut file = private_file(&mut options, &path).map_err(io(&path, "written"))?;
        file.write_all(reach.text().as_bytes()).map_err(io(&path, "written"))?;
        Ok(Self(file))
    }

    /// Says how far the journal reaches now. One that cannot be written says too little, which does no harm.
    pub(super) fn say(&mut self, reach: &Reach) {
        let _ = self.0.rewind().and_then(|()| self.0.write_all(reach.text().as_bytes()));
    }
}
