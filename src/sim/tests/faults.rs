//! What each fault of `/_sim/faults` does, as a client meets it.

use serde_json::json;

use super::*;

async fn fault(sim: &Sim, deed: Value, times: u32) {
    let given = json!([{"match": {"path": "^/subscriptions|^/providers|^/v1.0|^/msi"}, "times": times, "do": deed}]);
    let reply = sim.send("POST", "/_sim/faults", Some(given)).await;
    assert_eq!(reply.status, 200, "{:?}", reply.body);
}

/// The bytes of an answer, or what broke it off.
async fn text(sim: &Sim, path: &str) -> reqwest::Result<(u16, String, String)> {
    let url = format!("{}{path}", sim.server.url());
    let answer = reqwest::Client::new().get(url).bearer_auth("any").send().await?;
    let kind = answer
        .headers()
        .get("content-type")
        .map(|kind| kind.to_str().unwrap().to_owned());
    let status = answer.status().as_u16();
    Ok((status, kind.unwrap_or_default(), answer.text().await?))
}

#[tokio::test]
async fn a_spoilt_answer_keeps_its_status_and_what_was_done_stays_done() {
    let sim = Sim::new(shop()).await;
    let whole = text(&sim, &identity("id-shop")).await.unwrap().2;
    fault(&sim, json!({"answer": "truncated"}), 1).await;
    let begun = text(&sim, &identity("id-shop")).await.unwrap_err();
    assert!(begun.is_body() || begun.is_decode(), "{begun:?}");
    fault(&sim, json!({"answer": "malformed"}), 1).await;
    let (status, kind, half) = text(&sim, &identity("id-shop")).await.unwrap();
    assert_eq!((status, half.len()), (200, whole.len() / 2));
    assert!(kind.contains("json") && serde_json::from_str::<Value>(&half).is_err());
    fault(&sim, json!({"answer": "html"}), 1).await;
    let (status, kind, page) = text(&sim, &identity("id-shop")).await.unwrap();
    assert!(status == 200 && kind.contains("html") && page.contains("<html>"));
    fault(&sim, json!({"answer": "empty"}), 1).await;
    assert_eq!(text(&sim, &identity("id-shop")).await.unwrap().2, "");
    fault(&sim, json!({"answer": "html"}), 1).await;
    assert_eq!(
        sim.put(&identity("id-new"), json!({"location": "eastus"})).await.status,
        201
    );
    assert_eq!(sim.get(&identity("id-new")).await.status, 200);
    fault(&sim, json!({"status": 502, "answer": "html"}), 1).await;
    let (status, kind, _) = text(&sim, &identity("id-shop")).await.unwrap();
    assert!(status == 502 && kind.contains("html"));
}

#[tokio::test]
async fn a_gateway_that_lost_patience_hides_what_took_effect() {
    let sim = Sim::new(shop()).await;
    fault(&sim, json!({"status": 504, "tookEffect": true}), 1).await;
    let reply = sim.put(&identity("id-new"), json!({"location": "eastus"})).await;
    assert_eq!((reply.status, reply.code()), (504, "GatewayTimeout"));
    assert_eq!(sim.get(&identity("id-new")).await.status, 200);
}

#[tokio::test]
async fn a_wait_may_be_told_as_a_date_and_the_clock_may_be_off() {
    let sim = Sim::new(shop()).await;
    fault(&sim, json!({"status": 429, "retryAfterDate": 7, "clockSkew": -7200}), 1).await;
    let reply = sim.get(&identity("id-shop")).await;
    let moment = |name: &str| {
        let text = reply.header(name).unwrap();
        time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc2822).unwrap()
    };
    let wait = moment("retry-after") - moment("date");
    assert!((6..=7).contains(&wait.whole_seconds()), "{wait}");
    assert!(moment("date") < time::OffsetDateTime::now_utc() - time::Duration::hours(1));
    fault(&sim, json!({"clockSkew": -90_000}), 1).await;
    let token = sim.get("/msi/token?api-version=2019-08-01&resource=https://a").await;
    let expires: i64 = token.body["expires_on"].as_str().unwrap().parse().unwrap();
    assert!(expires < time::OffsetDateTime::now_utc().unix_timestamp());
}

#[tokio::test]
async fn a_refused_token_stays_refused_and_another_one_serves() {
    for (trouble, says) in [("expired", "invalid_token"), ("claims", "insufficient_claims")] {
        let sim = Sim::new(shop()).await;
        fault(&sim, json!({"token": trouble}), 1).await;
        for _ in 0..2 {
            let reply = sim.get(&identity("id-shop")).await;
            assert_eq!(reply.status, 401);
            assert!(reply.header("www-authenticate").unwrap().contains(says));
        }
        let url = format!("{}{}", sim.server.url(), identity("id-shop"));
        let other = reqwest::Client::new()
            .get(url)
            .bearer_auth("another")
            .send()
            .await
            .unwrap();
        assert_eq!(other.status(), 200);
    }
}

#[tokio::test]
async fn links_lead_in_a_circle_or_away_as_they_are_told_to() {
    let sim = Sim::new(shop()).await;
    let list = format!("{RG}/{MSI}?api-version=2024-11-30");
    fault(&sim, json!({"links": "repeat"}), 3).await;
    let page = sim.get(&list).await;
    assert_eq!(page.body["nextLink"], json!(format!("{}{list}", sim.server.url())));
    let page = sim.get("/v1.0/groups").await;
    assert_eq!(
        page.body["@odata.nextLink"],
        json!(format!("{}/v1.0/groups", sim.server.url()))
    );
    let query = |options: Value| json!({"query": "resources | project id", "options": options});
    let rows = "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01";
    let page = sim.send("POST", rows, Some(query(json!({})))).await;
    let again = query(json!({"$skipToken": page.body["$skipToken"]}));
    assert_eq!(
        sim.send("POST", rows, Some(again)).await.body["data"],
        page.body["data"]
    );
    fault(&sim, json!({"links": "https://evil.example"}), 2).await;
    let page = sim.get(&list).await;
    assert_eq!(page.body["nextLink"], json!(format!("https://evil.example{list}")));
    let vm = format!("{RG}/providers/Microsoft.Compute/virtualMachines/vm?api-version=2024-03-01");
    let slow = sim.put(&vm, json!({"location": "eastus"})).await;
    assert!(
        slow.header("azure-asyncoperation")
            .unwrap()
            .starts_with("https://evil.example/subscriptions/")
    );
    fault(&sim, json!({"redirect": "https://evil.example"}), 1).await;
    let url = format!("{}{list}", sim.server.url());
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let sent = client.get(url).bearer_auth("any").send().await.unwrap();
    assert_eq!(sent.status(), 307);
    assert_eq!(
        sent.headers()["location"],
        format!("https://evil.example{list}").as_str()
    );
}

#[tokio::test]
async fn an_operation_without_end_ends_when_the_faults_are_cleared() {
    let sim = Sim::new(shop()).await;
    fault(&sim, json!({"endless": true}), 1).await;
    let vm = format!("{RG}/providers/Microsoft.Compute/virtualMachines/vm?api-version=2024-03-01");
    let slow = sim.put(&vm, json!({"location": "eastus"})).await;
    let status = slow.header("azure-asyncoperation").unwrap();
    for _ in 0..3 {
        assert_eq!(sim.get(status).await.body["status"], "InProgress");
        assert_eq!(sim.get(&vm).await.body["properties"]["provisioningState"], "Creating");
    }
    sim.delete("/_sim/faults").await;
    assert_eq!(sim.get(status).await.body["status"], "Succeeded");
    assert_eq!(sim.get(&vm).await.body["properties"]["provisioningState"], "Succeeded");
}

#[tokio::test]
async fn graph_too_answers_from_the_past() {
    let sim = Sim::new(shop()).await;
    let members = "/v1.0/groups/77777777-7777-4777-8777-777777777777/members";
    let stale = json!([{"match": {"method": "GET"}, "times": 1, "do": {"stale": 30}}]);
    sim.send("POST", "/_sim/faults", Some(stale)).await;
    let body =
        json!({"@odata.id": "https://graph.microsoft.com/v1.0/directoryObjects/55555555-5555-4555-8555-555555555555"});
    let added = sim.send("POST", &format!("{members}/$ref"), Some(body)).await;
    assert_eq!(added.status, 204, "{:?}", added.body);
    let before = sim.get(members).await.rows().len();
    assert_eq!(sim.get(members).await.rows().len(), before + 1);
}

#[tokio::test]
async fn a_body_that_drips_arrives_whole() {
    let sim = Sim::new(shop()).await;
    let whole = text(&sim, &identity("id-shop")).await.unwrap().2;
    fault(&sim, json!({"dripMs": 1}), 1).await;
    assert_eq!(text(&sim, &identity("id-shop")).await.unwrap().2, whole);
    let log = sim.server.log();
    let hit: Vec<bool> = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["fault"] == true)
        .collect();
    assert_eq!(hit, [false, true]);
}

#[tokio::test]
async fn a_request_takes_effect_though_its_client_has_gone() {
    let sim = Sim::new(shop()).await;
    fault(&sim, json!({"delayMs": 60}), 1).await;
    let url = format!("{}{}", sim.server.url(), identity("id-late"));
    let impatient = reqwest::Client::builder()
        .timeout(std::time::Duration::from_millis(20))
        .build()
        .unwrap();
    let body = json!({"location": "eastus"});
    let gone = impatient
        .put(url)
        .bearer_auth("any")
        .json(&body)
        .send()
        .await
        .unwrap_err();
    assert!(gone.is_timeout());
    while sim.get(&identity("id-late")).await.status == 404 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let log = sim.server.log();
    let first: Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    assert_eq!((&first["method"], &first["status"]), (&json!("PUT"), &json!(201)));
}
