"""azure-mgmt-storage: accounts, keys, blob services and the identity that reads their key."""

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.storage import StorageManagementClient
from estate import SUBSCRIPTION
from helpers import refused, taken, unique

SUB = f"/subscriptions/{SUBSCRIPTION}"


@pytest.fixture(scope="module")
def storage(cloud):
    return cloud.client(StorageManagementClient, SUBSCRIPTION)


def name_of_account():
    return unique("st")


@pytest.fixture(scope="module")
def account(storage, group):
    return storage.storage_accounts.begin_create(
        group, name_of_account(), {"location": "westeurope", "sku": {"name": "Standard_ZRS"}, "kind": "StorageV2", "properties": {"accessTier": "Hot"}}
    ).result()


def test_an_account_is_whole(storage, group, account):
    assert account.id == f"{SUB}/resourceGroups/{group}/providers/Microsoft.Storage/storageAccounts/{account.name}"
    assert account.type == "Microsoft.Storage/storageAccounts" and account.kind == "StorageV2" and account.tags == {}
    assert (account.sku.name, account.sku.tier) == ("Standard_ZRS", "Standard")
    assert account.provisioning_state == "Succeeded" and account.creation_time and account.access_tier == "Hot"
    assert (account.primary_location, account.status_of_primary) == ("westeurope", "available")
    assert account.primary_endpoints.blob == f"https://{account.name}.blob.core.windows.net/"
    assert account.primary_endpoints.dfs == f"https://{account.name}.dfs.core.windows.net/"
    assert account.encryption.key_source == "Microsoft.Storage" and account.encryption.services.blob.enabled is True
    assert account.enable_https_traffic_only is True and account.network_rule_set.default_action == "Allow"
    assert account.private_endpoint_connections == []
    assert storage.storage_accounts.get_properties(group, account.name).as_dict() == account.as_dict()
    assert account.id in {row.id for row in storage.storage_accounts.list()} & {row.id for row in storage.storage_accounts.list_by_resource_group(group)}


def test_creation_is_told_by_its_location(slow_cloud):
    from azure.mgmt.resource.resources import ResourceManagementClient

    slow_cloud.client(ResourceManagementClient, SUBSCRIPTION).resource_groups.create_or_update("rg-st", {"location": "westeurope"})
    accounts, seen = slow_cloud.client(StorageManagementClient, SUBSCRIPTION).storage_accounts, []
    made = accounts.begin_create(
        "rg-st", name_of_account(), {"location": "westeurope", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}, raw_response_hook=lambda answer: seen.append(answer.http_response)
    ).result()
    assert made.provisioning_state == "Succeeded"
    assert [one.status_code for one in seen][0] == 202 and [one.status_code for one in seen][-1] == 200
    assert seen[0].headers["Location"].startswith(f"{slow_cloud.url}/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Storage/locations/westeurope/")
    assert int(seen[0].headers["Retry-After"]) > 0 and not seen[0].body()


def test_keys_are_listed_and_made_anew(storage, group, account):
    keys = storage.storage_accounts.list_keys(group, account.name).keys_property if hasattr(storage.storage_accounts.list_keys(group, account.name), "keys_property") else storage.storage_accounts.list_keys(group, account.name)["keys"]
    assert [key.key_name for key in keys] == ["key1", "key2"] and all(key.value and key.creation_time for key in keys)
    assert {key.permissions for key in keys} <= {"FULL", "Full"}


def test_the_key_of_a_vault_is_read_with_an_identity(storage, msi, group, account, identity):
    sent = {
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {identity.id: {}}},
        "properties": {
            "encryption": {
                "keySource": "Microsoft.Keyvault",
                "keyvaultproperties": {"keyname": "cmk", "keyvaulturi": "https://kv.vault.azure.net"},
                "identity": {"userAssignedIdentity": identity.id},
            }
        },
    }
    changed = storage.storage_accounts.update(group, account.name, sent)
    assert changed.encryption.key_source == "Microsoft.Keyvault" and changed.encryption.key_vault_properties.key_name == "cmk"
    assert changed.encryption.encryption_identity.encryption_user_assigned_identity == identity.id
    assert changed.encryption.services.blob.enabled is True
    with pytest.raises(HttpResponseError) as caught:
        storage.storage_accounts.update(group, account.name, {"identity": {"type": "None"}})
    assert caught.value.status_code == 400
    other = msi.user_assigned_identities.create_or_update(group, unique("id-"), {"location": "westeurope"})
    moved = storage.storage_accounts.update(
        group,
        account.name,
        {
            "identity": {"type": "UserAssigned", "userAssignedIdentities": {other.id: {}, identity.id: None}},
            "properties": {"encryption": {"identity": {"userAssignedIdentity": other.id}}},
        },
    )
    assert {key.lower() for key in moved.identity.user_assigned_identities} == {other.id.lower()}
    storage.storage_accounts.update(
        group, account.name, {"identity": {"type": "None"}, "properties": {"encryption": {"keySource": "Microsoft.Storage", "identity": None}}}
    )


def test_the_blob_service_and_its_containers(storage, group, account):
    service = storage.blob_services.get_service_properties(group, account.name)
    assert service.id == f"{account.id}/blobServices/default" and service.name == "default"
    assert service.type == "Microsoft.Storage/storageAccounts/blobServices" and service.cors is not None
    assert storage.blob_services.set_service_properties(group, account.name, {"properties": {"isVersioningEnabled": True}}).is_versioning_enabled is True
    assert storage.blob_services.get_service_properties(group, account.name).is_versioning_enabled is True
    assert [row.name for row in storage.blob_services.list(group, account.name)] == ["default"]
    status, *_, made = storage.blob_containers.create(group, account.name, "photos", {}, cls=taken)
    assert status == 201 and made.id == f"{account.id}/blobServices/default/containers/photos" and made.etag
    assert storage.blob_containers.get(group, account.name, "photos").public_access == "None"
    assert [row.name for row in storage.blob_containers.list(group, account.name)] == ["photos"]
    storage.blob_containers.delete(group, account.name, "photos")
    with pytest.raises(HttpResponseError) as caught:
        storage.blob_containers.get(group, account.name, "photos")
    assert caught.value.status_code == 404 and caught.value.error.code in ("ContainerNotFound", "ResourceNotFound")


def test_names_are_checked(storage, account):
    free = storage.storage_accounts.check_name_availability({"name": name_of_account(), "type": "Microsoft.Storage/storageAccounts"})
    assert free.name_available is True and free.reason is None
    used = storage.storage_accounts.check_name_availability({"name": account.name, "type": "Microsoft.Storage/storageAccounts"})
    assert (used.name_available, used.reason) == (False, "AlreadyExists")
    assert used.message == f"The storage account named {account.name} is already taken."
    bad = storage.storage_accounts.check_name_availability({"name": "No_Good", "type": "Microsoft.Storage/storageAccounts"})
    assert (bad.name_available, bad.reason) == (False, "AccountNameInvalid")


@pytest.mark.parametrize("sent", [{"location": "westeurope", "kind": "StorageV2"}, {"sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}])
def test_bad_accounts_are_refused(storage, group, sent):
    with pytest.raises(HttpResponseError) as caught:
        storage.storage_accounts.begin_create(group, name_of_account(), sent)
    assert caught.value.status_code == 400 and caught.value.error.code


def test_a_bad_name_is_refused(storage, group):
    with refused(400, "AccountNameInvalid"):
        storage.storage_accounts.begin_create(group, "NoGood", {"location": "westeurope", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"})


def test_an_account_is_deleted(storage, group):
    name = name_of_account()
    storage.storage_accounts.begin_create(group, name, {"location": "westeurope", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}).result()
    assert storage.storage_accounts.delete(group, name, cls=taken)[0] == 200
    assert storage.storage_accounts.delete(group, name, cls=taken)[0] == 204
    with refused(404, "ResourceNotFound", f"The Resource 'Microsoft.Storage/storageAccounts/{name}' under resource group '{group}' was not found."):
        storage.storage_accounts.get_properties(group, name)
