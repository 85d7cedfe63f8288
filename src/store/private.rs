//! Files and directories that their user alone can read, whatever the umask says.

use std::fs::{DirBuilder, File, OpenOptions};
use std::path::Path;

use super::Error;

/// Makes a directory, and those above it that are missing, that only its owner can look into. One that is there stays as
/// it is.
///
/// # Errors
/// Those of the system.
pub fn private_directory(path: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Opens a file to which `options` lead; where it is made, only its owner can read it.
pub(super) fn private_file(options: &mut OpenOptions, path: &Path) -> std::io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.open(path)
}

/// As [`private_directory`], with the error of a store.
///
/// # Errors
/// [`Error::Io`].
pub(super) fn make_private(path: &Path) -> Result<(), Error> {
    private_directory(path).map_err(|error| Error::Io {
        path: path.display().to_string(),
        verb: "created",
        why: error.to_string(),
    })
}
