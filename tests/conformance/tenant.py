"""A small tenant that the official clients work on: enough of each kind, and nothing of Ferry's."""

TENANT = "6f1c7a52-0b6e-4b0f-9a53-58b1f3b8a001"
SUBSCRIPTION = "0d1ce5a1-32f1-4bd3-8a2c-6b1f1c5e9a01"
OTHER_SUBSCRIPTION = "0d1ce5a1-32f1-4bd3-8a2c-6b1f1c5e9a02"

SUB = f"/subscriptions/{SUBSCRIPTION}"
GROUP = f"{SUB}/resourceGroups/rg-shop"
EAST = f"{SUB}/resourceGroups/rg-shop-east"

# The identity that the resources below use.
IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-shop"
IDENTITY_PRINCIPAL = "3a6c1c3e-5a0e-4f6a-8f0c-2c5d7f9b1101"
IDENTITY_CLIENT = "3a6c1c3e-5a0e-4f6a-8f0c-2c5d7f9b1102"
# One that nothing uses.
SPARE = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-spare"
SPARE_PRINCIPAL = "3a6c1c3e-5a0e-4f6a-8f0c-2c5d7f9b1201"
SPARE_CLIENT = "3a6c1c3e-5a0e-4f6a-8f0c-2c5d7f9b1202"

VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm-shop"
SITE = f"{GROUP}/providers/Microsoft.Web/sites/app-shop"
PLAN = f"{GROUP}/providers/Microsoft.Web/serverfarms/plan-shop"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-shop"
COSMOS = f"{GROUP}/providers/Microsoft.DocumentDB/databaseAccounts/cosmos-shop"
STORAGE = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/stshop"

USER = "a7c0e2aa-7e10-4f3e-b1d3-b1d4d5c90001"
TEAM = "a7c0e2aa-7e10-4f3e-b1d3-b1d4d5c90002"
TEAM_OF_TEAMS = "a7c0e2aa-7e10-4f3e-b1d3-b1d4d5c90003"
# A service principal that pipelines sign in with.
DEPLOY = "a7c0e2aa-7e10-4f3e-b1d3-b1d4d5c90004"
DEPLOY_APP = "a7c0e2aa-7e10-4f3e-b1d3-b1d4d5c90005"

READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
BLOB_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"


def role(guid):
    return f"{SUB}/providers/Microsoft.Authorization/roleDefinitions/{guid}"


def subscription(guid, name):
    return {
        "id": f"/subscriptions/{guid}",
        "type": "Microsoft.Resources/subscriptions",
        "subscriptionId": guid,
        "tenantId": TENANT,
        "displayName": name,
        "state": "Enabled",
    }


def group(name, location, sub=SUB):
    return {
        "id": f"{sub}/resourceGroups/{name}",
        "name": name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": location,
        "properties": {"provisioningState": "Succeeded"},
    }


def identity(id, principal, client, location="westeurope"):
    return {
        "id": id,
        "name": id.split("/")[-1],
        "type": "Microsoft.ManagedIdentity/userAssignedIdentities",
        "location": location,
        "tags": {},
        "properties": {"tenantId": TENANT, "principalId": principal, "clientId": client},
    }


def resource(id, type, location="westeurope", **more):
    return {"id": id, "name": id.split("/")[-1], "type": type, "location": location, **more}


def user_assigned(id=IDENTITY, principal=IDENTITY_PRINCIPAL, client=IDENTITY_CLIENT):
    return {"type": "UserAssigned", "userAssignedIdentities": {id: {"principalId": principal, "clientId": client}}}


def assignment(name, scope, role_guid, principal, principal_type="ServicePrincipal"):
    return {
        "id": f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}",
        "name": name,
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": {
            "roleDefinitionId": role(role_guid),
            "principalId": principal,
            "principalType": principal_type,
            "scope": scope,
        },
    }


ESTATE = {
    "tenantId": TENANT,
    "arm": {
        "resources": [
            {
                "id": f"/providers/Microsoft.Management/managementGroups/{TENANT}",
                "name": TENANT,
                "type": "Microsoft.Management/managementGroups",
                "properties": {"tenantId": TENANT, "displayName": "Tenant Root Group"},
            },
            subscription(SUBSCRIPTION, "shop"),
            subscription(OTHER_SUBSCRIPTION, "warehouse"),
            group("rg-shop", "westeurope"),
            group("rg-shop-east", "eastus"),
            group("rg-warehouse", "westeurope", f"/subscriptions/{OTHER_SUBSCRIPTION}"),
            identity(IDENTITY, IDENTITY_PRINCIPAL, IDENTITY_CLIENT),
            identity(SPARE, SPARE_PRINCIPAL, SPARE_CLIENT),
            resource(
                VM,
                "Microsoft.Compute/virtualMachines",
                identity=user_assigned(),
                properties={
                    "provisioningState": "Succeeded",
                    "vmId": "5b6c2a4e-0000-4000-8000-000000000001",
                    "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
                    "storageProfile": {
                        "osDisk": {
                            "name": "os",
                            "osType": "Linux",
                            "createOption": "FromImage",
                            "managedDisk": {"storageAccountType": "Premium_LRS"},
                        }
                    },
                },
            ),
            resource(
                PLAN,
                "Microsoft.Web/serverfarms",
                kind="linux",
                sku={"name": "P1v3", "tier": "PremiumV3", "capacity": 1},
                properties={"reserved": True, "status": "Ready"},
            ),
            resource(
                SITE,
                "Microsoft.Web/sites",
                kind="app,linux",
                identity=user_assigned(),
                properties={
                    "state": "Running",
                    "enabled": True,
                    "hostNames": ["app-shop.azurewebsites.net"],
                    "defaultHostName": "app-shop.azurewebsites.net",
                    "reserved": True,
                    "serverFarmId": PLAN,
                },
            ),
            {
                "id": f"{SITE}/config/appsettings",
                "name": "appsettings",
                "type": "Microsoft.Web/sites/config",
                "properties": {"AZURE_CLIENT_ID": IDENTITY_CLIENT, "COLOUR": "green"},
            },
            resource(
                VAULT,
                "Microsoft.KeyVault/vaults",
                properties={
                    "tenantId": TENANT,
                    "sku": {"family": "A", "name": "standard"},
                    "accessPolicies": [
                        {
                            "tenantId": TENANT,
                            "objectId": IDENTITY_PRINCIPAL,
                            "permissions": {"secrets": ["get", "list"]},
                        }
                    ],
                    "enabledForDeployment": False,
                    "enableRbacAuthorization": False,
                    "enableSoftDelete": True,
                    "vaultUri": "https://kv-shop.vault.azure.net/",
                    "provisioningState": "Succeeded",
                },
            ),
            resource(
                COSMOS,
                "Microsoft.DocumentDB/databaseAccounts",
                kind="GlobalDocumentDB",
                identity={"type": "None"},
                properties={
                    "provisioningState": "Succeeded",
                    "documentEndpoint": "https://cosmos-shop.documents.azure.com:443/",
                    "databaseAccountOfferType": "Standard",
                    "consistencyPolicy": {"defaultConsistencyLevel": "Session"},
                    "locations": [{"locationName": "West Europe", "failoverPriority": 0}],
                },
            ),
            resource(
                STORAGE,
                "Microsoft.Storage/storageAccounts",
                kind="StorageV2",
                sku={"name": "Standard_LRS", "tier": "Standard"},
                properties={"provisioningState": "Succeeded", "supportsHttpsTrafficOnly": True},
            ),
            assignment("0f4b7a10-0000-4000-8000-000000000001", GROUP, READER, IDENTITY_PRINCIPAL),
            assignment("0f4b7a10-0000-4000-8000-000000000002", STORAGE, BLOB_READER, IDENTITY_PRINCIPAL),
            assignment("0f4b7a10-0000-4000-8000-000000000003", SUB, READER, TEAM, "Group"),
            assignment("0f4b7a10-0000-4000-8000-000000000004", SUB, CONTRIBUTOR, DEPLOY),
            {
                "id": f"{IDENTITY}/federatedIdentityCredentials/github",
                "name": "github",
                "type": "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
                "properties": {
                    "issuer": "https://token.actions.githubusercontent.com",
                    "subject": "repo:contoso/shop:ref:refs/heads/main",
                    "audiences": ["api://AzureADTokenExchange"],
                },
            },
        ]
    },
    "graph": {
        "users": [
            {
                "id": USER,
                "displayName": "Ada Example",
                "userPrincipalName": "ada@contoso.example",
                "mail": "ada@contoso.example",
                "accountEnabled": True,
            }
        ],
        "groups": [
            {
                "id": TEAM,
                "displayName": "shop-team",
                "mailEnabled": False,
                "mailNickname": "shop-team",
                "securityEnabled": True,
                "groupTypes": [],
                "members": [IDENTITY_PRINCIPAL, USER],
                "owners": [USER],
            },
            {
                "id": TEAM_OF_TEAMS,
                "displayName": "all-teams",
                "mailEnabled": False,
                "mailNickname": "all-teams",
                "securityEnabled": True,
                "groupTypes": [],
                "members": [TEAM],
                "owners": [],
            },
        ],
        "servicePrincipals": [
            {
                "id": DEPLOY,
                "appId": DEPLOY_APP,
                "displayName": "sp-deploy",
                "servicePrincipalType": "Application",
                "servicePrincipalNames": [DEPLOY_APP],
                "accountEnabled": True,
            }
        ],
        "applications": [
            {"id": "a7c0e2aa-7e10-4f3e-b1d3-b1d4d5c90006", "appId": DEPLOY_APP, "displayName": "sp-deploy"}
        ],
        "directoryRoles": [],
        "appRoleAssignments": [],
        "roleManagement": [],
        "signIns": [],
    },
    "data": {},
}
