//! What is seen late, told apart in each plane, and each by itself.

use super::*;

const QUERY: &str = "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01";

async fn with(behaviour: Value) -> Sim {
    let mut estate = shop();
    estate["behaviour"] = behaviour;
    Sim::new(estate).await
}

async fn count(sim: &Sim, query: &str) -> Value {
    let reply = sim.send("POST", QUERY, Some(json!({ "query": query }))).await;
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    reply.body["totalRecords"].clone()
}

#[tokio::test]
async fn a_new_principal_is_missing_in_each_plane_in_its_own_words() {
    let sim = with(json!({"latePrincipals": 600})).await;
    let made = sim.put(&identity("id-new"), json!({"location": "eastus"})).await;
    let principal = made.body["properties"]["principalId"].as_str().unwrap();
    let late = sim.put(&assignment(RG, 1), grant(READER, principal, None)).await;
    assert_eq!((late.status, late.code()), (400, "PrincipalNotFound"));
    let named = sim
        .put(&assignment(RG, 1), grant(READER, principal, Some("ServicePrincipal")))
        .await;
    assert_eq!(named.status, 201);
    let reference = json!({"@odata.id": format!("https://graph.microsoft.com/v1.0/directoryObjects/{principal}")});
    let member = sim
        .send(
            "POST",
            "/v1.0/groups/77777777-7777-4777-8777-777777777777/members/$ref",
            Some(reference),
        )
        .await;
    assert_eq!((member.status, member.code()), (404, "Request_ResourceNotFound"));
    assert_eq!(
        member.message(),
        format!(
            "Resource '{principal}' does not exist or one of its queried reference-property objects are not present."
        )
    );
    // Resource Graph is on time here.
    assert_eq!(count(&sim, "resources | where name == 'id-new'").await, 1);
}

#[tokio::test]
async fn a_new_group_is_late_for_role_assignments_even_where_its_type_is_given() {
    let sim = with(json!({"latePrincipals": 600})).await;
    let body = json!({"displayName": "new", "mailEnabled": false, "mailNickname": "new", "securityEnabled": true});
    let made = sim.send("POST", "/v1.0/groups", Some(body)).await;
    let id = made.body["id"].as_str().unwrap();
    assert_eq!(sim.get(&format!("/v1.0/groups/{id}")).await.status, 200);
    for kind in [None, Some("Group")] {
        let late = sim.put(&assignment(RG, 1), grant(READER, id, kind)).await;
        assert_eq!((late.status, late.code()), (400, "PrincipalNotFound"));
    }
    sim.send("PATCH", "/_sim/behaviour", Some(json!({"latePrincipals": false})))
        .await;
    assert_eq!(
        sim.put(&assignment(RG, 1), grant(READER, id, Some("Group")))
            .await
            .status,
        201
    );
}

#[tokio::test]
async fn queries_see_writes_and_deletes_late() {
    let sim = with(json!({"lateQueries": 600})).await;
    sim.put(&identity("id-new"), json!({"location": "eastus"})).await;
    sim.delete(&identity("id-shop")).await;
    sim.put(
        &assignment(RG, 1),
        grant(READER, "55555555-5555-4555-8555-555555555555", None),
    )
    .await;
    let names = "resources | where type endswith 'identities' | where name in ('id-shop', 'id-new')";
    assert_eq!(count(&sim, &format!("{names} | where name == 'id-shop'")).await, 1);
    assert_eq!(count(&sim, &format!("{names} | where name == 'id-new'")).await, 0);
    assert_eq!(
        count(&sim, "authorizationresources | where type endswith 'roleassignments'").await,
        1
    );
    sim.send("PATCH", "/_sim/behaviour", Some(json!({"lateQueries": false})))
        .await;
    assert_eq!(count(&sim, &format!("{names} | where name == 'id-new'")).await, 1);
    let grants = json!({"query": "authorizationresources | where type endswith 'roleassignments' \
        | project scope = tostring(properties.scope), by = properties.createdBy, on = properties.createdOn"});
    let reply = sim.send("POST", QUERY, Some(grants)).await;
    let rows = reply.body["data"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert!(
        rows.iter().all(|row| row["on"].is_string()) && rows.iter().any(|row| row["by"].is_string()),
        "{rows:?}"
    );
}

#[tokio::test]
async fn what_resource_graph_never_has_is_not_there() {
    let sim = with(json!({})).await;
    assert_eq!(
        count(&sim, "resources | where type endswith 'federatedidentitycredentials'").await,
        0
    );
    assert_eq!(count(&sim, "resources | where type endswith 'sites/config'").await, 0);
}

#[tokio::test]
async fn reads_of_the_directory_may_come_from_a_late_replica() {
    let sim = with(json!({"lateDirectory": 600})).await;
    let members = "/v1.0/groups/77777777-7777-4777-8777-777777777777/members";
    let body = json!({"@odata.id": format!("https://graph.microsoft.com/v1.0/directoryObjects/{OLD}")});
    assert_eq!(
        sim.send("POST", &format!("{members}/$ref"), Some(body)).await.status,
        204
    );
    assert!(sim.get(members).await.rows().iter().all(|row| row["id"] != OLD));
    let asked = json!({"groupIds": ["77777777-7777-4777-8777-777777777777"]});
    let path = format!("/v1.0/servicePrincipals/{OLD}/checkMemberGroups");
    assert!(sim.send("POST", &path, Some(asked)).await.rows().is_empty());
    sim.send("PATCH", "/_sim/behaviour", Some(json!({"lateDirectory": 0})))
        .await;
    assert!(sim.get(members).await.rows().iter().any(|row| row["id"] == OLD));
}

#[tokio::test]
async fn the_first_versions_of_resource_graph_answer_with_a_table() {
    let sim = with(json!({})).await;
    let ask = async |version: &str| {
        let path = QUERY.replace("2022-10-01", version);
        let query = json!({"query": "resources | project name | take 1"});
        sim.send("POST", &path, Some(query)).await.body["data"].clone()
    };
    assert_eq!(
        ask("2019-04-01").await["columns"],
        json!([{"name": "name", "type": "string"}])
    );
    assert!(ask("2021-03-01").await.is_array());
}
