//! Private copies of what closures capture.
//!
//! A captured variable is a cell that all closures share and that is locked while a function works on it. Steps
//! and branches get copies of their own: nothing they write leaks out, and no branch meets another's lock.

use rhai::{Array, Dynamic, FnPtr, Map};

/// A value whose shared parts are copied, so that nobody else sees what is written to it.
pub(super) fn unshare(value: Dynamic) -> Dynamic {
    let value = value.flatten();
    if value.is::<FnPtr>() {
        return Dynamic::from(unshare_fn(value.cast::<FnPtr>()));
    }
    if value.is_array() {
        return value.cast::<Array>().into_iter().map(unshare).collect::<Array>().into();
    }
    if value.is_map() {
        return value
            .cast::<Map>()
            .into_iter()
            .map(|(key, value)| (key, unshare(value)))
            .collect::<Map>()
            .into();
    }
    value
}

/// A closure whose captured variables are its own.
pub(super) fn unshare_fn(mut closure: FnPtr) -> FnPtr {
    for captured in closure.iter_curry_mut() {
        let value = std::mem::take(captured);
        *captured = unshare(value.flatten_clone());
    }
    closure
}
