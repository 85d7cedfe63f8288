//! What a role assignment has to be before it is made, with Azure's refusals.

use serde_json::{Map, Value};

use super::fail::{bad_content, fail};
use super::lists;
use super::role_definitions::{assignable, form};
use super::route::{Result, Turn};
use crate::sim::rights::{assignment_scope, last};
use crate::sim::store::key_of;
use crate::types::{Level, ResourceId, Scope};

/// How many a subscription, and a management group, can have.
const LIMITS: (usize, usize) = (4000, 500);

fn short(guid: &str) -> String {
    guid.replace('-', "").to_ascii_lowercase()
}

/// The scope must be there, down to the top-level resource.
pub fn place(turn: &Turn<'_>, scope: &str) -> Result<()> {
    let parsed = Scope::parse(scope).map_err(|error| fail(400, "InvalidScope", error.to_string()))?;
    let Some(id) = parsed.id() else { return Ok(()) };
    if parsed.level() == Level::ManagementGroup {
        if turn.world.store.has(id.key()) {
            return Ok(());
        }
        return Err(fail(
            404,
            "NotFound",
            format!("The management group '{}' cannot be found.", id.name()),
        ));
    }
    lists::exists(turn, id)?;
    let top = id.top_level();
    if parsed.level() == Level::Resource && id.subscription().is_some() && !turn.world.store.has(top.key()) {
        return Err(super::fail::resource_missing(&top));
    }
    Ok(())
}

/// The role must be there, and assignable at the scope.
pub fn role_fits(turn: &Turn<'_>, role: &str, scope: &str) -> Result<()> {
    match assignable(turn.world, role, scope) {
        Some(true) => Ok(()),
        Some(false) => Err(fail(
            400,
            "RoleDefinitionNotAssignableAtScope",
            format!(
                "The role definition '{}' cannot be assigned at the scope '{scope}': it is not among its assignable scopes.",
                short(role)
            ),
        )),
        None => Err(fail(
            400,
            "RoleDefinitionDoesNotExist",
            format!(
                "The specified role definition with ID '{}' does not exist.",
                short(role)
            ),
        )),
    }
}

/// The type of the principal: as given where it fits, else as the directory says.
pub fn principal_type(turn: &Turn<'_>, principal: &str, given: Option<String>) -> Result<String> {
    let missing = || {
        fail(
            400,
            "PrincipalNotFound",
            format!(
                "Principal {} does not exist in the directory {}. Check that you have the correct principal ID. If you are \
                 creating this principal and then immediately assigning a role, this error might be related to a replication \
                 delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, \
                 User, or Group.  See https://aka.ms/docs-principaltype",
                short(principal),
                turn.world.tenant
            ),
        )
    };
    let world = &turn.world;
    let Some(kind) = world.directory.kind(principal) else {
        if world.directory.is_application(principal) {
            return Err(fail(
                400,
                "PrincipalTypeNotSupported",
                "Principals of type Application cannot validly be used in role assignments.",
            ));
        }
        return Err(missing());
    };
    let seen = world.directory.replicated(principal, turn.ask.now, world.lag);
    match given {
        None if !seen => Err(missing()),
        Some(given) if !seen && given.eq_ignore_ascii_case("Group") => Err(missing()),
        None => Ok(kind.to_owned()),
        Some(given) if given.eq_ignore_ascii_case(kind) => Ok(kind.to_owned()),
        Some(given) => Err(fail(
            400,
            "UnmatchedPrincipalType",
            format!(
                "The PrincipalId '{}' has type '{kind}' , which is different from specified PrinciaplType '{given}'.",
                short(principal)
            ),
        )),
    }
}

/// The longest description.
const DESCRIPTION: usize = 2048;

/// Condition and version come together; a description has its bounds.
pub fn condition(sent: &Map<String, Value>) -> Result<()> {
    let long = sent
        .get("description")
        .and_then(Value::as_str)
        .map_or(0, |text| text.chars().count());
    if long > DESCRIPTION {
        return Err(fail(
            400,
            "RoleAssignmentDescriptionTooLong",
            format!("The description of the role assignment has {long} characters: {DESCRIPTION} are the most."),
        ));
    }
    let text = |name: &str| sent.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    match (text("condition"), text("conditionVersion")) {
        (None, None) | (Some(_), Some("2.0")) => Ok(()),
        (Some(_), Some(other)) => Err(bad_content(&format!(
            "the condition version '{other}' is not supported: it must be 2.0"
        ))),
        _ => Err(bad_content("condition and conditionVersion must be given together")),
    }
}

/// One assignment a (scope, role, principal), and one a name in the tenant.
pub fn unique(turn: &Turn<'_>, asked: &ResourceId, scope: &str, role: &str, principal: &str) -> Result<()> {
    let store = &turn.world.store;
    let key = key_of(scope);
    let key = if key.is_empty() { "/".to_owned() } else { key };
    let property = |document: &Value, name: &str| {
        document["properties"][name]
            .as_str()
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    let named = store
        .of_type("microsoft.authorization/roleassignments")
        .find(|(own, _)| last(own).eq_ignore_ascii_case(asked.name()));
    if let Some((_, own)) = named {
        let same = property(own, "principalId") == principal.to_ascii_lowercase()
            && assignment_scope(own) == key
            && last(&property(own, "roleDefinitionId")) == role.to_ascii_lowercase();
        if same {
            return Ok(());
        }
        return Err(fail(
            400,
            "RoleAssignmentUpdateNotPermitted",
            "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
        ));
    }
    let twin = store.assignments_of(principal).find(|own| {
        assignment_scope(own) == key && last(&property(own, "roleDefinitionId")) == role.to_ascii_lowercase()
    });
    if let Some(twin) = twin {
        let id = short(last(twin["id"].as_str().unwrap_or_default()));
        return Err(fail(
            409,
            "RoleAssignmentExists",
            format!("The role assignment already exists. The ID of the existing role assignment is {id}."),
        ));
    }
    let group = key.starts_with("/providers/microsoft.management/");
    let (base, limit) = if group { (key, LIMITS.1) } else { (form(&key), LIMITS.0) };
    if base.is_empty() {
        return Ok(());
    }
    let count = store
        .of_type("microsoft.authorization/roleassignments")
        .filter(|(own, _)| own.starts_with(&base) && own.as_bytes().get(base.len()) == Some(&b'/'))
        .count();
    if count >= limit {
        let word = if group { "management group" } else { "subscription" };
        return Err(fail(
            400,
            "RoleAssignmentLimitExceeded",
            format!(
                "The role assignment limit for the {word} has been exceeded. No more role assignments can be created."
            ),
        ));
    }
    Ok(())
}
