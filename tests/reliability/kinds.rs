//! The kinds of request that a relocation makes, each by what it looks like on the wire.

/// What a request is, as far as faults are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// It opens the cloud, without a token.
    Open,
    /// It reads one document.
    Read,
    /// It reads a list, page by page.
    List,
    /// It writes, and the answer is the end.
    Write,
    /// It begins an operation that ends later.
    Begin,
    /// It asks how far an operation is.
    Poll,
}

/// A kind of request.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    pub name: &'static str,
    pub method: &'static str,
    pub path: &'static str,
    pub does: Does,
}

const fn kind(name: &'static str, method: &'static str, path: &'static str, does: Does) -> Kind {
    Kind {
        name,
        method,
        path,
        does,
    }
}

pub const KINDS: &[Kind] = &[
    kind("GET cloud metadata", "GET", r"^/metadata/endpoints", Does::Open),
    kind("GET token", "GET", r"^/msi/token", Does::Open),
    kind("GET document", "GET", r"/vaults/kv-kinds\?", Does::Read),
    kind(
        "GET list",
        "GET",
        r"^/subscriptions/[^/]+/providers/Microsoft.Authorization/roleAssignments\?",
        Does::List,
    ),
    kind(
        "POST Resource Graph",
        "POST",
        r"^/providers/Microsoft.ResourceGraph/resources",
        Does::List,
    ),
    kind("POST list action", "POST", r"/config/appsettings/list", Does::Read),
    kind(
        "PUT identity",
        "PUT",
        r"/userAssignedIdentities/id-kinds-westeurope\?",
        Does::Write,
    ),
    kind(
        "PUT federated credential",
        "PUT",
        r"/federatedIdentityCredentials/",
        Does::Write,
    ),
    kind(
        "PUT role assignment",
        "PUT",
        r"/resourceGroups/rg-kinds/providers/Microsoft.Authorization/roleAssignments/",
        Does::Write,
    ),
    kind("PUT access policy", "PUT", r"/accessPolicies/", Does::Write),
    kind("PUT app settings", "PUT", r"/config/appsettings\?", Does::Write),
    kind("PUT lock", "PUT", r"/locks/keep", Does::Write),
    kind("PUT, slow", "PUT", r"/sqlRoleAssignments/", Does::Begin),
    kind("PATCH identity block", "PATCH", r"/sites/app-kinds", Does::Write),
    kind("PATCH, slow", "PATCH", r"/virtualMachines/vm-kinds", Does::Begin),
    kind(
        "DELETE role assignment",
        "DELETE",
        r"/resourceGroups/rg-kinds/providers/Microsoft.Authorization/roleAssignments/",
        Does::Write,
    ),
    kind("DELETE lock", "DELETE", r"/locks/keep", Does::Write),
    kind(
        "DELETE identity",
        "DELETE",
        r"/userAssignedIdentities/id-kinds\?",
        Does::Write,
    ),
    kind("DELETE, slow", "DELETE", r"/sqlRoleAssignments/", Does::Begin),
    kind(
        "GET state of an operation",
        "GET",
        r"/operation(statuses|results)/",
        Does::Poll,
    ),
    kind(
        "GET Graph object",
        "GET",
        r"^/v1.0/servicePrincipals/[0-9a-f-]+(\?|$)",
        Does::Read,
    ),
    kind(
        "GET Graph list",
        "GET",
        r"^/v1.0/servicePrincipals/[^/]+/memberOf",
        Does::List,
    ),
    kind("POST Graph member", "POST", r"/members/\$ref", Does::Write),
    kind("DELETE Graph member", "DELETE", r"/members/[^/]+/\$ref", Does::Write),
    kind("POST Graph app role", "POST", r"/appRoleAssignments", Does::Write),
    kind("DELETE Graph app role", "DELETE", r"/appRoleAssignments/", Does::Write),
];
