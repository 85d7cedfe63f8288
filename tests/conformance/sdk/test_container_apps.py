"""azure-mgmt-appcontainers: environments, apps, jobs, their secrets and identities."""

import uuid

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.appcontainers import ContainerAppsAPIClient
from estate import SUBSCRIPTION
from helpers import refused, unique

SUB = f"/subscriptions/{SUBSCRIPTION}"


@pytest.fixture(scope="module")
def client(cloud):
    return cloud.client(ContainerAppsAPIClient, SUBSCRIPTION)


@pytest.fixture(scope="module")
def environment(client, group):
    return client.managed_environments.begin_create_or_update(group, unique("env-"), {"location": "westeurope", "properties": {}}).result()


def block(*identities):
    return {"type": "UserAssigned", "userAssignedIdentities": {one.id: {} for one in identities}}


def keys(resource):
    return {key.lower() for key in (resource.identity.user_assigned_identities or {})}


@pytest.fixture
def app(client, group, environment, identity):
    body = {
        "location": "westeurope",
        "identity": block(identity),
        "properties": {
            "environmentId": environment.id,
            "configuration": {
                "secrets": [{"name": "token", "value": "s3cret"}, {"name": "vault", "keyVaultUrl": "https://kv.vault.azure.net/secrets/x", "identity": identity.id}],
                "registries": [{"server": "acr.azurecr.io", "identity": identity.id}],
                "ingress": {"external": True, "targetPort": 80},
            },
            "template": {"containers": [{"name": "main", "image": "acr.azurecr.io/shop:1", "env": [{"name": "AZURE_CLIENT_ID", "value": identity.client_id}]}]},
        },
    }
    return client.container_apps.begin_create_or_update(group, unique("ca-"), body).result()


def test_an_environment_is_whole(client, group, environment):
    assert environment.id == f"{SUB}/resourceGroups/{group}/providers/Microsoft.App/managedEnvironments/{environment.name}"
    assert environment.type == "Microsoft.App/managedEnvironments" and environment.provisioning_state == "Succeeded"
    assert environment.default_domain.endswith(".westeurope.azurecontainerapps.io") and environment.static_ip
    assert environment.id in {row.id for row in client.managed_environments.list_by_resource_group(group)}


def test_an_app_is_whole_and_hides_its_secrets(client, group, environment, app, identity):
    assert app.id == f"{SUB}/resourceGroups/{group}/providers/Microsoft.App/containerApps/{app.name}" and app.type == "Microsoft.App/containerApps"
    assert app.provisioning_state == "Succeeded" and app.running_status == "Running" and app.environment_id == environment.id
    assert app.latest_revision_name.startswith(f"{app.name}--") and app.latest_revision_fqdn and app.custom_domain_verification_id
    assert app.configuration.ingress.fqdn == f"{app.name}.{environment.default_domain}"
    assert app.outbound_ip_addresses and app.event_stream_endpoint
    assert app.system_data.created_at
    assert [(one.name, one.value) for one in app.configuration.secrets] == [("token", None), ("vault", None)]
    assert app.configuration.registries[0].identity == identity.id
    assert app.identity.user_assigned_identities[identity.id].client_id == identity.client_id
    shown = {one.name: one for one in client.container_apps.list_secrets(group, app.name).value}
    assert shown["token"].value == "s3cret" and shown["vault"].identity == identity.id and shown["vault"].key_vault_url
    assert app.id in {row.id for row in client.container_apps.list_by_resource_group(group)} & {row.id for row in client.container_apps.list_by_subscription()}


def test_identities_are_merged_by_patch(client, msi, group, app, identity):
    other = msi.user_assigned_identities.create_or_update(group, unique("id-"), {"location": "westeurope"})
    both = client.container_apps.begin_update(group, app.name, {"identity": block(other)}).result()
    both = both or client.container_apps.get(group, app.name)
    assert keys(both) == {identity.id.lower(), other.id.lower()}
    sent = {
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {identity.id: None}},
        "properties": {"configuration": {"secrets": [{"name": "token", "value": "s3cret"}], "registries": [{"server": "acr.azurecr.io", "identity": other.id}]}},
    }
    client.container_apps.begin_update(group, app.name, sent).result()
    after = client.container_apps.get(group, app.name)
    assert keys(after) == {other.id.lower()} and after.configuration.registries[0].identity == other.id
    assert after.template.containers[0].image == "acr.azurecr.io/shop:1"
    system = client.container_apps.begin_update(group, app.name, {"identity": {"type": "SystemAssigned,UserAssigned"}}).result() or client.container_apps.get(group, app.name)
    assert system.identity.type.replace(" ", "") == "SystemAssigned,UserAssigned" and uuid.UUID(system.identity.principal_id)


def test_jobs_have_identities_and_secrets(client, group, environment, identity):
    body = {
        "location": "westeurope",
        "identity": block(identity),
        "properties": {
            "environmentId": environment.id,
            "configuration": {"triggerType": "Manual", "replicaTimeout": 60, "manualTriggerConfig": {"parallelism": 1, "replicaCompletionCount": 1}, "secrets": [{"name": "k", "value": "v"}]},
            "template": {"containers": [{"name": "main", "image": "mcr.microsoft.com/k8se/quickstart-jobs"}]},
        },
    }
    name = unique("job-")
    made = client.jobs.begin_create_or_update(group, name, body).result()
    assert made.type == "Microsoft.App/jobs" and made.provisioning_state == "Succeeded" and keys(made) == {identity.id.lower()}
    assert [(one.name, one.value) for one in made.configuration.secrets] == [("k", None)]
    assert [(one.name, one.value) for one in client.jobs.list_secrets(group, name).value] == [("k", "v")]
    client.jobs.begin_update(group, name, {"tags": {"a": "b"}}).result()
    assert client.jobs.get(group, name).tags == {"a": "b"}
    client.jobs.begin_delete(group, name).result()
    with refused(404, "ResourceNotFound"):
        client.jobs.get(group, name)


def test_an_app_is_deleted(client, group, app):
    client.container_apps.begin_delete(group, app.name).result()
    with refused(404, "ResourceNotFound"):
        client.container_apps.get(group, app.name)


def test_certificates_of_an_environment_that_has_none(client, group, environment):
    assert list(client.certificates.list(group, environment.name)) == []
    with pytest.raises(HttpResponseError) as caught:
        client.certificates.get(group, environment.name, "none")
    assert caught.value.status_code == 404
