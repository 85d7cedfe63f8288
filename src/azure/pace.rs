//! How often a long-running operation is asked, and for how long.

use std::time::{Duration, Instant};

use super::error::Error;
use super::options::Options;
use super::request::{Request, Response};

/// When to ask again, and when to give up.
pub(crate) struct Pace {
    begun: Instant,
    next: Duration,
    /// The shortest pause, where Azure says that there need be none.
    floor: Duration,
    cap: Duration,
    total: Duration,
    method: String,
    target: String,
}

impl Pace {
    /// The pace for the operation that `request` began at `target`.
    pub(crate) fn new(options: &Options, request: &Request, target: String) -> Self {
        Self {
            begun: Instant::now(),
            next: options.poll_interval,
            floor: options.poll_interval.min(Duration::from_millis(100)),
            cap: options.poll_cap,
            total: options.poll_total,
            method: request.method.to_string(),
            target,
        }
    }

    /// Waits as long as the last answer asks for, else a little longer than the last time.
    pub(crate) async fn wait(&mut self, last: &Response) -> Result<(), Error> {
        let asked = last.retry_after();
        let pause = asked.unwrap_or(self.next).max(self.floor).min(self.cap);
        if asked.is_none() {
            self.next = self.next.mul_f64(1.5).min(self.cap);
        }
        if self.begun.elapsed() + pause > self.total {
            return Err(Error::Timeout {
                method: self.method.clone(),
                target: self.target.clone(),
                why: "Azure accepted it and is still working on it".to_owned(),
                after: self.total,
                sent: true,
            });
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }
}
