//! Privileged identity management of roles: schedules of active and of eligible assignments, their instances, and the
//! requests that make and end them.
//!
//! A request that assigns makes a schedule and its instance; an active one makes a role assignment too, which goes when
//! its time is over. A schedule that the estate brought stands by itself,
//! and is shown when it is over too.

use http::Method;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::assignment_rules::{place, principal_type, role_fits};
use super::fail::{bad_content, fail, no_method, resource_missing};
use super::filters::{self, Clause};
use super::paging::page;
use super::route::{Result, Turn};
use super::{show, versions};
use crate::sim::Answer;
use crate::sim::rights::{assignment_scope, last};
use crate::sim::store::key_of;
use crate::types::ResourceId;

/// Whether a full type, in lower case, is one of these.
pub fn is(kind: &str) -> bool {
    kind.strip_prefix("microsoft.authorization/role")
        .is_some_and(|rest| rest.starts_with("assignmentschedule") || rest.starts_with("eligibilityschedule"))
}

/// Active assignments, or eligible ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Active,
    Eligible,
}

impl Sort {
    fn of(kind: &str) -> Self {
        if kind.to_ascii_lowercase().contains("roleassignment") {
            Self::Active
        } else {
            Self::Eligible
        }
    }

    /// The beginning of its types and members: `roleAssignment`.
    fn word(self) -> &'static str {
        match self {
            Self::Active => "roleAssignment",
            Self::Eligible => "roleEligibility",
        }
    }
}

fn is_request(kind: &str) -> bool {
    kind.to_ascii_lowercase().ends_with("schedulerequests")
}

fn licensed(turn: &Turn<'_>) -> Result<()> {
    if turn.world.behaviour.premium {
        return Ok(());
    }
    Err(fail(
        400,
        "AadPremiumLicenseRequired",
        "The tenant needs an AAD Premium 2 license to use Privileged Identity Management.",
    ))
}

/// One of them.
pub fn one(turn: &mut Turn<'_>, id: &ResourceId) -> Result {
    let kind = id.resource_type();
    versions::of_type(turn.world, turn.ask, &kind, None)?;
    licensed(turn)?;
    let method = turn.ask.method.clone();
    let verb = match method {
        Method::GET => "read",
        Method::PUT if is_request(&kind) => "write",
        _ => return Err(no_method(&method)),
    };
    turn.need(&format!("{kind}/{verb}"), id.as_str())?;
    if method == Method::GET {
        let document = turn.world.read(id.key()).ok_or_else(|| resource_missing(id))?;
        return Ok(Answer::json(200, shown(turn, document)));
    }
    request(turn, id, Sort::of(&kind))
}

/// A list at a scope, of what lies at it, above and, unless the filter says `atScope()`, below.
pub fn list(turn: &mut Turn<'_>, parent: &str, kind: &str) -> Result {
    versions::of_type(turn.world, turn.ask, kind, None)?;
    licensed(turn)?;
    let clauses = filters::of(turn, |clause| match clause {
        Clause::Call(name, _) => {
            ["atscope", "astarget", "asrequestor", "asapprover", "assignedto"].contains(&name.as_str())
        }
        Clause::Equal(name, _) => {
            ["principalid", "roledefinitionid", "status", "assignmenttype"].contains(&name.as_str())
        }
    })?;
    let me = turn.ask.caller.principal.to_ascii_lowercase();
    let mine = filters::calls(&clauses, "astarget");
    if !mine {
        turn.need(&format!("{kind}/read"), parent)?;
    }
    let assigned = filters::value_of(&clauses, "assignedto").or_else(|| mine.then(|| me.clone()));
    let who = assigned.map(|id| {
        let groups = turn.world.directory.groups_of(&id);
        groups.into_iter().chain([id]).collect::<Vec<_>>()
    });
    let requestor = filters::calls(&clauses, "asrequestor").then_some(me);
    let at_scope = filters::calls(&clauses, "atscope");
    let key = key_of(parent);
    let at = if key.is_empty() { "/".to_owned() } else { key };
    let tree = turn.world.tree();
    let rows = turn
        .world
        .store
        .of_type(&kind.to_ascii_lowercase())
        .filter(|(_, document)| {
            let own = assignment_scope(document);
            tree.is_within(&at, &own) || (!at_scope && tree.is_within(&own, &at))
        })
        .filter(|(_, document)| {
            let text = |name: &str| {
                document["properties"][name]
                    .as_str()
                    .unwrap_or_default()
                    .to_ascii_lowercase()
            };
            let is = |filter: &str, name: &str| {
                filters::value_of(&clauses, filter).is_none_or(|value| last(&value) == last(&text(name)))
            };
            who.as_ref().is_none_or(|who| who.contains(&text("principalId")))
                && requestor.as_ref().is_none_or(|me| *me == text("requestorId"))
                && is("principalid", "principalId")
                && is("roledefinitionid", "roleDefinitionId")
                && is("status", "status")
                && is("assignmenttype", "assignmentType")
        })
        .map(|(_, document)| shown(turn, document))
        .collect();
    Ok(page(turn.ask, rows, turn.world.page))
}

fn parse(value: &Value) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(value.as_str()?, &Rfc3339).ok()
}

fn is_over(document: &Value, now: OffsetDateTime) -> bool {
    parse(&document["properties"]["endDateTime"]).is_some_and(|end| end <= now)
}

/// With the names of what it names.
fn shown(turn: &Turn<'_>, document: &Value) -> Value {
    let world = &turn.world;
    let mut shown = document.clone();
    if let Some(id) = document["id"].as_str().and_then(|id| ResourceId::parse(id).ok()) {
        show::complete(&mut shown, &id);
    }
    let own = &document["properties"];
    if !own.is_object() || own.get("expandedProperties").is_some() {
        return shown;
    }
    let text = |name: &str| own[name].as_str().unwrap_or_default();
    let scope = own["scope"]
        .as_str()
        .map_or_else(|| assignment_scope(document), str::to_owned);
    let place = world.store.get(&key_of(&scope));
    let named = |document: &Value| {
        let display = document
            .get("displayName")
            .or_else(|| document.pointer("/properties/displayName"));
        display.or_else(|| document.get("name")).cloned()
    };
    let level = match scope.to_ascii_lowercase() {
        lower if lower.contains("/managementgroups/") => "managementgroup",
        lower if lower.matches('/').count() == 2 => "subscription",
        lower if lower.matches('/').count() == 4 => "resourcegroup",
        _ => "resource",
    };
    let guid = last(text("roleDefinitionId"));
    let role = crate::sim::builtin_roles::by_guid(guid).or_else(|| super::role_definitions::custom(world, guid));
    let of_role = |name: &str| {
        role.and_then(|role| role["properties"].get(name))
            .cloned()
            .unwrap_or_default()
    };
    let principal = text("principalId");
    shown["properties"]["expandedProperties"] = json!({
        "scope": {"id": scope, "displayName": place.and_then(named).unwrap_or_else(|| json!(last(&scope))), "type": level},
        "roleDefinition": {"id": own["roleDefinitionId"], "displayName": of_role("roleName"), "type": of_role("type")},
        "principal": {"id": principal, "displayName": world.directory.display_name(principal),
            "type": world.directory.kind(principal).unwrap_or("ServicePrincipal")},
    });
    if let Some(email) = world.directory.email(principal) {
        shown["properties"]["expandedProperties"]["principal"]["email"] = json!(email);
    }
    shown
}

/// `PUT …ScheduleRequests/{guid}`: assigns, extends or takes away.
fn request(turn: &mut Turn<'_>, id: &ResourceId, sort: Sort) -> Result {
    let at = id
        .as_str()
        .to_ascii_lowercase()
        .rfind("/providers/microsoft.authorization/")
        .unwrap_or(0);
    let scope = if at == 0 { "/" } else { &id.as_str()[..at] }.to_owned();
    place(turn, &scope)?;
    if turn.world.store.has(id.key()) {
        return Err(fail(
            409,
            "RoleAssignmentRequestExists",
            format!("A request with the name '{}' exists already.", id.name()),
        ));
    }
    let sent = turn.body()?["properties"].clone();
    let text = |name: &str| sent[name].as_str().filter(|text| !text.is_empty());
    let (Some(principal), Some(role), Some(verb)) =
        (text("principalId"), text("roleDefinitionId"), text("requestType"))
    else {
        return Err(bad_content(
            "principalId, roleDefinitionId and requestType are required in properties",
        ));
    };
    let guid = last(role).to_ascii_lowercase();
    role_fits(turn, &guid, &scope)?;
    let kind = principal_type(turn, principal, None)?;
    if verb.eq_ignore_ascii_case("SelfActivate") && kind == "ServicePrincipal" {
        return Err(fail(
            400,
            "InvalidRoleAssignmentRequest",
            "A service principal cannot activate an eligible assignment.",
        ));
    }
    let now = turn.ask.now;
    let standing = standing(turn, &scope, sort, principal, &guid);
    let gives = !["adminremove", "selfdeactivate"].contains(&verb.to_ascii_lowercase().as_str());
    let renews = ["adminupdate", "adminextend", "adminrenew", "selfextend", "selfrenew"]
        .contains(&verb.to_ascii_lowercase().as_str());
    match (&standing, gives) {
        (None, false) => {
            return Err(fail(
                404,
                "RoleAssignmentDoesNotExist",
                "The Role assignment does not exist.",
            ));
        }
        (Some(_), true) if !renews => {
            return Err(fail(400, "RoleAssignmentExists", "The Role assignment already exists."));
        }
        _ => {}
    }
    let end = end(&sent["scheduleInfo"], now)?;
    let schedule = standing
        .as_ref()
        .map_or_else(|| uuid::Uuid::new_v4().to_string(), |id| id.name().to_owned());
    let status = if gives { "Provisioned" } else { "Revoked" };
    let word = sort.word();
    let capital = format!("Role{}", &word[4..]);
    let mut document = json!({"id": id.as_str(), "name": id.name(), "type": id.resource_type(), "properties": {
        format!("target{capital}ScheduleId"): schedule,
        format!("target{capital}ScheduleInstanceId"): null,
        "scope": scope,
        "roleDefinitionId": role,
        "principalId": principal,
        "principalType": kind,
        "requestType": verb,
        "status": status,
        "approvalId": null,
        "scheduleInfo": sent["scheduleInfo"],
        "ticketInfo": {"ticketNumber": sent["ticketInfo"]["ticketNumber"], "ticketSystem": sent["ticketInfo"]["ticketSystem"]},
        "justification": sent["justification"],
        "requestorId": turn.ask.caller.principal,
        "createdOn": show::time(now),
        "condition": sent["condition"],
        "conditionVersion": sent["conditionVersion"],
    }});
    if let Some(linked) = sent
        .get(format!("linked{capital}ScheduleId"))
        .or_else(|| sent.get("linkedRoleEligibilityScheduleId"))
    {
        document["properties"]["linkedRoleEligibilityScheduleId"] = linked.clone();
    }
    if gives {
        provision(turn, &scope, sort, &schedule, &document, end);
    } else {
        take(turn, &scope, sort, &schedule);
    }
    let by = turn.ask.caller.principal.clone();
    turn.world.store.put(id, document.clone(), now, &by);
    turn.world.writes += 1;
    Ok(Answer::json(201, shown(turn, &document)))
}

/// When a schedule ends: at a time, after a while, or never.
fn end(info: &Value, now: OffsetDateTime) -> Result<Option<OffsetDateTime>> {
    let expiration = &info["expiration"];
    let start = parse(&info["startDateTime"]).unwrap_or(now);
    let wrong = |what: &str| bad_content(&format!("scheduleInfo.expiration.{what} is missing or malformed"));
    match expiration["type"]
        .as_str()
        .unwrap_or("NoExpiration")
        .to_ascii_lowercase()
        .as_str()
    {
        "afterdatetime" => parse(&expiration["endDateTime"])
            .map(Some)
            .ok_or_else(|| wrong("endDateTime")),
        "afterduration" => {
            let span = expiration["duration"].as_str().and_then(duration);
            span.and_then(|span| start.checked_add(span))
                .map(Some)
                .ok_or_else(|| wrong("duration"))
        }
        "noexpiration" => Ok(None),
        _ => Err(wrong("type")),
    }
}

/// `P365D`, `PT8H`, `P1DT12H30M`.
fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('P')?;
    let (mut total, mut clock) = (Duration::ZERO, false);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        if let Some(more) = rest.strip_prefix('T').filter(|_| !clock) {
            (rest, clock) = (more, true);
            continue;
        }
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .filter(|end| (1..=6).contains(end))?;
        let number: i64 = rest[..end].parse().ok()?;
        let unit = rest[end..].chars().next()?;
        total += match (unit, clock) {
            ('Y', false) => Duration::days(365 * number),
            ('M', false) => Duration::days(30 * number),
            ('W', false) => Duration::weeks(number),
            ('D', false) => Duration::days(number),
            ('H', true) => Duration::hours(number),
            ('M', true) => Duration::minutes(number),
            ('S', true) => Duration::seconds(number),
            _ => return None,
        };
        rest = &rest[end + 1..];
    }
    Some(total)
}

fn id_below(scope: &str, kind: &str, name: &str) -> Option<ResourceId> {
    let scope = scope.trim_end_matches('/');
    ResourceId::parse(&format!("{scope}/providers/Microsoft.Authorization/{kind}/{name}")).ok()
}

/// The schedule of a principal's role at a scope that is not over.
fn standing(turn: &Turn<'_>, scope: &str, sort: Sort, principal: &str, role: &str) -> Option<ResourceId> {
    let kind = format!("microsoft.authorization/{}schedules", sort.word().to_ascii_lowercase());
    let key = key_of(scope);
    let at = if key.is_empty() { "/".to_owned() } else { key };
    let text = |document: &Value, name: &str| document["properties"][name].as_str().unwrap_or_default().to_owned();
    let found = turn.world.store.of_type(&kind).find(|(_, document)| {
        assignment_scope(document) == at
            && text(document, "principalId").eq_ignore_ascii_case(principal)
            && last(&text(document, "roleDefinitionId")).eq_ignore_ascii_case(role)
            && !is_over(document, turn.ask.now)
    });
    found.and_then(|(_, document)| ResourceId::parse(document["id"].as_str()?).ok())
}

fn provision(
    turn: &mut Turn<'_>,
    scope: &str,
    sort: Sort,
    schedule: &str,
    request: &Value,
    end: Option<OffsetDateTime>,
) {
    let (now, by) = (turn.ask.now, turn.ask.caller.principal.clone());
    let word = sort.word();
    let own = &request["properties"];
    let mut properties = json!({
        "scope": scope,
        "roleDefinitionId": own["roleDefinitionId"],
        "principalId": own["principalId"],
        "principalType": own["principalType"],
        "status": "Provisioned",
        "startDateTime": own["scheduleInfo"]["startDateTime"].as_str().map_or_else(|| show::time(now), str::to_owned),
        "endDateTime": end.map(show::time),
        "memberType": "Direct",
        "createdOn": show::time(now),
        "updatedOn": show::time(now),
        "condition": own["condition"],
        "conditionVersion": own["conditionVersion"],
        format!("{word}ScheduleRequestId"): request["id"],
    });
    if sort == Sort::Active {
        let activated = own["requestType"]
            .as_str()
            .is_some_and(|verb| verb.eq_ignore_ascii_case("SelfActivate"));
        properties["assignmentType"] = json!(if activated { "Activated" } else { "Assigned" });
        properties["linkedRoleEligibilityScheduleId"] = own["linkedRoleEligibilityScheduleId"].clone();
    }
    let mut instance = properties.clone();
    for (kind, own) in [("Schedules", &mut properties), ("ScheduleInstances", &mut instance)] {
        let Some(id) = id_below(scope, &format!("{word}{kind}"), schedule) else {
            continue;
        };
        if kind == "ScheduleInstances" {
            if let Some(own) = own.as_object_mut() {
                own.shift_remove("updatedOn");
                own.shift_remove(&format!("{word}ScheduleRequestId"));
            }
            let parent = id_below(scope, &format!("{word}Schedules"), schedule);
            own[format!("{word}ScheduleId")] = json!(parent.map(|id| id.as_str().to_owned()));
            if let Some(origin) = id_below(scope, "roleAssignments", schedule).filter(|_| sort == Sort::Active) {
                own["originRoleAssignmentId"] = json!(origin.as_str());
            }
        }
        let document =
            json!({"id": id.as_str(), "name": schedule, "type": id.resource_type(), "properties": own.take()});
        turn.world.store.put(&id, document, now, &by);
        turn.world.ends.extend(end.map(|end| (end, id)));
    }
    if let Some(id) = id_below(scope, "roleAssignments", schedule).filter(|_| sort == Sort::Active) {
        let own = &request["properties"];
        let mut document = json!({"id": id.as_str(), "name": schedule, "type": "Microsoft.Authorization/roleAssignments",
            "properties": {"roleDefinitionId": own["roleDefinitionId"], "principalId": own["principalId"],
                "principalType": own["principalType"], "scope": scope}});
        for name in ["condition", "conditionVersion"] {
            if !own[name].is_null() {
                document["properties"][name] = own[name].clone();
            }
        }
        turn.world.store.put(&id, document, now, &by);
        turn.world.ends.extend(end.map(|end| (end, id)));
    }
}

fn take(turn: &mut Turn<'_>, scope: &str, sort: Sort, schedule: &str) {
    let word = sort.word();
    let kinds = [format!("{word}Schedules"), format!("{word}ScheduleInstances")];
    let grant = (sort == Sort::Active).then(|| "roleAssignments".to_owned());
    for kind in kinds.into_iter().chain(grant) {
        if let Some(id) = id_below(scope, &kind, schedule) {
            turn.world.store.remove(id.key(), turn.ask.now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_iso_writes_them() {
        assert_eq!(duration("PT8H"), Some(Duration::hours(8)));
        assert_eq!(duration("P1DT12H30M"), Some(Duration::minutes(36 * 60 + 30)));
        assert_eq!(duration("P365D"), Some(Duration::days(365)));
        for wrong in ["", "P", "8H", "PT8D", "P99999999D", "PTT1H"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }
}
