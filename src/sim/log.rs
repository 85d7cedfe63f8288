//! The log of requests: a JSON line each.

use serde_json::{Value, json};

/// One request that was answered, or whose connection was broken.
#[derive(Debug, Clone)]
pub struct Line {
    /// When it came, UTC.
    pub time: String,
    /// The method.
    pub method: String,
    /// Path and query as sent.
    pub path: String,
    /// The status; 0 where the connection was broken.
    pub status: u16,
    /// The object id of the caller.
    pub principal: String,
    /// The request id of the answer.
    pub request_id: String,
    /// SHA-256 of the body as JSON with sorted keys.
    pub body_hash: Option<String>,
    /// Milliseconds since the start of the simulator.
    pub started_ms: u64,
    /// Milliseconds since the start of the simulator.
    pub ended_ms: u64,
    /// The `seq` of the batch that it was a part of.
    pub batch: Option<u64>,
    /// Whether a fault hit it.
    pub fault: bool,
}

/// All requests since the start.
#[derive(Debug, Default)]
pub struct Log {
    lines: Vec<(u64, Line)>,
    next: u64,
}

impl Log {
    /// A number for a request that has come.
    pub fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Writes a line.
    pub fn write(&mut self, seq: u64, line: Line) {
        self.lines.push((seq, line));
    }

    /// Every line, in order of `seq`, one a text line.
    pub fn text(&self) -> String {
        let mut lines: Vec<&(u64, Line)> = self.lines.iter().collect();
        lines.sort_by_key(|(seq, _)| *seq);
        lines
            .into_iter()
            .map(|(seq, line)| row(*seq, line).to_string() + "\n")
            .collect()
    }
}

fn row(seq: u64, line: &Line) -> Value {
    let mut row = json!({
        "seq": seq,
        "time": line.time,
        "method": line.method,
        "path": line.path,
        "status": line.status,
        "principal": line.principal,
        "requestId": line.request_id,
        "bodyHash": line.body_hash,
        "startedMs": line.started_ms,
        "endedMs": line.ended_ms,
    });
    if let Some(batch) = line.batch {
        row["batch"] = json!(batch);
    }
    if line.fault {
        row["fault"] = json!(true);
    }
    row
}
