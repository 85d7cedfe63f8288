//! A connection to a PostgreSQL server, as libpq writes it: `host=… dbname=…`, or a `postgresql://` URL. Never with a password.

use std::fmt;
use std::net::IpAddr;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use url::Url;

use super::ParseError;

/// How a connection is kept from being read on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encryption {
    /// Not at all: only on this machine.
    Disable,
    /// TLS, with a certificate for the host from an authority that is trusted.
    VerifyFull,
}

/// Where a database is, and as whom one signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Connection {
    /// A name, an address, or the directory of a socket.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The database.
    pub database: String,
    /// The role that signs in; the operating system's user where it is empty.
    pub user: String,
    /// How it is kept from being read.
    pub encryption: Encryption,
    /// A PEM file of authorities that are trusted beside the system's.
    pub root_certificate: Option<String>,
}

const EXPECTED: &str = "a connection to PostgreSQL";

impl Connection {
    /// Reads the keyword form (`host=… port=… dbname=… user=… sslmode=…`) or a URL.
    ///
    /// # Errors
    /// Where it has a password, a keyword that is not known, or would be readable on its way to another machine. The error
    /// does not repeat the text, which may hold a secret.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let text = text.trim();
        let pairs = if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            of_url(text)
        } else {
            of_keywords(text)
        };
        pairs
            .and_then(from_pairs)
            .map_err(|why| ParseError::new("what was given", EXPECTED, why))
    }

    /// The same server with another database.
    #[must_use]
    pub fn to_database(&self, name: &str) -> Self {
        Self {
            database: name.to_owned(),
            ..self.clone()
        }
    }

    /// The server, as outputs show it: `postgres://host:5432`.
    pub fn server(&self) -> String {
        let host = if self.host.starts_with('/') {
            utf8_percent_encode(&self.host, NON_ALPHANUMERIC).to_string()
        } else if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        format!("postgres://{host}:{}", self.port)
    }

    /// The database, as outputs show it: `postgres://host:5432/name`.
    pub fn address(&self) -> String {
        const NAME: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC
            .remove(b'-')
            .remove(b'_')
            .remove(b'.')
            .remove(b'~')
            .remove(b'$');
        format!("{}/{}", self.server(), utf8_percent_encode(&self.database, NAME))
    }

    /// Whether it stays on this machine.
    pub fn is_local(&self) -> bool {
        is_local(&self.host)
    }
}

fn is_local(host: &str) -> bool {
    let named = host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost");
    host.starts_with('/') || named || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn from_pairs(pairs: Vec<(String, String)>) -> Result<Connection, String> {
    let mut found = Connection {
        host: String::new(),
        port: 5432,
        database: "postgres".to_owned(),
        user: String::new(),
        encryption: Encryption::VerifyFull,
        root_certificate: None,
    };
    let mut mode = None;
    for (key, value) in pairs {
        match key.as_str() {
            "host" => found.host = value,
            "port" => {
                found.port = value
                    .parse()
                    .ok()
                    .filter(|port| *port > 0)
                    .ok_or("`port` is one number from 1 to 65535")?;
            }
            "dbname" => found.database = value,
            "user" => found.user = value,
            "sslmode" => mode = Some(value),
            "sslrootcert" => found.root_certificate = Some(value),
            "password" | "passfile" | "sslpassword" => {
                return Err(format!(
                    "`{key}` does not belong in a parameter, which is kept in the journal: set PGPASSWORD or PGPASSFILE, or leave both out for the operator's Entra token"
                ));
            }
            other => {
                return Err(format!(
                    "there is no keyword `{other}`: host, port, dbname, user, sslmode and sslrootcert are known"
                ));
            }
        }
    }
    if found.host.is_empty() {
        return Err("it names no host: host=NAME dbname=postgres user=ROLE".to_owned());
    }
    if found.host.contains([',', '?', '#', '@', ' ']) || (found.host.contains('/') && !found.host.starts_with('/')) {
        return Err("`host` is one name, one address, or the directory of a socket".to_owned());
    }
    let all = [&found.host, &found.database, &found.user];
    if found.database.is_empty() || all.iter().any(|text| text.contains('\0')) {
        return Err("`dbname` is empty, or a name holds a zero byte".to_owned());
    }
    let local = is_local(&found.host);
    found.encryption = match mode.as_deref() {
        None | Some("prefer" | "allow" | "disable") if local => Encryption::Disable,
        Some("disable" | "allow" | "prefer") => {
            return Err(
                "`sslmode` may leave encryption out on this machine alone; elsewhere it is verify-full, with or without being said"
                    .to_owned(),
            );
        }
        // What is not verified protects from nobody, so each of these is.
        None | Some("require" | "verify-ca" | "verify-full") if !found.host.starts_with('/') => Encryption::VerifyFull,
        _ => {
            return Err("`sslmode` is disable, require, verify-ca or verify-full, and disable for a socket".to_owned());
        }
    };
    Ok(found)
}

/// The pairs of `key = 'value'`, where `\` takes the next letter as it is.
fn of_keywords(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut pairs = Vec::new();
    let mut letters = text.chars().peekable();
    loop {
        while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
        if letters.peek().is_none() {
            return Ok(pairs);
        }
        let mut key = String::new();
        while let Some(letter) = letters.next_if(|letter| !letter.is_whitespace() && *letter != '=') {
            key.push(letter);
        }
        while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
        if letters.next() != Some('=') {
            return Err(
                "it is written as host=NAME port=5432 dbname=NAME user=ROLE, or as postgresql://ROLE@HOST:PORT/NAME"
                    .to_owned(),
            );
        }
        while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
        let quoted = letters.next_if_eq(&'\'').is_some();
        let mut value = String::new();
        let mut closed = !quoted;
        while let Some(letter) = letters.peek().copied() {
            if !quoted && letter.is_whitespace() {
                break;
            }
            letters.next();
            match letter {
                '\'' if quoted => {
                    closed = true;
                    break;
                }
                '\\' => value.extend(letters.next()),
                other => value.push(other),
            }
        }
        if !closed {
            return Err("a quotation is not closed".to_owned());
        }
        pairs.push((key.to_ascii_lowercase(), value));
    }
}

fn of_url(text: &str) -> Result<Vec<(String, String)>, String> {
    let url = Url::parse(text).map_err(|error| format!("it is no URL ({error})"))?;
    let decoded = |text: &str| {
        percent_decode_str(text)
            .decode_utf8()
            .map(std::borrow::Cow::into_owned)
            .map_err(|_| "an escape in it is no text".to_owned())
    };
    let mut pairs = Vec::new();
    if url.password().is_some() {
        pairs.push(("password".to_owned(), String::new()));
    }
    if !url.username().is_empty() {
        pairs.push(("user".to_owned(), decoded(url.username())?));
    }
    if let Some(host) = url.host_str().filter(|host| !host.is_empty()) {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        pairs.push(("host".to_owned(), decoded(host)?));
    }
    if let Some(port) = url.port() {
        pairs.push(("port".to_owned(), port.to_string()));
    }
    let database = url.path().trim_start_matches('/');
    if !database.is_empty() {
        pairs.push(("dbname".to_owned(), decoded(database)?));
    }
    pairs.extend(
        url.query_pairs()
            .map(|(key, value)| (key.to_ascii_lowercase(), value.into_owned())),
    );
    Ok(pairs)
}

impl fmt::Display for Connection {
    /// The keyword form, from which it can be read again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &str| {
            let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.:/~".contains(letter);
            if !text.is_empty() && text.chars().all(plain) {
                text.to_owned()
            } else {
                format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
            }
        };
        write!(
            f,
            "host={} port={} dbname={}",
            quoted(&self.host),
            self.port,
            quoted(&self.database)
        )?;
        if !self.user.is_empty() {
            write!(f, " user={}", quoted(&self.user))?;
        }
        let mode = match self.encryption {
            Encryption::Disable => "disable",
            Encryption::VerifyFull => "verify-full",
        };
        write!(f, " sslmode={mode}")?;
        match &self.root_certificate {
            Some(path) => write!(f, " sslrootcert={}", quoted(path)),
            None => Ok(()),
        }
    }
}

impl From<Connection> for String {
    fn from(connection: Connection) -> Self {
        connection.to_string()
    }
}

impl TryFrom<String> for Connection {
    type Error = ParseError;
    fn try_from(text: String) -> Result<Self, ParseError> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_forms_say_the_same() {
        let keywords = Connection::parse(r"host=db.example.com dbname='my \'db\'' user = ops").unwrap();
        let url = Connection::parse("postgresql://ops@db.example.com:5432/my%20'db'?sslmode=require").unwrap();
        assert_eq!(keywords, url);
        assert_eq!(url.encryption, Encryption::VerifyFull);
        assert_eq!(url.address(), "postgres://db.example.com:5432/my%20%27db%27");
        assert_eq!(Connection::parse("host=::1").unwrap().server(), "postgres://[::1]:5432");
    }

    #[test]
    fn a_password_is_refused_and_not_repeated() {
        for text in [
            "host=h password=hush-hush",
            "postgresql://u:hush-hush@h/d",
            "host=h PASSWORD='hush-hush'",
            "postgres://h/d?password=hush-hush",
            "hush-hush",
            "host=h hush-hush",
        ] {
            let error = Connection::parse(text).unwrap_err().to_string();
            assert!(!error.contains("hush-hush"), "{error}");
        }
    }

    #[test]
    fn only_what_stays_on_this_machine_may_go_unencrypted() {
        for (text, wanted) in [
            ("host=127.0.0.1", Some(Encryption::Disable)),
            ("host=/run/postgresql", Some(Encryption::Disable)),
            ("host=localhost sslmode=verify-full", Some(Encryption::VerifyFull)),
            ("host=db sslmode=require", Some(Encryption::VerifyFull)),
            ("host=db", Some(Encryption::VerifyFull)),
            ("host=db sslmode=disable", None),
            ("host=db sslmode=prefer", None),
            ("host=127.0.0.1.example.com sslmode=disable", None),
            ("host=a,b", None),
            ("port=1", None),
            ("host=h options='-c x'", None),
        ] {
            assert_eq!(
                Connection::parse(text).ok().map(|found| found.encryption),
                wanted,
                "{text}"
            );
        }
    }

    proptest! {
        #![proptest_config(crate::types::tries(64))]

        #[test]
        fn what_is_printed_can_be_read_again(database in "[^\\x00]{1,12}", user in "[^\\x00]{0,12}", port in 1_u16..) {
            let connection = Connection { host: "db".into(), port, database, user, encryption: Encryption::VerifyFull, root_certificate: None };
            prop_assert_eq!(Connection::parse(&connection.to_string()).unwrap(), connection);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
            let _ = Connection::parse(&text);
            let _ = Connection::parse(&format!("postgresql://{text}"));
        }
    }
}
