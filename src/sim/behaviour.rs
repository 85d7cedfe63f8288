//! What of Azure's behaviour that hurts is on: all that Azure always has, unless the estate (`behaviour`), the start or
//! `PATCH /_sim/behaviour` says otherwise.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use time::Duration;

/// What is on, and how late what is late comes, in seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Behaviour {
    /// How late Resource Manager and Microsoft Graph see a new principal.
    pub late_principals: f64,
    /// How late Resource Graph sees a write.
    pub late_queries: f64,
    /// How late a role assignment gives, and its deletion takes, rights of the caller.
    pub late_rights: f64,
    /// How late reads of Microsoft Graph see a write of Microsoft Graph.
    pub late_directory: f64,
    /// Services that serialise their writes refuse a second one meanwhile.
    pub serial_writes: bool,
    /// Locks forbid.
    pub locks: bool,
    /// Policies deny.
    pub policies: bool,
    /// Deny assignments deny.
    pub deny_assignments: bool,
    /// The caller may do what the estate's role assignments say; else everything.
    pub rights: bool,
    /// Namespaces that are not registered refuse.
    pub registration: bool,
    /// The tenant has the licence for privileged identity management.
    pub premium: bool,
    /// Lists give an empty page before each page.
    pub empty_pages: bool,
}

impl Behaviour {
    /// Azure's, where writes are seen this late.
    pub fn with_lag(lag: Duration) -> Self {
        let late = lag.as_seconds_f64();
        Self {
            late_principals: late,
            late_queries: late,
            late_rights: late,
            late_directory: 0.0,
            serial_writes: true,
            locks: true,
            policies: true,
            deny_assignments: true,
            rights: true,
            registration: true,
            premium: true,
            empty_pages: false,
        }
    }

    /// The same with some of it changed.
    ///
    /// # Errors
    /// What is wrong with the changes: an unknown name, or a value of another kind.
    pub fn changed(&self, changes: &Map<String, Value>) -> Result<Self, String> {
        let mut all = self.shown();
        for (name, value) in changes {
            let known = all.get(name).ok_or_else(|| format!("there is no behaviour '{name}'"))?;
            // A lateness may be switched off like the rest.
            all[name] = match value {
                Value::Bool(false) if known.is_number() => json!(0.0),
                _ => value.clone(),
            };
        }
        let found: Self = serde_json::from_value(all).map_err(|error| error.to_string())?;
        let late = [
            found.late_principals,
            found.late_queries,
            found.late_rights,
            found.late_directory,
        ];
        if late.iter().any(|seconds| !(0.0..=86_400.0).contains(seconds)) {
            return Err("lateness is a number of seconds between 0 and 86400".to_owned());
        }
        Ok(found)
    }

    /// As JSON.
    pub fn shown(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// Reads `late-rights=30`, `locks=off`: the member's name, and its value.
///
/// # Errors
/// What is wrong with it.
pub fn setting(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| "it is NAME=on, NAME=off or NAME=SECONDS".to_owned())?;
    let mut words = name.trim().split('-');
    let first = words.next().unwrap_or_default().to_owned();
    let name = words.fold(first, |name, word| {
        let mut letters = word.chars();
        let capital = letters.next().map(|letter| letter.to_ascii_uppercase());
        name + capital.into_iter().chain(letters).collect::<String>().as_str()
    });
    let value = match value.trim() {
        "on" => json!(true),
        "off" => json!(false),
        seconds => json!(
            seconds
                .parse::<f64>()
                .map_err(|_| "the value is on, off or a number of seconds".to_owned())?
        ),
    };
    let change: Map<String, Value> = std::iter::once((name.clone(), value.clone())).collect();
    Behaviour::with_lag(Duration::ZERO).changed(&change)?;
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_names_a_behaviour_and_its_value() {
        assert_eq!(setting("locks=off"), Ok(("locks".to_owned(), json!(false))));
        assert_eq!(setting("late-rights=30"), Ok(("lateRights".to_owned(), json!(30.0))));
        assert_eq!(
            setting("late-queries=off"),
            Ok(("lateQueries".to_owned(), json!(false)))
        );
        for wrong in ["locks", "locks=3", "gravity=off", "late-rights=on", "late-rights=-1"] {
            assert!(setting(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_not_changed_stays() {
        let all = Behaviour::with_lag(Duration::seconds(2));
        let change = json!({"lateRights": false, "locks": false});
        let less = all.changed(change.as_object().unwrap()).unwrap();
        assert_eq!((less.late_rights, less.late_queries, less.locks), (0.0, 2.0, false));
    }
}
