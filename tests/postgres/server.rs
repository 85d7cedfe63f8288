//! The server that `tests/postgres/run` has started, made anew for each test, and its words.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The role of the old identity, and the name of the new identity.
pub const OLD: &str = "Id \"One\" ünïcode";
pub const NEW: &str = "id-one-westeurope";
/// What everyone but the superuser signs in with.
pub const PASSWORD: &str = "Correct-Horse-7-Battery";

/// What makes the server empty.
const EMPTY: &str = r"
SELECT format('DROP DATABASE %I WITH (FORCE)', datname) FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' \gexec
DROP SCHEMA IF EXISTS pgaadauth CASCADE;
SELECT format('DROP OWNED BY %I CASCADE', rolname) FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> 'postgres' \gexec
SELECT format('DROP ROLE %I', rolname) FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> 'postgres' \gexec
";

pub struct Server {
    bin: PathBuf,
    superuser: String,
    log: PathBuf,
    /// How long the log was when the test began.
    since: usize,
}

impl Server {
    /// The server with the databases of `estate.sql`, and nothing else.
    pub fn anew() -> Self {
        let variable = |name: &str| {
            std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: tests/postgres/run sets it"))
        };
        let mut server = Self {
            bin: variable("FERRY_POSTGRES_BIN").into(),
            superuser: variable("FERRY_POSTGRES"),
            log: variable("FERRY_POSTGRES_LOG").into(),
            since: 0,
        };
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/postgres/estate.sql");
        let empty = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(empty.path(), EMPTY).unwrap();
        server.psql(
            "postgres",
            &["-v", "ON_ERROR_STOP=1", "-f", empty.path().to_str().unwrap()],
        );
        server.psql("postgres", &["-v", "ON_ERROR_STOP=1", "-f", file.to_str().unwrap()]);
        server.since = server.log().len();
        server
    }

    fn psql(&self, database: &str, args: &[&str]) -> String {
        let connection = format!("{} dbname='{}'", self.superuser, database.replace('\'', "\\'"));
        let ran = Command::new(self.bin.join("psql"))
            .args(["-X", "-q", "-A", "-t", "-d", &connection])
            .args(args)
            .output()
            .unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap().trim().to_owned()
    }

    /// The answer to a query, by the superuser.
    pub fn ask(&self, database: &str, sql: &str) -> String {
        self.psql(database, &["-c", sql])
    }

    /// Everything but data and passwords, as statements.
    pub fn dump(&self) -> String {
        let ran = Command::new(self.bin.join("pg_dumpall"))
            .args(["-s", "--no-role-passwords", "-d", &self.superuser])
            .output()
            .unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let text = String::from_utf8(ran.stdout).unwrap();
        // Newer versions put a random word around what they print.
        let lines = text
            .lines()
            .filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"));
        lines.map(in_order).collect::<Vec<_>>().join("\n")
    }

    /// What the server has logged since the test began: every statement.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(&self.log).unwrap();
        String::from_utf8_lossy(&bytes[self.since.min(bytes.len())..]).into_owned()
    }

    /// A connection as a role.
    pub fn connection(&self, user: &str) -> String {
        self.superuser.replace("user=postgres", &format!("user={user}"))
    }

    /// A connection as the operator.
    pub fn operator(&self) -> String {
        self.connection("operator")
    }
}

/// A dump in which the new role stands for the old one.
pub fn renamed(dump: &str) -> String {
    let dump = dump
        .replace(&format!("\"{}\"", OLD.replace('"', "\"\"")), &format!("\"{NEW}\""))
        .replace(OLD, NEW);
    dump.lines().map(in_order).collect::<Vec<_>>().join("\n")
}

/// A line of a dump, with the roles of a policy by their names: the server shows them in the order of its own rows.
fn in_order(line: &str) -> String {
    let policy =
        regex::Regex::new(r#"^(CREATE POLICY .* TO )((?:"(?:[^"]|"")*"|\w+)(?:, (?:"(?:[^"]|"")*"|\w+))*)(.*)$"#)
            .unwrap();
    let Some(parts) = policy.captures(line) else {
        return line.to_owned();
    };
    let role = regex::Regex::new(r#""(?:[^"]|"")*"|\w+"#).unwrap();
    let mut roles: Vec<&str> = role.find_iter(&parts[2]).map(|found| found.as_str()).collect();
    roles.sort_unstable();
    format!("{}{}{}", &parts[1], roles.join(", "), &parts[3])
}

/// The lines of a dump without regard to their order.
pub fn sorted(dump: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = dump.lines().filter(|line| !line.trim().is_empty()).collect();
    lines.sort_unstable();
    lines
}

/// How many transactions with a statement were committed: by the process ids in the log.
pub fn committed(log: &str, statement: &str) -> usize {
    let mut open: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
    let mut count = 0;
    for line in log.lines() {
        let Some(process) = line.split('[').nth(1).and_then(|rest| rest.split(']').next()) else {
            continue;
        };
        let said = line.split("LOG:").nth(1).unwrap_or_default();
        if said.contains(": BEGIN") {
            open.insert(process, 0);
        } else if said.contains(": COMMIT") {
            count += open.remove(process).unwrap_or(0);
        } else if said.contains("execute") && said.contains(statement) {
            *open.entry(process).or_default() += 1;
        }
    }
    count
}
