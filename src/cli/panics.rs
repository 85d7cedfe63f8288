//! What is said when a thread panics: where, and never with what, which may be anything that was read.

use std::io::Write as _;
use std::panic::{Location, set_hook};

/// From here on a panic tells its place alone.
pub fn hush() {
    set_hook(Box::new(|panic| {
        let _ = std::io::stderr().write_all(told(panic.location()).as_bytes());
    }));
}

fn told(place: Option<&Location<'_>>) -> String {
    let at = place.map_or_else(String::new, |place| format!(" at {}:{}", place.file(), place.line()));
    format!("ferry stopped{at}; this is a defect of ferry, please report it. The journal is whole: ferry resume last\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_by_its_place() {
        let told = told(Some(Location::caller()));
        assert!(
            told.contains("panics.rs:") && told.contains("ferry resume last"),
            "{told}"
        );
    }
}
