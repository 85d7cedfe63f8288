"""One simulator for all suites of a worker, and one whose operations take their time."""

import estate
import pytest
from azure.mgmt.msi import ManagedServiceIdentityClient
from azure.mgmt.resource.resources import ResourceManagementClient
from helpers import running, unique


@pytest.fixture(scope="session")
def cloud():
    """A simulator where operations end at once and nothing lags."""
    with running(estate.ESTATE, "--lag", "off") as made:
        yield made


@pytest.fixture(scope="session")
def slow_cloud():
    """A simulator where operations take a while, new principals come late, and so does Resource Graph."""
    with running(estate.ESTATE, "--lag", "0.6") as made:
        yield made


@pytest.fixture(scope="session")
def resources(cloud):
    """The client of groups, resources, providers and tags."""
    return cloud.client(ResourceManagementClient, estate.SUBSCRIPTION)


@pytest.fixture(scope="session")
def msi(cloud):
    """The client of managed identities."""
    return cloud.client(ManagedServiceIdentityClient, estate.SUBSCRIPTION)


@pytest.fixture(scope="module")
def group(resources):
    """The name of a resource group of this module's own, in westeurope."""
    name = unique("rg-")
    resources.resource_groups.create_or_update(name, {"location": "westeurope"})
    return name


@pytest.fixture
def identity(msi, group):
    """A new user-assigned identity."""
    return msi.user_assigned_identities.create_or_update(group, unique("id-"), {"location": "westeurope"})
