use std::time::Duration;

use serde_json::json;

use super::*;

async fn fault(sim: &Sim, fault: Value) {
    let reply = sim.send("POST", "/_sim/faults", Some(json!([fault]))).await;
    assert_eq!(reply.status, 200, "{:?}", reply.body);
}

#[tokio::test]
async fn a_fault_answers_with_its_status_as_often_as_it_says() {
    let sim = Sim::new(shop()).await;
    fault(
        &sim,
        json!({"match": {"method": "PUT", "path": "userassigned"}, "times": 1, "do": {"status": 503, "retryAfter": 1}}),
    )
    .await;
    let hit = sim.put(&identity("id-new"), json!({"location": "eastus"})).await;
    assert_eq!((hit.status, hit.header("retry-after")), (503, Some("1")));
    assert_eq!(sim.get(&identity("id-new")).await.status, 404);
    assert_eq!(
        sim.put(&identity("id-new"), json!({"location": "eastus"})).await.status,
        201
    );
    fault(&sim, json!({"do": {"status": 429}})).await;
    assert_eq!(sim.get(&identity("id-new")).await.status, 429);
    assert_eq!(sim.delete("/_sim/faults").await.status, 204);
    assert_eq!(sim.get(&identity("id-new")).await.status, 200);
    assert_eq!(
        sim.send("POST", "/_sim/faults", Some(json!([{"do": 1}]))).await.status,
        400
    );
}

#[tokio::test]
async fn a_broken_connection_may_or_may_not_have_written() {
    let sim = Sim::new(shop()).await;
    fault(
        &sim,
        json!({"match": {"method": "PUT"}, "times": 1, "do": {"reset": "before"}}),
    )
    .await;
    assert!(
        sim.try_send("PUT", &identity("id-a"), Some(json!({"location": "eastus"})), &[])
            .await
            .is_err()
    );
    assert_eq!(sim.get(&identity("id-a")).await.status, 404);
    fault(
        &sim,
        json!({"match": {"method": "PUT"}, "times": 1, "do": {"reset": "after"}}),
    )
    .await;
    assert!(
        sim.try_send("PUT", &identity("id-a"), Some(json!({"location": "eastus"})), &[])
            .await
            .is_err()
    );
    assert_eq!(sim.get(&identity("id-a")).await.status, 200);
}

#[tokio::test]
async fn a_stale_read_shows_the_past() {
    let sim = Sim::new(shop()).await;
    sim.put(&identity("id-new"), json!({"location": "eastus"})).await;
    fault(
        &sim,
        json!({"match": {"method": "GET"}, "times": 2, "do": {"stale": 30}}),
    )
    .await;
    assert_eq!(sim.get(&identity("id-new")).await.status, 404);
    assert_eq!(
        sim.get(&format!("{RG}/{MSI}?api-version=2024-11-30"))
            .await
            .rows()
            .len(),
        1
    );
    assert_eq!(sim.get(&identity("id-new")).await.status, 200);
}

#[tokio::test]
async fn empty_buckets_refuse_where_throttling_is_on() {
    let sim = Sim::with(Options {
        estate: shop(),
        throttle: true,
        lag: Some(Duration::ZERO),
        ..Options::default()
    })
    .await;
    let mut refused = None;
    for _ in 0..300 {
        let reply = sim
            .delete(&format!("{SUB}/resourceGroups/none?api-version=2021-04-01"))
            .await;
        if reply.status == 429 {
            refused = Some(reply);
            break;
        }
    }
    let refused = refused.expect("the bucket never ran empty");
    assert_eq!(refused.code(), "SubscriptionRequestsThrottled");
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
}

#[tokio::test]
async fn every_request_has_its_line_in_the_log() {
    let sim = Sim::new(shop()).await;
    sim.put(&identity("id-new"), json!({"tags": {}, "location": "eastus"}))
        .await;
    let text = sim.server.log();
    let line: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(line["seq"], 1);
    assert_eq!(line["method"], "PUT");
    assert_eq!(line["path"], json!(identity("id-new")));
    assert_eq!(line["status"], 201);
    assert_eq!(
        line["bodyHash"],
        json!(crate::types::json::digest(&json!({"location": "eastus", "tags": {}})))
    );
}

#[tokio::test]
async fn what_was_acknowledged_survives() {
    let dir = tempfile::tempdir().unwrap();
    let save = Some(dir.path().join("estate.json"));
    let options = || Options {
        estate: shop(),
        save: save.clone(),
        lag: Some(Duration::ZERO),
        ..Options::default()
    };
    let sim = Sim::with(options()).await;
    let made = sim.put(&identity("id-new"), json!({"location": "eastus"})).await;
    let vm = format!("{RG}/providers/Microsoft.Compute/virtualMachines/vm?api-version=2024-03-01");
    let slow = sim.put(&vm, json!({"location": "eastus"})).await;
    let before = sim.server.estate();
    drop(sim);
    let sim = Sim::with(options()).await;
    assert_eq!(sim.server.estate(), before);
    let again = sim.get(&identity("id-new")).await;
    assert_eq!(again.body["properties"], made.body["properties"]);
    let status = slow.header("azure-asyncoperation").unwrap();
    let path = &status[status.find("/subscriptions").unwrap()..];
    assert_eq!(sim.get(path).await.body["status"], "Succeeded");
}

#[tokio::test]
async fn answers_are_as_late_as_they_are_told_to_be() {
    let sim = Sim::with(Options {
        estate: shop(),
        latency: Duration::from_millis(60),
        ..Options::default()
    })
    .await;
    let began = std::time::Instant::now();
    sim.get(&identity("id-shop")).await;
    assert!(began.elapsed() >= Duration::from_millis(60));
    sim.server.shutdown().await;
}

#[tokio::test]
async fn long_lists_are_walked_in_time_that_grows_with_their_length() {
    let mut estate = shop();
    let documents = estate["arm"]["resources"].as_array_mut().unwrap();
    for n in 0..20_000 {
        documents.push(json!({"id": format!("{RG}/providers/Microsoft.Compute/disks/d{n:05}"), "type": "Microsoft.Compute/disks", "location": "eastus"}));
    }
    let sim = Sim::new(estate).await;
    for start in [
        format!("{SUB}/resources?api-version=2021-04-01&$top=1000"),
        format!("{RG}/providers/Microsoft.Compute/disks?api-version=2024-03-02&$top=1000"),
    ] {
        let (mut path, mut count) = (start, 0);
        loop {
            let page = sim.get(&path).await;
            count += page.rows().len();
            match page.body["nextLink"].as_str() {
                Some(next) => path = next.to_owned(),
                None => break,
            }
        }
        assert!(count == 20_000 || count == 20_003, "{count}");
    }
}
