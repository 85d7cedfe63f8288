//! The faults, each as `/_sim/faults` takes it, and the kinds of request that it means something to.

use serde_json::{Value, json};

use super::kinds::{Does, Kind};

/// How long an answer is late that comes too late, in milliseconds: longer than the lab's client waits.
pub const LATE: u64 = 3_000;

/// What a client knows of how its request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// That it succeeded, by an answer that could be read.
    Read,
    /// That it succeeded, by an answer that could not be read.
    Unread,
    /// Nothing.
    Unknown,
    /// That it was refused.
    Refused,
}

/// A fault of the matrix.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// The head of its column.
    pub name: &'static str,
    /// What it is, for the legend.
    pub what: &'static str,
    /// Which table it stands in.
    pub group: &'static str,
    deed: fn(&Setting<'_>) -> Value,
    fits: fn(Does) -> bool,
}

/// What a fault depends on.
pub struct Setting<'a> {
    /// Whether it hits once, or every time.
    pub once: bool,
    /// A host that is not the cloud's.
    pub foreign: &'a str,
}

impl Fault {
    /// Whether it can hit a request of this kind.
    pub fn fits(&self, kind: &Kind) -> bool {
        (self.fits)(kind.does)
    }

    /// What the client knows of a write that this fault has hit and that was answered with success.
    pub fn told(&self) -> Told {
        match self.name {
            "truncated" | "malformed" | "page" | "empty" | "drip" => Told::Unread,
            "late" => Told::Unknown,
            _ => Told::Read,
        }
    }

    /// How long after the end of a run the fault may still bring something about.
    pub fn aftermath(&self) -> std::time::Duration {
        let held_up = if self.name == "late" { LATE } else { 0 };
        std::time::Duration::from_millis(held_up)
    }

    /// What is posted to `/_sim/faults`.
    pub fn armed(&self, kind: &Kind, setting: &Setting<'_>) -> Value {
        let mut fault = json!({"match": {"method": kind.method, "path": kind.path}, "do": (self.deed)(setting)});
        if setting.once {
            fault["times"] = json!(1);
        }
        fault
    }
}

const WIRE: &str = "The connection and the status";
const BODY: &str = "The body";
const REST: &str = "Time, tokens and links";

fn always(_: Does) -> bool {
    true
}
fn has_token(does: Does) -> bool {
    does != Does::Open
}
fn reads(does: Does) -> bool {
    matches!(does, Does::Read | Does::List)
}

const fn fault(
    group: &'static str,
    name: &'static str,
    what: &'static str,
    fits: fn(Does) -> bool,
    deed: fn(&Setting<'_>) -> Value,
) -> Fault {
    Fault {
        name,
        what,
        group,
        deed,
        fits,
    }
}

pub const FAULTS: &[Fault] = &[
    fault(
        WIRE,
        "reset before",
        "the connection breaks before the request takes effect",
        always,
        |_| json!({"reset": "before"}),
    ),
    fault(
        WIRE,
        "reset after",
        "the connection breaks after the request took effect",
        always,
        |_| json!({"reset": "after"}),
    ),
    fault(
        WIRE,
        "429",
        "429 with Retry-After",
        always,
        |_| json!({"status": 429, "retryAfter": 1}),
    ),
    fault(
        WIRE,
        "429 bare",
        "429 with a web page and no Retry-After",
        always,
        |_| json!({"status": 429, "answer": "html"}),
    ),
    fault(
        WIRE,
        "429 date",
        "429 with Retry-After as an HTTP date, by a clock an hour behind",
        always,
        |_| json!({"status": 429, "retryAfterDate": 1, "clockSkew": -3600}),
    ),
    fault(
        WIRE,
        "500",
        "500 with an error document",
        always,
        |_| json!({"status": 500}),
    ),
    fault(
        WIRE,
        "502 page",
        "502 with a web page",
        always,
        |_| json!({"status": 502, "answer": "html"}),
    ),
    fault(
        WIRE,
        "503",
        "503 with Retry-After",
        always,
        |_| json!({"status": 503, "retryAfter": 1}),
    ),
    fault(
        WIRE,
        "504 after",
        "504 after the request took effect",
        always,
        |_| json!({"status": 504, "tookEffect": true}),
    ),
    fault(
        BODY,
        "truncated",
        "the body is shorter than its content-length",
        always,
        |_| json!({"answer": "truncated"}),
    ),
    fault(
        BODY,
        "malformed",
        "the body is half of its JSON",
        always,
        |_| json!({"answer": "malformed"}),
    ),
    fault(
        BODY,
        "page",
        "a web page with the status of success",
        always,
        |_| json!({"answer": "html"}),
    ),
    fault(
        BODY,
        "empty",
        "no body where there is one",
        always,
        |_| json!({"answer": "empty"}),
    ),
    fault(
        BODY,
        "late",
        "the answer comes after the client's patience",
        always,
        |_| json!({"delayMs": LATE}),
    ),
    fault(
        BODY,
        "drip",
        "the body drips, longer than the client's patience",
        always,
        |_| json!({"dripMs": LATE / 64 + 1}),
    ),
    fault(
        REST,
        "stale",
        "a read answered from the past: from before the run once, always a second old",
        reads,
        |setting| json!({"stale": if setting.once { 600.0 } else { 1.0 }}),
    ),
    fault(
        REST,
        "clock",
        "dates and lives of tokens by a clock a day behind",
        always,
        |_| json!({"clockSkew": -90_000}),
    ),
    fault(
        REST,
        "expired",
        "the token is refused as expired",
        has_token,
        |_| json!({"token": "expired"}),
    ),
    fault(
        REST,
        "claims",
        "the token is refused by a claims challenge",
        has_token,
        |_| json!({"token": "claims"}),
    ),
    fault(
        REST,
        "circle",
        "the next page is the page itself",
        |does| does == Does::List,
        |_| json!({"links": "repeat"}),
    ),
    fault(
        REST,
        "led away",
        "the next page, or the state of the operation, is on another host",
        |does| matches!(does, Does::List | Does::Begin | Does::Poll),
        |setting| json!({"links": setting.foreign}),
    ),
    fault(
        REST,
        "endless",
        "the operation does not end",
        |does| does == Does::Begin,
        |_| json!({"endless": true}),
    ),
    fault(
        REST,
        "redirect",
        "307 to another host",
        always,
        |setting| json!({"redirect": setting.foreign}),
    ),
];
