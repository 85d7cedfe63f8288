//! Budgets that run empty, and services that take one write at a time.

use super::*;

async fn throttled() -> Sim {
    Sim::with(Options {
        estate: shop(),
        throttle: true,
        lag: Some(Duration::ZERO),
        ..Options::default()
    })
    .await
}

/// Sends until it is refused, at most so often.
async fn until_refused(sim: &Sim, method: &str, path: &str, body: Option<Value>, most: usize) -> (usize, Reply) {
    for sent in 0..most {
        let reply = sim.send(method, path, body.clone()).await;
        if reply.status == 429 {
            return (sent, reply);
        }
    }
    panic!("{method} {path} was never refused");
}

fn waits(reply: &Reply) -> bool {
    reply
        .header("retry-after")
        .is_some_and(|text| text.parse::<u64>().is_ok_and(|wait| wait >= 1))
}

#[tokio::test]
async fn an_identity_can_be_changed_only_so_often() {
    let sim = throttled().await;
    let body = Some(json!({"tags": {}}));
    let (sent, refused) = until_refused(&sim, "PATCH", &identity("id-shop"), body, 10).await;
    assert_eq!((sent, refused.code(), waits(&refused)), (3, "TooManyRequests", true));
    // Another identity has a budget of its own.
    assert_eq!(
        sim.put(&identity("id-new"), json!({"location": "eastus"})).await.status,
        201
    );
}

#[tokio::test]
async fn a_burst_of_grants_is_refused_without_a_word() {
    let sim = throttled().await;
    let path = assignment(RG, 1);
    let (_, refused) = until_refused(&sim, "DELETE", &path, None, 200).await;
    assert_eq!((&refused.body, waits(&refused)), (&Value::Null, true));
    assert_eq!(refused.header("content-type"), None);
}

#[tokio::test]
async fn a_user_has_fifteen_queries_in_five_seconds() {
    let sim = throttled().await;
    let path = "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01";
    let body = json!({"query": "resources | take 1"});
    let first = sim.send("POST", path, Some(body.clone())).await;
    assert_eq!(first.header("x-ms-user-quota-remaining"), Some("14"));
    assert_eq!(first.header("x-ms-user-quota-resets-after"), Some("00:00:05"));
    let (_, refused) = until_refused(&sim, "POST", path, Some(body), 60).await;
    assert!(waits(&refused));
    assert_eq!(refused.body["error"]["details"][0]["code"], "RateLimiting");
    assert!(
        refused
            .message()
            .starts_with("Please provide below info when asking for support: timestamp = ")
    );
}

#[tokio::test]
async fn a_tenant_has_buckets_of_its_own() {
    let sim = throttled().await;
    let (sent, refused) = until_refused(&sim, "GET", "/tenants?api-version=2022-12-01", None, 1000).await;
    assert!(sent >= 250);
    assert_eq!((refused.code(), waits(&refused)), ("TenantRequestsThrottled", true));
    assert!(
        refused.message().starts_with("Number of 'read' requests for tenant"),
        "{}",
        refused.message()
    );
    assert_eq!(sim.get(&identity("id-shop")).await.status, 200);
}

#[tokio::test]
async fn compute_tells_which_of_its_policies_is_used_up() {
    let sim = throttled().await;
    let path = format!("{RG}/providers/Microsoft.Compute/virtualMachines/vm?api-version=2024-03-01");
    let (sent, refused) = until_refused(&sim, "DELETE", &path, None, 200).await;
    assert!(sent >= 80);
    assert_eq!(refused.code(), "OperationNotAllowed");
    assert_eq!(refused.body["error"]["details"][0]["target"], "DeleteVM3Min");
}

/// Two writes that are sent at the same time: their statuses, and the refusal.
async fn both(sim: &Sim, first: (String, Value), second: (String, Value)) -> (Vec<u16>, Option<Reply>) {
    let (a, b) = tokio::join!(sim.put(&first.0, first.1), sim.put(&second.0, second.1));
    let mut statuses = vec![a.status, b.status];
    statuses.sort_unstable();
    (statuses, [a, b].into_iter().find(|reply| reply.status >= 400))
}

#[tokio::test]
async fn credentials_of_one_identity_are_written_one_at_a_time() {
    let sim = Sim::new(shop()).await;
    let credential = |identity: &str, n: u32| {
        (
            format!("{RG}/{MSI}/{identity}/federatedIdentityCredentials/fic-{n}?api-version=2024-11-30"),
            json!({"properties": {"issuer": "https://x", "subject": format!("s{n}"), "audiences": ["a"]}}),
        )
    };
    let (statuses, refused) = both(&sim, credential("id-shop", 1), credential("id-shop", 2)).await;
    assert_eq!(statuses, [201, 409]);
    let refused = refused.unwrap();
    assert_eq!(
        refused.code(),
        "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity"
    );
    let id = format!("{RG}/{MSI}/id-shop").to_lowercase();
    assert_eq!(
        refused.message(),
        format!(
            "Too many Federated Identity Credentials are written concurrently for the managed identity '{id}'. Concurrent \
             Federated Identity Credentials writes under the same managed identity are not supported."
        )
    );
    sim.put(&identity("id-two"), json!({"location": "eastus"})).await;
    assert_eq!(
        both(&sim, credential("id-shop", 3), credential("id-two", 3)).await.0,
        [201, 201]
    );
    sim.send("PATCH", "/_sim/behaviour", Some(json!({"serialWrites": false})))
        .await;
    assert_eq!(
        both(&sim, credential("id-shop", 4), credential("id-shop", 5)).await.0,
        [201, 201]
    );
}

#[tokio::test]
async fn a_vault_is_written_by_one_at_a_time() {
    let sim = Sim::new(shop()).await;
    let vault = format!("{RG}/providers/Microsoft.KeyVault/vaults/kv");
    let policy = |who: &str| json!({"properties": {"accessPolicies": [{"tenantId": "t", "objectId": who, "permissions": {"keys": ["get"]}}]}});
    let add = format!("{vault}/accessPolicies/add?api-version=2023-07-01");
    let (statuses, refused) = both(&sim, (add.clone(), policy("a")), (add, policy("b"))).await;
    assert_eq!((statuses[1], refused.unwrap().code()), (409, "ConflictError"));
    let put = (
        format!("{vault}?api-version=2023-07-01"),
        json!({"location": "eastus", "properties": {}}),
    );
    assert_eq!(both(&sim, put.clone(), put).await.1.unwrap().code(), "ConflictError");
}

#[tokio::test]
async fn data_roles_of_one_account_are_written_one_at_a_time() {
    let mut estate = shop();
    let account = format!("{RG}/providers/Microsoft.DocumentDB/databaseAccounts/db-shop");
    let cluster = format!("{RG}/providers/Microsoft.Kusto/clusters/ku");
    let redis = format!("{RG}/providers/Microsoft.Cache/redis/re");
    for (id, kind) in [
        (&account, "Microsoft.DocumentDB/databaseAccounts"),
        (&cluster, "Microsoft.Kusto/clusters"),
        (&redis, "Microsoft.Cache/redis"),
    ] {
        let document = json!({"id": id, "type": kind, "location": "eastus", "properties": {}});
        estate["arm"]["resources"].as_array_mut().unwrap().push(document);
    }
    let sim = Sim::new(estate).await;
    for (parent, child, version, status) in [
        (&account, "sqlRoleAssignments", "2024-05-15", 412),
        (&cluster, "principalAssignments", "2023-08-15", 409),
        (&redis, "accessPolicyAssignments", "2024-03-01", 409),
    ] {
        let one = |n: u32| {
            (
                format!("{parent}/{child}/00000000-0000-4000-8000-{n:012}?api-version={version}"),
                json!({"properties": {"principalId": OLD, "scope": parent,
                    "roleDefinitionId": format!("{parent}/sqlRoleDefinitions/00000000-0000-0000-0000-000000000002"),
                    "principalType": "App", "role": "AllDatabasesViewer",
                    "accessPolicyName": "Data Reader", "objectId": OLD, "objectIdAlias": "id-shop"}}),
            )
        };
        let (statuses, refused) = both(&sim, one(1), one(2)).await;
        assert!(
            statuses[0] < 300 && statuses[1] == status,
            "{child} {statuses:?} {refused:?}"
        );
    }
}
