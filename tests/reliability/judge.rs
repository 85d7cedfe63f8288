//! What a relocation left behind, in a form that is equal for two runs that did the same.

use std::collections::{BTreeMap, HashMap};

use ferry::run::record::{Ledger, Standing};
use serde_json::Value;

use super::faults::Told;

/// What was seen of a run.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Every document of the estate, and how often; ids that each run makes anew are marked.
    documents: BTreeMap<String, usize>,
    /// Every change that the journal says was made.
    changes: BTreeMap<String, usize>,
    /// Changes without an end.
    open: usize,
    /// Writes that were sent again after a success that could be read.
    pub repeated: Vec<String>,
    /// Writes that were sent again after an answer that said success and could not be read.
    pub again_unread: usize,
    /// Writes that were sent again because nobody knew how they had ended.
    pub again_unknown: usize,
    /// How many requests a fault has hit.
    pub hits: usize,
    /// How many requests there were.
    pub requests: usize,
}

impl Seen {
    /// What was seen of a run, some of whose requests a fault has hit that leaves the client with what `told` says.
    pub fn new(estate: &Value, log: &str, told: Told, ledger: &Ledger) -> Self {
        let marks = Marks::of(estate);
        let mut seen = Self {
            documents: BTreeMap::new(),
            changes: BTreeMap::new(),
            open: 0,
            repeated: Vec::new(),
            again_unread: 0,
            again_unknown: 0,
            hits: 0,
            requests: 0,
        };
        let resources = estate["arm"]["resources"].as_array().into_iter().flatten();
        for document in resources {
            *seen.documents.entry(marks.document(document)).or_default() += 1;
        }
        for (section, documents) in estate["graph"].as_object().into_iter().flatten() {
            for document in documents.as_array().into_iter().flatten() {
                let text = format!("{section} {}", marks.document(document));
                *seen.documents.entry(text).or_default() += 1;
            }
        }
        for change in &ledger.changes {
            match change.standing {
                Standing::Done => {
                    let write = change.intended.action.write();
                    let text = format!("{} {}", write.method, marks.path(&write.path));
                    *seen.changes.entry(text).or_default() += 1;
                }
                Standing::Intended => seen.open += 1,
                Standing::Failed | Standing::Undone => {}
            }
        }
        seen.read_log(log, told);
        seen
    }

    fn read_log(&mut self, log: &str, told: Told) {
        let mut last: HashMap<String, Told> = HashMap::new();
        for line in log.lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| row[name].as_str().unwrap_or_default();
            let (method, path, status) = (text("method"), text("path"), row["status"].as_u64().unwrap_or_default());
            let hit = row["fault"] == true;
            self.requests += 1;
            self.hits += usize::from(hit);
            if reads(method, path) {
                continue;
            }
            let key = format!("{method} {path} {}", text("bodyHash"));
            match last.get(&key) {
                Some(Told::Read) => self.repeated.push(format!("{method} {path}")),
                Some(Told::Unread) => self.again_unread += 1,
                Some(Told::Unknown) => self.again_unknown += 1,
                Some(Told::Refused) | None => {}
            }
            let now = match status {
                200..300 if hit => told,
                200..300 => Told::Read,
                0 | 408 | 500.. => Told::Unknown,
                _ => Told::Refused,
            };
            last.insert(key, now);
        }
    }
}

/// Whether a request changes nothing.
pub fn reads(method: &str, path: &str) -> bool {
    let asks = [
        "/resources?",
        "/list?",
        "/list/",
        "/getByIds",
        "/getMemberGroups",
        "/checkPolicy",
    ];
    method == "GET" || (method == "POST" && asks.iter().any(|word| path.contains(word)))
}

/// What differs from an undisturbed run, and what should never be.
pub fn compare(calm: &Seen, seen: &Seen) -> Vec<String> {
    let mut problems = Vec::new();
    problems.extend(differences("document", &calm.documents, &seen.documents));
    problems.extend(differences("change", &calm.changes, &seen.changes));
    if seen.open > 0 {
        problems.push(format!("{} change(s) have no end", seen.open));
    }
    for write in &seen.repeated {
        problems.push(format!("sent again after success: {write}"));
    }
    problems
}

fn differences(what: &str, calm: &BTreeMap<String, usize>, seen: &BTreeMap<String, usize>) -> Vec<String> {
    let mut found = Vec::new();
    for (text, count) in calm {
        let now = seen.get(text).copied().unwrap_or_default();
        if now != *count {
            found.push(format!("{what} {count} time(s), now {now}: {text}"));
        }
    }
    for (text, count) in seen {
        if !calm.contains_key(text) {
            found.push(format!(
                "{what} that an undisturbed run does not leave, {count} time(s): {text}"
            ));
        }
    }
    found
}

/// The ids that each run makes anew.
struct Marks {
    ids: Vec<(String, &'static str)>,
}

impl Marks {
    fn of(estate: &Value) -> Self {
        let mut ids = Vec::new();
        for document in estate["arm"]["resources"].as_array().into_iter().flatten() {
            if ["id-kinds-westeurope", "id-moved"]
                .iter()
                .any(|name| document["name"] == *name)
            {
                for (name, mark) in [("principalId", "PRINCIPAL"), ("clientId", "CLIENT")] {
                    let id = document["properties"][name].as_str().unwrap_or_default();
                    ids.push((id.to_lowercase(), mark));
                }
            }
        }
        Self { ids }
    }

    fn path(&self, path: &str) -> String {
        let mut text = path.to_lowercase();
        for (id, mark) in &self.ids {
            text = text.replace(id, mark);
        }
        for collection in ["roleassignments/"] {
            if let Some(at) = text.rfind(collection) {
                text.truncate(at + collection.len());
                text.push('*');
            }
        }
        text
    }

    /// A document without what its service makes up, members that are sets in one order.
    fn document(&self, document: &Value) -> String {
        let mut document = document.clone();
        if let Some(map) = document.as_object_mut() {
            let kind = map
                .get("type")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_lowercase();
            let made_up = map.contains_key("appRoleId") || kind.ends_with("roleassignments");
            if made_up {
                let id = map.get("id").and_then(Value::as_str).unwrap_or_default();
                let place = self.path(id.rsplit_once('/').map_or("", |(place, _)| place));
                map.insert("id".into(), place.into());
                for name in [
                    "name",
                    "createdDateTime",
                    "principalDisplayName",
                    "principalType",
                    "resourceDisplayName",
                ] {
                    map.shift_remove(name);
                }
                if let Some(properties) = map.get_mut("properties").and_then(Value::as_object_mut) {
                    for name in ["createdOn", "updatedOn", "createdBy", "updatedBy"] {
                        properties.shift_remove(name);
                    }
                }
            }
            map.shift_remove("etag");
        }
        let mut text = document.to_string().to_lowercase();
        for (id, mark) in &self.ids {
            text = text.replace(id, mark);
        }
        // Marked before it is sorted: the order of sets must not hang on ids that differ from run to run.
        sorted(&serde_json::from_str(&text).unwrap()).to_string()
    }
}

/// The same value with members and items in one order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let ordered: BTreeMap<&String, Value> = map.iter().map(|(key, value)| (key, sorted(value))).collect();
            ordered.into_iter().map(|(key, value)| (key.clone(), value)).collect()
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(sorted).collect();
            items.sort_by_key(Value::to_string);
            Value::Array(items)
        }
        other => other.clone(),
    }
}
