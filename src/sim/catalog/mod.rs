//! What the simulator knows of each resource type, as data: a folder a namespace, a file a type, whose path is the type's
//! name (`Microsoft.Web/sites/slots.toml`). A new type is a file there, and no code; `kind.rs` tells its fields.

mod act;
mod kind;
mod load;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::LazyLock;

pub use act::{Act, Implied, Names, Statuses};
pub use kind::{By, Identity, Keys, Kind, Locations, Patch, Put, Slow};

/// A namespace with its types.
#[derive(Debug, Clone, Default)]
pub struct Namespace {
    /// As Azure spells it.
    pub name: String,
    /// Its types by name in lower case.
    pub types: BTreeMap<String, Kind>,
    /// What Azure has in the namespace and the simulator does not, by name in lower case.
    pub unsimulated: std::collections::BTreeSet<String>,
}

static CATALOG: LazyLock<Result<BTreeMap<String, Namespace>, String>> = LazyLock::new(load::read);

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

/// Whether Azure has this and the simulator does not: a type, a list, a view.
pub fn is_unsimulated(full: &str) -> bool {
    let Some((name, rest)) = full.split_once('/') else {
        return false;
    };
    namespace(name).is_some_and(|namespace| namespace.unsimulated.contains(&rest.to_ascii_lowercase()))
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
