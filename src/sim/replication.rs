//! How late Resource Graph sees a write: its tables are the documents as they stood a while ago.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::builtin_roles;
use super::resource_graph::{self, Tables};
use super::rights::Rights;
use super::world::World;
use super::{Answer, Ask};

struct Late<'a> {
    world: &'a World,
    rights: &'a Rights,
    at: OffsetDateTime,
}

impl Tables for Late<'_> {
    fn documents<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Value> + 'a> {
        Box::new(self.world.store.documents_at(self.at).chain(builtin_roles::all()))
    }

    fn tenant_id(&self) -> &str {
        &self.world.tenant
    }

    fn noted(&self, id: &str) -> Map<String, Value> {
        let note = self.world.store.note(&super::store::key_of(id));
        let time = |at: Option<OffsetDateTime>| json!(super::arm::stamp(at.unwrap_or(self.world.started)));
        let mut noted = Map::new();
        noted.insert("createdOn".to_owned(), time(note.created));
        noted.insert("updatedOn".to_owned(), time(note.changed.or(note.created)));
        noted.insert("createdBy".to_owned(), json!(note.created_by));
        noted.insert("updatedBy".to_owned(), json!(note.changed_by));
        noted
    }

    fn may_read(&self, id: &str) -> bool {
        if self.rights.is_owner() {
            return true;
        }
        let Ok(parsed) = crate::types::ResourceId::parse(id) else {
            return false;
        };
        let kind = parsed.resource_type();
        match kind.as_str() {
            "Microsoft.Resources/resourceGroups" => self
                .rights
                .allow_near("Microsoft.Resources/subscriptions/resourceGroups/read", parsed.key()),
            "Microsoft.Resources/subscriptions" => self
                .rights
                .allow_near("Microsoft.Resources/subscriptions/read", parsed.key()),
            _ => self.rights.allow(&format!("{kind}/read"), parsed.key()),
        }
    }
}

/// Answers a query of Resource Graph from the past.
pub fn query(world: &World, rights: &Rights, ask: &Ask) -> Answer {
    let late = time::Duration::seconds_f64(world.behaviour.late_queries);
    let at = world.as_of.unwrap_or(ask.now - late);
    let mut body = ask.body.clone().unwrap_or_default();
    // The first versions answer with columns and rows apart.
    let old = ask
        .parameter("api-version")
        .is_some_and(|version| version < "2020-04-01");
    if old && body.is_object() && body.pointer("/options/resultFormat").is_none_or(Value::is_null) {
        crate::types::json::merge(&mut body, &json!({"options": {"resultFormat": "table"}}));
    }
    let cut = cut(world, &mut body);
    let answer = match resource_graph::answer(&body, &Late { world, rights, at }, ask.now) {
        Ok(body) => Answer::json(200, body),
        Err(failure) => Answer::json(failure.status, failure.body),
    };
    if cut {
        answer.with("x-ms-tenant-subscription-limit-hit", "true")
    } else {
        answer
    }
}

/// How many subscriptions a query reaches.
const MOST: usize = 10_000;

/// Names the first subscriptions where a query of the whole tenant would reach too many.
fn cut(world: &World, body: &mut Value) -> bool {
    let named = |name: &str| body[name].as_array().is_some_and(|names| !names.is_empty());
    let whole = body.is_object() && !named("subscriptions") && !named("managementGroups");
    let all = world.store.of_type("microsoft.resources/subscriptions");
    if !whole || all.count() <= MOST {
        return false;
    }
    let all = world.store.of_type("microsoft.resources/subscriptions");
    let first: Vec<&str> = all.take(MOST).map(|(key, _)| super::rights::last(key)).collect();
    body["subscriptions"] = json!(first);
    true
}
