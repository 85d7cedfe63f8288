"""The tenant that the suites begin with: two subscriptions below a tree of management groups, and a directory."""

TENANT = "5f7e1c52-9b0a-4d0e-9d58-0b6d4c1f7a10"
SUBSCRIPTION = "0c1d7f3e-4b7a-4f0b-8f3f-6a1f2b3c4d01"
OTHER_SUBSCRIPTION = "0c1d7f3e-4b7a-4f0b-8f3f-6a1f2b3c4d02"
ALICE = "a11ce000-0000-4000-8000-000000000001"
BOB = "b0b00000-0000-4000-8000-000000000002"
ENGINEERS = "e1100000-0000-4000-8000-000000000003"
EVERYONE = "e1100000-0000-4000-8000-000000000004"
DYNAMIC = "e1100000-0000-4000-8000-000000000005"
ROBOT = "50b07000-0000-4000-8000-000000000006"
ROBOT_APP = "50b07000-0000-4000-8000-000000000007"
GRAPH = "50b07000-0000-4000-8000-000000000008"
GRAPH_APP = "00000003-0000-0000-c000-000000000000"
USER_READ_ALL = "df021288-bdef-4463-88db-98f22de89214"
GROUP_READ_ALL = "5b567255-7703-4780-807c-7be8301ae99b"
PLATFORM, WORKLOADS, ONLINE = "mg-platform", "mg-workloads", "mg-online"


def _management_group(name, display, parent):
    prefix = "/providers/Microsoft.Management/managementGroups"
    above = {"id": f"{prefix}/{parent}", "name": parent, "displayName": parent} if parent else None
    return {
        "id": f"{prefix}/{name}",
        "name": name,
        "type": "Microsoft.Management/managementGroups",
        "properties": {"tenantId": TENANT, "displayName": display, "details": {"version": 1, "parent": above}},
    }


def _subscription(guid, display, group):
    place = f"/providers/Microsoft.Management/managementGroups/{group}/subscriptions/{guid}"
    return [
        {
            "id": f"/subscriptions/{guid}",
            "type": "Microsoft.Resources/subscriptions",
            "subscriptionId": guid,
            "tenantId": TENANT,
            "displayName": display,
            "state": "Enabled",
            "authorizationSource": "RoleBased",
        },
        {
            "id": place,
            "name": guid,
            "type": "Microsoft.Management/managementGroups/subscriptions",
            "properties": {
                "tenant": TENANT,
                "displayName": display,
                "parent": {"id": f"/providers/Microsoft.Management/managementGroups/{group}"},
                "state": "Active",
            },
        },
    ]


def _user(guid, name):
    return {"id": guid, "displayName": name.title(), "userPrincipalName": f"{name}@contoso.example", "accountEnabled": True}


def _group(guid, name, members=(), **more):
    return {
        "id": guid,
        "displayName": name,
        "mailNickname": name,
        "mailEnabled": False,
        "securityEnabled": True,
        "groupTypes": [],
        "members": list(members),
        **more,
    }


ESTATE = {
    "tenantId": TENANT,
    "arm": {
        "resources": [
            _management_group(TENANT, "Tenant Root Group", None),
            _management_group(PLATFORM, "Platform", TENANT),
            _management_group(WORKLOADS, "Workloads", TENANT),
            _management_group(ONLINE, "Online", WORKLOADS),
            *_subscription(SUBSCRIPTION, "Contoso Production", ONLINE),
            *_subscription(OTHER_SUBSCRIPTION, "Contoso Platform", PLATFORM),
        ]
    },
    "graph": {
        "users": [_user(ALICE, "alice"), _user(BOB, "bob")],
        "groups": [
            _group(ENGINEERS, "engineers", [ALICE, ROBOT], owners=[BOB]),
            _group(EVERYONE, "everyone", [ENGINEERS, BOB]),
            _group(
                DYNAMIC,
                "all-users",
                [ALICE],
                groupTypes=["DynamicMembership"],
                membershipRule="user.accountEnabled -eq true",
                membershipRuleProcessingState="On",
            ),
        ],
        "servicePrincipals": [
            {
                "id": ROBOT,
                "appId": ROBOT_APP,
                "displayName": "robot",
                "servicePrincipalType": "Application",
                "servicePrincipalNames": [ROBOT_APP, "api://robot"],
                "accountEnabled": True,
            },
            {
                "id": GRAPH,
                "appId": GRAPH_APP,
                "displayName": "Microsoft Graph",
                "servicePrincipalType": "Application",
                "servicePrincipalNames": [GRAPH_APP, "https://graph.microsoft.com"],
                "accountEnabled": True,
                "appRoles": [
                    {
                        "id": guid,
                        "value": value,
                        "displayName": value,
                        "description": value,
                        "isEnabled": True,
                        "allowedMemberTypes": ["Application"],
                    }
                    for guid, value in [(USER_READ_ALL, "User.Read.All"), (GROUP_READ_ALL, "Group.Read.All")]
                ],
            },
        ],
    },
}
