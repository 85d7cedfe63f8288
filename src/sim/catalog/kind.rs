//! A resource type: the fields of its file.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Act, Implied, Names, Statuses};

/// What a PATCH does with the document or the identity map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Patch {
    /// JSON merge: what is sent is added, `null` removes, absent members stay.
    #[default]
    Merge,
    /// The sent member becomes the whole.
    Replace,
    /// Only tags can be patched; the rest of the body is ignored.
    Tags,
    /// There is no PATCH.
    None,
}

/// What a PUT of a document that stands does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Put {
    /// What is sent is laid over what stands; arrays, tags and identity maps are replaced.
    #[default]
    Merge,
    /// `properties` becomes what is sent: dictionaries such as app settings.
    Replace,
    /// There is no PUT.
    None,
    /// PUT starts something that the simulator cannot do: it is refused, and the refusal says so.
    Unsimulated,
}

/// How the end of a slow operation is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Slow {
    /// The answer is the end.
    #[default]
    None,
    /// An `Azure-AsyncOperation` URL, whose body has a status.
    AzureAsync,
    /// 202 and a `Location`, which answers 202 until the end.
    Location,
    /// `properties.provisioningState` of the resource itself.
    ProvisioningState,
}

/// The long-running style of each verb.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Async {
    /// Of PUT.
    pub put: Slow,
    /// Of PATCH.
    pub patch: Slow,
    /// Of DELETE.
    pub delete: Slow,
    /// Whether PATCH answers 200 with the body (Compute) rather than 202.
    pub patch_ok: bool,
}

/// The identity block of a type.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Identity {
    /// What PATCH does with the map; `none` where the block changes by PUT only.
    pub patch: Patch,
    /// How the combined type is spelled in answers; empty where a resource is either, never both.
    pub combined: String,
    /// How many user-assigned identities it takes; 0 for no limit.
    pub max: usize,
    /// Whether `None` is refused: the type cannot be without an identity.
    pub required: bool,
    /// Whether it takes a system-assigned identity.
    pub system: bool,
    /// Whether it takes user-assigned identities.
    pub user: bool,
    /// How the keys of the map are spelled in answers.
    pub keys: Keys,
    /// Whether a resource without an identity shows the type `None`; else it shows no block.
    pub none: bool,
    /// Whether read-only parts that are sent back (`principalId`, `clientId`, `tenantId`) are refused; else they are ignored.
    pub strict: bool,
}

/// How a service spells the ids of identities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keys {
    /// As they were sent first.
    #[default]
    AsSent,
    /// With `/resourcegroups/` in lower case.
    LowerGroup,
    /// Wholly in lower case.
    Lower,
}

/// A property outside the identity block that names an identity.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Use {
    /// Where: a JSON pointer, in which `*` is any item or member.
    pub at: String,
    /// By which of its ids.
    #[serde(default)]
    pub by: By,
    /// Whether only an identity of the block may be named, which cannot leave the block as long as it is.
    #[serde(default)]
    pub held: bool,
}

/// The ids of an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// The resource id.
    #[default]
    Id,
    /// The client id.
    Client,
    /// The principal id.
    Principal,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            patch: Patch::Merge,
            combined: "SystemAssigned, UserAssigned".to_owned(),
            max: 0,
            required: false,
            system: true,
            user: true,
            keys: Keys::AsSent,
            none: false,
            strict: false,
        }
    }
}

/// Where a type is offered.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Locations {
    /// A word: `all` physical regions, `global` (no region), or `child` (a child has none).
    Word(String),
    /// Regions by short name.
    List(Vec<String>),
}

impl Default for Locations {
    fn default() -> Self {
        Self::Word("all".to_owned())
    }
}

/// A resource type.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Kind {
    /// The full type, as Azure spells it: the path of its file.
    #[serde(rename = "type")]
    pub path: String,
    /// The type without its namespace: `sites/slots`.
    #[serde(skip)]
    pub name: String,
    /// The namespace.
    #[serde(skip)]
    pub namespace: String,
    /// Api-versions, newest first; those of the namespace where empty.
    pub versions: Vec<String>,
    /// Whether other well-formed api-versions are served too: the list is not complete.
    pub open: Option<bool>,
    /// Where it is offered.
    pub locations: Locations,
    /// Its identity block, where it has one.
    pub identity: Option<Identity>,
    /// What PATCH does with the document.
    pub patch: Patch,
    /// What PUT does with a document that stands.
    pub put: Put,
    /// How slow operations end.
    #[serde(rename = "async")]
    pub slow: Async,
    /// Names of which GET is refused: such a document is shown by `POST {id}/list` alone.
    pub hidden: Vec<String>,
    /// POST actions that show the document itself, without its envelope kept apart: `list`, `listSecrets`.
    pub lists: Vec<String>,
    /// Pointers whose values are left out of GET and lists, and shown by the actions of `lists`.
    pub secrets: Vec<String>,
    /// Pointer to the member that is `false` where the values of `secrets` are none, and are shown.
    pub secret_if: Option<String>,
    /// Properties that name an identity.
    pub uses: Vec<Use>,
    /// What the service adds to answers where the document has no value of its own, by pointer. It is read-only: what is
    /// sent there is not kept. Texts may have `{name}`, `{location}` and the like, see `arm/added.rs`.
    pub computed: Map<String, Value>,
    /// What holds where the document has no value of its own, in the same form; it can be written.
    pub defaults: Map<String, Value>,
    /// POST actions of the type that roles can allow: `assign/action`.
    pub actions: Vec<String>,
    /// Lists whose items a PATCH merges by name; others are replaced whole.
    pub keyed: Vec<String>,
    /// Statuses of answers that differ from the usual ones.
    pub status: Statuses,
    /// POST actions that are answered.
    pub acts: std::collections::BTreeMap<String, Act>,
    /// How the name is shown, where it is not the last segment of the id: with `{parent}` and `{name}`.
    pub title: Option<String>,
    /// What a name must be like.
    pub names: Option<Names>,
    /// Pointers to what a PUT that makes one must send.
    pub required: Vec<String>,
    /// What `GET {id}/{name}` shows: a template.
    pub views: Map<String, Value>,
    /// Pointers to what is shown only where `$expand` asks for it by its last segment.
    pub expand: Vec<String>,
    /// Children that are shown inside the document: their type below this one, by pointer to where the array stands.
    pub nests: BTreeMap<String, String>,
    /// Documents of this type that are there without having been written.
    pub implied: Implied,
    /// How many one parent can have; 0 for no limit.
    pub limit: usize,
    /// Writes below one parent are serialised: two at a time fail with 409.
    pub serial: bool,
    /// While an operation runs, other writes fail with 409.
    pub exclusive: bool,
    /// Answers carry an `etag`.
    pub etag: bool,
    /// Answers carry `properties.provisioningState`.
    pub state: Option<bool>,
    /// Tags are part of the type.
    pub tags: Option<bool>,
}

impl Kind {
    /// Whether any well-formed version is served.
    pub fn is_open(&self) -> bool {
        self.open == Some(true)
    }
    /// The full type.
    pub fn full(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
    /// Whether a document of this name is shown by an action alone.
    pub fn hides(&self, name: &str) -> bool {
        self.hidden.iter().any(|hidden| hidden.eq_ignore_ascii_case(name))
    }
    /// Whether it is a child type.
    pub fn is_child(&self) -> bool {
        self.name.contains('/')
    }
    /// Whether a resource of the type lies in a region.
    pub fn regional(&self) -> bool {
        !self.is_child() && !matches!(&self.locations, Locations::Word(word) if word != "all")
    }
}
