"""Ferry itself, signed in by the real `az`."""

import os
import subprocess

import pytest

import tenant
from azure_cli import Az
from simulator import Simulator


@pytest.fixture(scope="module")
def simulator(estate):
    with Simulator(estate, "--auth", "strict") as running:
        yield running


def ferry(az, state, *words):
    path = os.path.dirname(os.environ["FERRY_CONFORMANCE_AZ"])
    environment = {**az.environment, "PATH": f"{path}:{os.environ['PATH']}", "NO_COLOR": "1", "FERRY_STATE": str(state)}
    # These are for az alone: nothing but az may give Ferry its token.
    for name in az.app_service():
        environment.pop(name, None)
    command = [os.environ["FERRY"], *words, "--cloud", az.simulator.url, "--ca", az.simulator.ca, "--auth", "cli"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_the_account_of_az_carries_a_relocation(simulator, tmp_path):
    az = Az(simulator, tmp_path / "az")
    az.register()
    # A service principal's account is kept by az with its secret; a managed identity would need its variables again.
    login = ["--service-principal", "--username", tenant.DEPLOY_APP, "--password", "s3cret", "--tenant", tenant.TENANT]
    az("login", *login)
    told = ferry(az, tmp_path / "state", "doctor")
    assert told.returncode == 0, told.stdout + told.stderr
    assert "cli: the account of az" in told.stdout and "sp-deploy" in told.stdout
    assert "s3cret" not in told.stdout
    relocate = ["run", "relocate", f"identity={tenant.IDENTITY}", "to=northeurope", "name=id-moved", "--yes"]
    done = ferry(az, tmp_path / "state", *relocate)
    assert done.returncode == 0, done.stdout + done.stderr
    assert simulator.document(tenant.IDENTITY) is None
    assert tenant.IDENTITY_PRINCIPAL not in str(simulator.estate()["arm"])
