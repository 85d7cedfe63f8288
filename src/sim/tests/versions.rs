//! Api-versions: those that clients send are taken, others refused in Azure's words.

use super::*;

#[tokio::test]
async fn the_versions_that_current_clients_send_are_taken() {
    let mut estate = shop();
    estate["arm"]["resources"].as_array_mut().unwrap().push(json!({
        "id": format!("{RG}/providers/Microsoft.Authorization/locks/keep"), "type": "Microsoft.Authorization/locks",
        "properties": {"level": "CanNotDelete"}}));
    let sim = Sim::new(estate).await;
    let mg = "/providers/Microsoft.Management/managementGroups";
    let auth = format!("{RG}/providers/Microsoft.Authorization");
    for (path, versions) in [
        (
            "/subscriptions".to_owned(),
            "2022-12-01 2021-01-01 2020-01-01 2019-11-01 2016-06-01",
        ),
        (
            "/tenants".to_owned(),
            "2022-12-01 2021-01-01 2020-01-01 2019-11-01 2016-06-01",
        ),
        (
            format!("{SUB}/locations"),
            "2022-12-01 2021-01-01 2020-01-01 2019-11-01 2016-06-01",
        ),
        (RG.to_owned(), "2024-11-01 2022-09-01 2021-04-01 2020-06-01 2020-10-01"),
        (
            format!("{SUB}/resources"),
            "2024-11-01 2022-09-01 2021-04-01 2020-06-01 2020-10-01",
        ),
        (
            format!("{SUB}/providers"),
            "2024-11-01 2022-09-01 2021-04-01 2020-06-01 2020-10-01",
        ),
        (
            format!("{RG}/providers/Microsoft.Resources/tags/default"),
            "2024-11-01 2022-09-01 2021-04-01",
        ),
        (format!("{auth}/locks"), "2016-09-01 2020-05-01"),
        (
            format!("{RG}/{MSI}/id-shop"),
            "2025-05-31-preview 2024-11-30 2023-01-31 2022-01-31-preview 2021-09-30-preview 2018-11-30 2015-08-31-preview",
        ),
        (
            format!("{RG}/{MSI}/id-shop/federatedIdentityCredentials"),
            "2025-01-31-preview 2025-05-31-preview 2024-11-30 2023-01-31",
        ),
        (
            format!("{auth}/roleAssignments"),
            "2022-04-01 2020-10-01-preview 2020-04-01-preview 2018-09-01-preview 2015-07-01",
        ),
        (
            format!("{auth}/roleDefinitions"),
            "2022-05-01-preview 2022-04-01 2018-01-01-preview 2015-07-01",
        ),
        (
            format!("{auth}/permissions"),
            "2022-05-01-preview 2022-04-01 2018-01-01-preview 2015-07-01",
        ),
        (
            format!("{auth}/denyAssignments"),
            "2024-07-01-preview 2022-04-01 2018-07-01-preview",
        ),
        (
            format!("{auth}/roleEligibilitySchedules"),
            "2020-10-01 2024-09-01-preview",
        ),
        (
            format!("{auth}/roleAssignmentScheduleInstances"),
            "2020-10-01 2024-09-01-preview",
        ),
        (mg.to_owned(), "2020-05-01 2021-04-01 2023-04-01"),
        (
            "/metadata/endpoints".to_owned(),
            "2022-09-01 2020-06-01 2019-05-01 2015-01-01",
        ),
    ] {
        for version in versions.split(' ') {
            let reply = sim.get(&format!("{path}?api-version={version}")).await;
            assert_eq!(reply.status, 200, "{path} {version} {:?}", reply.body);
        }
    }
    for version in ["2021-03-01", "2022-10-01", "2024-04-01"] {
        let path = format!("/providers/Microsoft.ResourceGraph/resources?api-version={version}");
        let reply = sim
            .send("POST", &path, Some(json!({"query": "resources | take 1"})))
            .await;
        assert_eq!(reply.status, 200, "{version}");
    }
}

#[tokio::test]
async fn unknown_versions_are_refused_with_those_that_there_are() {
    let sim = Sim::new(shop()).await;
    let missing = "The api-version query parameter (?api-version=) is required for all requests.";
    for path in [format!("{RG}/{MSI}/nothing"), "/nowhere/at/all".to_owned()] {
        let reply = sim.get(&path).await;
        assert_eq!(
            (reply.status, reply.code(), reply.message()),
            (400, "MissingApiVersionParameter", missing)
        );
    }
    let own = sim.get("/subscriptions?api-version=soon").await;
    assert_eq!((own.status, own.code()), (400, "InvalidApiVersionParameter"));
    assert!(
        own.message()
            .starts_with("The api-version 'soon' is invalid. The supported versions are '2022-12-01,")
    );
    let lock = sim
        .get(&format!(
            "{RG}/providers/Microsoft.Authorization/locks?api-version=2001-01-01"
        ))
        .await;
    assert_eq!((lock.status, lock.code()), (400, "InvalidApiVersionParameter"));
    let type_ = sim.get(&format!("{RG}/{MSI}?api-version=2001-01-01")).await;
    assert_eq!((type_.status, type_.code()), (404, "InvalidResourceType"));
    assert!(type_.message().starts_with(
        "The resource type 'userAssignedIdentities' could not be found in the namespace 'Microsoft.ManagedIdentity' for api \
         version '2001-01-01'. The supported api-versions are '"
    ));
    let known = sim.get(&format!("{RG}/{MSI}/id-shop?api-version=2001-01-01")).await;
    assert!(
        known.message().contains(" The supported locations are '"),
        "{}",
        known.message()
    );
}

#[tokio::test]
async fn older_versions_know_less_of_a_subscription() {
    let sim = Sim::new(shop()).await;
    let row = |reply: Reply| reply.rows()[0].clone();
    let new = row(sim.get("/subscriptions?api-version=2022-12-01").await);
    assert_eq!(new["tenantId"], "11111111-1111-4111-8111-111111111111");
    assert_eq!(new["authorizationSource"], "RoleBased");
    assert_eq!(new["managedByTenants"], json!([]));
    assert_eq!(
        (&new["state"], &new["displayName"]),
        (&json!("Enabled"), &json!("Shop"))
    );
    for name in ["locationPlacementId", "quotaId", "spendingLimit"] {
        assert!(new["subscriptionPolicies"][name].is_string(), "{name}");
    }
    let old = row(sim.get("/subscriptions?api-version=2016-06-01").await);
    assert!(old.get("tenantId").is_none() && old.get("subscriptionId").is_some());
}
