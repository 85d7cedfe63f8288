//! A user's own sources and finders: those that the documentation shows, word for word, and what they look for.

use serde_json::{Value, json};

/// Where an example stands, and the file that a reader makes of it.
const EXAMPLES: [(&str, &str, &str); 3] = [
    (
        "stdlib/README.md",
        "## Writing a permission source",
        "permissions/redis_policies.rhai",
    ),
    (
        "stdlib/README.md",
        "## Writing a binding finder",
        "bindings/named_values.rhai",
    ),
    (
        "docs/scripting.md",
        "## A permission source",
        "permissions/deployers.rhai",
    ),
];

/// A directory with the documented examples, as `--scripts` takes it.
pub fn scripts() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (page, heading, file) in EXAMPLES {
        let text = std::fs::read_to_string(super::root().join(page)).unwrap();
        let example = text
            .split_once(heading)
            .and_then(|(_, below)| below.split_once("```rhai\n"))
            .and_then(|(_, code)| code.split_once("```"))
            .map(|(code, _)| code);
        let path = directory.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(
            path,
            example.unwrap_or_else(|| panic!("{page} has no example under {heading}")),
        )
        .unwrap();
    }
    directory
}

/// The demo estate, with what the documented examples look for.
pub fn demo() -> Value {
    let path = super::root().join("src/sim/estates/demo.json");
    let mut estate: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let id = estate["demo"]["relocate"]["identity"].as_str().unwrap().to_owned();
    let group = id.split("/providers/").next().unwrap().to_owned();
    let documents = estate["arm"]["resources"].as_array_mut().unwrap();
    let ids = documents.iter().find(|document| document["id"] == json!(id)).unwrap()["properties"].clone();

    let tagged = documents
        .iter_mut()
        .find(|document| document["id"] == json!(group))
        .unwrap();
    tagged["tags"]["deployers"] = json!(format!("somebody,{}", ids["principalId"].as_str().unwrap()));

    let cache = format!("{group}/providers/Microsoft.Cache/redis/redis-orders");
    let service = documents
        .iter()
        .find(|document| document["type"] == json!("Microsoft.ApiManagement/service"))
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    documents.extend([
        json!({
            "id": cache, "name": "redis-orders", "type": "Microsoft.Cache/redis", "location": "eastus",
            "properties": { "sku": { "name": "Standard", "family": "C", "capacity": 1 } },
        }),
        json!({
            "id": format!("{cache}/accessPolicyAssignments/orders"), "name": "orders",
            "type": "Microsoft.Cache/redis/accessPolicyAssignments",
            "properties": { "objectId": ids["principalId"], "objectIdAlias": "id-orders", "accessPolicyName": "Data Contributor" },
        }),
        json!({
            "id": format!("{service}/namedValues/orders-key"), "name": "orders-key",
            "type": "Microsoft.ApiManagement/service/namedValues",
            "properties": {
                "displayName": "orders-key", "secret": true,
                "keyVault": { "identityClientId": ids["clientId"], "secretIdentifier": "https://kv-orders.vault.azure.net/secrets/key" },
            },
        }),
    ]);
    estate
}
