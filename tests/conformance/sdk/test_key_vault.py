"""azure-mgmt-keyvault: vaults and their access policies."""

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.keyvault import KeyVaultManagementClient
from estate import ALICE, SUBSCRIPTION, TENANT
from helpers import refused, taken, unique

SUB = f"/subscriptions/{SUBSCRIPTION}"


@pytest.fixture(scope="module")
def vaults(cloud):
    return cloud.client(KeyVaultManagementClient, SUBSCRIPTION).vaults


def policy(principal, secrets=("get", "list"), keys=()):
    return {"tenantId": TENANT, "objectId": principal, "permissions": {"secrets": list(secrets), "keys": list(keys)}}


def body(*policies, **more):
    return {"location": "westeurope", "properties": {"tenantId": TENANT, "sku": {"family": "A", "name": "standard"}, "accessPolicies": list(policies), **more}}


@pytest.fixture
def vault(vaults, group):
    return vaults.begin_create_or_update(group, unique("kv-"), body(policy(ALICE))).result()


def entries(vault):
    return {entry.object_id: entry.permissions for entry in vault.properties.access_policies}


def test_a_vault_is_whole(vaults, group, vault):
    assert vault.id == f"{SUB}/resourceGroups/{group}/providers/Microsoft.KeyVault/vaults/{vault.name}"
    assert (vault.type, vault.location, vault.tags) == ("Microsoft.KeyVault/vaults", "westeurope", {})
    properties = vault.properties
    assert properties.vault_uri == f"https://{vault.name}.vault.azure.net/" and properties.tenant_id == TENANT
    assert properties.provisioning_state == "Succeeded" and properties.sku.name == "standard" and properties.sku.family == "A"
    assert properties.enable_soft_delete is True and properties.soft_delete_retention_in_days == 90
    assert properties.public_network_access == "Enabled" and properties.enabled_for_deployment is False
    assert entries(vault)[ALICE].secrets == ["get", "list"]
    assert vault.system_data.created_at and vault.system_data.last_modified_at
    same = vaults.get(group, vault.name)
    assert same.id == vault.id and entries(same).keys() == entries(vault).keys()
    assert vault.id in {row.id for row in vaults.list_by_resource_group(group)} & {row.id for row in vaults.list_by_subscription()}
    rows = {row.id for row in vaults.list()}
    assert vault.id in rows and all("/Microsoft.KeyVault/vaults/" in row for row in rows)


def test_access_policies_are_added_replaced_and_removed(vaults, group, vault, identity):
    who = identity.principal_id
    status, *_, added = vaults.update_access_policy(group, vault.name, "add", {"properties": {"accessPolicies": [policy(who, ["get"])]}}, cls=taken)
    assert status in (200, 201)
    assert added.id == f"{vault.id}/accessPolicies/" and added.type == "Microsoft.KeyVault/vaults/accessPolicies"
    assert {entry.object_id for entry in added.properties.access_policies} == {ALICE, who}
    vaults.update_access_policy(group, vault.name, "add", {"properties": {"accessPolicies": [policy(who, ["set"])]}})
    assert sorted(entries(vaults.get(group, vault.name))[who].secrets) == ["get", "set"]
    vaults.update_access_policy(group, vault.name, "replace", {"properties": {"accessPolicies": [policy(who, [], ["sign"])]}})
    after = entries(vaults.get(group, vault.name))
    assert after[who].keys_property == ["sign"] if hasattr(after[who], "keys_property") else after[who]["keys"] == ["sign"]
    vaults.update_access_policy(group, vault.name, "remove", {"properties": {"accessPolicies": [policy(who, [], ["sign"])]}})
    assert set(entries(vaults.get(group, vault.name))) == {ALICE}


def test_a_patch_changes_what_it_names(vaults, group, vault):
    changed = vaults.update(group, vault.name, {"tags": {"a": "b"}, "properties": {"enabledForDeployment": True}})
    assert changed.tags == {"a": "b"} and changed.properties.enabled_for_deployment is True
    assert set(entries(changed)) == {ALICE} and changed.properties.sku.name == "standard"


def test_a_deleted_vault_is_gone(vaults, group, vault):
    assert vaults.delete(group, vault.name) is None
    with refused(404, "ResourceNotFound", f"The Resource 'Microsoft.KeyVault/vaults/{vault.name}' under resource group '{group}' was not found."):
        vaults.get(group, vault.name)
    assert vaults.delete(group, vault.name, cls=taken)[0] == 204
    # Deleted vaults are not kept, and asking for them says so.
    for call in (lambda: vaults.get_deleted(vault.name, "westeurope"), lambda: list(vaults.list_deleted()), lambda: vaults.begin_purge_deleted(vault.name, "westeurope")):
        with refused(501, "NotSupportedBySimulator"):
            call()


def test_names_are_checked(vaults, vault):
    kind = "Microsoft.KeyVault/vaults"
    assert vaults.check_name_availability({"name": unique("kv-"), "type": kind}).name_available is True
    assert vaults.check_name_availability({"name": vault.name, "type": kind}).name_available is False
    bad = vaults.check_name_availability({"name": "1_no", "type": kind})
    assert bad.name_available is False and bad.reason and bad.message


@pytest.mark.parametrize(
    ("name", "sent"),
    [("kv-good", {"location": "westeurope", "properties": {"sku": {"family": "A", "name": "standard"}, "accessPolicies": []}}), ("kv-good", {"location": "westeurope"}), ("x", body())],
)
def test_bad_vaults_are_refused(vaults, group, name, sent):
    with pytest.raises(HttpResponseError) as caught:
        vaults.begin_create_or_update(group, name, sent)
    assert caught.value.status_code == 400 and caught.value.error.code


def test_policies_of_a_vault_that_is_not_there(vaults, group):
    with refused(404, "ResourceNotFound"):
        vaults.update_access_policy(group, "kv-nowhere", "add", {"properties": {"accessPolicies": [policy(ALICE)]}})


def test_pages_of_vaults(vaults, resources):
    group = unique("rg-kv-")
    resources.resource_groups.create_or_update(group, {"location": "westeurope"})
    names = {vaults.begin_create_or_update(group, unique("kv-"), body()).result().name for _ in range(3)}
    pages = [[row.name for row in page] for page in vaults.list_by_resource_group(group, top=2).by_page()]
    assert [len(page) for page in pages] == [2, 1] and set(sum(pages, [])) == names
