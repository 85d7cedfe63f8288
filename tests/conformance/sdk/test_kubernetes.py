"""azure-mgmt-containerservice: clusters, the two identities they run with, and their pools."""

import uuid

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.containerservice import ContainerServiceClient
from estate import SUBSCRIPTION
from helpers import refused, unique

SUB = f"/subscriptions/{SUBSCRIPTION}"


@pytest.fixture(scope="module")
def aks(cloud):
    return cloud.client(ContainerServiceClient, SUBSCRIPTION)


def body(identity, kubelet=None, **more):
    properties = {
        "dnsPrefix": "shop",
        "agentPoolProfiles": [{"name": "system", "mode": "System", "count": 2, "vmSize": "Standard_D2s_v5", "osType": "Linux", "type": "VirtualMachineScaleSets"}],
        **more,
    }
    if kubelet:
        properties["identityProfile"] = {"kubeletidentity": {"resourceId": kubelet.id, "clientId": kubelet.client_id, "objectId": kubelet.principal_id}}
    return {"location": "westeurope", "identity": {"type": "UserAssigned", "userAssignedIdentities": {identity.id: {}}}, "properties": properties}


@pytest.fixture(scope="module")
def control(msi, group):
    return msi.user_assigned_identities.create_or_update(group, unique("id-control-"), {"location": "westeurope"})


@pytest.fixture(scope="module")
def kubelet(msi, group):
    return msi.user_assigned_identities.create_or_update(group, unique("id-kubelet-"), {"location": "westeurope"})


@pytest.fixture(scope="module")
def cluster(aks, group, control, kubelet):
    return aks.managed_clusters.begin_create_or_update(group, unique("aks-"), body(control, kubelet)).result()


def test_a_cluster_is_whole(aks, group, cluster, control, kubelet):
    assert cluster.id.lower() == f"{SUB}/resourceGroups/{group}/providers/Microsoft.ContainerService/managedClusters/{cluster.name}".lower()
    assert cluster.type.lower() == "microsoft.containerservice/managedclusters" and cluster.location == "westeurope"
    assert cluster.provisioning_state == "Succeeded" and cluster.power_state.code == "Running"
    assert cluster.kubernetes_version and cluster.current_kubernetes_version and cluster.dns_prefix == "shop"
    assert cluster.fqdn.startswith("shop-") and cluster.fqdn.endswith(".hcp.westeurope.azmk8s.io")
    assert cluster.node_resource_group == f"MC_{group}_{cluster.name}_westeurope" and cluster.enable_rbac is True
    assert cluster.max_agent_pools and cluster.network_profile.network_plugin and cluster.sku.name == "Base"
    assert cluster.identity.type == "UserAssigned" and cluster.identity.user_assigned_identities[control.id].client_id == control.client_id
    own = cluster.identity_profile["kubeletidentity"]
    assert (own.resource_id, own.client_id, own.object_id) == (kubelet.id, kubelet.client_id, kubelet.principal_id)
    pool = cluster.agent_pool_profiles[0]
    assert (pool.name, pool.count, pool.mode, pool.provisioning_state, pool.power_state.code) == ("system", 2, "System", "Succeeded", "Running")
    assert cluster.id in {row.id for row in aks.managed_clusters.list()} & {row.id for row in aks.managed_clusters.list_by_resource_group(group)}


def test_a_cluster_of_the_systems_identity_gets_a_kubelet_of_its_own(aks, group):
    sent = {"location": "westeurope", "identity": {"type": "SystemAssigned"}, "properties": {"dnsPrefix": "x", "agentPoolProfiles": [{"name": "np", "mode": "System", "count": 1, "vmSize": "Standard_D2s_v5"}]}}
    made = aks.managed_clusters.begin_create_or_update(group, unique("aks-"), sent).result()
    assert uuid.UUID(made.identity.principal_id)
    own = made.identity_profile["kubeletidentity"]
    assert own.resource_id.lower().endswith(f"/userassignedidentities/{made.name}-agentpool".lower())
    assert uuid.UUID(own.client_id) and uuid.UUID(own.object_id)


def test_the_control_identity_is_changed_by_put(aks, msi, group, cluster, kubelet):
    other = msi.user_assigned_identities.create_or_update(group, unique("id-"), {"location": "westeurope"})
    changed = aks.managed_clusters.begin_create_or_update(group, cluster.name, body(other, kubelet)).result()
    assert [key.lower() for key in changed.identity.user_assigned_identities] == [other.id.lower()]
    assert changed.identity_profile["kubeletidentity"].client_id == kubelet.client_id


def test_a_cluster_needs_an_identity_and_takes_one(aks, msi, group, control):
    other = msi.user_assigned_identities.create_or_update(group, unique("id-"), {"location": "westeurope"})
    two = body(control)
    two["identity"]["userAssignedIdentities"][other.id] = {}
    for sent in (two, {**body(control), "identity": {"type": "None"}}):
        with pytest.raises(HttpResponseError) as caught:
            aks.managed_clusters.begin_create_or_update(group, unique("aks-"), sent)
        assert caught.value.status_code == 400 and caught.value.error.code


def test_tags_are_patched(aks, group, cluster):
    assert aks.managed_clusters.begin_update_tags(group, cluster.name, {"tags": {"a": "b"}}).result().tags == {"a": "b"}


def test_credentials_are_shown_by_post(aks, group, cluster):
    for call in (aks.managed_clusters.list_cluster_user_credentials, aks.managed_clusters.list_cluster_admin_credentials):
        found = call(group, cluster.name).kubeconfigs
        assert found[0].name in ("clusterUser", "clusterAdmin")
        assert b"apiVersion: v1" in bytes(found[0].value) and cluster.fqdn.encode() in bytes(found[0].value)


def test_pools_are_made_listed_and_deleted(aks, group, cluster):
    pools = aks.agent_pools
    made = pools.begin_create_or_update(group, cluster.name, "user1", {"properties": {"mode": "User", "count": 1, "vmSize": "Standard_D2s_v5", "osType": "Linux"}}).result()
    assert made.id.lower() == f"{cluster.id}/agentPools/user1".lower() and made.type == "Microsoft.ContainerService/managedClusters/agentPools"
    assert made.provisioning_state == "Succeeded" and made.mode == "User" and made.count == 1
    assert {row.name for row in pools.list(group, cluster.name)} == {"system", "user1"}
    assert {row.name for row in aks.managed_clusters.get(group, cluster.name).agent_pool_profiles} == {"system", "user1"}
    pools.begin_upgrade_node_image_version(group, cluster.name, "user1").result()
    pools.begin_delete(group, cluster.name, "user1").result()
    with refused(404, "ResourceNotFound"):
        pools.get(group, cluster.name, "user1")


def test_a_cluster_is_stopped_and_started(aks, group, cluster):
    aks.managed_clusters.begin_stop(group, cluster.name).result()
    assert aks.managed_clusters.get(group, cluster.name).power_state.code == "Stopped"
    aks.managed_clusters.begin_start(group, cluster.name).result()
    assert aks.managed_clusters.get(group, cluster.name).power_state.code == "Running"


def test_a_cluster_is_deleted(aks, group, control):
    name = unique("aks-")
    aks.managed_clusters.begin_create_or_update(group, name, body(control)).result()
    aks.managed_clusters.begin_delete(group, name).result()
    with refused(404, "ResourceNotFound", f"The Resource 'Microsoft.ContainerService/managedClusters/{name}' under resource group '{group}' was not found."):
        aks.managed_clusters.get(group, name)
