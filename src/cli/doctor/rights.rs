//! With which rights: roles that are in effect, what they lack for a relocation, roles in the directory.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::StreamExt as _;
use serde_json::Value;

use super::facts::{Assignment, Finding, Report, Subscription};
use crate::azure::{Client, Error, Plane, Request};

/// What a relocation does in a subscription, beside reading it.
const NEEDED: [&str; 4] = [
    "Microsoft.ManagedIdentity/userAssignedIdentities/write",
    "Microsoft.ManagedIdentity/userAssignedIdentities/delete",
    "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
    "Microsoft.Authorization/roleAssignments/write",
];
/// How many subscriptions are looked into.
const MOST: usize = 50;
/// How many of them at once.
const AT_ONCE: usize = 4;

/// What one subscription says.
struct Said {
    id: String,
    name: String,
    assignments: Result<Vec<Value>, Error>,
    definitions: Result<Vec<Value>, Error>,
    permissions: Result<Vec<Value>, Error>,
}

async fn of_one(client: Client, principal: String, (id, name): (String, String)) -> Said {
    let list = async |what: &str, version: &str, filter: Option<String>| {
        let path = format!("/subscriptions/{id}/providers/Microsoft.Authorization/{what}");
        let request = Request::get(Plane::Arm, path).api_version(version);
        let request = match filter {
            Some(filter) => request.query("$filter", filter),
            None => request,
        };
        client.list(&request).await
    };
    // `assignedTo` counts what comes through groups, which a plain comparison of ids does not.
    let mine = Some(format!("assignedTo('{principal}')"));
    let assignments = list("roleAssignments", "2022-04-01", mine).await;
    let definitions = list("roleDefinitions", "2022-04-01", None).await;
    let permissions = list("permissions", "2022-04-01", None).await;
    Said {
        id,
        name,
        assignments,
        definitions,
        permissions,
    }
}

/// Role assignments in effect, and what is not allowed, of each subscription that is seen.
pub async fn of_subscriptions(report: &mut Report, client: &Client, principal: &str, all: Vec<(String, String)>) {
    report.subscriptions_left_out = all.len().saturating_sub(MOST);
    let asked = all.into_iter().take(MOST);
    let asked = asked.map(|one| of_one(client.clone(), principal.to_owned(), one));
    let said: Vec<Said> = futures::stream::iter(asked).buffered(AT_ONCE).collect().await;
    let mut names: HashMap<String, String> = HashMap::new();
    let mut held: BTreeMap<String, Value> = BTreeMap::new();
    for one in &said {
        for definition in one.definitions.iter().flatten() {
            let name = definition.pointer("/properties/roleName").and_then(Value::as_str);
            if let (Some(id), Some(name)) = (definition["id"].as_str(), name) {
                names.insert(last(id), name.to_owned());
            }
        }
        for assignment in one.assignments.iter().flatten() {
            let id = assignment["id"].as_str().unwrap_or_default().to_ascii_lowercase();
            held.insert(id, assignment["properties"].clone());
        }
        for error in [&one.assignments, &one.definitions, &one.permissions]
            .into_iter()
            .filter_map(|answer| answer.as_ref().err())
        {
            report
                .notes
                .push(format!("{} was not wholly looked into: {error}", one.name));
        }
    }
    report.roles = held
        .values()
        .map(|properties| role(properties, &names, principal))
        .collect();
    report
        .roles
        .sort_by(|a, b| (a.scope.len(), &a.scope, &a.role).cmp(&(b.scope.len(), &b.scope, &b.role)));
    for one in said {
        if let Ok(rows) = one.permissions {
            let lacks = NEEDED
                .into_iter()
                .filter(|action| !allowed(&rows, action))
                .map(str::to_owned)
                .collect();
            report.subscriptions.push(Subscription {
                id: one.id,
                name: one.name,
                lacks,
            });
        }
    }
    let nowhere = report.subscriptions.iter().all(|one| !one.lacks.is_empty());
    if nowhere && !report.subscriptions.is_empty() {
        let missing: BTreeSet<&str> = report
            .subscriptions
            .iter()
            .flat_map(|one| one.lacks.iter().map(String::as_str))
            .collect();
        let missing: Vec<&str> = missing.into_iter().collect();
        report.findings.push(Finding::new(
            "cannot-relocate",
            format!(
                "the principal may look, but in no subscription may it do all that a relocation does; it lacks {}",
                missing.join(", ")
            ),
            "az role assignment create --assignee OBJECT_ID --role Owner --scope /subscriptions/ID      or Contributor with \
             Role Based Access Control Administrator; ferry plan names what a relocation needs, scope by scope",
        ));
    }
}

fn role(properties: &Value, names: &HashMap<String, String>, principal: &str) -> Assignment {
    let text = |name: &str| properties[name].as_str().unwrap_or_default();
    let id = last(text("roleDefinitionId"));
    Assignment {
        role: names.get(&id).cloned().unwrap_or(id),
        scope: text("scope").to_owned(),
        through_group: !text("principalId").eq_ignore_ascii_case(principal),
        conditional: properties["condition"].is_string(),
    }
}

fn last(id: &str) -> String {
    id.rsplit('/').next().unwrap_or_default().to_ascii_lowercase()
}

/// Whether one of the rows allows the action: named by a pattern with `*`, and not taken out again.
fn allowed(rows: &[Value], action: &str) -> bool {
    let any = |list: &Value| {
        let patterns = list.as_array().into_iter().flatten().filter_map(Value::as_str);
        patterns.into_iter().any(|pattern| {
            let pattern = regex::escape(pattern).replace(r"\*", ".*");
            regex::Regex::new(&format!("(?i)^{pattern}$")).is_ok_and(|pattern| pattern.is_match(action))
        })
    };
    rows.iter().any(|row| any(&row["actions"]) && !any(&row["notActions"]))
}

/// Roles in the directory, and app roles: as far as they can be read.
pub async fn of_directory(report: &mut Report, client: &Client, principal: &str, app: bool) {
    let request = Request::get(Plane::Graph, "/v1.0/roleManagement/directory/roleAssignments")
        .query("$filter", format!("principalId eq '{principal}'"))
        .query("$expand", "roleDefinition");
    match client.list(&request).await {
        Ok(rows) => {
            let name = |row: &Value| {
                let of = |pointer: &str| row.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
                of("/roleDefinition/displayName").or_else(|| of("/roleDefinitionId"))
            };
            report.directory_roles = rows.iter().filter_map(name).collect();
            report.directory_roles.sort();
            report.directory_roles.dedup();
        }
        Err(error) => report.notes.push(format!("directory roles were not read: {error}")),
    }
    if !app {
        return;
    }
    let request = Request::get(
        Plane::Graph,
        format!("/v1.0/servicePrincipals/{principal}/appRoleAssignments"),
    );
    match client.list(&request).await {
        Ok(rows) => {
            for row in rows {
                let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
                let value = app_role(client, &text("resourceId"), &text("appRoleId")).await;
                report
                    .app_roles
                    .push(format!("{}: {value}", text("resourceDisplayName")));
            }
            report.app_roles.sort();
        }
        Err(error) if error.status() == Some(404) => {}
        Err(error) => report.notes.push(format!("app roles were not read: {error}")),
    }
}

/// The value of an app role, else its id.
async fn app_role(client: &Client, resource: &str, id: &str) -> String {
    let request =
        Request::get(Plane::Graph, format!("/v1.0/servicePrincipals/{resource}")).query("$select", "id,appRoles");
    let found = client.send(&request).await.ok();
    let roles = found.as_ref().and_then(|answer| answer.body["appRoles"].as_array());
    let role = roles.and_then(|roles| roles.iter().find(|role| role["id"].as_str() == Some(id)));
    role.and_then(|role| role["value"].as_str()).unwrap_or(id).to_owned()
}

#[cfg(test)]
mod tests {
    use super::allowed;
    use serde_json::json;

    #[test]
    fn what_one_role_takes_out_another_may_give() {
        let action = "Microsoft.Authorization/roleAssignments/write";
        let contributor = json!({"actions": ["*"], "notActions": ["Microsoft.Authorization/*/Write"]});
        let administrator = json!({"actions": ["Microsoft.Authorization/roleAssignments/*"], "notActions": []});
        assert!(!allowed(std::slice::from_ref(&contributor), action));
        assert!(allowed(&[contributor, administrator], action));
        assert!(!allowed(&[json!({"actions": ["*/read"]})], action));
    }
}
