//! Writes that their service takes one at a time, and what it says to a second one.

use http::Method;

use super::fail::fail;
use super::path::{Named, read};
use crate::sim::{Answer, catalog};
use crate::types::ResourceId;

/// A write that its service takes one at a time.
#[derive(Debug)]
pub struct Serial {
    /// What is written meanwhile: the parent of a child, or the thing itself.
    pub key: String,
    /// Whether such a write takes its time: others come in while it is under way.
    pub slow: bool,
    id: ResourceId,
}

impl Serial {
    /// What a request writes that no other may write meanwhile; none for what goes side by side.
    pub fn of(method: &Method, path: &str) -> Option<Self> {
        if ![Method::PUT, Method::PATCH, Method::DELETE].contains(method) {
            return None;
        }
        let Named::Thing(id) = read(path, false) else {
            return None;
        };
        let kind = id.resource_type();
        let is = |name: &str| kind.eq_ignore_ascii_case(name);
        let child = is("Microsoft.KeyVault/vaults/accessPolicies")
            || catalog::kind(&kind).is_some_and(|kind| kind.serial && kind.is_child());
        let itself = is("Microsoft.KeyVault/vaults") || is("Microsoft.Authorization/roleAssignments");
        let key = match (child, itself) {
            (true, _) => id.parent()?.key().to_owned(),
            (_, true) => id.key().to_owned(),
            _ => return None,
        };
        Some(Self {
            key,
            slow: !is("Microsoft.Authorization/roleAssignments"),
            id,
        })
    }

    /// The refusal of a write while another is under way, as each service words it.
    pub fn refused(&self) -> Answer {
        let parent = &self.key;
        let name = crate::sim::rights::last(parent);
        match self.id.resource_type().to_ascii_lowercase().as_str() {
            "microsoft.managedidentity/userassignedidentities/federatedidentitycredentials" => {
                super::federated::concurrent(parent)
            }
            "microsoft.keyvault/vaults/accesspolicies" | "microsoft.keyvault/vaults" => fail(
                409,
                "ConflictError",
                format!(
                    "A conflict occurred that prevented the operation from completing. The operation failed because the \
                     vault '{name}' state changed during the operation. Please retry your request at a later time."
                ),
            ),
            "microsoft.authorization/roleassignments" => fail(
                409,
                "RoleAssignmentBeingUpdated",
                format!("The role assignment '{name}' is being updated by another request. Please retry later."),
            ),
            kind if kind.starts_with("microsoft.documentdb/") => fail(
                412,
                "PreconditionFailed",
                format!(
                    "There is already an operation in progress which requires exclusive lock on this service {name}. Please \
                     retry the operation after sometime."
                ),
            ),
            _ => fail(
                409,
                "Conflict",
                format!("Another operation on '{parent}' is in progress. Please retry later."),
            ),
        }
    }
}
