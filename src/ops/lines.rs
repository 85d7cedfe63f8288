//! Which item may begin next, where some stand in line behind others.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Items by number, each in any number of lines; an item may begin when it is the first of all its lines.
///
/// Lines are in the order of the numbers, so the lowest unfinished item is never behind another: there is always
/// one that may begin.
pub(super) struct Lines {
    state: Mutex<State>,
    changed: Condvar,
    of: Vec<Vec<String>>,
}

struct State {
    ready: BTreeSet<usize>,
    /// In how many lines an item is not the first.
    behind: Vec<usize>,
    lines: HashMap<String, VecDeque<usize>>,
    /// How many are neither begun nor done.
    waiting: usize,
}

impl Lines {
    pub(super) fn new<'a>(items: impl Iterator<Item = &'a [String]>) -> Self {
        let of: Vec<Vec<String>> = items.map(<[String]>::to_vec).collect();
        let mut lines: HashMap<String, VecDeque<usize>> = HashMap::new();
        let mut behind = vec![0; of.len()];
        for (index, names) in of.iter().enumerate() {
            for name in names {
                let line = lines.entry(name.clone()).or_default();
                behind[index] += usize::from(!line.is_empty());
                line.push_back(index);
            }
        }
        let ready = (0..of.len()).filter(|index| behind[*index] == 0).collect();
        let waiting = of.len();
        Self {
            state: Mutex::new(State {
                ready,
                behind,
                lines,
                waiting,
            }),
            changed: Condvar::new(),
            of,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lowest item that may begin; waits for one, and is nothing when all have begun.
    pub(super) fn take(&self) -> Option<usize> {
        let mut state = self.state();
        loop {
            if state.waiting == 0 {
                return None;
            }
            if let Some(index) = state.ready.pop_first() {
                state.waiting -= 1;
                if state.waiting == 0 {
                    self.changed.notify_all();
                }
                return Some(index);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets those that stand behind the item move up.
    pub(super) fn finish(&self, index: usize) {
        let mut guard = self.state();
        let state = &mut *guard;
        for name in &self.of[index] {
            let Some(line) = state.lines.get_mut(name) else {
                continue;
            };
            line.pop_front();
            if let Some(next) = line.front().copied() {
                state.behind[next] -= 1;
                if state.behind[next] == 0 {
                    state.ready.insert(next);
                }
            }
        }
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_of_one_line_begin_in_order_and_others_do_not_wait_for_them() {
        let items: Vec<Vec<String>> = [&["a"][..], &["a", "b"], &["b"], &[]]
            .iter()
            .map(|l| l.iter().map(ToString::to_string).collect())
            .collect();
        let lines = Lines::new(items.iter().map(Vec::as_slice));
        assert_eq!((lines.take(), lines.take()), (Some(0), Some(3)));
        lines.finish(0);
        assert_eq!(lines.take(), Some(1));
        lines.finish(1);
        assert_eq!((lines.take(), lines.take()), (Some(2), None));
    }
}
