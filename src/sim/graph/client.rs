//! What the token endpoint asks of the directory: whose an application id is, and how its owner may prove itself.

use serde_json::Value;

use super::directory::{Directory, texts};
use super::schema::Kind;

impl Directory {
    /// The object id of the service principal of an application.
    pub fn principal_of(&self, app: &str) -> Option<String> {
        let mut all = self.entries(Kind::ServicePrincipal);
        all.find(|(_, entry)| entry.text("appId").is_some_and(|own| own.eq_ignore_ascii_case(app)))
            .map(|(key, entry)| entry.text("id").unwrap_or(key).to_owned())
    }

    /// The application of a service principal.
    pub fn app_of(&self, principal: &str) -> Option<String> {
        let entry = self.entry(Kind::ServicePrincipal, principal)?;
        entry.text("appId").map(str::to_owned)
    }

    /// The resource that a principal is the managed identity of.
    pub fn resource_of(&self, principal: &str) -> Option<String> {
        let entry = self.entry(Kind::ServicePrincipal, principal)?;
        let names = texts(entry.get("alternativeNames"));
        names.into_iter().find(|name| name.starts_with('/'))
    }

    /// A member of the application with this application id.
    pub fn of_application(&self, app: &str, member: &str) -> Option<&Value> {
        let mut all = self.entries(Kind::Application);
        all.find(|(_, entry)| entry.text("appId").is_some_and(|own| own.eq_ignore_ascii_case(app)))
            .and_then(|(_, entry)| entry.get(member))
    }

    /// Whether the application id is that of an identity which was deleted.
    pub fn is_gone(&self, app: &str) -> bool {
        self.gone.contains(&app.to_lowercase())
    }
}
