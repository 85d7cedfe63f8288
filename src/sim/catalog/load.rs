//! Reading the files: `Namespace/_namespace.toml` for what the types of a namespace share, and one file a type, whose
//! path is the type's name.

use std::collections::BTreeMap;

use include_dir::{Dir, DirEntry, include_dir};
use serde::Deserialize;

use super::{Kind, Namespace};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/sim/catalog");

/// What the types of a namespace share.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shared {
    /// As Azure spells it.
    namespace: String,
    /// The api-versions of types that name none.
    #[serde(default)]
    versions: Vec<String>,
    /// Whether other well-formed api-versions are served too.
    #[serde(default)]
    open: bool,
    /// Types without behaviour of their own.
    #[serde(default)]
    plain: Vec<String>,
    /// What Azure has and the simulator does not: types, lists and views.
    #[serde(default)]
    unsimulated: Vec<String>,
}

/// Every namespace by its name in lower case.
///
/// # Errors
/// Which file is wrong, and how.
pub fn read() -> Result<BTreeMap<String, Namespace>, String> {
    let mut found = BTreeMap::new();
    for folder in FILES.dirs() {
        let namespace = namespace(folder)?;
        found.insert(namespace.name.to_ascii_lowercase(), namespace);
    }
    Ok(found)
}

fn namespace(folder: &Dir<'_>) -> Result<Namespace, String> {
    let mut files = Vec::new();
    tables(folder, &mut files);
    let shared = folder.path().join("_namespace.toml");
    let at = files
        .iter()
        .position(|(path, _)| std::path::Path::new(path) == shared)
        .ok_or_else(|| format!("{}: missing", shared.display()))?;
    let (path, text) = files.swap_remove(at);
    let shared: Shared = toml::from_str(text).map_err(|error| format!("{path}: {error}"))?;
    let mut types = BTreeMap::new();
    for name in &shared.plain {
        let kind = Kind {
            path: format!("{}/{name}", shared.namespace),
            ..Kind::default()
        };
        add(&mut types, kind, &shared)?;
    }
    for (path, text) in files {
        let kind: Kind = toml::from_str(text).map_err(|error| format!("{path}: {error}"))?;
        if path.replace('\\', "/") != format!("{}.toml", kind.path) {
            return Err(format!("{path}: holds the type '{}'", kind.path));
        }
        add(&mut types, kind, &shared)?;
    }
    Ok(Namespace {
        unsimulated: shared
            .unsimulated
            .iter()
            .map(|name| name.to_ascii_lowercase())
            .collect(),
        name: shared.namespace,
        types,
    })
}

fn add(types: &mut BTreeMap<String, Kind>, mut kind: Kind, shared: &Shared) -> Result<(), String> {
    let full = kind.path.clone();
    let (namespace, name) = full.split_once('/').ok_or_else(|| format!("'{full}' is not a type"))?;
    if namespace != shared.namespace {
        return Err(format!("'{full}' is not of the namespace '{}'", shared.namespace));
    }
    namespace.clone_into(&mut kind.namespace);
    name.clone_into(&mut kind.name);
    if kind.versions.is_empty() {
        kind.versions.clone_from(&shared.versions);
    }
    kind.open.get_or_insert(shared.open);
    kind.versions.sort_by(|a, b| b.cmp(a));
    kind.versions.dedup();
    match types.insert(name.to_ascii_lowercase(), kind) {
        Some(_) => Err(format!("'{full}' is there twice")),
        None => Ok(()),
    }
}

/// The paths and texts of all TOML files below a folder.
fn tables<'a>(folder: &'a Dir<'a>, found: &mut Vec<(String, &'a str)>) {
    for entry in folder.entries() {
        match entry {
            DirEntry::Dir(inner) => tables(inner, found),
            DirEntry::File(file) => {
                let path = file.path();
                if path.extension().is_some_and(|extension| extension == "toml") {
                    found.push((path.display().to_string(), file.contents_utf8().unwrap_or_default()));
                }
            }
        }
    }
}
