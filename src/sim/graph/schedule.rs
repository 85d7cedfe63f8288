//! Privileged identity management: requests that give and take rights which end or wait to be asked for. What a request
//! leaves is an instance, in an array that the estate may bring; an active one is a role or a membership as well.

use serde_json::{Map, Value, json};
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::answer::{Call, Outcome, Reply, only};
use super::directory::{Directory, opaque_id};
use super::refusal::Refusal;
use super::schema::Kind;
use super::section::NewEntry;

/// What a collection of requests is about.
struct Plan {
    /// The path of the requests, in lower case.
    path: &'static str,
    /// The array of instances in the estate.
    rows: &'static str,
    /// The members that name the right.
    subject: &'static [&'static str],
    /// Whether the right is in force at once.
    active: bool,
}

const ROLE: &[&str] = &["roleDefinitionId", "directoryScopeId"];
const GROUP: &[&str] = &["groupId", "accessId"];
const PLANS: [Plan; 4] = [
    Plan {
        path: "rolemanagement/directory/roleeligibilityschedulerequests",
        rows: "roleEligibilityScheduleInstances",
        subject: ROLE,
        active: false,
    },
    Plan {
        path: "rolemanagement/directory/roleassignmentschedulerequests",
        rows: "roleAssignmentScheduleInstances",
        subject: ROLE,
        active: true,
    },
    Plan {
        path: "identitygovernance/privilegedaccess/group/eligibilityschedulerequests",
        rows: "eligibilityScheduleInstances",
        subject: GROUP,
        active: false,
    },
    Plan {
        path: "identitygovernance/privilegedaccess/group/assignmentschedulerequests",
        rows: "assignmentScheduleInstances",
        subject: GROUP,
        active: true,
    },
];

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Answers a request for a right; none for any other path.
pub(super) fn serve(directory: &mut Directory, call: &Call<'_>, path: &str) -> Option<Outcome> {
    let plan = PLANS.iter().find(|plan| plan.path == path)?;
    Some(only(call, &http::Method::POST).and_then(|()| ask(directory, call, plan)))
}

/// Takes out what is kept of a principal or group that is gone.
pub(super) fn forget(directory: &mut Directory, id: &str) {
    for plan in &PLANS {
        if directory.kept(plan.rows).is_some() {
            let of_it = |row: &Value| {
                ["principalId", "groupId"]
                    .iter()
                    .any(|name| text(row, name).eq_ignore_ascii_case(id))
            };
            directory.change_kept(plan.rows, |rows| rows.retain(|row| !of_it(row)));
        }
    }
}

fn ask(directory: &mut Directory, call: &Call<'_>, plan: &Plan) -> Outcome {
    let body = Value::Object(call.body()?.clone());
    for needed in ["action", "principalId"].iter().chain(plan.subject) {
        if text(&body, needed).is_empty() {
            return Err(Refusal::missing_property(needed, "scheduleRequest"));
        }
    }
    if !directory.knows(text(&body, "principalId"), call.now()) {
        return Err(Refusal::not_found(text(&body, "principalId")));
    }
    let same = |row: &Value| {
        let mut names = plan.subject.iter().chain(["principalId"].iter());
        names.all(|name| text(row, name).eq_ignore_ascii_case(text(&body, name)))
    };
    let kept = directory.kept(plan.rows).and_then(Value::as_array);
    let there = kept.into_iter().flatten().any(same);
    match (text(&body, "action"), there) {
        ("adminAssign", true) => return Err(Refusal::bad("The Role assignment already exists.")),
        ("adminAssign", false) => give(directory, call, plan, &body)?,
        ("adminRemove", false) => return Err(Refusal::bad("The Role assignment does not exist.")),
        ("adminRemove", true) => {
            directory.change_kept(plan.rows, |rows| rows.retain(|row| !same(row)));
            take(directory, plan, &body);
        }
        (other, _) => return Err(Refusal::bad(format!("The action '{other}' is not supported here."))),
    }
    let id = Uuid::new_v4().to_string();
    let location = format!("{}{}/{id}", call.ask.base, call.ask.path.trim_end_matches('/'));
    let mut answer = Map::new();
    answer.insert("id".to_owned(), json!(id));
    answer.insert("status".to_owned(), json!("Provisioned"));
    if let Value::Object(body) = body {
        answer.extend(body);
    }
    Ok(Reply::created(answer, location))
}

/// Writes down the instance, and what an active one gives.
fn give(directory: &mut Directory, call: &Call<'_>, plan: &Plan, body: &Value) -> Result<(), Refusal> {
    let end = body
        .pointer("/scheduleInfo/expiration/endDateTime")
        .cloned()
        .unwrap_or_default();
    let start = call
        .now()
        .replace_nanosecond(0)
        .unwrap_or(call.now())
        .format(&Rfc3339)
        .unwrap_or_default();
    let mut row = Map::new();
    row.insert("id".to_owned(), json!(opaque_id(&json!([Uuid::new_v4().to_string()]))));
    for name in ["principalId"].iter().chain(plan.subject) {
        row.insert((*name).to_owned(), json!(text(body, name)));
    }
    row.insert("startDateTime".to_owned(), json!(start));
    row.insert("endDateTime".to_owned(), end);
    let of_role = plan.subject == ROLE;
    if of_role {
        row.insert("appScopeId".to_owned(), Value::Null);
    }
    row.insert(
        "memberType".to_owned(),
        json!(if of_role { "Direct" } else { "direct" }),
    );
    if plan.active {
        row.insert(
            "assignmentType".to_owned(),
            json!(if of_role { "Assigned" } else { "assigned" }),
        );
        let principal = text(body, "principalId");
        if of_role {
            let mut held = Map::new();
            held.insert("id".to_owned(), json!(opaque_id(&json!([Uuid::new_v4().to_string()]))));
            for name in ["principalId", "roleDefinitionId", "directoryScopeId"] {
                held.insert(name.to_owned(), json!(text(body, name)));
            }
            let id = held["id"].as_str().unwrap_or_default().to_owned();
            directory
                .section_mut(Kind::RoleAssignment)
                .add(&id, NewEntry::made(Value::Object(held), call.now()));
        } else {
            let (group, property) = (text(body, "groupId"), links(body));
            if directory.entry(Kind::Group, group).is_none() {
                return Err(Refusal::not_found(group));
            }
            if !directory.linked(property, Kind::Group, group, principal) {
                directory.link(property, Kind::Group, group, principal);
            }
        }
    }
    directory.change_kept(plan.rows, |rows| rows.push(Value::Object(row)));
    Ok(())
}

/// Takes away what an active instance gave.
fn take(directory: &mut Directory, plan: &Plan, body: &Value) {
    if !plan.active {
        return;
    }
    if plan.subject == ROLE {
        directory.section_mut(Kind::RoleAssignment).remove_where(|entry| {
            ["principalId", "roleDefinitionId", "directoryScopeId"]
                .iter()
                .all(|name| {
                    entry
                        .text(name)
                        .unwrap_or_default()
                        .eq_ignore_ascii_case(text(body, name))
                })
        });
    } else {
        directory.unlink(
            links(body),
            Kind::Group,
            text(body, "groupId"),
            text(body, "principalId"),
        );
    }
}

/// The array of a group that an access is kept in.
fn links(body: &Value) -> &'static str {
    if text(body, "accessId") == "owner" {
        "owners"
    } else {
        "members"
    }
}
