use serde_json::json;

use super::*;

#[tokio::test]
async fn api_versions_are_required_and_validated() {
    let sim = Sim::new(shop()).await;
    let none = sim.get(&format!("{RG}/{MSI}/id-shop")).await;
    assert_eq!((none.status, none.code()), (400, "MissingApiVersionParameter"));
    let wrong = sim.get(&format!("{RG}/{MSI}/id-shop?API-Version=2001-01-01")).await;
    assert_eq!((wrong.status, wrong.code()), (400, "NoRegisteredProviderFound"));
    assert!(wrong.message().starts_with("No registered resource provider found for location 'eastus' and API version '2001-01-01' for type 'userAssignedIdentities'."));
    let own = sim.get("/subscriptions?api-version=2001-01-01").await;
    assert_eq!((own.status, own.code()), (400, "InvalidApiVersionParameter"));
    let space = sim
        .get(&format!(
            "{RG}/providers/Contoso.Unknown/things/x?api-version=2020-01-01"
        ))
        .await;
    assert_eq!((space.status, space.code()), (404, "InvalidResourceNamespace"));
    let kind = sim
        .get(&format!(
            "{RG}/providers/Microsoft.Web/unicorns/x?api-version=2023-12-01"
        ))
        .await;
    assert_eq!((kind.status, kind.code()), (404, "InvalidResourceType"));
}

#[tokio::test]
async fn ids_are_found_in_any_case_and_behind_doubled_slashes() {
    let sim = Sim::new(shop()).await;
    let path = format!("/{}", identity("ID-SHOP").replace("resourceGroups", "RESOURCEGROUPS"));
    let found = sim.get(&path).await;
    assert_eq!(found.status, 200, "{:?}", found.body);
    assert_eq!(found.body["name"], "id-shop");
    assert!(found.header("x-ms-request-id").is_some());
    assert_eq!(found.header("x-ms-ratelimit-remaining-subscription-reads"), Some("249"));
}

#[tokio::test]
async fn a_type_that_only_the_estate_knows_is_a_plain_resource() {
    let mut estate = shop();
    let id = format!("{RG}/providers/Contoso.Odd/things/one");
    estate["arm"]["resources"]
        .as_array_mut()
        .unwrap()
        .push(json!({"id": id, "type": "Contoso.Odd/things", "location": "eastus"}));
    let sim = Sim::new(estate).await;
    assert_eq!(
        sim.get(&format!("{id}?api-version=2031-05-05-preview")).await.status,
        200
    );
    let other = sim
        .put(
            &format!("{RG}/providers/Contoso.Odd/things/two?api-version=2031-05-05"),
            json!({"location": "eastus"}),
        )
        .await;
    assert_eq!(other.status, 201);
    let child = sim
        .put(
            &format!("{id}/parts/a?api-version=2031-05-05"),
            json!({"properties": {}}),
        )
        .await;
    assert_eq!(child.status, 201);
    assert_eq!(
        sim.get(&format!("{id}/parts?api-version=2031-05-05"))
            .await
            .rows()
            .len(),
        1
    );
}

#[tokio::test]
async fn lists_page_on_the_host_that_was_asked() {
    let sim = Sim::new(shop()).await;
    for n in 0..5 {
        sim.put(&identity(&format!("id-{n}")), json!({"location": "eastus"}))
            .await;
    }
    let mut path = format!("{RG}/{MSI}?api-version=2024-11-30&$top=2");
    let mut names = Vec::new();
    loop {
        let page = sim.get(&path).await;
        assert_eq!(page.status, 200, "{:?}", page.body);
        names.extend(page.rows().iter().map(|row| row["name"].as_str().unwrap().to_owned()));
        match page.body["nextLink"].as_str() {
            Some(next) => {
                assert!(next.starts_with(sim.server.url()));
                path = next.to_owned();
            }
            None => break,
        }
    }
    assert_eq!(names.len(), 6);
    let rows = sim
        .get(&format!(
            "{SUB}/resources?api-version=2021-04-01&$filter=resourceType eq 'Microsoft.Web/sites' and name eq 'app'"
        ))
        .await;
    assert_eq!(rows.rows().len(), 1);
    assert!(rows.rows()[0].get("properties").is_none());
    assert!(rows.rows()[0].get("identity").is_some());
}

#[tokio::test]
async fn groups_are_made_and_deleted_with_what_is_in_them() {
    let sim = Sim::new(shop()).await;
    let path = format!("{SUB}/resourceGroups/rg-new?api-version=2021-04-01");
    assert_eq!(sim.send("HEAD", &path, None).await.status, 404);
    assert_eq!(sim.put(&path, json!({"location": "westeurope"})).await.status, 201);
    assert_eq!(sim.put(&path, json!({"location": "westeurope"})).await.status, 200);
    assert_eq!(
        sim.put(&path, json!({"location": "eastus"})).await.code(),
        "InvalidResourceGroupLocation"
    );
    assert_eq!(sim.send("HEAD", &path, None).await.status, 204);
    let gone = sim.delete(&format!("{RG}?api-version=2021-04-01")).await;
    assert_eq!(gone.status, 202);
    let end = sim.get(gone.header("location").unwrap()).await;
    assert_eq!(end.status, 200, "{:?}", end.body);
    assert_eq!(sim.get(&identity("id-shop")).await.code(), "ResourceGroupNotFound");
}

#[tokio::test]
async fn app_settings_are_shown_by_their_action_alone() {
    let sim = Sim::new(shop()).await;
    let site = format!("{RG}/providers/Microsoft.Web/sites/app");
    let path = format!("{site}/config/appsettings?api-version=2023-12-01");
    assert_eq!(sim.get(&path).await.status, 405);
    let list = path.replace("appsettings?", "appsettings/list?");
    let shown = sim.send("POST", &list, None).await;
    assert_eq!(
        shown.body["properties"]["AZURE_CLIENT_ID"],
        "44444444-4444-4444-8444-444444444444"
    );
    assert_eq!(sim.put(&path, json!({"properties": {"A": "1"}})).await.status, 200);
    assert_eq!(
        sim.send("POST", &list, None).await.body["properties"],
        json!({"A": "1"})
    );
    assert!(
        sim.get(&format!("{site}/config?api-version=2023-12-01"))
            .await
            .rows()
            .iter()
            .all(|row| row["name"] != "appsettings")
    );
    let connections = list.replace("appsettings", "connectionstrings");
    assert_eq!(sim.send("POST", &connections, None).await.body["properties"], json!({}));
}

#[tokio::test]
async fn access_policies_are_added_and_removed_entry_by_entry() {
    let sim = Sim::new(shop()).await;
    let path = |word: &str| {
        format!("{RG}/providers/Microsoft.KeyVault/vaults/kv/accessPolicies/{word}?api-version=2023-07-01")
    };
    let body = |who: &str, rights: Value| json!({"properties": {"accessPolicies": [{"tenantId": "t", "objectId": who, "permissions": rights}]}});
    let new = "88888888-8888-4888-8888-888888888888";
    let added = sim.put(&path("add"), body(new, json!({"keys": ["get"]}))).await;
    assert_eq!(
        added.body["properties"]["accessPolicies"].as_array().unwrap().len(),
        2,
        "{:?}",
        added.body
    );
    let merged = sim.put(&path("add"), body(OLD, json!({"secrets": ["set"]}))).await;
    assert_eq!(
        merged.body["properties"]["accessPolicies"][0]["permissions"]["secrets"],
        json!(["get", "list", "set"])
    );
    let less = sim
        .put(&path("remove"), body(OLD, json!({"secrets": ["get", "list", "set"]})))
        .await;
    assert_eq!(less.body["properties"]["accessPolicies"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn slow_operations_end_where_they_said() {
    let sim = Sim::with(Options {
        estate: shop(),
        lag: Some(std::time::Duration::from_millis(40)),
        ..Options::default()
    })
    .await;
    let path = format!("{RG}/providers/Microsoft.Compute/virtualMachines/vm?api-version=2024-03-01");
    let made = sim
        .put(&path, json!({"location": "eastus", "properties": {"a": {"b": 1}}}))
        .await;
    assert_eq!(
        (made.status, &made.body["properties"]["provisioningState"]),
        (201, &json!("Creating"))
    );
    let status = made.header("azure-asyncoperation").unwrap().to_owned();
    assert!(status.starts_with(sim.server.url()));
    loop {
        let now = sim.get(&status).await;
        assert_eq!(now.status, 200);
        if now.body["status"] == "Succeeded" {
            break;
        }
        assert_eq!(now.body["status"], "InProgress");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(
        sim.get(&path).await.body["properties"]["provisioningState"],
        "Succeeded"
    );
    let patched = sim.patch(&path, json!({"properties": {"a": {"c": 2}}})).await;
    assert_eq!(patched.status, 200);
    assert_eq!(patched.body["properties"]["a"], json!({"b": 1, "c": 2}));
    let gone = sim.delete(&path).await;
    assert_eq!(gone.status, 202);
    assert!(gone.header("location").is_some());
}

#[tokio::test]
async fn stale_etags_are_refused() {
    let sim = Sim::new(shop()).await;
    let path = format!("{RG}/providers/Microsoft.Compute/virtualMachines/vm?api-version=2024-03-01");
    let made = sim.put(&path, json!({"location": "eastus"})).await;
    let etag = made.body["etag"].as_str().unwrap().to_owned();
    let first = sim
        .try_send(
            "PATCH",
            &path,
            Some(json!({"tags": {"a": "1"}})),
            &[("if-match", &etag)],
        )
        .await
        .unwrap();
    assert_eq!(first.status, 200, "{:?}", first.body);
    let second = sim
        .try_send(
            "PATCH",
            &path,
            Some(json!({"tags": {"a": "2"}})),
            &[("if-match", &etag)],
        )
        .await
        .unwrap();
    assert_eq!((second.status, second.code()), (412, "PreconditionFailed"));
    let create = sim
        .try_send(
            "PUT",
            &path,
            Some(json!({"location": "eastus"})),
            &[("if-none-match", "*")],
        )
        .await
        .unwrap();
    assert_eq!(create.status, 412);
}

#[tokio::test]
async fn what_has_no_etag_does_not_look_at_conditions() {
    let sim = Sim::new(shop()).await;
    let body = Some(json!({"location": "eastus"}));
    for header in [("if-none-match", "*"), ("if-match", "\"stale\"")] {
        let reply = sim
            .try_send("PUT", &identity("id-shop"), body.clone(), &[header])
            .await
            .unwrap();
        assert_eq!(reply.status, 200, "{:?}", reply.body);
        assert!(reply.body.get("etag").is_none());
    }
    let fresh = sim
        .try_send("PUT", &identity("id-new"), body, &[("if-match", "*")])
        .await
        .unwrap();
    assert_eq!(fresh.status, 201);
}

#[tokio::test]
async fn locks_forbid_what_they_cover() {
    let sim = Sim::new(shop()).await;
    let lock = |scope: &str, name: &str| {
        format!("{scope}/providers/Microsoft.Authorization/locks/{name}?api-version=2016-09-01")
    };
    assert_eq!(
        sim.put(&lock(RG, "keep"), json!({"properties": {"level": "CanNotDelete"}}))
            .await
            .status,
        201
    );
    let refused = sim.delete(&identity("id-shop")).await;
    assert_eq!((refused.status, refused.code()), (409, "ScopeLocked"));
    assert!(
        refused
            .message()
            .contains("cannot perform delete operation because following scope(s) are locked")
    );
    assert_eq!(sim.patch(&identity("id-shop"), json!({"tags": {}})).await.status, 200);
    let scope = format!("{RG}/{MSI}/id-shop");
    let list = |scope: &str, filter: &str| {
        format!("{scope}/providers/Microsoft.Authorization/locks?api-version=2016-09-01&$filter={filter}")
    };
    sim.put(&lock(&scope, "ro"), json!({"properties": {"level": "ReadOnly"}}))
        .await;
    assert_eq!(sim.get(&list(&scope, "")).await.rows().len(), 2);
    assert_eq!(sim.get(&list(RG, "")).await.rows().len(), 2);
    assert_eq!(sim.get(&list(RG, "atScope()")).await.rows().len(), 1);
    assert_eq!(
        sim.patch(&identity("id-shop"), json!({"tags": {}})).await.code(),
        "ScopeLocked"
    );
    assert_eq!(
        sim.put(&assignment(&scope, 1), grant(READER, OLD, None)).await.code(),
        "ScopeLocked"
    );
    assert_eq!(sim.delete(&lock(&scope, "ro")).await.status, 200);
    assert_eq!(sim.delete(&lock(&scope, "ro")).await.status, 204);
    assert_eq!(sim.get(&lock(&scope, "ro")).await.code(), "LockNotFound");
}

#[tokio::test]
async fn management_groups_show_what_is_below_them() {
    let sim = Sim::new(shop()).await;
    let root = "/providers/Microsoft.Management/managementGroups/11111111-1111-4111-8111-111111111111";
    let made = sim
        .put(
            "/providers/Microsoft.Management/managementGroups/corp?api-version=2023-04-01",
            json!({"properties": {"displayName": "Corp"}}),
        )
        .await;
    assert_eq!(made.status, 202, "{:?}", made.body);
    let end = sim.get(made.header("location").unwrap()).await;
    assert_eq!(end.status, 200, "{:?}", end.body);
    let tree = sim
        .get(&format!("{root}?api-version=2020-05-01&$expand=children&$recurse=true"))
        .await;
    assert_eq!(
        tree.body["properties"]["children"].as_array().unwrap().len(),
        2,
        "{:?}",
        tree.body
    );
    assert_eq!(
        sim.get(&format!("{root}/descendants?api-version=2020-05-01"))
            .await
            .rows()
            .len(),
        2
    );
    assert_eq!(
        sim.get(&format!("{root}/subscriptions?api-version=2020-05-01"))
            .await
            .rows()
            .len(),
        1
    );
    let entities = sim
        .send(
            "POST",
            "/providers/Microsoft.Management/getEntities?api-version=2020-05-01",
            None,
        )
        .await;
    assert_eq!(entities.rows().len(), 3);
}

#[tokio::test]
async fn providers_subscriptions_and_locations_are_listed() {
    let sim = Sim::new(shop()).await;
    let provider = sim
        .get(&format!(
            "{SUB}/providers/microsoft.managedidentity?api-version=2021-04-01"
        ))
        .await;
    assert_eq!(provider.body["registrationState"], "Registered");
    let types = provider.body["resourceTypes"].as_array().unwrap();
    assert!(types.iter().any(|kind| kind["resourceType"] == "userAssignedIdentities"
        && kind["locations"].as_array().unwrap().contains(&json!("West Europe"))));
    let one = sim.get("/subscriptions?api-version=2022-12-01").await;
    assert_eq!(one.body["count"], json!({"type": "Total", "value": 1}));
    assert_eq!(one.rows()[0]["subscriptionPolicies"]["spendingLimit"], "Off");
    let places = sim.get(&format!("{SUB}/locations?api-version=2022-12-01")).await;
    assert!(places.rows().iter().any(|row| row["name"] == "westeurope"));
    assert_eq!(sim.get("/tenants?api-version=2022-12-01").await.rows().len(), 1);
    let none = sim
        .get("/subscriptions/00000000-0000-4000-8000-000000000000?api-version=2022-12-01")
        .await;
    assert_eq!((none.status, none.code()), (404, "SubscriptionNotFound"));
    let registered = sim
        .send(
            "POST",
            &format!("{SUB}/providers/Microsoft.Web/register?api-version=2021-04-01"),
            None,
        )
        .await;
    assert_eq!(registered.status, 200);
}

#[tokio::test]
async fn tags_are_a_resource_too() {
    let sim = Sim::new(shop()).await;
    let path = format!("{RG}/{MSI}/id-shop/providers/Microsoft.Resources/tags/default?api-version=2021-04-01");
    let merged = sim
        .patch(&path, json!({"operation": "Merge", "properties": {"tags": {"a": "1"}}}))
        .await;
    assert_eq!(
        merged.body["properties"]["tags"],
        json!({"a": "1"}),
        "{:?}",
        merged.body
    );
    assert_eq!(sim.get(&identity("id-shop")).await.body["tags"], json!({"a": "1"}));
    assert_eq!(sim.delete(&path).await.status, 200);
}

#[tokio::test]
async fn resource_graph_and_graph_answer_from_the_same_estate() {
    let sim = Sim::new(shop()).await;
    let query = json!({"query": "resources | where identity has 'id-shop' | project id, name", "subscriptions": ["22222222-2222-4222-8222-222222222222"]});
    let found = sim
        .send(
            "POST",
            "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01",
            Some(query),
        )
        .await;
    assert_eq!(found.body["data"][0]["name"], "app", "{:?}", found.body);
    let sp = sim.get(&format!("/v1.0/servicePrincipals/{OLD}")).await;
    assert_eq!(sp.body["servicePrincipalType"], "ManagedIdentity", "{:?}", sp.body);
    let batch = json!({"requests": [{"id": "1", "method": "GET", "url": "/groups"}, {"id": "2", "method": "GET", "url": "/users/none"}]});
    let answers = sim.send("POST", "/v1.0/$batch", Some(batch)).await;
    assert_eq!(answers.body["responses"].as_array().unwrap().len(), 2);
    let log = sim.server.log();
    assert_eq!(log.lines().filter(|line| line.contains("\"batch\":")).count(), 2);
}

#[tokio::test]
async fn a_policy_that_denies_stands_in_the_way() {
    let mut estate = shop();
    let allowed = "/providers/Microsoft.Authorization/policyDefinitions/e56962a6-4747-49cd-b67b-bf8b01975c4c";
    let assigned = format!("{SUB}/providers/Microsoft.Authorization/policyAssignments/places");
    estate["arm"]["resources"].as_array_mut().unwrap().push(json!({
        "id": assigned, "type": "Microsoft.Authorization/policyAssignments",
        "properties": {"policyDefinitionId": allowed, "parameters": {"listOfAllowedLocations": {"value": ["eastus"]}}}}));
    let sim = Sim::new(estate).await;
    let refused = sim.put(&identity("id-new"), json!({"location": "westeurope"})).await;
    assert_eq!((refused.status, refused.code()), (403, "RequestDisallowedByPolicy"));
    assert!(
        refused
            .message()
            .starts_with("Resource 'id-new' was disallowed by policy. Policy identifiers: '[{")
    );
    assert_eq!(
        refused.body["error"]["additionalInfo"][0]["info"]["policyAssignmentName"],
        "places"
    );
    assert_eq!(
        sim.put(&identity("id-new"), json!({"location": "eastus"})).await.status,
        201
    );
    let question = json!({"resourceDetails": {"resourceContent": {
        "type": "Microsoft.ManagedIdentity/userAssignedIdentities", "name": "x", "location": "westeurope"}}});
    let path = format!("{RG}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions?api-version=2022-03-01");
    let told = sim.send("POST", &path, Some(question)).await;
    assert_eq!(
        told.body["contentEvaluationResult"]["policyEvaluations"]
            .as_array()
            .unwrap()
            .len(),
        1,
        "{:?}",
        told.body
    );
}
