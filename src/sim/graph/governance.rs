//! What Graph keeps beside the directory and changes by requests of its own: assignments of access packages, policies of
//! Conditional Access, and roles of other providers than the directory. The estate brings each as one array.

use http::Method;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::answer::{Call, Outcome, Reply};
use super::directory::Directory;
use super::entity;
use super::page::{self, Listing};
use super::refusal::Refusal;
use super::schema::Kind;
use super::view::View;
use crate::types::json::merge;

/// The array of the estate that has the assignments of access packages.
const PACKAGES: &str = "assignments";
/// The array that has the policies of Conditional Access.
const POLICIES: &str = "policies";
/// Role providers, in lower case, with the array that has their assignments, and whether one has several principals.
const PROVIDERS: [(&str, &str, bool); 3] = [
    ("entitlementmanagement", "entitlementManagementRoles", false),
    ("devicemanagement", "deviceManagementRoles", true),
    ("cloudpc", "cloudPcRoles", true),
];

fn text<'a>(row: &'a Value, pointer: &str) -> &'a str {
    row.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn is(row: &Value, pointer: &str, wanted: &str) -> bool {
    text(row, pointer).eq_ignore_ascii_case(wanted)
}

/// Answers what is kept beside the directory; none for any other path.
///
/// * `names`, `lower`: the path's segments as they are spelled, and in lower case
pub(super) fn serve(directory: &mut Directory, call: &Call<'_>, names: &[&str], lower: &[&str]) -> Option<Outcome> {
    match lower {
        ["identitygovernance", "entitlementmanagement", "assignmentrequests"] => Some(request(directory, call)),
        ["identity", "conditionalaccess", "policies", ..] => Some(policies(directory, call, &names[3..])),
        ["rolemanagement", provider, "roleassignments", ..] => {
            let known = PROVIDERS.iter().find(|(name, ..)| name == provider)?;
            Some(roles(directory, call, names, (known.1, known.2)))
        }
        _ => None,
    }
}

/// Takes out what is kept of a principal that is gone.
pub(super) fn forget(directory: &mut Directory, id: &str) {
    let keys = PROVIDERS.iter().map(|(_, key, _)| (*key, "/principalId"));
    for (key, pointer) in keys.chain([(PACKAGES, "/target/objectId")]) {
        if directory.kept(key).is_some() {
            directory.change_kept(key, |rows| rows.retain(|row| !is(row, pointer, id)));
        }
    }
}

fn kept(directory: &Directory, key: &str) -> Vec<Value> {
    let rows = directory.kept(key).and_then(Value::as_array);
    rows.cloned().unwrap_or_default()
}

fn views<'a>(directory: &'a Directory, key: &str) -> Vec<View<'a>> {
    let mut rows: Vec<View<'a>> = kept(directory, key)
        .into_iter()
        .map(|row| {
            let id = text(&row, "/id").to_owned();
            View::made(Kind::Other, &id, row, &directory.tenant)
        })
        .collect();
    rows.sort_by(|left, right| left.key.cmp(&right.key));
    rows
}

/// `POST …/assignmentRequests`: assigns an access package, or takes it away, at once.
fn request(directory: &mut Directory, call: &Call<'_>) -> Outcome {
    super::answer::only(call, &Method::POST)?;
    let body = Value::Object(call.body()?.clone());
    let bad = |message: &str| Err(Refusal::gateway(message));
    match text(&body, "/requestType") {
        "adminAdd" => {
            let (target, package) = (
                text(&body, "/assignment/targetId"),
                text(&body, "/assignment/accessPackageId"),
            );
            if target.is_empty() || package.is_empty() {
                return bad("The assignment needs a targetId and an accessPackageId.");
            }
            if !directory.knows(target, call.now()) {
                return Err(Refusal::not_found(target));
            }
            let there = kept(directory, PACKAGES)
                .iter()
                .any(|row| is(row, "/target/objectId", target) && is(row, "/accessPackage/id", package));
            if there {
                return bad("The target has an assignment of this access package already.");
            }
            let policy = text(&body, "/assignment/assignmentPolicyId");
            let rows = kept(directory, PACKAGES);
            // What a package and a policy are called stands in the assignments that there are.
            let shown = |name: &str, id: &str| {
                let known = rows.iter().find(|row| is(row, &format!("/{name}/id"), id));
                known.map_or_else(|| json!({ "id": id }), |row| row[name].clone())
            };
            let mut row = json!({
                "id": Uuid::new_v4().to_string(), "state": "delivered", "status": "Delivered",
                "target": {"objectId": target, "subjectType": "servicePrincipal"},
                "accessPackage": shown("accessPackage", package),
                "assignmentPolicy": shown("assignmentPolicy", policy),
            });
            if let Some(schedule) = body.get("schedule") {
                row["schedule"] = schedule.clone();
            }
            directory.change_kept(PACKAGES, |rows| rows.push(row));
        }
        "adminRemove" => {
            // By its id; or, where that is not said, by who has what.
            let wanted = |row: &Value| match text(&body, "/assignment/id") {
                "" => {
                    let (target, package) = ("/assignment/targetId", "/assignment/accessPackageId");
                    is(row, "/target/objectId", text(&body, target))
                        && is(row, "/accessPackage/id", text(&body, package))
                }
                id => is(row, "/id", id),
            };
            if !kept(directory, PACKAGES).iter().any(wanted) {
                return Err(Refusal::not_found(text(&body, "/assignment/id")));
            }
            directory.change_kept(PACKAGES, |rows| rows.retain(|row| !wanted(row)));
        }
        _ => return bad("The requestType is not supported here."),
    }
    Ok(made(call, body, "state", "delivered"))
}

/// 201 with what was asked for, under an id of its own.
fn made(call: &Call<'_>, body: Value, name: &str, value: &str) -> Reply {
    let id = Uuid::new_v4().to_string();
    let location = format!("{}{}/{id}", call.ask.base, call.ask.path.trim_end_matches('/'));
    let mut answer = Map::new();
    answer.insert("id".to_owned(), json!(id));
    answer.insert(name.to_owned(), json!(value));
    if let Value::Object(body) = body {
        answer.extend(body);
    }
    Reply::created(answer, location)
}

/// `/identity/conditionalAccess/policies`: read and changed, not made.
fn policies(directory: &mut Directory, call: &Call<'_>, rest: &[&str]) -> Outcome {
    let context = "identity/conditionalAccess/policies";
    match (call.ask.method.as_str(), rest) {
        ("GET", []) => {
            let rows = views(directory, POLICIES).into_iter();
            page::list(directory, call, Listing::of(Kind::Other, context), rows)
        }
        ("GET", [id]) => one(directory, call, POLICIES, id, context),
        ("PATCH", [id]) => change(directory, call, POLICIES, id),
        _ => Err(Refusal::method()),
    }
}

fn one(directory: &Directory, call: &Call<'_>, key: &str, id: &str, context: &str) -> Outcome {
    let rows = views(directory, key);
    let view = rows.iter().find(|view| view.key.eq_ignore_ascii_case(id));
    entity::show(directory, call, view.ok_or_else(|| Refusal::not_found(id))?, context)
}

/// Merges a body into the row of this id.
fn change(directory: &mut Directory, call: &Call<'_>, key: &str, id: &str) -> Outcome {
    let body = Value::Object(call.body()?.clone());
    if !kept(directory, key).iter().any(|row| is(row, "/id", id)) {
        return Err(Refusal::not_found(id));
    }
    directory.change_kept(key, |rows| {
        for row in rows.iter_mut().filter(|row| is(row, "/id", id)) {
            merge(row, &body);
        }
    });
    Ok(Reply::none())
}

/// `/roleManagement/{provider}/roleAssignments`.
fn roles(directory: &mut Directory, call: &Call<'_>, names: &[&str], (key, several): (&str, bool)) -> Outcome {
    let context = names[..3].join("/");
    match (call.ask.method.as_str(), &names[3..]) {
        ("GET", []) => {
            let rows = views(directory, key).into_iter();
            page::list(directory, call, Listing::of(Kind::Other, &context), rows)
        }
        ("GET", [id]) => one(directory, call, key, id, &context),
        ("PATCH", [id]) if several => change(directory, call, key, id),
        ("POST", []) if !several => assign(directory, call, key),
        ("DELETE", [id]) => {
            if !kept(directory, key).iter().any(|row| is(row, "/id", id)) {
                return Err(Refusal::not_found(id));
            }
            directory.change_kept(key, |rows| rows.retain(|row| !is(row, "/id", id)));
            Ok(Reply::none())
        }
        _ => Err(Refusal::method()),
    }
}

fn assign(directory: &mut Directory, call: &Call<'_>, key: &str) -> Outcome {
    let body = Value::Object(call.body()?.clone());
    for needed in ["principalId", "roleDefinitionId"] {
        if text(&body, &format!("/{needed}")).is_empty() {
            return Err(Refusal::missing_property(needed, "unifiedRoleAssignment"));
        }
    }
    if !directory.knows(text(&body, "/principalId"), call.now()) {
        return Err(Refusal::not_found(text(&body, "/principalId")));
    }
    let names = ["/principalId", "/roleDefinitionId", "/directoryScopeId", "/appScopeId"];
    let same = |row: &Value| names.iter().all(|name| is(row, name, text(&body, name)));
    if kept(directory, key).iter().any(same) {
        return Err(Refusal::bad("The role assignment already exists."));
    }
    let mut row = Map::new();
    row.insert("id".to_owned(), json!(Uuid::new_v4().to_string()));
    let sent = body.as_object().into_iter().flatten();
    row.extend(
        sent.filter(|(name, _)| !name.starts_with('@') && *name != "id")
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    let location = format!(
        "{}{}/{}",
        call.ask.base,
        call.ask.path.trim_end_matches('/'),
        text(&row["id"], "")
    );
    directory.change_kept(key, |rows| rows.push(Value::Object(row.clone())));
    Ok(Reply::created(row, location))
}
