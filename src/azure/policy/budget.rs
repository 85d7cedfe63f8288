//! Keeps within what Azure allows: a number of requests in flight, and the rates that its headers tell.
//!
//! Every bucket begins unknown and unlimited. It is learnt from `x-ms-ratelimit-remaining-*` (a token bucket that
//! refills), `x-ms-user-quota-*` (a window that resets), `x-ms-throttle-limit-percentage` (Graph) and `Retry-After` of
//! a 429. A request takes its token before it is sent; where there is none, it is told when its turn comes.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use http::{HeaderMap, Method};
use tokio::sync::Semaphore;

use super::bucket::{Bucket, WINDOW};
use crate::azure::pipeline::{Answer, Call, Failure, Next, Policy};
use crate::azure::request::Plane;

/// The longest time that one answer closes a bucket for others; who comes then hears for himself.
const LONGEST: Duration = Duration::from_mins(2);

/// The budget of one client.
pub(crate) struct Budget {
    places: Semaphore,
    buckets: Mutex<HashMap<String, Bucket>>,
}

/// The buckets that a request draws from.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Keys {
    /// The allowance of the endpoint: subscription or tenant and operation class, Graph, a data-plane host.
    general: String,
    /// The allowance of the resource provider behind it.
    provider: Option<String>,
    /// What comes back to the general one each second.
    refill: u32,
}

impl Keys {
    fn of(call: &Call) -> Self {
        let path = call.target.to_ascii_lowercase();
        match &call.plane {
            Plane::Graph => Self {
                general: "graph".to_owned(),
                provider: None,
                refill: 0,
            },
            Plane::Data { .. } => {
                let host = path
                    .split("://")
                    .nth(1)
                    .and_then(|rest| rest.split('/').next())
                    .unwrap_or_default();
                Self {
                    general: format!("data {host}"),
                    provider: None,
                    refill: 0,
                }
            }
            Plane::Arm => {
                let (class, refill) = match call.method {
                    Method::GET | Method::HEAD => ("reads", 25),
                    Method::DELETE => ("deletes", 10),
                    _ => ("writes", 10),
                };
                let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
                let after = |word: &str| {
                    let at = segments.iter().rposition(|segment| *segment == word)?;
                    segments.get(at + 1).copied()
                };
                let provider = after("providers");
                if provider == Some("microsoft.resourcegraph") {
                    return Self {
                        general: "resource graph".to_owned(),
                        provider: None,
                        refill: 3,
                    };
                }
                let scope = match segments.as_slice() {
                    ["subscriptions", id, ..] => id,
                    _ => "tenant",
                };
                Self {
                    general: format!("{scope} {class}"),
                    provider: provider.map(|provider| format!("{scope} {class} {provider}")),
                    refill,
                }
            }
        }
    }

    fn names(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.general).chain(&self.provider)
    }
}

/// Gives the tokens' places back even where the caller loses interest.
struct Taken<'a> {
    budget: &'a Budget,
    keys: Keys,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut buckets = self.budget.lock();
        for name in self.keys.names() {
            if let Some(bucket) = buckets.get_mut(name) {
                bucket.outstanding = bucket.outstanding.saturating_sub(1);
            }
        }
    }
}

impl Budget {
    /// A budget for so many requests in flight, at least one.
    pub(crate) fn new(concurrency: usize) -> Self {
        Self {
            places: Semaphore::new(concurrency.clamp(1, Semaphore::MAX_PERMITS)),
            buckets: Mutex::default(),
        }
    }

    /// The numbers stay sound whatever panicked beside them.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, keys: &Keys, now: Instant) -> Duration {
        let mut buckets = self.lock();
        keys.names()
            .map(|name| buckets.entry(name.clone()).or_default().take(now))
            .max()
            .unwrap_or_default()
    }

    fn closed(&self, keys: &Keys, now: Instant) -> Duration {
        let buckets = self.lock();
        keys.names()
            .filter_map(|name| Some(buckets.get(name)?.closed_for(now)))
            .max()
            .unwrap_or_default()
    }

    /// Learns from the headers of an answer. It still counts as outstanding itself.
    fn learn(&self, keys: &Keys, headers: &HeaderMap, now: Instant) {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let mut buckets = self.lock();
        if let Some(remaining) = text("x-ms-user-quota-remaining").and_then(|text| text.parse::<f64>().ok()) {
            let resets = text("x-ms-user-quota-resets-after").and_then(clock).unwrap_or(WINDOW);
            buckets
                .entry(keys.general.clone())
                .or_default()
                .learn(remaining + 1.0, 0.0, Some(now + resets), now);
            return;
        }
        let lowest = headers
            .iter()
            .filter(|(name, _)| {
                let name = name.as_str();
                name.starts_with("x-ms-ratelimit-remaining-subscription-")
                    || name.starts_with("x-ms-ratelimit-remaining-tenant-")
            })
            .filter_map(|(_, value)| value.to_str().ok()?.trim().parse::<f64>().ok())
            .reduce(f64::min);
        if let Some(remaining) = lowest {
            let bucket = buckets.entry(keys.general.clone()).or_default();
            bucket.learn(remaining + 1.0, f64::from(keys.refill), None, now);
        }
        let policies = text("x-ms-ratelimit-remaining-resource")
            .into_iter()
            .flat_map(|text| text.split(','));
        let lowest = policies
            .filter_map(|policy| policy.rsplit(';').next()?.trim().parse::<f64>().ok())
            .reduce(f64::min);
        if let (Some(remaining), Some(provider)) = (lowest, &keys.provider) {
            buckets
                .entry(provider.clone())
                .or_default()
                .learn(remaining + 1.0, 1.0, None, now);
        }
        if let Some(used) = text("x-ms-throttle-limit-percentage").and_then(|text| text.parse::<f64>().ok())
            && used >= 0.8
        {
            let pause = Duration::from_secs_f64(0.05 + (used.min(3.0) - 0.8) / 2.0);
            buckets.entry(keys.general.clone()).or_default().close(now + pause);
        }
    }

    /// Learns from an answer of "too many": whose limit it was, and until when to keep away.
    fn throttled(&self, keys: &Keys, code: &str, wait: Duration, now: Instant) {
        let general = code.ends_with("RequestsThrottled") || keys.provider.is_none();
        let name = keys.provider.as_ref().filter(|_| !general).unwrap_or(&keys.general);
        self.lock()
            .entry(name.clone())
            .or_default()
            .close(now + wait.min(LONGEST));
    }
}

/// `hh:mm:ss` as a length of time.
fn clock(text: &str) -> Option<Duration> {
    let seconds = text
        .split(':')
        .try_fold(0.0, |sum, part| Some(sum * 60.0 + part.parse::<f64>().ok()?))?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[async_trait]
impl Policy for Budget {
    async fn send(&self, call: &mut Call, next: Next<'_>) -> Result<Answer, Failure> {
        let keys = Keys::of(call);
        let begun = Instant::now();
        let mut wait = self.take(&keys, begun);
        let taken = Taken { budget: self, keys };
        // While one waits for one's turn, others may learn that Azure wants nobody at all.
        while !wait.is_zero() {
            tokio::time::sleep(wait).await;
            wait = self.closed(&taken.keys, Instant::now());
        }
        // The semaphore is never closed; were it, one would go on without a place.
        let place = self.places.acquire().await.ok();
        call.queued += begun.elapsed();
        let result = next.send(call).await;
        drop(place);
        let now = Instant::now();
        let headers = match &result {
            Ok(answer) => &answer.headers,
            Err(failure) => &failure.headers,
        };
        self.learn(&taken.keys, headers, now);
        if let Err(failure) = &result
            && let Some(error) = failure.error.service().filter(|error| error.status == 429)
            && let Some(wait) = error.retry_after
        {
            self.throttled(&taken.keys, &error.code, wait, now);
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::request::Request;
    use crate::azure::testing::{Answer, Server};
    use serde_json::json;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    fn keys(general: &str, refill: u32) -> Keys {
        Keys {
            general: general.to_owned(),
            provider: Some("provider".to_owned()),
            refill,
        }
    }

    #[test]
    fn an_unknown_bucket_lets_everyone_through() {
        let budget = Budget::new(4);
        let now = Instant::now();
        assert!((0..1_000).all(|_| budget.take(&keys("a", 25), now).is_zero()));
    }

    #[test]
    fn a_learnt_bucket_is_used_up_and_then_paced_at_its_refill() {
        let budget = Budget::new(4);
        let (keys, now) = (keys("a", 25), Instant::now());
        budget.take(&keys, now);
        budget.learn(
            &keys,
            &headers(&[("x-ms-ratelimit-remaining-subscription-reads", "10")]),
            now,
        );
        drop(Taken {
            budget: &budget,
            keys: keys.clone(),
        });
        assert!((0..8).all(|_| budget.take(&keys, now).is_zero()));
        assert_eq!(budget.take(&keys, now), Duration::from_millis(40));
        assert_eq!(budget.take(&keys, now), Duration::from_millis(80));
        // A second later 25 tokens have come back, two of which are taken already.
        let later = now + Duration::from_secs(1);
        assert!((0..23).all(|_| budget.take(&keys, later).is_zero()));
        assert!(!budget.take(&keys, later).is_zero());
    }

    /// Sixteen askers without pause against ARM's bucket, in a time of its own.
    #[test]
    fn askers_use_nearly_all_of_an_allowance_and_are_never_turned_away() {
        let (budget, keys, start) = (Budget::new(16), keys("a", 25), Instant::now());
        let at = |millis: u64| start + Duration::from_millis(millis);
        let trip = |asker: u64, time: u64| 10 + (asker * 7 + time * 3) % 23;
        // (when, asker, whether the request arrives or its answer does)
        let mut events = std::collections::BTreeSet::new();
        for asker in 0..16 {
            let wait = budget.take(&keys, at(0)).as_millis();
            events.insert((u64::try_from(wait).unwrap() + trip(asker, 0), asker, true, 0));
        }
        let (mut bucket, mut last, mut served, mut refused) = (100.0_f64, 0, 0_u32, 0);
        while let Some((time, asker, arrives, remaining)) = events.pop_first() {
            if time > 20_000 {
                break;
            }
            if arrives {
                bucket = (bucket + 0.025 * f64::from(u32::try_from(time - last).unwrap())).min(250.0);
                last = time;
                if bucket >= 1.0 {
                    bucket -= 1.0;
                    served += 1;
                } else {
                    refused += 1;
                }
                let left: u64 = format!("{:.0}", bucket.floor()).parse().unwrap();
                events.insert((time + trip(asker, time), asker, false, left));
            } else {
                let said = headers(&[("x-ms-ratelimit-remaining-subscription-reads", &remaining.to_string())]);
                budget.learn(&keys, &said, at(time));
                drop(Taken {
                    budget: &budget,
                    keys: keys.clone(),
                });
                let wait = u64::try_from(budget.take(&keys, at(time)).as_millis()).unwrap();
                events.insert((time + wait + trip(asker, time), asker, true, 0));
            }
        }
        assert_eq!(refused, 0);
        assert!(served >= 570, "{served} of 600");
    }

    #[test]
    fn resource_graph_is_waited_for_until_its_window_resets() {
        let budget = Budget::new(4);
        let (keys, now) = (keys("resource graph", 3), Instant::now());
        budget.take(&keys, now);
        let said = [
            ("x-ms-user-quota-remaining", "1"),
            ("x-ms-user-quota-resets-after", "00:00:04"),
        ];
        budget.learn(&keys, &headers(&said), now);
        drop(Taken {
            budget: &budget,
            keys: keys.clone(),
        });
        assert!(budget.take(&keys, now).is_zero());
        assert_eq!(budget.take(&keys, now), Duration::from_secs(4));
    }

    #[test]
    fn a_429_of_a_provider_leaves_other_providers_alone() {
        let budget = Budget::new(4);
        let (ours, now) = (keys("a", 25), Instant::now());
        budget.throttled(&ours, "TooManyRequests", Duration::from_secs(9), now);
        assert_eq!(budget.take(&ours, now), Duration::from_secs(9));
        let other = Keys {
            provider: Some("other".to_owned()),
            ..ours.clone()
        };
        assert!(budget.take(&other, now).is_zero());
        budget.throttled(&ours, "SubscriptionRequestsThrottled", Duration::from_secs(3), now);
        assert_eq!(budget.take(&other, now), Duration::from_secs(3));
    }

    #[test]
    fn requests_that_were_given_up_give_their_tokens_back() {
        let budget = Budget::new(4);
        let (keys, now) = (keys("a", 10), Instant::now());
        for _ in 0..50 {
            budget.take(&keys, now);
            drop(Taken {
                budget: &budget,
                keys: keys.clone(),
            });
        }
        budget.learn(&keys, &headers(&[("x-ms-ratelimit-remaining-tenant-reads", "6")]), now);
        assert!((0..5).all(|_| budget.take(&keys, now).is_zero()));
    }

    #[test]
    fn requests_share_a_bucket_by_subscription_class_and_provider() {
        let of = |request: Request| {
            let there = crate::azure::endpoint::destination(&crate::azure::Cloud::public(), &request).unwrap();
            Keys::of(&Call::new(&request, there).unwrap())
        };
        let path = "/subscriptions/AB/resourceGroups/r/providers/Microsoft.Web/sites/s";
        assert_eq!(of(Request::get(Plane::Arm, path)).general, "ab reads");
        let keys = of(Request::put(Plane::Arm, path, json!({})));
        assert_eq!(
            (keys.general.as_str(), keys.provider.as_deref()),
            ("ab writes", Some("ab writes microsoft.web"))
        );
        assert_eq!(
            of(Request::delete(Plane::Arm, "/providers/x/y/z")).general,
            "tenant deletes"
        );
        let arg = of(Request::post(
            Plane::Arm,
            "/providers/Microsoft.ResourceGraph/resources",
        ));
        assert_eq!((arg.general.as_str(), arg.provider), ("resource graph", None));
        assert_eq!(clock("00:01:05"), Some(Duration::from_secs(65)));
    }

    #[tokio::test]
    async fn no_more_requests_are_in_flight_than_allowed() {
        let server = Server::start(vec![Answer::json(200, json!({})).after(Duration::from_millis(10))]).await;
        let options = crate::azure::Options {
            concurrency: 3,
            ..Server::options()
        };
        let client = server.client_with(options);
        let request = Request::get(Plane::Arm, "/x");
        let all = futures::future::join_all((0..20).map(|_| client.send(&request))).await;
        assert!(all.iter().all(Result::is_ok));
        assert!(server.most_at_once() <= 3, "{}", server.most_at_once());
    }
}
