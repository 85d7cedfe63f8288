//! Lists: pages that follow each other, empty ones among them, and filters.

use super::*;

async fn walk(sim: &Sim, first: &str) -> (Vec<Value>, usize) {
    let (mut path, mut rows, mut pages) = (first.to_owned(), Vec::new(), 0);
    loop {
        let page = sim.get(&path).await;
        assert_eq!(page.status, 200, "{:?}", page.body);
        rows.extend(page.rows().iter().cloned());
        pages += 1;
        match page.body["nextLink"].as_str() {
            Some(next) => path = next.to_owned(),
            None => return (rows, pages),
        }
    }
}

#[tokio::test]
async fn pages_may_be_empty_and_lead_on_all_the_same() {
    let sim = Sim::with(Options {
        estate: shop(),
        page_size: Some(2),
        behaviour: [("emptyPages".to_owned(), json!(true))].into_iter().collect(),
        lag: Some(Duration::ZERO),
        ..Options::default()
    })
    .await;
    for n in 0..4 {
        sim.put(&identity(&format!("id-{n}")), json!({"location": "eastus"}))
            .await;
    }
    for path in [
        format!("{RG}/{MSI}?api-version=2024-11-30"),
        format!("{SUB}/resources?api-version=2021-04-01"),
        format!("{RG}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01"),
    ] {
        let first = sim.get(&path).await;
        assert!(
            first.rows().is_empty() && first.body["nextLink"].is_string(),
            "{:?}",
            first.body
        );
        let (rows, pages) = walk(&sim, &path).await;
        assert_eq!(pages, 2 * rows.len().div_ceil(2), "{path}");
    }
    assert_eq!(
        walk(&sim, &format!("{RG}/{MSI}?api-version=2024-11-30")).await.0.len(),
        5
    );
}

#[tokio::test]
async fn a_list_of_nothing_is_empty_and_ends() {
    let sim = Sim::new(shop()).await;
    let none = sim
        .get(&format!(
            "{RG}/providers/Microsoft.Compute/disks?api-version=2024-03-02"
        ))
        .await;
    assert_eq!((none.status, &none.body), (200, &json!({"value": []})));
}

#[tokio::test]
async fn resources_are_found_by_type_name_place_tag_and_group() {
    let mut estate = shop();
    let documents = estate["arm"]["resources"].as_array_mut().unwrap();
    documents.push(
        json!({"id": format!("{SUB}/resourceGroups/rg-lab"), "type": "Microsoft.Resources/resourceGroups",
        "location": "westeurope"}),
    );
    documents.push(
        json!({"id": format!("{SUB}/resourceGroups/rg-lab/providers/Microsoft.KeyVault/vaults/kv-lab"),
        "type": "Microsoft.KeyVault/vaults", "location": "West Europe", "tags": {"Team": "lab"}, "properties": {}}),
    );
    let sim = Sim::new(estate).await;
    let names = async |filter: &str| {
        let path = format!("{SUB}/resources?api-version=2021-04-01&$filter={filter}");
        let reply = sim.get(&path).await;
        let mut names: Vec<String> = reply
            .rows()
            .iter()
            .map(|row| row["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names.join(" ")
    };
    assert_eq!(names("resourceType eq 'microsoft.keyvault/VAULTS'").await, "kv kv-lab");
    assert_eq!(names("name eq 'KV'").await, "kv");
    assert_eq!(names("location eq 'westeurope'").await, "kv-lab");
    assert_eq!(names("tagName eq 'team' and tagValue eq 'lab'").await, "kv-lab");
    assert_eq!(names("resourceGroup eq 'rg-lab'").await, "kv-lab");
    let wrong = sim
        .get(&format!("{SUB}/resources?api-version=2021-04-01&$filter=name like 'x'"))
        .await;
    assert_eq!(wrong.status, 400);
    let expanded = sim
        .get(&format!(
            "{RG}/resources?api-version=2021-04-01&$expand=createdTime,changedTime,provisioningState&$top=1"
        ))
        .await;
    let row = &expanded.rows()[0];
    assert_eq!(expanded.rows().len(), 1);
    assert!(row["createdTime"].is_string() && row["changedTime"].is_string() && row["provisioningState"].is_string());
    assert!(row.get("properties").is_none());
}
