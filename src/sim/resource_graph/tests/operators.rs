use serde_json::json;

use super::{ROLE, rows, xs};

#[test]
fn types_places_and_groups_are_in_lower_case_and_ids_are_not() {
    let found = rows(
        "resources | where name == 'app-shop' | project id, type, location, resourceGroup, subscriptionId, tenantId",
    );
    assert_eq!(
        found,
        json!([{"id": "/subscriptions/s1/resourceGroups/rg-Shop/providers/Microsoft.Web/sites/app-shop", "type": "microsoft.web/sites",
            "location": "eastus", "resourceGroup": "rg-shop", "subscriptionId": "s1", "tenantId": "t1"}])
    );
}

#[test]
fn the_resources_table_holds_top_level_resources_and_tracked_children() {
    assert_eq!(
        xs("resources | project x = name"),
        json!(["id-shop", "kv-shop", "app-shop", "blue", "lab1"])
    );
    assert_eq!(xs("where name startswith 'kv' | project x = name"), json!(["kv-shop"]));
    assert_eq!(xs("RESOURCES | take 1 | project x = name"), json!(["id-shop"]));
}

#[test]
fn a_whole_row_has_the_columns_of_the_service() {
    let found = rows("resources | where name == 'lab1'");
    let keys: Vec<&String> = found[0].as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "id",
            "name",
            "type",
            "tenantId",
            "kind",
            "location",
            "resourceGroup",
            "subscriptionId",
            "managedBy",
            "sku",
            "plan",
            "properties",
            "tags",
            "identity",
            "zones",
            "extendedLocation"
        ]
    );
}

#[test]
fn users_of_an_identity_are_found_by_its_id_in_any_case() {
    let id =
        "/subscriptions/s1/resourcegroups/rg-shop/providers/microsoft.managedidentity/userassignedidentities/id-shop";
    let query = format!(
        "resources | where identity has 'userassigned' | mv-expand k = bag_keys(identity.userAssignedIdentities) | where tolower(tostring(k)) == '{id}' | project x = name, t = identity.type"
    );
    assert_eq!(
        rows(&query),
        json!([{"x": "app-shop", "t": "SystemAssigned, UserAssigned"}])
    );
    let query = format!("resources | where identity has '{id}' | project x = name");
    assert_eq!(xs(&query), json!(["app-shop"]));
    assert_eq!(
        xs("resources | extend t = tolower(tostring(pack_all())) | where t contains 'p1' | project x = name"),
        json!(["id-shop", "kv-shop", "app-shop"])
    );
}

#[test]
fn columns_are_chosen_made_and_renamed() {
    let one = "resources | where name == 'kv-shop'";
    assert_eq!(
        rows(&format!(
            "{one} | project name, properties.size, s = sku['name'], tostring(properties.enabled), 1 + 1"
        )),
        json!([{"name": "kv-shop", "properties_size": 3, "s": "standard", "properties_enabled": "true", "Column5": 2}])
    );
    assert_eq!(
        rows(&format!(
            "{one} | project name, kind | extend kind = 'k', n = strlen(name), m = n + 1"
        )),
        json!([{"name": "kv-shop", "kind": "k", "n": 7, "m": 8}])
    );
    assert_eq!(
        rows(&format!(
            "{one} | project-keep name, ten*, location | project-away ten* | project-rename place = location"
        )),
        json!([{"name": "kv-shop", "place": "eastus"}])
    );
}

#[test]
fn groups_are_counted_and_collected() {
    assert_eq!(
        rows("resources | summarize count() by location | top 1 by count_"),
        json!([{"location": "eastus", "count_": 4}])
    );
    assert_eq!(
        rows("resources | summarize by subscriptionId"),
        json!([{"subscriptionId": "s1"}, {"subscriptionId": "s2"}])
    );
    assert_eq!(
        rows(
            "resources | summarize n = count(), types = dcount(type), total = sum(toint(properties.size)), low = min(toint(properties.size)), mean = avg(toint(properties.size))"
        ),
        json!([{"n": 5, "types": 5, "total": 20, "low": 3, "mean": 20.0 / 3.0}])
    );
    assert_eq!(
        rows(
            "resources | summarize make_list(name), make_set(location), countif(location == 'eastus') by subscriptionId | where subscriptionId == 's2'"
        ),
        json!([{"subscriptionId": "s2", "list_name": ["lab1"], "set_location": ["westeurope"], "countif_": 0}])
    );
    assert_eq!(
        rows(
            "resources | summarize arg_max(toint(properties.size), name) by subscriptionId | project subscriptionId, name"
        ),
        json!([{"subscriptionId": "s1", "name": "app-shop"}, {"subscriptionId": "s2", "name": ""}])
    );
    assert_eq!(
        rows(
            "resources | where isnotnull(properties.size) | summarize arg_min(toint(properties.size), *) | project name, type"
        ),
        json!([{"name": "kv-shop", "type": "microsoft.keyvault/vaults"}])
    );
    assert_eq!(
        rows("resources | where name == 'none' | summarize count(), sum(toint(properties.size))"),
        json!([{"count_": 0, "sum_properties_size": 0}])
    );
    assert_eq!(
        rows("resources | summarize x = strcat_array(make_list(name, 2), '+')"),
        json!([{"x": "id-shop+kv-shop"}])
    );
    assert_eq!(
        rows("resources | summarize take_any(location), bag = make_bag(tags) by subscriptionId | take 1"),
        json!([{"subscriptionId": "s1", "location": "eastus", "bag": {"team": "shop", "env": "prod"}}])
    );
    assert_eq!(rows("resources | extend d = todatetime(properties.created) | where isnotnull(d) | summarize count() by bin(d, 7d)").as_array().unwrap().len(), 1);
    assert_eq!(rows("resources | count"), json!([{"Count": 5}]));
    assert_eq!(
        rows("resources | distinct location, subscriptionId | count"),
        json!([{"Count": 2}])
    );
}

#[test]
fn rows_are_put_in_order_with_nulls_where_asked() {
    let sized = "resources | extend s = toint(properties.size)";
    assert_eq!(
        xs(&format!("{sized} | order by s | project x = s")),
        json!([10, 7, 3, null, null])
    );
    assert_eq!(
        xs(&format!("{sized} | order by s asc | project x = s")),
        json!([null, null, 3, 7, 10])
    );
    assert_eq!(
        xs(&format!(
            "{sized} | sort by s asc nulls last, name desc | project x = name"
        )),
        json!(["kv-shop", "blue", "app-shop", "lab1", "id-shop"])
    );
    assert_eq!(
        xs(&format!("{sized} | top 2 by s desc | project x = s")),
        json!([10, 7])
    );
}

#[test]
fn arrays_and_bags_become_rows() {
    assert_eq!(
        xs("resources | mv-expand p = properties.accessPolicies | where isnotnull(p) | project x = p.objectId"),
        json!(["p1", "p2"])
    );
    assert_eq!(
        xs("resources | where name == 'app-shop' | mv-expand tags | project x = tags"),
        json!([{"team": "Shop"}, {"env": "prod"}])
    );
    assert_eq!(
        xs("resources | where name == 'app-shop' | mv-expand bagexpansion=array t = tags | project x = t"),
        json!([["team", "Shop"], ["env", "prod"]])
    );
    assert_eq!(
        rows(
            "resources | where name == 'kv-shop' | mv-expand with_itemindex=i p = properties.accessPolicies limit 1 | project i, p.objectId"
        ),
        json!([{"i": 0, "p_objectId": "p1"}])
    );
    assert_eq!(
        xs("resources | where name == 'lab1' | mv-expand t = split('1,2', ',') to typeof(int) | project x = t"),
        json!([1, 2])
    );
    // An empty array makes no row, a missing one makes one.
    assert_eq!(
        xs("resources | where type has 'sites' | mv-expand p = properties.accessPolicies | project x = name"),
        json!(["blue"])
    );
}

#[test]
fn role_assignments_are_joined_to_their_roles() {
    let query = "authorizationresources | where type =~ 'microsoft.authorization/roleassignments' | where tostring(properties.principalId) == 'p1'
        | project name, scope = tostring(properties.scope), role = tolower(tostring(properties.roleDefinitionId))
        | join kind=leftouter (authorizationresources | where type == 'microsoft.authorization/roledefinitions'
            | project role = tolower(id), roleName = tostring(properties.roleName)) on role
        | project name, scope, roleName, role | order by name asc";
    let found = rows(query);
    assert_eq!(
        found[0],
        json!({"name": "a1", "scope": "/subscriptions/s1/resourceGroups/rg-Shop", "roleName": "Reader",
        "role": format!("/providers/microsoft.authorization/roledefinitions/{ROLE}")})
    );
    assert_eq!(found.as_array().unwrap().len(), 3);
}

#[test]
fn joins_keep_the_rows_that_their_kind_says() {
    let left = "resources | where subscriptionId == 's1' | project name, size = toint(properties.size)";
    let right = "(resources | where name in ('kv-shop', 'lab1') | project other = name, location)";
    let join = |kind: &str| rows(&format!("{left} | join {kind} {right} on $left.name == $right.other"));
    assert_eq!(
        join("kind=inner"),
        json!([{"name": "kv-shop", "size": 3, "other": "kv-shop", "location": "eastus"}])
    );
    assert_eq!(join("kind=leftanti").as_array().unwrap().len(), 3);
    assert_eq!(join("kind=leftsemi"), json!([{"name": "kv-shop", "size": 3}]));
    assert_eq!(join("kind=leftouter").as_array().unwrap().len(), 4);
    assert_eq!(
        join("kind=leftouter")[0],
        json!({"name": "id-shop", "size": null, "other": "", "location": ""})
    );
    assert_eq!(join("kind=rightouter").as_array().unwrap().len(), 2);
    assert_eq!(join("kind=fullouter").as_array().unwrap().len(), 5);
    assert_eq!(join("")[0]["name"], "kv-shop");
    // One left row a key by default, all of them with `inner`; a name that is taken gets a number.
    let by = "resources | project subscriptionId, name | join KIND (resources | where name == 'kv-shop' | project subscriptionId, name) on subscriptionId";
    assert_eq!(
        rows(&by.replace("KIND", "")),
        json!([{"subscriptionId": "s1", "name": "id-shop", "subscriptionId1": "s1", "name1": "kv-shop"}])
    );
    assert_eq!(rows(&by.replace("KIND", "kind=inner")).as_array().unwrap().len(), 4);
}

#[test]
fn tables_are_united_by_column_names() {
    let found = rows(
        "resources | where name == 'lab1' | project name, a = 1 | union (resourcecontainers | where name == 'Lab' | project name, b = 'x')",
    );
    assert_eq!(
        found,
        json!([{"name": "lab1", "a": 1, "b": ""}, {"name": "Lab", "a": null, "b": "x"}])
    );
    assert_eq!(
        rows("union resources, resourcecontainers | count"),
        json!([{"Count": 10}])
    );
    assert_eq!(
        rows("union withsource=t (resources | take 1), resourcecontainers | summarize count() by t")
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn a_text_is_parsed_into_columns() {
    let found = rows(
        "resources | where name == 'kv-shop' | parse id with '/subscriptions/' sub '/resourceGroups/' * '/providers/' rest | project sub, rest",
    );
    assert_eq!(
        found,
        json!([{"sub": "s1", "rest": "Microsoft.KeyVault/vaults/kv-shop"}])
    );
    assert_eq!(xs("resources | parse-where name with 'lab' x:int"), json!([1]));
    assert_eq!(
        xs("resources | parse name with 'lab' x:int"),
        json!([null, null, null, null, 1])
    );
}

#[test]
fn containers_show_their_place_in_the_hierarchy() {
    assert_eq!(
        rows(
            "resourcecontainers | where type == 'microsoft.resources/subscriptions' | project name, chain = properties.managementGroupAncestorsChain, state = properties.state"
        )[0],
        json!({"name": "Shop", "chain": [{"displayName": "Corp", "name": "corp"}, {"displayName": "Tenant Root Group", "name": "t1"}], "state": "Enabled"})
    );
    assert_eq!(
        xs("resourcecontainers | where type == 'microsoft.resources/subscriptions/resourcegroups' | project x = name"),
        json!(["rg-Shop"])
    );
    assert_eq!(
        xs(
            "resourcecontainers | where type == 'microsoft.management/managementgroups' | project x = array_length(properties.details.managementGroupAncestorsChain)"
        ),
        json!([0, 1])
    );
}
