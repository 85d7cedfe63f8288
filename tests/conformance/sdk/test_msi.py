"""azure-mgmt-msi: user-assigned identities, federated credentials, system-assigned identities."""

import uuid

import pytest
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.msi import ManagedServiceIdentityClient
from azure.mgmt.msi.v2024_11_30.models import FederatedIdentityCredential, Identity, IdentityUpdate
from estate import SUBSCRIPTION, TENANT
from helpers import refused, taken, unique

AUDIENCE = "api://AzureADTokenExchange"


def credential(subject, issuer="https://token.example.com/a"):
    return FederatedIdentityCredential(issuer=issuer, subject=subject, audiences=[AUDIENCE])


def test_a_new_identity_is_whole_at_once(msi, group):
    name = unique("id-")
    status, _, headers, made = msi.user_assigned_identities.create_or_update(
        group, name, Identity(location="West Europe"), cls=taken
    )
    assert status == 201
    own = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"
    assert made.id == own and headers["location"] == own
    assert (made.name, made.location, made.tags) == (name, "westeurope", {})
    assert made.type == "Microsoft.ManagedIdentity/userAssignedIdentities"
    assert made.tenant_id == TENANT and made.isolation_scope == "None"
    assert uuid.UUID(made.principal_id) and uuid.UUID(made.client_id) and made.principal_id != made.client_id
    assert msi.user_assigned_identities.get(group.upper(), name.upper()) == made


def test_an_identity_keeps_its_principal_when_it_is_put_again(msi, group, identity):
    status, _, headers, again = msi.user_assigned_identities.create_or_update(
        group, identity.name, Identity(location="westeurope", tags={"team": "shop"}), cls=taken
    )
    assert status == 200 and "location" not in headers
    assert (again.principal_id, again.client_id) == (identity.principal_id, identity.client_id)
    assert again.tags == {"team": "shop"}


def test_tags_of_a_patch_are_the_whole_set(msi, group, identity):
    msi.user_assigned_identities.update(group, identity.name, IdentityUpdate(tags={"a": "1", "b": "2"}))
    changed = msi.user_assigned_identities.update(group, identity.name, IdentityUpdate(tags={"b": "3"}))
    assert changed.tags == {"b": "3"}
    assert msi.user_assigned_identities.get(group, identity.name).tags == {"b": "3"}


def test_isolation_is_kept_and_shown_by_the_versions_that_know_it(cloud, msi, group):
    name = unique("id-")
    made = msi.user_assigned_identities.create_or_update(
        group, name, Identity(location="westeurope", isolation_scope="Regional")
    )
    assert made.isolation_scope == "Regional"
    assert msi.user_assigned_identities.update(group, name, IdentityUpdate(tags={"x": "y"})).isolation_scope == "Regional"
    older = cloud.client(ManagedServiceIdentityClient, SUBSCRIPTION, api_version="2018-11-30")
    shown = older.user_assigned_identities.get(group, name)
    assert shown.tenant_id == TENANT and not shown.additional_properties


def test_a_deleted_identity_is_gone_and_comes_back_as_another(msi, group, identity):
    status, _, headers, _ = msi.user_assigned_identities.delete(group, identity.name, cls=taken)
    assert (status, headers.get("content-length"), headers.get("content-type")) == (200, "0", None)
    status, *_ = msi.user_assigned_identities.delete(group, identity.name, cls=taken)
    assert status == 204
    with refused(404, "ResourceNotFound", f"The Resource 'Microsoft.ManagedIdentity/userAssignedIdentities/{identity.name}' under resource group '{group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix"):
        msi.user_assigned_identities.get(group, identity.name)
    again = msi.user_assigned_identities.create_or_update(group, identity.name, {"location": "westeurope"})
    assert again.principal_id != identity.principal_id and again.client_id != identity.client_id


def test_an_identity_cannot_move(msi, group, identity):
    message = f"The resource '{identity.name}' already exists in location 'westeurope' in resource group '{group}'. A resource with the same name cannot be created in location 'northeurope'. Please select a new resource name."
    with refused(409, "InvalidResourceLocation", message):
        msi.user_assigned_identities.create_or_update(group, identity.name, {"location": "northeurope"})


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "LocationRequired"),
        ({"location": "atlantis"}, 400, "LocationNotAvailableForResourceType"),
        ({"location": "westeurope", "properties": {"isolationScope": "Sometimes"}}, 400, "InvalidRequestContent"),
    ],
)
def test_a_bad_identity_is_refused(msi, group, body, status, code):
    name = unique("id-")
    with refused(status, code):
        msi.user_assigned_identities.create_or_update(group, name, body)
    with refused(404, "ResourceNotFound"):
        msi.user_assigned_identities.get(group, name)


def test_places_that_are_not_there_are_told_apart(cloud, msi):
    with refused(404, "ResourceGroupNotFound", "Resource group 'rg-nowhere' could not be found."):
        msi.user_assigned_identities.create_or_update("rg-nowhere", "id-1", {"location": "westeurope"})
    with refused(404, "ResourceGroupNotFound"):
        msi.user_assigned_identities.get("rg-nowhere", "id-1")
    with refused(404, "ResourceGroupNotFound"):
        list(msi.user_assigned_identities.list_by_resource_group("rg-nowhere"))
    nowhere = str(uuid.uuid4())
    other = cloud.client(ManagedServiceIdentityClient, nowhere)
    with refused(404, "SubscriptionNotFound", f"The subscription '{nowhere}' could not be found."):
        list(other.user_assigned_identities.list_by_subscription())


def test_lists_hold_every_identity_of_a_group_and_of_a_subscription(msi, group):
    names = {unique("id-list-") for _ in range(3)}
    for name in names:
        msi.user_assigned_identities.create_or_update(group, name, {"location": "westeurope"})
    in_group = list(msi.user_assigned_identities.list_by_resource_group(group))
    assert names <= {one.name for one in in_group}
    assert all(one.principal_id and one.client_id and one.tenant_id == TENANT and one.tags is not None for one in in_group)
    in_subscription = {one.id.lower() for one in msi.user_assigned_identities.list_by_subscription()}
    assert {one.id.lower() for one in in_group} <= in_subscription


@pytest.mark.parametrize("version", ["2026-05-31", "2025-05-31-preview", "2023-01-31", "2018-11-30", "2015-08-31-preview"])
def test_every_published_version_is_served(cloud, group, identity, version):
    client = cloud.client(ManagedServiceIdentityClient, SUBSCRIPTION)
    shown = client.user_assigned_identities.get(group, identity.name, api_version=version)
    assert shown.principal_id == identity.principal_id


def test_an_unknown_version_is_told_with_those_that_are_known(msi, group, identity):
    with refused(400, "NoRegisteredProviderFound", "No registered resource provider found for location 'westeurope' and API version '2011-01-01' for type 'userAssignedIdentities'. The supported api-versions are '"):
        msi.user_assigned_identities.get(group, identity.name, api_version="2011-01-01")


def test_associated_resources_are_those_that_name_the_identity(cloud, group, identity):
    compute = cloud.client(ComputeManagementClient, SUBSCRIPTION)
    made = compute.disk_encryption_sets.begin_create_or_update(
        group,
        unique("des-"),
        {"location": "westeurope", "identity": {"type": "UserAssigned", "userAssignedIdentities": {identity.id: {}}}},
    ).result()
    old = cloud.client(ManagedServiceIdentityClient, SUBSCRIPTION, api_version="2022-01-31-preview")
    rows = list(old.user_assigned_identities.list_associated_resources(group, identity.name))
    assert [row.name for row in rows] == [made.name]
    assert rows[0].type == "microsoft.compute/diskencryptionsets"
    assert (rows[0].resource_group, rows[0].subscription_id) == (group, SUBSCRIPTION)
    assert rows[0].subscription_display_name == "Contoso Production"


def test_the_operations_of_the_provider_are_listed(msi):
    rows = {row.name: row.display for row in msi.operations.list()}
    display = rows["Microsoft.ManagedIdentity/userAssignedIdentities/read"]
    assert display.provider and display.resource and display.operation and display.description
    assert "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action" in rows


def test_a_federated_credential_lives_and_dies(msi, group, identity):
    credentials = msi.federated_identity_credentials
    status, _, headers, made = credentials.create_or_update(
        group, identity.name, "fic-1", credential("system:serviceaccount:shop:cart"), cls=taken
    )
    assert status == 201 and headers["location"] == made.id
    assert made.id == f"{identity.id}/federatedIdentityCredentials/fic-1"
    assert made.type == "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials"
    assert (made.name, made.issuer, made.audiences) == ("fic-1", "https://token.example.com/a", [AUDIENCE])
    status, _, headers, changed = credentials.create_or_update(
        group, identity.name, "fic-1", credential("system:serviceaccount:shop:till"), cls=taken
    )
    assert status == 200 and "location" not in headers
    assert credentials.get(group, identity.name, "fic-1") == changed
    assert [one.name for one in credentials.list(group, identity.name)] == ["fic-1"]
    assert credentials.delete(group, identity.name, "fic-1", cls=taken)[0] == 200
    assert credentials.delete(group, identity.name, "fic-1", cls=taken)[0] == 204
    with refused(404, "ResourceNotFound"):
        credentials.get(group, identity.name, "fic-1")
    assert list(credentials.list(group, identity.name)) == []


def test_credentials_come_in_pages_of_the_size_asked_for(msi, group, identity):
    names = [f"fic-{n:02}" for n in range(5)]
    for name in names:
        msi.federated_identity_credentials.create_or_update(group, identity.name, name, credential(name))
    pages = [[one.name for one in page] for page in msi.federated_identity_credentials.list(group, identity.name, top=2).by_page()]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert sum(pages, []) == names


@pytest.mark.parametrize(
    ("name", "body", "status", "code", "message"),
    [
        ("fic-x", {"properties": {}}, 400, "BadRequest", "Federated Identity Credential from HTTP body has empty properties"),
        ("fic-x", {}, 400, "BadRequest", "Federated Identity Credential from HTTP body has empty properties"),
        ("-x-", credential("a"), 400, "BadRequest", "Federated Identity Credential name '-x-' is invalid."),
        ("fx", credential("a"), 400, "BadRequest", "Federated Identity Credential name 'fx' is invalid."),
        (
            "fic-x",
            {"properties": {"issuer": "https://i.example", "subject": "s", "audiences": ["a", "b"]}},
            400,
            "BadRequest",
            "Federated identity credentials must have exactly one audience.",
        ),
        (
            "fic-x",
            {"properties": {"issuer": "https://i.example", "subject": "s", "audiences": []}},
            400,
            "BadRequest",
            "Federated identity credentials must have exactly one audience.",
        ),
    ],
)
def test_a_bad_credential_is_refused(cloud, group, identity, name, body, status, code, message):
    client = cloud.client(ManagedServiceIdentityClient, SUBSCRIPTION).federated_identity_credentials
    # Else the SDK refuses some of them itself.
    client._serialize.client_side_validation = False
    with refused(status, code, message):
        client.create_or_update(group, identity.name, name, body)
    assert list(client.list(group, identity.name)) == []


def test_issuer_and_subject_are_unique_on_an_identity_and_not_between_two(msi, group, identity):
    other = msi.user_assigned_identities.create_or_update(group, unique("id-"), {"location": "westeurope"})
    credentials = msi.federated_identity_credentials
    credentials.create_or_update(group, identity.name, "fic-1", credential("repo:a/b"))
    with refused(400, "BadRequest", "Issuer and subject combination already exists for this Managed Identity."):
        credentials.create_or_update(group, identity.name, "fic-2", credential("repo:a/b"))
    credentials.create_or_update(group, identity.name, "fic-2", credential("repo:A/b"))
    credentials.create_or_update(group, other.name, "fic-1", credential("repo:a/b"))


def test_an_identity_takes_twenty_credentials(msi, group, identity):
    for n in range(20):
        msi.federated_identity_credentials.create_or_update(group, identity.name, f"fic-{n}", credential(f"s{n}"))
    with refused(400, "BadRequest"):
        msi.federated_identity_credentials.create_or_update(group, identity.name, "fic-20", credential("s20"))
    msi.federated_identity_credentials.create_or_update(group, identity.name, "fic-19", credential("other"))
    assert len(list(msi.federated_identity_credentials.list(group, identity.name))) == 20


def test_a_credential_needs_its_identity(msi, group):
    with refused(404, "ParentResourceNotFound", "The parent user-assigned identity doesn't exist."):
        msi.federated_identity_credentials.create_or_update(group, "id-missing", "fic-1", credential("s"))
    with refused(404, "ResourceNotFound"):
        list(msi.federated_identity_credentials.list(group, "id-missing"))


def test_regions_without_federation_say_so(msi, group):
    name = unique("id-")
    msi.user_assigned_identities.create_or_update(group, name, {"location": "eastasia"})
    with pytest.raises(Exception) as caught:
        msi.federated_identity_credentials.create_or_update(group, name, "fic-1", credential("s"))
    assert caught.value.status_code == 405
    assert "Support for federated identity credentials not enabled." in caught.value.message


def test_the_system_assigned_identity_of_a_resource_can_be_read(cloud, msi, group):
    compute = cloud.client(ComputeManagementClient, SUBSCRIPTION)
    made = compute.disk_encryption_sets.begin_create_or_update(
        group, unique("des-"), {"location": "westeurope", "identity": {"type": "SystemAssigned"}}
    ).result()
    own = msi.system_assigned_identities.get_by_scope(made.id.lstrip("/"))
    assert own.name == "default" and own.type == "Microsoft.ManagedIdentity/identities"
    assert own.principal_id == made.identity.principal_id and own.tenant_id == TENANT
    assert uuid.UUID(own.client_id) and own.client_secret_url and own.location == "westeurope"
    bare = compute.disk_encryption_sets.begin_create_or_update(group, unique("des-"), {"location": "westeurope"}).result()
    with refused(404, "ResourceNotFound"):
        msi.system_assigned_identities.get_by_scope(bare.id.lstrip("/"))
