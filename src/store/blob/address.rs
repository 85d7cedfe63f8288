//! The URL of a container, taken apart and judged before anything is sent to it.

use std::fmt;

use url::Url;

use crate::types::is_loopback;

/// The account that every emulator of Azure Storage has; its key is public.
pub(super) const EMULATOR: &str = "devstoreaccount1";

/// A container of an account, and where in it the journals are.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    container: Url,
    prefix: String,
    emulator: bool,
}

impl Address {
    /// Reads `https://ACCOUNT.blob.core.windows.net/CONTAINER[/PREFIX]`, or, for Azurite on this machine,
    /// `http://127.0.0.1:10000/devstoreaccount1/CONTAINER[/PREFIX]`.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence without its secrets.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut url = Url::parse(text).map_err(|error| error.to_string())?;
        let emulator = is_loopback(&url);
        if url.host().is_none() {
            return Err("it names no host".into());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("a user name or password has no place in it: the caller signs in as --auth says".into());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("a shared access signature has no place in it: the caller signs in as --auth says".into());
        }
        match url.scheme() {
            "https" => {}
            "http" if emulator => {}
            "http" => return Err("plain http is for an emulator on this machine alone, use https".into()),
            other => return Err(format!("{other} is not https")),
        }
        let path = url.path().trim_end_matches('/').to_owned();
        let mut segments = path.split('/').skip(1);
        let mut root = String::new();
        if emulator {
            if segments.next() != Some(EMULATOR) {
                return Err(format!(
                    "on this machine the account is the emulator's, as http://127.0.0.1:10000/{EMULATOR}/CONTAINER"
                ));
            }
            root = format!("/{EMULATOR}");
        }
        let container = segments.next().unwrap_or_default();
        if !is_container(container) {
            return Err(format!(
                "\"{container}\" is no container: 3 to 63 of a-z, 0-9 and single hyphens, as https://ACCOUNT.blob.core.windows.net/CONTAINER"
            ));
        }
        let rest: Vec<&str> = segments.collect();
        if let Some(wrong) = rest.iter().find(|segment| !is_segment(segment)) {
            return Err(format!(
                "\"{wrong}\" cannot be part of a prefix: letters, digits, hyphens, underscores and dots can"
            ));
        }
        let mut prefix = rest.join("/");
        if !prefix.is_empty() {
            prefix.push('/');
        }
        url.set_path(&format!("{root}/{container}"));
        Ok(Self {
            container: url,
            prefix,
            emulator,
        })
    }

    /// Whether it is an emulator's, on this machine.
    pub fn is_emulator(&self) -> bool {
        self.emulator
    }

    /// The host of the account, in lower case.
    pub fn host(&self) -> &str {
        self.container.host_str().unwrap_or_default()
    }

    /// The container.
    pub fn container(&self) -> &Url {
        &self.container
    }

    /// What the names of all blobs begin with: empty, or with a slash at its end.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = format!("{}/{}", self.container, self.prefix);
        f.write_str(whole.trim_end_matches('/'))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// Whether Azure takes this as the name of a container.
fn is_container(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (3..=63).contains(&name.len())
        && name.bytes().all(plain)
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--")
}

fn is_segment(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !text.is_empty() && text.bytes().all(plain) && !text.ends_with('.') && text != ".."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_and_a_prefix_are_told_apart() {
        let address = Address::parse("https://acc.blob.core.windows.net/ferry/team-a/prod/").unwrap();
        assert_eq!(address.container().as_str(), "https://acc.blob.core.windows.net/ferry");
        assert_eq!((address.prefix(), address.is_emulator()), ("team-a/prod/", false));
        assert_eq!(
            address.to_string(),
            "https://acc.blob.core.windows.net/ferry/team-a/prod"
        );
        let address = Address::parse("http://127.0.0.1:10000/devstoreaccount1/ferry").unwrap();
        assert_eq!((address.prefix(), address.is_emulator()), ("", true));
        assert_eq!(address.to_string(), "http://127.0.0.1:10000/devstoreaccount1/ferry");
    }

    #[test]
    fn what_is_no_container_is_told_and_secrets_are_not_repeated() {
        for (bad, says) in [
            ("http://acc.blob.core.windows.net/ferry", "https"),
            ("ftp://127.0.0.1/devstoreaccount1/ferry", "https"),
            ("https://acc.blob.core.windows.net", "no container"),
            ("https://acc.blob.core.windows.net/Ferry", "no container"),
            ("https://acc.blob.core.windows.net/a--b", "no container"),
            ("https://acc.blob.core.windows.net/ferry/a b", "prefix"),
            ("https://acc.blob.core.windows.net/ferry/a//b", "prefix"),
            ("https://acc.blob.core.windows.net/ferry?sv=1&sig=hush", "signature"),
            ("https://me:hush@acc.blob.core.windows.net/ferry", "password"),
            ("http://127.0.0.1:10000/ferry", "devstoreaccount1"),
            ("http://127.0.0.1:10000/otheraccount/ferry", "devstoreaccount1"),
            ("https://", "host"),
        ] {
            let error = Address::parse(bad).unwrap_err();
            assert!(error.contains(says) && !error.contains("hush"), "{bad}: {error}");
        }
    }
}
