//! Canaries: values that nobody could take for anything else, planted where secrets stand, and the search for them.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use ferry::store::{SqliteStore, Store as _};
use serde_json::{Value, json};

use crate::support::{Ferry, Ran, demo, estate_file};

/// The value of an app setting, with all that has to be escaped somewhere.
pub const SETTING: &str = "canary\"set\\ting+/=&7A1";
/// The password in an app setting that names the identity, so that the relocation edits it.
pub const IN_SETTING: &str = "canary-in-setting+7A2";
/// The password in a connection string that does too.
pub const IN_CONNECTION: &str = "canary!connection%7A3";
/// A secret of a Container App that names the identity.
pub const APP_SECRET: &str = "canary#app#secret 7A4";
/// An environment variable of a container, which every reader may see.
pub const VARIABLE: &str = "canary?variable=7A5";
/// A password of letters alone.
pub const WORD: &str = "canaryhorsebattery";
/// The operator's own secret.
pub const CLIENT_SECRET: &str = "canary~client~secret~7A6";
/// What Azure gives to nobody who asks for a list, and repeats in an error.
pub const TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJjYW5hcnkiOiI3QTcifQ.Y2FuYXJ5LTdBNw";

const ALL: [&str; 8] = [
    SETTING,
    IN_SETTING,
    IN_CONNECTION,
    APP_SECRET,
    VARIABLE,
    WORD,
    CLIENT_SECRET,
    TOKEN,
];

/// The application that signs in with [`CLIENT_SECRET`].
pub const APP: &str = "0a0a0a0a-0002-4002-8002-00000000a990";

/// A tenant with every canary in its place.
pub fn estate() -> Value {
    let text = std::fs::read_to_string(estate_file("every-kind")).unwrap();
    let mut estate: Value = serde_json::from_str(&text).unwrap();
    let documents = estate["arm"]["resources"].as_array_mut().unwrap();
    let find = |documents: &[Value], end: &str| -> Value {
        let found = documents.iter().find(|d| d["id"].as_str().unwrap().ends_with(end));
        found.unwrap().clone()
    };
    let (site, identity) = (find(documents, "/sites/app-kinds"), find(documents, "/id-kinds"));
    let client = identity["properties"]["clientId"].as_str().unwrap();
    let old = identity["id"].as_str().unwrap();
    let group = old.split("/providers/").next().unwrap();
    let sql = |password: &str| format!("Server=tcp:sql.example;User Id={client};Password={password};Encrypt=True");
    for document in documents.iter_mut() {
        if document["id"].as_str().unwrap().ends_with("/config/appsettings") {
            let properties = document["properties"].as_object_mut().unwrap();
            properties.insert("API_VALUE".into(), json!(SETTING));
            properties.insert("DB_PASSWORD".into(), json!(WORD));
            properties.insert("SQL".into(), json!(sql(IN_SETTING)));
        }
    }
    documents.push(json!({
        "id": format!("{}/config/connectionstrings", site["id"].as_str().unwrap()),
        "name": "connectionstrings", "type": "Microsoft.Web/sites/config",
        "properties": {"Main": {"value": sql(IN_CONNECTION), "type": "SQLAzure"}},
    }));
    let app = format!("{group}/providers/Microsoft.App/containerApps/ca-kinds");
    documents.push(json!({
        "id": app, "name": "ca-kinds", "type": "Microsoft.App/containerApps", "location": "northeurope", "tags": {},
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {old: {
            "principalId": identity["properties"]["principalId"], "clientId": client}}},
        "properties": {
            "provisioningState": "Succeeded",
            "environmentId": format!("{group}/providers/Microsoft.App/managedEnvironments/cae-kinds"),
            "configuration": {"activeRevisionsMode": "Single", "secrets": [
                {"name": "db", "value": sql(APP_SECRET)}, {"name": "plain", "value": "orders"}]},
            "template": {"containers": [{"name": "api", "image": "kinds.azurecr.io/api:v1", "env": [
                {"name": "UPSTREAM", "value": VARIABLE}, {"name": "AZURE_CLIENT_ID", "value": client},
                {"name": "DB", "secretRef": "db"}]}]},
        },
    }));
    estate["graph"]["applications"] = json!([{
        "id": "0a0a0a0a-0005-4005-8005-00000000a991", "appId": APP, "displayName": "ferry-operator",
        "passwordCredentials": [{"keyId": "0a0a0a0a-0006-4006-8006-000000000001", "secretText": CLIENT_SECRET,
            "endDateTime": "2099-01-01T00:00:00Z"}],
    }]);
    let principals = estate["graph"]["servicePrincipals"].as_array_mut().unwrap();
    principals.push(json!({
        "id": "0a0a0a0a-0007-4007-8007-00000000a992", "appId": APP, "displayName": "ferry-operator",
        "servicePrincipalType": "Application",
    }));
    estate
}

/// The parameters of a relocation of this tenant.
pub fn relocation() -> [String; 2] {
    let (identity, to) = demo("every-kind");
    [identity, to]
}

/// Every text that ferry has written, and where.
#[derive(Default)]
pub struct Written {
    texts: Vec<(String, String)>,
}

impl Written {
    /// What a command printed.
    pub fn ran(&mut self, what: &str, ran: &Ran) {
        self.texts.push((format!("stdout of {what}"), ran.out.clone()));
        self.texts.push((format!("stderr of {what}"), ran.err.clone()));
    }

    /// Every file below ferry's state and configuration, and of those that it was asked for, byte by byte; and every entry of every journal, since the pages
    /// of a file may stand anywhere.
    pub fn files(&mut self, ferry: &Ferry) {
        for folder in ["state", "config", "out"] {
            self.folder(&ferry.directory().join(folder));
        }
        let store = SqliteStore::new(ferry.directory().join("state"));
        for run in store.runs().unwrap() {
            for entry in store.read(&run.run).unwrap() {
                let place = format!("entry {} ({}) of run {}", entry.seq, entry.kind, run.run);
                self.texts.push((place, entry.body.to_string()));
            }
            self.texts.push((format!("summary of {}", run.run), format!("{run:?}")));
        }
    }

    fn folder(&mut self, folder: &Path) {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.folder(&path);
            } else {
                let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
                self.texts.push((path.display().to_string(), text));
            }
        }
    }

    /// Fails where a canary sings. What was looked at is looked at once.
    #[track_caller]
    pub fn silent(&mut self) {
        assert!(self.texts.len() > 1, "nothing was looked at");
        let forms: Vec<(&str, String)> = ALL
            .iter()
            .flat_map(|canary| forms(canary).into_iter().map(|form| (*canary, form.to_lowercase())))
            .collect();
        let mut found = Vec::new();
        for (place, text) in self.texts.drain(..) {
            let text = text.to_lowercase();
            for (canary, form) in &forms {
                if let Some(at) = text.find(form.as_str()) {
                    let before = text[..at].chars().count().saturating_sub(120);
                    let near: String = text.chars().skip(before).take(240).collect();
                    found.push(format!("{canary} as {form} in {place}: …{near}…"));
                }
            }
        }
        assert!(found.is_empty(), "{} leaks:\n{}", found.len(), found.join("\n"));
    }
}

/// A secret as something that writes it may write it: as it is, in JSON, in JSON in JSON, in a URL, in base64 at any
/// offset.
fn forms(secret: &str) -> Vec<String> {
    let json = |text: &str| {
        let quoted = Value::from(text).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    };
    let mut forms = vec![
        secret.to_owned(),
        json(secret),
        json(&json(secret)),
        format!("{secret:?}")[1..].to_owned(),
    ];
    forms.push(percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC).to_string());
    forms.push(url::form_urlencoded::byte_serialize(secret.as_bytes()).collect());
    for before in 0..3 {
        let padded = [vec![b'x'; before], secret.as_bytes().to_vec()].concat();
        for text in [STANDARD.encode(&padded), URL_SAFE.encode(&padded)] {
            // The letters at both ends hold bits of what stands beside the secret.
            let text = text.trim_end_matches('=');
            forms.push(text[if before == 0 { 0 } else { 4 }..text.len() - 2].to_owned());
        }
    }
    forms.sort();
    forms.dedup();
    forms
}
