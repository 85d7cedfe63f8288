"""azure-mgmt-compute: machines, scale sets, extensions, disks, and the identities on them."""

import datetime
import uuid

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.compute import ComputeManagementClient
from estate import SUBSCRIPTION, TENANT
from helpers import refused, taken, unique

SUB = f"/subscriptions/{SUBSCRIPTION}"


@pytest.fixture(scope="module")
def compute(cloud):
    return cloud.client(ComputeManagementClient, SUBSCRIPTION)


def machine(group, *identities, system=False, **more):
    body = {
        "location": "westeurope",
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
            "storageProfile": {
                "imageReference": {"publisher": "Canonical", "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts-gen2", "version": "latest"},
                "osDisk": {"name": "os", "createOption": "FromImage", "managedDisk": {"storageAccountType": "Premium_LRS"}},
            },
            "osProfile": {"computerName": "vm", "adminUsername": "azureuser", "adminPassword": "S3cret-Passw0rd!"},
            "networkProfile": {"networkInterfaces": [{"id": f"{SUB}/resourceGroups/{group}/providers/Microsoft.Network/networkInterfaces/nic-1"}]},
        },
        **more,
    }
    kinds = ["SystemAssigned"] * system + ["UserAssigned"] * bool(identities)
    if kinds:
        body["identity"] = {"type": ", ".join(kinds)}
        if identities:
            body["identity"]["userAssignedIdentities"] = {one: {} for one in identities}
    return body


@pytest.fixture
def vm(compute, group, identity):
    return compute.virtual_machines.begin_create_or_update(group, unique("vm-"), machine(group, identity.id)).result()


def keys(resource):
    return {key.lower() for key in (resource.identity.user_assigned_identities or {})}


def test_a_machine_is_made_as_it_was_sent(compute, group, identity):
    name = unique("vm-")
    made = compute.virtual_machines.begin_create_or_update(group, name, machine(group, identity.id, system=True, tags={"a": "b"})).result()
    assert made.id == f"{SUB}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}"
    assert (made.name, made.type, made.location, made.tags) == (name, "Microsoft.Compute/virtualMachines", "westeurope", {"a": "b"})
    assert made.identity.type == "SystemAssigned, UserAssigned" and made.identity.tenant_id == TENANT and uuid.UUID(made.identity.principal_id)
    value = made.identity.user_assigned_identities[identity.id]
    assert (value.principal_id, value.client_id) == (identity.principal_id, identity.client_id)
    assert made.network_profile.network_interfaces[0].id.endswith("/networkInterfaces/nic-1")
    assert made.hardware_profile.vm_size == "Standard_D2s_v5" and made.storage_profile.os_disk.name == "os"
    assert made.provisioning_state == "Succeeded" and uuid.UUID(made.vm_id)
    assert isinstance(made.time_created, datetime.datetime) and made.etag
    assert made.os_profile.computer_name == "vm" and made.os_profile.admin_password is None
    assert compute.virtual_machines.get(group, name).as_dict() == made.as_dict()
    assert made.id in {row.id for row in compute.virtual_machines.list(group)} & {row.id for row in compute.virtual_machines.list_all()}


def test_an_update_answers_at_once_with_the_body(compute, group, vm):
    seen = []
    poller = compute.virtual_machines.begin_update(
        group, vm.name, {"tags": {"x": "y"}}, raw_response_hook=lambda answer: seen.append(answer.http_response)
    )
    assert poller.result().tags == {"x": "y"} and seen[0].status_code == 200
    assert seen[0].headers["Azure-AsyncOperation"] and seen[0].json()["tags"] == {"x": "y"}


def test_identities_are_added_and_taken_by_merge(compute, msi, group, vm, identity):
    other = msi.user_assigned_identities.create_or_update(group, unique("id-"), {"location": "westeurope"})
    machines = compute.virtual_machines
    both = machines.begin_update(group, vm.name, {"identity": {"type": "UserAssigned", "userAssignedIdentities": {other.id: {}}}}).result()
    assert keys(both) == {identity.id.lower(), other.id.lower()}
    one = machines.begin_update(group, vm.name, {"identity": {"type": "UserAssigned", "userAssignedIdentities": {identity.id: None}}}).result()
    assert keys(one) == {other.id.lower()}
    system = machines.begin_update(group, vm.name, {"identity": {"type": "SystemAssigned, UserAssigned"}}).result()
    assert system.identity.type == "SystemAssigned, UserAssigned" and keys(system) == {other.id.lower()}
    none = machines.begin_update(group, vm.name, {"identity": {"type": "None"}}).result()
    assert none.identity is None and machines.get(group, vm.name).identity is None


def test_put_replaces_the_identities(compute, msi, group, vm):
    other = msi.user_assigned_identities.create_or_update(group, unique("id-"), {"location": "westeurope"})
    assert keys(compute.virtual_machines.begin_create_or_update(group, vm.name, machine(group, other.id)).result()) == {other.id.lower()}


def test_an_identity_that_is_not_there_is_refused_as_a_linked_scope(compute, group):
    ghost = f"{SUB}/resourceGroups/{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/ghost"
    with refused(403, "LinkedAuthorizationFailed", f"it does not have permission to perform action 'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action' on the linked scope(s) '{ghost}' or the linked scope(s) are invalid."):
        compute.virtual_machines.begin_create_or_update(group, unique("vm-"), machine(group, ghost))


def test_a_deleted_identity_stays_in_the_block_and_stops_writes(compute, msi, group, vm, identity):
    msi.user_assigned_identities.delete(group, identity.name)
    assert keys(compute.virtual_machines.get(group, vm.name)) == {identity.id.lower()}
    with refused(400, "FailedIdentityOperation"):
        compute.virtual_machines.begin_update(group, vm.name, {"tags": {"a": "b"}})
    gone = compute.virtual_machines.begin_update(
        group, vm.name, {"identity": {"type": "None"}}
    ).result()
    assert gone.identity is None


@pytest.mark.parametrize(
    "block",
    [
        {"type": "UserAssigned"},
        {"type": "Nonsense"},
        {"type": "UserAssigned", "userAssignedIdentities": {"not-an-id": {}}},
    ],
)
def test_bad_identity_blocks_are_refused(compute, group, block):
    with pytest.raises(HttpResponseError) as caught:
        compute.virtual_machines.begin_create_or_update(group, unique("vm-"), machine(group, **{"identity": block}))
    assert caught.value.status_code == 400 and caught.value.error.code


def test_the_etag_guards_a_machine(compute, group, vm):
    machines = compute.virtual_machines
    machines.begin_update(group, vm.name, {"tags": {"n": "1"}}).result()
    from azure.core import MatchConditions

    with pytest.raises(HttpResponseError) as caught:
        machines.begin_update(group, vm.name, {"tags": {"n": "2"}}, etag=vm.etag, match_condition=MatchConditions.IfNotModified)
    assert caught.value.status_code == 412
    fresh = machines.get(group, vm.name)
    changed = machines.begin_update(group, vm.name, {"tags": {"n": "3"}}, etag=fresh.etag, match_condition=MatchConditions.IfNotModified).result()
    assert changed.tags == {"n": "3"} and changed.etag != fresh.etag
    with pytest.raises(HttpResponseError) as caught:
        machines.begin_create_or_update(group, vm.name, machine(group), match_condition=MatchConditions.IfMissing)
    assert caught.value.status_code == 412 and caught.value.error.code == "PreconditionFailed"


def test_the_view_of_a_machine_tells_its_power(compute, group, vm):
    view = compute.virtual_machines.instance_view(group, vm.name)
    codes = {status.code for status in view.statuses}
    assert "ProvisioningState/succeeded" in codes and any(code.startswith("PowerState/") for code in codes)
    shown = compute.virtual_machines.get(group, vm.name, expand="instanceView")
    assert {status.code for status in shown.instance_view.statuses} == codes
    assert compute.virtual_machines.get(group, vm.name).instance_view is None


def test_a_machine_is_stopped_started_and_deleted(compute, group, vm):
    machines = compute.virtual_machines

    def power():
        return [one.code for one in machines.instance_view(group, vm.name).statuses if one.code.startswith("PowerState/")]

    assert machines.begin_deallocate(group, vm.name).result() is None
    assert power() == ["PowerState/deallocated"]
    machines.begin_start(group, vm.name).result()
    assert power() == ["PowerState/running"]
    machines.begin_power_off(group, vm.name).result()
    assert power() == ["PowerState/stopped"]
    machines.begin_restart(group, vm.name).result()
    machines.begin_delete(group, vm.name).result()
    with refused(404, "ResourceNotFound", f"The Resource 'Microsoft.Compute/virtualMachines/{vm.name}' under resource group '{group}' was not found."):
        machines.get(group, vm.name)
    machines.begin_delete(group, vm.name).result()
    with refused(404, "ResourceNotFound"):
        machines.begin_start(group, vm.name)


def test_operations_take_their_time_and_are_polled(slow_cloud):
    from azure.mgmt.resource.resources import ResourceManagementClient

    slow_cloud.client(ResourceManagementClient, SUBSCRIPTION).resource_groups.create_or_update("rg-lro", {"location": "westeurope"})
    compute = slow_cloud.client(ComputeManagementClient, SUBSCRIPTION)
    seen = []

    def look(answer):
        seen.append(answer.http_response)

    name = unique("vm-")
    poller = compute.virtual_machines.begin_create_or_update("rg-lro", name, machine("rg-lro"), raw_response_hook=look)
    assert compute.virtual_machines.get("rg-lro", name).provisioning_state == "Creating"
    assert poller.result().provisioning_state == "Succeeded"
    first, *polls, last = seen
    assert first.status_code == 201 and first.json()["properties"]["provisioningState"] == "Creating"
    where = first.headers["Azure-AsyncOperation"]
    assert where.startswith(f"{slow_cloud.url}/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/locations/westeurope/operation")
    assert int(first.headers["Retry-After"]) > 0
    states = [poll.json()["status"] for poll in polls]
    assert states[-1] == "Succeeded" and set(states[:-1]) == {"InProgress"}
    assert all(poll.status_code == 200 and poll.json()["startTime"] for poll in polls) and polls[-1].json()["endTime"]
    assert last.url.split("?")[0].endswith(f"/virtualMachines/{name}")
    seen.clear()
    compute.virtual_machines.begin_delete("rg-lro", name, raw_response_hook=look).result()
    assert seen[0].status_code == 202 and seen[0].headers["Location"] and seen[0].headers["Azure-AsyncOperation"]
    assert not seen[0].body()


def test_extensions_of_a_machine(compute, group, vm):
    body = {"location": "westeurope", "properties": {"publisher": "Microsoft.Azure.Monitor", "type": "AzureMonitorLinuxAgent", "typeHandlerVersion": "1.0", "protectedSettings": {"key": "secret"}}}
    made = compute.virtual_machine_extensions.begin_create_or_update(group, vm.name, "agent", body).result()
    assert made.id == f"{vm.id}/extensions/agent" and made.type == "Microsoft.Compute/virtualMachines/extensions"
    assert made.provisioning_state == "Succeeded" and made.properties.type == "AzureMonitorLinuxAgent"
    assert made.protected_settings is None
    assert [row.name for row in compute.virtual_machine_extensions.list(group, vm.name).value] == ["agent"]
    assert [row.name for row in compute.virtual_machines.get(group, vm.name).resources] == ["agent"]
    compute.virtual_machine_extensions.begin_update(group, vm.name, "agent", {"tags": {"a": "b"}}).result()
    compute.virtual_machine_extensions.begin_delete(group, vm.name, "agent").result()
    with refused(404, "ResourceNotFound"):
        compute.virtual_machine_extensions.get(group, vm.name, "agent")
    with refused(404, "ParentResourceNotFound"):
        compute.virtual_machine_extensions.begin_create_or_update(group, "vm-nowhere", "agent", body)


def scale_set(*identities):
    return {
        "location": "westeurope",
        "sku": {"name": "Standard_D2s_v5", "tier": "Standard", "capacity": 2},
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {one: {} for one in identities}},
        "properties": {
            "upgradePolicy": {"mode": "Manual"},
            "virtualMachineProfile": {"storageProfile": {"osDisk": {"createOption": "FromImage"}}},
        },
    }


def test_a_scale_set_has_machines_and_identities(compute, msi, group, identity):
    sets, name = compute.virtual_machine_scale_sets, unique("vmss-")
    made = sets.begin_create_or_update(group, name, scale_set(identity.id)).result()
    assert made.provisioning_state == "Succeeded" and made.sku.capacity == 2 and made.unique_id and made.time_created
    assert keys(made) == {identity.id.lower()}
    other = msi.user_assigned_identities.create_or_update(group, unique("id-"), {"location": "westeurope"})
    changed = sets.begin_update(group, name, {"identity": {"type": "UserAssigned", "userAssignedIdentities": {other.id: {}, identity.id: None}}}).result()
    assert keys(changed) == {other.id.lower()}
    rows = list(compute.virtual_machine_scale_set_vms.list(group, name))
    assert [row.instance_id for row in rows] == ["0", "1"]
    assert rows[0].id == f"{made.id}/virtualMachines/0" and rows[0].name == f"{name}_0" and rows[0].latest_model_applied is not None
    one = compute.virtual_machine_scale_set_vms.get(group, name, "1")
    assert one.provisioning_state == "Succeeded" and uuid.UUID(one.vm_id)
    sets.begin_update_instances(group, name, {"instanceIds": ["*"]}).result()
    sets.begin_restart(group, name, {"instanceIds": ["0"]}).result()
    assert made.id in {row.id for row in sets.list(group)} & {row.id for row in sets.list_all()}
    sets.begin_delete(group, name).result()
    with refused(404, "ResourceNotFound"):
        sets.get(group, name)


def test_disks_and_encryption_sets(compute, group):
    disk = compute.disks.begin_create_or_update(
        group, unique("disk-"), {"location": "westeurope", "sku": {"name": "Premium_LRS"}, "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 64}}
    ).result()
    assert disk.provisioning_state == "Succeeded" and disk.disk_size_gb == 64 and disk.disk_state == "Unattached"
    assert disk.time_created and disk.unique_id and disk.sku.tier == "Premium"
    compute.disks.begin_update(group, disk.name, {"tags": {"a": "b"}}).result()
    assert compute.disks.get(group, disk.name).tags == {"a": "b"}
    compute.disks.begin_delete(group, disk.name).result()


def test_what_is_not_simulated_says_so(compute, group, vm):
    for call in (
        lambda: list(compute.resource_skus.list()),
        lambda: compute.virtual_machines.list_available_sizes(group, vm.name).next(),
        lambda: list(compute.usage.list("westeurope")),
        lambda: compute.virtual_machines.begin_run_command(group, vm.name, {"commandId": "RunShellScript"}),
    ):
        with pytest.raises(HttpResponseError) as caught:
            call()
        assert (caught.value.status_code, caught.value.error.code) == (501, "NotSupportedBySimulator")
