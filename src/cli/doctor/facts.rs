//! What the doctor found, as plain data: the JSON form is this, the text is made of it. No secret has a place in it.

use serde::Serialize;

use crate::error::Error;

/// Everything that the doctor found.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Whether nothing is wrong.
    pub ok: bool,
    /// Ferry's version.
    pub version: &'static str,
    /// Operating system and processor.
    pub platform: String,
    /// Names of the variables that are set and matter; never their values.
    pub variables: Vec<String>,
    /// The cloud that was asked.
    pub cloud: Option<Cloud>,
    /// The credential that answered.
    pub credential: Option<Credential>,
    /// Who it is.
    pub who: Option<Who>,
    /// Role assignments that are in effect for it.
    pub roles: Vec<Assignment>,
    /// What it may do in each subscription that it sees.
    pub subscriptions: Vec<Subscription>,
    /// Subscriptions that were not looked into, since there are many.
    pub subscriptions_left_out: usize,
    /// Directory roles, by name.
    pub directory_roles: Vec<String>,
    /// App roles, as `Microsoft Graph: Group.Read.All`.
    pub app_roles: Vec<String>,
    /// What answers, and how fast.
    pub reach: Vec<Reach>,
    /// How far this machine's clock is ahead of the cloud's, in seconds.
    pub clock_ahead_seconds: Option<f64>,
    /// Where journals are kept.
    pub state: Option<State>,
    /// The scripts that are found.
    pub scripts: Scripts,
    /// What could not be learnt, and is no fault.
    pub notes: Vec<String>,
    /// What is wrong, and how to mend it.
    pub findings: Vec<Finding>,
}

/// A cloud.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cloud {
    /// Its name.
    pub name: String,
    /// Azure Resource Manager.
    pub resource_manager: String,
    /// Microsoft Graph.
    pub graph: String,
    /// The token endpoint.
    pub login: String,
}

/// A credential.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Credential {
    /// The `--auth` that was asked for.
    pub method: String,
    /// The one that gave the token.
    pub answered: String,
    /// When the token ends: RFC 3339.
    pub expires: Option<String>,
}

/// A principal.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Who {
    /// Its object id.
    pub object_id: String,
    /// The id of its application, or of the one that a person signed in with.
    pub app_id: Option<String>,
    /// Its name: of the directory, else of the token.
    pub name: Option<String>,
    /// `User`, `ServicePrincipal`, `ManagedIdentity`.
    pub kind: Option<String>,
    /// The identity that it is, where it is a managed one.
    pub identity: Option<String>,
    /// The tenant's id.
    pub tenant: String,
    /// The tenant's name, where it can be read.
    pub tenant_name: Option<String>,
}

/// A role assignment in effect.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Assignment {
    /// The role's name, else its id.
    pub role: String,
    /// Where it is given.
    pub scope: String,
    /// Whether it is held through a group.
    pub through_group: bool,
    /// Whether a condition narrows it.
    pub conditional: bool,
}

/// A subscription that the principal sees.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Actions of a relocation that are not allowed at it as a whole.
    pub lacks: Vec<String>,
}

/// Something that was asked.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reach {
    /// What.
    pub what: &'static str,
    /// Where.
    pub url: String,
    /// Whether it answered well.
    pub ok: bool,
    /// How long that took.
    pub millis: u64,
    /// What it gave, or why it did not.
    pub said: String,
}

/// Where journals are kept.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// The place.
    pub place: String,
    /// How many runs it has, where it can be read.
    pub runs: Option<usize>,
}

/// The scripts that are found.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Scripts {
    /// Runbooks, permission sources, binding finders and the rest.
    pub count: usize,
    /// Files of those that are not shipped.
    pub own: Vec<String>,
}

/// Something wrong.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// A code; `ferry doc CODE` explains it.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub next: Vec<String>,
}

impl Finding {
    /// A finding with one way out.
    pub fn new(code: &str, message: impl Into<String>, next: &str) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            next: vec![next.to_owned()],
        }
    }
}

impl From<&Error> for Finding {
    fn from(error: &Error) -> Self {
        Self {
            code: error.code.clone(),
            message: error.message.clone(),
            next: error.next.clone(),
        }
    }
}

impl From<crate::azure::Error> for Finding {
    fn from(error: crate::azure::Error) -> Self {
        Self::from(&Error::from(error))
    }
}
