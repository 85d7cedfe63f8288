//! How the service refuses: its envelope, its codes, its words.

use serde_json::{Value as Json, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::moment::print_datetime;
use super::syntax::SyntaxError;

/// An answer that is not 200.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The HTTP status.
    pub status: u16,
    /// The body: `{"error":{…}}`.
    pub body: Json,
}

/// Why a query gives no answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// It does not read as a query.
    Syntax(SyntaxError),
    /// It names a table that the service does not have.
    UnknownTable(String),
    /// It calls a function that the service does not have.
    UnknownFunction(String),
    /// It reads but means nothing: an unknown column, a wrong type, too few arguments.
    Meaning(String),
    /// A member of the request is not as it must be: its code, and the message.
    Request(&'static str, String),
    /// The caller may read nothing of what it names.
    AccessDenied,
}

/// A fault of meaning.
pub fn meaning<T>(message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Meaning(message.into()))
}

impl Fault {
    /// The answer for this fault, at the time `now`.
    pub fn into_failure(self, now: OffsetDateTime) -> Failure {
        let (status, code) = match self {
            Fault::AccessDenied => (403, "AccessDenied"),
            _ => (400, "BadRequest"),
        };
        let message = format!(
            "Please provide below info when asking for support: timestamp = {}, correlationId = {}.",
            print_datetime(now),
            Uuid::new_v4()
        );
        let details = self.details();
        Failure {
            status,
            body: json!({"error": {"code": code, "message": message, "details": details}}),
        }
    }

    fn details(self) -> Vec<Json> {
        let invalid = json!({
            "code": "InvalidQuery",
            "message": "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and fix the error before retrying.",
        });
        match self {
            Fault::Syntax(error) if error.unsupported => vec![
                invalid,
                // The service gives no position here.
                json!({"code": "InvalidQueryLanguage", "message": "InvalidQueryLanguage", "line": -1, "characterPositionInLine": -1, "token": error.token}),
            ],
            Fault::Syntax(error) => {
                let mut detail = json!({
                    "code": "ParserFailure",
                    "message": "ParserFailure",
                    "line": error.line,
                    "characterPositionInLine": error.column,
                    "token": error.token,
                });
                if let Some(expected) = error.expected {
                    detail["expectedToken"] = Json::String(expected);
                }
                vec![invalid, detail]
            }
            Fault::UnknownTable(name) => vec![json!({
                "code": "DisallowedLogicalTableName",
                "message": format!("Table {name} is invalid, unsupported or disallowed."),
            })],
            Fault::UnknownFunction(name) => {
                vec![
                    invalid,
                    json!({"code": "UnknownFunction", "message": format!("Unknown function: '{name}'.")}),
                ]
            }
            Fault::Meaning(message) => vec![invalid, json!({"code": "SemanticError", "message": message})],
            Fault::Request(code, message) => vec![json!({"code": code, "message": message})],
            Fault::AccessDenied => vec![json!({
                "code": "AccessDenied",
                "message": "Access is denied to the requested resource. The user might not have enough permission.",
            })],
        }
    }
}

impl From<SyntaxError> for Fault {
    fn from(error: SyntaxError) -> Self {
        Fault::Syntax(error)
    }
}
