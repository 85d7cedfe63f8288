//! The thread-local step path.
use std::cell::RefCell;
thread_local! { static PATH: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) }; }
/// The path of this thread.
pub fn current() -> Vec<String> {
    PATH.with(|path| path.borrow().clone())
}
/// Runs `body` at another path.
pub fn with<T>(path: Vec<String>, body: impl FnOnce() -> T) -> T {
    let before = PATH.with(|slot| slot.replace(path));
    let outcome = body();
    PATH.with(|slot| *slot.borrow_mut() = before);
    outcome
}
