//! What the simulator knows of each resource type, as data: one TOML file a namespace in this directory, with one
//! `[[type]]` table for each type. A new type is a table there, and no code.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use include_dir::{Dir, include_dir};
use serde::Deserialize;
use serde_json::Value;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/sim/catalog");

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
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            patch: Patch::Merge,
            combined: "SystemAssigned, UserAssigned".to_owned(),
            max: 0,
            required: false,
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
    /// The type without its namespace: `sites/slots`.
    pub name: String,
    /// The namespace, as Azure spells it; filled from the file.
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
    /// Pointers to identities in use: one of them cannot leave the identity block.
    pub uses: Vec<String>,
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
    /// Members that every answer has, as a document: they stand where the stored one has none.
    pub shown: Json,
    /// Children that are there as long as their parent is, by name: what `properties` they have until they are written.
    pub standing: BTreeMap<String, Json>,
}

/// A JSON text. TOML knows no null, so what may hold one is written so.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "String")]
pub struct Json(pub Value);

impl TryFrom<String> for Json {
    type Error = serde_json::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        serde_json::from_str(&text).map(Self)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    namespace: String,
    #[serde(default)]
    versions: Vec<String>,
    #[serde(default)]
    open: bool,
    #[serde(default)]
    plain: Vec<String>,
    #[serde(default, rename = "type")]
    types: Vec<Kind>,
}

/// A namespace with its types.
#[derive(Debug, Clone, Default)]
pub struct Namespace {
    /// As Azure spells it.
    pub name: String,
    /// Its types by name in lower case.
    pub types: BTreeMap<String, Kind>,
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

static CATALOG: LazyLock<Result<BTreeMap<String, Namespace>, String>> = LazyLock::new(read);

fn read() -> Result<BTreeMap<String, Namespace>, String> {
    let mut found = BTreeMap::new();
    for file in FILES
        .files()
        .filter(|file| file.path().extension().is_some_and(|e| e == "toml"))
    {
        let path = file.path().display();
        let text = file.contents_utf8().ok_or_else(|| format!("{path}: not UTF-8"))?;
        let file: File = toml::from_str(text).map_err(|error| format!("{path}: {error}"))?;
        let mut types = BTreeMap::new();
        let plain = file.plain.iter().map(|name| Kind {
            name: name.clone(),
            ..Kind::default()
        });
        for mut kind in plain.chain(file.types) {
            kind.namespace.clone_from(&file.namespace);
            if kind.versions.is_empty() {
                kind.versions.clone_from(&file.versions);
            }
            kind.open.get_or_insert(file.open);
            kind.versions.sort_by(|a, b| b.cmp(a));
            kind.versions.dedup();
            types.insert(kind.name.to_ascii_lowercase(), kind);
        }
        let namespace = Namespace {
            name: file.namespace.clone(),
            types,
        };
        found.insert(file.namespace.to_ascii_lowercase(), namespace);
    }
    Ok(found)
}

/// Every namespace by its name in lower case. The files are compiled in, and a test reads them all: an empty catalog is
/// what a broken file would give.
pub fn namespaces() -> &'static BTreeMap<String, Namespace> {
    static NONE: BTreeMap<String, Namespace> = BTreeMap::new();
    CATALOG.as_ref().unwrap_or(&NONE)
}

/// The namespace of this name in any case.
pub fn namespace(name: &str) -> Option<&'static Namespace> {
    namespaces().get(&name.to_ascii_lowercase())
}

/// The type of this full name in any case: `Microsoft.Web/sites/slots`.
pub fn kind(full: &str) -> Option<&'static Kind> {
    let (name, rest) = full.split_once('/')?;
    namespace(name)?.types.get(&rest.to_ascii_lowercase())
}

/// Whether a text has the form of an api-version: `2024-11-30`, with or without `-preview` and the like.
pub fn well_formed(version: &str) -> bool {
    let bytes = version.as_bytes();
    let digits = |range: std::ops::Range<usize>| bytes[range].iter().all(u8::is_ascii_digit);
    bytes.len() >= 10
        && version.is_ascii()
        && digits(0..4)
        && bytes[4] == b'-'
        && digits(5..7)
        && bytes[7] == b'-'
        && digits(8..10)
        && (bytes.len() == 10
            || (bytes[10] == b'-' && bytes[11..].iter().all(u8::is_ascii_alphanumeric) && bytes.len() > 11))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_catalog_can_be_read() {
        let read = read().unwrap();
        assert!(read.values().map(|namespace| namespace.types.len()).sum::<usize>() > 150);
        for namespace in read.values() {
            for kind in namespace.types.values() {
                assert!(
                    !kind.versions.is_empty() || kind.is_open(),
                    "{} has no api-versions",
                    kind.full()
                );
                assert!(
                    kind.versions.iter().all(|version| well_formed(version)),
                    "{}",
                    kind.full()
                );
            }
        }
    }

    #[test]
    fn versions_are_told_from_other_texts() {
        assert!(well_formed("2024-11-30"));
        assert!(well_formed("2025-05-31-preview"));
        for text in ["", "latest", "2024-11", "2024-11-30-", "2024-11-30preview", "20241130"] {
            assert!(!well_formed(text), "{text}");
        }
    }
}
