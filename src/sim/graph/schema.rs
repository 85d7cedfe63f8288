//! The kinds of objects that Graph serves, and the members that it shows of each, null ones included.

use serde_json::{Value, json};

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    User,
    Group,
    ServicePrincipal,
    Application,
    DirectoryRole,
    AdministrativeUnit,
    AppRoleAssignment,
    RoleAssignment,
    RoleDefinition,
    PermissionGrant,
    SignIn,
    Credential,
    Organization,
    RoleTemplate,
    Other,
}

/// What Graph shows for a member that the stored document leaves out.
#[derive(Debug, Clone, Copy)]
pub(super) enum Default {
    Null,
    List,
    Bool(bool),
    Text(&'static str),
    /// An object whose members are all null.
    Nulls(&'static [&'static str]),
}

impl Default {
    pub(super) fn value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::List => json!([]),
            Self::Bool(yes) => json!(yes),
            Self::Text(text) => json!(text),
            Self::Nulls(names) => names.iter().map(|name| ((*name).to_owned(), Value::Null)).collect(),
        }
    }
}

use self::Default::{Bool, List, Null, Nulls, Text};

/// A member's name and its value where nothing is stored.
pub(super) type Member = (&'static str, Default);

const GROUP: &[Member] = &[
    ("id", Null),
    ("deletedDateTime", Null),
    ("classification", Null),
    ("createdDateTime", Null),
    ("creationOptions", List),
    ("description", Null),
    ("displayName", Null),
    ("expirationDateTime", Null),
    ("groupTypes", List),
    ("isAssignableToRole", Null),
    ("isManagementRestricted", Null),
    ("mail", Null),
    ("mailEnabled", Bool(false)),
    ("mailNickname", Null),
    ("membershipRule", Null),
    ("membershipRuleProcessingState", Null),
    ("onPremisesDomainName", Null),
    ("onPremisesLastSyncDateTime", Null),
    ("onPremisesNetBiosName", Null),
    ("onPremisesSamAccountName", Null),
    ("onPremisesSecurityIdentifier", Null),
    ("onPremisesSyncEnabled", Null),
    ("preferredDataLocation", Null),
    ("preferredLanguage", Null),
    ("proxyAddresses", List),
    ("renewedDateTime", Null),
    ("resourceBehaviorOptions", List),
    ("resourceProvisioningOptions", List),
    ("securityEnabled", Bool(true)),
    ("securityIdentifier", Null),
    ("theme", Null),
    ("uniqueName", Null),
    ("visibility", Null),
    ("onPremisesProvisioningErrors", List),
    ("serviceProvisioningErrors", List),
];

const SERVICE_PRINCIPAL: &[Member] = &[
    ("id", Null),
    ("deletedDateTime", Null),
    ("accountEnabled", Bool(true)),
    ("alternativeNames", List),
    ("appDisplayName", Null),
    ("appDescription", Null),
    ("appId", Null),
    ("applicationTemplateId", Null),
    ("appOwnerOrganizationId", Null),
    ("appRoleAssignmentRequired", Bool(false)),
    ("createdDateTime", Null),
    ("description", Null),
    ("disabledByMicrosoftStatus", Null),
    ("displayName", Null),
    ("homepage", Null),
    ("loginUrl", Null),
    ("logoutUrl", Null),
    ("notes", Null),
    ("notificationEmailAddresses", List),
    ("preferredSingleSignOnMode", Null),
    ("preferredTokenSigningKeyThumbprint", Null),
    ("replyUrls", List),
    ("servicePrincipalNames", List),
    ("servicePrincipalType", Text("Application")),
    ("signInAudience", Null),
    ("tags", List),
    ("tokenEncryptionKeyId", Null),
    ("samlSingleSignOnSettings", Null),
    (
        "verifiedPublisher",
        Nulls(&["displayName", "verifiedPublisherId", "addedDateTime"]),
    ),
    ("addIns", List),
    ("appRoles", List),
    (
        "info",
        Nulls(&[
            "logoUrl",
            "marketingUrl",
            "privacyStatementUrl",
            "supportUrl",
            "termsOfServiceUrl",
        ]),
    ),
    ("keyCredentials", List),
    ("oauth2PermissionScopes", List),
    ("passwordCredentials", List),
    ("resourceSpecificApplicationPermissions", List),
];

const APPLICATION: &[Member] = &[
    ("id", Null),
    ("deletedDateTime", Null),
    ("appId", Null),
    ("applicationTemplateId", Null),
    ("disabledByMicrosoftStatus", Null),
    ("createdDateTime", Null),
    ("displayName", Null),
    ("description", Null),
    ("groupMembershipClaims", Null),
    ("identifierUris", List),
    ("isDeviceOnlyAuthSupported", Null),
    ("isFallbackPublicClient", Null),
    ("notes", Null),
    ("publisherDomain", Null),
    ("serviceManagementReference", Null),
    ("signInAudience", Text("AzureADMyOrg")),
    ("tags", List),
    ("tokenEncryptionKeyId", Null),
    ("samlMetadataUrl", Null),
    ("defaultRedirectUri", Null),
    ("certification", Null),
    ("optionalClaims", Null),
    ("servicePrincipalLockConfiguration", Null),
    ("requestSignatureVerification", Null),
    ("addIns", List),
    ("api", Null),
    ("appRoles", List),
    (
        "info",
        Nulls(&[
            "logoUrl",
            "marketingUrl",
            "privacyStatementUrl",
            "supportUrl",
            "termsOfServiceUrl",
        ]),
    ),
    ("keyCredentials", List),
    ("parentalControlSettings", Null),
    ("passwordCredentials", List),
    ("publicClient", Null),
    ("requiredResourceAccess", List),
    (
        "verifiedPublisher",
        Nulls(&["displayName", "verifiedPublisherId", "addedDateTime"]),
    ),
    ("web", Null),
    ("spa", Null),
];

const USER: &[Member] = &[
    ("businessPhones", List),
    ("displayName", Null),
    ("givenName", Null),
    ("jobTitle", Null),
    ("mail", Null),
    ("mobilePhone", Null),
    ("officeLocation", Null),
    ("preferredLanguage", Null),
    ("surname", Null),
    ("userPrincipalName", Null),
    ("id", Null),
];

/// Members of a user that v1.0 shows only when they are selected.
const USER_MORE: &[Member] = &[
    ("accountEnabled", Bool(true)),
    ("ageGroup", Null),
    ("city", Null),
    ("companyName", Null),
    ("country", Null),
    ("createdDateTime", Null),
    ("customSecurityAttributes", Null),
    ("deletedDateTime", Null),
    ("department", Null),
    ("employeeId", Null),
    ("employeeType", Null),
    ("externalUserState", Null),
    ("identities", List),
    ("mailNickname", Null),
    ("onPremisesDistinguishedName", Null),
    ("onPremisesImmutableId", Null),
    ("onPremisesLastSyncDateTime", Null),
    ("onPremisesSamAccountName", Null),
    ("onPremisesSecurityIdentifier", Null),
    ("onPremisesSyncEnabled", Null),
    ("onPremisesUserPrincipalName", Null),
    ("otherMails", List),
    ("postalCode", Null),
    ("proxyAddresses", List),
    ("securityIdentifier", Null),
    ("signInActivity", Null),
    ("state", Null),
    ("streetAddress", Null),
    ("usageLocation", Null),
    ("userType", Text("Member")),
];

const DIRECTORY_ROLE: &[Member] = &[
    ("id", Null),
    ("deletedDateTime", Null),
    ("description", Null),
    ("displayName", Null),
    ("roleTemplateId", Null),
];

const ADMINISTRATIVE_UNIT: &[Member] = &[
    ("id", Null),
    ("deletedDateTime", Null),
    ("displayName", Null),
    ("description", Null),
    ("isMemberManagementRestricted", Null),
    ("membershipRule", Null),
    ("membershipRuleProcessingState", Null),
    ("membershipType", Null),
    ("visibility", Null),
];

const APP_ROLE_ASSIGNMENT: &[Member] = &[
    ("id", Null),
    ("deletedDateTime", Null),
    ("appRoleId", Text("00000000-0000-0000-0000-000000000000")),
    ("createdDateTime", Null),
    ("principalDisplayName", Null),
    ("principalId", Null),
    ("principalType", Null),
    ("resourceDisplayName", Null),
    ("resourceId", Null),
];

const ROLE_ASSIGNMENT: &[Member] = &[
    ("id", Null),
    ("principalId", Null),
    ("roleDefinitionId", Null),
    ("directoryScopeId", Null),
    ("appScopeId", Null),
];

const PERMISSION_GRANT: &[Member] = &[
    ("clientId", Null),
    ("consentType", Null),
    ("id", Null),
    ("principalId", Null),
    ("resourceId", Null),
    ("scope", Null),
];

const CREDENTIAL: &[Member] = &[
    ("id", Null),
    ("name", Null),
    ("issuer", Null),
    ("subject", Null),
    ("description", Null),
    ("audiences", List),
];

const GROUP_MORE: &[Member] = &[
    ("assignedLabels", List),
    ("assignedLicenses", List),
    ("hideFromAddressLists", Null),
    ("isArchived", Null),
    ("licenseProcessingState", Null),
    ("writebackConfiguration", Null),
];
const SERVICE_PRINCIPAL_MORE: &[Member] = &[
    ("customSecurityAttributes", Null),
    ("isDisabled", Null),
    ("lockConfiguration", Null),
];
const APPLICATION_MORE: &[Member] = &[("uniqueName", Null), ("nativeAuthenticationApisEnabled", Null)];

/// Members of stored documents that are navigation properties, and no part of an answer.
pub(super) const NAVIGATION: &[&str] = &["members", "owners", "federatedIdentityCredentials"];

/// Members that a request may not set, because the directory does.
pub(super) const READ_ONLY: &[&str] = &[
    "id",
    "createdDateTime",
    "deletedDateTime",
    "securityIdentifier",
    "renewedDateTime",
    "onPremisesDomainName",
    "onPremisesLastSyncDateTime",
    "onPremisesNetBiosName",
    "onPremisesSecurityIdentifier",
    "onPremisesSyncEnabled",
    "servicePrincipalType",
    "appOwnerOrganizationId",
];

impl Kind {
    /// The directory objects with an array of their own in the estate.
    pub(super) const OBJECTS: [Self; 6] = [
        Self::User,
        Self::Group,
        Self::ServicePrincipal,
        Self::Application,
        Self::DirectoryRole,
        Self::AdministrativeUnit,
    ];

    /// The key of its array in the estate.
    pub(super) fn section(self) -> &'static str {
        match self {
            Self::User => "users",
            Self::Group => "groups",
            Self::ServicePrincipal => "servicePrincipals",
            Self::Application => "applications",
            Self::DirectoryRole => "directoryRoles",
            Self::AdministrativeUnit => "administrativeUnits",
            Self::AppRoleAssignment => "appRoleAssignments",
            Self::RoleAssignment => "roleManagement",
            Self::RoleDefinition => "roleDefinitions",
            Self::PermissionGrant => "oauth2PermissionGrants",
            Self::SignIn => "signIns",
            Self::Credential => "federatedIdentityCredentials",
            Self::Organization => "organization",
            Self::RoleTemplate => "directoryRoleTemplates",
            Self::Other => "",
        }
    }

    /// The kind whose array in the estate has this key.
    pub(super) fn of_section(key: &str) -> Option<Self> {
        [
            Self::User,
            Self::Group,
            Self::ServicePrincipal,
            Self::Application,
            Self::DirectoryRole,
            Self::AdministrativeUnit,
            Self::AppRoleAssignment,
            Self::RoleAssignment,
            Self::RoleDefinition,
            Self::PermissionGrant,
            Self::SignIn,
        ]
        .into_iter()
        .find(|kind| kind.section() == key)
    }

    /// The directory objects that a set of this name holds, in any case.
    pub(super) fn of_set(name: &str) -> Option<Self> {
        Self::OBJECTS
            .into_iter()
            .find(|kind| kind.section().eq_ignore_ascii_case(name))
    }

    /// The type's name without `microsoft.graph.`.
    pub(super) fn odata(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::ServicePrincipal => "servicePrincipal",
            Self::Application => "application",
            Self::DirectoryRole => "directoryRole",
            Self::AdministrativeUnit => "administrativeUnit",
            Self::AppRoleAssignment => "appRoleAssignment",
            Self::RoleAssignment => "unifiedRoleAssignment",
            Self::RoleDefinition => "unifiedRoleDefinition",
            Self::PermissionGrant => "oAuth2PermissionGrant",
            Self::SignIn => "signIn",
            Self::Credential => "federatedIdentityCredential",
            Self::Organization => "organization",
            Self::RoleTemplate => "directoryRoleTemplate",
            Self::Other => "entity",
        }
    }

    /// The type's name in errors and in locations: `Group`.
    pub(super) fn title(self) -> String {
        let name = self.odata();
        name[..1].to_uppercase() + &name[1..]
    }

    /// Whether it is one of the directory's own objects, to which the rules of advanced queries apply.
    pub(super) fn is_object(self) -> bool {
        Self::OBJECTS.contains(&self)
    }

    /// The members that an answer shows.
    pub(super) fn members(self) -> &'static [Member] {
        match self {
            Self::User => USER,
            Self::Group => GROUP,
            Self::ServicePrincipal => SERVICE_PRINCIPAL,
            Self::Application => APPLICATION,
            Self::DirectoryRole => DIRECTORY_ROLE,
            Self::AdministrativeUnit => ADMINISTRATIVE_UNIT,
            Self::AppRoleAssignment => APP_ROLE_ASSIGNMENT,
            Self::RoleAssignment => ROLE_ASSIGNMENT,
            Self::PermissionGrant => PERMISSION_GRANT,
            Self::Credential => CREDENTIAL,
            Self::RoleDefinition | Self::SignIn | Self::Organization | Self::RoleTemplate | Self::Other => &[],
        }
    }

    /// The members that an answer shows only when they are selected.
    pub(super) fn more(self) -> &'static [Member] {
        match self {
            Self::User => USER_MORE,
            Self::Group => GROUP_MORE,
            Self::ServicePrincipal => SERVICE_PRINCIPAL_MORE,
            Self::Application => APPLICATION_MORE,
            _ => &[],
        }
    }

    /// The member of this name, in any case.
    pub(super) fn member(self, name: &str) -> Option<Member> {
        let mut all = self.members().iter().chain(self.more());
        all.find(|(member, _)| member.eq_ignore_ascii_case(name)).copied()
    }

    /// Whether any name may be asked for: the types whose members we do not list.
    pub(super) fn open(self) -> bool {
        self.members().is_empty()
    }
}
