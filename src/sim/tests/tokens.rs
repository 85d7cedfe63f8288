use base64::Engine as _;
use serde_json::json;

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
