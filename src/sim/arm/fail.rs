//! Azure's errors: one envelope, and the codes that many doors share.

use serde_json::json;

use crate::sim::Answer;
use crate::sim::rights::Denied;
use crate::types::ResourceId;

/// An error in Azure's envelope.
pub fn fail(status: u16, code: &str, message: impl Into<String>) -> Answer {
    Answer::json(status, json!({"error": {"code": code, "message": message.into()}}))
}

/// 404 for a resource that is not there.
pub fn resource_missing(id: &ResourceId) -> Answer {
    let place = id
        .resource_group()
        .map(|group| format!(" under resource group '{group}'"))
        .unwrap_or_default();
    let name = typed_name(id);
    let more = "For more details please go to https://aka.ms/ARMResourceNotFoundFix";
    fail(
        404,
        "ResourceNotFound",
        format!("The Resource '{name}'{place} was not found. {more}"),
    )
}

/// `Microsoft.Web/sites/app/slots/blue`: type and name interleaved.
pub fn typed_name(id: &ResourceId) -> String {
    let text = id.as_str();
    match text.to_ascii_lowercase().rfind("/providers/") {
        Some(at) => text[at + "/providers/".len()..].to_owned(),
        None => text.trim_start_matches('/').to_owned(),
    }
}

/// 404 for a resource group that is not there.
pub fn group_missing(name: &str) -> Answer {
    fail(
        404,
        "ResourceGroupNotFound",
        format!("Resource group '{name}' could not be found."),
    )
}

/// 404 for a subscription that is not there.
pub fn subscription_missing(id: &str) -> Answer {
    fail(
        404,
        "SubscriptionNotFound",
        format!("The subscription '{id}' could not be found."),
    )
}

/// 400 for a body that is none, or not the expected one.
pub fn bad_content(why: &str) -> Answer {
    fail(
        400,
        "InvalidRequestContent",
        format!("The request content was invalid and could not be deserialized: '{why}'."),
    )
}

/// 501 for what Azure does and the simulator does not: no client takes it for success, and none tries again.
pub fn unsimulated(what: &str) -> Answer {
    fail(
        501,
        "NotSupportedBySimulator",
        format!(
            "The simulator does not serve {what}. Nothing was changed. docs/simulator.md tells what it leaves out."
        ),
    )
}

/// 403 for what no role of the caller allows.
pub fn forbidden(client: &str, principal: &str, action: &str, scope: &str) -> Answer {
    fail(
        403,
        "AuthorizationFailed",
        format!(
            "The client '{client}' with object id '{principal}' does not have authorization to perform action \
             '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh \
             your credentials."
        ),
    )
}

/// 403 for what a role allows and a deny assignment denies.
pub fn denied(client: &str, principal: &str, action: &str, scope: &str, by: &Denied) -> Answer {
    fail(
        403,
        "DenyAssignmentAuthorizationFailed",
        format!(
            "The client '{client}' with object id '{principal}' has permission to perform action '{action}' on scope \
             '{scope}'; however, the access is denied because of the deny assignment with name '{}' and Id '{}' at scope \
             '{}'.",
            by.name,
            crate::sim::rights::last(&by.id).replace('-', ""),
            by.scope
        ),
    )
}

/// The word for what a method does, in the names of actions: `read`, `write` or `delete`.
///
/// # Errors
/// 405 for any other method.
pub fn verb(method: &http::Method) -> Result<&'static str, Answer> {
    match *method {
        http::Method::GET => Ok("read"),
        http::Method::PUT => Ok("write"),
        http::Method::DELETE => Ok("delete"),
        _ => Err(no_method(method)),
    }
}

/// 405 for a method that a path does not have.
pub fn no_method(method: &http::Method) -> Answer {
    fail(
        405,
        "MethodNotAllowed",
        format!("The http method '{method}' is not supported at this path."),
    )
}
