//! Each way to sign in carries a whole relocation over TLS, and ends as the plain one does.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::{Ferry, Ran, Simulator, demo, estate_file, relocation};

/// The identity that the cluster and the pipeline sign in as, and the application with a secret and a certificate.
const CLIENT: &str = "0a0a0a0a-0001-4001-8001-00000000c11e";
const APP: &str = "0a0a0a0a-0002-4002-8002-00000000a990";
const CONNECTION: &str = "0a0a0a0a-0003-4003-8003-00000000c044";
const ISSUER: &str = "https://oidc.cluster.example/";
const SUBJECT: &str = "system:serviceaccount:ops:ferry";
const AUDIENCE: &str = "api://AzureADTokenExchange";

/// The smallest estate, with somebody in it who signs in.
fn estate() -> Value {
    let text = std::fs::read_to_string(estate_file("one-vm")).unwrap();
    let mut estate: Value = serde_json::from_str(&text).unwrap();
    let (identity, _) = demo("one-vm");
    let group = identity
        .trim_start_matches("identity=")
        .split("/providers/")
        .next()
        .unwrap()
        .to_owned();
    let operator = format!("{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-operator");
    let credential = |name: &str, issuer: &str, subject: &str| {
        json!({
            "id": format!("{operator}/federatedIdentityCredentials/{name}"),
            "name": name,
            "type": "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
            "properties": {"issuer": issuer, "subject": subject, "audiences": [AUDIENCE]},
        })
    };
    let documents = estate["arm"]["resources"].as_array_mut().unwrap();
    documents.extend([
        json!({
            "id": operator, "name": "id-operator", "type": "Microsoft.ManagedIdentity/userAssignedIdentities",
            "location": "eastus", "tags": {},
            "properties": {"tenantId": "t", "principalId": "0a0a0a0a-0004-4004-8004-0000000000f0", "clientId": CLIENT},
        }),
        credential("cluster", ISSUER, SUBJECT),
        credential(
            "pipeline",
            "https://vstoken.dev.azure.com/contoso",
            &format!("sc://contoso/shop/{CONNECTION}"),
        ),
    ]);
    estate["graph"]["applications"] = json!([{
        "id": "0a0a0a0a-0005-4005-8005-00000000a991", "appId": APP, "displayName": "ferry-operator",
        "passwordCredentials": [
            {"keyId": "0a0a0a0a-0006-4006-8006-000000000001", "hint": "new", "endDateTime": "2099-01-01T00:00:00Z"},
            {"keyId": "0a0a0a0a-0006-4006-8006-000000000002", "hint": "old", "endDateTime": "2020-01-01T00:00:00Z"},
        ],
    }]);
    estate["graph"]["servicePrincipals"] = json!([{
        "id": "0a0a0a0a-0007-4007-8007-00000000a992", "appId": APP, "displayName": "ferry-operator",
        "servicePrincipalType": "Application",
    }]);
    estate
}

/// A simulator over TLS that looks into tokens, and somebody's directory.
struct Stage {
    ferry: Ferry,
    simulator: Simulator,
    tenant: String,
}

impl Stage {
    fn new(options: &[&str]) -> Self {
        let ferry = Ferry::new();
        let estate = estate();
        let file = ferry.directory().join("estate.json");
        std::fs::write(&file, estate.to_string()).unwrap();
        let mut all = vec!["--auth", "strict", "--lag", "0.1"];
        all.extend(options);
        let simulator = Simulator::tls(&file, &ferry.directory().join("tls"), &all);
        let tenant = estate["tenantId"].as_str().unwrap().to_owned();
        Self {
            ferry,
            simulator,
            tenant,
        }
    }

    /// A relocation by this method, with these variables.
    fn relocate(&self, method: &str, variables: &[(&str, &str)]) -> Ran {
        let (identity, to) = demo("one-vm");
        self.ask(
            &["run", "relocate", &identity, &to, "name=id-moved", "--yes"],
            method,
            variables,
        )
    }

    /// A question by this method, with these variables.
    fn list(&self, method: &str, variables: &[(&str, &str)]) -> Ran {
        self.ask(&["eval", "identity::list()"], method, variables)
    }

    fn ask(&self, words: &[&str], method: &str, variables: &[(&str, &str)]) -> Ran {
        let ca = self.simulator.ca.as_ref().unwrap().to_str().unwrap();
        let cloud = ["--cloud", &self.simulator.url, "--ca", ca, "--auth", method];
        self.ferry.run_with(&[words, cloud.as_slice()].concat(), variables)
    }

    /// The statuses of the requests below a path.
    fn asked(&self, path: &str) -> Vec<u64> {
        let log = self.simulator.read("/_sim/log");
        let rows = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        rows.filter(|row| row["path"].as_str().unwrap().starts_with(path))
            .map(|row| row["status"].as_u64().unwrap())
            .collect()
    }

    fn token_path(&self) -> String {
        format!("/{}/oauth2/v2.0/token", self.tenant)
    }

    /// What is left of the tenant, with the ids of the new identity by name, since Azure chooses them.
    fn end(&self) -> String {
        end(&self.simulator)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.ferry.directory().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

fn end(simulator: &Simulator) -> String {
    let after: Value = serde_json::from_str(&simulator.read("/_sim/estate")).unwrap();
    let documents = after["arm"]["resources"].as_array().unwrap();
    let new = documents
        .iter()
        .find(|one| one["name"] == "id-moved")
        .expect("the new identity");
    let mut lines: Vec<String> = documents
        .iter()
        .map(|document| {
            let mut document = document.clone();
            if document["type"] == "Microsoft.Authorization/roleAssignments" {
                // Its name is made of the principal's id, its times are of this run.
                let properties = document["properties"].as_object_mut().unwrap();
                properties.retain(|name, _| ["principalId", "scope", "roleDefinitionId"].contains(&name.as_str()));
                document = document["properties"].clone();
            }
            document.to_string()
        })
        .collect();
    lines.sort();
    let text = lines.join("\n").to_lowercase();
    ["principalId", "clientId"].iter().fold(text, |text, name| {
        text.replace(new["properties"][name].as_str().unwrap(), &format!("the new {name}"))
    })
}

fn plain_end() -> String {
    let ferry = Ferry::new();
    let file = ferry.directory().join("estate.json");
    std::fs::write(&file, estate().to_string()).unwrap();
    let simulator = Simulator::with(&file, &["--lag", "0.1"]);
    let (identity, to) = demo("one-vm");
    let args = relocation(&identity, &to, &simulator.url, &["--yes"]);
    ferry.run(&args).code(0);
    end(&simulator)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A service account's token, as a cluster projects it into a pod.
fn assertion(subject: &str, ends: u64) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(json!({"alg": "RS256", "kid": "1"}));
    let claims = part(json!({"iss": ISSUER, "sub": subject, "aud": [AUDIENCE], "iat": ends - 3600, "exp": ends}));
    format!("{header}.{claims}.c2lnbmF0dXJl")
}

#[test]
fn a_managed_identity_of_an_app_carries_a_relocation() {
    let stage = Stage::new(&[]);
    let endpoint = format!("{}/msi/token", stage.simulator.url);
    let variables = [
        ("IDENTITY_ENDPOINT", endpoint.as_str()),
        ("IDENTITY_HEADER", "a-secret-of-the-app"),
    ];
    stage.relocate("managed-identity", &variables).code(0);
    assert!(!stage.asked("/msi/token").is_empty());
    assert_eq!(stage.end(), plain_end());
}

#[test]
fn a_managed_identity_that_the_app_does_not_have_is_told() {
    let stage = Stage::new(&[]);
    let endpoint = format!("{}/msi/token", stage.simulator.url);
    let variables = [
        ("IDENTITY_ENDPOINT", endpoint.as_str()),
        ("IDENTITY_HEADER", "a-secret-of-the-app"),
        ("AZURE_CLIENT_ID", "0a0a0a0a-ffff-4fff-8fff-ffffffffffff"),
    ];
    let ran = stage.list("managed-identity", &variables).code(1);
    assert!(
        ran.err.contains("no-credential") && ran.err.contains("has not been assigned"),
        "{}",
        ran.err
    );
    assert!(stage.simulator.writes().is_empty());
}

#[test]
fn a_workload_of_a_cluster_carries_a_relocation() {
    let stage = Stage::new(&[]);
    let file = stage.file("token", &assertion(SUBJECT, now() + 3600));
    let variables = [
        ("AZURE_TENANT_ID", stage.tenant.as_str()),
        ("AZURE_CLIENT_ID", CLIENT),
        ("AZURE_FEDERATED_TOKEN_FILE", file.to_str().unwrap()),
    ];
    stage.relocate("workload", &variables).code(0);
    assert!(stage.asked(&stage.token_path()).iter().all(|status| *status == 200));
    assert_eq!(stage.end(), plain_end());
}

#[test]
fn a_workload_that_no_credential_names_is_refused_with_the_reason() {
    let stage = Stage::new(&[]);
    for (subject, ends, code, way_out) in [
        (
            "system:serviceaccount:ops:other",
            now() + 3600,
            "AADSTS700213",
            "federated credential",
        ),
        (SUBJECT, now() - 3600, "AADSTS700024", "clock"),
    ] {
        let file = stage.file("token", &assertion(subject, ends));
        let variables = [
            ("AZURE_TENANT_ID", stage.tenant.as_str()),
            ("AZURE_CLIENT_ID", CLIENT),
            ("AZURE_FEDERATED_TOKEN_FILE", file.to_str().unwrap()),
        ];
        let ran = stage.list("workload", &variables).code(1);
        assert!(
            ran.err.contains("credential-refused") && ran.err.contains(code),
            "{}",
            ran.err
        );
        assert!(ran.err.contains(way_out), "{}", ran.err);
        assert!(!ran.err.contains("c2lnbmF0dXJl"), "the assertion is a secret");
    }
    assert!(stage.simulator.writes().is_empty());
}

#[test]
fn a_service_principal_with_a_secret_carries_a_relocation() {
    let stage = Stage::new(&[]);
    let of = |secret: &'static str| {
        [
            ("AZURE_TENANT_ID".to_owned(), stage.tenant.clone()),
            ("AZURE_CLIENT_ID".to_owned(), APP.to_owned()),
            ("AZURE_CLIENT_SECRET".to_owned(), secret.to_owned()),
        ]
    };
    for (secret, code) in [("forged~secret", "AADSTS7000215"), ("old~secret", "AADSTS7000222")] {
        let variables = of(secret);
        let variables: Vec<(&str, &str)> = variables.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let ran = stage.list("environment", &variables).code(1);
        assert!(
            ran.err.contains(code) && ran.err.contains("AZURE_CLIENT_SECRET"),
            "{}",
            ran.err
        );
        assert!(!ran.err.contains(secret), "{}", ran.err);
    }
    let variables = of("new~secret");
    let variables: Vec<(&str, &str)> = variables.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    stage.relocate("environment", &variables).code(0);
    assert_eq!(stage.end(), plain_end());
}

#[test]
fn a_service_principal_with_a_certificate_carries_a_relocation() {
    let stage = Stage::new(&[]);
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["ferry".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let pem = stage.file("sp.pem", &format!("{}{}", key.serialize_pem(), certificate.pem()));
    let variables = [
        ("AZURE_TENANT_ID", stage.tenant.as_str()),
        ("AZURE_CLIENT_ID", APP),
        ("AZURE_CLIENT_CERTIFICATE_PATH", pem.to_str().unwrap()),
    ];
    stage.relocate("environment", &variables).code(0);
    assert_eq!(stage.end(), plain_end());
}

#[test]
fn a_service_connection_of_a_pipeline_carries_a_relocation() {
    let stage = Stage::new(&[]);
    let uri = format!(
        "{}/contoso/shop/_apis/distributedtask/hubs/build/plans/1/jobs/2/oidctoken",
        stage.simulator.url
    );
    let variables = [
        ("SYSTEM_OIDCREQUESTURI", uri.as_str()),
        ("SYSTEM_ACCESSTOKEN", "the-token-of-the-job"),
        ("AZURESUBSCRIPTION_TENANT_ID", stage.tenant.as_str()),
        ("AZURESUBSCRIPTION_CLIENT_ID", CLIENT),
        ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", CONNECTION),
    ];
    stage.relocate("pipelines", &variables).code(0);
    assert!(!stage.asked("/contoso/shop/_apis/").is_empty());
    assert_eq!(stage.end(), plain_end());
}

/// An `az` that prints what the real one prints (`tests/conformance` tries that one), from files of the test's.
#[cfg(unix)]
fn fake_az(stage: &Stage) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = stage.ferry.directory().join("bin");
    std::fs::create_dir(&folder).unwrap();
    for (name, scope) in [
        ("arm", "https://management.azure.com/"),
        ("graph", stage.simulator.url.as_str()),
    ] {
        let given = stage
            .simulator
            .read(&format!("/msi/token?api-version=2019-08-01&resource={scope}"));
        let given: Value = serde_json::from_str(&given).unwrap();
        let ends: i64 = given["expires_on"].as_str().unwrap().parse().unwrap();
        let printed = json!({
            "accessToken": given["access_token"],
            "expiresOn": "2099-01-01 00:00:00.000000",
            "expires_on": ends,
            "subscription": "a11c0002-0002-4002-8002-a11c00000002",
            "tenant": stage.tenant,
            "tokenType": "Bearer",
        });
        std::fs::write(folder.join(format!("{name}.json")), format!("{printed:#}")).unwrap();
    }
    let script = format!(
        r#"#!/bin/sh
case "$*" in
  "account get-access-token -o json --scope https://management.azure.com//.default") cat '{0}/arm.json' ;;
  "account get-access-token -o json --scope https://localhost:"*"/.default") cat '{0}/graph.json' ;;
  *) echo "ERROR: unrecognized arguments: $*" >&2; exit 2 ;;
esac
"#,
        folder.display()
    );
    let az = folder.join("az");
    std::fs::write(&az, script).unwrap();
    std::fs::set_permissions(&az, std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

#[cfg(unix)]
fn path_with(folder: &Path) -> String {
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

#[cfg(unix)]
#[test]
fn the_account_of_the_azure_cli_carries_a_relocation() {
    let stage = Stage::new(&[]);
    let path = path_with(&fake_az(&stage));
    stage.relocate("cli", &[("PATH", &path)]).code(0);
    assert_eq!(stage.end(), plain_end());
}

#[cfg(unix)]
#[test]
fn what_the_azure_cli_says_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::new(&[]);
    let folder = stage.ferry.directory().join("bin");
    std::fs::create_dir(&folder).unwrap();
    let az = folder.join("az");
    std::fs::write(
        &az,
        "#!/bin/sh\necho \"ERROR: Please run 'az login' to setup account.\" >&2\nexit 1\n",
    )
    .unwrap();
    std::fs::set_permissions(&az, std::fs::Permissions::from_mode(0o755)).unwrap();
    let ran = stage.list("cli", &[("PATH", &path_with(&folder))]).code(1);
    assert!(
        ran.err.contains("no-credential") && ran.err.contains("Please run 'az login'"),
        "{}",
        ran.err
    );
}

#[test]
fn tokens_that_end_on_the_way_are_replaced() {
    // However quick the machine is, the relocation outlasts several tokens; however slow, each lives long enough to be used.
    let stage = Stage::new(&["--token-life", "8", "--latency", "250"]);
    let variables = [
        ("AZURE_TENANT_ID", stage.tenant.as_str()),
        ("AZURE_CLIENT_ID", APP),
        ("AZURE_CLIENT_SECRET", "new~secret"),
    ];
    stage.relocate("environment", &variables).code(0);
    assert!(
        stage.asked(&stage.token_path()).len() > 4,
        "{:?}",
        stage.asked(&stage.token_path())
    );
    assert_eq!(stage.end(), plain_end());
}

#[test]
fn a_credential_that_insists_on_https_says_so_for_plain_http() {
    let simulator = Simulator::start("one-vm");
    let variables = [
        ("AZURE_TENANT_ID", "t"),
        ("AZURE_CLIENT_ID", "c"),
        ("AZURE_CLIENT_SECRET", "s"),
    ];
    let args = [
        "eval",
        "--cloud",
        &simulator.url,
        "--auth",
        "environment",
        "identity::list()",
    ];
    let ran = Ferry::new().run_with(&args, &variables).code(1);
    assert!(ran.err.contains("ferry sim --tls"), "{}", ran.err);
}

#[cfg(target_os = "linux")]
#[test]
fn the_authority_may_come_from_the_variable_that_other_tools_read() {
    let stage = Stage::new(&[]);
    let ca = stage.simulator.ca.as_ref().unwrap().to_str().unwrap();
    let args = ["eval", "identity::list().len()", "--cloud", &stage.simulator.url];
    stage.ferry.run_with(&args, &[]).code(1);
    let trusted = stage.ferry.run_with(&args, &[("SSL_CERT_FILE", ca)]).code(0);
    assert_eq!(trusted.out.trim(), "2");
}
