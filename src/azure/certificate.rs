//! A service principal that proves itself by a certificate.
//!
//! The SDK's own credential for this is built on OpenSSL, which Ferry does not carry; its credential for assertions
//! takes this one, signed by the cryptography that TLS brings along.

use std::fmt;
use std::path::Path;

use async_trait::async_trait;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PSS_SHA256;
use azure_core::error::ErrorKind;
use azure_core::http::ClientMethodOptions;
use azure_identity::ClientAssertion;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

/// How long an assertion can be used, in seconds.
const LIFE: i64 = 600;

/// A certificate with its key, and whom it stands for.
pub(crate) struct Certificate {
    key: KeyPair,
    /// SHA-256 of the certificate, as Entra ID looks it up.
    thumbprint: String,
    audience: String,
    client: String,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

impl Certificate {
    /// Reads a PEM file with a certificate and its RSA key, for `client` of `tenant` at the token endpoint of `login`.
    ///
    /// # Errors
    /// A sentence that says what the file lacks.
    pub(crate) fn read(path: &Path, login: &url::Url, tenant: &str, client: &str) -> Result<Self, String> {
        let here = path.display();
        let pem = std::fs::read(path).map_err(|error| format!("{here} cannot be read: {error}"))?;
        let certificate = CertificateDer::from_pem_slice(&pem)
            .map_err(|_| format!("{here} has no PEM block CERTIFICATE; PKCS#12 is not read, convert it to PEM"))?;
        let key = PrivateKeyDer::from_pem_slice(&pem)
            .map_err(|_| format!("{here} has no PEM block PRIVATE KEY that is not encrypted"))?;
        let key = match &key {
            PrivateKeyDer::Pkcs8(key) => KeyPair::from_pkcs8(key.secret_pkcs8_der()),
            other => KeyPair::from_der(other.secret_der()),
        };
        Ok(Self {
            key: key.map_err(|error| format!("the key in {here} is no RSA key that serves: {error}"))?,
            thumbprint: URL_SAFE_NO_PAD.encode(Sha256::digest(&certificate)),
            audience: format!("{}/{tenant}/oauth2/v2.0/token", login.as_str().trim_end_matches('/')),
            client: client.to_owned(),
        })
    }

    /// A signed assertion that begins `now`.
    fn sign(&self, now: OffsetDateTime) -> Result<String, String> {
        let seconds = now.unix_timestamp();
        let header = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint});
        let claims = json!({
            "aud": self.audience, "iss": self.client, "sub": self.client, "jti": uuid::Uuid::new_v4().to_string(),
            "iat": seconds, "nbf": seconds, "exp": seconds + LIFE,
        });
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(&header), encode(&claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(
                &RSA_PSS_SHA256,
                &SystemRandom::new(),
                message.as_bytes(),
                &mut signature,
            )
            .map_err(|_| "the key does not sign".to_owned())?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[async_trait]
impl ClientAssertion for Certificate {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        self.sign(OffsetDateTime::now_utc())
            .map_err(|why| azure_core::Error::with_message(ErrorKind::Credential, why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{KeyPair as _, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};

    fn block(kind: &str, der: &[u8]) -> String {
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        format!("-----BEGIN {kind}-----\n{text}\n-----END {kind}-----\n")
    }

    fn read(text: &str) -> Result<Certificate, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sp.pem");
        std::fs::write(&path, text).unwrap();
        let login = url::Url::parse("https://login.example/").unwrap();
        Certificate::read(&path, &login, "tenant", "client")
    }

    #[test]
    fn a_service_principal_signs_with_the_key_of_its_certificate() {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&key).unwrap();
        let pem = block("PRIVATE KEY", der.as_ref()) + block("CERTIFICATE", b"the certificate").as_str();
        let jwt = read(&pem).unwrap().sign(OffsetDateTime::UNIX_EPOCH).unwrap();
        let (message, signature) = jwt.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let public = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, key.public_key().as_ref());
        public.verify(message.as_bytes(), &signature).unwrap();
        let part = |at: usize| -> Value {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(jwt.split('.').nth(at).unwrap()).unwrap()).unwrap()
        };
        assert_eq!(
            part(0)["x5t#S256"],
            URL_SAFE_NO_PAD.encode(Sha256::digest(b"the certificate"))
        );
        assert_eq!(part(1)["aud"], "https://login.example/tenant/oauth2/v2.0/token");
        assert_eq!(
            (part(1)["iss"].clone(), part(1)["exp"].clone()),
            (json!("client"), json!(LIFE))
        );
    }

    #[test]
    fn what_a_certificate_file_lacks_is_told() {
        assert!(read("").unwrap_err().contains("CERTIFICATE"));
        assert!(read(&block("CERTIFICATE", b"c")).unwrap_err().contains("PRIVATE KEY"));
        let odd = block("CERTIFICATE", b"c") + block("PRIVATE KEY", b"not a key").as_str();
        assert!(read(&odd).unwrap_err().contains("RSA"));
    }
}
