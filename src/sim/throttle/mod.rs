//! Throttling: Azure's token buckets. The counters are in every answer; they refuse only where they are told to.

use std::collections::HashMap;

use serde_json::json;
use time::OffsetDateTime;

use super::Answer;
use super::arm::fail::fail;

mod graph;
mod providers;

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: OffsetDateTime,
}

/// The buckets of every scope, actor and kind of operation.
#[derive(Debug, Default)]
pub struct Throttle {
    /// Whether empty buckets refuse.
    real: bool,
    /// How many users the tenant has: what Graph allows grows with it.
    users: usize,
    buckets: HashMap<String, Bucket>,
}

/// Where a request counts, and as what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Read,
    Write,
    Delete,
}

impl Verb {
    fn of(method: &http::Method) -> Self {
        match method.as_str() {
            "GET" | "HEAD" | "OPTIONS" => Self::Read,
            "DELETE" => Self::Delete,
            _ => Self::Write,
        }
    }
    fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
        }
    }
    /// Size and refill a second of the bucket.
    fn size(self) -> (f64, f64) {
        if self == Self::Read {
            (250.0, 25.0)
        } else {
            (200.0, 10.0)
        }
    }
}

impl Throttle {
    /// Full buckets; `real` ones refuse when they are empty.
    pub fn new(real: bool, users: usize) -> Self {
        Self {
            real,
            users,
            ..Self::default()
        }
    }

    /// Takes `cost` from a bucket and gives what is left; below zero it was not there, and nothing is taken if real.
    fn take(&mut self, key: String, size: f64, refill: f64, cost: f64, now: OffsetDateTime) -> f64 {
        // Without throttling nobody is near a limit, and the headers say so: clients that budget must not slow down.
        if !self.real {
            return size - cost;
        }
        let bucket = self.buckets.entry(key).or_insert(Bucket { left: size, at: now });
        let passed = (now - bucket.at).as_seconds_f64().max(0.0);
        bucket.left = (bucket.left + passed * refill).min(size);
        bucket.at = now;
        let left = bucket.left - cost;
        if left >= 0.0 {
            bucket.left = left.max(0.0);
        }
        left
    }

    /// Counts a request to ARM: the rate headers of its answer, or the 429 that it gets.
    pub fn arm(
        &mut self,
        method: &http::Method,
        path: &str,
        actor: &str,
        now: OffsetDateTime,
    ) -> Result<Vec<(String, String)>, Answer> {
        let verb = Verb::of(method);
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let subscription = match segments.as_slice() {
            [word, id, ..] if word.eq_ignore_ascii_case("subscriptions") => Some(id.to_ascii_lowercase()),
            _ => None,
        };
        let (size, refill) = verb.size();
        let word = verb.word();
        let scope = subscription.as_deref().unwrap_or("tenant");
        let own = self.take(format!("{scope}/{actor}/{word}"), size, refill, 1.0, now);
        let all = self.take(format!("{scope}/*/{word}"), size * 15.0, refill * 15.0, 1.0, now);
        if self.real && (own < 0.0 || all < 0.0) {
            let wait = ((-own.min(all)) / refill).ceil().max(1.0);
            return Err(refused(subscription.as_deref(), word, actor, wait));
        }
        let provider = providers::count(self, verb, path, now)?;
        // This one says nothing of what is left.
        if path
            .trim_end_matches('/')
            .to_ascii_lowercase()
            .ends_with("/listassociatedresources")
        {
            return Ok(provider);
        }
        let count = |left: f64| format!("{}", left.max(0.0).floor());
        let mut headers = match subscription {
            Some(_) => vec![
                (format!("x-ms-ratelimit-remaining-subscription-{word}s"), count(own)),
                (
                    format!("x-ms-ratelimit-remaining-subscription-global-{word}s"),
                    count(all),
                ),
            ],
            None => vec![(format!("x-ms-ratelimit-remaining-tenant-{word}s"), count(own))],
        };
        headers.extend(provider);
        Ok(headers)
    }

    /// Counts a query of Resource Graph: its quota headers, or the 429 that it gets.
    pub fn resource_graph(&mut self, actor: &str, now: OffsetDateTime) -> Result<Vec<(String, String)>, Answer> {
        let left = self.take(format!("arg/{actor}"), 15.0, 3.0, 1.0, now);
        let (size, refill) = Verb::Write.size();
        let tenant = self.take(format!("tenant/{actor}/write"), size, refill, 1.0, now);
        let headers = vec![
            (
                "x-ms-ratelimit-remaining-tenant-writes".to_owned(),
                format!("{}", tenant.max(0.0).floor()),
            ),
            (
                "x-ms-user-quota-remaining".to_owned(),
                format!("{}", left.max(0.0).floor()),
            ),
            ("x-ms-user-quota-resets-after".to_owned(), "00:00:05".to_owned()),
        ];
        if self.real && left < 0.0 {
            let mut answer = fail(
                429,
                "RateLimiting",
                format!(
                    "Please provide below info when asking for support: timestamp = {}, correlationId = {}.",
                    super::arm::stamp(now),
                    uuid::Uuid::new_v4()
                ),
            )
            .with("retry-after", "5");
            if let Some(body) = &mut answer.body {
                body["error"]["details"] = json!([{"code": "RateLimiting", "message": "Client application has been throttled and should not attempt to repeat the request until an amount of time has elapsed."}]);
            }
            answer.headers.extend(headers);
            return Err(answer);
        }
        Ok(headers)
    }
}

fn refused(subscription: Option<&str>, word: &str, actor: &str, wait: f64) -> Answer {
    let (code, scope) = match subscription {
        Some(subscription) => (
            "SubscriptionRequestsThrottled",
            format!("subscription '{subscription}'"),
        ),
        None => ("TenantRequestsThrottled", "tenant".to_owned()),
    };
    fail(
        429,
        code,
        format!(
            "Number of '{word}' requests for {scope} actor '{actor}' exceeded. Please try again after '{wait}' seconds after \
             additional tokens are available. Refer to https://aka.ms/arm-throttling for additional information."
        ),
    )
    .with("retry-after", format!("{wait}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_runs_empty_and_fills_again() {
        let mut throttle = Throttle {
            real: true,
            ..Throttle::default()
        };
        let now = OffsetDateTime::UNIX_EPOCH;
        for _ in 0..200 {
            throttle
                .arm(&http::Method::PUT, "/subscriptions/s/x", "a", now)
                .unwrap();
        }
        let refused = throttle
            .arm(&http::Method::PUT, "/subscriptions/s/x", "a", now)
            .unwrap_err();
        assert_eq!(refused.status, 429);
        let later = now + time::Duration::seconds(1);
        assert!(
            throttle
                .arm(&http::Method::PUT, "/subscriptions/s/x", "a", later)
                .is_ok()
        );
    }

    #[test]
    fn the_first_counters_are_those_that_azure_sends() {
        let mut throttle = Throttle::default();
        let headers = throttle
            .arm(
                &http::Method::DELETE,
                "/subscriptions/s/x",
                "a",
                OffsetDateTime::UNIX_EPOCH,
            )
            .unwrap();
        assert_eq!(
            headers[0],
            ("x-ms-ratelimit-remaining-subscription-deletes".into(), "199".into())
        );
        assert_eq!(headers[1].1, "2999");
    }
}
