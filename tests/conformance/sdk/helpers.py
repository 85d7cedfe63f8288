"""What the suites share: how a refusal is told, and how a client is pointed at a simulator."""

import contextlib
import uuid

import pytest
from azure.core.credentials import AccessToken, AccessTokenInfo
from azure.core.exceptions import HttpResponseError

from simulator import Simulator


def unique(prefix):
    """A name that no other test has."""
    return f"{prefix}{uuid.uuid4().hex[:10]}"


@contextlib.contextmanager
def refused(status, code, message=None):
    """What is done inside is refused with this status and code, and, where given, this text in the message."""
    with pytest.raises(HttpResponseError) as caught:
        yield caught
    error = caught.value
    assert error.error is not None, f"no error in Azure's form: {error.response.body()!r}"
    assert (error.status_code, error.error.code) == (status, code), error
    if message is not None:
        assert message in error.error.message


def taken(response, _model, headers):
    """For `cls=`: status and headers of an answer with the model."""
    return response.http_response.status_code, dict(headers or {}), response.http_response.headers, _model


class StaticToken:
    """A credential that always has the same token."""

    def get_token(self, *_scopes, **_options):
        return AccessToken("conformance", 2_000_000_000)

    def get_token_info(self, *_scopes, **_options):
        return AccessTokenInfo("conformance", 2_000_000_000)


class Cloud:
    """A running simulator, as the SDKs see a cloud: over https, by an authority that they are told to trust."""

    def __init__(self, simulator):
        self.simulator = simulator
        self.url = simulator.url
        self.ca = simulator.ca
        self.credential = StaticToken()

    def client(self, kind, *arguments, credential=None, **options):
        """An SDK client that speaks to this simulator."""
        options.setdefault("base_url", self.url)
        options.setdefault("credential_scopes", ["https://management.azure.com/.default"])
        options.setdefault("connection_verify", self.ca)
        return kind(credential or self.credential, *arguments, **options)


@contextlib.contextmanager
def running(estate, *options):
    """A cloud of its own."""
    with Simulator(estate, *options) as simulator:
        yield Cloud(simulator)
