//! The path of the step that a thread works in: a list of segments, printed with `/` between them.

use std::cell::{Cell, RefCell};

thread_local! {
    static PATH: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static READS_ONLY: Cell<bool> = const { Cell::new(false) };
}

/// The path of this thread: phase first, then steps.
pub fn current() -> Vec<String> {
    PATH.with_borrow(Clone::clone)
}

/// Runs `body` with this thread's path set to `path`, and puts the old one back, whatever happens.
pub fn with<T>(path: Vec<String>, body: impl FnOnce() -> T) -> T {
    struct Restore(Vec<String>);
    impl Drop for Restore {
        fn drop(&mut self) {
            PATH.with_borrow_mut(|path| *path = std::mem::take(&mut self.0));
        }
    }
    let _restore = Restore(PATH.with_borrow_mut(|current| std::mem::replace(current, path)));
    body()
}

/// Whether what this thread calls may only read.
pub fn reads_only() -> bool {
    READS_ONLY.get()
}

/// Runs `body`, which, where `only` says so, may write nothing; what calls it may do so again afterwards.
pub fn reading<T>(only: bool, body: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            READS_ONLY.set(self.0);
        }
    }
    let _restore = Restore(READS_ONLY.get());
    READS_ONLY.set(only || READS_ONLY.get());
    body()
}

/// The printed form: segments with `/` between them; a `/` inside a segment is `~1`, a `~` is `~0`.
pub fn printed(path: &[String]) -> String {
    path.iter()
        .map(|segment| crate::types::json::escape(segment))
        .collect::<Vec<_>>()
        .join("/")
}

/// The key of an item: ids of Azure Resource Manager compare without case, so they are folded.
pub fn item_key(id: &str) -> String {
    if id.starts_with('/') {
        id.to_lowercase()
    } else {
        id.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_put_back_even_after_a_panic() {
        with(vec!["move".into()], || {
            let caught = std::panic::catch_unwind(|| with(vec!["inner".into()], || panic!("on purpose")));
            assert!(caught.is_err());
            assert_eq!(current(), ["move"]);
        });
        assert!(current().is_empty());
    }

    #[test]
    fn what_may_only_read_calls_nothing_that_may_write() {
        reading(true, || {
            assert!(reads_only());
            reading(false, || assert!(reads_only()));
        });
        assert!(!reads_only());
    }

    #[test]
    fn a_slash_inside_a_segment_is_escaped() {
        assert_eq!(
            printed(&["move".into(), "/subscriptions/s".into()]),
            "move/~1subscriptions~1s"
        );
        assert_eq!(item_key("/Subscriptions/S"), "/subscriptions/s");
        assert_eq!(item_key("Blue"), "Blue");
    }
}
