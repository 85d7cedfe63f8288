//! Time that does not stand still while the machine sleeps.

use std::time::{Duration, Instant, SystemTime};

/// A moment, by both of the system's clocks.
///
/// On most systems the monotonic clock stops while the machine sleeps; the wall clock goes on, but somebody may set it
/// back. What has passed is the longer of the two: too much costs a question, too little could cost a fence.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    steady: Instant,
    wall: SystemTime,
}

impl Moment {
    /// This very moment.
    pub(super) fn now() -> Self {
        Self {
            steady: Instant::now(),
            wall: SystemTime::now(),
        }
    }

    /// How much has passed since.
    pub(super) fn elapsed(&self) -> Duration {
        self.steady.elapsed().max(self.wall.elapsed().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_of_the_machine_and_a_clock_that_was_set_back_both_count() {
        let hour = Duration::from_hours(1);
        let slept = Moment {
            wall: SystemTime::now() - hour,
            ..Moment::now()
        };
        assert!(slept.elapsed() >= hour);
        let set_back = Moment {
            wall: SystemTime::now() + hour,
            steady: Instant::now().checked_sub(hour).unwrap(),
        };
        assert!(set_back.elapsed() >= hour);
        assert!(Moment::now().elapsed() < hour);
    }
}
