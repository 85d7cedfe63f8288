//! Scripts read no files but scripts, and those only where their operator keeps them.

use std::path::{Path, PathBuf};

use crate::error::Error;

/// The directory that the imports of a file may not leave: the working directory where the file lies in it, else the
/// file's own.
pub(super) fn home(file: &Path) -> PathBuf {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let own = parent.unwrap_or(Path::new(".")).to_owned();
    match (std::env::current_dir(), own.canonicalize()) {
        (Ok(here), Ok(real)) if real.starts_with(&here) => here,
        _ => own,
    }
}

/// Refuses a file that lies outside of its home, by `..`, by an absolute path, or behind a link.
///
/// # Errors
/// `script-outside`; `script-unreadable` where it cannot be told.
pub(super) fn check(file: &Path, home: &Path) -> Result<(), Error> {
    let real = |path: &Path| {
        path.canonicalize()
            .map_err(|error| Error::refused("script-unreadable", format!("{} was not read: {error}", path.display())))
    };
    if real(file)?.starts_with(real(home)?) {
        return Ok(());
    }
    Err(Error::refused(
        "script-outside",
        format!(
            "{} was not read: it lies outside of {}, where this run's scripts are",
            file.display(),
            home.display()
        ),
    )
    .next("move it there, or name its directory with --scripts"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_elsewhere_is_at_home_in_its_own_directory() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(home(&folder.path().join("a.rhai")), folder.path());
        assert_eq!(home(Path::new("tests/a.rhai")), std::env::current_dir().unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_within_its_home_is_followed_and_one_that_leads_out_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (inside, outside) = (folder.path().join("in"), folder.path().join("out.rhai"));
        std::fs::create_dir(&inside).unwrap();
        std::fs::write(inside.join("real.rhai"), "1").unwrap();
        std::fs::write(&outside, "2").unwrap();
        std::os::unix::fs::symlink(inside.join("real.rhai"), inside.join("alias.rhai")).unwrap();
        std::os::unix::fs::symlink(&outside, inside.join("leak.rhai")).unwrap();
        assert!(check(&inside.join("alias.rhai"), &inside).is_ok());
        let refused = check(&inside.join("leak.rhai"), &inside).unwrap_err();
        assert_eq!(refused.code, "script-outside");
        assert_eq!(
            check(&inside.join("../out.rhai"), &inside).unwrap_err().code,
            "script-outside"
        );
        // A home that is a link itself is where it leads.
        let alias = folder.path().join("alias");
        std::os::unix::fs::symlink(&inside, &alias).unwrap();
        assert!(check(&alias.join("real.rhai"), &alias).is_ok());
    }
}
