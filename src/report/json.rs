//! The model as JSON: the shapes that other programs read.

use serde_json::{Value, json};

use super::model::{Plan, Run};
use crate::run::{Event, placeholder};

/// A run, as `ferry show --json` prints it.
pub fn run(run: &Run) -> Value {
    // The model is plain data with string keys, so it always becomes JSON.
    serde_json::to_value(run).unwrap_or_default()
}

/// A plan, as `ferry plan --json` prints it. What only Azure can give is `(known after move)` in it.
pub fn plan(plan: &Plan) -> Value {
    // As above.
    let mut value = serde_json::to_value(plan).unwrap_or_default();
    if let Some(changes) = value.get_mut("changes").and_then(Value::as_array_mut) {
        for target in changes.iter_mut().filter_map(|change| change.get_mut("target")) {
            // A path keeps the segments that are known.
            if let Some(path) = target.as_str().map(placeholder::shown_path) {
                *target = Value::String(path);
            }
        }
    }
    if let Some(scan) = &plan.scan {
        value["scan"] = Value::Array(scan.places.clone());
    }
    placeholder::shown(&value)
}

/// An event, as a line of `ferry run --json`. Programs know a few kinds of events: what could not be seen and remarks
/// are findings there, and work for a person is an approval.
pub fn event(event: &Event) -> Value {
    let finding = |severity: &str, code: &str, target: &str, message: &str| json!({ "event": "finding", "severity": severity, "code": code, "target": target, "message": message });
    match event {
        Event::Unseen { scope, why, needs } => {
            let mut value = finding("warning", "unseen", scope, why);
            value["needs"] = json!(needs);
            value
        }
        Event::Note { text } => finding("info", "note", "", text),
        Event::HandOver { task, text } => {
            json!({ "event": "approval", "gate": task, "text": text, "state": "handed-over" })
        }
        // An event is plain data with string keys, so it always becomes JSON.
        other => serde_json::to_value(other).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Planned;

    #[test]
    fn programs_meet_no_kind_of_event_that_they_do_not_know() {
        let text = || "x".to_owned();
        let kinds = [
            Event::Unseen {
                scope: text(),
                why: text(),
                needs: text(),
            },
            Event::Note { text: text() },
            Event::HandOver {
                task: text(),
                text: text(),
            },
            Event::Wait {
                why: text(),
                seconds: 1,
            },
        ];
        let kinds = kinds.map(|kind| event(&kind)["event"].as_str().unwrap().to_owned());
        assert_eq!(kinds, ["finding", "finding", "approval", "wait"]);
    }

    #[test]
    fn what_only_azure_can_give_is_said_to_be_known_after_the_move() {
        let unknown = placeholder::placeholder("principalId", "/subscriptions/s");
        let planned = Planned {
            seq: 1,
            phase: "move".into(),
            step: "move/x".into(),
            op: "graph::post".into(),
            method: "POST".into(),
            target: format!("/v1.0/groups/{unknown}/owners"),
            body: json!({ "id": format!("https://graph/{unknown}") }),
            edits: Vec::new(),
            effect: "none".into(),
            risks: Vec::new(),
            why: "because".into(),
        };
        let shown = plan(&Plan::new(vec![planned], vec![], vec![], &json!({})));
        assert_eq!(shown["changes"][0]["target"], "/v1.0/groups/(known after move)/owners");
        assert_eq!(shown["changes"][0]["body"]["id"], "(known after move)");
        assert_eq!(shown["map"], json!({}));
    }
}
