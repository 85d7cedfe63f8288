//! The headers that every answer of Resource Manager has, and those of single kinds.

use super::*;

#[tokio::test]
async fn every_answer_has_its_ids_and_may_not_be_cached() {
    let sim = Sim::new(shop()).await;
    for (method, path, status) in [
        ("GET", identity("id-shop"), 200),
        ("GET", identity("id-none"), 404),
        ("GET", "/subscriptions".to_owned(), 400),
    ] {
        let reply = sim.send(method, &path, None).await;
        assert_eq!(reply.status, status, "{path}");
        for (name, value) in [
            ("cache-control", "no-cache"),
            ("pragma", "no-cache"),
            ("expires", "-1"),
            ("strict-transport-security", "max-age=31536000; includeSubDomains"),
            ("x-content-type-options", "nosniff"),
            ("x-cache", "CONFIG_NOCACHE"),
            ("content-type", "application/json; charset=utf-8"),
        ] {
            assert_eq!(reply.header(name), Some(value), "{path} {name}");
        }
        let id = reply.header("x-ms-request-id").unwrap();
        assert!(uuid::Uuid::parse_str(id).is_ok());
        assert_eq!(reply.header("x-ms-correlation-request-id"), Some(id));
        let routing: Vec<&str> = reply.header("x-ms-routing-request-id").unwrap().split(':').collect();
        assert_eq!((routing.len(), routing[2]), (3, id));
        assert!(routing[1].len() == 16 && routing[1].ends_with('Z') && routing[1].as_bytes()[8] == b'T');
        let reference = reply.header("x-msedge-ref").unwrap();
        assert!(reference.starts_with("Ref A: ") && reference.contains(" Ref B: ") && reference.contains(" Ref C: "));
        let operation = reply.header("x-ms-operation-identifier").unwrap();
        assert!(operation.starts_with("tenantId=11111111-1111-4111-8111-111111111111,objectId="));
        assert!(reply.header("date").unwrap().ends_with(" GMT"));
        assert!(reply.header("x-ms-client-request-id").is_none());
    }
}

#[tokio::test]
async fn a_client_may_name_its_ids() {
    let sim = Sim::new(shop()).await;
    let asked = [
        ("x-ms-client-request-id", "mine"),
        ("x-ms-return-client-request-id", "true"),
        ("x-ms-correlation-request-id", "1dd1d6a0-0000-4000-8000-000000000000"),
    ];
    let reply = sim.try_send("GET", &identity("id-shop"), None, &asked).await.unwrap();
    assert_eq!(reply.header("x-ms-client-request-id"), Some("mine"));
    assert_eq!(
        reply.header("x-ms-correlation-request-id"),
        Some("1dd1d6a0-0000-4000-8000-000000000000")
    );
    assert_ne!(
        reply.header("x-ms-request-id"),
        reply.header("x-ms-correlation-request-id")
    );
    let silent = sim
        .try_send("GET", &identity("id-shop"), None, &asked[..1])
        .await
        .unwrap();
    assert_eq!(silent.header("x-ms-client-request-id"), None);
}

#[tokio::test]
async fn what_is_left_of_the_rates_is_told_by_kind_of_request() {
    let sim = Sim::new(shop()).await;
    let left = |reply: &Reply, word: &str| {
        let of = |name: &str| {
            reply
                .header(&format!("x-ms-ratelimit-remaining-{name}-{word}"))
                .map(str::to_owned)
        };
        (of("subscription"), of("subscription-global"))
    };
    let some = |a: &str, b: &str| (Some(a.to_owned()), Some(b.to_owned()));
    let read = sim.get(&identity("id-shop")).await;
    assert_eq!(left(&read, "reads"), some("249", "3749"));
    assert_eq!(left(&read, "writes"), (None, None));
    let made = sim.put(&identity("id-new"), json!({"location": "eastus"})).await;
    assert_eq!(left(&made, "writes"), some("199", "2999"));
    let patched = sim.patch(&identity("id-new"), json!({"tags": {}})).await;
    assert_eq!(left(&patched, "writes"), some("199", "2999"));
    let gone = sim.delete(&identity("id-new")).await;
    assert_eq!(left(&gone, "deletes"), some("199", "2999"));
    let tenant = sim.get("/subscriptions?api-version=2022-12-01").await;
    assert_eq!(tenant.header("x-ms-ratelimit-remaining-tenant-reads"), Some("249"));
    let listed = format!("{RG}/{MSI}/id-shop/listAssociatedResources?api-version=2022-01-31-preview");
    assert_eq!(left(&sim.send("POST", &listed, None).await, "writes"), (None, None));
    let vm = format!("{RG}/providers/Microsoft.Compute/virtualMachines/vm?api-version=2024-03-01");
    let made = sim.put(&vm, json!({"location": "eastus"})).await;
    assert_eq!(
        made.header("x-ms-ratelimit-remaining-resource"),
        Some("Microsoft.Compute/PutVM3Min;239,Microsoft.Compute/PutVM30Min;1199")
    );
}

#[tokio::test]
async fn an_answer_without_a_body_says_that_it_is_empty() {
    let sim = Sim::new(shop()).await;
    let made = sim.put(&identity("id-new"), json!({"location": "eastus"})).await;
    let place = format!("{RG}/{MSI}/id-new").replace("resourceGroups", "resourcegroups");
    assert_eq!((made.status, made.header("location")), (201, Some(place.as_str())));
    let again = sim.put(&identity("id-new"), json!({"location": "eastus"})).await;
    assert_eq!((again.status, again.header("location")), (200, None));
    let gone = sim.delete(&identity("id-new")).await;
    assert_eq!((gone.status, gone.header("content-length")), (200, Some("0")));
    assert_eq!(gone.header("content-type"), None);
    assert_eq!(sim.delete(&identity("id-new")).await.status, 204);
}
