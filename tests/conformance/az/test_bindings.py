"""What uses an identity: machines, web apps, vaults, Cosmos DB."""

import tenant

ON_VM = ["--resource-group", "rg-shop", "--name", "vm-shop"]
ON_SITE = ["--resource-group", "rg-shop", "--name", "app-shop"]


def identities(shown):
    return {id.lower() for id in (shown["userAssignedIdentities"] or {})}


def test_a_machine_gets_a_second_identity_and_loses_it(az, simulator):
    az("vm", "identity", "assign", *ON_VM, "--identities", tenant.SPARE)
    shown = az("vm", "identity", "show", *ON_VM)
    assert shown["type"] == "UserAssigned"
    assert identities(shown) == {tenant.IDENTITY.lower(), tenant.SPARE.lower()}
    stored = simulator.document(tenant.VM)["identity"]["userAssignedIdentities"]
    spare = next(value for id, value in stored.items() if id.lower() == tenant.SPARE.lower())
    assert spare["principalId"] == tenant.SPARE_PRINCIPAL
    az("vm", "identity", "remove", *ON_VM, "--identities", tenant.SPARE)
    assert identities(az("vm", "identity", "show", *ON_VM)) == {tenant.IDENTITY.lower()}


def test_a_machine_does_not_get_an_identity_that_is_not_there(az):
    missing = tenant.SPARE + "-nowhere"
    said = az.fails(1, "vm", "identity", "assign", *ON_VM, "--identities", missing)
    assert "FailedIdentityOperation" in said or "LinkedAuthorizationFailed" in said


def test_a_web_app_gets_an_identity_of_its_own_too(az):
    both = az("webapp", "identity", "assign", *ON_SITE, "--identities", "[system]", tenant.SPARE)
    assert both["type"].replace(" ", "") == "SystemAssigned,UserAssigned"
    shown = az("webapp", "identity", "show", *ON_SITE)
    assert identities(shown) == {tenant.IDENTITY.lower(), tenant.SPARE.lower()}
    assert shown["principalId"]
    az("webapp", "identity", "remove", *ON_SITE, "--identities", "[system]", tenant.SPARE)
    shown = az("webapp", "identity", "show", *ON_SITE)
    assert (shown["type"], identities(shown)) == ("UserAssigned", {tenant.IDENTITY.lower()})


def test_settings_of_a_web_app_are_read_and_changed(az, simulator):
    before = {one["name"]: one["value"] for one in az("webapp", "config", "appsettings", "list", *ON_SITE)}
    assert before == {"AZURE_CLIENT_ID": tenant.IDENTITY_CLIENT, "COLOUR": "green"}
    az("webapp", "config", "appsettings", "set", *ON_SITE, "--settings", "COLOUR=blue", "SIZE=large")
    az("webapp", "config", "appsettings", "delete", *ON_SITE, "--setting-names", "SIZE")
    stored = simulator.document(f"{tenant.SITE}/config/appsettings")["properties"]
    assert stored == {"AZURE_CLIENT_ID": tenant.IDENTITY_CLIENT, "COLOUR": "blue"}


def test_a_vault_policy_is_set_and_deleted(az, simulator):
    vault = ["--name", "kv-shop", "--resource-group", "rg-shop"]
    set_ = az("keyvault", "set-policy", *vault, "--object-id", tenant.SPARE_PRINCIPAL, "--secret-permissions", "get")
    policies = {one["objectId"]: one for one in set_["properties"]["accessPolicies"]}
    assert set(policies) == {tenant.IDENTITY_PRINCIPAL, tenant.SPARE_PRINCIPAL}
    assert policies[tenant.SPARE_PRINCIPAL]["permissions"]["secrets"] == ["get"]
    az("keyvault", "delete-policy", *vault, "--object-id", tenant.SPARE_PRINCIPAL)
    stored = simulator.document(tenant.VAULT)["properties"]["accessPolicies"]
    assert [one["objectId"] for one in stored] == [tenant.IDENTITY_PRINCIPAL]


def test_a_data_role_of_cosmos_is_given_and_taken(az):
    account = ["--account-name", "cosmos-shop", "--resource-group", "rg-shop"]
    contributor = f"{tenant.COSMOS}/sqlRoleDefinitions/00000000-0000-0000-0000-000000000002"
    made = az(
        *["cosmosdb", "sql", "role", "assignment", "create", *account],
        *["--role-definition-id", contributor, "--principal-id", tenant.SPARE_PRINCIPAL, "--scope", "/"],
    )
    assert made["principalId"] == tenant.SPARE_PRINCIPAL
    listed = az("cosmosdb", "sql", "role", "assignment", "list", *account)
    assert [one["name"] for one in listed] == [made["name"]]
    az("cosmosdb", "sql", "role", "assignment", "delete", *account, "--role-assignment-id", made["name"], "--yes")
    assert az("cosmosdb", "sql", "role", "assignment", "list", *account) == []
