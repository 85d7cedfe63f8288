"""What the suites share: how a refusal is told, how a simulator is started, how a client is pointed at it."""

import contextlib
import json
import os
import pathlib
import subprocess
import uuid

import pytest
from azure.core.credentials import AccessToken, AccessTokenInfo
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import SansIOHTTPPolicy

ROOT = pathlib.Path(__file__).resolve().parents[3]


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


class PlainBearer(SansIOHTTPPolicy):
    """Sends the token over plain http, which the SDK's own policy refuses to do."""

    def on_request(self, request):
        request.http_request.headers["Authorization"] = "Bearer conformance"


class Cloud:
    """A running simulator."""

    def __init__(self, url):
        self.url = url
        self.credential = StaticToken()

    def client(self, kind, *arguments, **options):
        """An SDK client that speaks to this simulator."""
        if self.url.startswith("http://"):
            options.setdefault("authentication_policy", PlainBearer())
        options.setdefault("base_url", self.url)
        options.setdefault("credential_scopes", [f"{self.url}/.default"])
        return kind(self.credential, *arguments, **options)


@contextlib.contextmanager
def simulator(folder, estate, *options):
    """Runs `ferry sim` with an estate; the binary is FERRY, else the one that cargo built."""
    ferry = os.environ.get("FERRY") or ROOT / "target" / "debug" / "ferry"
    file = pathlib.Path(folder) / "estate.json"
    file.write_text(json.dumps(estate))
    process = subprocess.Popen(
        [str(ferry), "sim", "--estate", str(file), *options],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        ready = process.stdout.readline().split()
        assert ready and ready[0] == "ready", "the simulator did not start"
        yield Cloud(ready[1])
    finally:
        process.terminate()
        process.wait(timeout=20)
