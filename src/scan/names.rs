//! The names of the old identity, and what is to stand in their place.

use serde_json::{Map, Value};

use super::mark::{To, Word};
use crate::types::Region;

/// An identity as files may name it. What is empty is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// Its resource id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its region.
    pub location: String,
    /// Its client id.
    pub client_id: String,
    /// Its principal id.
    pub principal_id: String,
}

impl Identity {
    /// The identity of a map, as scripts have it. Where it has no name, that of its resource id is meant.
    pub fn read(map: &Value) -> Self {
        let text = |member: &str| map.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
        // Azure answers with `resourcegroups` where it likes, which Terraform does not take.
        let spelled = |(at, part): (usize, &str)| match part {
            _ if at == 3 && part.eq_ignore_ascii_case("resourceGroups") => "resourceGroups".to_owned(),
            part => part.to_owned(),
        };
        let id = text("id")
            .split('/')
            .enumerate()
            .map(spelled)
            .collect::<Vec<_>>()
            .join("/");
        let name = Some(text("name")).filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| id.rsplit('/').next().unwrap_or_default().to_owned());
        Self {
            name,
            location: text("location"),
            client_id: text("clientId"),
            principal_id: text("principalId"),
            id,
        }
    }

    /// What is known of it, as a map that can be read again.
    pub fn to_json(&self) -> Value {
        let words = [Word::Id, Word::Name, Word::Location, Word::ClientId, Word::PrincipalId];
        let known = words.into_iter().filter(|word| !self.word(*word).is_empty());
        let members: Map<String, Value> = known
            .map(|word| (word.as_str().to_owned(), self.word(word).into()))
            .collect();
        Value::Object(members)
    }

    /// The resource group of its resource id.
    pub fn resource_group(&self) -> &str {
        self.id.split('/').nth(4).unwrap_or_default()
    }

    /// The subscription of its resource id.
    pub fn subscription(&self) -> &str {
        self.id.split('/').nth(2).unwrap_or_default()
    }

    fn word(&self, word: Word) -> &str {
        match word {
            Word::Id => &self.id,
            Word::ClientId => &self.client_id,
            Word::PrincipalId => &self.principal_id,
            Word::Name => &self.name,
            Word::Location => &self.location,
            Word::ResourceGroup => self.resource_group(),
        }
    }
}

/// The identity that is looked for, and the one that takes its place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// The one that is looked for.
    pub old: Identity,
    /// The one that takes its place, where there is to be one.
    pub new: Option<Identity>,
}

impl Names {
    /// What is to stand in place of one of the old identity's names.
    pub fn to(&self, word: Word) -> To {
        match self.new.as_ref().map(|new| new.word(word)) {
            None => To::Nobody,
            Some("") => To::Later,
            Some(text) => To::Text(text.to_owned()),
        }
    }

    /// Whether the new identity has another one of these.
    pub(super) fn differs(&self, word: Word) -> bool {
        let new = self.new.as_ref().map(|new| new.word(word));
        new.is_some_and(|new| !new.eq_ignore_ascii_case(self.old.word(word)))
    }

    /// Whether a text is the old identity's name, or that of a child of it.
    pub(super) fn is_name(&self, text: &str) -> bool {
        let first = text.split('/').next().unwrap_or_default();
        !first.is_empty() && first.eq_ignore_ascii_case(&self.old.name)
    }

    /// Whether a text is the old identity's region, in any spelling.
    pub(super) fn is_location(&self, text: &str) -> bool {
        matches!((Region::parse(text), Region::parse(&self.old.location)), (Ok(one), Ok(other)) if one == other)
    }

    /// Whether a text is the old identity's resource group.
    pub(super) fn is_group(&self, text: &str) -> bool {
        text.eq_ignore_ascii_case(self.old.resource_group())
    }
}
