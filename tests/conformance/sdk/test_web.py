"""azure-mgmt-web: plans, apps, slots, their settings and identities."""

import uuid

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.web import WebSiteManagementClient
from estate import SUBSCRIPTION, TENANT
from helpers import refused, unique

SUB = f"/subscriptions/{SUBSCRIPTION}"


@pytest.fixture(scope="module")
def web(cloud):
    return cloud.client(WebSiteManagementClient, SUBSCRIPTION)


@pytest.fixture(scope="module")
def plan(web, group):
    return web.app_service_plans.begin_create_or_update(
        group, unique("plan-"), {"location": "West Europe", "kind": "linux", "sku": {"name": "P1v3", "tier": "PremiumV3", "capacity": 1}, "properties": {"reserved": True}}
    ).result()


@pytest.fixture
def app(web, group, plan, identity):
    body = {
        "location": "West Europe",
        "kind": "app,linux",
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {identity.id: {}}},
        "properties": {"serverFarmId": plan.id, "keyVaultReferenceIdentity": identity.id, "siteConfig": {"linuxFxVersion": "PYTHON|3.12"}},
    }
    return web.web_apps.begin_create_or_update(group, unique("app-"), body).result()


def keys(resource):
    return {key.lower() for key in (resource.identity.user_assigned_identities or {})}


def test_a_plan_is_whole(web, group, plan):
    assert plan.type == "Microsoft.Web/serverfarms" and plan.sku.name == "P1v3" and plan.sku.capacity == 1
    assert plan.provisioning_state == "Succeeded" and plan.status == "Ready" and plan.reserved is True
    assert plan.resource_group == group and plan.subscription == SUBSCRIPTION and plan.geo_region
    assert web.app_service_plans.get(group, plan.name).id == plan.id
    assert plan.id in {row.id for row in web.app_service_plans.list_by_resource_group(group)}
    assert web.app_service_plans.update(group, plan.name, {"properties": {"perSiteScaling": True}}).per_site_scaling is True


def test_an_app_is_whole(web, group, plan, app, identity):
    assert app.id == f"{SUB}/resourceGroups/{group}/providers/Microsoft.Web/sites/{app.name}" and app.type == "Microsoft.Web/sites"
    assert app.kind == "app,linux" and app.state == "Running" and app.enabled is True
    assert app.default_host_name == f"{app.name}.azurewebsites.net" and app.host_names == [app.default_host_name]
    assert app.availability_state == "Normal" and app.usage_state == "Normal" and app.last_modified_time_utc
    assert app.server_farm_id == plan.id and app.resource_group == group and app.repository_site_name == app.name
    assert app.key_vault_reference_identity == identity.id
    assert app.identity.type == "UserAssigned" and app.identity.principal_id is None
    assert app.identity.user_assigned_identities[identity.id].client_id == identity.client_id
    assert web.web_apps.get(group, app.name).id == app.id
    assert app.id in {row.id for row in web.web_apps.list()} & {row.id for row in web.web_apps.list_by_resource_group(group)}


def test_settings_are_read_by_post_and_replaced_whole(web, group, app, identity):
    apps = web.web_apps
    assert apps.list_application_settings(group, app.name).properties == {}
    made = apps.update_application_settings(group, app.name, {"properties": {"AZURE_CLIENT_ID": identity.client_id, "A": "1"}})
    assert made.properties == {"AZURE_CLIENT_ID": identity.client_id, "A": "1"}
    assert made.name == "appsettings" and made.type == "Microsoft.Web/sites/config"
    apps.update_application_settings(group, app.name, {"properties": {"B": "2"}})
    assert apps.list_application_settings(group, app.name).properties == {"B": "2"}
    strings = {"db": {"value": "Server=x;Authentication=Active Directory Managed Identity", "type": "SQLAzure"}}
    apps.update_connection_strings(group, app.name, {"properties": strings})
    read = apps.list_connection_strings(group, app.name)
    assert read.properties["db"].type == "SQLAzure" and read.properties["db"].value == strings["db"]["value"]
    with pytest.raises(HttpResponseError) as caught:
        apps.list_application_settings(group, "app-nowhere")
    assert caught.value.status_code == 404 and caught.value.error.code in ("ResourceNotFound", "NotFound")


def test_the_configuration_of_an_app(web, group, app, identity):
    apps = web.web_apps
    config = apps.get_configuration(group, app.name)
    assert config.name == app.name or config.name == "web"
    assert config.type == "Microsoft.Web/sites/config" and config.linux_fx_version == "PYTHON|3.12"
    changed = apps.update_configuration(
        group, app.name, {"properties": {"acrUseManagedIdentityCreds": True, "acrUserManagedIdentityID": identity.client_id, "alwaysOn": True}}
    )
    assert changed.acr_use_managed_identity_creds is True and changed.acr_user_managed_identity_id == identity.client_id
    assert changed.linux_fx_version == "PYTHON|3.12"
    assert apps.get_configuration(group, app.name).always_on is True


def test_identities_of_an_app_are_merged_and_taken(web, msi, group, app, identity):
    other = msi.user_assigned_identities.create_or_update(group, unique("id-"), {"location": "westeurope"})
    both = web.web_apps.update(group, app.name, {"identity": {"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {other.id: {}}}})
    assert other.id.lower() in keys(both) and uuid.UUID(both.identity.principal_id) and both.identity.tenant_id == TENANT
    none = web.web_apps.update(group, app.name, {"identity": {"type": "None"}})
    assert none.identity is None or none.identity.type == "None"


def test_slots_have_names_settings_and_identities_of_their_own(web, group, app, identity):
    slot = web.web_apps.begin_create_or_update_slot(
        group, app.name, "blue", {"location": "West Europe", "identity": {"type": "UserAssigned", "userAssignedIdentities": {identity.id: {}}}, "properties": {}}
    ).result()
    assert slot.id == f"{app.id}/slots/blue" and slot.name == f"{app.name}/blue" and slot.type == "Microsoft.Web/sites/slots"
    assert slot.default_host_name == f"{app.name}-blue.azurewebsites.net" and slot.state == "Running"
    web.web_apps.update_application_settings_slot(group, app.name, "blue", {"properties": {"S": "1"}})
    assert web.web_apps.list_application_settings_slot(group, app.name, "blue").properties == {"S": "1"}
    assert web.web_apps.list_application_settings(group, app.name).properties == {}
    assert [row.name for row in web.web_apps.list_slots(group, app.name)] == [f"{app.name}/blue"]
    assert web.web_apps.get_slot(group, app.name, "blue").identity.user_assigned_identities
    web.web_apps.delete_slot(group, app.name, "blue")
    with pytest.raises(HttpResponseError) as caught:
        web.web_apps.get_slot(group, app.name, "blue")
    assert caught.value.status_code == 404


def test_an_app_is_stopped_started_and_deleted(web, group, app):
    apps = web.web_apps
    apps.stop(group, app.name)
    assert apps.get(group, app.name).state == "Stopped"
    apps.start(group, app.name)
    assert apps.get(group, app.name).state == "Running"
    assert apps.restart(group, app.name) is None
    apps.delete(group, app.name)
    with refused(404, "ResourceNotFound"):
        apps.get(group, app.name)


def test_what_is_not_simulated_says_so(web, group, app):
    for call in (
        lambda: web.web_apps.is_cloneable(group, app.name),
        lambda: list(web.list_geo_regions()),
        lambda: web.web_apps.list_publishing_profile_xml_with_secrets(group, app.name, {}),
        lambda: list(web.web_apps.list_usages(group, app.name)),
    ):
        with pytest.raises(HttpResponseError) as caught:
            call()
        assert (caught.value.status_code, caught.value.error.code) == (501, "NotSupportedBySimulator")
