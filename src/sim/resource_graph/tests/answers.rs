use serde_json::{Value as Json, json};

use super::ask;

#[test]
fn an_answer_has_the_members_of_the_service_in_their_order() {
    let found = ask(&json!({"query": "resources | project id, name | take 1"})).unwrap();
    let keys: Vec<&String> = found.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["totalRecords", "count", "resultTruncated", "facets", "data"]);
    assert_eq!(
        (&found["totalRecords"], &found["resultTruncated"]),
        (&json!(1), &json!("false"))
    );
}

#[test]
fn pages_follow_each_other_until_the_last_and_lose_no_row() {
    let query = "resources | project id, name";
    let mut options = json!({"$top": 2});
    let (mut names, mut pages) = (Vec::new(), 0);
    loop {
        let found = ask(&json!({"query": query, "options": options})).unwrap();
        assert_eq!(found["totalRecords"], 5);
        names.extend(found["data"].as_array().unwrap().iter().map(|row| row["name"].clone()));
        pages += 1;
        match found.get("$skipToken") {
            Some(token) => options = json!({"$skipToken": token}),
            None => break,
        }
    }
    assert_eq!(
        (pages, names),
        (
            3,
            vec![
                json!("id-shop"),
                json!("kv-shop"),
                json!("app-shop"),
                json!("blue"),
                json!("lab1")
            ]
        )
    );
}

#[test]
fn a_skip_token_serves_only_its_own_query_and_page_size() {
    let first = ask(&json!({"query": "resources | project id", "options": {"$top": 2}})).unwrap();
    let with = |query: &str, top: Json| {
        ask(&json!({"query": query, "options": {"$top": top, "$skipToken": first["$skipToken"]}}))
    };
    assert!(with("resources | project id", json!(2)).is_ok());
    assert!(with("resources | project id", json!(3)).is_err());
    assert!(with("resources | project id, name", json!(2)).is_err());
    assert!(ask(&json!({"query": "resources", "options": {"$skipToken": "bm9uc2Vuc2U="}})).is_err());
}

#[test]
fn a_result_without_ids_or_with_a_limit_has_no_second_page() {
    for query in ["resources | project name", "resources | project id | take 4"] {
        let found = ask(&json!({"query": query, "options": {"$top": 2}})).unwrap();
        assert_eq!(
            (found.get("$skipToken"), &found["resultTruncated"], &found["count"]),
            (None, &json!("true"), &json!(2)),
            "{query}"
        );
    }
    let found = ask(&json!({"query": "resources | project name", "options": {"$skip": 4}})).unwrap();
    assert_eq!(found["data"], json!([{"name": "lab1"}]));
}

#[test]
fn the_table_form_names_the_types_of_its_columns() {
    let found = ask(&json!({"query": "resources | where name == 'kv-shop' | project name, n = 1, r = 1.5, b = true, d = now(), p = sku", "options": {"resultFormat": "table"}})).unwrap();
    let types: Vec<&Json> = found["data"]["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| &column["type"])
        .collect();
    assert_eq!(types, ["string", "integer", "number", "boolean", "datetime", "object"]);
    assert_eq!(found["data"]["rows"][0][0], "kv-shop");
}

#[test]
fn facets_count_the_values_of_the_result() {
    let found = ask(
        &json!({"query": "resources | project id, location, properties.state", "facets": [
        {"expression": "location", "options": {"$top": 1}},
        {"expression": "nothing"},
        {"expression": "location", "options": {"filter": "location contains 'west'", "sortOrder": "asc"}},
        {"expression": "properties.state"}]}),
    )
    .unwrap();
    assert_eq!(
        found["facets"][0],
        json!({"expression": "location", "resultType": "FacetResult", "totalRecords": 2, "count": 1, "data": [{"location": "eastus", "count": 4}]})
    );
    assert_eq!(
        found["facets"][1]["errors"][1]["message"],
        "Invalid column names: [nothing]."
    );
    assert_eq!(
        found["facets"][2]["data"],
        json!([{"location": "westeurope", "count": 1}])
    );
    assert_eq!(
        found["facets"][3]["data"][1],
        json!({"properties_state": "Running", "count": 1})
    );
}

#[test]
fn the_queries_of_the_official_examples_are_answered() {
    for query in [
        "Resources | project id, name, type, location, tags | limit 3",
        "Resources | project id, name, type, location | where type =~ 'Microsoft.Compute/virtualMachines' | summarize count() by location | top 3 by count_",
        "Resources | where type =~ 'Microsoft.Compute/virtualMachines' | project id, name, location, resourceGroup, properties.storageProfile.osDisk.osType | limit 5",
        "Resources | where type =~ 'Microsoft.Compute/virtualMachines' | summarize count() by tostring(properties.storageProfile.osDisk.osType)",
        "Resources | project id, name, type, location | summarize by location",
        "Resources | where name contains 'test' | project id, name, type, location",
    ] {
        assert!(ask(&json!({"query": query})).is_ok(), "{query}");
    }
}
