//! One open connection: a question, or a transaction of statements.

use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::Value;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls};

use super::error::{Error, beginning, said};
use super::password::Password;
use super::statement::Statement;
use super::tls::Tls;
use super::value::Param;
use crate::types::{Connection, Encryption};

/// Who is asked right before statements take effect; what it says instead of yes is why not.
pub type Guard = std::sync::Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// How long a connection may take to be made.
const PATIENCE: Duration = Duration::from_secs(20);

/// How every transaction begins. Names mean the server's own, whatever schemas others have put in the way; a statement that
/// waits for somebody else's lock gives up.
const SETTINGS: &str = "SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL lock_timeout = '60s'; \
    SET LOCAL standard_conforming_strings = on; SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL client_min_messages = error";

/// An open connection.
pub(super) struct Link {
    client: Client,
    connection: Connection,
}

impl Link {
    /// Connects, and signs in.
    pub(super) async fn open(connection: &Connection, password: Option<&Password>) -> Result<Self, Error> {
        let unreachable = |why: String| Error::Unreachable {
            server: connection.server(),
            why,
        };
        let mut config = Config::new();
        config
            .host(&connection.host)
            .port(connection.port)
            .dbname(&connection.database)
            .application_name("ferry")
            .connect_timeout(PATIENCE);
        if !connection.user.is_empty() {
            config.user(&connection.user);
        }
        if let Some(password) = password {
            config.password(password.secret());
        }
        let connecting = async {
            match connection.encryption {
                Encryption::Disable => {
                    config.ssl_mode(tokio_postgres::config::SslMode::Disable);
                    let (client, driver) = config.connect(NoTls).await?;
                    tokio::spawn(driver);
                    Ok(Ok(client))
                }
                Encryption::VerifyFull => {
                    config.ssl_mode(tokio_postgres::config::SslMode::Require);
                    let tls = match Tls::new(connection.root_certificate.as_deref()) {
                        Ok(tls) => tls,
                        Err(why) => return Ok(Err(why)),
                    };
                    let (client, driver) = config.connect(tls).await?;
                    tokio::spawn(driver);
                    Ok(Ok(client))
                }
            }
        };
        let client = match tokio::time::timeout(PATIENCE, connecting).await {
            Err(_) => return Err(unreachable(format!("no answer in {} s", PATIENCE.as_secs()))),
            Ok(Ok(Err(why))) => return Err(unreachable(why)),
            Ok(Ok(Ok(client))) => client,
            Ok::<Result<_, tokio_postgres::Error>, _>(Err(error)) => {
                // A refusal at the door is the server's; what asks for a password that is not there is ours to tell so.
                let wants = said(&error).contains("password missing");
                return Err(if error.as_db_error().is_some() || wants {
                    Error::SignIn {
                        database: connection.address(),
                        user: connection.user.clone(),
                        said: if wants {
                            "it asks for a password, and there is none".to_owned()
                        } else {
                            said(&error)
                        },
                    }
                } else {
                    unreachable(said(&error))
                });
            }
        };
        Ok(Self {
            client,
            connection: connection.clone(),
        })
    }

    /// Whether it can be used again.
    pub(super) fn is_open(&self) -> bool {
        !self.client.is_closed()
    }

    /// The rows that a query gives, each as a map. The transaction can only read, and is rolled back: nothing that the
    /// query sets outlives it.
    pub(super) async fn query(&self, statement: &Statement) -> Result<Vec<Value>, Error> {
        let failed = |error: tokio_postgres::Error| self.error(error, &statement.sql, false);
        self.client
            .batch_execute(&format!("BEGIN READ ONLY; {SETTINGS}"))
            .await
            .map_err(failed)?;
        let rows = self.rows(statement).await;
        if self.is_open() {
            self.client.batch_execute("ROLLBACK").await.map_err(failed)?;
        }
        rows
    }

    /// Runs statements in one transaction: all of them take effect, or none. `require` must hold at its beginning.
    pub(super) async fn change(
        &self,
        statements: &[Statement],
        require: Option<&Statement>,
        guard: &Guard,
    ) -> Result<(), Error> {
        let begin = format!("BEGIN; {SETTINGS}");
        self.client
            .batch_execute(&begin)
            .await
            .map_err(|error| self.error(error, "BEGIN", false))?;
        let outcome = self.run(statements, require, guard).await;
        if outcome.is_err() && self.is_open() {
            // The server has ended what failed; this only leaves the transaction.
            let _ = self.client.batch_execute("ROLLBACK").await;
        }
        outcome
    }

    async fn run(&self, statements: &[Statement], require: Option<&Statement>, guard: &Guard) -> Result<(), Error> {
        if let Some(require) = require
            && !is_true(&self.rows(require).await?)
        {
            return Err(Error::Changed {
                database: self.connection.address(),
                why: format!("this does not hold: {}", beginning(&require.sql)),
            });
        }
        for statement in statements {
            let params: Vec<Param> = statement.params.iter().cloned().map(Param).collect();
            let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|param| param as _).collect();
            self.client
                .execute(statement.sql.as_str(), &params)
                .await
                .map_err(|error| self.error(error, &statement.sql, false))?;
        }
        guard().await.map_err(|why| Error::Withheld {
            database: self.connection.address(),
            why,
        })?;
        // From here on it may have taken effect, whatever happens to the answer.
        self.client
            .batch_execute("COMMIT")
            .await
            .map_err(|error| self.error(error, "COMMIT", true))
    }

    async fn rows(&self, statement: &Statement) -> Result<Vec<Value>, Error> {
        let failed = |error: tokio_postgres::Error| self.error(error, &statement.sql, false);
        // As a part of another query it can be nothing but a query; and the server makes JSON of any type.
        let inner = statement.sql.trim().trim_end_matches(';');
        let sql = format!("SELECT pg_catalog.to_jsonb(ferry) FROM (\n{inner}\n) AS ferry");
        let params: Vec<Param> = statement.params.iter().cloned().map(Param).collect();
        let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|param| param as _).collect();
        let rows = self.client.query(sql.as_str(), &params).await.map_err(failed)?;
        rows.iter()
            .map(|row| row.try_get::<_, Value>(0).map_err(failed))
            .collect()
    }

    fn error(&self, error: tokio_postgres::Error, sql: &str, ending: bool) -> Error {
        let database = self.connection.address();
        match error.as_db_error() {
            // The server says goodbye to a connection with a word of this class or with FATAL; a COMMIT under way may have been
            // carried out by then.
            Some(from) if from.severity() != "FATAL" && from.severity() != "PANIC" => Error::Refused {
                database,
                statement: beginning(sql),
                said: said(&error),
                state: from.code().code().to_owned(),
            },
            _ => Error::Broken {
                database,
                why: said(&error),
                unclear: ending,
            },
        }
    }
}

/// Whether the first column of the first row is true.
pub(super) fn is_true(rows: &[Value]) -> bool {
    rows.first()
        .and_then(Value::as_object)
        .and_then(|row| row.values().next())
        .is_some_and(|value| value == &Value::Bool(true))
}
