"""`az` for the tests: one a file, signed in at the file's simulator."""

import pytest

from azure_cli import Az


@pytest.fixture(scope="module")
def az_alone(simulator, tmp_path_factory):
    """`az` that knows the simulator and has not signed in."""
    az = Az(simulator, tmp_path_factory.mktemp("az"))
    az.register()
    return az


@pytest.fixture(scope="module")
def az(az_alone):
    """`az`, signed in."""
    az_alone.environment.update(az_alone.app_service())
    az_alone.login()
    return az_alone


@pytest.fixture
def fresh(simulator, tmp_path):
    """`az` of nobody, for tests that sign in themselves."""
    az = Az(simulator, tmp_path)
    az.register()
    return az
