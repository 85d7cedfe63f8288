//! The password of a connection, from where libpq has it: `PGPASSWORD`, or the file that `PGPASSFILE` names.

use std::fmt;

use super::error::Error;
use crate::types::Connection;

/// A password, or a token in its place. It never prints itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Takes a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself, for signing in and for keeping it out of outputs.
    pub fn secret(&self) -> &str {
        &self.0
    }

    /// The one that the environment has for this connection, if it has one.
    ///
    /// # Errors
    /// [`Error::SignIn`] where `PGPASSFILE` names a file that cannot be read.
    pub fn of_environment(
        connection: &Connection,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, Error> {
        if let Some(password) = variable("PGPASSWORD").filter(|password| !password.is_empty()) {
            return Ok(Some(Self(password)));
        }
        let Some(path) = variable("PGPASSFILE").filter(|path| !path.is_empty()) else {
            return Ok(None);
        };
        let text = std::fs::read_to_string(&path).map_err(|error| Error::SignIn {
            database: connection.address(),
            user: connection.user.clone(),
            said: format!("PGPASSFILE names {path}, which could not be read: {error}"),
        })?;
        Ok(text.lines().find_map(|line| of_line(line, connection)))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// The password of a line `host:port:database:user:password`, where it is for this connection.
fn of_line(line: &str, connection: &Connection) -> Option<Password> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields = vec![String::new()];
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => fields.last_mut()?.extend(letters.next()),
            ':' if fields.len() < 5 => fields.push(String::new()),
            other => fields.last_mut()?.push(other),
        }
    }
    let [host, port, database, user, password] = <[String; 5]>::try_from(fields).ok()?;
    let port_here = connection.port.to_string();
    let is = |field: &str, here: &str| field == "*" || field == here;
    let ours = is(&host, &connection.host)
        && is(&port, &port_here)
        && is(&database, &connection.database)
        && is(&user, &connection.user);
    ours.then_some(Password(password))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_counts() {
        let connection = Connection::parse("host=db dbname=a:b user=ops").unwrap();
        for (line, wanted) in [
            (r"db:5432:a\:b:ops:x:y\\z", Some(r"x:y\z")),
            ("*:*:*:*:any", Some("any")),
            ("db:5432:other:ops:no", None),
            ("# db:5432:*:ops:no", None),
            ("db:5432", None),
        ] {
            let found = of_line(line, &connection);
            assert_eq!(found.as_ref().map(Password::secret), wanted, "{line}");
        }
        let password = Password::of_environment(&connection, |name| (name == "PGPASSWORD").then(|| "p".to_owned()));
        assert_eq!(format!("{password:?}"), "Ok(Some(Password(…)))");
    }
}
