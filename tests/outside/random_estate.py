#!/usr/bin/env python3
"""Prints a random estate: a company with one identity to relocate, all that hangs on it, and decoys.

    random_estate.py SEED [--size N] [--assignments N] [--bindings N] [--to REGION]

The same seed and sizes give the same bytes. `--size` is the number of decoy resources, `--assignments` the number
of role assignments of the identity, `--bindings` the number of resources that use it. What a resource of each kind
looks like stands in BINDINGS; a new kind is one more function there. Python 3.11, standard library only.
"""
import argparse
import json
import random
import sys
import uuid

from wider_estate import widen

ROLES = {
    "Owner": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "Contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "Reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "User Access Administrator": "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
    "Managed Identity Operator": "f1a07417-d97a-45cb-824c-7a7467783830",
    "Managed Identity Contributor": "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59",
    "Storage Blob Data Owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Storage Blob Data Reader": "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    "Storage Queue Data Contributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Key Vault Reader": "21090545-7ca7-4776-b22c-e363652d74d2",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Key Vault Secrets Officer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    "Key Vault Crypto Service Encryption User": "e147488a-f6f5-4113-8e2d-b22465e65bf6",
    "AcrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    "AcrPush": "8311e382-0749-4cb8-b61a-304f252e45ec",
    "Network Contributor": "4d97b98b-1d4f-4787-a291-c67834d212e7",
    "Private DNS Zone Contributor": "b12aa53e-6015-4669-85d0-8515ebb3ae7f",
    "Azure Service Bus Data Sender": "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39",
    "Azure Service Bus Data Receiver": "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0",
    "App Configuration Data Reader": "516239f1-63e1-4d78-a4de-a74fb236a071",
    "Monitoring Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "Monitoring Reader": "43d0d8ad-25c7-4714-9337-8ba259a9fe05",
    "Log Analytics Reader": "73c42c96-874c-492b-b04d-ab87d138a893",
    "Cosmos DB Account Reader Role": "fbdf93bf-df7d-467e-a4d2-9458aa1360c8",
}
DIRECTORY_READERS = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"
CONDITION = (
    "((!(ActionMatches{'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'})) OR "
    "(@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringEquals '%s'))"
)
# App Service answers with display names.
DISPLAY = {"eastus": "East US", "northeurope": "North Europe", "westeurope": "West Europe", "uksouth": "UK South",
           "southeastasia": "Southeast Asia", "centralus": "Central US"}
SPELLINGS = ["given", "groups", "lower", "provider"]


def spell(text, how):
    """The id `text` as one of Azure's providers would write it."""
    if how == "groups":
        return text.replace("/resourceGroups/", "/resourcegroups/")
    if how == "lower":
        return text.lower()
    if how == "provider":
        return text.replace("/resourceGroups/", "/resourcegroups/").replace(
            "Microsoft.ManagedIdentity/userAssignedIdentities", "microsoft.managedidentity/userassignedidentities"
        )
    return text


class Estate:
    """A tenant that is being built: documents of Resource Manager, objects of the directory."""

    def __init__(self, seed, domain="contoso.example"):
        self.rng = random.Random(seed)
        self.docs, self.used, self.counter, self.domain = [], set(), 0, domain
        self.tenant = self.guid()
        self.graph = {"users": [], "groups": [], "servicePrincipals": [], "applications": [], "directoryRoles": [],
                      "appRoleAssignments": [], "roleManagement": [], "signIns": []}
        self.root = self.management_group(self.tenant, "Tenant Root Group", None)

    def guid(self):
        while True:
            value = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
            if value not in self.used:
                self.used.add(value)
                return value

    def name(self, prefix):
        self.counter += 1
        return f"{prefix}{self.counter:03d}"

    def spell(self, identity):
        return spell(identity["id"], self.rng.choice(SPELLINGS))

    # What resources live in.
    def management_group(self, name, title, parent):
        doc = {"id": f"/providers/Microsoft.Management/managementGroups/{name}", "name": name,
               "type": "Microsoft.Management/managementGroups",
               "properties": {"tenantId": self.tenant, "displayName": title, "details": {
                   "version": 1, "updatedTime": "2024-02-12T08:31:07.1184211Z",
                   "parent": parent and {"id": parent["id"], "name": parent["name"],
                                         "displayName": parent["properties"]["displayName"]}}}}
        self.docs.append(doc)
        return doc

    def subscription(self, title, group):
        sub = self.guid()
        self.docs.append({"id": f"/subscriptions/{sub}", "type": "Microsoft.Resources/subscriptions",
                          "authorizationSource": "RoleBased", "managedByTenants": [], "subscriptionId": sub,
                          "tenantId": self.tenant, "displayName": title, "state": "Enabled",
                          "subscriptionPolicies": {"locationPlacementId": "Public_2014-09-01",
                                                   "quotaId": "EnterpriseAgreement_2014-09-01", "spendingLimit": "Off"}})
        self.docs.append({"id": f"{group['id']}/subscriptions/{sub}", "name": sub,
                          "type": "Microsoft.Management/managementGroups/subscriptions",
                          "properties": {"tenant": self.tenant, "displayName": title, "parent": {"id": group["id"]},
                                         "state": "Active"}})
        return f"/subscriptions/{sub}"

    def group(self, sub, name, location, **more):
        doc = {"id": f"{sub}/resourceGroups/{name}", "name": name, "type": "Microsoft.Resources/resourceGroups",
               "location": location, **more, "properties": {"provisioningState": "Succeeded"}}
        self.docs.append(doc)
        return doc

    def add(self, rg, of, name, properties, /, location=None, **more):
        """A resource in the group `rg`; `more` are top members such as sku, kind, tags, identity."""
        doc = {"id": f"{rg['id']}/providers/{of}/{name}", "name": name, "type": of,
               "location": location or rg["location"], **{k: v for k, v in more.items() if v is not None},
               "properties": properties}
        self.docs.append(doc)
        return doc

    def child(self, parent, of, name, properties, /, **more):
        doc = {"id": f"{parent['id']}/{of}/{name}", "name": name, "type": f"{parent['type']}/{of}", **more,
               "properties": properties}
        self.docs.append(doc)
        return doc

    # Identities and what hangs on them.
    def identity(self, rg, name, tags=None, location=None, **properties):
        return self.add(rg, "Microsoft.ManagedIdentity/userAssignedIdentities", name,
                        {**properties, "tenantId": self.tenant, "principalId": self.guid(), "clientId": self.guid()},
                        location=location, tags=tags or {})

    def credential(self, identity, name, issuer, subject):
        return self.child(identity, "federatedIdentityCredentials", name,
                          {"issuer": issuer, "subject": subject, "audiences": ["api://AzureADTokenExchange"]})

    def block(self, identities, system=None, how=None):
        """An identity block with the given user-assigned identities, in mixed spellings of the keys."""
        kinds = (["SystemAssigned"] if system else []) + (["UserAssigned"] if identities else [])
        block = {"type": (system or ", ").join(kinds)}
        if system:
            block |= {"principalId": self.guid(), "tenantId": self.tenant}
        if identities:
            block["userAssignedIdentities"] = {
                (spell(i["id"], how) if how else self.spell(i)):
                    {"principalId": i["properties"]["principalId"], "clientId": i["properties"]["clientId"]}
                for i in identities}
        return block

    def assign(self, scope, role, principal, kind="ServicePrincipal", **more):
        """A role assignment at the scope of a document or id; `role` is a name of ROLES or a definition id."""
        scope = scope if isinstance(scope, str) else scope["id"]
        sub = "/".join(scope.split("/")[:3]) if scope.startswith("/subscriptions/") else ""
        name = self.guid()
        definition = ROLES.get(role, role).split("/")[-1]
        doc = {"id": f"{'' if scope == '/' else scope}/providers/Microsoft.Authorization/roleAssignments/{name}",
               "name": name, "type": "Microsoft.Authorization/roleAssignments",
               "properties": {"roleDefinitionId": f"{sub}/providers/Microsoft.Authorization/roleDefinitions/{definition}",
                              "principalId": principal, "principalType": kind, "scope": scope, **more}}
        self.docs.append(doc)
        return doc

    def custom_role(self, scopes, title, description, actions, data_actions=()):
        name = self.guid()
        at = scopes[0] if scopes[0].startswith("/subscriptions/") else ""
        doc = {"id": f"{at}/providers/Microsoft.Authorization/roleDefinitions/{name}", "name": name,
               "type": "Microsoft.Authorization/roleDefinitions",
               "properties": {"roleName": title, "type": "CustomRole", "description": description,
                              "assignableScopes": list(scopes),
                              "permissions": [{"actions": list(actions), "notActions": [],
                                               "dataActions": list(data_actions), "notDataActions": []}]}}
        self.docs.append(doc)
        return doc

    def lock(self, scope, name, level="CanNotDelete", notes="Change control: ask the platform team."):
        doc = {"id": f"{scope['id']}/providers/Microsoft.Authorization/locks/{name}", "name": name,
               "type": "Microsoft.Authorization/locks", "properties": {"level": level, "notes": notes}}
        self.docs.append(doc)
        return doc

    # The directory.
    def user(self, title):
        alias = title.lower().replace(" ", ".")
        user = {"id": self.guid(), "displayName": title, "userPrincipalName": f"{alias}@{self.domain}",
                "mail": f"{alias}@{self.domain}", "accountEnabled": True, "userType": "Member"}
        self.graph["users"].append(user)
        return user["id"]

    def directory_group(self, title, members, owners=(), **more):
        group = {"id": self.guid(), "displayName": title, "description": None, "mailEnabled": False,
                 "mailNickname": title.replace(" ", ""), "securityEnabled": True, "groupTypes": [],
                 "isAssignableToRole": None, "visibility": None, "members": list(members), "owners": list(owners), **more}
        self.graph["groups"].append(group)
        return group["id"]

    def application(self, title, app_id=None, roles=()):
        """An app registration with its service principal; returns the service principal's object."""
        app_id = app_id or self.guid()
        self.used.add(app_id)
        shape = {"displayName": title, "appId": app_id, "signInAudience": "AzureADMyOrg", "appRoles": list(roles)}
        self.graph["applications"].append({"id": self.guid(), **shape, "identifierUris": [f"api://{app_id}"],
                                           "publisherDomain": self.domain})
        principal = {"id": self.guid(), **shape, "servicePrincipalType": "Application", "accountEnabled": True,
                     "alternativeNames": [], "appOwnerOrganizationId": self.tenant,
                     "servicePrincipalNames": [app_id, f"api://{app_id}"], "tags": ["WindowsAzureActiveDirectoryIntegratedApp"]}
        self.graph["servicePrincipals"].append(principal)
        return principal

    def app_role(self, identity, resource, role):
        opaque = "".join(self.rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", k=43))
        self.graph["appRoleAssignments"].append(
            {"id": opaque, "appRoleId": role, "createdDateTime": "2024-05-21T09:12:44.1234567Z",
             "principalDisplayName": identity["name"], "principalId": identity["properties"]["principalId"],
             "principalType": "ServicePrincipal", "resourceDisplayName": resource["displayName"],
             "resourceId": resource["id"]})

    def directory_role(self, principal, role=DIRECTORY_READERS):
        self.graph["roleManagement"].append({"id": self.guid(), "principalId": principal, "roleDefinitionId": role,
                                             "directoryScopeId": "/"})

    def sign_in(self, identity, resource):
        self.graph["signIns"].append(
            {"id": self.guid(), "createdDateTime": "2026-01-14T06:02:51Z", "signInEventTypes": ["managedIdentity"],
             "servicePrincipalId": identity["properties"]["principalId"], "servicePrincipalName": identity["name"],
             "appId": identity["properties"]["clientId"], "resourceDisplayName": resource, "status": {"errorCode": 0}})

    def finish(self, identity, to):
        return {"tenantId": self.tenant, "arm": {"resources": self.docs}, "graph": self.graph, "data": {},
                "demo": {"relocate": {"identity": identity["id"], "to": to}}}


def client(identity):
    return identity["properties"]["clientId"]


def principal(identity):
    return identity["properties"]["principalId"]


def policy(tenant, oid, **permissions):
    return {"tenantId": tenant, "objectId": oid, "permissions": permissions or {"secrets": ["get", "list"]}}


# Grants inside resources, each `function(estate, group, name, …)`.
def vault(e, rg, name, policies=(), rbac=False, **more):
    return e.add(rg, "Microsoft.KeyVault/vaults", name, {
        "sku": {"family": "A", "name": "standard"}, "tenantId": e.tenant,
        "networkAcls": {"bypass": "AzureServices", "defaultAction": "Allow", "ipRules": [], "virtualNetworkRules": []},
        "accessPolicies": list(policies), "enabledForDeployment": False, "enabledForTemplateDeployment": False,
        "enableSoftDelete": True, "softDeleteRetentionInDays": 90, "enableRbacAuthorization": rbac,
        "enablePurgeProtection": True, "vaultUri": f"https://{name}.vault.azure.net/", "provisioningState": "Succeeded",
        "publicNetworkAccess": "Enabled"}, tags=more.pop("tags", {}), **more)


def cosmos(e, rg, name, ids=(), default=None):
    doc = e.add(rg, "Microsoft.DocumentDB/databaseAccounts", name, {
        "provisioningState": "Succeeded", "documentEndpoint": f"https://{name}.documents.azure.com:443/",
        "publicNetworkAccess": "Enabled", "enableAutomaticFailover": True, "enableMultipleWriteLocations": False,
        "databaseAccountOfferType": "Standard", "disableLocalAuth": True,
        "defaultIdentity": f"UserAssignedIdentity={e.spell(default)}" if default else "FirstPartyIdentity",
        "consistencyPolicy": {"defaultConsistencyLevel": "Session", "maxIntervalInSeconds": 5, "maxStalenessPrefix": 100},
        "locations": [{"id": f"{name}-{rg['location']}", "locationName": rg["location"], "failoverPriority": 0,
                       "isZoneRedundant": False, "provisioningState": "Succeeded"}],
        "capabilities": [], "minimalTlsVersion": "Tls12"},
        kind="GlobalDocumentDB", tags={"defaultExperience": "Core (SQL)"},
        identity=e.block(ids) if ids else {"type": "None"})
    e.child(doc, "sqlDatabases", "orders", {"resource": {"id": "orders"}})
    return doc


def cosmos_role(e, account, title="Orders writer"):
    name = e.guid()
    return e.child(account, "sqlRoleDefinitions", name, {
        "roleName": title, "type": "CustomRole", "assignableScopes": [account["id"]],
        "permissions": [{"dataActions": ["Microsoft.DocumentDB/databaseAccounts/readMetadata",
                                         "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/items/*"],
                         "notDataActions": []}]})


def cosmos_assign(e, account, role, oid, below=""):
    """`role` is a definition document, or 1 (built-in reader) or 2 (built-in contributor)."""
    definition = role["id"] if isinstance(role, dict) else \
        f"{account['id']}/sqlRoleDefinitions/00000000-0000-0000-0000-00000000000{role}"
    return e.child(account, "sqlRoleAssignments", e.guid(),
                   {"roleDefinitionId": definition, "scope": account["id"] + below, "principalId": oid})


def storage(e, rg, name, ids=(), cmk=None, key_vault=None, containers=("invoices",), hns=False):
    blob = {"enabled": True, "keyType": "Account", "lastEnabledTime": "2024-03-02T07:44:12.2345118Z"}
    encryption = {"services": {"file": blob, "blob": blob}, "keySource": "Microsoft.Storage",
                  "requireInfrastructureEncryption": False}
    if cmk:
        encryption |= {"keySource": "Microsoft.Keyvault", "identity": {"userAssignedIdentity": e.spell(cmk)},
                       "keyvaultproperties": {"keyvaulturi": key_vault["properties"]["vaultUri"].rstrip("/"),
                                              "keyname": "cmk-storage", "keyversion": ""}}
    doc = e.add(rg, "Microsoft.Storage/storageAccounts", name, {
        "provisioningState": "Succeeded", "creationTime": "2024-03-02T07:44:12.0938870Z", "accessTier": "Hot",
        "primaryEndpoints": {"blob": f"https://{name}.blob.core.windows.net/", "queue": f"https://{name}.queue.core.windows.net/"},
        "primaryLocation": rg["location"], "statusOfPrimary": "available", "supportsHttpsTrafficOnly": True,
        "allowBlobPublicAccess": False, "allowSharedKeyAccess": False, "minimumTlsVersion": "TLS1_2", "isHnsEnabled": hns,
        "networkAcls": {"bypass": "AzureServices", "defaultAction": "Allow", "ipRules": [], "virtualNetworkRules": []},
        "encryption": encryption},
        sku={"name": "Standard_ZRS", "tier": "Standard"}, kind="StorageV2", tags={},
        identity=e.block(ids) if ids else None)
    if containers:
        service = e.child(doc, "blobServices", "default", {"deleteRetentionPolicy": {"enabled": True, "days": 14}})
        for container in containers:
            e.child(service, "containers", container, {"publicAccess": "None", "leaseState": "Available",
                                                       "hasImmutabilityPolicy": False, "hasLegalHold": False})
    return doc


# Resources that use identities, each `function(estate, group, identities, name)`; the first identity is the one
# that the resource's other properties name. Returns the resource.
def virtual_machine(e, rg, ids, name=None, system=None):
    name = name or e.name("vm")
    nic = e.add(rg, "Microsoft.Network/networkInterfaces", f"nic-{name}", {
        "provisioningState": "Succeeded", "enableIPForwarding": False, "nicType": "Standard",
        "ipConfigurations": [{"name": "ipconfig1", "properties": {"privateIPAddress": f"10.20.1.{e.rng.randint(4, 250)}",
                                                                  "privateIPAllocationMethod": "Dynamic", "primary": True}}]})
    return e.add(rg, "Microsoft.Compute/virtualMachines", name, {
        "hardwareProfile": {"vmSize": "Standard_D4s_v5"}, "provisioningState": "Succeeded", "vmId": e.guid(),
        "storageProfile": {
            "imageReference": {"publisher": "Canonical", "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts-gen2",
                               "version": "latest", "exactVersion": "22.04.202401010"},
            "osDisk": {"osType": "Linux", "name": f"{name}-os", "createOption": "FromImage", "caching": "ReadWrite",
                       "deleteOption": "Delete", "diskSizeGB": 64}, "dataDisks": []},
        "osProfile": {"computerName": name[:15], "adminUsername": "ops", "secrets": [], "allowExtensionOperations": True,
                      "linuxConfiguration": {"disablePasswordAuthentication": True, "provisionVMAgent": True}},
        "networkProfile": {"networkInterfaces": [{"id": nic["id"], "properties": {"primary": True}}]},
        "timeCreated": "2024-06-11T05:20:40.1187441+00:00"}, identity=e.block(ids, system), zones=["1"],
        tags={"role": "worker"})


def monitored_machine(e, rg, ids, name=None):
    vm = virtual_machine(e, rg, ids, name)
    e.child(vm, "extensions", "AzureMonitorLinuxAgent", {
        "publisher": "Microsoft.Azure.Monitor", "type": "AzureMonitorLinuxAgent", "typeHandlerVersion": "1.29",
        "autoUpgradeMinorVersion": True, "enableAutomaticUpgrade": True, "provisioningState": "Succeeded",
        "settings": {"authentication": {"managedIdentity": {"identifier-name": "mi_res_id",
                                                            "identifier-value": e.spell(ids[0])}}}},
        location=rg["location"])
    return vm


def scale_set(e, rg, ids, name=None):
    name = name or e.name("vmss")
    return e.add(rg, "Microsoft.Compute/virtualMachineScaleSets", name, {
        "singlePlacementGroup": False, "orchestrationMode": "Uniform", "provisioningState": "Succeeded",
        "overprovision": False, "platformFaultDomainCount": 1, "uniqueId": e.guid(),
        "upgradePolicy": {"mode": e.rng.choice(["Automatic", "Manual"])},
        "virtualMachineProfile": {
            "osProfile": {"computerNamePrefix": name[:9], "adminUsername": "ops",
                          "linuxConfiguration": {"disablePasswordAuthentication": True}},
            "storageProfile": {"osDisk": {"osType": "Linux", "createOption": "FromImage", "caching": "ReadOnly",
                                          "managedDisk": {"storageAccountType": "Premium_LRS"}, "diskSizeGB": 64},
                               "imageReference": {"publisher": "Canonical", "offer": "0001-com-ubuntu-server-jammy",
                                                  "sku": "22_04-lts-gen2", "version": "latest"}},
            "extensionProfile": {"extensions": [{"name": "HealthExtension", "properties": {
                "publisher": "Microsoft.ManagedServices", "type": "ApplicationHealthLinux", "typeHandlerVersion": "1.0",
                "settings": {"protocol": "http", "port": 8080, "requestPath": "/healthz"}}}]}}},
        sku={"name": "Standard_D2s_v5", "tier": "Standard", "capacity": 3}, identity=e.block(ids), tags={})


def plan(e, rg, name, sku=("P1v3", "PremiumV3")):
    return e.add(rg, "Microsoft.Web/serverfarms", name, {
        "provisioningState": "Succeeded", "status": "Ready", "reserved": True, "numberOfWorkers": 2, "zoneRedundant": False},
        sku={"name": sku[0], "tier": sku[1], "size": sku[0], "family": "Pv3", "capacity": 2}, kind="linux", tags={})


def settings(e, site, first, **more):
    e.child(site, "config", "appsettings", {
        "AZURE_CLIENT_ID": client(first), "ServiceBus__fullyQualifiedNamespace": "sb-orders.servicebus.windows.net",
        "ServiceBus__credential": "managedidentity", "ServiceBus__clientId": client(first).upper(),
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": f"ClientId={client(first)};Authorization=AAD",
        "WEBSITE_RUN_FROM_PACKAGE": "1", "ASPNETCORE_ENVIRONMENT": "Production", **more})


def connection_strings(e, site, first, server="sql-orders"):
    e.child(site, "config", "connectionstrings", {"OrdersDb": {"type": "SQLAzure", "value": (
        f"Server=tcp:{server}.database.windows.net,1433;Initial Catalog=orders;User Id={client(first)};"
        "Authentication=Active Directory Managed Identity;Encrypt=True")}})


def web_app(e, rg, ids, name=None, farm=None, slot=True, system=None):
    name = name or e.name("app")
    farm = farm or plan(e, rg, f"plan-{name}")

    def body(host):
        return {"state": "Running", "hostNames": [host], "enabled": True, "defaultHostName": host, "httpsOnly": True,
                "serverFarmId": farm["id"], "reserved": True, "clientAffinityEnabled": False,
                "keyVaultReferenceIdentity": e.spell(ids[0]), "publicNetworkAccess": "Enabled",
                "siteConfig": {"linuxFxVersion": "DOTNETCORE|8.0", "numberOfWorkers": 2}}
    site = e.add(rg, "Microsoft.Web/sites", name, body(f"{name}.azurewebsites.net"), kind="app,linux", tags={},
                 location=DISPLAY.get(rg["location"]), identity=e.block(ids, system))
    settings(e, site, ids[0], OrdersSecret="@Microsoft.KeyVault(SecretUri=https://kv-orders.vault.azure.net/secrets/db)")
    connection_strings(e, site, ids[0])
    e.child(site, "config", "web", {"linuxFxVersion": "DOTNETCORE|8.0", "alwaysOn": True, "ftpsState": "Disabled",
                                    "acrUseManagedIdentityCreds": True, "acrUserManagedIdentityID": client(ids[0]),
                                    "http20Enabled": True, "minTlsVersion": "1.2", "healthCheckPath": "/healthz"})
    if slot:
        staging = e.child(site, "slots", "staging", body(f"{name}-staging.azurewebsites.net"), kind="app,linux",
                          location=site["location"], tags={}, identity=e.block(ids))
        settings(e, staging, ids[0], ASPNETCORE_ENVIRONMENT="Staging")
        connection_strings(e, staging, ids[0])
    return site


def function_app(e, rg, ids, name=None, farm=None, account="stordersprod"):
    name = name or e.name("func")
    farm = farm or plan(e, rg, f"plan-{name}", ("EP1", "ElasticPremium"))
    site = e.add(rg, "Microsoft.Web/sites", name, {
        "state": "Running", "hostNames": [f"{name}.azurewebsites.net"], "enabled": True, "httpsOnly": True,
        "defaultHostName": f"{name}.azurewebsites.net", "serverFarmId": farm["id"], "reserved": True,
        "keyVaultReferenceIdentity": "SystemAssigned", "siteConfig": {"linuxFxVersion": "Python|3.11"}},
        kind="functionapp,linux", tags={}, location=DISPLAY.get(rg["location"]), identity=e.block(ids, ", "))
    e.child(site, "config", "appsettings", {
        "FUNCTIONS_EXTENSION_VERSION": "~4", "FUNCTIONS_WORKER_RUNTIME": "python", "AzureWebJobsStorage__accountName": account,
        "AzureWebJobsStorage__credential": "managedidentity", "AzureWebJobsStorage__clientId": client(ids[0]),
        "CosmosOrders__accountEndpoint": "https://cosmos-orders.documents.azure.com:443/",
        "CosmosOrders__credential": "managedidentity", "CosmosOrders__managedIdentityResourceId": e.spell(ids[0])})
    return site


def container_app(e, rg, ids, name=None, registry="crcontoso.azurecr.io", environment=None, secret_vault="kv-orders"):
    name = name or e.name("ca")
    environment = environment or e.add(rg, "Microsoft.App/managedEnvironments", f"cae-{name}", {
        "provisioningState": "Succeeded", "defaultDomain": f"{name}.{rg['location']}.azurecontainerapps.io",
        "zoneRedundant": False, "workloadProfiles": [{"name": "Consumption", "workloadProfileType": "Consumption"}]})
    app = e.add(rg, "Microsoft.App/containerApps", name, {
        "provisioningState": "Succeeded", "runningStatus": "Running", "managedEnvironmentId": environment["id"],
        "environmentId": environment["id"], "workloadProfileName": "Consumption", "latestRevisionName": f"{name}--8k2m1p0",
        "configuration": {
            "activeRevisionsMode": "Single",
            "secrets": [{"name": "db-password", "keyVaultUrl": f"https://{secret_vault}.vault.azure.net/secrets/db-password",
                         "identity": e.spell(ids[0])}, {"name": "partner-token"}],
            "registries": [{"server": registry, "username": "", "passwordSecretRef": "", "identity": e.spell(ids[0])}],
            "ingress": {"external": True, "targetPort": 8080, "transport": "Auto", "allowInsecure": False,
                        "traffic": [{"latestRevision": True, "weight": 100}]}},
        "template": {
            "revisionSuffix": "", "terminationGracePeriodSeconds": 30,
            "containers": [{"name": "api", "image": f"{registry}/orders/api:4.18.2", "resources": {"cpu": 0.5, "memory": "1Gi"},
                            "env": [{"name": "AZURE_CLIENT_ID", "value": client(ids[0])},
                                    {"name": "DB_PASSWORD", "secretRef": "db-password"}]}],
            "scale": {"minReplicas": 1, "maxReplicas": 10, "rules": [{"name": "backlog", "azureQueue": {
                "accountName": "stordersprod", "queueName": "incoming", "queueLength": 20, "identity": e.spell(ids[0])}}]}}},
        tags={}, identity=e.block(ids))
    secret_list = e.child(app, "listSecrets", "default", {})
    del secret_list["properties"]
    secret_list["value"] = [{"name": "db-password", "value": "resolved-from-vault"},
                            {"name": "partner-token", "value": "p4rtner-" + e.guid()[:8]}]
    return app


def kubernetes(e, rg, ids, name=None, kubelet=None):
    name = name or e.name("aks")
    kubelet = kubelet or e.identity(rg, f"id-{name}-kubelet")
    nodes = e.group("/".join(rg["id"].split("/")[:3]), f"MC_{rg['name']}_{name}_{rg['location']}", rg["location"])
    cluster = e.add(rg, "Microsoft.ContainerService/managedClusters", name, {
        "provisioningState": "Succeeded", "powerState": {"code": "Running"}, "kubernetesVersion": "1.30",
        "dnsPrefix": name, "fqdn": f"{name}-6f2b1c9a.hcp.{rg['location']}.azmk8s.io",
        "agentPoolProfiles": [{"name": "system", "count": 3, "vmSize": "Standard_D4s_v5", "osType": "Linux",
                               "mode": "System", "type": "VirtualMachineScaleSets", "maxPods": 110}],
        "servicePrincipalProfile": {"clientId": "msi"}, "nodeResourceGroup": nodes["name"], "enableRBAC": True,
        "networkProfile": {"networkPlugin": "azure", "networkPluginMode": "overlay", "loadBalancerSku": "standard"},
        "identityProfile": {"kubeletidentity": {"resourceId": e.spell(kubelet), "clientId": client(kubelet),
                                                "objectId": principal(kubelet)}},
        "oidcIssuerProfile": {"enabled": True, "issuerURL": f"https://{rg['location']}.oic.prod-aks.azure.com/{e.tenant}/{e.guid()}/"},
        "securityProfile": {"workloadIdentity": {"enabled": True}}},
        sku={"name": "Base", "tier": "Standard"}, tags={}, identity=e.block(ids[:1]))
    nodes["managedBy"] = cluster["id"]
    return cluster


def storage_account(e, rg, ids, name=None, key_vault=None):
    key_vault = key_vault or vault(e, rg, e.name("kv-cmk"), rbac=True)
    return storage(e, rg, name or e.name("st"), ids, ids[0], key_vault)


def cosmos_account(e, rg, ids, name=None):
    return cosmos(e, rg, name or e.name("cosmos"), ids, ids[0])


def registry(e, rg, ids, name=None, key_vault=None):
    key_vault = key_vault or vault(e, rg, e.name("kv-acr"), rbac=True)
    name = name or e.name("cr")
    key = f"{key_vault['properties']['vaultUri']}keys/cmk-registry"
    return e.add(rg, "Microsoft.ContainerRegistry/registries", name, {
        "loginServer": f"{name}.azurecr.io", "creationDate": "2023-11-20T10:01:02.7721903Z", "provisioningState": "Succeeded",
        "adminUserEnabled": False, "publicNetworkAccess": "Enabled", "zoneRedundancy": "Disabled",
        "policies": {"quarantinePolicy": {"status": "disabled"}, "retentionPolicy": {"days": 7, "status": "disabled"}},
        "encryption": {"status": "enabled", "keyVaultProperties": {"identity": client(ids[0]), "keyIdentifier": key,
                                                                   "keyRotationEnabled": True}}},
        sku={"name": "Premium", "tier": "Premium"}, tags={}, identity=e.block(ids))


def sql_server(e, rg, ids, name=None):
    name = name or e.name("sql")
    server = e.add(rg, "Microsoft.Sql/servers", name, {
        "administratorLogin": "ordersadmin", "version": "12.0", "state": "Ready", "minimalTlsVersion": "1.2",
        "fullyQualifiedDomainName": f"{name}.database.windows.net", "publicNetworkAccess": "Enabled",
        "restrictOutboundNetworkAccess": "Disabled", "primaryUserAssignedIdentityId": e.spell(ids[0])},
        kind="v12.0", tags={}, identity=e.block(ids))
    e.child(server, "databases", "orders", {
        "collation": "SQL_Latin1_General_CP1_CI_AS", "maxSizeBytes": 34359738368, "status": "Online", "databaseId": e.guid(),
        "zoneRedundant": False, "requestedServiceObjectiveName": "GP_Gen5_4"},
        location=rg["location"], sku={"name": "GP_Gen5", "tier": "GeneralPurpose", "family": "Gen5", "capacity": 4}, tags={})
    return server


def service_bus(e, rg, name, queues=("incoming",)):
    namespace = e.add(rg, "Microsoft.ServiceBus/namespaces", name, {
        "provisioningState": "Succeeded", "status": "Active", "disableLocalAuth": True, "zoneRedundant": True,
        "serviceBusEndpoint": f"https://{name}.servicebus.windows.net:443/", "minimumTlsVersion": "1.2"},
        sku={"name": "Premium", "tier": "Premium", "capacity": 1}, tags={})
    for queue in queues:
        e.child(namespace, "queues", queue, {"lockDuration": "PT1M", "maxSizeInMegabytes": 1024, "status": "Active",
                                             "requiresDuplicateDetection": False, "maxDeliveryCount": 10})
    return namespace


def event_topic(e, rg, ids, name=None, namespace=None):
    name = name or e.name("evgt")
    namespace = namespace or service_bus(e, rg, f"sb-{name}")
    topic = e.add(rg, "Microsoft.EventGrid/topics", name, {
        "provisioningState": "Succeeded", "inputSchema": "CloudEventSchemaV1_0", "publicNetworkAccess": "Enabled",
        "endpoint": f"https://{name}.{rg['location']}-1.eventgrid.azure.net/api/events", "disableLocalAuth": True},
        sku={"name": "Basic"}, kind="Azure", tags={}, identity=e.block(ids))
    e.child(topic, "eventSubscriptions", "to-incoming", {
        "topic": topic["id"], "provisioningState": "Succeeded", "eventDeliverySchema": "CloudEventSchemaV1_0",
        "deliveryWithResourceIdentity": {
            "identity": {"type": "UserAssigned", "userAssignedIdentity": e.spell(ids[0])},
            "destination": {"endpointType": "ServiceBusQueue",
                            "properties": {"resourceId": f"{namespace['id']}/queues/incoming"}}},
        "filter": {"subjectBeginsWith": "orders/", "includedEventTypes": ["Contoso.Orders.Placed"]},
        "retryPolicy": {"maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 1440}})
    return topic


def data_factory(e, rg, ids, name=None):
    factory = e.add(rg, "Microsoft.DataFactory/factories", name or e.name("adf"), {
        "provisioningState": "Succeeded", "createTime": "2024-01-17T12:00:31.0419382Z", "version": "2018-06-01",
        "publicNetworkAccess": "Enabled"}, tags={}, identity=e.block(ids, ","))
    e.child(factory, "credentials", "orders-identity", {
        "type": "ManagedIdentity", "annotations": [], "typeProperties": {"resourceId": e.spell(ids[0])}})
    e.child(factory, "linkedservices", "orders-lake", {
        "type": "AzureBlobFS", "annotations": [], "typeProperties": {
            "url": "https://stcontosolake.dfs.core.windows.net/",
            "credential": {"referenceName": "orders-identity", "type": "CredentialReference"}}})
    return factory


def app_configuration(e, rg, ids, name=None, key_vault=None):
    name = name or e.name("appcs")
    key_vault = key_vault or vault(e, rg, e.name("kv-cfg"), rbac=True)
    return e.add(rg, "Microsoft.AppConfiguration/configurationStores", name, {
        "provisioningState": "Succeeded", "creationDate": "2024-02-08T15:22:10+00:00", "endpoint": f"https://{name}.azconfig.io",
        "encryption": {"keyVaultProperties": {"keyIdentifier": f"{key_vault['properties']['vaultUri']}keys/cmk-config",
                                              "identityClientId": client(ids[0])}},
        "publicNetworkAccess": "Enabled", "disableLocalAuth": True, "softDeleteRetentionInDays": 7,
        "enablePurgeProtection": True}, sku={"name": "standard"}, tags={}, identity=e.block(ids))


def api_management(e, rg, ids, name=None, key_vault="kv-orders"):
    name = name or e.name("apim")
    service = e.add(rg, "Microsoft.ApiManagement/service", name, {
        "publisherEmail": f"api@{e.domain}", "publisherName": "Contoso", "provisioningState": "Succeeded",
        "gatewayUrl": f"https://{name}.azure-api.net", "createdAtUtc": "2023-09-04T08:10:00.5521190Z",
        "hostnameConfigurations": [{"type": "Proxy", "hostName": f"{name}.azure-api.net", "negotiateClientCertificate": False,
                                    "defaultSslBinding": True, "certificateSource": "BuiltIn"}],
        "virtualNetworkType": "None", "disableGateway": False, "publicNetworkAccess": "Enabled"},
        sku={"name": "Developer", "capacity": 1}, tags={}, identity=e.block(ids, ", "))
    e.child(service, "namedValues", "orders-api-key", {
        "displayName": "orders-api-key", "secret": True, "tags": ["orders"], "keyVault": {
            "secretIdentifier": f"https://{key_vault}.vault.azure.net/secrets/api-key", "identityClientId": client(ids[0])}})
    return service


def logic_app(e, rg, ids, name=None):
    who = e.spell(ids[0])
    call = {"type": "Http", "runAfter": {}, "inputs": {
        "method": "POST", "uri": "https://app-orders-web.azurewebsites.net/api/escalations", "body": "@triggerBody()",
        "authentication": {"type": "ManagedServiceIdentity", "identity": who, "audience": "api://contoso-orders"}}}
    return e.add(rg, "Microsoft.Logic/workflows", name or e.name("logic"), {
        "provisioningState": "Succeeded", "createdTime": "2024-04-09T11:50:00.4481023Z", "state": "Enabled",
        "definition": {
            "$schema": "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#",
            "contentVersion": "1.0.0.0", "parameters": {}, "outputs": {},
            "triggers": {"manual": {"type": "Request", "kind": "Http", "inputs": {"schema": {}}}},
            "actions": {"Is_it_urgent": {
                "type": "If", "runAfter": {}, "expression": {"and": [{"equals": ["@triggerBody()?['urgent']", True]}]},
                "actions": {"For_each_order": {"type": "Foreach", "foreach": "@triggerBody()?['orders']", "runAfter": {},
                                               "actions": {"Escalate": call}}},
                "else": {"actions": {}}}}},
        "parameters": {}}, tags={}, identity=e.block(ids[:1]))


def automation(e, rg, ids, name=None):
    account = e.add(rg, "Microsoft.Automation/automationAccounts", name or e.name("aa"), {
        "state": "Ok", "creationTime": "2023-10-30T14:20:11.1466667+00:00", "disableLocalAuth": False,
        "publicNetworkAccess": True, "encryption": {"keySource": "Microsoft.Automation", "identity": {}}},
        tags={}, identity=e.block(ids, ", "))
    e.child(account, "variables", "OrdersClientId", {"value": json.dumps(client(ids[0])), "isEncrypted": False,
                                                     "description": "Connect-AzAccount -Identity -AccountId"})
    return account


def policy_assignment(e, scope, identity, location, name="inherit-cost-center"):
    doc = {"id": f"{scope['id']}/providers/Microsoft.Authorization/policyAssignments/{name}", "name": name,
           "type": "Microsoft.Authorization/policyAssignments", "location": location, "identity": e.block([identity]),
           "properties": {"displayName": "Inherit the cost-center tag from the resource group",
                          "policyDefinitionId": "/providers/Microsoft.Authorization/policyDefinitions/ea3f2387-9b95-492a-a190-fcdc54f7b070",
                          "scope": scope["id"], "notScopes": [], "enforcementMode": "Default",
                          "parameters": {"tagName": {"value": "cost-center"}},
                          "metadata": {"assignedBy": "Platform team", "createdOn": "2024-03-18T09:00:00.1127744Z"}}}
    e.docs.append(doc)
    return doc


def dashboard(e, rg, ids, name=None):
    """A shared dashboard that names the identity in the key of a tag and in a part of its layout."""
    who = e.spell(ids[0])
    return e.add(rg, "Microsoft.Portal/dashboards", name or e.name("dash"), {"lenses": [{"order": 0, "parts": [{
        "position": {"x": 0, "y": 0, "colSpan": 6, "rowSpan": 4},
        "metadata": {"type": "Extension/HubsExtension/PartType/ResourcePart", "inputs": [{"name": "id", "value": who}]}}]}]},
        tags={"hidden-title": "Orders on call", f"hidden-link:{who}": "Resource"})


def tagged(e, rg, ids, name=None):
    return e.add(rg, "Microsoft.Insights/components", name or e.name("appi"), {
        "Application_Type": "web", "Flow_Type": "Bluefield", "IngestionMode": "LogAnalytics", "provisioningState": "Succeeded",
        "AppId": e.guid(), "InstrumentationKey": e.guid(), "RetentionInDays": 90, "DisableLocalAuth": True},
        kind="web", tags={"runs-as": e.spell(ids[0]), "note": f"client {client(ids[0])} only; ask #orders"})


BINDINGS = [virtual_machine, monitored_machine, scale_set, web_app, function_app, container_app, kubernetes,
            storage_account, cosmos_account, registry, sql_server, event_topic, data_factory, app_configuration,
            api_management, logic_app, automation, dashboard, tagged]
# Kinds that take one identity only, for which a second one would not be what Azure allows.
SINGLE = {kubernetes, logic_app}


def near(guid, rng):
    """A GUID that differs from `guid` in one digit of its last group."""
    at = rng.randrange(24, 36)
    other = rng.choice([d for d in "0123456789abcdef" if d != guid[at]])
    return guid[:at] + other + guid[at + 1:]


def build(seed, size=30, assignments=20, bindings=14, to="westeurope", wide=False):
    """The random estate: tenant, decoys, the identity `id-NAME`, its grants, trust and bindings; `wide` adds rarer things."""
    e = Estate(f"ferry-{seed}")
    rng = e.rng
    source = rng.choice(["eastus", "northeurope", "southeastasia", "uksouth"])
    tops = [e.management_group(e.name("mg-"), f"Group {n}", e.root) for n in range(2)]
    subs = [e.subscription(f"Subscription {n}", rng.choice(tops + [e.root])) for n in range(3)]
    groups = [e.group(rng.choice(subs), e.name("rg-"), rng.choice([source, source, "westeurope", "centralus"])) for _ in range(5)]
    home = e.group(subs[0], e.name("rg-"), source)
    groups.append(home)
    stem = "id-" + rng.choice(["orders", "billing", "shipping", "search"])
    me = e.identity(home, stem, {"team": stem[3:], "cost-center": str(rng.randint(1000, 9999))},
                    **rng.choice([{}, {"isolationScope": "None"}]))
    twins = [e.identity(home, f"{stem}2"), e.identity(home, f"{stem}-eu"), e.identity(home, f"my-{stem}"),
             e.identity(rng.choice(groups[:5]), stem)]
    people = [e.user(n) for n in ("Casey Jensen", "Robin Sato", "Alex Weber")]
    robots = [e.application("sp-deploy"), e.application("sp-near", near(client(me), rng))]

    # Trust.
    for n in range(rng.randint(1, 3)):
        e.credential(me, f"fic-{n}", "https://token.actions.githubusercontent.com", f"repo:contoso/{stem}:environment:e{n}")
    e.credential(twins[0], "fic-0", "https://token.actions.githubusercontent.com", f"repo:contoso/{stem}:environment:e0")
    e.assign(me, "Managed Identity Operator", robots[0]["id"], description="deploys what runs as it")
    if rng.random() < 0.5:
        e.assign(me, "Reader", people[0], "User")
    e.assign(twins[3], "Managed Identity Operator", robots[0]["id"])

    # Grants: assignments at all kinds of scope, each (scope, role) once.
    lake = storage(e, rng.choice(groups), e.name("stlake"), containers=("raw", "curated"))
    container = f"{lake['id']}/blobServices/default/containers/raw"
    role = e.custom_role([subs[0], subs[1], subs[2]], f"{stem} operator", "Restarts what it runs.", ["Microsoft.Web/sites/restart/action"])
    shared = vault(e, rng.choice(groups), e.name("kv-rbac"), rbac=True)
    wanted = [("/", "Reader", {}), (tops[0], "Monitoring Reader", {}), (e.root, "Log Analytics Reader", {}),
              *[(sub, "Reader", {}) for sub in subs], *[(g, "Contributor", {"description": f"runs in {g['name']}"}) for g in groups[:3]],
              (lake, "Storage Blob Data Contributor", {"condition": CONDITION % "raw", "conditionVersion": "2.0", "description": "raw only"}),
              (container, "Storage Blob Data Owner", {}), (home, role["id"], {}), (shared, "Key Vault Secrets User", {}),
              (twins[1], "Managed Identity Operator", {}), (me, "Reader", {"description": "may read itself"})]
    rng.shuffle(wanted)
    wanted = wanted[:assignments]
    wanted += [(f"{lake['id']}/blobServices/default/containers/c{n:05d}", "Storage Blob Data Reader", {})
               for n in range(assignments - len(wanted))]
    for scope, title, more in wanted:
        e.assign(scope, title, principal(me), **more)
    for scope, title, more in rng.sample(wanted, min(6, len(wanted))):
        e.assign(scope if scope is not me else twins[0], title, principal(rng.choice(twins)))
    inner = e.directory_group(f"{stem}-readers", [principal(me), people[0], principal(twins[3])], [people[0]])
    e.directory_group(f"{stem}-all", [inner, principal(me)] if rng.random() < 0.5 else [inner], [principal(me), people[1]])
    e.directory_group("others", [principal(t) for t in twins] + [people[2]], [principal(twins[0])])
    api = e.application("api-orders", roles=[{"id": e.guid(), "value": "Orders.Write", "displayName": "Writes orders",
                                              "description": "Writes orders", "isEnabled": True,
                                              "allowedMemberTypes": ["Application"]}])
    for who in (me, twins[3]):
        e.app_role(who, api, api["appRoles"][0]["id"])
        e.directory_role(principal(who))
        e.sign_in(who, "Azure Key Vault")
    e.assign(rng.choice(groups), "Reader", inner, "Group")
    for _ in range(2):
        entries = [policy(e.tenant, principal(me)), policy(e.tenant, principal(twins[3]), keys=["get"]),
                   policy(e.tenant, people[0], secrets=["get", "list", "set", "delete"])]
        rng.shuffle(entries)
        vault(e, rng.choice(groups), e.name("kv-"), entries)
    account = cosmos(e, rng.choice(groups), e.name("cosmos"))
    written = cosmos_role(e, account)
    cosmos_assign(e, account, written, principal(me), "/dbs/orders")
    cosmos_assign(e, account, 1, principal(me))
    cosmos_assign(e, account, 2, principal(twins[0]))

    # Bindings: each kind before any kind twice; some hold a decoy beside it.
    kinds = []
    while len(kinds) < bindings:
        kinds += rng.sample(BINDINGS, len(BINDINGS))
    for kind in kinds[:bindings]:
        both = kind not in SINGLE and rng.random() < 0.3
        kind(e, rng.choice(groups), [me, rng.choice(twins)] if both else [me])
    policy_assignment(e, tops[0], me, source)
    policy_assignment(e, tops[1], twins[0], source)
    for _ in range(size):
        kind = rng.choice(BINDINGS)
        kind(e, rng.choice(groups), [rng.choice(twins)])

    # Decoys in text: the name alone, longer words, a GUID that is nearly the client id. And a lock that is in nobody's way.
    aside = e.group(subs[2], e.name("rg-aside"), "westus2", tags={"note": f"{stem} is run from elsewhere"})
    net = e.add(aside, "Microsoft.Network/virtualNetworks", e.name("vnet"), {
        "provisioningState": "Succeeded", "addressSpace": {"addressPrefixes": ["10.9.0.0/16"]}, "subnets": []},
        tags={"owner": f"{me['id']}-eu", "was": f"x{client(me)}", "next": f"{principal(me)}0", "near": near(principal(me), rng)})
    e.lock(net, "keep-network")
    if wide:
        widen(e, me, twins, groups, subs, tops, people, robots, policy)
    rng.shuffle(e.docs)
    return e.finish(me, to)


def main():
    parser = argparse.ArgumentParser(description="Prints a random estate.")
    parser.add_argument("seed")
    parser.add_argument("--size", type=int, default=30, help="decoy resources (30)")
    parser.add_argument("--assignments", type=int, default=20, help="role assignments of the identity (20)")
    parser.add_argument("--bindings", type=int, default=19, help="resources that use the identity (19)")
    parser.add_argument("--to", default="westeurope")
    parser.add_argument("--wide", action="store_true", help="with rarer types, spellings and trust")
    args = parser.parse_args()
    estate = build(args.seed, args.size, args.assignments, args.bindings, args.to, args.wide)
    json.dump(estate, sys.stdout, indent=2, ensure_ascii=False)
    print()


if __name__ == "__main__":
    main()
