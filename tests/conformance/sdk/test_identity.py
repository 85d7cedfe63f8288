"""azure-identity: the credentials that need no secret of the cloud, and what they say when they fail."""

import base64
import json
import os

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CredentialUnavailableError, ManagedIdentityCredential
from azure.mgmt.resource.subscriptions import SubscriptionClient
from estate import SUBSCRIPTION, TENANT
from helpers import refused, simulator
import estate


def claims(token):
    payload = token.token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


@pytest.fixture
def app_service(cloud, monkeypatch):
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{cloud.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "header")


def test_an_app_gets_a_token_of_its_identity(app_service, identity):
    credential = ManagedIdentityCredential(client_id=identity.client_id)
    token = credential.get_token("https://management.azure.com/.default")
    own = claims(token)
    assert own["aud"].rstrip("/") == "https://management.azure.com" and own["tid"] == TENANT and own["idtyp"] == "app"
    assert (own["oid"], own["sub"], own["appid"]) == (identity.principal_id, identity.principal_id, identity.client_id)
    assert own["xms_mirid"].lower() == identity.id.lower() and own["iss"] == f"https://sts.windows.net/{TENANT}/"
    assert token.expires_on == own["exp"] and own["exp"] - own["iat"] > 80000


@pytest.mark.parametrize("name", ["resource_id", "object_id"])
def test_an_identity_is_named_by_any_of_its_ids(app_service, identity, name):
    value = identity.id if name == "resource_id" else identity.principal_id
    credential = ManagedIdentityCredential(identity_config={name: value})
    assert claims(credential.get_token("https://vault.azure.net/.default"))["oid"] == identity.principal_id


def test_an_identity_that_is_not_there_gets_none(app_service):
    credential = ManagedIdentityCredential(client_id="11111111-1111-4111-8111-111111111111")
    with pytest.raises(ClientAuthenticationError):
        credential.get_token("https://management.azure.com/.default")


def test_a_machine_gets_a_token_of_its_identity(cloud, monkeypatch, identity):
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", cloud.url)
    credential = ManagedIdentityCredential(client_id=identity.client_id)
    assert claims(credential.get_token("https://management.azure.com/.default"))["oid"] == identity.principal_id
    missing = ManagedIdentityCredential(client_id="11111111-1111-4111-8111-111111111111")
    with pytest.raises((CredentialUnavailableError, ClientAuthenticationError)):
        missing.get_token("https://management.azure.com/.default")


def test_tokens_are_looked_into_where_that_is_asked_for(tmp_path, monkeypatch):
    with simulator(tmp_path, estate.ESTATE, "--lag", "off", "--auth", "strict") as strict:
        client = strict.client(SubscriptionClient)
        with refused(401, "InvalidAuthenticationToken", "The access token is invalid."):
            client.subscriptions.get(SUBSCRIPTION)
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{strict.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "header")
        from azure.core.pipeline.policies import SansIOHTTPPolicy

        class Real(SansIOHTTPPolicy):
            def __init__(self, scope):
                self.scope = scope

            def on_request(self, request):
                request.http_request.headers["Authorization"] = f"Bearer {ManagedIdentityCredential().get_token(self.scope).token}"

        real = strict.client(SubscriptionClient, authentication_policy=Real("https://management.azure.com/.default"))
        assert real.subscriptions.get(SUBSCRIPTION).subscription_id == SUBSCRIPTION
        wrong = strict.client(SubscriptionClient, authentication_policy=Real("https://vault.azure.net/.default"))
        with refused(401, "InvalidAuthenticationTokenAudience", "The access token has been obtained for wrong audience or resource 'https://vault.azure.net"):
            wrong.subscriptions.get(SUBSCRIPTION)
