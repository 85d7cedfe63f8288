//! Which table shows a document, and what the table shows in place of stored members.

use std::rc::Rc;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::hierarchy::{Hierarchy, group_of};
use super::row::{Shown, segment};
use super::tables::Tables;
use super::text::lower;

/// The default table: resources.
pub const RESOURCES: &str = "resources";
/// Subscriptions, resource groups, management groups.
pub const CONTAINERS: &str = "resourcecontainers";
/// Role assignments and definitions.
pub const AUTHORIZATION: &str = "authorizationresources";
/// Policy definitions, assignments, exemptions, states.
pub const POLICY: &str = "policyresources";

/// All tables; those that no document goes to are empty.
pub const TABLES: [&str; 32] = [
    RESOURCES,
    CONTAINERS,
    AUTHORIZATION,
    POLICY,
    "advisorresources",
    "alertsmanagementresources",
    "appserviceresources",
    "chaosresources",
    "computeresources",
    "desktopvirtualizationresources",
    "dnsresources",
    "edgeorderresources",
    "extendedlocationresources",
    "featureresources",
    "guestconfigurationresources",
    "healthresourcechanges",
    "healthresources",
    "insightsresources",
    "iotsecurityresources",
    "kubernetesconfigurationresources",
    "maintenanceresources",
    "networkresources",
    "orbitalresources",
    "patchassessmentresources",
    "patchinstallationresources",
    "quotaresources",
    "recoveryservicesresources",
    "resourcechanges",
    "resourcecontainerchanges",
    "securityresources",
    "servicehealthresources",
    "spotresources",
];

/// Namespaces that have a table of their own.
const NAMESPACES: [(&str, &str); 6] = [
    ("microsoft.policyinsights", POLICY),
    ("microsoft.kubernetesconfiguration", "kubernetesconfigurationresources"),
    ("microsoft.resourcehealth", "healthresources"),
    ("microsoft.advisor", "advisorresources"),
    ("microsoft.guestconfiguration", "guestconfigurationresources"),
    ("microsoft.quota", "quotaresources"),
];

/// Types that have another table than their like.
const TYPES: [(&str, &str); 15] = [
    ("microsoft.resources/subscriptions", CONTAINERS),
    ("microsoft.resources/resourcegroups", CONTAINERS),
    ("microsoft.resources/subscriptions/resourcegroups", CONTAINERS),
    ("microsoft.management/managementgroups", CONTAINERS),
    ("microsoft.authorization/roleassignments", AUTHORIZATION),
    ("microsoft.authorization/roledefinitions", AUTHORIZATION),
    ("microsoft.authorization/classicadministrators", AUTHORIZATION),
    ("microsoft.authorization/policyassignments", POLICY),
    ("microsoft.authorization/policydefinitions", POLICY),
    ("microsoft.authorization/policysetdefinitions", POLICY),
    ("microsoft.authorization/policyexemptions", POLICY),
    ("microsoft.insights/datacollectionruleassociations", "insightsresources"),
    ("microsoft.maintenance/configurationassignments", "maintenanceresources"),
    (
        "microsoft.compute/virtualmachinescalesets/virtualmachines",
        "computeresources",
    ),
    (
        "microsoft.dataprotection/backupvaults/backupinstances",
        "recoveryservicesresources",
    ),
];

/// Namespaces whose other types are in no table.
const HIDDEN: [&str; 2] = ["microsoft.authorization", "microsoft.management"];

/// Types of `Microsoft.Resources` that are resources; deployments, tags and others are not.
const OF_RESOURCES: [&str; 4] = [
    "deploymentscripts",
    "templatespecs",
    "templatespecs/versions",
    "changes",
];

/// Children that carry a location in their documents and are in no table all the same.
const NOT_TRACKED: [&str; 5] = [
    "config",
    "federatedidentitycredentials",
    "sqlroleassignments",
    "hostnamebindings",
    "sourcecontrols",
];

/// The table that shows a document, if one does.
pub fn table_of(document: &Json) -> Option<&'static str> {
    let id = document.get("id")?.as_str()?;
    let kind = lower(document.get("type")?.as_str()?.trim_start_matches('/'));
    let kind = kind.strip_prefix("providers/").unwrap_or(&kind);
    if let Some((_, table)) = TYPES.iter().find(|(name, _)| *name == kind) {
        return Some(table);
    }
    let (namespace, rest) = kind.split_once('/')?;
    if let Some((_, table)) = NAMESPACES.iter().find(|(name, _)| *name == namespace) {
        return Some(table);
    }
    if matches!(kind, "microsoft.web/sites/config" | "microsoft.web/sites/slots/config") {
        let site = id
            .rsplit('/')
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case("web"));
        return site.then_some("appserviceresources");
    }
    if HIDDEN.contains(&namespace) || (namespace == "microsoft.resources" && !OF_RESOURCES.contains(&rest)) {
        return None;
    }
    let extension = lower(id).matches("/providers/").count() > 1;
    let child = rest.rsplit_once('/').map(|(_, last)| last);
    let tracked = child.is_none_or(|last| document.get("location").is_some() && !NOT_TRACKED.contains(&last));
    (!extension && tracked).then_some(RESOURCES)
}

/// The scope of an extension document such as a role assignment: what stands before its last `/providers/`.
pub fn scope_of(id: &str) -> &str {
    lower(id).rfind("/providers/").and_then(|at| id.get(..at)).unwrap_or("")
}

/// What a table shows in place of stored members.
pub fn shown(table: &str, document: &Json, tree: &Hierarchy, tables: &dyn Tables) -> Option<Rc<Shown>> {
    let id = document.get("id").and_then(Json::as_str).unwrap_or_default();
    let properties = || {
        document
            .get("properties")
            .and_then(Json::as_object)
            .cloned()
            .unwrap_or_default()
    };
    let name = id.rsplit('/').next().unwrap_or_default();
    match table {
        CONTAINERS => {
            if let Some(group) = group_of(id) {
                let mut properties = properties();
                if let Some(details) = properties.entry("details").or_insert_with(|| json!({})).as_object_mut() {
                    details.insert("managementGroupAncestorsChain".to_owned(), tree.chain_of_group(group));
                }
                return Some(Rc::new(Shown {
                    properties: Some(Arc::new(Json::Object(properties))),
                    ..Shown::default()
                }));
            }
            if segment(id, "resourcegroups").is_some() {
                let kind = Some("microsoft.resources/subscriptions/resourcegroups".into());
                return Some(Rc::new(Shown {
                    kind,
                    ..Shown::default()
                }));
            }
            Some(Rc::new(subscription(document, properties(), tree, name)))
        }
        AUTHORIZATION => {
            let kind = document
                .get("type")
                .and_then(Json::as_str)
                .map(lower)
                .unwrap_or_default();
            if kind.ends_with("roleassignments") {
                let mut properties = properties();
                if let Some(role) = properties.get("roleDefinitionId").and_then(Json::as_str) {
                    let guid = lower(role.rsplit('/').next().unwrap_or_default());
                    let tenant_form = format!("/providers/microsoft.authorization/roledefinitions/{guid}");
                    properties.insert("roleDefinitionId".to_owned(), Json::String(tenant_form));
                }
                for (name, value) in tables.noted(id) {
                    properties.entry(name).or_insert(value);
                }
                properties.entry("scope").or_insert_with(|| match scope_of(id) {
                    "" => json!("/"),
                    scope => json!(scope),
                });
                return Some(Rc::new(Shown {
                    properties: Some(Arc::new(Json::Object(properties))),
                    ..Shown::default()
                }));
            }
            kind.ends_with("roledefinitions").then(|| {
                let tenant_form = format!("/providers/Microsoft.Authorization/RoleDefinitions/{name}");
                Rc::new(Shown {
                    id: Some(tenant_form.into()),
                    ..Shown::default()
                })
            })
        }
        _ => None,
    }
}

/// A subscription goes by its display name; what ARM shows beside `properties` stands within.
fn subscription(document: &Json, mut properties: Map<String, Json>, tree: &Hierarchy, name: &str) -> Shown {
    for key in ["state", "subscriptionPolicies", "managedByTenants"] {
        if let Some(value) = document.get(key) {
            properties.entry(key).or_insert_with(|| value.clone());
        }
    }
    properties.insert(
        "managementGroupAncestorsChain".to_owned(),
        tree.chain_of_subscription(name),
    );
    let display = document.get("displayName").and_then(Json::as_str);
    Shown {
        name: display.map(Into::into),
        kind: Some("microsoft.resources/subscriptions".into()),
        properties: Some(Arc::new(Json::Object(properties))),
        ..Shown::default()
    }
}
