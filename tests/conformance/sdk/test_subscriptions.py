"""azure-mgmt-resource-subscriptions and the older azure-mgmt-subscription."""

import uuid

import pytest
from azure.mgmt.resource.subscriptions import SubscriptionClient
from azure.mgmt.subscription import SubscriptionClient as OlderClient
from estate import OTHER_SUBSCRIPTION, SUBSCRIPTION, TENANT
from helpers import refused


@pytest.fixture(scope="module", params=[SubscriptionClient, OlderClient])
def client(cloud, request):
    return cloud.client(request.param)


def test_subscriptions_are_listed_whole(client):
    rows = {row.subscription_id: row for row in client.subscriptions.list()}
    assert set(rows) >= {SUBSCRIPTION, OTHER_SUBSCRIPTION}
    row = rows[SUBSCRIPTION]
    assert (row.id, row.display_name, row.state) == (f"/subscriptions/{SUBSCRIPTION}", "Contoso Production", "Enabled")
    assert row.authorization_source == "RoleBased"
    assert row.subscription_policies.quota_id and row.subscription_policies.location_placement_id
    assert row.subscription_policies.spending_limit in ("On", "Off", "CurrentPeriodOff")
    same = client.subscriptions.get(SUBSCRIPTION)
    assert (same.id, same.display_name, same.state) == (row.id, row.display_name, row.state)


def test_the_newer_versions_name_the_tenant(cloud):
    row = cloud.client(SubscriptionClient).subscriptions.get(SUBSCRIPTION)
    assert row.tenant_id == TENANT and row.managed_by_tenants == []


def test_a_subscription_that_is_not_there(client):
    nowhere = str(uuid.uuid4())
    for call in (lambda: client.subscriptions.get(nowhere), lambda: list(client.subscriptions.list_locations(nowhere))):
        with refused(404, "SubscriptionNotFound", f"The subscription '{nowhere}' could not be found."):
            call()


def test_the_tenant_is_told(cloud):
    rows = list(cloud.client(SubscriptionClient).tenants.list())
    assert [row.tenant_id for row in rows] == [TENANT]
    row = rows[0]
    assert row.id == f"/tenants/{TENANT}" and row.display_name and row.default_domain and row.domains
    assert (row.tenant_category, row.tenant_type) == ("Home", "AAD")


def test_places_are_told_with_their_pairs(cloud):
    rows = {row.name: row for row in cloud.client(SubscriptionClient).subscriptions.list_locations(SUBSCRIPTION)}
    place = rows["westeurope"]
    assert place.id == f"/subscriptions/{SUBSCRIPTION}/locations/westeurope"
    assert (place.display_name, place.type) == ("West Europe", "Region") and place.regional_display_name
    assert place.metadata.region_type == "Physical" and place.metadata.region_category
    assert place.metadata.geography_group == "Europe" and float(place.metadata.longitude) and float(place.metadata.latitude)
    assert place.metadata.paired_region[0].name == "northeurope"
    assert place.metadata.paired_region[0].id == f"/subscriptions/{SUBSCRIPTION}/locations/northeurope"
    assert {"eastus", "northeurope", "swedencentral"} <= set(rows)
