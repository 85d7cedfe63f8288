"""azure-mgmt-resource-locks: locks, and what they forbid."""

import pytest
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.resource.locks import ManagementLockClient
from azure.mgmt.resource.locks.models import ManagementLockObject
from estate import SUBSCRIPTION
from helpers import refused, taken, unique

SUB = f"/subscriptions/{SUBSCRIPTION}"


@pytest.fixture(scope="module")
def locks(cloud):
    return cloud.client(ManagementLockClient, SUBSCRIPTION).management_locks


@pytest.fixture
def own_group(resources, locks):
    name = unique("rg-lock-")
    resources.resource_groups.create_or_update(name, {"location": "westeurope"})
    yield name
    for lock in list(locks.list_at_resource_group_level(name)):
        locks.delete_by_scope(lock.id.split("/providers/Microsoft.Authorization/")[0], lock.name)


def test_a_lock_lives_and_dies(locks, own_group):
    status, *_, made = locks.create_or_update_at_resource_group_level(
        own_group, "keep", ManagementLockObject(level="CanNotDelete", notes="do not delete"), cls=taken
    )
    assert status == 201
    assert made.id == f"{SUB}/resourceGroups/{own_group}/providers/Microsoft.Authorization/locks/keep"
    assert (made.name, made.type, made.level, made.notes) == ("keep", "Microsoft.Authorization/locks", "CanNotDelete", "do not delete")
    status, *_, again = locks.create_or_update_at_resource_group_level(own_group, "keep", ManagementLockObject(level="ReadOnly"), cls=taken)
    assert status == 200 and again.level == "ReadOnly" and again.notes is None
    assert locks.get_at_resource_group_level(own_group, "keep").level == "ReadOnly"
    assert locks.delete_at_resource_group_level(own_group, "keep", cls=taken)[0] == 200
    assert locks.delete_at_resource_group_level(own_group, "keep", cls=taken)[0] == 204
    with pytest.raises(Exception) as caught:
        locks.get_at_resource_group_level(own_group, "keep")
    assert caught.value.status_code == 404 and caught.value.error.code == "LockNotFound"


def test_locks_are_listed_at_above_and_below(locks, msi, own_group):
    name = unique("id-")
    made = msi.user_assigned_identities.create_or_update(own_group, name, {"location": "westeurope"})
    locks.create_or_update_at_resource_group_level(own_group, "on-group", ManagementLockObject(level="CanNotDelete"))
    locks.create_or_update_at_resource_level(
        own_group, "Microsoft.ManagedIdentity", "", "userAssignedIdentities", name, "on-identity", ManagementLockObject(level="CanNotDelete")
    )

    def names(rows):
        return {row.name for row in rows} & {"on-group", "on-identity"}

    assert names(locks.list_at_resource_group_level(own_group)) == {"on-group", "on-identity"}
    assert names(locks.list_at_resource_group_level(own_group, filter="atScope()")) == {"on-group"}
    assert names(locks.list_at_subscription_level(filter="atScope()")) == set()
    assert names(locks.list_by_scope(made.id.lstrip("/"))) == {"on-group", "on-identity"}
    assert names(
        locks.list_at_resource_level(own_group, "Microsoft.ManagedIdentity", "", "userAssignedIdentities", name)
    ) == {"on-group", "on-identity"}
    assert {row.id for row in locks.list_at_subscription_level() if row.name == "on-identity"}


def test_can_not_delete_forbids_deletes_alone(locks, msi, resources, own_group):
    name = unique("id-")
    made = msi.user_assigned_identities.create_or_update(own_group, name, {"location": "westeurope"})
    locks.create_or_update_at_resource_group_level(own_group, "keep", ManagementLockObject(level="CanNotDelete"))
    scope = f"{SUB}/resourceGroups/{own_group}"
    with refused(409, "ScopeLocked", f"cannot perform delete operation because following scope(s) are locked: '{scope}'. Please remove the lock and try again."):
        msi.user_assigned_identities.delete(own_group, name)
    assert msi.user_assigned_identities.update(own_group, name, {"tags": {"a": "b"}}).tags == {"a": "b"}
    with refused(409, "ScopeLocked"):
        resources.resource_groups.begin_delete(own_group)
    assert msi.user_assigned_identities.get(own_group, name).principal_id == made.principal_id


def test_a_lock_below_keeps_the_group(locks, msi, resources, own_group):
    name = unique("id-")
    msi.user_assigned_identities.create_or_update(own_group, name, {"location": "westeurope"})
    locks.create_or_update_at_resource_level(
        own_group, "Microsoft.ManagedIdentity", "", "userAssignedIdentities", name, "keep", ManagementLockObject(level="CanNotDelete")
    )
    with refused(409, "ScopeLocked"):
        resources.resource_groups.begin_delete(own_group)


def test_read_only_forbids_every_write_and_every_post(cloud, locks, msi, own_group):
    compute = cloud.client(ComputeManagementClient, SUBSCRIPTION)
    authorization = cloud.client(AuthorizationManagementClient, SUBSCRIPTION)
    name = unique("id-")
    made = msi.user_assigned_identities.create_or_update(own_group, name, {"location": "westeurope"})
    compute.ssh_public_keys.create(own_group, "key", {"location": "westeurope"})
    locks.create_or_update_at_resource_group_level(own_group, "frozen", ManagementLockObject(level="ReadOnly"))
    calls = [
        lambda: msi.user_assigned_identities.update(own_group, name, {"tags": {}}),
        lambda: msi.user_assigned_identities.create_or_update(own_group, unique("id-"), {"location": "westeurope"}),
        lambda: msi.federated_identity_credentials.create_or_update(
            own_group, name, "fic-1", {"properties": {"issuer": "https://i.example", "subject": "s", "audiences": ["a"]}}
        ),
        lambda: compute.ssh_public_keys.generate_key_pair(own_group, "key"),
        lambda: authorization.role_assignments.create(
            made.id,
            "11111111-1111-4111-8111-111111111111",
            {"properties": {"principalId": made.principal_id, "roleDefinitionId": f"{SUB}/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7", "principalType": "ServicePrincipal"}},
        ),
    ]
    for call in calls:
        with refused(409, "ScopeLocked", "cannot perform write operation"):
            call()
    assert msi.user_assigned_identities.get(own_group, name).tags == {}


@pytest.mark.parametrize("level", ["Whatever", None])
def test_bad_locks_are_refused(locks, own_group, level):
    locks._serialize.client_side_validation = False
    with pytest.raises(Exception) as caught:
        locks.create_or_update_at_resource_group_level(own_group, "x", ManagementLockObject(level=level))
    assert caught.value.status_code == 400 and caught.value.error.code


def test_a_lock_needs_its_scope(locks):
    with refused(404, "ResourceGroupNotFound"):
        locks.create_or_update_at_resource_group_level("rg-nowhere", "x", ManagementLockObject(level="ReadOnly"))
