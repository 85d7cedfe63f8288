//! The way back of a change, where the operation does not name one: it follows from the method and from what stood there.

use serde_json::Value;

use super::change::{Action, Undo, Write, WritePlane};
use super::edit::{Edit, EditSet, Form, writable};
use super::session::Session;
use crate::types::json as documents;

impl Session {
    /// The way back that follows from the method and from what stood there before.
    pub(super) fn derive_undo(&self, action: &Action, before: Option<&Value>) -> Undo {
        let Action::Send(write) = action else {
            return Undo::Never("an edit brings its own way back".into());
        };
        match (write.method.as_str(), before) {
            ("PUT", Some(Value::Null)) => Undo::Send(write.as_method("DELETE")),
            ("PUT" | "PATCH", Some(before)) => {
                let body = write.body.clone().unwrap_or(Value::Null);
                let mut edits = Vec::new();
                leaf_edits(before, &body, String::new(), &mut edits);
                if edits
                    .iter()
                    .any(|edit| self.secrets.any(&edit.from) || self.secrets.any(&edit.to))
                {
                    return Undo::Never("what stood there holds secrets, which are never stored".into());
                }
                let form = if write.method == "PUT" {
                    Form::Whole
                } else {
                    Form::Merge
                };
                let set = EditSet {
                    read: write.as_method("GET"),
                    write: Write {
                        body: None,
                        ..write.clone()
                    },
                    form,
                    edits,
                    fills: vec![],
                    read_only: vec![],
                };
                Undo::Edit(set.reversed())
            }
            ("DELETE", Some(before)) if !before.is_null() => {
                if self.secrets.any(before) {
                    return Undo::Never("what stood there holds secrets, which are never stored".into());
                }
                // What Azure alone writes, and what is unset, is no part of what is put back.
                let body = match write.plane {
                    WritePlane::Arm => writable(before, &[]),
                    _ => before.clone(),
                };
                let body = documents::without_nulls(&body);
                Undo::Send(write.as_method("PUT").with_body(body))
            }
            _ => Undo::Never(format!("a {} whose way back is not known", write.method)),
        }
    }
}

/// The edits that lead from `before` to what `body` sets. A PUT also removes what it does not name, but what
/// Azure adds by itself is not told apart from that, so only members that are named count.
fn leaf_edits(before: &Value, body: &Value, pointer: String, edits: &mut Vec<Edit>) {
    match (before, body) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in new {
                let below = format!("{pointer}/{}", documents::escape(key));
                match documents::get_ignore_case(old, key) {
                    Some((_, was)) => leaf_edits(was, value, below, edits),
                    None if value.is_null() => {}
                    None => edits.push(Edit {
                        pointer: below,
                        from: Value::Null,
                        to: value.clone(),
                        key: false,
                    }),
                }
            }
        }
        (was, now) if was == now => {}
        (was, now) => edits.push(Edit {
            pointer,
            from: was.clone(),
            to: now.clone(),
            key: false,
        }),
    }
}
