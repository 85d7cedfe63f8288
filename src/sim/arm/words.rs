//! Templates of the catalog: JSON in which texts have words that are filled in for one document.
//!
//! | in a text | stands for |
//! |---|---|
//! | `{name}` `{id}` `{parent}` `{scope}` `{group}` `{subscription}` `{tenant}` `{caller}` | parts of the id, and who asks |
//! | `{location}` `{region}` | the region, and how it is displayed |
//! | `{created}` `{changed}` | when it was made and changed |
//! | `{guid}` `{guid:x}` `{short}` `{secret:x}` | made up, and always the same for the document |
//! | `{short:/a}` | `{short}` of the resource whose id the document has at `/a` |
//! | `{tier}` | the first word of the SKU's name |
//! | `{/a}`, or `=/a` alone | the document's text, or its value, at `/a` |
//! | `{item}` `{above}` | the names of the items that a path with `*` leads through |
//! | `{base64:…}` around all | the rest, so encoded |

use serde_json::{Value, json};
use uuid::Uuid;

use super::show::time;
use crate::sim::regions;
use crate::sim::store::key_of;
use crate::sim::world::World;
use crate::types::ResourceId;

/// What the words in braces of a template stand for.
#[derive(Clone)]
pub struct Words {
    key: String,
    known: Vec<(&'static str, String)>,
    /// The document, for `{/pointer}`.
    root: Value,
    /// The names of the items on the way, for `{item}` and `{above}`.
    items: Vec<String>,
}

fn guid(name: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())
}

fn short(name: &str) -> String {
    guid(name).simple().to_string().chars().take(8).collect()
}

impl Words {
    /// Those of the document with this id.
    pub fn of(world: &World, id: &ResourceId, shown: &Value) -> Self {
        let key = id.key();
        let location = shown["location"].as_str().unwrap_or_default();
        let display = regions::find(location).map_or(location, |place| place.display.as_str());
        let above = id.extended().or_else(|| id.parent());
        let part = |read: fn(&ResourceId) -> &str| above.as_ref().map_or("", read).to_owned();
        let note = world.store.note(key);
        let at = |moment: Option<time::OffsetDateTime>| time(moment.unwrap_or(world.started));
        let sku = shown.pointer("/sku/name").and_then(Value::as_str).unwrap_or_default();
        let known = vec![
            ("{name}", id.name().to_owned()),
            ("{id}", id.as_str().to_owned()),
            ("{parent}", part(ResourceId::name)),
            ("{scope}", part(ResourceId::as_str)),
            ("{subscription}", id.subscription().unwrap_or_default().to_owned()),
            ("{group}", id.resource_group().unwrap_or_default().to_owned()),
            ("{tenant}", world.tenant.clone()),
            ("{caller}", world.caller()),
            ("{location}", regions::normal(location)),
            ("{region}", display.to_owned()),
            ("{guid}", guid(key).to_string()),
            ("{short}", short(key)),
            ("{created}", at(note.created)),
            ("{changed}", at(note.changed)),
            ("{tier}", sku.split('_').next().unwrap_or_default().to_owned()),
        ];
        Self {
            key: key.to_owned(),
            known,
            root: shown.clone(),
            items: Vec::new(),
        }
    }

    /// The same with one word more.
    pub fn and(&self, word: &'static str, value: String) -> Self {
        let mut words = self.clone();
        words.known.push((word, value));
        words
    }

    /// The same inside an item of an array, or a member.
    pub fn inside(&self, item: &Value) -> Self {
        let name = ["name", "locationName"].iter().find_map(|name| item[name].as_str());
        let mut inside = self.clone();
        inside.items.push(name.unwrap_or_default().to_owned());
        inside
    }

    /// A template with its words filled in.
    pub fn filled(&self, template: &Value) -> Value {
        match template {
            Value::String(text) => match text.strip_prefix("=/") {
                Some(rest) => self.root.pointer(&format!("/{rest}")).cloned().unwrap_or_default(),
                None if text.contains('{') => json!(self.text(text)),
                None => template.clone(),
            },
            Value::Array(items) => items.iter().map(|item| self.filled(item)).collect(),
            Value::Object(map) => {
                let filled = map.iter().map(|(name, value)| (name.clone(), self.filled(value)));
                Value::Object(filled.collect())
            }
            other => other.clone(),
        }
    }

    fn text(&self, template: &str) -> String {
        if let Some(inner) = template
            .strip_prefix("{base64:")
            .and_then(|rest| rest.strip_suffix('}'))
        {
            use base64::Engine as _;
            return base64::engine::general_purpose::STANDARD.encode(self.text(inner));
        }
        let mut text = template.to_owned();
        for (word, value) in &self.known {
            text = text.replace(word, value);
        }
        let from_end = |n: usize| self.items.iter().rev().nth(n).cloned().unwrap_or_default();
        text = text.replace("{item}", &from_end(0)).replace("{above}", &from_end(1));
        let at = |pointer: &str| match self.root.pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let text = each(text, "{/", |rest| at(&format!("/{rest}")));
        let text = each(text, "{short:", |pointer| short(&key_of(&at(pointer))));
        let text = each(text, "{guid:", |name| {
            guid(&format!("{}\n{name}", self.key)).to_string()
        });
        each(text, "{secret:", |name| {
            crate::types::json::digest(&json!([self.key, name]))
        })
    }
}

/// Puts in what every `{start…}` stands for.
fn each(mut text: String, start: &str, value: impl Fn(&str) -> String) -> String {
    let mut from = 0;
    while let Some(at) = text[from..].find(start).map(|at| from + at) {
        let inner = at + start.len();
        let Some(end) = text[inner..].find('}').map(|end| inner + end) else {
            break;
        };
        let put = value(&text[inner..end]);
        text.replace_range(at..=end, &put);
        from = at + put.len();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_every_form_are_filled_in() {
        let world = World::load(
            json!({"tenantId": "t", "arm": {"resources": []}}),
            time::Duration::ZERO,
            time::OffsetDateTime::UNIX_EPOCH,
        )
        .unwrap();
        let document =
            json!({"location": "West Europe", "sku": {"name": "Premium_LRS"}, "properties": {"n": 3, "a": "b"}});
        let id = ResourceId::parse("/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/app/slots/blue")
            .unwrap();
        let words = Words::of(&world, &id, &document);
        let fill = |text: &str| words.filled(&json!(text));
        assert_eq!(fill("{parent}-{name}.{location}"), "app-blue.westeurope");
        assert_eq!(
            fill("{tier} in {region}, {/properties/a}{/properties/n}"),
            "Premium in West Europe, b3"
        );
        assert_eq!(fill("=/properties/n"), 3);
        assert_eq!(fill("=/nothing"), Value::Null);
        assert_eq!(fill("{base64:{name}}"), "Ymx1ZQ==");
        assert_ne!(fill("{secret:a}"), fill("{secret:b}"));
        assert_eq!(fill("{guid:a}"), fill("{guid:a}"));
        assert_eq!(fill("{guid:never ends"), "{guid:never ends");
    }
}
