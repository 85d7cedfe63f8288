//! One allowance of Azure's, as far as its headers have told: a token bucket that refills, a window that resets, or
//! nothing known yet. It has no clock of its own.

use std::time::{Duration, Instant};

/// Resource Graph's window, where it has not yet said when it resets.
pub(crate) const WINDOW: Duration = Duration::from_secs(5);

/// Tokens of a bucket that are left alone, since requests overtake each other on the way.
const RESERVE: f64 = 2.0;

/// What is known of one allowance.
#[derive(Debug, Default)]
pub(crate) struct Bucket {
    /// What is left, after what is under way; below zero where some wait for their turn. Unknown until learnt.
    left: Option<f64>,
    /// When `left` was true.
    at: Option<Instant>,
    /// What comes back each second.
    refill: f64,
    /// The most that was ever left.
    full: f64,
    /// When the whole comes back at once.
    resets: Option<Instant>,
    /// Until when Azure wants no request at all.
    closed: Option<Instant>,
    /// Requests that took a token and have no answer yet.
    pub(crate) outstanding: u32,
}

impl Bucket {
    /// Takes a token, and tells how long to wait before using it.
    pub(crate) fn take(&mut self, now: Instant) -> Duration {
        self.outstanding += 1;
        let closed = self.closed_for(now);
        self.advance(now);
        let Some(left) = &mut self.left else { return closed };
        *left -= 1.0;
        let lacking = -*left;
        if lacking <= 0.0 {
            return closed;
        }
        let turn = match self.resets {
            Some(resets) => {
                let windows = ((lacking - 1.0) / self.full.max(1.0)).floor();
                resets.saturating_duration_since(now) + WINDOW.mul_f64(windows.clamp(0.0, 1_000.0))
            }
            None if self.refill > 0.0 => Duration::from_secs_f64((lacking / self.refill).min(3_600.0)),
            None => Duration::ZERO,
        };
        closed.max(turn)
    }

    /// Adds what has come back since.
    fn advance(&mut self, now: Instant) {
        let (Some(left), Some(at)) = (self.left, self.at) else {
            return;
        };
        match self.resets {
            Some(resets) if now >= resets => {
                self.left = Some((left + self.full).min(self.full));
                self.resets = Some(now + WINDOW);
            }
            Some(_) => {}
            None => {
                let back = now.saturating_duration_since(at).as_secs_f64() * self.refill;
                self.left = Some((left + back).min(self.full));
            }
        }
        self.at = Some(now);
    }

    /// Azure says that so much is left. What is still under way it may not have counted.
    pub(crate) fn learn(&mut self, remaining: f64, refill: f64, resets: Option<Instant>, now: Instant) {
        // A bucket first seen when nearly empty holds more than that; ARM's hold eight seconds of refill and more.
        self.full = self.full.max(remaining).max(refill * 8.0);
        self.refill = refill;
        self.resets = resets;
        let reserve = if resets.is_none() { RESERVE } else { 0.0 };
        self.left = Some(remaining - reserve - f64::from(self.outstanding));
        self.at = Some(now);
    }

    pub(crate) fn close(&mut self, until: Instant) {
        self.closed = Some(self.closed.map_or(until, |closed| closed.max(until)));
    }

    pub(crate) fn closed_for(&self, now: Instant) -> Duration {
        self.closed
            .map_or(Duration::ZERO, |closed| closed.saturating_duration_since(now))
    }
}
