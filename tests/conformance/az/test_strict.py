"""Where tokens are looked into: who may sign in, and what each may do then."""

import base64
import copy
import json
import time

import pytest

import tenant
from simulator import Simulator

SUBJECT = "repo:contoso/shop:ref:refs/heads/main"
OPERATOR = "a7c0e2aa-7e10-4f3e-b1d3-b1d4d5c9000f"


@pytest.fixture(scope="module")
def estate():
    changed = copy.deepcopy(tenant.ESTATE)
    changed["operator"] = OPERATOR
    application = changed["graph"]["applications"][0]
    application["passwordCredentials"] = [{"hint": "s3c", "endDateTime": "2099-01-01T00:00:00Z"}]
    return changed


@pytest.fixture(scope="module")
def simulator(estate):
    with Simulator(estate, "--auth", "strict") as running:
        yield running


def login(client, *proof):
    return ["login", "--service-principal", "--username", client, *proof, "--tenant", tenant.TENANT]


def assertion(subject=SUBJECT, life=600):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    claims = {
        "iss": "https://token.actions.githubusercontent.com",
        "sub": subject,
        "aud": "api://AzureADTokenExchange",
        "exp": int(time.time()) + life,
    }
    return f"{part({'alg': 'RS256', 'kid': '1'})}.{part(claims)}.c2ln"


def test_a_secret_that_is_wrong_is_told(fresh):
    said = fresh.fails(1, *login(tenant.DEPLOY_APP, "--password", "wrong"))
    assert "AADSTS7000215" in said


def test_a_service_principal_has_its_own_rights(fresh):
    accounts = fresh(*login(tenant.DEPLOY_APP, "--password", "s3cret"))
    assert [one["id"] for one in accounts] == [tenant.SUBSCRIPTION]
    fresh("identity", "create", "--name", "id-by-deploy", "--resource-group", "rg-shop-east")
    args = ["--assignee-object-id", tenant.SPARE_PRINCIPAL, "--assignee-principal-type", "ServicePrincipal"]
    args += ["--role", tenant.READER, "--scope", tenant.EAST]
    said = fresh.fails(1, "role", "assignment", "create", *args)
    assert "(AuthorizationFailed)" in said
    assert f"The client '{tenant.DEPLOY}' with object id '{tenant.DEPLOY}' does not have authorization" in said
    assert "'Microsoft.Authorization/roleAssignments/write'" in said


def test_an_identity_signs_in_by_a_federated_credential(fresh):
    accounts = fresh(*login(tenant.IDENTITY_CLIENT, "--federated-token", assertion()))
    assert [one["id"] for one in accounts] == [tenant.SUBSCRIPTION]
    shown = fresh("identity", "show", "--name", "id-shop", "--resource-group", "rg-shop")
    assert shown["clientId"] == tenant.IDENTITY_CLIENT
    said = fresh.fails(1, "identity", "delete", "--name", "id-spare", "--resource-group", "rg-shop")
    assert "(AuthorizationFailed)" in said


@pytest.mark.parametrize("subject,life,code", [("repo:x", 600, "AADSTS700213"), (SUBJECT, -900, "AADSTS700024")])
def test_an_assertion_that_does_not_fit_is_told(fresh, subject, life, code):
    said = fresh.fails(1, *login(tenant.IDENTITY_CLIENT, "--federated-token", assertion(subject, life)))
    assert code in said
