//! Management groups: the tree, its places, and how a group comes to be.

use super::*;

const GROUPS: &str = "/providers/Microsoft.Management/managementGroups";
const TENANT: &str = "11111111-1111-4111-8111-111111111111";

fn group(name: &str) -> String {
    format!("{GROUPS}/{name}?api-version=2021-04-01")
}

async fn tree() -> Sim {
    let sim = Sim::new(shop()).await;
    for (name, parent) in [("corp", TENANT), ("eu", "corp")] {
        let body = json!({"properties": {"displayName": name.to_uppercase(),
            "details": {"parent": {"id": format!("{GROUPS}/{parent}")}}}});
        assert_eq!(sim.put(&group(name), body).await.status, 202);
    }
    let place = format!("{GROUPS}/eu{SUB}?api-version=2021-04-01");
    assert_eq!(sim.send("PUT", &place, None).await.status, 200);
    sim
}

#[tokio::test]
async fn a_group_is_made_in_the_background() {
    let sim = Sim::with(Options {
        estate: shop(),
        lag: Some(Duration::from_mins(1)),
        ..Options::default()
    })
    .await;
    let made = sim
        .put(&group("corp"), json!({"properties": {"displayName": "Corp"}}))
        .await;
    assert_eq!((made.status, &made.body["status"]), (202, &json!("NotStarted")));
    assert!(made.header("x-ms-ratelimit-remaining-tenant-writes").is_some());
    let location = made.header("location").unwrap();
    assert!(location.contains("/providers/Microsoft.Management/operationResults/create/managementGroups/corp?"));
    let running = sim.get(location).await;
    assert_eq!((running.status, &running.body["status"]), (202, &json!("Running")));
    let early = sim.get(&group("corp")).await;
    assert_eq!((early.status, early.code()), (400, "BadRequest"));
    assert_eq!(
        early.message(),
        "Reader level access is required on the management group or group ancestors."
    );
    let sim = tree().await;
    let made = sim.put(&group("lab"), json!({})).await;
    let end = sim.get(made.header("location").unwrap()).await;
    assert_eq!(
        (end.status, &end.body["status"], &end.body["properties"]["displayName"]),
        (200, &json!("Succeeded"), &json!("lab"))
    );
    assert_eq!(sim.delete(&group("lab")).await.status, 202);
    assert_eq!(sim.delete(&group("eu")).await.status, 400);
}

#[tokio::test]
async fn a_group_is_shown_with_its_parent_and_what_is_asked_for() {
    let sim = tree().await;
    let eu = sim.get(&group("eu")).await;
    assert_eq!(
        (&eu.body["type"], &eu.body["name"]),
        (&json!("Microsoft.Management/managementGroups"), &json!("eu"))
    );
    let properties = &eu.body["properties"];
    assert_eq!(
        (&properties["tenantId"], &properties["displayName"]),
        (&json!(TENANT), &json!("EU"))
    );
    assert_eq!(
        properties["details"]["parent"],
        json!({"id": format!("{GROUPS}/corp"), "name": "corp", "displayName": "CORP"})
    );
    let old = sim.get(&group("eu").replace("2021-04-01", "2019-11-01")).await;
    assert_eq!(old.body["type"], "/providers/Microsoft.Management/managementGroups");
    let flat = sim.get(&(group(TENANT) + "&$expand=children")).await;
    assert_eq!(flat.body["properties"]["children"].as_array().unwrap().len(), 1);
    let deep = sim.get(&(group(TENANT) + "&$expand=children&$recurse=true")).await;
    let leaf = &deep.body["properties"]["children"][0]["children"][0]["children"][0];
    assert_eq!(
        (&leaf["type"], &leaf["displayName"]),
        (&json!("/subscriptions"), &json!("Shop"))
    );
    let up = sim.get(&(group("eu") + "&$expand=ancestors")).await;
    assert_eq!(
        up.body["properties"]["details"]["managementGroupAncestorsChain"],
        json!([{"name": "corp", "displayName": "CORP"}, {"name": TENANT, "displayName": "Root"}])
    );
    let path = sim.get(&(group("eu") + "&$expand=path")).await;
    assert_eq!(path.body["properties"]["details"]["path"][0]["name"], TENANT);
    assert_eq!(sim.get(&group("none")).await.status, 404);
}

#[tokio::test]
async fn what_lies_below_and_everything_seen_are_listed() {
    let sim = tree().await;
    let below = sim
        .get(&format!("{GROUPS}/{TENANT}/descendants?api-version=2021-04-01"))
        .await;
    let kinds: Vec<&Value> = below.rows().iter().map(|row| &row["type"]).collect();
    assert_eq!(
        kinds,
        [
            "Microsoft.Management/managementGroups",
            "Microsoft.Management/managementGroups",
            "Microsoft.Management/managementGroups/subscriptions"
        ]
    );
    let all = sim
        .send(
            "POST",
            "/providers/Microsoft.Management/getEntities?api-version=2021-04-01",
            None,
        )
        .await;
    assert_eq!((all.rows().len(), &all.body["count"]), (4, &json!(4)));
    let subscription = all.rows().iter().find(|row| row["type"] == "/subscriptions").unwrap();
    assert_eq!(
        subscription["properties"]["parentNameChain"],
        json!([TENANT, "corp", "eu"])
    );
    assert_eq!(
        subscription["properties"]["parent"]["id"],
        json!(format!("{GROUPS}/eu"))
    );
    let place = sim.get(&format!("{GROUPS}/eu{SUB}?api-version=2021-04-01")).await;
    assert_eq!(
        place.body["properties"],
        json!({"tenant": TENANT, "displayName": "Shop", "parent": {"id": format!("{GROUPS}/eu")}, "state": "Active"})
    );
    assert_eq!(
        sim.get(&format!("{GROUPS}/eu/subscriptions?api-version=2021-04-01"))
            .await
            .rows()
            .len(),
        1
    );
    assert!(
        sim.get(&format!("{GROUPS}/{TENANT}/subscriptions?api-version=2021-04-01"))
            .await
            .rows()
            .is_empty()
    );
    assert_eq!(
        sim.get(&format!("{GROUPS}?api-version=2021-04-01")).await.rows().len(),
        3
    );
}

#[tokio::test]
async fn groups_in_a_circle_end() {
    let mut estate = shop();
    for (name, parent) in [("a", "b"), ("b", "a")] {
        estate["arm"]["resources"]
            .as_array_mut()
            .unwrap()
            .push(json!({"id": format!("{GROUPS}/{name}"), "name": name,
            "type": "Microsoft.Management/managementGroups",
            "properties": {"details": {"parent": {"id": format!("{GROUPS}/{parent}")}}}}));
    }
    let sim = Sim::new(estate).await;
    assert_eq!(
        sim.get(&(group("a") + "&$expand=children&$recurse=true")).await.status,
        200
    );
    assert_eq!(
        sim.send(
            "POST",
            "/providers/Microsoft.Management/getEntities?api-version=2021-04-01",
            None
        )
        .await
        .status,
        200
    );
}
