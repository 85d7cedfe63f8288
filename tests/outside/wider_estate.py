"""What a random estate may hold beside the usual: rarer types, odd spellings, ids inside longer texts, locks and other trust.

`widen` adds it to an estate that `random_estate.py` is building. Everything here is a place that a relocation can turn by
itself: what only a person can change has no part in it. Python 3.11, standard library only.
"""
import json

SOURCES = ["eastus", "northeurope", "southeastasia", "uksouth"]


def client(identity):
    return identity["properties"]["clientId"]


def principal(identity):
    return identity["properties"]["principalId"]


def texts(e, me, near=()):
    """Members whose values hold an id in the middle of something longer, with decoys beside it."""
    who, cid, oid = e.spell(me), client(me), principal(me)
    other = near[0] if near else None
    out = {
        "plain": who,
        "lower": me["id"].lower(),
        "upper": me["id"].upper(),
        "list": f"{cid},{oid};{who}",
        "spaced": f"first {cid.upper()} then ({oid}) and [{who}]",
        "json": json.dumps({"clientId": cid, "nested": [{"id": who, "n": 1}], "keep": "é\"\\"}),
        "twice": json.dumps({"inner": json.dumps({"id": who, "oid": oid})}),
        "url": f"https://portal.azure.com/#@contoso.example/resource{me['id']}/overview?client_id={cid}&x=1",
        "below": f"{me['id']}/federatedIdentityCredentials/fic-0",
        "connection": f"Endpoint=sb://x.servicebus.windows.net/;Authentication=Managed Identity;ClientId={cid};Retry=3",
        "yaml": f"identity:\n  clientId: {cid}\n  resource: \"{who}\"\n",
        "quoted": f"'{cid}' \"{oid}\" <{who}> {{{cid}}}",
    }
    if other:
        out |= {"both": f"{other['id']} {me['id']} {other['id']}", "others": json.dumps([client(other), cid, principal(other)])}
    return e.rng.sample(sorted(out.items()), 5)


def keyed(e, me):
    """A map of which a key is an id, with values below it."""
    return {client(me): {"enabled": True, "owner": principal(me)}, "other": {"enabled": False}, e.spell(me): ["a", client(me), "b"]}


# Kinds of resources, each `function(estate, group, identities)`; the first identity is the one that other properties name.
def custom_thing(e, rg, ids):
    return e.add(rg, "Contoso.Widgets/things", e.name("thing"), {
        "provisioningState": "Succeeded", "texts": dict(texts(e, ids[0], ids[1:])), "map": keyed(e, ids[0]),
        "list": [client(ids[0]), {"deep": [[e.spell(ids[0])]]}, None, 3, 2.5, True], "empty": {}, "none": None},
        tags={"run-by": client(ids[0]), f"is {principal(ids[0])}": "yes", "plain": "kept"}, identity=e.block(ids))


def own_kubelet(e, rg, ids):
    me = ids[0]
    name = e.name("aks-own")
    nodes = e.group("/".join(rg["id"].split("/")[:3]), f"MC_{name}", rg["location"])
    cluster = e.add(rg, "Microsoft.ContainerService/managedClusters", name, {
        "provisioningState": "Succeeded", "kubernetesVersion": "1.30", "dnsPrefix": name, "nodeResourceGroup": nodes["name"],
        "agentPoolProfiles": [{"name": "system", "count": 3, "vmSize": "Standard_D4s_v5", "osType": "Linux", "mode": "System"}],
        "identityProfile": {"kubeletidentity": {"resourceId": e.spell(me), "clientId": client(me), "objectId": principal(me)}},
        "servicePrincipalProfile": {"clientId": "msi"}, "enableRBAC": True},
        sku={"name": "Base", "tier": "Free"}, tags={}, identity=e.block([me]))
    nodes["managedBy"] = cluster["id"]
    return cluster


def container_group(e, rg, ids):
    me = ids[0]
    return e.add(rg, "Microsoft.ContainerInstance/containerGroups", e.name("aci"), {
        "provisioningState": "Succeeded", "osType": "Linux", "restartPolicy": "OnFailure", "sku": "Standard",
        "imageRegistryCredentials": [{"server": "crcontoso.azurecr.io", "identity": e.spell(me)}],
        "containers": [{"name": "job", "properties": {
            "image": "crcontoso.azurecr.io/job:2", "resources": {"requests": {"cpu": 1.0, "memoryInGB": 1.5}},
            "environmentVariables": [{"name": "AZURE_CLIENT_ID", "value": client(me)}, {"name": "MODE", "value": "fast"}]}}]},
        tags={}, identity=e.block(ids))


def event_hubs(e, rg, ids):
    name = e.name("evhns")
    hub = e.add(rg, "Microsoft.EventHub/namespaces", name, {
        "provisioningState": "Succeeded", "serviceBusEndpoint": f"https://{name}.servicebus.windows.net:443/",
        "encryption": {"keySource": "Microsoft.KeyVault", "keyVaultProperties": [
            {"keyName": "cmk", "keyVaultUri": "https://kv-orders.vault.azure.net", "keyVersion": "",
             "identity": {"userAssignedIdentity": e.spell(ids[0])}}]}},
        sku={"name": "Premium", "tier": "Premium", "capacity": 1}, tags={}, identity=e.block(ids))
    e.child(hub, "eventhubs", "audit", {"partitionCount": 4, "status": "Active", "captureDescription": {
        "enabled": True, "encoding": "Avro", "destination": {"name": "EventHubArchive.AzureBlockBlob", "identity": {
            "type": "UserAssigned", "userAssignedIdentity": e.spell(ids[0])}}}})
    return hub


def learning(e, rg, ids):
    return e.add(rg, "Microsoft.MachineLearningServices/workspaces", e.name("mlw"), {
        "provisioningState": "Succeeded", "friendlyName": "orders", "primaryUserAssignedIdentity": e.spell(ids[0]),
        "encryption": {"status": "Enabled", "identity": {"userAssignedIdentity": e.spell(ids[0])},
                       "keyVaultProperties": {"identityClientId": client(ids[0]), "keyIdentifier": "https://kv-orders.vault.azure.net/keys/k"}}},
        sku={"name": "Basic", "tier": "Basic"}, kind="Default", tags={}, identity=e.block(ids, ","))


def kusto(e, rg, ids):
    cluster = e.add(rg, "Microsoft.Kusto/clusters", e.name("adx"), {
        "provisioningState": "Succeeded", "state": "Running",
        "keyVaultProperties": {"keyName": "cmk", "keyVaultUri": "https://kv-orders.vault.azure.net", "userIdentity": e.spell(ids[0])}},
        sku={"name": "Standard_E8ads_v5", "tier": "Standard", "capacity": 2}, tags={}, identity=e.block(ids, ", "))
    database = e.child(cluster, "databases", "telemetry", {"softDeletePeriod": "P365D", "provisioningState": "Succeeded"},
                       kind="ReadWrite", location=rg["location"])
    e.child(database, "dataConnections", "hub", {"tableName": "raw", "consumerGroup": "$Default",
                                                 "managedIdentityResourceId": e.spell(ids[0])}, kind="EventHub", location=rg["location"])
    return cluster


def backup(e, rg, ids):
    return e.add(rg, "Microsoft.RecoveryServices/vaults", e.name("rsv"), {
        "provisioningState": "Succeeded", "encryption": {"kekIdentity": {"useSystemAssignedIdentity": False, "userAssignedIdentity": e.spell(ids[0])},
                                                         "keyVaultProperties": {"keyUri": "https://kv-orders.vault.azure.net/keys/k"}}},
        sku={"name": "RS0", "tier": "Standard"}, tags={}, identity=e.block(ids, ", "))


def cognitive(e, rg, ids):
    return e.add(rg, "Microsoft.CognitiveServices/accounts", e.name("oai"), {
        "provisioningState": "Succeeded", "customSubDomainName": e.name("oai"),
        "encryption": {"keySource": "Microsoft.KeyVault", "keyVaultProperties": {"keyName": "k", "identityClientId": client(ids[0])}},
        "userOwnedStorage": [{"resourceId": f"{rg['id']}/providers/Microsoft.Storage/storageAccounts/none", "identityClientId": client(ids[0])}]}
        | {"userOwnedStorage": [{"identityClientId": client(ids[0])}]},
        sku={"name": "S0"}, kind="OpenAI", tags={}, identity=e.block(ids, ", "))


def postgres(e, rg, ids):
    return e.add(rg, "Microsoft.DBforPostgreSQL/flexibleServers", e.name("psql"), {
        "state": "Ready", "version": "16", "dataEncryption": {"type": "AzureKeyVault", "primaryKeyURI": "https://kv-orders.vault.azure.net/keys/k/1",
                                                              "primaryUserAssignedIdentityId": e.spell(ids[0])}},
        sku={"name": "Standard_D4ds_v5", "tier": "GeneralPurpose"}, tags={}, identity=e.block(ids))


def job(e, rg, ids):
    environment = e.add(rg, "Microsoft.App/managedEnvironments", e.name("cae"), {"provisioningState": "Succeeded"}, tags={})
    return e.add(rg, "Microsoft.App/jobs", e.name("caj"), {
        "provisioningState": "Succeeded", "environmentId": environment["id"],
        "configuration": {"triggerType": "Schedule", "replicaTimeout": 1800,
                          "registries": [{"server": "crcontoso.azurecr.io", "identity": e.spell(ids[0])}]},
        "template": {"containers": [{"name": "job", "image": "crcontoso.azurecr.io/job:1",
                                     "env": [{"name": "IDS", "value": f"{client(ids[0])},{principal(ids[0])}"}]}]}},
        tags={}, identity=e.block(ids, ","))


def grafana(e, rg, ids):
    return e.add(rg, "Microsoft.Dashboard/grafana", e.name("graf"), {"provisioningState": "Succeeded", "apiKey": "Disabled"},
                 sku={"name": "Standard"}, tags={"by": client(ids[0])}, identity=e.block(ids[:1]))


def batch(e, rg, ids):
    account = e.add(rg, "Microsoft.Batch/batchAccounts", e.name("batch"), {
        "provisioningState": "Succeeded", "poolAllocationMode": "BatchService",
        "autoStorage": {"authenticationMode": "BatchAccountManagedIdentity", "nodeIdentityReference": {"resourceId": e.spell(ids[0])}}},
        tags={}, identity=e.block(ids[:1]))
    e.child(account, "pools", "render", {"vmSize": "STANDARD_D4S_V5", "provisioningState": "Succeeded", "allocationState": "Steady"},
            identity=e.block(ids[:1]))
    return account


def search(e, rg, ids):
    return e.add(rg, "Microsoft.Search/searchServices", e.name("srch"), {"provisioningState": "succeeded", "replicaCount": 1},
                 sku={"name": "standard"}, tags={}, identity=e.block(ids, ", "))


def mixed_machine(e, rg, ids):
    """System- and user-assigned, in the wrong order, with nothing else that names it."""
    block = e.block(ids, ", ")
    return e.add(rg, "Microsoft.Compute/virtualMachines", e.name("vm-both"), {
        "hardwareProfile": {"vmSize": "Standard_B2s"}, "provisioningState": "Succeeded",
        "storageProfile": {"osDisk": {"osType": "Linux", "createOption": "FromImage"}}}, identity=block, tags={})


def busy_app(e, rg, ids):
    """A site of which settings, strings, slots and tags name the identity, each in another way."""
    me = ids[0]
    farm = e.add(rg, "Microsoft.Web/serverfarms", e.name("plan-"), {"status": "Ready"}, sku={"name": "P1v3", "tier": "PremiumV3"}, tags={})
    site = e.add(rg, "Microsoft.Web/sites", e.name("app-busy"), {
        "state": "Running", "enabled": True, "serverFarmId": farm["id"], "keyVaultReferenceIdentity": e.spell(me),
        "siteConfig": {"numberOfWorkers": 1}}, kind="app", tags={"client": client(me), "old": "x" + client(me)}, identity=e.block(ids, ", "))
    for host, name in ((site, None), (e.child(site, "slots", "blue", {"state": "Running", "serverFarmId": farm["id"]}, kind="app",
                                              location=site["location"], tags={}, identity=e.block([me])), "blue")):
        e.child(host, "config", "appsettings", {"FIXED": "1", **dict(texts(e, me, ids[1:])), "NAME": f"{me['name']}-{name}", f"of.{client(me)}.x": "named"})
        e.child(host, "config", "connectionstrings", {
            "A": {"type": "Custom", "value": f"Server=tcp:x;User Id={client(me)};Encrypt=True"},
            "B": {"type": "SQLAzure", "value": "Server=tcp:y;User Id=sa"}})
        e.child(host, "config", "web", {"alwaysOn": True, "acrUserManagedIdentityID": e.rng.choice([client(me), e.spell(me)]),
                                        "ipSecurityRestrictions": [{"ipAddress": "Any", "action": "Allow"}]})
    return site


def alert(e, rg, ids):
    return e.add(rg, "Microsoft.Insights/scheduledQueryRules", e.name("sqr"), {
        "enabled": True, "severity": 2, "criteria": {"allOf": [{"query": f"AzureActivity | where Caller == '{principal(ids[0])}'"}]}},
        location=rg["location"], tags={}, identity=e.block(ids[:1]))


def workbook(e, rg, ids):
    return e.add(rg, "Microsoft.Insights/workbooks", e.guid(), {
        "displayName": "Orders", "category": "workbook", "version": "1.0",
        "serializedData": json.dumps({"items": [{"query": f"SigninLogs | where AppId == '{client(ids[0])}'"}], "id": ids[0]["id"]})},
        kind="shared", tags={})


def only_tag(e, rg, ids):
    return e.add(rg, "Microsoft.Network/publicIPAddresses", e.name("pip"), {"provisioningState": "Succeeded", "publicIPAllocationMethod": "Static"},
                 sku={"name": "Standard"}, tags=dict((f"t-{k}", v[:250]) for k, v in texts(e, ids[0]) if len(v) <= 250))


def gateway(e, rg, ids):
    """An API Management service of which policies, at each level, and a backend name the client id."""
    xml = f'<policies><inbound><authentication-managed-identity resource="https://x" client-id="{client(ids[0])}"/></inbound></policies>'
    service = e.add(rg, "Microsoft.ApiManagement/service", e.name("apim"), {
        "provisioningState": "Succeeded", "publisherEmail": "a@b.example", "publisherName": "Contoso",
        "hostnameConfigurations": [{"type": "Proxy", "hostName": "api.example", "identityClientId": client(ids[0])}]},
        sku={"name": "Developer", "capacity": 1}, tags={}, identity=e.block(ids, ", "))
    e.child(service, "policies", "policy", {"format": "xml", "value": xml})
    api = e.child(service, "apis", "orders", {"displayName": "Orders", "path": "orders", "protocols": ["https"]})
    e.child(api, "policies", "policy", {"format": "xml", "value": xml})
    operation = e.child(api, "operations", "list", {"displayName": "List", "method": "GET", "urlTemplate": "/"})
    e.child(operation, "policies", "policy", {"format": "xml", "value": xml})
    return service


def endpoints(e, rg, ids):
    workspace = learning(e, rg, ids)
    endpoint = e.child(workspace, "batchEndpoints", "score", {"authMode": "AADToken", "provisioningState": "Succeeded"},
                       location=rg["location"], identity=e.block(ids[:1]))
    e.child(endpoint, "deployments", "blue", {"environmentVariables": {"UAI_CLIENT_ID": client(ids[0]), "N": "1"},
                                              "provisioningState": "Succeeded"}, location=rg["location"])
    e.child(workspace, "connections", "lake", {"authType": "ManagedIdentity", "category": "AzureBlob",
                                               "credentials": {"clientId": client(ids[0]), "resourceId": e.spell(ids[0])}})
    return workspace


def factory(e, rg, ids):
    made = e.add(rg, "Microsoft.DataFactory/factories", e.name("adf"), {"provisioningState": "Succeeded", "version": "2018-06-01"},
                 tags={}, identity=e.block(ids, ","))
    e.child(made, "linkedservices", "sql", {"type": "AzureSqlDatabase", "typeProperties": {
        "connectionString": f"Server=x;User ID={client(ids[0])};Authentication=Active Directory Managed Identity"}})
    e.child(made, "pipelines", "nightly", {"activities": [{"name": "call", "type": "WebActivity", "typeProperties": {
        "url": f"https://x?mi={principal(ids[0])}", "method": "GET"}}]})
    return made


KINDS = [gateway, endpoints, factory, custom_thing, custom_thing, own_kubelet, container_group, event_hubs, learning, kusto, backup, cognitive, postgres, job, grafana,
         batch, search, mixed_machine, busy_app, busy_app, alert, workbook, only_tag]
ALONE = {own_kubelet, grafana, batch, alert, workbook, only_tag}


def already(e, rg, me):
    """A resource that holds the identity under a key in capitals, and one that holds nothing but a neighbour."""
    e.add(rg, "Microsoft.Compute/virtualMachines", e.name("vm-loud"), {
        "provisioningState": "Succeeded", "hardwareProfile": {"vmSize": "Standard_B2s"}}, tags={},
        identity={"type": "UserAssigned", "userAssignedIdentities": {
            me["id"].upper().replace("/SUBSCRIPTIONS/", "/subscriptions/"): {"principalId": principal(me), "clientId": client(me)}}})


def widen(e, me, twins, groups, subs, tops, people, robots, policy):
    """Adds it all to an estate that is being built."""
    rng = e.rng
    far = e.group(subs[-1], e.name("rg-far"), rng.choice(SOURCES), tags={"contact": client(me), "note": f"of {me['id']}"})
    homes = [*groups, far]
    for kind in rng.sample(KINDS, rng.randint(6, len(KINDS))):
        kind(e, rng.choice(homes), [me] if kind in ALONE or rng.random() < 0.6 else [me, *rng.sample(twins, rng.randint(1, 2))])
        if rng.random() < 0.4:
            kind(e, rng.choice(homes), [rng.choice(twins)])
    already(e, rng.choice(homes), me)

    # One of the same name in another subscription, one that is a prefix, one that has it in the middle.
    away = e.group(subs[1], e.name("rg-away"), me["location"])
    shadows = [e.identity(away, me["name"]), e.identity(away, f"{me['name']}-old"), e.identity(away, f"x-{me['name']}-y")]
    custom_thing(e, away, [rng.choice(shadows)])

    # Trust.
    if rng.random() < 0.6:
        e.lock(me, "keep", rng.choice(["CanNotDelete", "ReadOnly"]))
    if rng.random() < 0.5:
        e.docs.append({"id": f"{me['id']}/providers/Microsoft.Authorization/policyExemptions/tags", "name": "tags",
                       "type": "Microsoft.Authorization/policyExemptions", "properties": {
                           "policyAssignmentId": f"{tops[0]['id']}/providers/Microsoft.Authorization/policyAssignments/inherit-cost-center",
                           "exemptionCategory": "Waiver", "displayName": "No cost center"}})
    e.credential(me, "aks", "https://oidc.example/tenant/1/", "system:serviceaccount:ns:sa")
    e.assign(me, "Managed Identity Contributor", principal(twins[0]), description=f"runs beside {client(me)}")

    # Rights: of others that name it in a condition or description; of its own that name it there.
    e.assign(far, "User Access Administrator", robots[0]["id"], conditionVersion="2.0", condition=(
        "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR (@Request[Microsoft.Authorization/roleAssignments:PrincipalId] "
        f"ForAnyOfAnyValues:GuidEquals {{{principal(me)}, {principal(twins[0])}}}))"), description=f"may give {principal(me)} roles")
    e.assign(far, "Storage Blob Data Owner", principal(me), description=f"for {me['id'].lower()} and {client(me)}")
    written = e.custom_role([subs[-1]], "far reader", "Reads far away.", ["*/read"])
    e.assign(subs[-1], written["id"], principal(me))
    if rng.random() < 0.5:
        e.assign(away, "Reader", people[2], "User", delegatedManagedIdentityResourceId=me["id"])

    # Groups in groups, ownership of what it is no member of, and the identity beside the group that it is in.
    deep = e.directory_group(f"{me['name']}-deep", [principal(me)], [principal(me), principal(shadows[0])])
    middle = e.directory_group(f"{me['name']}-middle", [deep, principal(me)], [people[0]])
    e.directory_group(f"{me['name']}-top", [middle], [principal(me)])
    e.directory_group(f"{me['name']}-neighbours", [principal(s) for s in shadows], [people[1]])
    e.assign(far, "Reader", middle, "Group")

    # Vault policies: its own in capitals, with capitals in the permissions, and compound ones by which others act through it.
    entries = [policy(e.tenant, principal(me).upper(), secrets=["Get", "List", "backup"], certificates=["get"], keys=["unwrapKey", "wrapKey"]),
               policy(e.tenant, people[1], secrets=["get"]), policy(e.tenant, principal(shadows[0]), keys=["all"])]
    if rng.random() < 0.7:
        entries.append(policy(e.tenant, people[2], secrets=["list"]) | {"applicationId": client(me)})
    if rng.random() < 0.3:
        entries.append(policy(e.tenant, people[2], secrets=["set"]))
    rng.shuffle(entries)
    name = e.name("kv-wide")
    e.add(far, "Microsoft.KeyVault/vaults", name, {
        "sku": {"family": "A", "name": "standard"}, "tenantId": e.tenant, "accessPolicies": entries, "enableSoftDelete": True,
        "enableRbacAuthorization": rng.random() < 0.2, "vaultUri": f"https://{name}.vault.azure.net/", "provisioningState": "Succeeded"},
        tags=rng.choice([{}, {"reader": client(me)}]))

    # A lock on a bound resource, which does not stop a change of it, and one far from everything.
    bound = [d for d in e.docs if d.get("identity") and me["id"].lower() in json.dumps(d["identity"]).lower() and d["id"].count("/") == 8]
    e.lock(rng.choice(bound), "stays")
