//! Statements as data.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One statement; values go beside it, as `$1`, `$2`, where the server takes them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Statement {
    /// Its text.
    pub sql: String,
    /// Its values.
    pub params: Vec<Value>,
}

/// How a statement is written: its text alone where it has no values.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Whole {
        sql: String,
        #[serde(default)]
        params: Vec<Value>,
    },
}

impl From<Written> for Statement {
    fn from(written: Written) -> Self {
        match written {
            Written::Text(sql) => Self { sql, params: vec![] },
            Written::Whole { sql, params } => Self { sql, params },
        }
    }
}

impl From<Statement> for Written {
    fn from(statement: Statement) -> Self {
        if statement.params.is_empty() {
            Written::Text(statement.sql)
        } else {
            Written::Whole {
                sql: statement.sql,
                params: statement.params,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_statement_without_values_is_its_text() {
        for (given, params) in [(json!("SELECT 1"), 0), (json!({"sql": "SELECT $1", "params": [1]}), 1)] {
            let read: Statement = serde_json::from_value(given.clone()).unwrap();
            assert_eq!(read.params.len(), params);
            assert_eq!(serde_json::to_value(&read).unwrap(), given);
        }
    }
}
