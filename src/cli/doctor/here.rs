//! What can be told without a cloud: variables, scripts, the place of journals.

use std::fs::{self, OpenOptions};
use std::path::Path;

use super::facts::{Finding, Report, State};
use crate::cli::context::Context;
use crate::cli::state as place_of_state;

/// Variables that decide who Ferry is, whom it trusts and which way it goes.
const VARIABLES: [&str; 25] = [
    "AZURE_CLIENT_ID",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_AUTHORITY_HOST",
    "AZURE_CONFIG_DIR",
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "MSI_ENDPOINT",
    "AZURESUBSCRIPTION_TENANT_ID",
    "AZURESUBSCRIPTION_CLIENT_ID",
    "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
    "SYSTEM_OIDCREQUESTURI",
    "SYSTEM_ACCESSTOKEN",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "FERRY_CLOUD",
    "FERRY_AUTH",
    "FERRY_CA",
    "FERRY_STATE",
    "FERRY_SCRIPTS",
];

/// Ferry itself, and the names of variables that are set.
pub fn environment(report: &mut Report) {
    report.version = env!("CARGO_PKG_VERSION");
    report.platform = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    let set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    report.variables = VARIABLES
        .iter()
        .filter(|name| set(name))
        .map(|name| (*name).to_owned())
        .collect();
}

/// The scripts that a run would use.
pub fn scripts(report: &mut Report, context: &Context<'_>) {
    let found = context.host().and_then(|host| {
        report.scripts.count = host.scripts().len();
        let own = host.foreign()?;
        report.scripts.own = own.into_iter().map(|script| script.path).collect();
        // A script that does not load would end every run of it before it began.
        host.check(None)
    });
    match found {
        Err(error) => report.findings.push(Finding::from(&error)),
        Ok(checked) => {
            for script in checked {
                report.findings.extend(script.error.as_ref().map(Finding::from));
                let lacks = script.problems.iter().map(|problem| {
                    let next = format!("ferry check {}", script.file);
                    Finding::new("script-error", format!("{}: {problem}", script.file), &next)
                });
                report.findings.extend(lacks);
            }
        }
    }
}

/// The place of journals: whether it can be read, and written to.
pub fn state(report: &mut Report, context: &Context<'_>) {
    let store = match context.store() {
        Ok(store) => store,
        Err(error) => return report.findings.push(Finding::from(&error)),
    };
    let given = context.global.state.clone();
    let directory = given.map_or_else(place_of_state::directory, |given| Ok(given.into()));
    let place = directory
        .as_ref()
        .map(|path| path.display().to_string())
        .unwrap_or_default();
    match store.runs() {
        Ok(runs) => {
            report.state = Some(State {
                place: place.clone(),
                runs: Some(runs.len()),
            });
        }
        Err(error) => report.findings.push(Finding::from(&crate::error::Error::from(error))),
    }
    if let Ok(directory) = directory.as_deref().map(Path::to_owned)
        && !place.contains("://")
        && let Err(why) = writable(&directory)
    {
        report.findings.push(Finding::new(
            "state-unwritable",
            format!("{place} cannot be written to: {why}"),
            "choose a directory that can be written: --state DIR, or FERRY_STATE",
        ));
    }
}

/// Writes a file and takes it away again: in the directory, or in the nearest one above it that is there already.
fn writable(directory: &Path) -> std::io::Result<()> {
    let there = directory.ancestors().find(|path| path.exists()).unwrap_or(directory);
    let probe = there.join(format!(".ferry-doctor-{}", std::process::id()));
    OpenOptions::new().write(true).create_new(true).open(&probe)?;
    fs::remove_file(probe)
}

#[cfg(test)]
mod tests {
    use super::writable;

    #[test]
    fn a_directory_that_is_not_there_yet_is_judged_by_the_one_above() {
        let folder = tempfile::tempdir().unwrap();
        assert!(writable(&folder.path().join("a/b")).is_ok());
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(writable(&file.join("state")).is_err());
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 1, "nothing of the doctor's is left");
    }
}
