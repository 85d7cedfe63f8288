//! Writes that their service takes one at a time: federated credentials of an identity, data roles of an account,
//! access policies of a vault.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The parents under which a write is under way.
#[derive(Debug, Default, Clone)]
pub struct Latches(Arc<Mutex<HashSet<String>>>);

/// A write under way; it is over when this is dropped.
#[derive(Debug)]
pub struct Latch {
    key: String,
    all: Latches,
}

impl Latches {
    /// Begins a write under a parent, unless another is under way.
    pub fn begin(&self, key: &str) -> Option<Latch> {
        let free = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key.to_owned());
        free.then(|| Latch {
            key: key.to_owned(),
            all: self.clone(),
        })
    }
}

impl Drop for Latch {
    fn drop(&mut self) {
        self.all
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}
