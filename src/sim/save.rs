//! Keeping every acknowledged write: a snapshot beside the file, renamed over it before the write is answered. Writes
//! that wait together are kept by one snapshot.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The file in which an estate is kept.
#[derive(Debug)]
pub struct Keeper {
    path: PathBuf,
    /// Up to which write the file holds everything.
    kept: tokio::sync::Mutex<u64>,
}

/// The estate that a file holds; none where there is no file.
///
/// # Errors
/// When it cannot be read, or is no JSON.
pub fn read(path: &Path) -> Result<Option<Value>, String> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| format!("it is no JSON: {error}")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

impl Keeper {
    /// A keeper of this file.
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            kept: tokio::sync::Mutex::new(0),
        }
    }

    /// Returns when the file holds everything up to `write`; `snapshot` gives the estate and the number of its last
    /// write.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn keep(&self, write: u64, snapshot: impl FnOnce() -> (Value, u64) + Send) -> std::io::Result<()> {
        let mut kept = self.kept.lock().await;
        if *kept >= write {
            return Ok(());
        }
        let (estate, last) = snapshot();
        let path = self.path.clone();
        let written = tokio::task::spawn_blocking(move || write_over(&path, &estate)).await;
        match written {
            Ok(written) => written?,
            Err(panicked) => return Err(std::io::Error::other(panicked)),
        }
        *kept = last;
        Ok(())
    }
}

/// Writes a file so that it is either the old or the new one.
fn write_over(path: &Path, estate: &Value) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = path.with_file_name(name);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    // It holds what the tenant holds, settings and secrets too.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&beside)?;
    let mut writer = std::io::BufWriter::new(file);
    serde_json::to_writer(&mut writer, estate)?;
    std::io::Write::flush(&mut writer)?;
    std::fs::rename(&beside, path)
}

/// Writes the estate at once, before anything is served.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, estate: &Value) -> std::io::Result<()> {
    write_over(path, estate)
}
