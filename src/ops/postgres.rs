//! `postgres::`, databases of PostgreSQL servers.

use serde_json::{Value, json};

use super::call::Call;
use super::spec::OpModule;
use crate::error::Error;
use crate::postgres::Statement;
use crate::run::change::{Change, Statements};
use crate::types::Connection;

const CHANGE: &[&str] = &["done", "undo", "require", "undo_require", "what", "effect"];

pub(crate) fn module() -> OpModule {
    crate::ops! { postgres,
        "Databases of PostgreSQL servers that the operator names. Queries cannot write; statements are planned, journaled and taken back like any request.";

        /// Tells what a connection says.
        ///
        /// * `connection` (string): `host=… port=… dbname=… user=… sslmode=…`, or a `postgresql://` URL; never with a password
        /// * `database` (string, optional): another database of the same server
        /// * returns (map): `text` (which the other functions take), `host`, `port`, `database`, `user`, `server`
        ///   (`postgres://host:port`), and `address`, which is the server with the database
        /// * errors: `malformed`
        /// * changes: no
        /// * also: database, sql
        ///
        /// ```rhai
        /// let orders = postgres::connection("host=db.example.com user=ops", "orders");
        /// assert_eq(orders.address, "postgres://db.example.com:5432/orders");
        /// assert_eq(postgres::connection(orders.text).database, "orders");
        /// ```
        fn connection(call) {
            let connection = at(call)?;
            Ok(json!({
                "text": connection.to_string(),
                "host": connection.host,
                "port": connection.port,
                "database": connection.database,
                "user": connection.user,
                "server": connection.server(),
                "address": connection.address(),
            }))
        }

        /// Writes a name as SQL takes it, whatever stands in it.
        ///
        /// * `name` (string): the name of a role, a table, …
        /// * returns (string): the name in quotation marks
        /// * errors: `wrong-argument`
        /// * changes: no
        /// * also: identifier, quote
        ///
        /// ```rhai
        /// assert_eq(postgres::name("it's \"mine\""), "\"it's \"\"mine\"\"\"");
        /// ```
        fn name(call) {
            let name = call.text("name")?;
            if name.is_empty() || name.contains('\0') {
                return Err(call.wrong("name", "a text without zero bytes, and not empty"));
            }
            Ok(format!("\"{}\"", name.replace('"', "\"\"")))
        }

        /// Asks a query, in a transaction that can only read.
        ///
        /// Names in it mean the server's own catalogue unless a schema stands before them. In a plan it sees the
        /// database as it is; one that depends on what only Azure can give finds nothing.
        ///
        /// * `connection` (string): which database
        /// * `sql` (string): the query, with `$1`, `$2` in place of values
        /// * `params` (array, optional): the values
        /// * returns (array): the rows, each a map
        /// * errors: `database-unreachable`, `database-sign-in`, `database-refused`, `database-not-allowed`, `host-not-allowed`
        /// * changes: no
        /// * speaks: PostgreSQL 13 and later
        ///
        /// ```rhai,no_run
        /// // no_run: needs a PostgreSQL server
        /// postgres::query("host=127.0.0.1 dbname=postgres", "SELECT rolname FROM pg_roles WHERE rolname = $1", ["ops"]);
        /// ```
        fn query(call) {
            let connection = named(call)?;
            let params = call.optional("params")?.map_or_else(|| Ok(vec![]), |_| call.array("params"))?;
            call.session.query_database(&connection, &Statement { sql: call.text("sql")?, params })
        }

        /// Runs statements in one transaction: all of them take effect, or none.
        ///
        /// Nothing is sent where `done` is true already. Names mean the server's own catalogue unless a schema stands
        /// before them; quote names with `postgres::name`, or let the server do it with `format('%I', …)`.
        ///
        /// * `connection` (string): which database
        /// * `statements` (array): strings, or maps of `sql` and `params`
        /// * `options` (map, optional): `done` (a query that is true once it stands: it tells how an interrupted change
        ///   ended), `undo` (statements that take it back), `require` and `undo_require` (queries that must be true at the
        ///   beginning of the transaction), `what` (a short sentence for the plan), `effect`
        /// * returns (map): `changed`, whether anything was sent
        /// * errors: `database-unreachable`, `database-sign-in`, `database-refused`, `database-not-allowed`, `database-changed`,
        ///   `host-not-allowed`
        /// * changes: yes; undone by the statements of `undo`, where they are given
        /// * speaks: PostgreSQL 13 and later
        ///
        /// ```rhai,no_run
        /// // no_run: needs a PostgreSQL server
        /// postgres::change("host=127.0.0.1 dbname=postgres", ["GRANT \"readers\" TO \"ops\""], #{
        ///     done: "SELECT pg_has_role('ops', 'readers', 'MEMBER')",
        ///     undo: ["REVOKE \"readers\" FROM \"ops\""],
        /// });
        /// ```
        fn change(call) {
            change(call)
        }
    }
}

/// The connection of a call.
fn at(call: &Call<'_>) -> Result<Connection, Error> {
    let connection = Connection::parse(&call.text("connection")?)?;
    let other = call.function() == "postgres::connection";
    Ok(
        match other.then(|| call.optional_text("database")).transpose()?.flatten() {
            Some(name) => connection.to_database(&name),
            None => connection,
        },
    )
}

/// The connection of a call, to a server that the operator named: in a parameter, or by typing it.
fn named(call: &Call<'_>) -> Result<Connection, Error> {
    let connection = at(call)?;
    if !["", "eval", "prompt"].contains(&call.file()) {
        call.session.refuse_unnamed_server(&connection)?;
    }
    Ok(connection)
}

fn change(call: &Call<'_>) -> Result<Value, Error> {
    let connection = named(call)?;
    let options = call.options("options", CHANGE)?;
    let query = |name: &str| -> Result<Option<Statement>, Error> {
        options
            .get(name)
            .filter(|value| !value.is_null())
            .map(|value| {
                statement(value).ok_or_else(|| options.wrong(name, "a query, or a map with `sql` and `params`"))
            })
            .transpose()
    };
    let given = match call.value("statements")? {
        Value::Array(items) => items,
        one => vec![one],
    };
    let wrong = || call.wrong("statements", "an array of strings, or of maps with `sql` and `params`");
    let statements = Statements {
        statements: given
            .iter()
            .map(|one| statement(one).ok_or_else(wrong))
            .collect::<Result<_, _>>()?,
        require: query("require")?,
    };
    if statements.statements.is_empty() {
        return Err(wrong());
    }
    let undo: Vec<Statement> = options
        .array("undo")?
        .iter()
        .map(|one| statement(one).ok_or_else(|| options.wrong("undo", "an array of statements")))
        .collect::<Result<_, _>>()?;
    let undo = Statements {
        statements: undo,
        require: query("undo_require")?,
    };
    let what = options.text("what")?.unwrap_or_else(|| {
        format!(
            "{} statement(s) in {}",
            statements.statements.len(),
            connection.database
        )
    });
    let undo = Some(&undo).filter(|_| options.has("undo"));
    let mut change = Change::sql(
        "postgres::change",
        what,
        (&connection, &statements),
        undo,
        query("done")?,
    );
    if let Some(effect) = options.text("effect")? {
        change.effect = effect;
    }
    call.session.change(change)
}

/// A statement: its text, or a map of `sql` and `params`.
fn statement(value: &Value) -> Option<Statement> {
    serde_json::from_value::<Statement>(value.clone())
        .ok()
        .filter(|statement| !statement.sql.trim().is_empty())
}
