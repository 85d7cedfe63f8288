//! A plan as a file: every change, what stood there, and digests that bind it to scripts, parameters and map.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::change::{Probe, Write, WritePlane};
use super::costs::Costs;
use super::image::Image;
use super::planned::Planned;
use super::record::{Finding, Unseen};
use crate::error::Error;
use crate::types::json::digest;

/// The number of the format that this version writes, and the newest that it reads.
pub const FORMAT: u64 = 1;

/// A script that the plan was made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedScript {
    /// Its key, as `stdlib/permissions/key_vault.rhai`.
    pub key: String,
    /// `embedded`, or the file that it came from.
    pub origin: String,
    /// SHA-256 of its text.
    pub digest: String,
}

/// A planned change with what is needed to know it again, and to compare what stands there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedChange {
    /// What every output shows of it.
    #[serde(flatten)]
    pub shown: Planned,
    /// Which API it goes to.
    pub plane: WritePlane,
    /// Query parameters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<(String, String)>,
    /// For edits: the request that reads the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<Write>,
    /// How it is told whether it is in place, where that does not follow from the method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,
    /// What stood there, where the plan has not changed it before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Image>,
}

/// The digests that bind a plan: SHA-256 of canonical JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// Of the dependency map.
    pub map: String,
    /// Of the scripts: key, origin and digest of each.
    pub scripts: String,
    /// Of runbook, parameters, cloud, what is left out, and the version of ferry.
    pub params: String,
    /// Of the changes.
    pub changes: String,
}

/// A plan as a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanFile {
    /// The number of its format.
    pub format: u64,
    /// SHA-256 of the canonical JSON of everything else in it.
    #[serde(default)]
    pub digest: String,
    /// The version of ferry that made it.
    pub ferry: String,
    /// When: RFC 3339, UTC.
    pub made: String,
    /// The runbook: a shipped name, or a path.
    pub runbook: String,
    /// Its parameters, parsed.
    pub params: Value,
    /// The parameters of sources and finders.
    #[serde(default)]
    pub source_params: Map<String, Value>,
    /// Which cloud, as journals keep it.
    pub cloud: Value,
    /// The phase after which the plan ends, where it does not go to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// What was left out by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leave_out: Vec<String>,
    /// What makes its digests of texts its own.
    pub salt: String,
    /// The scripts.
    pub scripts: Vec<UsedScript>,
    /// What binds it.
    pub bound: Bound,
    /// What it costs, and where it is risky.
    pub costs: Costs,
    /// Every change, in order.
    pub changes: Vec<PlannedChange>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// What could not be looked into.
    pub unseen: Vec<Unseen>,
    /// The dependency map.
    pub map: Value,
}

impl PlanFile {
    /// The plan with its digests made.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.bound = self.digests();
        // What is read back is what is bound: a number may print otherwise than it was computed.
        if let Some(mut read) = serde_json::to_string(&self)
            .ok()
            .and_then(|text| serde_json::from_str::<Self>(&text).ok())
        {
            read.bound = read.digests();
            self = read;
        }
        self.digest = whole(&self.to_value());
        self
    }

    fn to_value(&self) -> Value {
        // A plan is plain data with string keys, so it always becomes JSON.
        serde_json::to_value(self).unwrap_or_default()
    }

    fn digests(&self) -> Bound {
        let what = json!({ "runbook": self.runbook, "params": self.params, "sourceParams": self.source_params,
            "cloud": self.cloud, "until": self.until, "leaveOut": self.leave_out, "ferry": self.ferry });
        Bound {
            map: digest(&self.map),
            scripts: digest(&json!(self.scripts)),
            params: digest(&what),
            changes: digest(&json!(self.changes)),
        }
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Reads a file's bytes. `name` is what errors call it.
    ///
    /// # Errors
    /// All refused: `plan-damaged` where it is no plan, or not as it was written; `plan-newer`.
    pub fn read(bytes: &[u8], name: &str) -> Result<Self, Error> {
        let damaged = |why: &str| {
            Error::refused("plan-damaged", format!("{name} was not run: {why}"))
                .untouched("nothing was sent")
                .next("ferry plan RUNBOOK … --out FILE      makes a new plan")
        };
        let value: Value =
            serde_json::from_slice(bytes).map_err(|error| damaged(&format!("it is not whole JSON ({error})")))?;
        let format = value
            .get("format")
            .and_then(Value::as_u64)
            .ok_or_else(|| damaged("it is no plan: it has no number of a format"))?;
        if format > FORMAT {
            return Err(Error::refused(
                "plan-newer",
                format!("{name} was not run: its format is {format}, this ferry reads {FORMAT} at most"),
            )
            .untouched("nothing was sent")
            .next("use the version of ferry that made the plan, or make a new plan with this one"));
        }
        let kept = value.get("digest").and_then(Value::as_str).unwrap_or_default();
        if kept != whole(&value) {
            return Err(damaged("it was edited, or is damaged: its digest is another one"));
        }
        let plan: Self =
            serde_json::from_value(value).map_err(|error| damaged(&format!("it is not a plan ({error})")))?;
        if plan.bound != plan.digests() {
            return Err(damaged("what it is bound to is not what it holds"));
        }
        Ok(plan)
    }

    /// Refuses to run with other scripts than the plan was made with.
    ///
    /// # Errors
    /// `plan-scripts`, refused, which says which.
    pub fn insist_on_scripts(&self, now: &[UsedScript]) -> Result<(), Error> {
        let find = |all: &[UsedScript], key: &str| all.iter().find(|script| script.key == key).cloned();
        let mut other = Vec::new();
        for planned in &self.scripts {
            match find(now, &planned.key) {
                None => other.push(format!("{} ({}) is not used any more", planned.key, planned.origin)),
                Some(script) if script.digest != planned.digest => other.push(format!(
                    "{} is another one: planned {} of {}, now {} of {}",
                    planned.key,
                    short(&planned.digest),
                    planned.origin,
                    short(&script.digest),
                    script.origin
                )),
                Some(_) => {}
            }
        }
        let added = now.iter().filter(|script| find(&self.scripts, &script.key).is_none());
        other.extend(added.map(|script| format!("{} ({}) has come since", script.key, script.origin)));
        if other.is_empty() {
            return Ok(());
        }
        Err(Error::refused(
            "plan-scripts",
            format!(
                "the plan was not run, its scripts are not those that would run: {}",
                other.join("; ")
            ),
        )
        .untouched("nothing was sent")
        .next("put the scripts back, or make a new plan with those that are here"))
    }
}

/// The digest of a file: of all of it but the digest itself.
fn whole(value: &Value) -> String {
    let mut rest = value.clone();
    if let Value::Object(map) = &mut rest {
        map.shift_remove("digest");
    }
    digest(&rest)
}

fn short(digest: &str) -> String {
    digest.chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn script(key: &str, digest: &str) -> UsedScript {
        UsedScript {
            key: key.into(),
            origin: "embedded".into(),
            digest: digest.into(),
        }
    }

    fn plan(text: &str, number: f64, before: Option<Image>) -> PlanFile {
        let change = PlannedChange {
            shown: Planned {
                seq: 1,
                phase: "move".into(),
                step: "move/x".into(),
                op: "arm::put".into(),
                method: "PUT".into(),
                target: format!("/subscriptions/{text}"),
                body: json!({ text: number }),
                edits: vec![json!({"pointer": "/a", "from": null, "to": text})],
                effect: "none".into(),
                risks: vec![],
                why: text.into(),
            },
            plane: WritePlane::Data {
                audience: text.into(),
                named: true,
            },
            query: vec![("api-version".into(), text.into())],
            read: Some(Write::arm("GET", "/x", "v")),
            probe: Some(Probe::Gone),
            before,
        };
        PlanFile {
            format: FORMAT,
            digest: String::new(),
            ferry: "0".into(),
            made: "2026-01-01T00:00:00Z".into(),
            runbook: "relocate".into(),
            params: json!({ "to": text, "n": number }),
            source_params: Map::new(),
            cloud: json!({"demo": true}),
            until: None,
            leave_out: vec![],
            salt: "s".into(),
            scripts: vec![script("runbooks/relocate.rhai", "d")],
            bound: Bound::default(),
            costs: Costs::default(),
            changes: vec![change],
            findings: vec![],
            unseen: vec![],
            map: json!({ "grants": [text], "bindings": [number] }),
        }
        .sealed()
    }

    #[test]
    fn a_plan_that_was_edited_or_is_newer_is_refused() {
        let text = plan("a", 1.0, Some(Image::Absent)).to_text();
        assert!(PlanFile::read(text.as_bytes(), "p").is_ok());
        let code = |text: &str| {
            let error = PlanFile::read(text.as_bytes(), "p").unwrap_err();
            assert_eq!(error.exit_code(), 2);
            error.code
        };
        for (from, to) in [
            ("\"PUT\"", "\"DELETE\""),
            ("move/x", "move/y"),
            ("\"to\": \"a\"", "\"to\": \"b\""),
        ] {
            assert!(text.contains(from), "{text}");
            assert_eq!(code(&text.replacen(from, to, 1)), "plan-damaged");
        }
        assert_eq!(code(&text.replace("\"format\": 1", "\"format\": 2")), "plan-newer");
        assert_eq!(code("{}"), "plan-damaged");
        assert_eq!(code(&text[..text.len() / 2]), "plan-damaged");
    }

    #[test]
    fn another_script_is_named() {
        let plan = plan("a", 1.0, None);
        assert!(plan.insist_on_scripts(&[script("runbooks/relocate.rhai", "d")]).is_ok());
        let error = plan
            .insist_on_scripts(&[
                script("runbooks/relocate.rhai", "e"),
                script("stdlib/permissions/more.rhai", "f"),
            ])
            .unwrap_err();
        assert!(
            error.message.contains("runbooks/relocate.rhai is another one")
                && error.message.contains("more.rhai (embedded) has come since"),
            "{error}"
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_of_plans_panic(bytes: Vec<u8>) {
            prop_assert!(PlanFile::read(&bytes, "p").is_err());
        }

        #[test]
        fn a_plan_cut_or_changed_anywhere_is_refused_and_never_a_panic(at in 0_usize..10_000, byte: u8, cut: bool) {
            let written = plan("ä", 0.1, Some(Image::Document(json!({"a": [1]})))).to_text().into_bytes();
            let mut bytes = written.clone();
            let at = at % bytes.len();
            if cut { bytes.truncate(at) } else { bytes[at] = byte }
            // A change of a blank between members changes nothing.
            match (PlanFile::read(&bytes, "p"), PlanFile::read(&written, "p")) {
                (Ok(read), Ok(whole)) => prop_assert_eq!(read, whole),
                (Err(error), Ok(_)) => prop_assert!(error.exit_code() == 2),
                (_, Err(error)) => prop_assert!(false, "{}", error),
            }
        }

        #[test]
        fn what_is_written_is_read_back(text in "\\PC{0,12}", number in -1.0e9..1.0e9_f64, absent: bool) {
            let before = if absent { Image::Absent } else { Image::Document(json!({ text.as_str(): number })) };
            let plan = plan(&text, number, Some(before));
            prop_assert_eq!(PlanFile::read(plan.to_text().as_bytes(), "p").unwrap(), plan);
        }
    }
}
