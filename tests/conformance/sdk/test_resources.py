"""azure-mgmt-resource: groups, generic resources, providers and tags."""

import uuid

import pytest
from azure.mgmt.resource.resources import ResourceManagementClient
from estate import SUBSCRIPTION
from helpers import refused, taken, unique

SUB = f"/subscriptions/{SUBSCRIPTION}"
MSI = "2023-01-31"


def test_a_group_lives_and_dies(resources):
    groups, name = resources.resource_groups, unique("rg-life-")
    assert groups.check_existence(name) is False
    status, *_, made = groups.create_or_update(name, {"location": "West Europe", "tags": {"team": "shop"}}, cls=taken)
    assert status == 201 and made.id == f"{SUB}/resourceGroups/{name}" and made.type == "Microsoft.Resources/resourceGroups"
    assert (made.name, made.location, made.tags, made.properties.provisioning_state) == (name, "westeurope", {"team": "shop"}, "Succeeded")
    assert groups.check_existence(name.upper()) is True
    status, *_, again = groups.create_or_update(name, {"location": "westeurope"}, cls=taken)
    assert status == 200 and not again.tags
    assert groups.update(name, {"tags": {"a": "b"}}).tags == {"a": "b"}
    with refused(409, "InvalidResourceGroupLocation", "Invalid resource group location 'northeurope'. The Resource group already exists in location 'westeurope'."):
        groups.create_or_update(name, {"location": "northeurope"})
    poller = groups.begin_delete(name)
    assert poller.result() is None and poller.status() == "Succeeded"
    assert groups.check_existence(name) is False
    with refused(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found."):
        groups.get(name)
    with refused(404, "ResourceGroupNotFound"):
        groups.update(name, {"tags": {}})
    with refused(404, "ResourceGroupNotFound"):
        groups.begin_delete(name)


def test_the_delete_of_a_group_takes_its_time_and_is_polled(slow_cloud):
    resources = slow_cloud.client(ResourceManagementClient, SUBSCRIPTION)
    name = unique("rg-slow-")
    resources.resource_groups.create_or_update(name, {"location": "westeurope"})
    seen = []
    poller = resources.resource_groups.begin_delete(
        name, raw_response_hook=lambda answer: seen.append((answer.http_response.status_code, answer.http_response.headers))
    )
    poller.result()
    assert seen[0][0] == 202 and int(seen[0][1]["Retry-After"]) > 0
    assert seen[0][1]["Location"].startswith(f"{slow_cloud.url}/subscriptions/{SUBSCRIPTION}/operationresults/")
    assert "Azure-AsyncOperation" not in seen[0][1]
    assert [status for status, _ in seen][-1] == 200 and 202 in [status for status, _ in seen[1:]]


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [("rg-x", {}, "LocationRequired"), ("rg-x", {"location": "atlantis"}, "LocationNotAvailableForResourceGroup"), ("rg-x.", {"location": "westeurope"}, "InvalidResourceGroup")],
)
def test_bad_groups_are_refused(resources, name, body, code):
    resources.resource_groups._serialize.client_side_validation = False
    with pytest.raises(Exception) as caught:
        resources.resource_groups.create_or_update(name, body)
    assert caught.value.status_code == 400 and caught.value.error.code == code


def test_groups_are_listed_by_tag_and_in_pages(resources):
    value = unique("v")
    names = [unique("rg-tag-") for _ in range(5)]
    for name in names:
        resources.resource_groups.create_or_update(name, {"location": "westeurope", "tags": {"suite": value}})
    chosen = f"tagName eq 'suite' and tagValue eq '{value}'"
    assert {row.name for row in resources.resource_groups.list(filter=chosen)} == set(names)
    pages = [len(list(page)) for page in resources.resource_groups.list(filter=chosen, top=2).by_page()]
    assert sum(pages) == 5 and max(pages) == 2
    for row in resources.resource_groups.list():
        assert row.id and row.name and row.location and row.properties.provisioning_state == "Succeeded"


def test_a_subscription_that_is_not_there(cloud):
    nowhere = str(uuid.uuid4())
    resources = cloud.client(ResourceManagementClient, nowhere)
    for call in (
        lambda: resources.resource_groups.get("rg"),
        lambda: resources.resource_groups.create_or_update("rg", {"location": "westeurope"}),
        lambda: list(resources.resource_groups.list()),
        lambda: list(resources.resources.list()),
        lambda: list(resources.providers.list()),
    ):
        with refused(404, "SubscriptionNotFound", f"The subscription '{nowhere}' could not be found."):
            call()


def test_resources_are_found_by_type_name_tag_and_group(resources, msi, group):
    tag, names = unique("t"), [unique("id-gen-") for _ in range(3)]
    for name in names:
        msi.user_assigned_identities.create_or_update(group, name, {"location": "westeurope", "tags": {"suite": tag}})
    kind = "Microsoft.ManagedIdentity/userAssignedIdentities"

    def found(text, **more):
        return {row.name for row in resources.resources.list(filter=text, **more)}

    assert set(names) <= found(f"resourceType eq '{kind}'")
    assert found(f"tagName eq 'suite' and tagValue eq '{tag}'") == set(names)
    assert found(f"name eq '{names[0]}' and resourceType eq '{kind}'") == {names[0]}
    assert found(f"resourceType eq '{kind}' and name eq 'nothing'") == set()
    assert set(names) <= found(f"resourceGroup eq '{group}'")
    assert found(f"substringof('{names[1][3:]}', name)") == {names[1]}
    in_group = list(resources.resources.list_by_resource_group(group, expand="createdTime,changedTime,provisioningState"))
    mine = [row for row in in_group if row.name in names]
    assert len(mine) == 3 and all(row.created_time and row.changed_time and row.provisioning_state == "Succeeded" for row in mine)
    assert all(row.properties is None and row.type == kind and row.tags == {"suite": tag} for row in mine)
    pages = [len(list(page)) for page in resources.resources.list(filter=f"tagName eq 'suite' and tagValue eq '{tag}'", top=2).by_page()]
    assert sum(pages) == 3 and max(pages) == 2
    with pytest.raises(Exception) as caught:
        list(resources.resources.list(filter="colour eq 'red'"))
    assert caught.value.status_code == 400 and caught.value.error.code == "InvalidFilterInQueryString"


def test_existence_is_asked_by_head(resources, group, identity):
    generic = resources.resources
    assert generic.check_existence_by_id(identity.id, api_version=MSI) is True
    assert generic.check_existence_by_id(identity.id.upper().replace("/SUBSCRIPTIONS", "/subscriptions"), api_version=MSI) is True
    assert generic.check_existence_by_id(identity.id + "-not", api_version=MSI) is False
    assert generic.check_existence_by_id(f"{SUB}/resourceGroups/{group}", api_version="2021-04-01") is True
    assert generic.check_existence(group, "Microsoft.ManagedIdentity", "", "userAssignedIdentities", identity.name, api_version=MSI) is True
    assert generic.check_existence(group, "Microsoft.ManagedIdentity", "", "userAssignedIdentities", "none", api_version=MSI) is False


def test_any_resource_can_be_made_changed_and_deleted_by_its_id(resources, group):
    generic, name = resources.resources, unique("des")
    own = f"{SUB}/resourceGroups/{group}/providers/Microsoft.Compute/diskEncryptionSets/{name}"
    made = generic.begin_create_or_update_by_id(
        own, {"location": "westeurope", "properties": {"encryptionType": "EncryptionAtRestWithCustomerKey"}}, api_version="2023-10-02"
    ).result()
    assert (made.id, made.name, made.location) == (own, name, "westeurope") and made.properties["provisioningState"] == "Succeeded"
    changed = generic.begin_update_by_id(own, {"tags": {"a": "b"}}, api_version="2023-10-02").result()
    assert changed.tags == {"a": "b"} and changed.properties["encryptionType"] == "EncryptionAtRestWithCustomerKey"
    assert generic.get_by_id(own, api_version="2023-10-02").tags == {"a": "b"}
    generic.begin_delete_by_id(own, api_version="2023-10-02").result()
    with refused(404, "ResourceNotFound", f"The Resource 'Microsoft.Compute/diskEncryptionSets/{name}' under resource group '{group}' was not found."):
        generic.get_by_id(own, api_version="2023-10-02")


def test_wrong_versions_types_and_namespaces_are_told_apart(cloud, resources, identity, group):
    generic = resources.resources
    with refused(400, "NoRegisteredProviderFound"):
        generic.get_by_id(identity.id, api_version="2000-01-01")
    with refused(404, "InvalidResourceNamespace", "The resource namespace 'Contoso.Toys' is invalid."):
        generic.get_by_id(f"{SUB}/resourceGroups/{group}/providers/Contoso.Toys/bears/ted", api_version="2023-01-01")
    with refused(404, "InvalidResourceType", "The resource type could not be found in the namespace 'Microsoft.Compute' for api version '2023-01-01'."):
        generic.get_by_id(f"{SUB}/resourceGroups/{group}/providers/Microsoft.Compute/bears/ted", api_version="2023-01-01")
    older = cloud.client(ResourceManagementClient, SUBSCRIPTION, api_version="1999-01-01")
    with refused(400, "InvalidApiVersionParameter", "The api-version '1999-01-01' is invalid. The supported versions are '"):
        older.resource_groups.get(group)
    none = cloud.client(ResourceManagementClient, SUBSCRIPTION, api_version="")
    with refused(400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests."):
        none.resource_groups.get(group)


def test_a_child_needs_its_parent(resources, group):
    own = f"{SUB}/resourceGroups/{group}/providers/Microsoft.Web/sites/no-such-site/slots/blue"
    with refused(404, "ParentResourceNotFound", "Can not perform requested operation on nested resource. Parent resource 'no-such-site' not found."):
        resources.resources.begin_create_or_update_by_id(own, {"location": "westeurope"}, api_version="2023-12-01")


def test_resources_move_neither_group_nor_region_by_put(resources, group, identity):
    with refused(409, "InvalidResourceLocation"):
        resources.resources.begin_create_or_update_by_id(identity.id, {"location": "eastus"}, api_version=MSI)


def test_providers_tell_types_versions_and_places(resources):
    provider = resources.providers.get("Microsoft.ManagedIdentity")
    assert provider.id == f"{SUB}/providers/Microsoft.ManagedIdentity" and provider.namespace == "Microsoft.ManagedIdentity"
    assert provider.registration_state == "Registered" and provider.registration_policy in ("RegistrationRequired", "RegistrationFree")
    kinds = {row.resource_type: row for row in provider.resource_types}
    kind = kinds["userAssignedIdentities"]
    assert "West Europe" in kind.locations and "2023-01-31" in kind.api_versions
    assert kind.api_versions == sorted(kind.api_versions, reverse=True)
    assert "SupportsTags" in kind.capabilities
    names = [row.namespace for row in resources.providers.list()]
    assert "Microsoft.Compute" in names and "Microsoft.Authorization" in names and len(names) == len(set(names))
    tenant = resources.providers.get_at_tenant_scope("Microsoft.ManagedIdentity")
    assert tenant.id == "/providers/Microsoft.ManagedIdentity" and tenant.registration_state is None
    assert resources.providers.register("Microsoft.Storage").registration_state in ("Registered", "Registering")
    with refused(404, "InvalidResourceNamespace", "The resource namespace 'Contoso.Toys' is invalid."):
        resources.providers.get("Contoso.Toys")
    with refused(404, "InvalidResourceNamespace"):
        resources.providers.register("Contoso.Toys")


def test_tags_of_a_scope_are_merged_replaced_and_deleted(resources, identity):
    tags, scope = resources.tags, identity.id.lstrip("/")
    made = tags.begin_create_or_update_at_scope(scope, {"properties": {"tags": {"a": "1", "b": "2"}}}).result()
    assert made.name == "default" and made.type == "Microsoft.Resources/tags" and made.properties.tags == {"a": "1", "b": "2"}
    assert made.id.lower() == f"{identity.id}/providers/Microsoft.Resources/tags/default".lower()
    merged = tags.begin_update_at_scope(scope, {"operation": "Merge", "properties": {"tags": {"B": "3", "c": "4"}}}).result()
    assert merged.properties.tags == {"a": "1", "b": "3", "c": "4"}
    left = tags.begin_update_at_scope(scope, {"operation": "Delete", "properties": {"tags": {"a": "1"}}}).result()
    assert left.properties.tags == {"b": "3", "c": "4"}
    whole = tags.begin_update_at_scope(scope, {"operation": "Replace", "properties": {"tags": {"z": "9"}}}).result()
    assert whole.properties.tags == tags.get_at_scope(scope).properties.tags == {"z": "9"}
    tags.begin_delete_at_scope(scope).result()
    assert not tags.get_at_scope(scope).properties.tags


def test_tags_of_groups_and_subscriptions_too(resources, group):
    for scope in (f"subscriptions/{SUBSCRIPTION}", f"subscriptions/{SUBSCRIPTION}/resourceGroups/{group}"):
        resources.tags.begin_create_or_update_at_scope(scope, {"properties": {"tags": {"suite": "x"}}}).result()
        assert resources.tags.get_at_scope(scope).properties.tags == {"suite": "x"}
    assert resources.resource_groups.get(group).tags == {"suite": "x"}
    with refused(404, "ResourceGroupNotFound"):
        resources.tags.get_at_scope(f"subscriptions/{SUBSCRIPTION}/resourceGroups/rg-nowhere")


def test_too_many_tags_are_refused(msi, group):
    tags = {f"t{n}": "x" for n in range(51)}
    with pytest.raises(Exception) as caught:
        msi.user_assigned_identities.create_or_update(group, unique("id-"), {"location": "westeurope", "tags": tags})
    assert caught.value.status_code == 400 and caught.value.error.code
