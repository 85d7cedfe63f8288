//! Which file answers which path.

use http::Method;

use crate::sim::rights::Rights;
use crate::sim::world::World;
use crate::sim::{Answer, Ask};
use crate::types::Attributes;
use crate::types::ResourceId;

use super::fail::{denied, fail, forbidden, no_method};
use super::path::{Named, read};
use super::{
    actions, acts, deny, groups, hierarchy, lists, locks, management_groups, names, operations, permissions, placement,
    providers, resource, role_assignments, role_definitions, schedule, subscriptions, tags, vault, versions,
};

/// A request on its way: the cloud, the question, and what the caller may do.
pub struct Turn<'a> {
    /// The cloud.
    pub world: &'a mut World,
    /// The request.
    pub ask: &'a Ask,
    /// The caller's rights.
    pub rights: Rights,
}

/// What a file gives back: an answer either way.
pub type Result<T = Answer> = std::result::Result<T, Answer>;

impl Turn<'_> {
    /// Goes on only if the caller may do `action` at the thing with this id.
    pub fn need(&self, action: &str, id: &str) -> Result<()> {
        self.need_for(action, id, &Attributes::default())
    }

    /// Goes on only if the caller may do `action` at the thing with this id in a request that says this of itself.
    pub fn need_for(&self, action: &str, id: &str, of: &Attributes) -> Result<()> {
        let key = crate::sim::store::key_of(id);
        let key = if key.is_empty() { "/" } else { &key };
        let Err(by) = self.rights.judge(action, key, of) else {
            return Ok(());
        };
        let scope = if id.is_empty() { "/" } else { id };
        let principal = &self.ask.caller.principal;
        let client = self.world.directory.principal_name(principal);
        let client = client.as_deref().unwrap_or(principal);
        Err(match by {
            Some(by) => denied(client, principal, action, scope, by),
            None => forbidden(client, principal, action, scope),
        })
    }

    /// Goes on only if the caller may do `action` at the thing with this id, or at something below it: what lists need,
    /// which then show what may be read.
    pub fn need_near(&self, action: &str, id: &str) -> Result<()> {
        if self.rights.allow_near(action, &crate::sim::store::key_of(id)) {
            return Ok(());
        }
        self.need(action, id)
    }

    /// Goes on only if the caller has any right at the thing with this id, above it or below.
    pub fn need_any(&self, action: &str, id: &str) -> Result<()> {
        if self.rights.any_near(&crate::sim::store::key_of(id)) {
            return Ok(());
        }
        self.need(action, id)
    }

    /// Whether the caller may read the thing under this key.
    pub fn sees(&self, kind: &str, key: &str) -> bool {
        self.rights.is_owner() || self.rights.allow(&format!("{kind}/read"), key)
    }

    /// The body, which must be a JSON object.
    pub fn body(&self) -> Result<&serde_json::Value> {
        self.ask
            .body
            .as_ref()
            .filter(|body| body.is_object())
            .ok_or_else(|| super::fail::bad_content("Required JSON object is missing or malformed"))
    }

    /// Whether the method is this one.
    pub fn is(&self, method: &Method) -> bool {
        self.ask.method == *method
    }
}

/// Answers a request to Azure Resource Manager.
pub fn answer(world: &mut World, ask: &Ask) -> Answer {
    world.expire(ask.now);
    let rights = Rights::of(world, &ask.caller.principal, ask.now);
    let mut turn = Turn { world, ask, rights };
    let answer = dispatch(&mut turn).unwrap_or_else(|failure| failure);
    if turn.world.behaviour.empty_pages {
        return super::paging::with_empty_pages(ask, answer);
    }
    answer
}

fn dispatch(turn: &mut Turn<'_>) -> Result {
    let ask = turn.ask;
    let post = ask.method == Method::POST;
    if let Some(answer) = operations::poll(turn)? {
        return Ok(answer);
    }
    let named = read(&ask.path, post);
    versions::given(ask)?;
    match named {
        // A path that fits no route is told so.
        Named::Nothing => Err(versions::missing()),
        Named::Word { scope, word } => words(turn, scope.as_ref(), &word),
        Named::Providers {
            subscription,
            namespace,
        } => providers::answer(turn, subscription.as_deref(), namespace.as_deref()),
        Named::Thing(id) => thing(turn, &id),
        Named::Collection { parent, kind } => collection(turn, &parent, &kind),
        Named::Action { on, namespace, action } => actions::answer(turn, on.as_ref(), &namespace, &action),
    }
}

fn words(turn: &mut Turn<'_>, scope: Option<&ResourceId>, word: &str) -> Result {
    match (scope, word) {
        (None, "subscriptions") => subscriptions::list(turn),
        (None, "tenants") => subscriptions::tenants(turn),
        (Some(scope), "locations") => subscriptions::locations(turn, scope),
        (Some(scope), "resourcegroups") => groups::list(turn, scope),
        (Some(scope), "resources") => lists::resources(turn, scope),
        _ => Err(fail(
            404,
            "NotFound",
            format!(
                "No HTTP resource was found that matches the request URI '{}'.",
                turn.ask.path
            ),
        )),
    }
}

fn thing(turn: &mut Turn<'_>, id: &ResourceId) -> Result {
    match id.resource_type().to_ascii_lowercase().as_str() {
        "microsoft.resources/subscriptions" => subscriptions::one(turn, id),
        "microsoft.resources/resourcegroups" => groups::one(turn, id),
        "microsoft.resources/tags" => tags::answer(turn, id),
        "microsoft.authorization/locks" => locks::one(turn, id),
        "microsoft.authorization/roleassignments" => role_assignments::one(turn, id),
        "microsoft.authorization/roledefinitions" => role_definitions::one(turn, id),
        "microsoft.authorization/denyassignments" => deny::one(turn, id),
        kind if schedule::is(kind) => schedule::one(turn, id),
        "microsoft.keyvault/vaults/accesspolicies" => vault::access_policies(turn, id),
        "microsoft.management/managementgroups" => management_groups::one(turn, id),
        "microsoft.management/managementgroups/subscriptions" => placement::one(turn, id),
        "microsoft.documentdb/databaseaccountnames" => names::account(turn, id),
        "microsoft.managedidentity/identities" => super::managed_identity::system_assigned(turn, id),
        _ => resource::one(turn, id),
    }
}

fn collection(turn: &mut Turn<'_>, parent: &str, kind: &str) -> Result {
    if turn.ask.method != Method::GET {
        return Err(no_method(&turn.ask.method));
    }
    match kind.to_ascii_lowercase().as_str() {
        "microsoft.authorization/locks" => locks::list(turn, parent),
        "microsoft.authorization/roleassignments" => role_assignments::list(turn, parent),
        "microsoft.authorization/roledefinitions" => role_definitions::list(turn, parent),
        "microsoft.authorization/denyassignments" => deny::list(turn, parent),
        "microsoft.authorization/permissions" => permissions::list(turn, parent),
        "microsoft.management/managementgroups" => management_groups::list(turn),
        "microsoft.management/managementgroups/descendants" => hierarchy::descendants(turn, parent),
        "microsoft.management/managementgroups/subscriptions" => placement::list(turn, parent),
        // The action's further pages are got.
        "microsoft.managedidentity/userassignedidentities/listassociatedresources" => {
            let owner = ResourceId::parse(parent).map_err(|_| fail(404, "NotFound", "An identity is expected."))?;
            super::associated::list(turn, &owner)
        }
        lower if lower.ends_with("/resourcetypes") || lower.ends_with("/providerpermissions") => {
            Err(super::fail::unsimulated(&format!("the list '{kind}'")))
        }
        lower if lower.ends_with("/operations") && parent.is_empty() => providers::operations(turn, kind),
        "microsoft.authorization/policyassignments" | "microsoft.authorization/policyexemptions" => {
            lists::extensions(turn, parent, kind)
        }
        lower if schedule::is(lower) => schedule::list(turn, parent, kind),
        _ => match acts::view(turn, parent, kind)? {
            Some(answer) => Ok(answer),
            None => lists::of_type(turn, parent, kind),
        },
    }
}
