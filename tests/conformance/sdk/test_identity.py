"""azure-identity: the credentials of workloads, and what they say when they fail."""

import base64
import copy
import json

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential, CredentialUnavailableError, ManagedIdentityCredential, WorkloadIdentityCredential
from azure.mgmt.resource.subscriptions import SubscriptionClient
from estate import ESTATE, ROBOT_APP, SUBSCRIPTION, TENANT
from helpers import refused, running

ARM = "https://management.azure.com/.default"


def claims(token):
    payload = token.token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


PRINCIPAL, CLIENT = "1d000000-0000-4000-8000-000000000001", "1d000000-0000-4000-8000-000000000002"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-identity"
IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-app"


@pytest.fixture(scope="module")
def strict():
    """A simulator that looks into tokens, with one identity."""
    estate = copy.deepcopy(ESTATE)
    estate["arm"]["resources"] += [
        {"id": GROUP, "name": "rg-identity", "type": "Microsoft.Resources/resourceGroups", "location": "westeurope"},
        {
            "id": IDENTITY,
            "name": "id-app",
            "type": "Microsoft.ManagedIdentity/userAssignedIdentities",
            "location": "westeurope",
            "properties": {"tenantId": TENANT, "principalId": PRINCIPAL, "clientId": CLIENT},
        },
        {
            "id": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleAssignments/1d000000-0000-4000-8000-000000000003",
            "type": "Microsoft.Authorization/roleAssignments",
            "properties": {
                "principalId": PRINCIPAL,
                "principalType": "ServicePrincipal",
                "roleDefinitionId": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7",
            },
        },
    ]
    with running(estate, "--lag", "off", "--auth", "strict") as made:
        yield made


@pytest.fixture
def app_service(strict, monkeypatch):
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{strict.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "header")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", strict.ca)


@pytest.fixture
def machine(strict, monkeypatch):
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", strict.url)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", strict.ca)


def test_an_app_gets_a_token_of_its_identity(app_service):
    token = ManagedIdentityCredential(client_id=CLIENT).get_token(ARM)
    own = claims(token)
    assert own["aud"].rstrip("/") == "https://management.azure.com" and own["tid"] == TENANT and own["idtyp"] == "app"
    assert (own["oid"], own["sub"], own["appid"]) == (PRINCIPAL, PRINCIPAL, CLIENT)
    assert own["xms_mirid"].lower() == IDENTITY.lower() and "/resourcegroups/" in own["xms_mirid"]
    assert own["iss"] == f"https://sts.windows.net/{TENANT}/"
    assert token.expires_on == own["exp"] and own["exp"] - own["iat"] > 80000


@pytest.mark.parametrize("name", ["resource_id", "object_id"])
def test_an_identity_is_named_by_any_of_its_ids(app_service, name):
    value = IDENTITY if name == "resource_id" else PRINCIPAL
    credential = ManagedIdentityCredential(identity_config={name: value})
    assert claims(credential.get_token("https://vault.azure.net/.default"))["oid"] == PRINCIPAL


def test_a_machine_gets_a_token_of_its_identity(machine):
    own = claims(ManagedIdentityCredential(client_id=CLIENT).get_token(ARM))
    assert (own["oid"], own["appid"]) == (PRINCIPAL, CLIENT) and own["xms_mirid"].lower() == IDENTITY.lower()


def test_an_app_has_no_token_of_an_identity_that_is_not_there(app_service):
    with pytest.raises(ClientAuthenticationError):
        ManagedIdentityCredential(client_id="11111111-1111-4111-8111-111111111111").get_token(ARM)


def test_a_machine_has_no_token_of_an_identity_that_is_not_there(machine):
    with pytest.raises((CredentialUnavailableError, ClientAuthenticationError)):
        ManagedIdentityCredential(client_id="11111111-1111-4111-8111-111111111111").get_token(ARM)


def test_tokens_are_looked_into_where_that_is_asked_for(strict, app_service):
    with refused(401, "InvalidAuthenticationToken", "The access token is invalid."):
        strict.client(SubscriptionClient).subscriptions.get(SUBSCRIPTION)
    credential = ManagedIdentityCredential(client_id=CLIENT)
    client = strict.client(SubscriptionClient, credential=credential)
    assert client.subscriptions.get(SUBSCRIPTION).subscription_id == SUBSCRIPTION
    wrong = strict.client(SubscriptionClient, credential=credential, credential_scopes=["https://vault.azure.net/.default"])
    with refused(401, "InvalidAuthenticationTokenAudience", "The access token has been obtained for wrong audience or resource 'https://vault.azure.net"):
        wrong.subscriptions.get(SUBSCRIPTION)


def authority(cloud):
    return {"authority": cloud.url, "disable_instance_discovery": True, "connection_verify": cloud.ca}


def test_a_secret_is_changed_for_a_token(cloud):
    token = ClientSecretCredential(TENANT, ROBOT_APP, "secret", **authority(cloud)).get_token(ARM)
    own = claims(token)
    assert own["appid"] == ROBOT_APP and own["tid"] == TENANT and own["aud"].startswith("https://management.azure.com")


def test_an_assertion_from_a_file_is_changed_for_a_token(cloud, tmp_path):
    file = tmp_path / "token"
    part = base64.urlsafe_b64encode(json.dumps({"iss": "https://i.example", "sub": "s", "aud": "a", "exp": 2_000_000_000}).encode()).decode().rstrip("=")
    file.write_text(f"e30.{part}.x")
    credential = WorkloadIdentityCredential(tenant_id=TENANT, client_id=ROBOT_APP, token_file_path=str(file), **authority(cloud))
    assert claims(credential.get_token(ARM))["appid"] == ROBOT_APP


def test_a_tenant_that_is_not_there(cloud):
    with pytest.raises((ClientAuthenticationError, ValueError)):
        ClientSecretCredential("99999999-9999-4999-8999-999999999999", ROBOT_APP, "secret", **authority(cloud)).get_token(ARM)
