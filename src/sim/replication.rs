//! How late Resource Graph sees a write: its tables are the documents as they stood a while ago.

use serde_json::Value;
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
    let at = world.as_of.unwrap_or(ask.now - world.lag);
    let empty = Value::Null;
    let body = ask.body.as_ref().unwrap_or(&empty);
    match resource_graph::answer(body, &Late { world, rights, at }, ask.now) {
        Ok(body) => Answer::json(200, body),
        Err(failure) => Answer::json(failure.status, failure.body),
    }
}
