//! Which files are looked into.
//!
//! What `.gitignore` names is looked into as well: `.env`, `terraform.tfvars` and `local.settings.json` are ignored as a
//! rule, and name identities. Left out is what tools put there and make anew. A symbolic link is not followed: what it
//! leads to is met by itself, or lies outside.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

/// Directories that tools fill.
const OF_TOOLS: &[&str] = &[
    ".git",
    ".hg",
    ".svn",
    ".terraform",
    ".terragrunt-cache",
    ".venv",
    "__pycache__",
    "node_modules",
];

/// Something that was not looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The file or the directory.
    pub path: PathBuf,
    /// Why.
    pub why: String,
}

/// Gives every file at or below `root` to `visit`, in the order of their names, as long as that answers true; what is
/// left out goes to `left_out`.
pub(super) fn files(root: &Path, left_out: &mut Vec<LeftOut>, mut visit: impl FnMut(&Path, &mut Vec<LeftOut>) -> bool) {
    let mut walk = WalkDir::new(root).follow_links(false).sort_by_file_name().into_iter();
    while let Some(entry) = walk.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let path = error.path().unwrap_or(root).to_owned();
                left_out.push(LeftOut {
                    path,
                    why: "it could not be read".to_owned(),
                });
                continue;
            }
        };
        let path = entry.path();
        let mut leave = |why: &str| {
            left_out.push(LeftOut {
                path: path.to_owned(),
                why: why.to_owned(),
            });
        };
        let kind = entry.file_type();
        if kind.is_dir() {
            let name = entry.file_name();
            // A directory with this file in it says that it can be made anew: https://bford.info/cachedir/.
            let is_cache = || path.join("CACHEDIR.TAG").is_file();
            if entry.depth() > 0 && (OF_TOOLS.iter().any(|tool| name == *tool) || is_cache()) {
                leave("tools keep their own files there");
                walk.skip_current_dir();
            }
        } else if kind.is_file() {
            if !visit(path, left_out) {
                return;
            }
        } else if kind.is_symlink() {
            let inside = std::fs::canonicalize(path).is_ok_and(|target| target.starts_with(root));
            if !inside {
                leave("it is a link that leads out of the directory, or nowhere");
            }
        } else {
            leave("it is no file");
        }
    }
}
