"""azure-identity: the credentials of workloads, and what they say when they fail."""

import base64
import json

import estate
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential, CredentialUnavailableError, ManagedIdentityCredential, WorkloadIdentityCredential
from azure.mgmt.resource.subscriptions import SubscriptionClient
from estate import ROBOT_APP, SUBSCRIPTION, TENANT
from helpers import refused, running

ARM = "https://management.azure.com/.default"


def claims(token):
    payload = token.token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


@pytest.fixture
def app_service(cloud, monkeypatch):
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{cloud.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "header")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", cloud.ca)


def test_an_app_gets_a_token_of_its_identity(app_service, identity):
    token = ManagedIdentityCredential(client_id=identity.client_id).get_token(ARM)
    own = claims(token)
    assert own["aud"].rstrip("/") == "https://management.azure.com" and own["tid"] == TENANT and own["idtyp"] == "app"
    assert (own["oid"], own["sub"], own["appid"]) == (identity.principal_id, identity.principal_id, identity.client_id)
    assert own["xms_mirid"] == identity.id and own["iss"] == f"https://sts.windows.net/{TENANT}/"
    assert token.expires_on == own["exp"] and own["exp"] - own["iat"] > 80000


@pytest.mark.parametrize("name", ["resource_id", "object_id"])
def test_an_identity_is_named_by_any_of_its_ids(app_service, identity, name):
    value = identity.id if name == "resource_id" else identity.principal_id
    credential = ManagedIdentityCredential(identity_config={name: value})
    assert claims(credential.get_token("https://vault.azure.net/.default"))["oid"] == identity.principal_id


def test_a_machine_gets_a_token_of_its_identity(cloud, monkeypatch, identity):
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", cloud.url)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", cloud.ca)
    own = claims(ManagedIdentityCredential(client_id=identity.client_id).get_token(ARM))
    assert (own["oid"], own["xms_mirid"]) == (identity.principal_id, identity.id)


def test_an_identity_that_is_not_there_gets_no_token(monkeypatch):
    with running(estate.ESTATE, "--lag", "off", "--auth", "strict") as strict:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", strict.ca)
        nobody = ManagedIdentityCredential(client_id="11111111-1111-4111-8111-111111111111")
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{strict.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "header")
        with pytest.raises(ClientAuthenticationError):
            ManagedIdentityCredential(client_id="11111111-1111-4111-8111-111111111111").get_token(ARM)
        monkeypatch.delenv("IDENTITY_ENDPOINT")
        monkeypatch.delenv("IDENTITY_HEADER")
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", strict.url)
        with pytest.raises((CredentialUnavailableError, ClientAuthenticationError)):
            nobody.get_token(ARM)


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


def test_tokens_are_looked_into_where_that_is_asked_for():
    with running(estate.ESTATE, "--lag", "off", "--auth", "strict") as strict:
        with refused(401, "InvalidAuthenticationToken", "The access token is invalid."):
            strict.client(SubscriptionClient).subscriptions.get(SUBSCRIPTION)
        credential = ClientSecretCredential(TENANT, ROBOT_APP, "secret", **authority(strict))
        client = strict.client(SubscriptionClient, credential=credential)
        assert client.subscriptions.get(SUBSCRIPTION).subscription_id == SUBSCRIPTION
        wrong = strict.client(SubscriptionClient, credential=credential, credential_scopes=["https://vault.azure.net/.default"])
        with refused(401, "InvalidAuthenticationTokenAudience", "The access token has been obtained for wrong audience or resource 'https://vault.azure.net"):
            wrong.subscriptions.get(SUBSCRIPTION)
