//! Certificate authorities of the caller's own, for clouds and proxies that no public one vouches for.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use super::error::Error;

/// Certificate authorities that are trusted beside those of the system.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Trust(Arc<[CertificateDer<'static>]>);

impl Trust {
    /// The authorities that a PEM file holds.
    ///
    /// # Errors
    /// [`Error::Refused`] where it cannot be read, or holds no certificate.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let wrong = |why: String| Error::refused(format!("the certificate authorities in {}", path.display()), why);
        let text = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        let found = found.map_err(|error| wrong(error.to_string()))?;
        if found.is_empty() {
            return Err(wrong("it has no PEM block CERTIFICATE".to_owned()));
        }
        for der in &found {
            reqwest::Certificate::from_der(der).map_err(|error| wrong(error.to_string()))?;
        }
        Ok(Self(found.into()))
    }

    /// The authorities, as the HTTP client takes them.
    pub(crate) fn certificates(&self) -> impl Iterator<Item = reqwest::Certificate> + '_ {
        // Those that the client does not take were refused when they were read.
        self.0.iter().filter_map(|der| reqwest::Certificate::from_der(der).ok())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trust({} certificates)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_told_before_anything_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        assert!(Trust::read(&path).is_err());
        std::fs::write(&path, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").unwrap();
        let error = Trust::read(&path).unwrap_err();
        assert!(error.to_string().contains("CERTIFICATE"), "{error}");
    }
}
