//! Looking through files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::mark::{Kind, Mark, Place, To};
use super::names::Names;
use super::text::{Content, Lines, read, without_mark};
use super::walk::{self, LeftOut};
use super::{by_name, encoded, ids};

const NOT_UTF8: &str = "the file is not in UTF-8, so no patch is made of it";
const STATE: &str = "a state of Terraform: terraform state rm, then terraform import";

/// A file that names the identity.
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) text: String,
    pub(super) marks: Vec<Mark>,
}

/// What was found.
#[derive(Default)]
pub struct Found {
    pub(super) files: Vec<File>,
    pub(super) roots: Vec<PathBuf>,
    /// How many files were looked into.
    pub read: usize,
    /// What was not.
    pub left_out: Vec<LeftOut>,
    /// Paths that are not there any more.
    pub gone: Vec<PathBuf>,
}

/// Looks through every file at and below these paths, as long as `go_on` says so. A path that is not there is no error.
pub fn look(roots: &[PathBuf], names: &Names, go_on: &dyn Fn() -> bool) -> Found {
    let mut found = Found::default();
    let mut seen = BTreeSet::new();
    for root in roots {
        if !root.exists() {
            found.gone.push(root.clone());
            continue;
        }
        found.roots.push(root.clone());
        let (files, count) = (&mut found.files, &mut found.read);
        walk::files(root, &mut found.left_out, |path, left_out| {
            if seen.insert(path.to_owned()) {
                match read(path) {
                    Ok(Content::Text { text, exact }) => {
                        *count += 1;
                        files.extend(file(path, text, exact, names));
                    }
                    Ok(Content::Other(why)) => left_out.push(LeftOut {
                        path: path.to_owned(),
                        why,
                    }),
                    Err(error) => left_out.push(LeftOut {
                        path: path.to_owned(),
                        why: format!("it could not be read: {}", error.kind()),
                    }),
                }
            }
            go_on()
        });
    }
    found
}

/// What a file has to do with the identity, if anything.
pub(super) fn file(path: &Path, text: String, exact: bool, names: &Names) -> Option<File> {
    let plain = without_mark(&text);
    let mut marks = ids::marks(&plain, names);
    if is_state(path) {
        for mark in &mut marks {
            (mark.kind, mark.to, mark.why) = (Kind::State, To::Nobody, STATE);
        }
    } else {
        marks.extend(by_name::marks(path, &plain, names));
        marks.extend(encoded::marks(&plain, names));
    }
    let mut marks = apart(marks);
    marks.retain(|mark| mark.kind != Kind::Another);
    if !exact {
        for mark in marks.iter_mut().filter(|mark| mark.kind.is_patched()) {
            (mark.kind, mark.to, mark.why) = (Kind::Look, To::Nobody, NOT_UTF8);
        }
    }
    (!marks.is_empty()).then(|| File {
        path: path.to_owned(),
        text,
        marks,
    })
}

/// `terraform.tfstate`, its backups, and those of workspaces.
fn is_state(path: &Path) -> bool {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_ascii_lowercase();
    name.ends_with(".tfstate") || name.contains(".tfstate.")
}

/// Marks in the order of the text. Of two at one place the one that comes first counts: it is the more certain one.
fn apart(marks: Vec<Mark>) -> Vec<Mark> {
    let mut kept: BTreeMap<usize, Mark> = BTreeMap::new();
    for mark in marks {
        let (start, end) = (mark.range.start, mark.range.end.max(mark.range.start + 1));
        let meets = kept
            .range(..end)
            .next_back()
            .is_some_and(|(at, other)| other.range.end.max(at + 1) > start);
        if !meets {
            kept.insert(start, mark);
        }
    }
    kept.into_values().collect()
}

impl Found {
    /// Every place, file by file.
    pub fn places(&self) -> Vec<Place> {
        self.files.iter().flat_map(File::places).collect()
    }
}

impl File {
    fn places(&self) -> Vec<Place> {
        let lines = Lines::of(&self.text);
        let place = |mark: &Mark| {
            let (line, column) = lines.place(mark.range.start);
            Place {
                file: self.path.clone(),
                line,
                column,
                word: mark.word,
                from: self.text.get(mark.range.clone()).unwrap_or_default().to_owned(),
                to: mark.to.clone(),
                kind: mark.kind,
                why: mark.why,
            }
        };
        self.marks.iter().map(place).collect()
    }
}
