//! Built-in role definitions, from `data/roles.toml`.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Role {
    name: String,
    guid: String,
    actions: Vec<String>,
    #[serde(default)]
    not_actions: Vec<String>,
    #[serde(default)]
    data_actions: Vec<String>,
}

#[derive(Deserialize)]
struct File {
    role: Vec<Role>,
}

static ALL: LazyLock<Vec<Value>> = LazyLock::new(|| {
    // Compiled in, and read by a test: it parses.
    let file = toml::from_str::<File>(include_str!("data/roles.toml"));
    file.map(|file| file.role.iter().map(document).collect())
        .unwrap_or_default()
});

static BY_GUID: LazyLock<HashMap<String, usize>> = LazyLock::new(|| {
    ALL.iter()
        .enumerate()
        .map(|(at, role)| (role["name"].as_str().unwrap_or_default().to_owned(), at))
        .collect()
});

fn document(role: &Role) -> Value {
    json!({
        "properties": {
            "roleName": role.name,
            "type": "BuiltInRole",
            "description": format!("Built-in role {}.", role.name),
            "assignableScopes": ["/"],
            "permissions": [{
                "actions": role.actions,
                "notActions": role.not_actions,
                "dataActions": role.data_actions,
                "notDataActions": [],
            }],
            "createdOn": "2015-02-02T21:55:09.8806423Z",
            "updatedOn": "2023-06-13T17:36:34.5400000Z",
            "createdBy": null,
            "updatedBy": null,
        },
        "id": format!("/providers/Microsoft.Authorization/roleDefinitions/{}", role.guid),
        "type": "Microsoft.Authorization/roleDefinitions",
        "name": role.guid,
    })
}

/// Every built-in role definition, with the tenant's form of id.
pub fn all() -> &'static [Value] {
    &ALL
}

/// The built-in role definition with this GUID.
pub fn by_guid(guid: &str) -> Option<&'static Value> {
    BY_GUID.get(&guid.to_ascii_lowercase()).map(|&at| &ALL[at])
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_well_known_roles_are_there() {
        assert!(super::all().len() >= 80);
        let reader = super::by_guid("ACDD72A7-3385-48ef-bd42-f606fba81ae7").unwrap();
        assert_eq!(reader["properties"]["roleName"], "Reader");
        assert_eq!(reader["properties"]["permissions"][0]["actions"][0], "*/read");
    }
}
