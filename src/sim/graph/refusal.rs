//! Why a request is refused: Graph's status, code and message, each wording in one place.

/// A refused request: becomes Graph's error envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Refusal {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    /// 400 of the directory itself.
    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, "Request_BadRequest", message)
    }

    /// 400 of the gateway before the directory, which has another code.
    pub(super) fn gateway(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// 404: nothing there under this id, or not yet. Also the answer to a reference (`@odata.id`) to such an object.
    pub(super) fn not_found(id: &str) -> Self {
        Self::new(
            404,
            "Request_ResourceNotFound",
            format!("Resource '{id}' does not exist or one of its queried reference-property objects are not present."),
        )
    }

    /// 400: a principal named in a body (`principalId`) is unknown, or not yet known.
    pub(super) fn invalid_reference() -> Self {
        Self::bad("Not a valid reference update.")
    }

    /// 400: the reference is there already.
    pub(super) fn duplicate_reference(property: &str) -> Self {
        Self::bad(format!(
            "One or more added object references already exist for the following modified properties: '{property}'."
        ))
    }

    /// 400: an object of this kind cannot be referred to there.
    pub(super) fn invalid_member(property: &str) -> Self {
        Self::bad(format!(
            "An invalid operation was included in the following modified references: '{property}'."
        ))
    }

    /// 403 of the directory.
    pub(super) fn denied() -> Self {
        Self::new(
            403,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        )
    }

    /// 400: the object is mastered on premises.
    pub(super) fn on_premises() -> Self {
        Self::bad(
            "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects \
             currently undergoing migration.",
        )
    }

    /// 400: mail-enabled groups are Exchange's.
    pub(super) fn mail_enabled() -> Self {
        Self::bad("Cannot Update a mail-enabled security groups and or distribution list.")
    }

    /// 400: an id that is no GUID.
    pub(super) fn invalid_id(id: &str) -> Self {
        Self::bad(format!("Invalid object identifier '{id}'."))
    }

    /// 400: a filter that cannot be read.
    pub(super) fn invalid_filter(why: impl std::fmt::Display) -> Self {
        Self::bad(format!("Invalid filter clause: {why}"))
    }

    /// 400: a query that Graph can read and the directory does not serve.
    pub(super) fn unsupported_query(message: impl Into<String>) -> Self {
        Self::new(400, "Request_UnsupportedQuery", message)
    }

    /// 400: an advanced query without the header and the parameter that it needs.
    pub(super) fn advanced_query(what: &str) -> Self {
        Self::unsupported_query(format!(
            "{what} is not supported because the required parameters might be missing. Try adding $count=true query \
             parameter and ConsistencyLevel:eventual header. Refer to https://aka.ms/graph-docs/advanced-queries for \
             more information"
        ))
    }

    /// 400: a page token that is not one of ours.
    pub(super) fn page_token() -> Self {
        Self::new(
            400,
            "Directory_ExpiredPageToken",
            "The specified page token value has expired and can no longer be included in your request.",
        )
    }

    /// 400: no such segment in the path.
    pub(super) fn no_segment(segment: &str) -> Self {
        Self::gateway(format!("Resource not found for the segment '{segment}'."))
    }

    /// 400: no such property of the type.
    pub(super) fn no_property(property: &str, of: &str) -> Self {
        Self::gateway(format!("Could not find a property named '{property}' on type '{of}'."))
    }

    /// 400: a property that must be given.
    pub(super) fn missing_property(property: &str, of: &str) -> Self {
        Self::bad(format!(
            "A value is required for property '{property}' of resource '{of}'."
        ))
    }

    /// 405: the path is known, the method is not served there.
    pub(super) fn method() -> Self {
        Self::new(
            405,
            "Request_BadRequest",
            "Specified HTTP method is not allowed for the request target.",
        )
    }

    /// 400: a body was needed and there was none, or it is no object.
    pub(super) fn no_body() -> Self {
        Self::gateway("Empty Payload. JSON content expected.")
    }
}
