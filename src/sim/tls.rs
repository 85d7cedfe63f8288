//! TLS for clients that insist on https: a certificate authority of a directory's own, and a certificate by it.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PublicKeyData as _,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use time::{Duration, OffsetDateTime};
use tokio_rustls::TlsAcceptor;
use x509_parser::parse_x509_certificate;

/// The certificate of the authority, for clients to trust.
pub const AUTHORITY: &str = "ca.pem";
/// Its private key, which signs the certificates of simulators.
const KEY: &str = "ca-key.pem";
/// Held while the two are looked at or made, so that simulators that start together share them.
const LOCK: &str = "ca.lock";
/// What the authority is called.
const NAME: &str = "Ferry simulator authority";
/// The names that a simulator answers to.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// How long an authority serves.
const LIFE: Duration = Duration::days(3650);
/// How long the certificate of a simulator serves: longer than one runs, shorter than some clients put up with.
const LIFE_OF_SERVER: Duration = Duration::days(397);
/// An authority that ends sooner than this is replaced.
const MARGIN: Duration = Duration::days(1);

/// What could not be done with which file.
pub type Wrong = (PathBuf, String);

/// Takes TLS connections with a certificate by the authority of `directory`, which is made where there is none or
/// where it is over.
///
/// # Errors
/// The file that could not be read or written, or that does not hold what it should, and why.
pub fn acceptor(directory: &Path, now: OffsetDateTime) -> Result<TlsAcceptor, Wrong> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |why: &dyn std::fmt::Display| (path, why.to_string())
    };
    private_directory(directory).map_err(|why| at(directory)(&why))?;
    let lock = directory.join(LOCK);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let held = options.open(&lock).map_err(|why| at(&lock)(&why))?;
    held.lock().map_err(|why| at(&lock)(&why))?;
    let (certificate, key) = (directory.join(AUTHORITY), directory.join(KEY));
    let authority = match kept(&certificate, &key, now)? {
        Some(authority) => authority,
        None => made(&certificate, &key, now)?,
    };
    drop(held);
    serve(&authority, now).map_err(|why| at(directory)(&why))
}

/// The authority that the files hold, where they are there and serve a while longer.
fn kept(certificate: &Path, key: &Path, now: OffsetDateTime) -> Result<Option<Issuer<'static, KeyPair>>, Wrong> {
    if !certificate.exists() {
        return Ok(None);
    }
    if !key.exists() {
        let why = format!("its key {KEY} is not beside it; choose another directory for the simulator's authority");
        return Err((certificate.to_owned(), why));
    }
    let read = |path: &Path| fs::read_to_string(path).map_err(|error| (path.to_owned(), error.to_string()));
    let text = read(certificate)?;
    let der = CertificateDer::from_pem_slice(text.as_bytes())
        .map_err(|error| (certificate.to_owned(), format!("it holds no certificate: {error}")))?;
    let (_, parsed) = parse_x509_certificate(&der).map_err(|error| (certificate.to_owned(), error.to_string()))?;
    let valid = parsed.validity();
    let (begin, end) = (valid.not_before.timestamp(), valid.not_after.timestamp());
    if begin > now.unix_timestamp() || end < (now + MARGIN).unix_timestamp() {
        let ours = parsed
            .subject()
            .iter_common_name()
            .any(|name| name.as_str() == Ok(NAME));
        let why = || {
            (
                certificate.to_owned(),
                "it is over, and Ferry did not make it; renew it".to_owned(),
            )
        };
        return if ours { Ok(None) } else { Err(why()) };
    }
    let pair = KeyPair::from_pem(&read(key)?).map_err(|error| (key.to_owned(), error.to_string()))?;
    if pair.subject_public_key_info() != parsed.public_key().raw {
        let why = format!(
            "it is not the key of {}; remove both, and they are made anew",
            certificate.display()
        );
        return Err((key.to_owned(), why));
    }
    Issuer::from_ca_cert_der(&der, pair)
        .map(Some)
        .map_err(|error| (certificate.to_owned(), error.to_string()))
}

/// A new authority, kept in the files: the key first, so that no certificate is left without one.
fn made(certificate: &Path, key: &Path, now: OffsetDateTime) -> Result<Issuer<'static, KeyPair>, Wrong> {
    let failed = |error: rcgen::Error| (certificate.to_owned(), error.to_string());
    let pair = KeyPair::generate().map_err(failed)?;
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::OrganizationName, "Ferry");
    params.distinguished_name.push(DnType::CommonName, NAME);
    // A path of length 0: it signs servers, never another authority.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = now - Duration::hours(1);
    params.not_after = now + LIFE;
    let signed = params.self_signed(&pair).map_err(failed)?;
    write_private(key, &pair.serialize_pem()).map_err(|error| (key.to_owned(), error.to_string()))?;
    fs::write(certificate, signed.pem()).map_err(|error| (certificate.to_owned(), error.to_string()))?;
    Ok(Issuer::new(params, pair))
}

/// Makes a directory that its user alone can look into; one that is there stays as it is.
fn private_directory(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Writes a file that its user alone can read, also where one that others could read stood before.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)?.write_all(text.as_bytes())
}

/// A server's certificate by the authority, and how it talks: HTTP/2 where the client can, else HTTP/1.1.
fn serve(authority: &Issuer<'_, KeyPair>, now: OffsetDateTime) -> Result<TlsAcceptor, String> {
    let failed = |error: rcgen::Error| error.to_string();
    let pair = KeyPair::generate().map_err(failed)?;
    let mut params = CertificateParams::new(NAMES.map(str::to_owned)).map_err(failed)?;
    params.distinguished_name.push(DnType::CommonName, NAMES[0]);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params.not_before = now - Duration::hours(1);
    params.not_after = now + LIFE_OF_SERVER;
    let signed = params.signed_by(&pair, authority).map_err(failed)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(vec![signed.der().clone()], key)
        })
        .map_err(|error| error.to_string())?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    #[test]
    fn an_authority_that_clients_trust_already_is_used_again() {
        let folder = tempfile::tempdir().unwrap();
        acceptor(folder.path(), now()).unwrap();
        let first = fs::read(folder.path().join(AUTHORITY)).unwrap();
        acceptor(folder.path(), now()).unwrap();
        assert_eq!(fs::read(folder.path().join(AUTHORITY)).unwrap(), first);
    }

    #[test]
    fn an_authority_that_is_over_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        acceptor(folder.path(), now() - LIFE).unwrap();
        let first = fs::read(folder.path().join(AUTHORITY)).unwrap();
        acceptor(folder.path(), now()).unwrap();
        assert_ne!(fs::read(folder.path().join(AUTHORITY)).unwrap(), first);
    }

    #[cfg(unix)]
    #[test]
    fn its_key_is_for_its_user_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(KEY), "left by somebody, for all to read").unwrap();
        acceptor(folder.path(), now()).unwrap();
        let mode = fs::metadata(folder.path().join(KEY)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_bundle_of_somebody_elses_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(AUTHORITY), "the system's authorities").unwrap();
        assert!(acceptor(folder.path(), now()).is_err());
        let text = fs::read_to_string(folder.path().join(AUTHORITY)).unwrap();
        assert_eq!(text, "the system's authorities");
    }

    #[test]
    fn files_that_do_not_belong_together_are_told_and_kept() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        acceptor(one.path(), now()).unwrap();
        acceptor(other.path(), now()).unwrap();
        fs::copy(other.path().join(KEY), one.path().join(KEY)).unwrap();
        let before = fs::read(one.path().join(AUTHORITY)).unwrap();
        let Err((path, why)) = acceptor(one.path(), now()) else {
            panic!("a foreign key was taken")
        };
        assert!(path.ends_with(KEY) && why.contains(AUTHORITY), "{why}");
        assert_eq!(fs::read(one.path().join(AUTHORITY)).unwrap(), before);
    }
}
