//! The budgets of Microsoft Graph: resource units, and writes.

use serde_json::json;
use time::OffsetDateTime;

use super::{Throttle, Verb};
use crate::sim::Answer;

/// The units that an application may use in a tenant in ten seconds, by how many users the tenant has.
fn units(users: usize) -> f64 {
    match users {
        ..50 => 3500.0,
        50..=500 => 5000.0,
        _ => 8000.0,
    }
}

impl Throttle {
    /// Counts the resource units of an answer of Microsoft Graph beyond the one that its request was counted with.
    pub fn graph_units(&mut self, actor: &str, used: f64, now: OffsetDateTime) {
        let size = units(self.users);
        self.take(format!("graph/{actor}"), size, size / 10.0, (used - 1.0).max(0.0), now);
    }

    /// Counts a request to Microsoft Graph by one unit and, where it writes, one write.
    ///
    /// # Errors
    /// 429 `TooManyRequests`.
    pub fn graph(
        &mut self,
        actor: &str,
        method: &http::Method,
        now: OffsetDateTime,
    ) -> Result<Vec<(String, String)>, Answer> {
        let size = units(self.users);
        let left = self.take(format!("graph/{actor}"), size, size / 10.0, 1.0, now);
        let mut least = left.min(self.take(format!("graph/app/{actor}"), 150_000.0, 7500.0, 1.0, now));
        if Verb::of(method) != Verb::Read {
            for (bucket, size, seconds) in [
                (format!("graph/{actor}/write"), 3000.0, 150.0),
                (format!("graph/app/{actor}/write"), 70_000.0, 300.0),
                ("graph/tenant/write".to_owned(), 18_000.0, 300.0),
            ] {
                least = least.min(self.take(bucket, size, size / seconds, 1.0, now));
            }
        }
        let used = 1.0 - left / size;
        let near = (used >= 0.8).then(|| {
            (
                "x-ms-throttle-limit-percentage".to_owned(),
                format!("{:.1}", used.min(1.8)),
            )
        });
        if self.real && least < 0.0 {
            let mut answer = refused(now);
            answer.headers.extend(near);
            return Err(answer);
        }
        Ok(near.into_iter().collect())
    }
}

fn refused(now: OffsetDateTime) -> Answer {
    let stamp = now
        .format(&time::format_description::well_known::Rfc3339)
        .unwrap_or_default();
    let stamp = stamp.get(..19).unwrap_or_default();
    let id = uuid::Uuid::new_v4().to_string();
    let body = json!({"error": {"code": "TooManyRequests", "message": "Too Many Requests",
        "innerError": {"date": stamp, "request-id": id, "client-request-id": id}}});
    Answer::json(429, body)
        .with("content-type", "application/json")
        .with("request-id", id.clone())
        .with("client-request-id", id)
        .with("retry-after", "10")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;

    /// How many requests are taken in one moment.
    fn taken(users: usize, method: &Method) -> (usize, Answer) {
        let mut throttle = Throttle::new(true, users);
        for sent in 0..20_000 {
            if let Err(refused) = throttle.graph("a", method, OffsetDateTime::UNIX_EPOCH) {
                return (sent, refused);
            }
        }
        panic!("never refused");
    }

    #[test]
    fn what_may_be_read_grows_with_the_tenant_and_what_may_be_written_does_not() {
        for (users, units) in [(1, 3500), (50, 5000), (501, 8000)] {
            let (sent, refused) = taken(users, &Method::GET);
            assert_eq!(sent, units);
            let error = &refused.body.as_ref().unwrap()["error"];
            assert_eq!((refused.status, error["code"].as_str()), (429, Some("TooManyRequests")));
            assert!(refused.headers.iter().any(|(name, _)| name == "retry-after"));
            assert_eq!(taken(users, &Method::POST).0, 3000);
        }
    }

    #[test]
    fn near_the_limit_answers_say_how_near() {
        let mut throttle = Throttle::new(true, 1);
        let now = OffsetDateTime::UNIX_EPOCH;
        assert!(throttle.graph("a", &Method::GET, now).unwrap().is_empty());
        throttle.graph_units("a", 2900.0, now);
        let near = throttle.graph("a", &Method::GET, now).unwrap();
        assert_eq!(near, [("x-ms-throttle-limit-percentage".to_owned(), "0.8".to_owned())]);
    }
}
