//! The patch that turns what was found.

use std::path::{Component, Path, PathBuf};

use super::look::{File, Found};
use super::mark::{Kind, To};
use super::unified::{Edit, applied, unified};

/// A patch of everything that can be turned now, and what it leaves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patch {
    /// The directory that it is for: `git apply` and `patch -p1` take it there.
    pub directory: PathBuf,
    /// The patch itself. It has lines of files in it.
    pub text: String,
    /// How many places it turns.
    pub turned: usize,
    /// In how many files.
    pub files: usize,
    /// How many places have to wait for what only Azure can give.
    pub later: usize,
    /// How many a person has to see to.
    pub by_hand: usize,
    /// How many more may be meant.
    pub doubts: usize,
}

impl Found {
    /// The patch, made from the files as they were read.
    pub fn patch(&self) -> Patch {
        let directory = common(&self.roots);
        let mut patch = Patch {
            directory,
            ..Patch::default()
        };
        for file in &self.files {
            for mark in &file.marks {
                match (mark.kind, &mark.to) {
                    (Kind::Doubt, _) => patch.doubts += 1,
                    (kind, _) if !kind.is_patched() => patch.by_hand += 1,
                    (_, To::Later) => patch.later += 1,
                    (_, To::Nobody) => patch.by_hand += 1,
                    (_, To::Text(_)) => {}
                }
            }
            let edits = file.edits();
            if edits.is_empty() {
                continue;
            }
            patch.turned += edits.len();
            patch.files += 1;
            let path = relative(&file.path, &patch.directory);
            patch.text.push_str(&unified(&path, &file.text, &edits));
        }
        patch
    }

    /// The files that a patch changes, with the text that they then have.
    pub fn turned(&self) -> impl Iterator<Item = (&Path, String)> {
        let files = self.files.iter().map(|file| (file, file.edits()));
        files
            .filter(|(_, edits)| !edits.is_empty())
            .map(|(file, edits)| (file.path.as_path(), applied(&file.text, &edits)))
    }
}

impl File {
    fn edits(&self) -> Vec<Edit> {
        let edit = |mark: &super::mark::Mark| match &mark.to {
            // A line stays a line.
            To::Text(to) if mark.kind.is_patched() && !to.contains(char::is_control) => Some(Edit {
                range: mark.range.clone(),
                to: to.clone(),
            }),
            _ => None,
        };
        self.marks.iter().filter_map(edit).collect()
    }
}

/// The deepest directory that all of these are in; of one directory, itself.
fn common(paths: &[PathBuf]) -> PathBuf {
    let folder = |path: &PathBuf| {
        let parent = path.parent().filter(|_| !path.is_dir());
        parent.unwrap_or(path).to_owned()
    };
    let mut all = paths.iter().map(folder);
    let Some(first) = all.next() else { return PathBuf::new() };
    all.fold(first, |common, path| {
        let same = common
            .components()
            .zip(path.components())
            .take_while(|(one, other)| one == other);
        same.map(|(part, _)| part).collect()
    })
}

/// A path as a patch names it.
fn relative(path: &Path, directory: &Path) -> String {
    let inside = path.strip_prefix(directory).unwrap_or(path);
    let parts = inside.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_string_lossy()),
        _ => None,
    });
    parts.collect::<Vec<_>>().join("/")
}
