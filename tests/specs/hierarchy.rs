//! Management groups with what is below them, and the rows of Resource Graph as resources.

use ferry::types::ResourceId;
use serde_json::{Map, Value, json};

use super::estate::{Estate, TENANT};

impl Estate {
    /// Adds the management groups that an answer tells of, with their parents and subscriptions.
    pub fn groups_of_management(&mut self, answer: &Value) {
        let root = format!("/providers/Microsoft.Management/managementGroups/{TENANT}");
        let rows = answer["value"]
            .as_array()
            .cloned()
            .unwrap_or_else(|| vec![answer.clone()]);
        for row in rows {
            self.management(&row, &root);
        }
    }

    fn management(&mut self, row: &Value, above: &str) {
        let Some(id) = row["id"]
            .as_str()
            .filter(|id| id.contains("/managementGroups/") || id.starts_with("/subscriptions/"))
        else {
            return;
        };
        let Ok(id) = ResourceId::parse(id) else { return };
        let properties = &row["properties"];
        let told = [&properties["details"]["parent"], &properties["parent"], &row["parent"]];
        let parent = told.into_iter().find(|parent| parent["id"].is_string()).cloned();
        if !row["id"].as_str().unwrap_or_default().contains("/managementGroups/")
            && parent.is_none()
            && above.ends_with(TENANT)
        {
            return;
        }
        if let Some(parent) = &parent {
            self.management(parent, above);
        }
        let parent = parent.unwrap_or_else(|| json!({ "id": above }));
        let name = properties["displayName"]
            .as_str()
            .or_else(|| row["displayName"].as_str());
        let name = name.unwrap_or_else(|| id.name()).to_owned();
        if id.is_type("Microsoft.Resources/subscriptions") {
            let link = format!("{}{}", parent["id"].as_str().unwrap(), id.as_str());
            self.put(&id, json!({ "displayName": name }));
            self.put(
                &ResourceId::parse(&link).unwrap(),
                json!({"properties": {"displayName": name}}),
            );
        } else if id.is_type("Microsoft.Management/managementGroups/subscriptions") {
            let own = ResourceId::parse(&format!("/subscriptions/{}", id.name())).unwrap();
            self.put(&own, json!({ "displayName": name }));
            self.put(&id, json!({"properties": {"displayName": name}}));
        } else {
            let parent = if id.name() == TENANT { Value::Null } else { parent };
            self.put(
                &id,
                json!({"properties": {"displayName": name, "details": {"parent": parent}}}),
            );
        }
        for child in properties["children"]
            .as_array()
            .or_else(|| row["children"].as_array())
            .into_iter()
            .flatten()
        {
            self.management(child, id.as_str());
        }
    }

    pub fn scope(&mut self, group: bool, id: &str) {
        let prefix = if group {
            "/providers/Microsoft.Management/managementGroups"
        } else {
            "/subscriptions"
        };
        let root = json!({"properties": {"details": {"parent": null}}});
        self.put(
            &ResourceId::parse(&format!("{prefix}/{id}")).unwrap(),
            if group { root } else { json!({}) },
        );
    }

    /// Puts every subscription below every management group of a query.
    pub fn connect(&mut self) {
        let of = |kind: &str| -> Vec<String> {
            let documents = self
                .documents
                .iter()
                .filter(|document| document["type"].as_str() == Some(kind));
            documents
                .map(|document| document["id"].as_str().unwrap().to_owned())
                .collect()
        };
        let (groups, subscriptions) = (
            of("Microsoft.Management/managementGroups"),
            of("Microsoft.Resources/subscriptions"),
        );
        if let Some(group) = groups.first() {
            for subscription in subscriptions {
                self.put(
                    &ResourceId::parse(&format!("{group}{subscription}")).unwrap(),
                    json!({}),
                );
            }
        }
    }

    /// Adds the resources of a row of Resource Graph: one, or as many as the row counts.
    pub fn row(&mut self, row: &Value, query: &str) {
        let count = ["count", "count_"]
            .iter()
            .find_map(|name| row[name].as_u64())
            .unwrap_or(1);
        let machine = "Microsoft.Compute/virtualMachines";
        for _ in 0..count {
            let made = format!(
                "/subscriptions/cfbbd179-59d2-4052-aa06-9270a38aa9d6/resourceGroups/RG1/providers/{machine}/test{}",
                self.known.len()
            );
            let id = ResourceId::parse(row["id"].as_str().unwrap_or(&made)).unwrap();
            let mut document = Map::new();
            for (name, value) in row.as_object().unwrap() {
                if let Some(path) = name.strip_prefix("properties_") {
                    let nested = path
                        .rsplit('_')
                        .fold(value.clone(), |inner, name| json!({ name: inner }));
                    document.insert("properties".into(), nested);
                } else if ["location", "tags"].contains(&name.as_str()) {
                    document.insert(name.clone(), value.clone());
                }
            }
            assert!(row["id"].is_string() || query.contains("summarize"), "{row}");
            self.above(&id);
            self.put(&id, Value::Object(document));
        }
    }
}
