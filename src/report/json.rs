//! The model as JSON: the shapes that other programs read.

use serde_json::Value;

use super::model::{Plan, Run};
use crate::run::placeholder;

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
    placeholder::shown(&value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Planned;
    use serde_json::json;

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
            why: "because".into(),
        };
        let shown = plan(&Plan::new(vec![planned], vec![], vec![], &json!({})));
        assert_eq!(shown["changes"][0]["target"], "/v1.0/groups/(known after move)/owners");
        assert_eq!(shown["changes"][0]["body"]["id"], "(known after move)");
        assert_eq!(shown["map"], json!({}));
    }
}
