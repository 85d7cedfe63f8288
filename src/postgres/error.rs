//! What goes wrong between here and a PostgreSQL server, with the server's own words.

/// Why a server was not asked, or what it said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nobody answers there, or the way there is not safe.
    #[error("{server} could not be reached: {why}")]
    Unreachable {
        /// The server.
        server: String,
        /// Why.
        why: String,
    },
    /// The server knows the caller not, or not like this.
    #[error("{database} did not let {user} in: {said}")]
    SignIn {
        /// The database.
        database: String,
        /// Who.
        user: String,
        /// What the server said, with its SQLSTATE.
        said: String,
    },
    /// The server refused a statement.
    #[error("{database} refused \"{statement}\": {said}")]
    Refused {
        /// The database.
        database: String,
        /// The beginning of the statement.
        statement: String,
        /// What the server said, with its SQLSTATE.
        said: String,
        /// The SQLSTATE alone.
        state: String,
    },
    /// The connection broke. Of statements it says whether their end is known.
    #[error("the connection to {database} broke: {why}")]
    Broken {
        /// The database.
        database: String,
        /// Why.
        why: String,
        /// Whether a transaction may have ended well all the same.
        unclear: bool,
    },
    /// What had to hold did not, so nothing was done.
    #[error("{database} is not as it was: {why}")]
    Changed {
        /// The database.
        database: String,
        /// What had to hold.
        why: String,
    },
    /// The guard forbade it.
    #[error("nothing was written to {database}: {why}")]
    Withheld {
        /// The database.
        database: String,
        /// Why.
        why: String,
    },
}

impl Error {
    /// Whether what failed may have taken effect.
    pub fn may_have_happened(&self) -> bool {
        matches!(self, Error::Broken { unclear: true, .. })
    }

    /// Where it happened, as outputs show it.
    pub fn place(&self) -> &str {
        match self {
            Error::Unreachable { server, .. } => server,
            Error::SignIn { database, .. }
            | Error::Refused { database, .. }
            | Error::Broken { database, .. }
            | Error::Changed { database, .. }
            | Error::Withheld { database, .. } => database,
        }
    }

    /// The server's SQLSTATE, where it refused a statement.
    pub fn state(&self) -> Option<&str> {
        match self {
            Error::Refused { state, .. } => Some(state),
            _ => None,
        }
    }
}

/// The server's own words, or those of the way there.
pub(super) fn said(error: &tokio_postgres::Error) -> String {
    use std::error::Error as _;
    let Some(from) = error.as_db_error() else {
        return error.source().map_or_else(|| error.to_string(), ToString::to_string);
    };
    let mut said = from.message().to_owned();
    for more in [from.detail(), from.hint()].into_iter().flatten() {
        // Details name what depends on a role, a line for each; the first ones tell enough.
        let lines: Vec<&str> = more.lines().take(6).collect();
        said = format!("{said}; {}", lines.join(", "));
    }
    format!("{said} (SQLSTATE {})", from.code().code())
}

/// The beginning of a statement, for a message.
pub(super) fn beginning(sql: &str) -> String {
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut letters = line.chars();
    let short: String = letters.by_ref().take(120).collect();
    if letters.next().is_some() {
        format!("{short}…")
    } else {
        short
    }
}
