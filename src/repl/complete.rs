//! What may be typed next: commands, modules, functions, variables, and the keys of maps.

use std::collections::{BTreeMap, BTreeSet};

use rhai::Dynamic;

use super::commands;
use crate::host::Host;
use crate::host::docs::{Docs, standard_functions};
use crate::ops::Frozen;

/// Words of the language that stand at the beginning of something.
pub(super) const KEYWORDS: [&str; 22] = [
    "let", "const", "if", "else", "switch", "for", "in", "while", "loop", "do", "until", "break", "continue", "return",
    "throw", "try", "catch", "fn", "import", "as", "true", "false",
];

/// The keys of a map, and of the maps inside it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Keys(BTreeMap<String, Keys>);

impl Keys {
    /// The keys of a value, so many levels deep.
    pub(super) fn of(value: &Dynamic, depth: usize) -> Self {
        let of = |map: &rhai::Map| {
            map.iter()
                .map(|(key, value)| (key.to_string(), Self::of(value, depth - 1)))
                .collect()
        };
        if depth == 0 {
            return Self::default();
        }
        if let Some(map) = value.read_lock::<rhai::Map>() {
            return Self(of(&map));
        }
        value
            .read_lock::<Frozen>()
            .map_or_else(Self::default, |frozen| Self(of(frozen.map())))
    }
}

/// What completion and hints know.
pub(super) struct Known {
    /// The documentation of the modules.
    pub(super) docs: Docs,
    /// Variables, with their keys where they are maps.
    pub(super) variables: BTreeMap<String, Keys>,
    /// Functions that were typed.
    pub(super) functions: BTreeSet<String>,
    /// Names of imported modules.
    pub(super) aliases: BTreeSet<String>,
}

impl Known {
    pub(super) fn new(host: &Host) -> Self {
        Self {
            docs: host.docs_of_modules(),
            variables: BTreeMap::new(),
            functions: BTreeSet::new(),
            aliases: BTreeSet::new(),
        }
    }

    /// Where the word under the cursor begins, and what it may become.
    pub(super) fn complete(&self, line: &str, position: usize) -> (usize, Vec<String>) {
        let before = &line[..position];
        if let Some(command) = before.strip_prefix(':').filter(|rest| !rest.contains(' ')) {
            let names = commands::names().map(|name| format!(":{name}"));
            return (0, names.filter(|name| name[1..].starts_with(command)).collect());
        }
        let start = before
            .rfind(|c: char| !(c.is_alphanumeric() || "_:.".contains(c)))
            .map_or(0, |index| {
                index + before[index..].chars().next().map_or(1, char::len_utf8)
            });
        let word = &before[start..];
        let mut found: BTreeSet<String> = BTreeSet::new();
        if let Some((path, part)) = word.rsplit_once('.') {
            let mut keys = Keys(self.variables.clone());
            for segment in path.split('.') {
                keys = keys.0.remove(segment).unwrap_or_default();
            }
            found.extend(
                keys.0
                    .keys()
                    .filter(|key| key.starts_with(part))
                    .map(|key| format!("{path}.{key}")),
            );
        } else {
            let functions = self
                .docs
                .pages
                .iter()
                .flat_map(|page| &page.functions)
                .map(|f| format!("{}(", f.path));
            if word.contains("::") {
                found.extend(functions.filter(|name| name.starts_with(word)));
            } else if !word.is_empty() {
                let modules = self.docs.pages.iter().map(|page| page.name.as_str());
                found.extend(
                    modules
                        .chain(self.aliases.iter().map(String::as_str))
                        .map(|name| format!("{name}::")),
                );
                found.extend(self.variables.keys().cloned());
                found.extend(self.functions.iter().map(|name| format!("{name}(")));
                found.extend(standard_functions().iter().map(|name| format!("{name}(")));
                found.extend(KEYWORDS.map(str::to_owned));
                found.retain(|name| name.starts_with(word));
            }
        }
        (start, found.into_iter().collect())
    }
}
