//! Journals: one small trait and its stores.
