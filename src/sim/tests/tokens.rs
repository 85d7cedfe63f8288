use base64::Engine as _;
use serde_json::json;
use time::OffsetDateTime;

use super::*;

#[tokio::test]
async fn the_metadata_lead_to_everything_on_the_host_that_was_asked() {
    let sim = Sim::new(shop()).await;
    let one = sim.get("//metadata/endpoints?api-version=2022-09-01").await;
    let base = sim.server.url();
    assert_eq!(one.body["resourceManager"], json!(format!("{base}/")));
    assert_eq!(one.body["ferryDataPlaneGateway"], json!(format!("{base}/dataplane")));
    assert!(
        sim.get("/metadata/endpoints?api-version=2020-06-01")
            .await
            .body
            .is_array()
    );
    assert!(sim.get("/metadata/endpoints?api-version=2015-01-01").await.body["graphEndpoint"].is_string());
}

#[tokio::test]
async fn a_token_is_given_in_every_form_and_names_the_operator() {
    let mut estate = shop();
    estate["operator"] = json!(OPERATOR);
    let sim = Sim::new(estate).await;
    let app = sim
        .get("/msi/token?api-version=2019-08-01&resource=https://management.azure.com/")
        .await;
    assert!(app.body["expires_on"].is_string());
    let token = app.body["access_token"].as_str().unwrap();
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(token.split('.').nth(1).unwrap())
        .unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(claims["oid"], OPERATOR);
    assert_eq!(claims["aud"], "https://management.azure.com/");
    let tenant = "11111111-1111-4111-8111-111111111111";
    let client = reqwest::Client::new();
    let form = |url: String, body: &'static str| {
        client
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
    };
    let v2 = form(
        format!("{}/{tenant}/oauth2/v2.0/token", sim.server.url()),
        "grant_type=client_credentials&client_id=c&client_secret=s&scope=https%3A%2F%2Fmanagement.core.windows.net%2F%2F.default",
    );
    let v2: Value = v2.send().await.unwrap().json().await.unwrap();
    assert_eq!(v2["expires_in"], 3599);
    let bad = form(
        format!("{}/{tenant}/oauth2/v2.0/token", sim.server.url()),
        "grant_type=client_credentials&client_id=c&client_secret=s&scope=x",
    );
    assert_eq!(bad.send().await.unwrap().status(), 400);
    let open = sim
        .get(&format!("/{tenant}/v2.0/.well-known/openid-configuration"))
        .await;
    assert_eq!(
        open.body["token_endpoint"],
        json!(format!("{}/{tenant}/oauth2/v2.0/token", sim.server.url()))
    );
}

#[tokio::test]
async fn without_a_good_token_nothing_is_told() {
    let sim = Sim::with(Options {
        estate: shop(),
        strict_auth: true,
        ..Options::default()
    })
    .await;
    let bare = reqwest::get(format!("{}{SUB}?api-version=2022-12-01", sim.server.url()))
        .await
        .unwrap();
    assert_eq!(bare.status(), 401);
    assert!(
        bare.headers()["www-authenticate"]
            .to_str()
            .unwrap()
            .contains("authorization_uri=\"https://login.windows.net/11111111-")
    );
    assert_eq!(
        sim.get("/subscriptions?api-version=2022-12-01").await.code(),
        "InvalidAuthenticationToken"
    );
    let get = async |resource: &str| {
        let token = sim.get(&format!("/msi/token?resource={resource}")).await.body["access_token"]
            .as_str()
            .unwrap()
            .to_owned();
        let url = format!("{}/subscriptions?api-version=2022-12-01", sim.server.url());
        reqwest::Client::new().get(url).bearer_auth(token).send().await.unwrap()
    };
    assert_eq!(get("https://management.azure.com").await.status(), 200);
    let wrong: Value = get("https://vault.azure.net").await.json().await.unwrap();
    assert_eq!(wrong["error"]["code"], "InvalidAuthenticationTokenAudience");
}

#[tokio::test]
async fn data_planes_are_documents() {
    let sim = Sim::new(shop()).await;
    let path = "/dataplane/KV.vault.azure.net/secrets/a?api-version=7.4";
    assert_eq!(sim.get(path).await.body["value"], "x");
    assert_eq!(sim.patch(path, json!({"value": "y"})).await.body["id"], "a");
    assert_eq!(sim.get("/dataplane/kv.vault.azure.net/secrets").await.rows().len(), 1);
    assert_eq!(
        sim.put("/dataplane/kv.vault.azure.net/secrets/b", json!({"value": "z"}))
            .await
            .status,
        201
    );
    assert_eq!(sim.delete(path).await.status, 200);
    assert_eq!(sim.get(path).await.status, 404);
    assert_eq!(
        sim.server.estate()["data"],
        json!({"https://kv.vault.azure.net/secrets/b": {"value": "z"}})
    );
}

/// Asks the token endpoint of the tenant, and gives status and body.
async fn token(sim: &Sim, form: &[(&str, &str)]) -> (u16, Value) {
    let url = format!(
        "{}/11111111-1111-4111-8111-111111111111/oauth2/v2.0/token",
        sim.server.url()
    );
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs([
        ("grant_type", "client_credentials"),
        ("scope", "https://management.azure.com//.default"),
    ]);
    body.extend_pairs(form);
    let sent = reqwest::Client::new()
        .post(url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.finish());
    let answer = sent.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

fn claims_of(body: &Value) -> Value {
    let token = body["access_token"].as_str().unwrap();
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(token.split('.').nth(1).unwrap())
        .unwrap();
    serde_json::from_slice(&payload).unwrap()
}

fn assertion(issuer: &str, subject: &str, audience: &str, life: i64) -> String {
    let part = |value: Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    let ends = OffsetDateTime::now_utc().unix_timestamp() + life;
    let claims = json!({"iss": issuer, "sub": subject, "aud": audience, "exp": ends});
    format!("{}.{}.c2ln", part(json!({"alg": "RS256"})), part(claims))
}

/// A simulator that looks into tokens, of the shop with an identity that trusts a cluster; and its client id.
async fn trusting() -> (Sim, String) {
    let mut estate = shop();
    let documents = estate["arm"]["resources"].as_array_mut().unwrap();
    let identity = documents
        .iter()
        .find(|one| one["type"] == "Microsoft.ManagedIdentity/userAssignedIdentities")
        .unwrap()
        .clone();
    documents.push(json!({
        "id": format!("{}/federatedIdentityCredentials/cluster", identity["id"].as_str().unwrap()),
        "name": "cluster",
        "type": "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
        "properties": {"issuer": "https://oidc/", "subject": "system:x", "audiences": ["api://A"]},
    }));
    let client = identity["properties"]["clientId"].as_str().unwrap().to_owned();
    let options = Options {
        estate,
        strict_auth: true,
        lag: Some(Duration::ZERO),
        ..Options::default()
    };
    (Sim::with(options).await, client)
}

#[tokio::test]
async fn an_assertion_fits_a_federated_credential_exactly_or_not_at_all() {
    let (sim, client) = trusting().await;
    let ask = async |assertion: &str| {
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let form = [
            ("client_id", client.as_str()),
            ("client_assertion_type", kind),
            ("client_assertion", assertion),
        ];
        token(&sim, &form).await
    };
    let (status, given) = ask(&assertion("https://oidc/", "system:x", "api://A", 600)).await;
    assert_eq!(status, 200, "{given}");
    let claims = claims_of(&given);
    assert_eq!((&claims["appid"], &claims["appidacr"]), (&json!(client), &json!("2")));
    assert!(claims["xms_mirid"].as_str().unwrap().contains("/resourcegroups/"));
    for (assertion, code) in [
        (assertion("https://oidc", "system:x", "api://A", 600), 700_211),
        (assertion("https://oidc/", "system:X", "api://A", 600), 700_213),
        (assertion("https://oidc/", "system:x", "api://B", 600), 700_212),
        (assertion("https://oidc/", "system:x", "api://A", -600), 700_024),
        (
            assertion("https://sts.windows.net/t/", "system:x", "api://A", 600),
            700_222,
        ),
        ("no.jwt".to_owned(), 50_027),
    ] {
        let (status, refused) = ask(&assertion).await;
        assert_eq!(
            (status, &refused["error"]),
            (401, &json!("invalid_client")),
            "{refused}"
        );
        assert_eq!(refused["error_codes"], json!([code]), "{refused}");
        let text = refused["error_description"].as_str().unwrap();
        assert!(
            text.starts_with(&format!("AADSTS{code}: ")) && text.contains(" Trace ID: "),
            "{text}"
        );
    }
}

#[tokio::test]
async fn an_application_that_is_gone_gets_no_token() {
    let (sim, client) = trusting().await;
    let form = [("client_id", client.as_str()), ("client_secret", "s")];
    assert_eq!(
        token(&sim, &form).await.1["error_codes"],
        json!([7_000_215]),
        "an identity has no secret"
    );
    let unknown = [
        ("client_id", "c"),
        (
            "client_assertion",
            &assertion("https://oidc/", "system:x", "api://A", 600),
        ),
    ];
    assert_eq!(token(&sim, &unknown).await.1["error_codes"], json!([700_016]));
    let own = sim.get("/msi/token?resource=https://management.azure.com/").await.body["access_token"].clone();
    let documents = sim.server.estate()["arm"]["resources"].as_array().unwrap().clone();
    let identity = documents
        .iter()
        .find(|one| one["properties"]["clientId"] == json!(client))
        .unwrap();
    let url = format!(
        "{}{}?api-version=2024-11-30",
        sim.server.url(),
        identity["id"].as_str().unwrap()
    );
    let deleted = reqwest::Client::new()
        .delete(url)
        .bearer_auth(own.as_str().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(deleted.status(), 200);
    let (status, refused) = token(&sim, &form).await;
    assert_eq!((status, &refused["error_codes"]), (400, &json!([700_016])), "{refused}");
    let managed = sim.get(&format!("/msi/token?resource=r&client_id={client}")).await;
    assert_eq!((managed.status, &managed.body["statusCode"]), (400, &json!(400)));
}

#[tokio::test]
async fn what_the_token_endpoint_does_not_do_it_says() {
    let (sim, _) = trusting().await;
    for (form, status, code) in [
        (vec![("client_id", "c"), ("grant_type", "password")], 400, 70_003),
        (
            vec![
                ("client_id", "c"),
                ("client_secret", "s"),
                ("scope", "https://nowhere.example/.default"),
            ],
            400,
            500_011,
        ),
        (
            vec![
                ("client_id", "c"),
                ("client_secret", "s"),
                ("scope", "https://management.azure.com/x"),
            ],
            400,
            1_002_012,
        ),
        (vec![("client_id", "c")], 401, 7_000_218),
        (vec![], 400, 900_144),
    ] {
        // A parameter that is given twice is the last one.
        let (answered, refused) = token(&sim, &form).await;
        assert_eq!(
            (answered, &refused["error_codes"]),
            (status, &json!([code])),
            "{refused}"
        );
    }
    let path = "/11111111-1111-4111-8111-111111111111/oauth2/v2.0/token";
    assert_eq!(sim.get(path).await.body["error_codes"], json!([900_561]));
    let other = sim
        .get("/22222222-1111-4111-8111-111111111111/v2.0/.well-known/openid-configuration")
        .await;
    assert_eq!((other.status, &other.body["error_codes"]), (400, &json!([90_002])));
}

#[tokio::test]
async fn rights_are_those_of_whoever_the_token_is_for() {
    let mut estate = shop();
    estate["operator"] = json!(OPERATOR);
    let documents = estate["arm"]["resources"].as_array().unwrap();
    let identity = documents
        .iter()
        .find(|one| one["type"] == "Microsoft.ManagedIdentity/userAssignedIdentities")
        .unwrap();
    let client = identity["properties"]["clientId"].as_str().unwrap().to_owned();
    let principal = identity["properties"]["principalId"].clone();
    let options = Options {
        estate,
        strict_auth: true,
        ..Options::default()
    };
    let sim = Sim::with(options).await;
    let given = sim
        .get(&format!(
            "/msi/token?resource=https://management.azure.com/&client_id={client}"
        ))
        .await
        .body;
    assert_eq!(claims_of(&given)["oid"], principal);
    let url = format!(
        "{}{SUB}/resourceGroups/rg-not-mine?api-version=2022-09-01",
        sim.server.url()
    );
    let token = given["access_token"].as_str().unwrap();
    let put = reqwest::Client::new()
        .put(url)
        .bearer_auth(token)
        .json(&json!({"location": "westeurope"}));
    let refused: Value = put.send().await.unwrap().json().await.unwrap();
    assert_eq!(refused["error"]["code"], "AuthorizationFailed");
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.contains(principal.as_str().unwrap()), "{message}");
}

#[tokio::test]
async fn a_pipeline_gets_the_assertion_of_its_connection() {
    let (sim, _) = trusting().await;
    let path = "/contoso/shop/_apis/distributedtask/hubs/build/plans/p/jobs/j/oidctoken?api-version=7.1&serviceConnectionId=c-1";
    let url = format!("{}{path}", sim.server.url());
    let given: Value = reqwest::Client::new()
        .post(&url)
        .bearer_auth("job")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let assertion = json!({"access_token": given["oidcToken"]});
    let claims = claims_of(&assertion);
    assert_eq!(claims["sub"], "sc://contoso/shop/c-1");
    assert_eq!(claims["iss"], "https://vstoken.dev.azure.com/contoso");
    assert_eq!(reqwest::Client::new().post(url).send().await.unwrap().status(), 401);
}
